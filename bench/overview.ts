// Whether the overview costs more with more contacts: the page with two years of figures behind it, and the count that is
// taken of everybody every ten minutes beside it, for one number of contacts after the other.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { dayOf, daysUntil, keepFigures } from '../src/accounts/figures.ts';
import { showProgress } from '../src/cli/progress.ts';
import { countStandings } from '../src/auth/standing.ts';
import { sql } from '../src/db/db.ts';
import { aYear } from '../src/demo/year.ts';
import { setPolicy, type Acme } from '../test/acme.ts';
import { Guest } from '../test/surface/front-door.ts';
import { openWorld, type World } from '../test/world.ts';
import { percentile, printTable } from './figures.ts';

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
const acme = await world.acme();
await setPolicy(world.installation, acme.organization, 'required');
const guest = new Guest(world, acme.ada, 'acme', await world.visitor());
await guest.enrols();
await guest.signsIn();
let made = 0;
for (const contacts of options.contacts.split(',').map(Number)) {
  await crowd(world, acme, contacts);
  await twoYears(world, acme, contacts);
  const counting = await counted();
  for (let n = 0; n < 30; n++) await guest.browser.get('/admin');
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let n = 0; n < views; n++) {
    const began = performance.now();
    await guest.browser.get(n % 2 === 0 ? '/admin' : '/admin?span=months');
    times.push(performance.now() - began);
  }
  const { user, system } = process.cpuUsage(cpu);
  printTable(`The overview with ${contacts.toLocaleString('en')} contacts (${engine})`, [
    ['the page, median', `${percentile(times, 50).toFixed(1)} ms`],
    ['the page, 95 of 100 within', `${percentile(times, 95).toFixed(1)} ms`],
    ['the page, computing here', `${((user + system) / 1_000 / views).toFixed(1)} ms`],
    ...counting,
  ]);
}

/** Adds contacts until there are so many. */
async function crowd(to: World, { organization, globex }: Acme, contacts: number): Promise<void> {
  while (made < contacts) {
    const until = Math.min(contacts, made + BITE);
    await to.change(sql`INSERT INTO accounts
        (organization_id, id, kind, customer_id, name, sort_key, email, email_key, created_at)
      WITH RECURSIVE n (n) AS (SELECT ${made} + 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${until})
      SELECT ${organization.id}, 'c' || (10000000 + n), 'contact', ${globex.id}, 'Contact', 'contact',
        'c' || n || '@x.test', 'c' || n || '@x.test', 1 FROM n`);
    made = until;
    progress('Contacts', until, contacts);
  }
}

async function twoYears(
  { db, installation }: World,
  { organization, sam, ada, otto }: Acme,
  contacts: number,
): Promise<void> {
  const today = dayOf(installation.now(), organization.timeZone);
  const agents = [sam.id, ada.id, otto.id];
  for (const end of [daysUntil(today, 366).from, today]) {
    const year = aYear(end, { contacts, on: Math.round(contacts * 0.68), agents });
    await db.transaction((tx) => keepFigures(tx, organization.id, year, 'replace'));
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
