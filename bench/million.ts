// Makes an organization with a million contacts (or another number), to measure what grows with them and what does not.
// Set-based wherever the database can do it itself, and without the indexes of the accounts until all of them are there.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { sortKey } from '../src/accounts/accounts.ts';
import { OPERATOR } from '../src/accounts/audit.ts';
import { columnOf, wordsOf } from '../src/accounts/findable.ts';
import { createOrganization } from '../src/accounts/organizations.ts';
import { openAll } from '../src/cli/open.ts';
import { showProgress } from '../src/cli/progress.ts';
import { readConfig } from '../src/config.ts';
import { sql, type Database } from '../src/db/db.ts';

const MIGRATIONS = join(import.meta.dirname, '../migrations');
const BITE = 2_000;
/** So few come in faster with the indexes there than the indexes are made again over everybody else. */
const FEW = 20_000;
const DAY_MS = 86_400_000;
const LOG = { info: () => undefined, warn: console.error, error: console.error };

const FIRST =
  `Maria Noor Eve James Olivia Liam Emma Noah Ava Lucas Mia Ethan Sofia Mason Amelia Logan Isla Oliver Grace Elijah
  Chloe Jacob Ella Aiden Lily Samuel Zoe Henry Nora Daniel Ruby Owen Alice Leo Clara Max Ida Finn Elsa Oscar Maya Theo Anna
  Hugo Lea Felix Jana Anton Vera Emil Rosa Karl Olga Ivan Nina Yusuf Aisha Omar Layla Ravi Priya Arjun Meera Kenji Yuki Hana
  Wei Lin Chen Mei Juan Lucia Diego Elena Pablo Carmen Luis Ana Jorge Paula Marco Giulia Luca Chiara Pierre Camille Louis
  Manon Jan Eva Piotr Kasia Tomas Petra Lars Ingrid Sven Astrid`.split(/\s+/);
const LAST =
  `Silva Haddad Moreau Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez
  Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis
  Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell
  Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy
  Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks
  Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez`.split(
    /\s+/,
  );
const TRADE =
  `Bakery Logistics Studio Motors Dental Law Plumbing Textiles Foods Optics Roofing Travel Books Energy Films
  Gardens Glass Health Interiors Kitchens Labs Media Metals Music Paper Pharmacy Print Security Software Tools`.split(
    /\s+/,
  );

const { values } = parseArgs({
  options: {
    contacts: { type: 'string', default: '1000000' },
    data: { type: 'string', default: '/tmp/million' },
    database: { type: 'string' },
    slug: { type: 'string', default: 'million' },
  },
});
const total = Number(values.contacts);
const settings = {
  ...process.env,
  SALLYPORT_DATA: values.data,
  ...(values.database ? { SALLYPORT_DATABASE_URL: values.database } : {}),
};
const progress = showProgress(Date.now);
const installation = await openAll(readConfig(settings), Date.now, LOG);
try {
  const began = Date.now();
  await make(installation.db);
  console.log(`${total} contacts in ${Math.round((Date.now() - began) / 1000)} s: organization ${values.slug}.`);
} finally {
  await installation.db.close();
}

async function make(db: Database): Promise<void> {
  const organization = await db.transaction((tx) =>
    createOrganization(tx, installation, OPERATOR, {
      slug: values.slug,
      name: 'A million',
      contactDetails: 'Call us',
      timeZone: 'UTC',
    }),
  );
  if (!organization) throw new Error(`${values.slug} is taken`);
  const indexes = total < FEW ? [] : indexesOn('accounts').concat(indexesOn('customers'));
  const now = Date.now();
  for (const { name } of indexes) await script(db, `DROP INDEX ${name}`);
  for (let from = 0; from < total; from += BITE) {
    const to = Math.min(total, from + BITE);
    await script(db, people(organization.id, from, to, now));
    progress('Contacts', to, total);
  }
  for (const [at, { create }] of indexes.entries()) {
    await script(db, create);
    progress('Indexes', at + 1, indexes.length);
  }
  const rest = inTheirTables(db, organization.id, now);
  for (const [at, statement] of rest.entries()) {
    await script(db, statement);
    progress('Words, sessions, factors', at + 1, rest.length);
  }
  await settle(db);
}

