import { open, seal } from '../crypto/seal.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { sql, type Database, type Queries, type Transaction } from '../db/db.ts';
import type { Installation } from './installation.ts';
import type { SealedColumn } from './keys.ts';

/** How long an uploaded file is kept that nobody imports. */
export const UPLOAD_KEPT_MS = 24 * 60 * 60_000;

/** An uploaded file, without its rows. */
export interface Import {
  readonly organizationId: string;
  readonly id: string;
  readonly fileName: string;
  readonly fileHash: string;
  /** 0 until the whole file is there. */
  readonly parts: number;
  /** Since when contacts that exist are to be changed too; null where they are left as they are. */
  readonly updatesAt: number | null;
  readonly jobId: string | null;
  readonly importedAt: number | null;
}

const COLUMNS = sql`organization_id AS "organizationId", id, file_name AS "fileName", file_hash AS "fileHash",
  part_count AS parts, updates_at AS "updatesAt", job_id AS "jobId", imported_at AS "importedAt"`;

/** Makes room for an uploaded file: its parts come one by one, and it counts as there once `keepImport` has run. */
export async function beginImport(
  installation: Installation,
  organizationId: string,
  file: { accountId: string | null; fileName: string; fileHash: string },
): Promise<string> {
  const now = installation.now();
  const id = uuidv7(now);
  await installation.db.transaction((tx) =>
    tx.run(sql`INSERT INTO imports (organization_id, id, account_id, file_name, file_hash, created_at, expires_at)
      VALUES (${organizationId}, ${id}, ${file.accountId}, ${file.fileName}, ${file.fileHash}, ${now}, ${now + UPLOAD_KEPT_MS})`),
  );
  return id;
}

/** Keeps one part of a file's rows, sealed. On the disk at the latest with the commit of `keepImport`. */
export async function keepPart(
  { db, ring }: Installation,
  { organizationId, id: importId }: Pick<Import, 'organizationId' | 'id'>,
  number: number,
  rows: unknown,
): Promise<void> {
  const id = partId(importId, number);
  const sealed = seal(ring, partPlace(organizationId, id), JSON.stringify(rows));
  await db.relaxed(sql`INSERT INTO import_parts (organization_id, id, import_id, number, sealed)
    VALUES (${organizationId}, ${id}, ${importId}, ${number}, ${sealed}) RETURNING number`);
}

/** A part of a file's rows, and the lines in it that repeat earlier ones; undefined where there is none (any more). */
export async function partOf<Rows>(
  db: Pick<Queries, 'one'>,
  { ring }: Installation,
  { organizationId, id: importId }: Pick<Import, 'organizationId' | 'id'>,
  number: number,
): Promise<{ rows: Rows; repeated: readonly number[] } | undefined> {
  const id = partId(importId, number);
  const row = await db.one<{ sealed: string; repeated: string }>(
    sql`SELECT sealed, repeated FROM import_parts WHERE organization_id = ${organizationId} AND id = ${id}`,
  );
  if (!row) return undefined;
  return {
    rows: JSON.parse(open(ring, partPlace(organizationId, id), row.sealed)) as Rows,
    repeated: JSON.parse(row.repeated) as number[],
  };
}

/** What is known of a file as a whole, and whether it changes contacts that exist. */
export interface ImportNotes<About> {
  readonly parts: number;
  readonly updates: boolean;
  readonly about: About;
  /** By part, the lines that repeat earlier ones. */
  readonly repeated: readonly (readonly number[])[];
}

