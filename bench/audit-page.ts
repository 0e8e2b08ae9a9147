// How long a page of the audit log takes, filter by filter, in a log of a thousand rows and in one of a million, on both
// engines, through the statements of src/accounts/audit.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listAudit, type AuditFilter } from '../src/accounts/audit.ts';
import { actionsOf } from '../src/accounts/audit-groups.ts';
import { Sql, sql, type Database } from '../src/db/db.ts';
import { migrate } from '../src/db/migrate.ts';
import { openPostgres } from '../src/db/postgres.ts';
import { openSqlite } from '../src/db/sqlite.ts';
import { percentile, printTable } from './figures.ts';

const { values: options } = parseArgs({
  options: { database: { type: 'string' }, rows: { type: 'string', default: '1000000' }, explain: { type: 'boolean' } },
});

const ROUNDS = 21;
const PAGE = 51;
const START = Date.UTC(2026, 0, 1);
const EACH_MS = 20_000;
const STAFF = 20;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const db = options.database === undefined ? openSqlite(join(folder, 'bench.db')) : openPostgres(options.database);
try {
  await migrate(db, 0);
  for (const rows of [1_000, Number(options.rows)]) {
    await fill(db, `org-${rows}`, rows);
    printTable(
      `A page of ${PAGE} of ${rows.toLocaleString('en')} rows (${db.engine}), median and slowest of ${ROUNDS}`,
      await figures(`org-${rows}`, rows),
    );
  }
} finally {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
}

async function figures(organizationId: string, rows: number): Promise<[string, string][]> {
  const middle = START + (rows / 2) * EACH_MS;
  const filters: Record<string, AuditFilter> = {
    'no filter': {},
    'the last page': { before: idAt(START + 60 * EACH_MS) },
    'who: a colleague': { actorIds: ['staff-3'] },
    'who: nobody': { actorIds: ['nobody'] },
    'what: sign-ins': { actions: actionsOf('sign-ins') },
    'what: resets': { actions: actionsOf('resets') },
    'what: policy, of which there is none': { actions: actionsOf('policy') },
    'whom: a contact': { targetId: 'contact-7' },
    'customer with ten contacts': { customerId: 'customer-3' },
    'from and to, a day in the middle': { from: middle, to: middle + 86_400_000 },
    address: { address: '10.0.0.7' },
    'a colleague’s resets': { actorIds: ['staff-3'], actions: actionsOf('resets') },
    'a colleague’s sign-ins, of which there are none': { actorIds: ['staff-3'], actions: actionsOf('sign-ins') },
    'sign-ins on a day': { actions: actionsOf('sign-ins'), from: middle, to: middle + 86_400_000 },
  };
  const lines: [string, string][] = [];
  for (const [name, filter] of Object.entries(filters)) {
    const times: number[] = [];
    let found = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      found = (await listAudit(db, organizationId, { ...filter, limit: PAGE })).length;
      times.push(performance.now() - began);
    }
    lines.push([name, `${percentile(times, 50).toFixed(2)} ms, ${Math.max(...times).toFixed(2)} ms; ${found} rows`]);
    if (options.explain) console.log(name, await plan(organizationId, filter));
  }
  return lines;
}

async function plan(organizationId: string, filter: AuditFilter): Promise<string> {
  let asked = sql``;
  const all: Database['all'] = async (statement) => {
    asked = statement;
    return [];
  };
  await listAudit({ all }, organizationId, { ...filter, limit: PAGE });
  const word = db.engine === 'sqlite' ? 'EXPLAIN QUERY PLAN ' : 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ';
  const [first = '', ...rest] = asked.strings;
  const rows = await db.all(new Sql([word + first, ...rest], asked.values));
  return `\n${rows.map((row) => String(row['detail'] ?? row['QUERY PLAN'])).join('\n')}`;
}

function idAt(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** A row each twenty seconds: half of them sign-ins, one in a hundred a reset by one of twenty of staff. */
async function fill(into: Database, organizationId: string, rows: number): Promise<void> {
  const batch = 10_000;
  await into.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO organizations (id, slug, name, contact_details, time_zone, language, created_at)
      VALUES (${organizationId}, ${organizationId}, 'Bench', '', 'UTC', 'en', 0)`);
    await tx.run(sql`INSERT INTO customers (organization_id, id, name, sort_key, created_at)
      VALUES (${organizationId}, 'customer-3', 'Three', 'three', 0)`);
    for (let contact = 30; contact < 40; contact++)
      await tx.run(sql`INSERT INTO accounts (organization_id, id, kind, customer_id, name, sort_key, email, email_key, created_at)
        VALUES (${organizationId}, ${`contact-${contact}`}, 'contact', 'customer-3', 'C', 'c', 'c', ${`c${contact}`}, 0)`);
  });
  for (let first = 0; first < rows; first += batch) {
    const values = Array.from({ length: Math.min(batch, rows - first) }, (_, at) => line(organizationId, first + at));
    await into.transaction(async (tx) => {
      for (let at = 0; at < values.length; at += 20) {
        const some = values.slice(at, at + 20);
        const list = some.map(({ row }) => row).reduce((one, other) => sql`${one}, ${other}`);
        await tx.run(sql`INSERT INTO audit_rows (organization_id, id, at, actor_kind, actor_id, action, target_id, address,
          result, details, mac, linked_at) VALUES ${list}`);
        const links = some.map(({ link }) => link).reduce((one, other) => sql`${one}, ${other}`);
        await tx.run(sql`INSERT INTO audit_links (organization_id, sequence, row_id, link) VALUES ${links}`);
      }
    });
    if (process.stderr.isTTY) process.stderr.write(`\r${first + values.length} rows`);
  }
  if (into.engine === 'postgres') await into.migrate((migration) => migration.script('ANALYZE'));
}

function line(organizationId: string, number: number): { row: Sql; link: Sql } {
  const at = START + number * EACH_MS;
  const id = `${idAt(at)}-7000-8000-${number.toString(16).padStart(12, '0')}`;
  const contact = `contact-${number % 20_000}`;
  const isReset = number % 100 === 7;
  const action = isReset
    ? 'mfa.reset'
    : (['signed-in', 'password.answered', 'signed-out', 'contact.changed'][number % 4] ?? '');
  const actor = isReset || action === 'contact.changed' ? `staff-${number % STAFF}` : contact;
  const address = `10.0.${(number >> 6) % 256}.${number % 64}`;
  return {
    row: sql`(${organizationId}, ${id}, ${at}, 'account', ${actor}, ${action}, ${contact}, ${address}, 'done', '{}', 'mac', 1)`,
    link: sql`(${organizationId}, ${number + 1}, ${id}, 'link')`,
  };
}
