import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openWorld, ringOf, type World } from '../world.ts';

/** What one browser asks for: a form with fields, a page without. */
export interface Asked {
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly cookie?: string;
  /** Where it comes from; otherwise every one of them has an address of its own. */
  readonly address?: string;
}

export interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly text: string;
}

const CONNECTIONS = 48;

/** Two server processes on one PostgreSQL database, and a world that prepares it and looks at what has come of it. */
export class TwoServers {
  readonly world: World;
  /** By how much the clock of each server runs behind the world's. */
  readonly behindMs = [0, 0];
  readonly #servers: readonly Running[];
  readonly #lines: readonly Line[];

  constructor(world: World, servers: readonly Running[]) {
    this.world = world;
    this.#servers = servers;
    this.#lines = Array.from({ length: CONNECTIONS }, (_, n) => new Line(servers[n % servers.length]!.port, n));
  }

  /** The servers have the ring of the world, unless they are to have another one. */
  static async open(ring: Ring = [KEY], serversRing = ring): Promise<TwoServers> {
    const world = await openWorld('postgres', { ring: ringOf(...ring) });
    return new TwoServers(world, await Promise.all([start(world, serversRing), start(world, serversRing)]));
  }

  /** Asks for one thing at the server of a turn. */
  async ask(asked: Asked, turn = 0): Promise<Answer> {
    const [answer] = await this.#send([asked], turn);
    return answer!;
  }

  /**
   * Sends everything at once, by turns to one server and the other, each on a connection that was opened and used
   * before. A race may end in any answer but a fault; a server whose clock is behind may say so.
   */
  async atOnce(asked: readonly Asked[]): Promise<Answer[]> {
    assert.ok(asked.length >= 8 && asked.length <= CONNECTIONS, `${asked.length} do not race`);
    const answers = await this.#send(asked, 0);
    answers.forEach(({ status, text: page }, n) => {
      const isBehind = (this.behindMs[n % this.#servers.length] ?? 0) > 0;
      assert.ok(status < 500 || (status === 503 && isBehind), `a race ended in ${status}: ${page}`);
    });
    return answers;
  }

  async stop(): Promise<void> {
    for (const line of this.#lines) line.close();
    for (const { child } of this.#servers.filter((server) => server.child.connected)) {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    }
  }

  async close(): Promise<void> {
    await this.stop();
    await this.world.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(asked: readonly Asked[], first: number): Promise<Answer[]> {
    const lines = asked.map((_, n) => this.#lines[first + n]!);
    await Promise.all(
      this.#servers.map(({ child }, n) => setClock(child, this.world.clock.now - (this.behindMs[n] ?? 0))),
    );
    await Promise.all(lines.map((line) => line.send({ path: '/healthz' })));
    return Promise.all(lines.map((line, n) => line.send(asked[n]!)));
  }
}

const KEY = 'race';

type Ring = readonly [string, ...string[]];

/** The address of a database for connections that are told apart from the test's own. */
export function racing(place: string): string {
  return `${place}?application_name=racing`;
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(world: World, ring: Ring): Promise<Running> {
  const args = [racing(world.place), world.publicUrl, ...ring];
  const child = fork(join(import.meta.dirname, 'server.ts'), args, { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

async function setClock(child: ChildProcess, now: number): Promise<void> {
  const set = once(child, 'message');
  child.send(now);
  await set;
}

/** A browser's one connection to one server, kept open. */
class Line {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #address: string;

  constructor(port: number, number: number) {
    this.#port = port;
    this.#address = `198.51.100.${number}`;
  }

  // Everything up to the first await happens in the caller's turn, so that what is sent together leaves together.
  async send({ path, fields, cookie, address = this.#address }: Asked): Promise<Answer> {
    const body = fields && new URLSearchParams(fields).toString();
    const headers = {
      'sec-fetch-site': 'same-origin',
      'x-forwarded-for': address,
      ...(cookie === undefined ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    };
    const method = body === undefined ? 'GET' : 'POST';
    const options = { agent: this.#agent, host: '127.0.0.1', port: this.#port, path, method, headers };
    const message = request(options).end(body);
    const [response] = (await once(message, 'response')) as [IncomingMessage];
    return read(response);
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  const { statusCode = 0, headers } = response;
  const cookies = (headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0] ?? '');
  return { status: statusCode, location: headers.location, cookies, text: await text(response) };
}
