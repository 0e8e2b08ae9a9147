import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import { adminRoutes } from './admin/routes.ts';
import { HashingBusy } from './crypto/hashing-guard.ts';
import { DatabaseUnavailable } from './db/db.ts';
import { portalRoutes } from './portal/routes.ts';
import { asset, FOR_EVER } from './web/assets.ts';
import { busyPage, faultPage, notFoundPage, refusedPage, unavailablePage } from './web/errors.ts';
import { RequestRefused } from './web/forms.ts';
import { machineRoutes } from './web/machine.ts';
import { mount, type Route } from './web/routes.ts';
import { sameOriginOnly, securityHeaders } from './web/security.ts';
import { isRedone, Visit, whose, type House, type OpenHouse } from './web/visit.ts';

/** Every address the server answers, each with its guard. The tests walk this very list. */
export const ROUTES: readonly Route[] = [...machineRoutes, ...portalRoutes, ...adminRoutes];

/** Puts the house together: headers on everything, foreign requests out, then the site map. */
export function createApp(plan: House, extraRoutes: readonly Route[] = []): Hono {
  const server = new Hono();
  const house: OpenHouse = { ...plan, answer: (request, env) => server.fetch(request, env) };
  server.use(securityHeaders(house.publicUrl));
  server.use(async (context, next) => {
    const { log, now } = house.installation;
    const began = now();
    await next();
    const { status } = context.res;
    if (status < 400 || isRedone(context)) return;
    // The route's pattern and not the path, which may hold the token of a one-time link.
    log.info('refused', {
      method: context.req.method,
      route: routeOf(matchedRoutes(context)),
      status,
      ms: now() - began,
      ...whose(context),
    });
  });
  server.get('/assets/*', (context, next) => {
    const found = asset(context.req.path);
    if (!found) return next();
    return context.body(found.body, 200, {
      'Content-Type': found.type,
      'Cache-Control': FOR_EVER,
    });
  });
  server.use(sameOriginOnly(house.publicUrl));
  mount(server, house, [...extraRoutes, ...ROUTES]);
  server.notFound((context) => notFoundPage(new Visit(context, house)));
  server.onError((fault, context) =>
    answerFault(fault, new Visit(context, house), (name, value) => context.header(name, value)),
  );
  return server;
}

type SetHeader = (name: 'Retry-After' | 'Connection', value: string) => void;

async function answerFault(fault: Error, visit: Visit, setHeader: SetHeader): Promise<Response> {
  const { log } = visit.installation;
  if (fault instanceof RequestRefused) {
    log.info('request refused', { reason: fault.message, address: visit.visitor.address });
    // The rest of a body that is too large is not read, so nothing can follow it on this connection.
    if (fault.status === 413) setHeader('Connection', 'close');
    return refusedPage(visit, fault);
  }
  if (fault instanceof HashingBusy) {
    log.warn('too busy to hash', { reason: fault.message });
    setHeader('Retry-After', '2');
    return busyPage(visit);
  }
  if (fault instanceof DatabaseUnavailable) {
    log.error('database unavailable', { reason: fault.message });
    setHeader('Retry-After', '5');
    return unavailablePage(visit);
  }
  if (visit.brokeOff(fault)) return answerFault(new RequestRefused(400, 'the request breaks off'), visit, setHeader);
  const reference = randomUUID();
  log.error('fault', { reference, fault: fault.stack ?? fault.message });
  return faultPage(visit, reference);
}

function routeOf(matched: readonly { path: string }[]): string {
  // Hono asks those that match in the order of the site map, and the first that is no middleware answers.
  return matched.find(({ path }) => !path.endsWith('*'))?.path ?? 'none';
}
