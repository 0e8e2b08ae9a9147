import { open, seal } from '../crypto/seal.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { sql, type Queries } from '../db/db.ts';
import type { Installation } from './installation.ts';
import type { SealedColumn } from './keys.ts';

/** Whose parts they are. */
export interface JobKey {
  readonly organizationId: string;
  readonly id: string;
}

/**
 * Adds the next part of a file that belongs to a job, sealed (I16). Parts are texts of some ten thousand characters, so
 * that whoever reads the file holds one at a time. Only in the transaction that holds the job's row, which keeps their
 * numbers without gaps.
 */
export async function appendPart(
  tx: Queries,
  installation: Pick<Installation, 'ring' | 'now'>,
  { organizationId, id: jobId }: JobKey,
  file: string,
  text: string,
): Promise<void> {
  const id = uuidv7(installation.now());
  const sealed = seal(installation.ring, place(organizationId, id), text);
  await tx.run(sql`INSERT INTO job_parts (organization_id, id, job_id, file, part, sealed)
    SELECT CAST(${organizationId} AS TEXT), CAST(${id} AS TEXT), CAST(${jobId} AS TEXT), CAST(${file} AS TEXT), COALESCE(MAX(p.part) + 1, 0), CAST(${sealed} AS TEXT)
    FROM job_parts p WHERE p.organization_id = ${organizationId} AND p.job_id = ${jobId} AND p.file = ${file}`);
}

/** One part of a job's file, counted from 0, or undefined where it ends or never was. Throws SealError. */
export async function partOf(
  db: Pick<Queries, 'one'>,
  { ring }: Pick<Installation, 'ring'>,
  { organizationId, id: jobId }: JobKey,
  file: string,
  part: number,
): Promise<string | undefined> {
  const row = await db.one<{ id: string; sealed: string }>(sql`SELECT id, sealed FROM job_parts
    WHERE organization_id = ${organizationId} AND job_id = ${jobId} AND file = ${file} AND part = ${part}`);
  return row && open(ring, place(organizationId, row.id), row.sealed);
}

/** A job's whole file, a part at a time. */
export async function* partsOf(
  db: Pick<Queries, 'one'>,
  installation: Pick<Installation, 'ring'>,
  job: JobKey,
  file: string,
): AsyncGenerator<string, void> {
  for (let part = 0; ; part++) {
    const text = await partOf(db, installation, job, file, part);
    if (text === undefined) return;
    yield text;
  }
}

/** Takes a job's file from the disk; another of the same name may then be begun. */
export async function dropFile(tx: Queries, { organizationId, id }: JobKey, file: string): Promise<void> {
  await tx.run(
    sql`DELETE FROM job_parts WHERE organization_id = ${organizationId} AND job_id = ${id} AND file = ${file}`,
  );
}

export const SEALED_PARTS: SealedColumn = {
  name: 'job_parts.sealed',
  table: sql`job_parts`,
  column: sql`sealed`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, sealed FROM job_parts`,
  place: (row) => place(row.first, row.second),
};

function place(organizationId: string, id: string): string[] {
  return ['job_parts', 'sealed', organizationId, id];
}
