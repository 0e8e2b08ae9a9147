import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Answer, Asked } from '../races/servers.ts';

/** What came back over a network that may fail: status 0 is a connection that was refused, or broke before the answer. */
export interface Told extends Answer {
  readonly retryAfter: string | undefined;
  readonly ms: number;
}

/** A lost database is told within two seconds; what a machine that is busy adds to it is no part of the promise. */
export const TOLD_WITHIN_MS = 2_000 + 2_000;

/** Longer than anything may take, so that a server that hangs is told from one that is slow. */
const LONGEST_MS = 20_000;

/** Asks one thing on a connection of its own. */
export async function ask(port: number, { path, fields, cookie, address }: Asked): Promise<Told> {
  const body = fields && new URLSearchParams(fields).toString();
  const headers = {
    'sec-fetch-site': 'same-origin',
    ...(address === undefined ? {} : { 'x-forwarded-for': address }),
    ...(cookie === undefined ? {} : { cookie }),
    ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
  };
  const method = body === undefined ? 'GET' : 'POST';
  const began = performance.now();
  const took = (): number => performance.now() - began;
  try {
    const signal = AbortSignal.timeout(LONGEST_MS);
    const message = request({ agent: false, host: '127.0.0.1', port, path, method, headers, signal }).end(body);
    const [response] = (await once(message, 'response')) as [IncomingMessage];
    const page = await text(response);
    const { statusCode: status = 0, headers: given } = response;
    const cookies = (given['set-cookie'] ?? []).map((line) => line.split(';', 1)[0] ?? '');
    return { status, location: given.location, cookies, text: page, retryAfter: given['retry-after'], ms: took() };
  } catch (fault) {
    return { status: 0, location: undefined, cookies: [], text: String(fault), retryAfter: undefined, ms: took() };
  }
}

/** The cookie of this name among an answer's, name and value, whatever prefix it has here. */
export function cookieIn({ cookies }: Answer, name: 'sallyport' | 'sallyport-challenge'): string | undefined {
  return cookies.find((cookie) => new RegExp(`^(__Host-)?${name}=.`).test(cookie));
}

/** A cookie's value. */
export function valueOf(cookie: string): string {
  return cookie.slice(cookie.indexOf('=') + 1);
}
