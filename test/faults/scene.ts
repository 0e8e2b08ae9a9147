import { closeInstallation, openInstallation, type Installation } from '../../src/accounts/installation.ts';
import { timeStep, totpCode } from '../../src/crypto/totp.ts';
import { acme, addContact, enrol, setPolicy, type Acme, type Enrolled, type Person } from '../acme.ts';
import { testDatabase, type Engine, type TestDatabase } from '../database.ts';
import { ServerProcess, type Serving, type Told } from '../races/servers.ts';
import { Clock, MINUTE_MS, ringOf } from '../world.ts';
import { check, sentences } from './checker.ts';
import { within } from './deadline.ts';
import { Ledger } from './ledger.ts';

export const PORTAL = '/portal/acme';
const KEY = 'faults';
const CHEAP = { memoryKiB: 64, passes: 1 };
const START_MS = 20_000;

export type Member = Person & Enrolled;

/**
 * Acme Billing with MFA required on a database that processes die on. The test holds the database open only while it
 * prepares or looks, so that the first server after a death finds what the dead one has left, and nobody helps it.
 */
export class Scene {
  readonly database: TestDatabase;
  readonly clock = new Clock();
  readonly ledger = new Ledger();
  readonly acme: Acme;
  readonly #servers: ServerProcess[] = [];
  #people = 0;

  private constructor(database: TestDatabase, people: Acme) {
    this.database = database;
    this.acme = people;
  }

  /** On a fresh database, or on one at a place of the test's own. */
  static async open(engine: Engine, database?: TestDatabase): Promise<Scene> {
    const own = database ?? (await testDatabase(engine));
    const people = await onDatabase(own, new Clock(), async (installation) => {
      const made = await acme(installation);
      await setPolicy(installation, made.organization, 'required');
      return made;
    });
    return new Scene(own, people);
  }

  /** Does something in the test's own process, and lets go of the database again. */
  work<T>(work: (installation: Installation) => Promise<T>): Promise<T> {
    return onDatabase(this.database, this.clock, work);
  }

  /** One more contact of Globex, without MFA. */
  newcomer(): Promise<Person> {
    return this.work((installation) => this.#newcomer(installation));
  }

  /** So many more contacts of Globex with MFA. What an app shows now has not been used. */
  async members(count: number): Promise<Member[]> {
    const members = await this.work(async (installation) => {
      const made: Member[] = [];
      for (let n = 0; n < count; n++) {
        const person = await this.#newcomer(installation);
        made.push({ ...person, ...(await enrol(installation, person)) });
      }
      return made;
    });
    this.clock.advance(2 * MINUTE_MS);
    return members;
  }

  /** A server process that is loaded and has not opened the database yet. */
  load(more: Partial<Serving> = {}, limit?: string): ServerProcess {
    const { engine, place } = this.database;
    const serving = { engine, place, publicUrl: 'https://sallyport.test', ring: [KEY], ...more } as const;
    const server = new ServerProcess(serving, limit);
    this.#servers.push(server);
    return server;
  }

  /** One that answers. */
  async server(more: Partial<Serving> = {}, limit?: string): Promise<ServerProcess> {
    const server = this.load(more, limit);
    await this.open(server);
    return server;
  }

  async open(server: ServerProcess, told: Partial<Told> = {}): Promise<void> {
    await within(START_MS, 'The start of a server', server.open({ now: this.clock.now, ...told }));
  }

  /** What their app shows now. */
  codeFor({ secret }: Pick<Member, 'secret'>): string {
    return totpCode(secret, timeStep(this.clock.now));
  }

  /** What is not as it should be, in sentences. */
  async findings(): Promise<string[]> {
    return sentences(await this.work((installation) => check(installation, this.ledger)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await this.database.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #newcomer(installation: Installation): Promise<Person> {
    return addContact(installation, this.acme.globex, `Contact${this.#people++} Silva`);
  }
}

const quiet = (): void => undefined;

async function onDatabase<T>(
  database: TestDatabase,
  clock: Clock,
  work: (installation: Installation) => Promise<T>,
): Promise<T> {
  const installation = await openInstallation(database.open(), ringOf(KEY), {
    now: () => clock.now,
    log: { info: quiet, warn: quiet, error: console.error },
    hashing: { atOnce: 3, queue: 1_000, waitMs: 20_000 },
    passwordCost: CHEAP,
    backupCodeCost: CHEAP,
  });
  try {
    return await work(installation);
  } finally {
    await closeInstallation(installation);
  }
}
