import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openWorld, ringOf, type Engine, type World } from '../world.ts';

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

const CONNECTIONS = 300;

/** How many servers there are, and with which keys. */
interface Opening {
  readonly count?: number;
  readonly ring?: Ring;
  readonly serversRing?: Ring;
}

/** Server processes on one PostgreSQL database, and a world that prepares it and looks at what has come of it. */
export class Servers {
  readonly world: World;
  /** By how much the clock of each server runs behind the world's. */
  readonly behindMs: number[] = [];
  readonly #servers: readonly ServerProcess[];
  readonly #lines: readonly Line[];

  constructor(world: World, servers: readonly ServerProcess[]) {
    this.world = world;
    this.#servers = servers;
    this.#lines = Array.from({ length: CONNECTIONS }, (_, n) => new Line(servers[n % servers.length]!.port, n));
  }

  /** Two servers with the ring of the world, unless there are to be more or they are to have another one. */
  static async open({ count = 2, ring = [KEY], serversRing = ring }: Opening = {}): Promise<Servers> {
    const world = await openWorld('postgres', { ring: ringOf(...ring) });
    return new Servers(world, await Promise.all(Array.from({ length: count }, () => start(world, serversRing))));
  }

  /** Asks for one thing at the server of a turn. */
  async ask(asked: Asked, turn = 0): Promise<Answer> {
    const [answer] = await this.#send([asked], turn);
    return answer!;
  }

  /**
   * Sends everything at once, by turns to one server and the next, each on a connection that was opened and used
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
    for (const server of this.#servers) await server.stop();
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
    const { now } = this.world.clock;
    await Promise.all(this.#servers.map((server, n) => server.tell({ now: now - (this.behindMs[n] ?? 0) })));
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

async function start(world: World, ring: Ring): Promise<ServerProcess> {
  const { publicUrl } = world;
  const server = new ServerProcess({ engine: 'postgres', place: racing(world.place), publicUrl, ring, patient: true });
  await server.open({ now: world.clock.now });
  return server;
}

/** What a server process serves. */
export interface Serving {
  readonly engine: Engine;
  readonly place: string;
  readonly publicUrl: string;
  readonly ring: Ring;
  /** Whether it waits for its database as long as it takes: where the machine's speed is not what is told of. */
  readonly patient?: boolean;
  /** Whether its clock goes on by itself from where it was set. */
  readonly ticks?: boolean;
}

/** What its parent tells a server process. */
export interface Told {
  readonly now: number;
  /** Kill yourself at so many moments from now: statements, commits and the answer. */
  readonly dieAt?: number;
}

/** A server process: loaded at once, on its database when it is opened. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  #port = 0;

  /** A limit is what the shell is to say first, `ulimit -f 100` for example. */
  constructor(serving: Serving, limit?: string) {
    const command = [process.execPath, join(import.meta.dirname, 'server.ts'), JSON.stringify(serving)];
    const [program = '', ...args] =
      limit === undefined ? command : ['sh', '-c', `${limit}; exec "$0" "$@"`, ...command];
    this.child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.ended = once(this.child, 'exit');
  }

  get port(): number {
    return this.#port;
  }

  async open(told: Told): Promise<void> {
    this.#port = (await this.#answer(told)) as number;
  }

  async tell(told: Told): Promise<void> {
    await this.#answer(told);
  }

  async stop(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await this.ended;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async #answer(told: Told): Promise<unknown> {
    const answered = once(this.child, 'message');
    this.child.send(told);
    const [answer] = (await Promise.race([answered, this.ended.then(() => ['it has ended'])])) as unknown[];
    assert.notEqual(answer, 'it has ended', 'a server process ended before it answered');
    return answer;
  }
}

/** A browser's one connection to one server, kept open. */
class Line {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #address: string;

  constructor(port: number, number: number) {
    this.#port = port;
    this.#address = `198.51.${100 + (number >> 8)}.${number & 255}`;
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