function script(db: Database, text: string): Promise<void> {
  return db.migrate((tx) => tx.script(text));
}

/** What the migrations say of a table's indexes, the unique ones apart: those would guard what is made here. */
function indexesOn(table: string): { name: string; create: string }[] {
  const texts = readdirSync(MIGRATIONS).map((file) => readFileSync(join(MIGRATIONS, file), 'utf8'));
  return texts.flatMap((text) =>
    [...text.matchAll(new RegExp(`^CREATE INDEX (\\w+) ON ${table} [^;]*;`, 'gm'))].map(([create, name = '']) => ({
      name,
      create,
    })),
  );
}

/** A number for a place in the crowd that looks like chance and is the same each time. */
function drawn(n: number, salt: number, below: number): number {
  let x = (Math.imul(n + 1, 2_654_435_761) ^ Math.imul(salt + 1, 40_503)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 2_246_822_507) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 3_266_489_909) >>> 0;
  return ((x ^ (x >>> 16)) >>> 0) % below;
}

function of(list: readonly string[], n: number, salt: number): string {
  return list[drawn(n, salt, list.length)] ?? '';
}

function id(kind: number, n: number): string {
  const hex = n.toString(16).padStart(12, '0');
  return `0197a000-000${kind}-7000-8000-${hex}`;
}

/** Two or three contacts a customer. One customer in fifty is a Northwind, and nobody there is an Ottoline. */
function customerOf(n: number): { at: number; name: string } {
  const at = Math.floor(n / 2.5);
  if (at % 50 === 1) return { at, name: `Northwind ${of(TRADE, at, 2)}` };
  if (at % 50 === 2) return { at, name: `Zwicker ${of(TRADE, at, 2)}` };
  return { at, name: `${of(LAST, at, 1)} ${of(TRADE, at, 2)}` };
}

function people(organizationId: string, from: number, to: number, now: number): string {
  const customers: string[] = [];
  const accounts: string[] = [];
  for (let n = from; n < to; n++) {
    const customer = customerOf(n);
    const isFirst = n === 0 || customerOf(n - 1).at !== customer.at;
    const customerKey = sortKey(customer.name);
    if (isFirst) {
      const contacts = [1, 2].filter((more) => n + more < total && customerOf(n + more).at === customer.at).length + 1;
      customers.push(
        tuple(organizationId, id(1, customer.at), customer.name, customerKey, now - 800 * DAY_MS, contacts, ''),
      );
    }
    accounts.push(account(organizationId, n, customer.at, customerKey, isFirst, now));
  }
  return [
    customers.length === 0
      ? ''
      : `INSERT INTO customers (organization_id, id, name, sort_key, created_at, contacts, words) VALUES ${customers.join(',')};`,
    `INSERT INTO accounts (organization_id, id, kind, customer_id, is_primary_at, name, sort_key, email, email_key,
      password, password_set_at, disabled_at, last_sign_in_at, last_sign_in_key, reset_notice_at, totp_wrong, totp_wait_until, suspected_at,
      created_at, mfa_since, backup_codes_left, exempt_until, exempt_reason, customer_key, words) VALUES ${accounts.join(',')};`,
  ].join('\n');
}

