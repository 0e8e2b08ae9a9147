// Whether the overview costs more with more contacts: the page with two years of figures behind it, and the count that is
// taken of everybody every ten minutes beside it, for merchants of these sizes in one database.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { showProgress } from '../src/cli/progress.ts';
import { countStandings } from '../src/auth/standing.ts';
import { sql } from '../src/db/db.ts';
import { acme, setPolicy, type Acme } from '../test/acme.ts';
import { Guest, ownAddress } from '../test/surface/front-door.ts';
import type { Visitor } from '../test/visitor.ts';
import { openWorld } from '../test/world.ts';
import { percentile, printTable } from './figures.ts';
import { twoYears } from './years.ts';

const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    contacts: { type: 'string', default: '1000,1000000' },
    views: { type: 'string', default: '300' },
  },
});
if (options.database !== undefined) process.env['TEST_POSTGRES_URL'] = options.database;
const engine = options.database === undefined ? 'sqlite' : 'postgres';
const views = Number(options.views);
const BITE = 5_000;
const progress = showProgress(() => Date.now());

await using world = await openWorld(engine);
const merchants: Merchant[] = [];
for (const contacts of options.contacts.split(',').map(Number)) {
  const people = await acme(world.installation, `with-${contacts}`);
  await setPolicy(world.installation, people.organization, 'required');
  const owner = new Guest(world, people.ada, people.organization.slug, await world.visitor({ address: ownAddress() }));
  await owner.enrols();
  await owner.signsIn();
  await crowd(people, contacts);
  const agents = [people.sam.id, people.ada.id, people.otto.id];
  await twoYears(world.db, people.organization, world.clock.now, { contacts, agents });
  const counting = await counted();
  merchants.push({ contacts, browser: owner.browser, counting, times: [], cpuMs: 0 });
}
// By turns, so that a machine on which others work too favours neither.
for (let n = -30; n < views; n++) for (const merchant of merchants) await viewed(merchant, n);
for (const { contacts, times, cpuMs, counting } of merchants)
  printTable(`The overview of a merchant with ${contacts.toLocaleString('en')} contacts (${engine})`, [
    ['the page, median', `${percentile(times, 50).toFixed(1)} ms`],
    ['the page, 95 of 100 within', `${percentile(times, 95).toFixed(1)} ms`],
    ['the page, computing in this process', `${(cpuMs / views).toFixed(1)} ms`],
    ...counting,
  ]);

interface Merchant {
  readonly contacts: number;
  readonly browser: Visitor;
  readonly counting: [string, string][];
  readonly times: number[];
  cpuMs: number;
}

/** Looks at a merchant's overview; the first few times warm up and do not count. */
async function viewed(merchant: Merchant, turn: number): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await merchant.browser.get(turn % 2 === 0 ? '/admin' : '/admin?span=months');
  const took = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  if (turn < 0) return;
  merchant.times.push(took);
  merchant.cpuMs += (user + system) / 1_000;
}

async function crowd({ organization, globex }: Acme, contacts: number): Promise<void> {
  for (let made = 0; made < contacts; made += BITE) {
    const until = Math.min(contacts, made + BITE);
    await world.change(sql`INSERT INTO accounts
        (organization_id, id, kind, customer_id, name, sort_key, email, email_key, created_at)
      WITH RECURSIVE n (n) AS (SELECT ${made} + 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${until})
      SELECT ${organization.id}, 'c' || (10000000 + n), 'contact', ${globex.id}, 'Contact', 'contact',
        'c' || n || '@x.test', 'c' || n || '@x.test', 1 FROM n`);
    progress('Contacts', until, contacts);
  }
}

async function counted(): Promise<[string, string][]> {
  const pauses = monitorEventLoopDelay({ resolution: 1 });
  await world.change(sql`UPDATE figure_cursors SET counted_at = NULL`);
  pauses.enable();
  const began = performance.now();
  await countStandings(world.installation);
  const took = performance.now() - began;
  pauses.disable();
  return [
    ['the count beside it', `${(took / 1_000).toFixed(2)} s`],
    ['the longest anybody waits for the count', `${(pauses.max / 1e6).toFixed(0)} ms`],
  ];
}
