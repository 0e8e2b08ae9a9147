// How long the server takes for a page of the list of customers, on a database that bench/million.ts has filled: first
// pages and deep ones, each filter, each order, and the searches that would be slow if anything were. In this process,
// through the very app that a server answers with, as a signed-in owner.
import { parseArgs } from 'node:util';
import { createApp } from '../src/app.ts';
import { OPERATOR } from '../src/accounts/audit.ts';
import { findOrganizationBySlug } from '../src/accounts/organizations.ts';
import { createStaff } from '../src/accounts/staff.ts';
import { Proof } from '../src/auth/proof.ts';
import { startSession } from '../src/auth/sessions.ts';
import { openAll } from '../src/cli/open.ts';
import { readConfig } from '../src/config.ts';
import { sql } from '../src/db/db.ts';
import { percentile } from './figures.ts';

const LOG = { info: () => undefined, warn: console.error, error: console.error };
const PUBLIC_URL = 'http://localhost:3000';

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '/tmp/million' },
    database: { type: 'string' },
    slug: { type: 'string', default: 'million' },
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

const installation = await openAll(readConfig(settings), Date.now, LOG);
try {
  const { organizationId, cookie } = await comeIn();
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
  const rows = [
    ...LIST.map(([what, query]) => ({ what, path: `/admin/customers${query}` })),
    ...(await deepPages(organizationId)),
  ].filter(({ what }) => what.includes(values.only));
  const told = [];
  for (const { what, path } of rows) {
    await ask(path);
    const times: number[] = [];
    const cpus: number[] = [];
    let text = '';
    for (let run = 0; run < runs; run++) {
      const { ms, cpu, text: page } = await ask(path);
      times.push(ms);
      cpus.push(cpu);
      text = page;
    }
    const shown = /<nav class="pager"[^>]*>\s*<p>([^<]*)/.exec(text)?.[1] ?? '';
    told.push({ what, p50: percentile(times, 50), p95: percentile(times, 95), cpu: percentile(cpus, 50), shown });
  }
  if (values.json) console.log(JSON.stringify(told));
  else
    for (const { what, p50, p95, cpu, shown } of told)
      console.log(`${what.padEnd(48)}${[p50, p95, cpu].map((ms) => ms.toFixed(1).padStart(8)).join('')} ms  ${shown}`);
} finally {
  await installation.db.close();
}

/** An owner of their own for this run, signed in with a fresh proof. */
async function comeIn(): Promise<{ organizationId: string; cookie: string }> {
  const organization = await findOrganizationBySlug(installation.db, values.slug);
  if (!organization) throw new Error(`there is no organization ${values.slug}`);
  const { id: organizationId } = organization;
  const visitor = { address: '203.0.113.1', network: '203.0.113.1', userAgent: 'bench' };
  const cookie = await installation.db.transaction(async (tx) => {
    const draft = { email: `owner${Date.now()}@bench.test`, name: 'Bench Owner', role: 'owner' } as const;
    const owner = await createStaff(tx, installation, OPERATOR, organizationId, draft);
    if (!owner) throw new Error('the address is taken');
    return startSession(tx, new Proof(owner, owner.epoch, 'totp', null), 'admin', visitor, undefined, Date.now());
  });
  return { organizationId, cookie };
}

/** Pages that somebody reaches after thousands of others, and the page of one customer. */
async function deepPages(organizationId: string): Promise<{ what: string; path: string }[]> {
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
    { what: 'settings, with the reach of the policy', path: '/admin/settings/customer-portal/general' },
  ];
}

function at(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}
