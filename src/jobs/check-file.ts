import { setImmediate as turn } from 'node:timers/promises';
import type { Installation } from '../accounts/installation.ts';
import { appendPart, dropFile, partOf, type JobKey } from '../accounts/job-parts.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { recognise, type Mapping } from '../import/columns.ts';
import { look, plan, type Known } from '../import/plan.ts';
import type { CsvRecord } from '../import/records.ts';
import { readRow, Repeats, type ImportRow, type Problem, type ProblemKind } from '../import/rows.ts';
import { aboutFile, FILES, IMPORT_CUSTOMERS, readPart, type About } from './import-file.ts';

/** What a check has found: numbers, the first of the mistakes, and what the first rows come to. */
export interface Findings {
  readonly mapping: Mapping;
  readonly totals: Readonly<Record<'fresh' | 'changed' | 'unchanged' | 'wrong' | 'repeated', number>>;
  /** Rows that bring a secret or a hash that goes in, and rows whose contact keeps what it has. */
  readonly brings: Readonly<Record<'secrets' | 'hashes' | 'kept', number>>;
  readonly kinds: Readonly<Partial<Record<ProblemKind, number>>>;
  readonly problems: readonly Problem[];
  readonly sample: readonly Sample[];
}

/** One of the first rows, and what it comes to. */
export interface Sample {
  readonly line: number;
  readonly email: string;
  readonly name: string;
  readonly customer: string;
  readonly outcome: keyof Findings['totals'];
}

const PROBLEMS_SHOWN = 1_000;
const ROWS_SHOWN = 50;

/**
 * Looks at every row of a file that waits, as the job will, and keeps what was found in place of what an earlier look
 * found. Undefined where the file is not there, or is being imported.
 */
export async function checkFile(
  installation: Installation,
  key: JobKey,
  mapping?: Mapping,
): Promise<Findings | undefined> {
  const about = await aboutFile(installation.db, installation, key);
  if (!about) return undefined;
  const check = new Check(mapping ?? recognise(about.header), about);
  const repeats = new Repeats();
  for (let part = 0; part < about.parts; part++) {
    const records = await readPart<CsvRecord>(installation.db, installation, key, FILES.rows, part);
    if (!records) return undefined;
    const good = check.read(records, repeats);
    const known = await look(installation.db, key.organizationId, good);
    for (const row of good) check.plan(row, known);
    check.endPart();
    // Others are served between two parts, also where the database answers at once.
    await turn();
  }
  const findings = check.findings();
  return (await keepFindings(installation, key, findings, check.problems)) ? findings : undefined;
}

class Check {
  readonly #mapping: Mapping;
  readonly #about: About;
  readonly #totals = { fresh: 0, changed: 0, unchanged: 0, wrong: 0, repeated: 0 };
  readonly #brings = { secrets: 0, hashes: 0, kept: 0 };
  readonly #sample: Sample[] = [];
  /** By part. */
  readonly problems: Problem[][] = [];
  #ofPart: Problem[] = [];

  constructor(mapping: Mapping, about: About) {
    this.#mapping = mapping;
    this.#about = about;
  }

  /** The rows that nothing is wrong with in themselves. */
  read(records: readonly CsvRecord[], repeats: Repeats): ImportRow[] {
    return records.flatMap((record) => {
      const read = readRow(record, this.#mapping, this.#about.header.length);
      const problems =
        read.kind === 'wrong' ? read.problems : [repeats.of(read.row)].filter((one) => one !== undefined);
      if (problems.length === 0 && read.kind === 'row') return [read.row];
      this.#count(problems[0]?.kind === 'email-repeated' ? 'repeated' : 'wrong', this.#shown(record));
      this.#ofPart.push(...problems);
      return [];
    });
  }

  plan(row: ImportRow, known: Known): void {
    const one = plan(row, known, this.#about.updates);
    const shown = { line: row.line, email: row.email, name: row.name ?? '', customer: row.customer.name ?? '' };
    this.#count(one.kind === 'new' ? 'fresh' : one.kind, shown);
    if (one.kind === 'wrong') this.#ofPart.push(one.problem);
    if (one.kind === 'unchanged' && one.keeps) this.#brings.kept++;
    const brought = one.kind === 'new' ? row : one.kind === 'changed' ? one.changes : undefined;
    if (brought?.secret !== undefined) this.#brings.secrets++;
    if (brought?.hash !== undefined) this.#brings.hashes++;
  }

  endPart(): void {
    this.problems.push(this.#ofPart.toSorted((a, b) => a.line - b.line));
    this.#ofPart = [];
  }

  findings(): Findings {
    const kinds: Partial<Record<ProblemKind, number>> = {};
    for (const { kind } of this.problems.flat()) kinds[kind] = (kinds[kind] ?? 0) + 1;
    return {
      mapping: this.#mapping,
      totals: this.#totals,
      brings: this.#brings,
      kinds,
      problems: this.problems.flat().slice(0, PROBLEMS_SHOWN),
      sample: this.#sample.toSorted((a, b) => a.line - b.line).slice(0, ROWS_SHOWN),
    };
  }

  #shown({ line, cells }: CsvRecord): Omit<Sample, 'outcome'> {
    const { email, name, customer } = this.#mapping;
    const cell = (at: number | undefined): string => (at === undefined ? '' : (cells[at] ?? '')).slice(0, 100);
    return { line, email: cell(email), name: cell(name), customer: cell(customer) };
  }

  #count(outcome: Sample['outcome'], shown: Omit<Sample, 'outcome'>): void {
    this.#totals[outcome]++;
    if (this.problems.length === 0) this.#sample.push({ ...shown, outcome });
  }
}

function keepFindings(
  installation: Installation,
  key: JobKey,
  findings: Findings,
  problems: readonly (readonly Problem[])[],
): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    if (!(await lockPrepared(tx, key))) return new RolledBack(false);
    await dropFile(tx, key, FILES.problems);
    await dropFile(tx, key, FILES.findings);
    for (const part of problems) await appendPart(tx, installation, key, FILES.problems, JSON.stringify(part));
    await appendPart(tx, installation, key, FILES.findings, JSON.stringify(findings));
    return true;
  });
}

/** Takes the lock of a file that waits, the job's row. False where it is being imported, or is gone. */
export async function lockPrepared(tx: Transaction, { organizationId, id }: JobKey): Promise<boolean> {
  const waits = await tx.run(sql`UPDATE jobs SET worked_at = worked_at WHERE organization_id = ${organizationId}
    AND id = ${id} AND kind = ${IMPORT_CUSTOMERS} AND state = 'prepared'`);
  return waits === 1;
}

/** What the last check of a file found; undefined where the file is gone. */
export async function findingsOf(
  db: Pick<Transaction, 'one'>,
  installation: Installation,
  key: JobKey,
): Promise<Findings | undefined> {
  const text = await partOf(db, installation, key, FILES.findings, 0);
  return text === undefined ? undefined : (JSON.parse(text) as Findings);
}
