import { availableParallelism } from 'node:os';
import { hashPassword, PASSWORD_COST, verifyPassword } from '../../src/crypto/passwords.ts';
import { ask } from '../faults/ask.ts';
import { check } from '../faults/checker.ts';
import { until, within } from '../faults/deadline.ts';
import { Fleet } from '../faults/fleet.ts';
import { Ledger } from '../faults/ledger.ts';
import { Proxy, type Cut } from '../faults/proxy.ts';
import { Traffic } from '../faults/traffic.ts';
import type { TestPostgres } from '../postgres.ts';
import type { Summary } from './summary.ts';

const SERVERS = 3;
const AT_ONCE = 6;
/** For the pace that is measured first. */
const MEASURED_ON = 300;
const MEASURED_MS = 1_000;
/** Each code of an app is good for one sign-in, so that a pace needs so many seconds' people. */
const PEOPLE_FOR_SECONDS = 35;
const CUT_MS = 1_000;
const BACK_MS = 30_000;

interface Fault {
  readonly name: string;
  /** With which statuses a request may fail meanwhile. */
  readonly allowed: ReadonlySet<number>;
  readonly inject: () => Promise<void>;
}

interface Ground {
  readonly fleet: Fleet;
  readonly traffic: Traffic;
  readonly ledger: Ledger;
  readonly perSecond: number;
  readonly summary: Summary;
}

/**
 * Three real servers behind a balancer, under half of the sign-ins that the machine can do, while they are restarted,
 * killed and cut off, and their database stopped hard, one after the other, again and again until the time is over.
 */
export async function loadAndFaults(
  postgres: TestPostgres,
  ms: number,
  summary: Summary,
  say: (what: string) => void,
): Promise<void> {
  const ends = performance.now() + ms;
  const url = new URL(postgres.url);
  await using proxy = await Proxy.open(() => Number(url.port));
  const serversUrl = new URL(url);
  serversUrl.port = String(proxy.port);
  await using fleet = await Fleet.open(url.href, serversUrl.href);
  const ground = await prepare(fleet, summary, say);
  const faults = faultsOf(ground, postgres, proxy);
  for (let round = 1; performance.now() < ends; round++)
    for (const fault of faults) {
      if (performance.now() >= ends) break;
      say(`round ${round}, ${fault.name}: ${ground.traffic.letIn} sign-ins so far`);
      await underLoad(ground, fault);
    }
  summary.add('sign-ins', ground.traffic.letIn);
}

/**
 * Has people enough for any pace that can come of it (a sign-in costs its hash, and as much again), and measures how
 * many sign-ins the machine can do, with the database and the customers on it too.
 */
async function prepare(fleet: Fleet, summary: Summary, say: (what: string) => void): Promise<Ground> {
  const hashes = await hashesPerSecond();
  const count = Math.max(MEASURED_ON, Math.ceil((hashes / 4) * PEOPLE_FOR_SECONDS));
  say(`enrolling ${count} people`);
  const people = await fleet.enrol(count);
  await fleet.start(SERVERS);
  say('measuring how many sign-ins a second the machine can do');
  const ledger = new Ledger();
  // Those who are measured have used the code of this step then; the circle comes to them last.
  const measured = new Traffic(() => fleet.port, people.slice(-MEASURED_ON), ledger);
  const traffic = new Traffic(() => fleet.port, people, ledger);
  const began = performance.now();
  await measured.everybody(AT_ONCE);
  const rate = (MEASURED_ON * 1_000) / (performance.now() - began);
  summary.figure('password hashes a second', hashes.toFixed(1));
  summary.figure('sign-ins a second, at most', rate.toFixed(1));
  summary.figure('load held, sign-ins a second', (rate / 2).toFixed(1));
  summary.failed(measured.failures, new Set(), 'measuring');
  return { fleet, ledger, summary, perSecond: rate / 2, traffic };
}

async function hashesPerSecond(): Promise<number> {
  const known = await hashPassword('quiet lanterns over the harbour', PASSWORD_COST);
  const began = performance.now();
  let done = 0;
  const oneByOne = async (): Promise<void> => {
    for (; performance.now() - began < MEASURED_MS; done++) await verifyPassword(known, 'a lantern');
  };
  await Promise.all(Array.from({ length: availableParallelism() }, oneByOne));
  return (done * 1_000) / (performance.now() - began);
}

function faultsOf({ fleet, summary }: Ground, postgres: TestPostgres, proxy: Proxy): readonly Fault[] {
  const cut = async (how: Cut): Promise<void> => {
    proxy.cut(how);
    await until(CUT_MS * 5, 'Being told of the cut', async () => !(await allReady(fleet)));
    proxy.mend();
    await back(fleet);
    summary.add(`network cuts (${how})`, 1);
  };
  const unavailable = new Set([503]);
  return [
    { name: 'rolling restart', allowed: new Set(), inject: () => roll() },
    { name: 'PostgreSQL stopped hard', allowed: unavailable, inject: () => stopHard() },
    { name: 'network torn', allowed: unavailable, inject: () => cut('torn') },
    { name: 'network silent', allowed: unavailable, inject: () => cut('silent') },
    { name: 'a server killed', allowed: new Set([0]), inject: () => kill() },
  ];

  async function roll(): Promise<void> {
    await fleet.roll();
    summary.add('rolling restarts of three servers', 1);
  }
  async function stopHard(): Promise<void> {
    await postgres.crash();
    await until(CUT_MS * 5, 'Being told of the stop', async () => !(await allReady(fleet)));
    await within(BACK_MS, 'The restart of PostgreSQL', postgres.restart());
    await back(fleet);
    summary.add('hard stops of PostgreSQL', 1);
  }
  async function kill(): Promise<void> {
    await fleet.kill();
    summary.add('servers killed', 1);
  }
}

async function underLoad({ fleet, traffic, ledger, perSecond, summary }: Ground, fault: Fault): Promise<void> {
  const failedBefore = traffic.failures.length;
  const stop = new AbortController();
  const flowing = traffic.steadily(perSecond, stop.signal);
  const aSecondOfIt = async (): Promise<void> => {
    const letIn = traffic.letIn;
    await until(BACK_MS, 'Traffic', async () => traffic.letIn >= letIn + perSecond);
  };
  try {
    await aSecondOfIt();
    await fault.inject();
    await aSecondOfIt();
  } finally {
    stop.abort();
    await within(BACK_MS, 'The end of the traffic', flowing);
  }
  summary.failed(traffic.failures.slice(failedBefore), fault.allowed, fault.name);
  // Nobody writes now, but a request that was swallowed may still be under way.
  await back(fleet);
  summary.checked(await fleet.look((installation) => check(installation, ledger)), 0);
}

async function allReady(fleet: Fleet): Promise<boolean> {
  const told = await Promise.all(fleet.ports.map((port) => ask(port, { path: '/readyz' })));
  return told.every(({ status }) => status === 200);
}

async function back(fleet: Fleet): Promise<void> {
  await until(BACK_MS, 'All servers being ready', () => allReady(fleet));
}
