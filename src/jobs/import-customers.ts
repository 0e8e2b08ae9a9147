import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { appendPart, dropFile, type JobKey } from '../accounts/job-parts.ts';
import { RolledBack, sql, type Database, type Transaction } from '../db/db.ts';
import { inviteWithin } from '../auth/welcome.ts';
import { apply } from '../import/apply.ts';
import type { Mapping } from '../import/columns.ts';
import { BYTE_ORDER_MARK } from '../import/csv-text.ts';
import { leftRows, withErrors } from '../import/left-rows.ts';
import type { CsvRecord } from '../import/records.ts';
import { readRow, type ImportRow, type Problem } from '../import/rows.ts';
import { findingsOf, lockPrepared } from './check-file.ts';
import { aboutFile, FILES, IMPORT_CUSTOMERS, readPart, type About } from './import-file.ts';
import { actorOfJob, startPrepared, type Bite, type Job, type JobKind } from './jobs.ts';

export type ImportStarted =
  | { kind: 'started'; id: string }
  /** Nothing was to be imported until all rows are right, and these are not. */
  | { kind: 'wrong-rows'; rows: number }
  | { kind: 'nothing-to-do' }
  /** It was started already, or is gone after a day. */
  | { kind: 'over' };

/** Starts the import of a checked file: all its good rows, or with `allOrNothing` only a file without a mistake. */
export function startImport(
  installation: Installation,
  actor: Actor,
  key: JobKey,
  { allOrNothing }: { allOrNothing: boolean },
): Promise<ImportStarted> {
  return installation.db.transaction<ImportStarted>(async (tx) => {
    if (!(await lockPrepared(tx, key))) return new RolledBack<ImportStarted>({ kind: 'over' });
    const about = await aboutFile(tx, installation, key);
    const findings = await findingsOf(tx, installation, key);
    if (!about || !findings) return new RolledBack<ImportStarted>({ kind: 'over' });
    const { fresh, changed, unchanged, wrong, repeated } = findings.totals;
    if (allOrNothing && wrong + repeated > 0)
      return new RolledBack<ImportStarted>({ kind: 'wrong-rows', rows: wrong + repeated });
    if (fresh + changed === 0) return new RolledBack<ImportStarted>({ kind: 'nothing-to-do' });
    const { fileName, fileHash, parts, updates, invites } = about;
    const plan = {
      fileName,
      fileHash,
      parts,
      updates: updates ? 1 : 0,
      invites: invites ? 1 : 0,
      customers: fresh + changed,
      mapping: JSON.stringify(findings.mapping),
    };
    const total = fresh + changed + unchanged + wrong + repeated;
    await startPrepared(tx, installation, key, { actor, kind: IMPORT_CUSTOMERS, plan, total });
    return { kind: 'started', id: key.id };
  });
}

/** The rows that do not go in as a check found them, as lines of a file that can be mended, part by part. */
export async function* rowsWithErrors(
  installation: Installation,
  key: JobKey,
  { header, parts }: About,
  mapping: Mapping,
): AsyncGenerator<string, void> {
  yield BYTE_ORDER_MARK + leftRows([header], [], mapping, header.length);
  for (let part = 0; part < parts; part++) {
    const records = await readPart<CsvRecord>(installation.db, installation, key, FILES.rows, part);
    const problems = await readPart<Problem>(installation.db, installation, key, FILES.problems, part);
    if (!records || !problems) return;
    const left = withErrors(records, problems);
    if (left.length > 0) yield leftRows([], left, mapping, header.length);
  }
}

/** Throws a file away that nobody imports, at once. */
export async function discardFile({ db }: Installation, { organizationId, id }: JobKey): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await lockPrepared(tx, { organizationId, id }))) return;
    await tx.run(sql`DELETE FROM job_parts WHERE organization_id = ${organizationId} AND job_id = ${id}`);
    await tx.run(sql`DELETE FROM jobs WHERE organization_id = ${organizationId} AND id = ${id}`);
  });
}

/** When a file of the same bytes was last imported, or undefined. */
export async function lastImportOf(
  db: Pick<Database, 'one'>,
  organizationId: string,
  fileHash: string,
): Promise<number | undefined> {
  const row = await db.one<{ importedAt: number }>(sql`SELECT imported_at AS "importedAt" FROM imported_files
    WHERE organization_id = ${organizationId} AND file_hash = ${fileHash}`);
  return row?.importedAt;
}

