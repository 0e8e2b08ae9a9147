FROM node:26-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && install -d -m 700 -o node -g node /data \
 && printf '#!/bin/sh\nexec node /app/src/main.ts "$@"\n' > /usr/local/bin/sallyport && chmod 755 /usr/local/bin/sallyport
COPY migrations migrations
COPY src src
ENV SALLYPORT_DATA=/data SALLYPORT_HOST=0.0.0.0
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SALLYPORT_PORT || 3000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["sallyport"]
CMD ["serve"]
