import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { appendPart, partOf, type JobKey } from '../accounts/job-parts.ts';
import type { Queries } from '../db/db.ts';
import { recognise } from '../import/columns.ts';
import {
  COLUMNS_MAX,
  FILE_BYTES_MAX,
  FileRefused,
  readRecords,
  ROWS_MAX,
  type CsvRecord,
  type FileProblem,
} from '../import/records.ts';
import { looksSecret } from '../import/secrets.ts';
import { prepareJob } from './jobs.ts';

/** The kind of the job that a file waits in, from its upload on. */
export const IMPORT_CUSTOMERS = 'import-customers';

/** The files of such a job. Parts of `rows` and of `problems` stand side by side. */
export const FILES = { about: 'about', rows: 'rows', problems: 'problems', findings: 'findings', left: 'left' };

const ROWS_A_PART = 250;
const CHARACTERS_A_PART = 64 * 1024;
const PIECE_BYTES = 64 * 1024;

/** What is known of a file once it is there. */
export interface About {
  readonly fileName: string;
  readonly fileHash: string;
  readonly header: readonly string[];
  /** Of each column the first cell that says something. */
  readonly samples: readonly string[];
  readonly parts: number;
  readonly updates: boolean;
  /** Whether those who are new and have no password are invited by mail. */
  readonly invites: boolean;
}

/** A file as it comes: its name is shown, its bytes are read once. */
export interface FileToImport {
  readonly name: string;
  readonly bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export type Staged =
  | { kind: 'staged'; id: string }
  | { kind: 'refused'; problem: FileProblem }
  | { kind: 'no-email'; found: readonly string[] }
  | { kind: 'no-rows' }
  | { kind: 'too-large' };

/**
 * Takes a file's rows in, sealed, part by part, for a job that nobody has started: nothing of the console changes by it.
 * Whatever is not started is gone after a day.
 */
export async function stageFile(
  installation: Installation,
  { organizationId, actor }: { organizationId: string; actor: Actor },
  { name, bytes }: FileToImport,
  { updates, invites = false }: { updates: boolean; invites?: boolean },
): Promise<Staged> {
  const hash = createHash('sha256');
  const records = readRecords(counted(bytes, (piece) => void hash.update(piece)));
  try {
    const first = await records.next();
    if (first.done === true) return { kind: 'refused', problem: { kind: 'not-csv' } };
    const header = first.value.cells.map((cell) => cell.trim());
    if (header.length > COLUMNS_MAX) return { kind: 'too-large' };
    if (recognise(header).email === undefined) return { kind: 'no-email', found: header };
    const id = await installation.db.transaction((tx) =>
      prepareJob(tx, installation, { organizationId, actor, kind: IMPORT_CUSTOMERS, plan: {}, total: 0 }),
    );
    const key = { organizationId, id };
    const samples = header.map(() => '');
    const parts = await keepRows(installation, key, records, samples);
    if (parts === 0) return { kind: 'no-rows' };
    const fileHash = hash.digest('base64url');
    const about: About = { fileName: name, fileHash, header, samples, parts, updates, invites };
    await keep(installation, key, FILES.about, about);
    return { kind: 'staged', id };
  } catch (fault) {
    if (fault instanceof TooLarge) return { kind: 'too-large' };
    if (fault instanceof FileRefused) return { kind: 'refused', problem: fault.problem };
    throw fault;
  }
}

class TooLarge extends Error {}

async function* counted(bytes: FileToImport['bytes'], watch: (piece: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > FILE_BYTES_MAX) throw new TooLarge();
    watch(chunk);
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      yield chunk.subarray(at, at + PIECE_BYTES);
      // Others are served between two pieces, however many come at once.
      await turn();
    }
  }
}

async function keepRows(
  installation: Installation,
  key: JobKey,
  records: AsyncIterable<CsvRecord>,
  samples: string[],
): Promise<number> {
  let [rows, parts, characters] = [0, 0, 0];
  let part: CsvRecord[] = [];
  const flush = async (): Promise<void> => {
    if (part.length === 0) return;
    await keep(installation, key, FILES.rows, part);
    [part, characters, parts] = [[], 0, parts + 1];
  };
  for await (const record of records) {
    if (record.cells.every((cell) => cell.trim() === '')) continue;
    if (++rows > ROWS_MAX) throw new TooLarge();
    part.push(record);
    for (const [at, sample] of samples.entries()) if (sample === '') samples[at] = shownSample(record.cells[at] ?? '');
    characters += record.cells.reduce((sum, cell) => sum + cell.length, 0);
    if (part.length === ROWS_A_PART || characters > CHARACTERS_A_PART) await flush();
  }
  await flush();
  return parts;
}

const SAMPLE_MAX = 40;

// Whoever looks at the columns needs no secret to tell which of them has some.
function shownSample(cell: string): string {
  const text = cell.trim();
  if (text === '') return '';
  return looksSecret(text) ? '(secret)' : Array.from(text).slice(0, SAMPLE_MAX).join('');
}

function keep(installation: Installation, key: JobKey, file: string, value: unknown): Promise<void> {
  return installation.db.transaction((tx) => appendPart(tx, installation, key, file, JSON.stringify(value)));
}

/** What is known of a file that waits; undefined where it is not there (any more). */
export async function aboutFile(
  db: Pick<Queries, 'one'>,
  installation: Installation,
  key: JobKey,
): Promise<About | undefined> {
  const text = await partOf(db, installation, key, FILES.about, 0);
  return text === undefined ? undefined : (JSON.parse(text) as About);
}

/** One part of such a file's rows or problems; undefined where there is none (any more). */
export async function readPart<T>(
  db: Pick<Queries, 'one'>,
  installation: Installation,
  key: JobKey,
  file: string,
  part: number,
): Promise<T[] | undefined> {
  const text = await partOf(db, installation, key, file, part);
  return text === undefined ? undefined : (JSON.parse(text) as T[]);
}
