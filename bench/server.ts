import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';

const MAIN = join(import.meta.dirname, '../src/main.ts');

/** A process that runs `serve` as everybody runs it. */
export interface Serving {
  readonly port: number;
  /** From before the process was made to the whole answer to its first request. */
  readonly startedInMs: number;
  /** What the process holds in memory now. */
  residentMiB(): number;
  /** How long the process has computed since it was made. */
  cpuMs(): number;
  stop(): Promise<void>;
  /** Ends it as the machine might, without a word. */
  kill(): Promise<void>;
}

/** Starts a server with these settings on a free port: the product's, or another program that takes the same. */
export async function serve(
  settings: Readonly<Record<string, string>>,
  program: readonly string[] = [MAIN, 'serve'],
): Promise<Serving> {
  const port = await freePort();
  const env = { ...process.env, ...settings, SALLYPORT_PORT: String(port) };
  const began = performance.now();
  const child = spawn(process.execPath, [...program], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = once(child, 'exit');
  const browser = new Browser(port);
  while (!(await isAlive(browser))) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await setTimeout(2);
  }
  const startedInMs = performance.now() - began;
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    browser.close();
    child.kill(signal);
    await gone;
  };
  return {
    port,
    startedInMs,
    residentMiB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    // utime and stime, the 14th and 15th field, in hundredths of a second.
    cpuMs: () => {
      const [, , , , , , , , , , , , , user, system] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ');
      return (Number(user) + Number(system)) * 10;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function isAlive(browser: Browser): Promise<boolean> {
  try {
    return (await browser.get('/healthz')).status === 200;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}

export interface Answered {
  readonly status: number;
  readonly location: string | undefined;
  readonly ms: number;
}

/** A browser with one connection and its cookies; costs the machine as little as it can. */
export class Browser {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #cookies = new Map<string, string>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  get(path: string): Promise<Answered> {
    return this.#send(path);
  }

  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    return this.#send(path, new URLSearchParams(fields).toString(), more);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(path: string, body?: string, more: Readonly<Record<string, string>> = {}): Promise<Answered> {
    const headers = {
      'sec-fetch-site': 'same-origin',
      cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...more,
    };
    const method = body === undefined ? 'GET' : 'POST';
    const began = performance.now();
    const message = request({ agent: this.#agent, host: '127.0.0.1', port: this.#port, path, method, headers }).end(
      body,
    );
    const [response] = (await once(message, 'response')) as [IncomingMessage];
    await buffer(response);
    for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
    return { status: response.statusCode ?? 0, location: response.headers.location, ms: performance.now() - began };
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';', 1);
    const at = pair.indexOf('=');
    this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}
