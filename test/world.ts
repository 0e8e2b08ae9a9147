import { execFileSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { findAccount, type Account } from '../src/accounts/accounts.ts';
import { listAudit, type AuditRow } from '../src/accounts/audit.ts';
import { openInstallation, type Installation } from '../src/accounts/installation.ts';
import type { HashingLimits } from '../src/crypto/hashing-guard.ts';
import { encodeBase32 } from '../src/crypto/base32.ts';
import type { KeyRing } from '../src/crypto/seal.ts';
import { STEP_MS, timeStep, totpCode } from '../src/crypto/totp.ts';
import { Sql, type Database, type Row } from '../src/db/db.ts';
import type { House } from '../src/web/visit.ts';
import { acme, enrol, setPolicy, type Acme, type Enrolled, type Person } from './acme.ts';
import { testDatabase, type Engine } from './database.ts';
import { Visitor, type VisitorOptions } from './visitor.ts';

export { eachEngine, type Engine } from './database.ts';

/** The moment at which every test begins: 24 November 2026, ten seconds into a time step. */
export const START = Date.UTC(2026, 10, 24, 9, 0, 10);

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The server's clock, moved by hand. */
export class Clock {
  now = START;

  advance(ms: number): void {
    this.now += ms;
  }
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export interface WorldOptions {
  readonly ring?: KeyRing;
  readonly hashing?: HashingLimits;
  /** Where browsers reach it; `listen` puts in its own. */
  readonly publicUrl?: string;
  readonly trustedProxies?: readonly string[];
  /** Whether letters are written into the outbox; `queued` reads them there. */
  readonly mailIsOn?: boolean;
  /** The mail server that the page of settings shows and tries. */
  readonly mail?: House['mail'];
  /** What only the demo hands in. */
  readonly pageExtra?: NonNullable<House['pageExtra']>;
}

const CHEAP = { memoryKiB: 64, passes: 1 };
const AMPLE: HashingLimits = { atOnce: 3, queue: 1_000, waitMs: 20_000 };

/** A key ring with one key of this name, always the same bytes for the same name. */
export function ringOf(...ids: readonly [string, ...string[]]): KeyRing {
  return { current: ids[0], keys: new Map(ids.map((id) => [id, Buffer.alloc(32, id)])) };
}

/** An installation on a fresh database, with a clock that is moved by hand. Close it: `await using world = …`. */
export async function openWorld(engine: Engine, options: WorldOptions = {}): Promise<World> {
  return worldOn(await testDatabase(engine), new Clock(), [], options);
}

async function worldOn(
  database: Awaited<ReturnType<typeof testDatabase>>,
  clock: Clock,
  lines: LogLine[],
  options: WorldOptions,
): Promise<World> {
  const installation = await openInstallation(database.open(), options.ring ?? ringOf('test'), {
    now: () => clock.now,
    log: logInto(lines),
    hashing: options.hashing ?? AMPLE,
    mailIsOn: options.mailIsOn ?? false,
    passwordCost: CHEAP,
    backupCodeCost: CHEAP,
  });
  return new World(installation, clock, { lines }, options, database);
}

export class World {
  readonly installation: Installation;
  readonly clock: Clock;
  readonly log: { readonly lines: LogLine[] };
  readonly #options: WorldOptions;
  readonly #database: Awaited<ReturnType<typeof testDatabase>>;
  readonly #closing: (() => Promise<void>)[] = [];
  #app: Promise<Hono> | undefined;

  constructor(
    installation: Installation,
    clock: Clock,
    log: World['log'],
    options: WorldOptions,
    database: Awaited<ReturnType<typeof testDatabase>>,
  ) {
    this.installation = installation;
    this.clock = clock;
    this.log = log;
    this.#options = options;
    this.#database = database;
  }

  get db(): Database {
    return this.installation.db;
  }

  /** The file or address of the database, for another process. */
  get place(): string {
    return this.#database.place;
  }

  get publicUrl(): string {
    return this.#options.publicUrl ?? 'https://sallyport.test';
  }

  house(publicUrl = this.publicUrl): House {
    const { trustedProxies = [], pageExtra, mail } = this.#options;
    return { installation: this.installation, publicUrl, trustedProxies, mail, ...(pageExtra ? { pageExtra } : {}) };
  }

  /** The house with its doors, as `app.request` reaches it. */
  app(): Promise<Hono> {
    this.#app ??= appOf(this.house());
    return this.#app;
  }

  /** A person's browser, without script. */
  async visitor(options: VisitorOptions = {}): Promise<Visitor> {
    return new Visitor(await this.app(), this.publicUrl, options);
  }

  /** A real server on a free port; answers its public URL, `http://localhost:port`. */
  async listen(): Promise<string> {
    const doors: { app?: Hono } = {};
    const server = createAdaptorServer({ fetch: (request, env) => doors.app?.fetch(request, env) ?? new Response() });
    await new Promise<void>((done) => server.listen(0, 'localhost', done));
    const publicUrl = `http://localhost:${(server.address() as AddressInfo).port}`;
    doors.app = await appOf(this.house(publicUrl));
    this.#closing.push(async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });
    return publicUrl;
  }

  /** Acme Billing and its people; every one of them has a password, nobody has MFA. */
  acme(): Promise<Acme> {
    return acme(this.installation);
  }

  /** Acme with MFA on; Maria has set hers up half a minute ago, so that the code her app shows now is a new one. */
  async acmeWithMfa(): Promise<Acme & Enrolled> {
    const people = await this.acme();
    await setPolicy(this.installation, people.organization, 'required');
    const enrolled = await enrol(this.installation, people.maria);
    this.clock.advance(STEP_MS);
    return { ...people, ...enrolled };
  }

  /** The row of an account as it is now. */
  async account(person: Pick<Person, 'organizationId' | 'id'>): Promise<Account> {
    const found = await findAccount(this.db, person.organizationId, person.id);
    if (!found) throw new Error(`there is no account ${person.id}`);
    return found;
  }

  /** What an authenticator app with this secret shows now, or so many steps from now. */
  codeFor(secret: Uint8Array, steps = 0): string {
    return totpCode(secret, timeStep(this.clock.now) + steps);
  }

  /** Six digits that are the code of no step the server would look at. */
  wrongCode(secret: Uint8Array): string {
    const right = [-1, 0, 1].map((steps) => this.codeFor(secret, steps));
    return ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code)) ?? '';
  }

  /** The audit rows about an account, the oldest first. */
  async audit(person: Pick<Person, 'organizationId' | 'id'>): Promise<AuditRow[]> {
    const filter = { targetId: person.id, limit: 10_000 };
    return (await listAudit(this.db, person.organizationId, filter)).toReversed();
  }

  /** Changes rows by hand, as nothing in the product would. */
  change(statement: Sql): Promise<number> {
    return this.db.transaction((tx) => tx.run(statement));
  }

  /** The rows of a table, columns as they are stored. */
  rows(table: string): Promise<Row[]> {
    return this.db.all(new Sql([`SELECT * FROM ${table}`], []));
  }

  /** The world after the server was stopped and started again: nothing of it is left but the database and the clock. */
  async restarted(): Promise<World> {
    for (const close of this.#closing.splice(0)) await close();
    await this.db.close();
    return worldOn(this.#database, this.clock, this.log.lines, this.#options);
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close();
    await this.#database.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The code that Debian's oathtool makes: an independent reading of RFC 6238. */
export function oathtool(secret: Uint8Array | string, atMs: number): string {
  const key = typeof secret === 'string' ? secret : encodeBase32(secret);
  const program = process.env['TEST_OATHTOOL'] ?? 'oathtool';
  const args = ['--totp', '--base32', '--now', `@${Math.floor(atMs / 1000)}`, key];
  return execFileSync(program, args, { encoding: 'utf8' }).trim();
}

// Loaded when it is needed, so that the sentences about the domain stand without the pages.
async function appOf(house: House): Promise<Hono> {
  const { createApp } = await import('../src/app.ts');
  return createApp(house);
}

function logInto(lines: LogLine[]): Installation['log'] {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void lines.push({ level, message, fields });
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
