import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { FORM_BYTES_MAX, RequestRefused } from './forms.ts';

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  // With no-referrer Chromium posts forms with `Origin: null`.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'X-Robots-Tag': 'noindex',
  'Cache-Control': 'no-store',
};

/**
 * Headers of every answer, errors included. Only `Visit.file` and the assets say otherwise: what has its hash in its
 * address may be kept by caches, and a file that a merchant gave has a stricter policy (ASVS 3.4, 14.3.2).
 */
export function securityHeaders(publicUrl: string): MiddlewareHandler {
  const all = {
    ...HEADERS,
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' } : {}),
  };
  return async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(all)) if (!context.res.headers.has(name)) context.header(name, value);
  };
}

/**
 * Refuses what another site makes a browser send (ASVS 3.5.1): `Sec-Fetch-Site` decides where the browser says it, else
 * `Origin`; a request that changes something and says neither is refused. GET and HEAD change nothing.
 */
export function sameOriginOnly(publicUrl: string): MiddlewareHandler {
  return async (context, next) => {
    if (!['GET', 'HEAD'].includes(context.req.method)) {
      const site = context.req.header('sec-fetch-site');
      const own = site === undefined ? context.req.header('origin') === publicUrl : site === 'same-origin';
      if (!own) throw new RequestRefused(403, 'the request came from another site');
    }
    await next();
  };
}

/** Refuses bodies over 16 KiB, counted as they arrive where their length is not given. */
export const smallBodiesOnly: MiddlewareHandler = bodyLimit({
  maxSize: FORM_BYTES_MAX,
  onError: () => {
    throw new RequestRefused(413, 'the form is larger than 16 KiB');
  },
});

/**
 * Waits for the whole body before anybody is admitted: who holds the end of a form back is judged by what holds when it
 * has arrived, not by a session that was good when its first line came and has been ended since.
 */
export const wholeBodiesOnly: MiddlewareHandler = async ({ req }, next) => {
  await req.text();
  await next();
};
