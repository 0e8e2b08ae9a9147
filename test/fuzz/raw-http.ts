import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import fc from 'fast-check';
import { addStaff, acme, setPolicy } from '../acme.ts';
import type { Engine } from '../database.ts';
import { dump, inside, stage } from '../surface/front-door.ts';
import { openWorld, ringOf, type World } from '../world.ts';
import { MARKUP, requests, type Sent, type Stolen } from './requests.ts';
import { answersIn, send, type Answer } from './wire.ts';

export interface Bound {
  readonly requests: number;
  /** What a failure printed, to send the same again. */
  readonly seed?: number | undefined;
  readonly progress?: (done: number) => void;
}

export interface Heard {
  readonly seed: number;
  /** How many answers had each status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** What the server's heap grew by from its second quarter to the end, both after a collection. */
  readonly grownBytes: number;
}

const AT_ONCE = 16;
const KEY = 'fuzz';
/** What nobody changes who has proven nothing. Counters and audit rows tell of refused tries, as they should. */
const TABLES_THAT_MATTER = [
  'organizations',
  'customers',
  'accounts',
  'staff_emails',
  'challenges',
  'authenticators',
  'backup_code_sets',
  'backup_codes',
  'sessions',
  'welcome_links',
  'setup_links',
  'known_addresses',
  'documents',
  'installation_keys',
  'key_uses',
];

/**
 * Sends so many random requests over raw sockets to a real server, and holds of every answer what people rely on; then
 * that no row has changed, no fault was left and the heap has not grown. Throws with the seed and the request's number.
 */
export async function runRawHttp(engine: Engine, bound: Bound): Promise<Heard> {
  await using world = await openWorld(engine, { ring: ringOf(KEY) });
  const stolen = await cast(world);
  const before = await whatMatters(world);
  const seed = bound.seed ?? randomInt(2 ** 31);
  const all = fc.sample(requests(stolen), { numRuns: bound.requests, seed });
  const server = await start(world);
  try {
    const statuses: Record<number, number> = {};
    const hear = (from: number, to: number): Promise<void> =>
      sendAll(server.port, seed, all, from, to, statuses, bound);
    const warm = Math.ceil(all.length / 4);
    await hear(0, warm);
    const { heapUsed } = await ask(server.child);
    await hear(warm, all.length);
    const after = await ask(server.child);
    assert.deepEqual(after.faults, [], `seed ${seed}: faults that no answer may leave`);
    assert.deepEqual(await whatMatters(world), before, `seed ${seed}: rows have changed`);
    return { seed, statuses, grownBytes: after.heapUsed - heapUsed };
  } finally {
    await stop(server.child);
  }
}

async function sendAll(
  port: number,
  seed: number,
  all: readonly Sent[],
  from: number,
  to: number,
  statuses: Record<number, number>,
  bound: Bound,
): Promise<void> {
  let next = from;
  const line = async (): Promise<void> => {
    while (next < to) {
      const number = next++;
      const sent = all[number]!;
      try {
        const answers = answersIn(await send(port, sent.bytes, sent.hangsUp), sent.methods, sent.hangsUp);
        for (const answer of answers) {
          judge(answer);
          statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        }
      } catch (fault) {
        const shown = sent.bytes.subarray(0, 2_000).toString('latin1');
        throw new Error(`seed ${seed}, request ${number}: ${(fault as Error).message}\n${JSON.stringify(shown)}`, {
          cause: fault,
        });
      }
      bound.progress?.(number + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
}

/** What every answer must be, whatever was asked. */
function judge({ status, headers, body }: Answer): void {
  const values = (name: string): string[] => headers.filter(([one]) => one === name).map(([, value]) => value);
  assert.ok(status < 500, `a fault: ${status} ${body.slice(0, 300)}`);
  for (const cookie of values('set-cookie'))
    assert.doesNotMatch(
      cookie,
      /^[^=]*sallyport(-admin)?(-challenge)?=[^;]/,
      'somebody who has proven nothing was let in',
    );
  assert.ok(
    !body.includes(MARKUP) && !headers.some(([, value]) => value.includes(MARKUP)),
    'markup came back as it was sent',
  );
  for (const to of values('location')) assert.match(to, /^\/(?![/\\])[\u0021-\u007e]*$/, 'it leads out of the house');
  if (body === '') return;
  const asset = /immutable/.test(values('cache-control')[0] ?? '');
  assert.deepEqual(values('x-content-type-options'), ['nosniff']);
  assert.match(values('content-security-policy').join(), /^default-src 'none';/);
  assert.match(values('strict-transport-security').join(), /^max-age=\d{8}/);
  assert.deepEqual(values('cache-control'), asset ? ['public, max-age=31536000, immutable'] : ['no-store']);
}

/** People in every state, at browsers whose cookies are in Eve's hands, and what she knows of names. */
async function cast(world: World): Promise<Stolen> {
  const { people, guest } = await stage(world);
  const others = await acme(world.installation, 'rival');
  await setPolicy(world.installation, others.organization, 'required');
  const maria = await inside(guest(people.maria));
  const ada = await inside(guest(people.ada));
  const half = await ada.elsewhere();
  await half.password();
  const noor = await guest(people.noor);
  await noor.password();
  await noor.configures();
  const nils = await guest(await addStaff(world.installation, people.organization, 'Nils Novak', 'admin'));
  await nils.enables();
  const browsers = [maria, ada, half, noor, nils];
  return {
    real: browsers.flatMap(({ browser }) => [...browser.cookies].filter(([name]) => !name.endsWith('notice'))),
    elsewhere: others.organization.id,
    names: { slug: 'acme', customer: people.globex.id, contact: people.maria.id, token: 'x'.repeat(43) },
    emails: [people.maria.email, people.ada.email, 'nobody@globex.test'],
  };
}

async function whatMatters(world: World): Promise<object> {
  const all = await dump(world);
  return Object.fromEntries(TABLES_THAT_MATTER.map((table) => [table, all[table]]));
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(world: World): Promise<Running> {
  const args = [world.db.engine, world.place, KEY, String(world.clock.now)];
  const child = fork(join(import.meta.dirname, 'server.ts'), args, { execArgv: ['--expose-gc'] });
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

async function ask(child: ChildProcess): Promise<{ heapUsed: number; faults: string[] }> {
  const answered = once(child, 'message');
  child.send('memory');
  return ((await answered) as [{ heapUsed: number; faults: string[] }])[0];
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || !child.connected) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}
