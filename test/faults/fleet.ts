import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrolContacts, type Enrolled } from '../../bench/people.ts';
import { serve, type Serving } from '../../bench/server.ts';
import { closeInstallation, type Installation } from '../../src/accounts/installation.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { Balancer } from './balancer.ts';
import { within } from './deadline.ts';

const START_MS = 30_000;
const STOP_MS = 30_000;

type Settings = Readonly<Record<string, string>>;

/** Real `serve` processes on one PostgreSQL database, behind one address, as somebody with more than one machine has them. */
export class Fleet {
  readonly balancer: Balancer;
  readonly #settings: Settings;
  readonly #folder: string;
  readonly #serversSee: Settings;
  readonly #servers: Serving[] = [];

  private constructor(balancer: Balancer, settings: Settings, serversSee: Settings, folder: string) {
    this.balancer = balancer;
    this.#settings = settings;
    this.#serversSee = serversSee;
    this.#folder = folder;
  }

  /** On an empty database. The servers may see it at another address than the test does. */
  static async open(url: string, serversUrl = url): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-fleet-'));
    const settings = {
      SALLYPORT_DATA: folder,
      SALLYPORT_DATABASE_URL: url,
      SALLYPORT_KEYS: `fleet:${randomBytes(32).toString('base64url')}`,
      SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
      SALLYPORT_LOG_LEVEL: 'fatal',
    };
    return new Fleet(await Balancer.open(), settings, { ...settings, SALLYPORT_DATABASE_URL: serversUrl }, folder);
  }

  get port(): number {
    return this.balancer.port;
  }

  /** Where each server answers. */
  get ports(): readonly number[] {
    return this.#servers.map(({ port }) => port);
  }

  /** Makes so many customers; before any server runs, since they have enrolled ten minutes ago. */
  enrol(count: number): Promise<Enrolled[]> {
    return enrolContacts(this.#settings, count);
  }

  async start(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#add();
  }

  /** Tells each server in its turn to stop, waits for its end and puts a new one into its place. */
  async roll(): Promise<void> {
    for (const server of this.#servers.slice()) await this.#replace(server, () => server.stop());
  }

  /** Kills one of them and puts a new one into its place. */
  async kill(): Promise<void> {
    const [server] = this.#servers;
    if (server) await this.#replace(server, () => server.kill());
  }

  /** Looks at the database from beside the servers. */
  async look<T>(work: (installation: Installation) => Promise<T>): Promise<T> {
    const installation = await openAll(readConfig({ ...this.#settings }), () => Date.now(), QUIET, { patient: true });
    try {
      return await work(installation);
    } finally {
      await closeInstallation(installation);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await this.balancer.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #replace(server: Serving, end: () => Promise<void>): Promise<void> {
    await within(STOP_MS, 'The end of a server', end());
    // Only now, so that a balancer which has not heard of it yet is what everybody meets meanwhile.
    this.#servers.splice(this.#servers.indexOf(server), 1);
    this.balancer.ports.splice(this.balancer.ports.indexOf(server.port), 1);
    await this.#add();
  }

  async #add(): Promise<void> {
    const server = await within(START_MS, 'The start of a server', serve(this.#serversSee));
    this.#servers.push(server);
    this.balancer.ports.push(server.port);
  }
}