function account(
  organizationId: string,
  n: number,
  customer: number,
  customerKey: string,
  isFirst: boolean,
  now: number,
): string {
  const first = customer % 50 === 3 ? 'Ottoline' : of(FIRST, n, 3);
  const name = `${first} ${of(LAST, n, 4)}`;
  const domain = drawn(n, 5, 100) < 40 ? 'gmail.com' : `${customerKey.replaceAll(' ', '-')}.example`;
  const email = `${name.toLowerCase().replace(' ', '.')}${n}@${domain}`;
  const some = (salt: number, perMille: number): boolean => drawn(n, salt, 1_000) < perMille;
  const hasPassword = !some(6, 50);
  const hasMfa = hasPassword && some(7, 740);
  const isExempt = !hasMfa && some(19, 10);
  const since = now - drawn(n, 8, 600) * DAY_MS;
  const lastSignIn = hasPassword && !some(9, 80) ? now - drawn(n, 10, 730 * 1440) * 60_000 : null;
  return tuple(
    organizationId,
    id(2, n),
    'contact',
    id(1, customer),
    isFirst ? now : null,
    name,
    sortKey(name),
    email,
    email,
    hasPassword ? 'sealed elsewhere' : null,
    hasPassword ? now - 700 * DAY_MS : null,
    some(11, 20) ? now - 9 * DAY_MS : null,
    lastSignIn,
    lastSignIn ?? 0,
    !hasMfa && some(12, 8) ? now - DAY_MS : null,
    some(13, 4) ? 6 : 0,
    some(13, 4) ? now + (some(14, 250) ? 3_600_000 : -3_600_000) : 0,
    some(15, 1) ? now - DAY_MS : null,
    now - 750 * DAY_MS,
    hasMfa ? since : null,
    hasMfa && !some(16, 100) ? (some(17, 60) ? drawn(n, 18, 3) : 3 + drawn(n, 18, 3)) : null,
    isExempt ? now + (1 + drawn(n, 20, 90)) * DAY_MS : null,
    isExempt ? 'Has no phone' : null,
    customerKey,
    columnOf(wordsOf([customerKey, sortKey(name)], email)),
  );
}

// Nothing here holds a quote: the names are those above.
function tuple(...fields: readonly (string | number | null)[]): string {
  return `(${fields.map((field) => (typeof field === 'string' ? `'${field}'` : (field ?? 'NULL'))).join(',')})`;
}

/** What stands in tables of its own, made out of the accounts by the database itself. */
function inTheirTables({ engine }: Database, organizationId: string, now: number): string[] {
  const here = `organization_id = '${organizationId}'`;
  const words =
    engine === 'sqlite'
      ? `json_each('["' || replace(trim(a.words), ' ', '","') || '"]') w`
      : `regexp_split_to_table(trim(a.words), ' ') AS w(value)`;
  const columns = `organization_id, 'c' || id, id, 'portal', 'enrolment', '${organizationId}c' || id, 1, 0, mfa_since, mfa_since, mfa_since`;
  return [
    `INSERT INTO search_words (organization_id, word, row_id) SELECT a.organization_id, w.value, a.id
      FROM accounts a, ${words} WHERE a.${here} AND a.words IS NOT NULL ORDER BY 2, 3`,
    `INSERT INTO challenges (organization_id, id, account_id, surface, purpose, token_hash, epoch, attempts_left,
      created_at, expires_at, consumed_at) SELECT ${columns} FROM accounts WHERE ${here} AND mfa_since IS NOT NULL`,
    `INSERT INTO authenticators (organization_id, id, account_id, kind, challenge_id, secret, last_step, tries_left,
      proven_step, created_at, expires_at, enabled_at, last_used_at) SELECT organization_id, 'm' || id, id, 'totp',
      'c' || id, 'sealed elsewhere', 1, 1, 1, mfa_since, mfa_since, mfa_since, last_sign_in_at
      FROM accounts WHERE ${here} AND mfa_since IS NOT NULL`,
    `INSERT INTO sessions (organization_id, id, account_id, surface, token_hash, epoch, factor, signed_in_at,
      last_used_at, expires_at, address, user_agent) SELECT organization_id, 's' || id, id, 'portal', '${organizationId}s' || id, 1, 'totp',
      ${now}, ${now}, ${now + DAY_MS}, '203.0.113.9', 'Mozilla/5.0' FROM accounts
      WHERE ${here} AND last_sign_in_at > ${now - DAY_MS}`,
  ];
}

/** What PostgreSQL's autovacuum does by itself within minutes, and SQLite when its log is full. */
async function settle(db: Database): Promise<void> {
  if (values.database === undefined) {
    await db.all(sql`SELECT 1`);
    return;
  }
  const server = new pg.Client(values.database);
  await server.connect();
  await server.query('VACUUM ANALYZE');
  await server.end();
}
