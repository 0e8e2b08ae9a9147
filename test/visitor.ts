import assert from 'node:assert/strict';
import type { Hono } from 'hono';

/** What came back, as a person or a test reads it. */
export interface Page {
  readonly status: number;
  readonly location: string | null;
  readonly headers: Headers;
  readonly text: string;
  readonly title: string;
  readonly h1: string;
  /** The sentences beside the fields that say what is wrong. */
  readonly errors: readonly string[];
  /** Banners. */
  readonly notices: readonly string[];
}

export interface VisitorOptions {
  /** Where the connection comes from. */
  readonly address?: string;
  readonly userAgent?: string;
  /** Sent with every request, over what a browser sends: `x-forwarded-for`, `sec-fetch-site`, … */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A browser without script on `app.request`: keeps cookies, sends what browsers send, follows redirects when told to. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #app: Hono;
  readonly #origin: string;
  readonly #options: VisitorOptions;
  #last: Page | undefined;

  constructor(app: Hono, origin: string, options: VisitorOptions) {
    this.#app = app;
    this.#origin = origin;
    this.#options = options;
  }

  /** The page that was answered last. */
  get page(): Page {
    assert.ok(this.#last, 'nothing was asked for yet');
    return this.#last;
  }

  get(path: string): Promise<Page> {
    return this.send('GET', path);
  }

  /** Posts a form. Fields may be a text, for what no browser would send. */
  post(path: string, fields: Readonly<Record<string, string>> | string = {}): Promise<Page> {
    const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin };
    return this.send('POST', path, headers, body);
  }

  /** Posts a form with a file in it, written by the platform as browsers write it. */
  upload(
    path: string,
    fields: Readonly<Record<string, string>>,
    file?: { field: string; name: string; bytes: Uint8Array<ArrayBuffer> },
  ): Promise<Page> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    if (file) form.set(file.field, new File([file.bytes], file.name));
    return this.send('POST', path, { origin: this.#origin }, form);
  }

  /** Follows redirects to the page where they end. */
  async follow(): Promise<Page> {
    for (let hops = 0; this.page.location !== null; hops++) {
      assert.ok(hops < 10, `redirected in circles to ${this.page.location}`);
      await this.get(this.page.location);
    }
    return this.page;
  }

  async send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | FormData,
  ): Promise<Page> {
    const { address = '203.0.113.1', userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } = this.#options;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await this.#app.request(
      new URL(path, this.#origin).href,
      {
        method,
        headers: {
          'user-agent': userAgent,
          'sec-fetch-site': 'same-origin',
          ...(cookie === '' ? {} : { cookie }),
          ...headers,
          ...this.#options.headers,
        },
        ...(body === undefined ? {} : { body }),
      },
      { incoming: { socket: { remoteAddress: address, remotePort: 50_000, remoteFamily: 'IPv4' } } },
    );
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    this.#last = await read(response);
    return this.#last;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const at = pair.indexOf('=');
    const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute));
    if (gone) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

async function read(response: Response): Promise<Page> {
  const text = await response.text();
  return {
    status: response.status,
    location: response.headers.get('location'),
    headers: response.headers,
    text,
    title: inner(text, /<title[^>]*>([\s\S]*?)<\/title>/g)[0] ?? '',
    h1: inner(text, /<h1[^>]*>([\s\S]*?)<\/h1>/g)[0] ?? '',
    errors: inner(text, /<p class="error"[^>]*>([\s\S]*?)<\/p>/g),
    notices: inner(text, /<div class="notice [^>]*>([\s\S]*?)<\/div>/g),
  };
}

function inner(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map(([, found = '']) => plain(found));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

function plain(html: string): string {
  const text = html.replace(/<[^>]*>/g, ' ').replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? '');
  return text.replace(/\s+/g, ' ').trim();
}
