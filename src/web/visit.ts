import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Account } from '../accounts/accounts.ts';
import type { Installation } from '../accounts/installation.ts';
import type { Surface } from '../auth/challenges.ts';
import { ENROLMENT_LIFETIME_MS, PASSKEY_CEREMONY_LIFETIME_MS, SESSION_LIFETIMES } from '../auth/limits.ts';
import type { Visitor } from '../auth/sessions.ts';
import type { MailConfig } from '../config.ts';
import { FOR_EVER } from './assets.ts';
import { clientOf } from './client-ip.ts';
import type { Html } from './components.ts';
import { FLASH_LIFETIME_MS, openFlash, sealFlash, type Flash } from './flash.ts';
import { FORM_BYTES_MAX, readForm } from './forms.ts';
import { readBody, readUpload, type Upload } from './upload.ts';

/** What every page stands on: the installation, and how the world reaches it. Composed once in app.ts. */
export interface House {
  readonly installation: Installation;
  readonly publicUrl: string;
  readonly trustedProxies: readonly string[];
  /** The mail server, for the page that shows and tries it; undefined: mail is off. */
  readonly mail?: MailConfig | undefined;
  /**
   * A piece of the pages that ask an account for a code, of an active app or of one that is just being set up. Only the
   * demo hands one in; see there why no server can.
   */
  readonly pageExtra?: (account: Account, app?: 'pending') => Promise<Html | undefined>;
}

/** The house with its doors open: what the composition root makes of it. */
export interface OpenHouse extends House {
  /** Answers a request as though it had come by the door. */
  readonly answer: (request: Request, env: object | undefined) => Response | Promise<Response>;
}

type CookieName = 'session' | 'challenge' | 'notice' | 'device' | 'passkey';

/** One request on its way to an answer: what handlers may know of HTTP. */
export class Visit {
  readonly house: OpenHouse;
  readonly visitor: Visitor;
  readonly #context: Context;
  readonly #incoming: IncomingMessage | undefined;
  readonly #bodyMax: number | undefined;

  /** `bodyMax`: what the route lets in beyond a form of the usual size. Whoever calls `upload` counts it. */
  constructor(context: Context, house: OpenHouse, bodyMax?: number) {
    this.#context = context;
    this.house = house;
    this.#bodyMax = bodyMax;
    const { incoming } = (context.env ?? {}) as { incoming?: IncomingMessage };
    this.#incoming = incoming;
    this.visitor = {
      ...clientOf(incoming?.socket.remoteAddress, context.req.header('x-forwarded-for'), house.trustedProxies),
      userAgent: context.req.header('user-agent') ?? '',
    };
  }

  /** Whose request it has turned out to be, for the log: a refusal says whose (ASVS 16.3.2). */
  isOf({ organizationId, id }: Pick<Account, 'organizationId' | 'id'>): void {
    this.#context.set(WHOSE, { organization: organizationId, account: id });
  }

  get installation(): Installation {
    return this.house.installation;
  }

  get now(): number {
    return this.installation.now();
  }

  get path(): string {
    return this.#context.req.path;
  }