/** Takes over the customers of a checked file, a part of it a bite. */
export const importCustomers: JobKind = {
  name: IMPORT_CUSTOMERS,
  permission: 'import and export customers',
  unit: ['row', 'rows'],
  title: ({ plan }) => {
    const customers = Number(plan['customers'] ?? 0);
    return `Import ${customers.toLocaleString('en-GB')} ${customers === 1 ? 'customer' : 'customers'}`;
  },
  remark: ({ result }) => {
    const of = (name: string): number => Number(result[name] ?? 0);
    if (of('created') + of('changed') === 0) return undefined;
    const counts = [`${told(of('created'))} added`, `${told(of('changed'))} changed`];
    if (of('invited') > 0) counts.push(`${told(of('invited'))} invited`);
    return `${counts.join(', ')}.`;
  },
  bite: async (tx, installation, job) => {
    const part = Number(job.cursor);
    const about = await aboutFile(tx, installation, job);
    const records = await readPart<CsvRecord>(tx, installation, job, FILES.rows, part);
    const problems = await readPart<Problem>(tx, installation, job, FILES.problems, part);
    if (!about || !records || !problems)
      throw new Error('the file of this import is gone: a day after its job had ended');
    const importing = {
      installation,
      organizationId: job.organizationId,
      actor: actorOfJob(job),
      updates: job.plan['updates'] === 1,
    };
    const mapping = JSON.parse(String(job.plan['mapping'])) as Mapping;
    await keepPlansFitting(tx, installation, part);
    const done = await apply(tx, importing, goodRows(records, problems, mapping, about));
    const invited =
      job.plan['invites'] === 1
        ? await inviteWithin(tx, installation, importing.actor, job.organizationId, done.newcomers)
        : 0;
    const left = withErrors(records, [...problems, ...done.problems]);
    await keepLeft(tx, installation, job, about, mapping, left);
    const count = (name: string, more: number): number => Number(job.result[name] ?? 0) + more;
    const bite: Bite = {
      cursor: String(part + 1),
      done: records.length,
      errors: left.length,
      result: {
        created: count('created', done.created),
        changed: count('changed', done.changed),
        unchanged: count('unchanged', done.unchanged),
        left: count('left', left.length),
        ...(job.plan['invites'] === 1 ? { invited: count('invited', invited) } : {}),
      },
      ended: part + 1 === about.parts,
    };
    if (bite.ended) await endImport(tx, installation, job, bite);
    return bite;
  },
  file: ({ result }) =>
    Number(result['left'] ?? 0) > 0 ? { file: FILES.left, name: 'rows-with-errors.csv', type: 'text/csv' } : undefined,
};

function told(n: number): string {
  return n.toLocaleString('en-GB');
}

// A first import fills empty tables faster than PostgreSQL looks at them by itself, once a minute. Until then it plans as if
// they were small, and reads whole indexes for each row. Its manual says to do so after bulk loads (14.4.8).
async function keepPlansFitting(tx: Transaction, { db }: Installation, part: number): Promise<void> {
  if (db.engine !== 'postgres' || !ANALYZED_BEFORE.includes(part)) return;
  for (const table of [sql`customers`, sql`accounts`, sql`challenges`, sql`authenticators`])
    await tx.run(sql`ANALYZE ${table}`);
}

const ANALYZED_BEFORE = [2, 8, 32, 128];

// Read again as the check read them, and without those that it found something wrong with.
function goodRows(
  records: readonly CsvRecord[],
  problems: readonly Problem[],
  mapping: Mapping,
  { header }: About,
): ImportRow[] {
  const wrong = new Set(problems.map(({ line }) => line));
  return records
    .filter(({ line }) => !wrong.has(line))
    .flatMap((one) => {
      const read = readRow(one, mapping, header.length);
      return read.kind === 'row' ? [read.row] : [];
    });
}

async function keepLeft(
  tx: Transaction,
  installation: Installation,
  job: Job,
  { header }: About,
  mapping: Mapping,
  left: ReturnType<typeof withErrors>,
): Promise<void> {
  if (left.length === 0) return;
  const begun = Number(job.result['left'] ?? 0) > 0;
  const text = leftRows(begun ? [] : [header], left, mapping, header.length);
  await appendPart(tx, installation, job, FILES.left, begun ? text : `${BYTE_ORDER_MARK}${text}`);
}

// The rows may hold secrets: they go with the last bite. What was left out stays a day, without them.
async function endImport(tx: Transaction, installation: Installation, job: Job, { result = {} }: Bite): Promise<void> {
  const { organizationId, plan } = job;
  for (const file of [FILES.rows, FILES.problems, FILES.findings, FILES.about]) await dropFile(tx, job, file);
  await tx.run(sql`INSERT INTO imported_files (organization_id, file_hash, imported_at)
    VALUES (${organizationId}, ${String(plan['fileHash'])}, ${installation.now()})
    ON CONFLICT (organization_id, file_hash) DO UPDATE SET imported_at = excluded.imported_at`);
  const details = { ...result, file: String(plan['fileName']) };
  await record(tx, installation, {
    organizationId,
    actor: actorOfJob(job),
    action: 'customers.imported',
    targetId: job.id,
    details,
  });
}