/** Writes down what was found in a file that is not being imported yet. False where it is, or is gone. */
export async function keepImport<About>(
  installation: Installation,
  { organizationId, id }: Pick<Import, 'organizationId' | 'id'>,
  { parts, updates, about, repeated }: ImportNotes<About>,
): Promise<boolean> {
  const sealed = seal(installation.ring, importPlace(organizationId, id), JSON.stringify(about));
  return installation.db.transaction(async (tx) => {
    const kept = await tx.run(sql`UPDATE imports SET sealed = ${sealed}, part_count = ${parts},
        updates_at = ${updates ? installation.now() : null}
      WHERE organization_id = ${organizationId} AND id = ${id} AND job_id IS NULL AND imported_at IS NULL`);
    if (kept === 0) return false;
    for (const [number, lines] of repeated.entries()) {
      await tx.run(sql`UPDATE import_parts SET repeated = ${JSON.stringify(lines)}
        WHERE organization_id = ${organizationId} AND id = ${partId(id, number)} AND repeated <> ${JSON.stringify(lines)}`);
    }
    return true;
  });
}

/** A file that is there as a whole, with what was found in it; undefined where it is over or was never. */
export async function findImport<About>(
  db: Pick<Queries, 'one'>,
  { ring }: Installation,
  organizationId: string,
  id: string,
): Promise<{ import: Import; about: About } | undefined> {
  const row = await db.one<Import & { sealed: string }>(sql`SELECT ${COLUMNS}, sealed FROM imports
    WHERE organization_id = ${organizationId} AND id = ${id} AND sealed IS NOT NULL`);
  if (!row) return undefined;
  const { sealed, ...found } = row;
  return { import: found, about: JSON.parse(open(ring, importPlace(organizationId, id), sealed)) as About };
}

/** When a file with the same content was last imported, or undefined. */
export async function lastImportOf(
  db: Pick<Database, 'one'>,
  organizationId: string,
  fileHash: string,
): Promise<number | undefined> {
  const row = await db.one<{ at: number | null }>(sql`SELECT MAX(imported_at) AS at FROM imports
    WHERE organization_id = ${organizationId} AND file_hash = ${fileHash} AND imported_at IS NOT NULL`);
  return row?.at ?? undefined;
}

/** Gives a checked file to the job that imports it: to one, whoever asks at the same time. */
export async function claimImport(
  tx: Transaction,
  { organizationId, id }: Pick<Import, 'organizationId' | 'id'>,
  jobId: string,
  now: number,
): Promise<boolean> {
  const claimed = await tx.run(sql`UPDATE imports SET job_id = ${jobId}, expires_at = ${now + UPLOAD_KEPT_MS}
    WHERE organization_id = ${organizationId} AND id = ${id} AND job_id IS NULL AND sealed IS NOT NULL AND part_count > 0`);
  return claimed === 1;
}

/** Takes a file's rows from the disk; `importedAt` is when it was imported, null where it was not. */
export async function endImport(
  tx: Transaction,
  { organizationId, id }: Pick<Import, 'organizationId' | 'id'>,
  importedAt: number | null,
): Promise<void> {
  await tx.run(sql`DELETE FROM import_parts WHERE organization_id = ${organizationId} AND import_id = ${id}`);
  await tx.run(sql`UPDATE imports SET sealed = NULL, imported_at = ${importedAt}
    WHERE organization_id = ${organizationId} AND id = ${id}`);
}

/** What is found in uploaded files, as rotation meets it. */
export const SEALED_IMPORTS: SealedColumn = {
  name: 'imports.sealed',
  table: sql`imports`,
  column: sql`sealed`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, sealed FROM imports`,
  place: (row) => importPlace(row.first, row.second),
};

/** The rows of uploaded files. */
export const SEALED_IMPORT_PARTS: SealedColumn = {
  name: 'import_parts.sealed',
  table: sql`import_parts`,
  column: sql`sealed`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, sealed FROM import_parts`,
  place: (row) => partPlace(row.first, row.second),
};

function partId(importId: string, number: number): string {
  return `${importId}.${String(number).padStart(5, '0')}`;
}

function importPlace(organizationId: string, id: string): string[] {
  return ['imports', 'sealed', organizationId, id];
}

function partPlace(organizationId: string, id: string): string[] {
  return ['import_parts', 'sealed', organizationId, id];
}