  /** As they came, to come back to. */
  get pathAndQuery(): string {
    const { pathname, search } = new URL(this.#context.req.url);
    return pathname + search;
  }

  /** Whether a fault is only that the client went away in the middle of its request. */
  brokeOff(fault: Error): boolean {
    return fault === this.#incoming?.errored;
  }

  param(name: string): string {
    return withoutNul(this.#context.req.param(name));
  }

  query(name: string): string {
    return withoutNul(this.#context.req.query(name));
  }

  /** The posted form with exactly these fields; throws RequestRefused for anything else. */
  async form<Field extends string>(...fields: Field[]): Promise<Record<Field, string>> {
    if (this.#bodyMax !== undefined) throw new Error('a route with bodyMax reads its form with upload');
    return readForm(this.#context.req.header('content-type'), await this.#context.req.text(), fields);
  }

  /** The posted form as it came, to be kept for later; null where a page was asked for. A file is not kept. */
  async body(): Promise<string | null> {
    if (this.#bodyMax !== undefined) throw new Error('what a route with bodyMax takes cannot be kept for later');
    return this.#context.req.method === 'POST' ? this.#context.req.text() : null;
  }

  /**
   * Answers a form of this visitor's that was sent earlier, as though it came now: through its own route and guard, with
   * the session cookie given here in place of the one that the request came with. The browser keeps that one, unless
   * the form's own answer has another for it: of each name it gets one.
   */
  async redo(form: { path: string; body: string }, surface: Surface, cookie: string): Promise<Response> {
    const headers = new Headers(this.#context.req.raw.headers);
    for (const ofOtherBody of ['content-length', 'transfer-encoding']) headers.delete(ofOtherBody);
    headers.set('content-type', 'application/x-www-form-urlencoded');
    const session = this.#name('session', surface);
    const others = (headers.get('cookie') ?? '').split(/; */).filter((one) => one && !one.startsWith(`${session}=`));
    headers.set('cookie', [...others, `${session}=${cookie}`].join('; '));
    const request = new Request(this.house.publicUrl + form.path, { method: 'POST', headers, body: form.body });
    const answer = await this.house.answer(request, this.#context.env as object | undefined);
    this.#context.set(REDONE, true);
    const cookies = answer.headers.getSetCookie();
    const isSet = (name: string): boolean => cookies.some((line) => line.startsWith(`${name}=`));
    this.#context.header('Set-Cookie', undefined);
    if (!isSet(session)) this.#set('session', surface, cookie, SESSION_LIFETIMES[surface].absoluteMs);
    if (!isSet(this.#name('challenge', surface))) this.#clear('challenge', surface);
    for (const line of cookies) this.#context.header('Set-Cookie', line, { append: true });
    const all = Object.fromEntries([...answer.headers].filter(([name]) => name !== 'set-cookie'));
    return this.#context.newResponse(answer.body, answer.status as 200, all);
  }

  /**
   * The posted form with exactly these fields and, in a field of its own, a file; throws RequestRefused for anything
   * else. Nothing is read before the guard has admitted whoever sends it. Without its file the form may also come as
   * any other does.
   */
  async upload<Field extends string>(file: string, ...fields: Field[]): Promise<Upload<Field>> {
    if (this.#bodyMax === undefined) throw new Error('only a route with bodyMax takes a file');
    const { raw } = this.#context.req;
    const type = this.#context.req.header('content-type') ?? '';
    if (/^multipart\//i.test(type)) return readUpload(type, await readBody(raw, this.#bodyMax), file, fields);
    return { fields: readForm(type, (await readBody(raw, FORM_BYTES_MAX)).toString(), fields), file: undefined };
  }

  async page(html: Html, status: 200 | 400 | 403 | 404 | 413 | 415 | 422 | 429 | 500 | 503 = 200): Promise<Response> {
    return this.#context.html(await html, status);
  }

  /** A page that a limit holds back, with the seconds to wait in `Retry-After`. */
  heldBack(html: Html, until: number): Promise<Response> {
    this.#context.header('Retry-After', String(Math.max(1, Math.ceil((until - this.now) / 1000))));
    return this.page(html, 429);
  }

  /** A page for what this server cannot do just now, through no fault of the visitor's. */
  unavailable(html: Html): Promise<Response> {
    this.#context.header('Retry-After', '60');
    return this.page(html, 503);
  }

  /** Post, redirect, get: 303 to a path of ours, never to one that a request names. */
  see(path: string): Response {
    return this.#context.redirect(path, 303);
  }

  json(value: object, status: 200 | 401 | 429 | 503 = 200): Response {
    return this.#context.json(value, status);
  }

  /** A text of another type than HTML; with a file name the browser keeps it as a download. */
  text(content: string, type: string, fileName?: string): Response {
    const download = fileName === undefined ? {} : { 'Content-Disposition': `attachment; filename="${fileName}"` };
    return this.#context.body(content, 200, { 'Content-Type': type, ...download });
  }

  /** A download that comes part by part, so that no file is ever whole in memory. */
  stream(parts: AsyncIterable<string>, type: string, fileName: string): Response {
    const body = ReadableStream.from(parts).pipeThrough(new TextEncoderStream());
    const download = { 'Content-Disposition': `attachment; filename="${fileName}"` };
    return this.#context.body(body, 200, { 'Content-Type': type, ...download });
  }

  /**
   * A file that stands on pages and is none itself. `lasting`: its address names this very content, so that it may be
   * kept for ever. Opened by itself it is in a sandbox, whatever it holds.
   */
  file(content: string | Uint8Array<ArrayBuffer>, type: string, lasting: boolean): Response {
    return this.#context.body(content, 200, {
      'Content-Type': type,
      'Content-Security-Policy': "default-src 'none'; sandbox",
      ...(lasting ? { 'Cache-Control': FOR_EVER } : {}),
    });
  }

  sessionCookie(surface: Surface): string | undefined {
    return this.#cookie('session', surface);
  }

  challengeCookie(surface: Surface): string | undefined {
    return this.#cookie('challenge', surface);
  }

  /** What binds the passkey that this browser is asked for at the portal's door to it, while nobody knows whose it is. */
  passkeyCookie(): string | undefined {
    return this.#cookie('passkey', 'portal');
  }

  keepPasskeyCookie(browser: string): void {
    this.#set('passkey', 'portal', browser, PASSKEY_CEREMONY_LIFETIME_MS);
  }

  /** Hands the browser its session and takes the half-signed-in state away: they never stand side by side. */
  signIn(surface: Surface, cookie: string): void {
    this.#set('session', surface, cookie, SESSION_LIFETIMES[surface].absoluteMs);
    this.#clear('challenge', surface);
  }

  challenge(surface: Surface, cookie: string): void {
    this.#set('challenge', surface, cookie, ENROLMENT_LIFETIME_MS);
  }

  /** By what a contact's browser may skip the code. Staff never have one. */
  deviceCookie(): string | undefined {
    return this.#cookie('device', 'portal');
  }

  trust({ cookie, until }: { readonly cookie: string; readonly until: number }): void {
    this.#set('device', 'portal', cookie, until - this.now);
  }

  forgetChallenge(surface: Surface): void {
    this.#clear('challenge', surface);
  }

  signOut(surface: Surface): void {
    this.#clear('session', surface);
    this.#clear('challenge', surface);
  }

  /** Leaves a sentence for the next page, sealed, for five minutes. */
  leave(surface: Surface, flash: Flash): void {
    this.#set('notice', surface, sealFlash(this.installation, flash), FLASH_LIFETIME_MS);
  }

  /** Takes the sentence that the page before left, if it is one of ours and not old. */
  found(surface: Surface): Flash | undefined {
    const sealed = this.#cookie('notice', surface);
    if (sealed === undefined) return undefined;
    this.#clear('notice', surface);
    return openFlash(this.installation, sealed);
  }

  // Safari refuses `__Host-` and `Secure` on http://localhost; nowhere else do cookies go without (security.md).
  get #secure(): boolean {
    return this.house.publicUrl.startsWith('https:');
  }

  #name(name: CookieName, surface: Surface): string {
    const parts = ['sallyport', ...(surface === 'admin' ? ['admin'] : []), ...(name === 'session' ? [] : [name])];
    return `${this.#secure ? '__Host-' : ''}${parts.join('-')}`;
  }

  #cookie(name: CookieName, surface: Surface): string | undefined {
    return withoutNul(getCookie(this.#context, this.#name(name, surface))) || undefined;
  }

  #set(name: CookieName, surface: Surface, value: string, lifetimeMs: number): void {
    setCookie(this.#context, this.#name(name, surface), value, {
      path: '/',
      httpOnly: true,
      secure: this.#secure,
      sameSite: surface === 'admin' || name === 'challenge' || name === 'passkey' ? 'Strict' : 'Lax',
      maxAge: lifetimeMs / 1000,
    });
  }

  #clear(name: CookieName, surface: Surface): void {
    deleteCookie(this.#context, this.#name(name, surface), { path: '/', secure: this.#secure, httpOnly: true });
  }
}

/** Whose request it has turned out to be; undefined where nobody has proven anything. */
export function whose(context: Context): { organization: string; account: string } | undefined {
  return context.get(WHOSE) as { organization: string; account: string } | undefined;
}

/** Whether a request was answered by doing an earlier one again, which has had its own line in the log. */
export function isRedone(context: Context): boolean {
  return context.get(REDONE) === true;
}

const WHOSE = 'whose';
const REDONE = 'redone';

// NUL is in nothing that we hand out, and PostgreSQL holds no text with it: what has one is as good as nothing.
function withoutNul(text: string | undefined): string {
  return text === undefined || text.includes('\0') ? '' : text;
}
