// How long the server takes for a page of the list of customers, on a database that bench/million.ts has filled: first
// pages and deep ones, each filter, each order, and the searches that would be slow if anything were. In this process,
// through the very app that a server answers with, as a signed-in owner. With --beside what stands beside the list: the
// overview, the preview of a policy, the audit log, the count of everybody and the export of everybody.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setInterval as every } from 'node:timers';
import { setImmediate as othersHaveTheirTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createApp } from '../src/app.ts';
import { OPERATOR } from '../src/accounts/audit.ts';
import { closeInstallation } from '../src/accounts/installation.ts';
import { countContacts } from '../src/accounts/list-count.ts';
import { findOrganizationBySlug, type Organization } from '../src/accounts/organizations.ts';
import { createStaff } from '../src/accounts/staff.ts';
import { Proof } from '../src/auth/proof.ts';
import { startSession } from '../src/auth/sessions.ts';
import { countStandings } from '../src/auth/standing.ts';
import { openAll } from '../src/cli/open.ts';
import { readConfig } from '../src/config.ts';
import { sql } from '../src/db/db.ts';
import { EVERYBODY, startExport } from '../src/jobs/export-customers.ts';
import { openRunner } from '../src/jobs/runner.ts';
import { percentile, printTable } from './figures.ts';
import { twoYears } from './years.ts';

const LOG = { info: () => undefined, warn: console.error, error: console.error };
const PUBLIC_URL = 'http://localhost:3000';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '/tmp/million' },
    database: { type: 'string' },
    slug: { type: 'string', multiple: true, default: ['million'] },
    beside: { type: 'boolean', default: false },
    runs: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const settings = {
  ...process.env,
  SALLYPORT_DATA: values.data,
  ...(values.database ? { SALLYPORT_DATABASE_URL: values.database } : {}),
};

const LIST: readonly (readonly [what: string, query: string])[] = [
  ['first page', ''],
  ['first page of 100', '?size=100'],
  ['by email', '?sort=email'],
  ['by email, backwards', '?sort=-email'],
  ['by name, backwards', '?sort=-name'],
  ['by last sign-in, the latest first', '?sort=-last-sign-in'],
  ['by last sign-in, never first', '?sort=last-sign-in'],
  ['MFA on', '?mfa=on'],
  ['MFA not set up', '?mfa=none'],
  ['low on backup codes', '?mfa=low'],
  ['low on backup codes, by email', '?mfa=low&sort=email'],
  ['locked', '?mfa=locked'],
  ['locked, by last sign-in', '?mfa=locked&sort=-last-sign-in'],
  ['reset', '?mfa=reset'],
  ['portal access on', '?portal=on'],
  ['invited', '?portal=invited'],
  ['portal access off', '?portal=off'],
  ['signed in lately', '?last=recent'],
  ['signed in long ago', '?last=long-ago'],
  ['never signed in, by email', '?last=never&sort=email'],
  ['low, off and never signed in', '?mfa=low&portal=off&last=never'],
  ['not set up, on and lately, by last sign-in', '?mfa=none&portal=on&last=recent&sort=-last-sign-in'],
  ['search: one letter', '?q=m'],
  ['search: the last letter', '?q=z'],
  ['search: gmail.com, which two in five have', '?q=gmail.com'],
  ['search: a word nobody has', '?q=xylophone'],
  ['search: one address', '?q=maria'],
  ['search: a name', '?q=maria+silva'],
  ['search: two common words that never meet', '?q=northwind+ottoline'],
  ['search: a word at the end of the order', '?q=zwicker'],
  ['search: the same by email', '?q=zwicker&sort=email'],
  ['search: three letters and a filter', '?q=a+b+c&mfa=locked'],
  ['search: six broad words', '?q=a+b+g+m+s+example'],
  ['search: gmail.com and reset', '?q=gmail.com&mfa=reset'],
  ['search: an id that nobody has', '?q=0197a000-0009-7000-8000-000000000000'],
];

const BESIDE: readonly (readonly [what: string, path: string])[] = [
  ['overview', '/admin'],
  ['overview, by months', '/admin?span=months'],
  ['exempt', '/admin/customers?mfa=exempt'],
  ['exempt, by last sign-in', '/admin/customers?mfa=exempt&sort=-last-sign-in'],
  ['preview: MFA on at once', '/admin/settings/customer-portal/general/preview?policy=required'],
  ['preview: MFA on, 14 days of grace', '/admin/settings/customer-portal/general/preview?policy=required&days=14'],
  ['preview: MFA off', '/admin/settings/customer-portal/general/preview?policy=off'],
  ['settings, with the reach of the policy', '/admin/settings/customer-portal/general'],
  ['audit log', '/admin/audit'],
];

const installation = await openAll(readConfig(settings), Date.now, LOG);
try {
  for (const slug of values.slug) {
    const owner = await comeIn(slug);
    const beside = values.beside ? await workBeside(owner) : [];
    const pages = values.beside
      ? BESIDE.map(([what, path]) => ({ what, path }))
      : [
          ...LIST.map(([what, query]) => ({ what, path: `/admin/customers${query}` })),
          ...(await deepPages(owner.organization.id)),
        ];
    const told = await viewed(
      owner,
      pages.filter(({ what }) => what.includes(values.only)),
    );
    if (values.json) console.log(JSON.stringify({ slug, pages: told, beside: Object.fromEntries(beside) }));
    else
      printTable(`${slug} (${installation.db.engine}): median, 95 of 100 within, CPU in ms`, [
        ...told.map(({ what, p50, p95, cpu, shown }): [string, string] => [
          what,
          `${[p50, p95, cpu].map((ms) => ms.toFixed(1).padStart(8)).join('')}  ${shown}`,
        ]),
        ...beside,
      ]);
  }
} finally {
  await closeInstallation(installation);
}

interface Page {
  readonly what: string;
  readonly path: string;
}

interface Told {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
  readonly cpu: number;
  /** How many rows the page says it shows. */
  readonly shown: string;
}

async function viewed({ cookie }: Owner, pages: readonly Page[]): Promise<Told[]> {
  const app = createApp({ installation, publicUrl: PUBLIC_URL, trustedProxies: [] });
  const ask = async (path: string): Promise<{ ms: number; cpu: number; text: string }> => {
    const began = performance.now();
    const used = process.cpuUsage();
    const response = await app.request(`${PUBLIC_URL}${path}`, {
      headers: { cookie: `sallyport-admin=${cookie}`, 'sec-fetch-site': 'same-origin' },
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    const { user, system } = process.cpuUsage(used);
    return { ms: performance.now() - began, cpu: (user + system) / 1000, text };
  };
  const told: Told[] = [];
  for (const { what, path } of pages) {
    await ask(path);
    const asked = [];
    for (let run = 0; run < runs; run++) {
      // As between two requests: what runs behind a page has its turn.
      await othersHaveTheirTurn();
      asked.push(await ask(path));
    }
    const times = asked.map(({ ms }) => ms);
    const cpu = percentile(
      asked.map((one) => one.cpu),
      50,
    );
    const shown = /<nav class="pager"[^>]*>\s*<p>([^<]*)/.exec(asked.at(-1)?.text ?? '')?.[1] ?? '';
    told.push({ what, p50: percentile(times, 50), p95: percentile(times, 95), cpu, shown });
  }
  return told;
}

/** What runs behind pages and looks at everybody: the count of the overview, after which it has its years, and an export. */
async function workBeside({ organization }: Owner): Promise<[string, string][]> {
  const { db } = installation;
  const organizationId = organization.id;
  // The others are counted before, so that the one that is measured is alone.
  await countStandings(installation);
  await db.transaction((tx) =>
    tx.run(sql`UPDATE figure_cursors SET counted_at = NULL WHERE organization_id = ${organizationId}`),
  );
  const count = await measured(() => countStandings(installation));
  const contacts = await countContacts(db, organizationId, EVERYBODY, Date.now());
  await twoYears(db, organization, Date.now(), { contacts, agents: [] });
  let longest = 0;
  const exported = await measured(async () => {
    const id = await startExport(installation, OPERATOR, organizationId);
    let last = performance.now();
    const job = await openRunner(installation).toEnd({ organizationId, id }, () => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    });
    if (job?.state !== 'finished') throw new Error(`the export ${job?.state}`);
  });
  return [
    ['count of everybody', `${count.seconds.toFixed(2)} s, others wait ${count.waited.toFixed(0)} ms at most`],
    [
      'export of everybody',
      `${exported.seconds.toFixed(1)} s, ${Math.round(contacts / exported.seconds)} rows a second, ` +
        `${exported.mebibytes} MiB above idle, others wait ${exported.waited.toFixed(0)} ms at most, ` +
        `longest bite with its pause ${longest.toFixed(0)} ms`,
    ],
  ];
}

/** What work takes, how far memory rises, and how long this process has let others wait at once, in ms. */
async function measured(work: () => Promise<void>): Promise<{ seconds: number; waited: number; mebibytes: number }> {
  globalThis.gc?.();
  const idle = process.memoryUsage().rss;
  let most = idle;
  const watch = every(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  const pauses = monitorEventLoopDelay({ resolution: 1 });
  pauses.enable();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  pauses.disable();
  clearInterval(watch);
  return { seconds, waited: pauses.max / 1e6, mebibytes: Math.round((most - idle) / 2 ** 20) };
}

interface Owner {
  readonly organization: Organization;
  readonly cookie: string;
}

/** An owner of their own for this run, signed in with a fresh proof. */
async function comeIn(slug: string): Promise<Owner> {
  const organization = await findOrganizationBySlug(installation.db, slug);
  if (!organization) throw new Error(`there is no organization ${slug}`);
  const visitor = { address: '203.0.113.1', network: '203.0.113.1', userAgent: 'bench' };
  const cookie = await installation.db.transaction(async (tx) => {
    const draft = { email: `owner${Date.now()}@bench.test`, name: 'Bench Owner', role: 'owner' } as const;
    const owner = await createStaff(tx, installation, OPERATOR, organization.id, draft);
    if (!owner) throw new Error('the address is taken');
    return startSession(tx, new Proof(owner, owner.epoch, 'totp', null), 'admin', visitor, undefined, Date.now());
  });
  return { organization, cookie };
}

/** Pages that somebody reaches after thousands of others, and the page of one customer. */
async function deepPages(organizationId: string): Promise<Page[]> {
  const { db } = installation;
  const middle = await db.one<{ key: string; customer: string; id: string; email: string }>(
    sql`SELECT a.customer_key AS key, a.customer_id AS customer, a.id, a.email_key AS email FROM accounts a
      WHERE a.organization_id = ${organizationId} AND a.customer_key > 'm' AND a.customer_key IS NOT NULL
      ORDER BY a.customer_key, a.customer_id, a.id LIMIT 1`,
  );
  if (!middle) return [];
  const name = at([500_000, middle.key, middle.customer, middle.id]);
  return [
    { what: 'deep: by name, next', path: `/admin/customers?after=${name}` },
    { what: 'deep: by name, previous', path: `/admin/customers?before=${name}` },
    { what: 'deep: by email', path: `/admin/customers?sort=email&after=${at([500_000, middle.email, middle.id])}` },
    { what: 'deep: MFA on', path: `/admin/customers?mfa=on&after=${name}` },
    { what: 'a customer', path: `/admin/customers/${middle.customer}` },
  ];
}

function at(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}
