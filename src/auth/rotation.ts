import { setTimeout as pause } from 'node:timers/promises';
import { SEALED_INSTALLATION_KEYS, type Installation } from '../accounts/installation.ts';
import { SEALED_PARTS } from '../accounts/job-parts.ts';
import { keysInUse, releaseKey, type KeyUse, type SealedColumn, type SealedRow } from '../accounts/keys.ts';
import { SEALED_MAILS } from '../accounts/outbox.ts';
import { open, seal, sealedBy, SealError, type KeyRing } from '../crypto/seal.ts';
import { sql, type Database, type Sql } from '../db/db.ts';
import { SEALED_SHOWN_CODES } from './ceremony-codes.ts';
import { SEALED_CODE_HASHES } from './factors/backup-codes.ts';
import { SEALED_SIGN_IN_CODES } from './factors/sign-in-code.ts';
import { SEALED_SECRETS } from './factors/totp.ts';
import { SEALED_PARKED_FORMS } from './parked-forms.ts';
import { SEALED_PASSWORDS } from './passwords.ts';

/** Everything that lies sealed, but for the proofs of `key_uses`, which stay with their key and go with it. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  SEALED_INSTALLATION_KEYS,
  SEALED_PASSWORDS,
  SEALED_SECRETS,
  SEALED_CODE_HASHES,
  SEALED_SIGN_IN_CODES,
  SEALED_SHOWN_CODES,
  SEALED_PARTS,
  SEALED_MAILS,
  SEALED_PARKED_FORMS,
];

const PAGE = 200;
/** On SQLite every writer waits for every other: so many rows, then whoever signs in has the file to himself. */
const ROWS_BETWEEN_PAUSES = 16;
const PAUSE_MS = 2;

/** Told after each value that was looked at. */
export type Watch = (column: string, done: number, total: number) => void;

export interface Rotation {
  readonly key: string;
  /** How many values of each column were sealed again. */
  readonly columns: readonly { readonly column: string; readonly resealed: number }[];
  readonly released: readonly string[];
  readonly kept: readonly KeptKey[];
}

/** A key that is still in use: by whom, and how many values could not be opened with it. */
export interface KeptKey {
  readonly key: string;
  readonly sealers: readonly string[];
  readonly stuck: number;
}

/**
 * Seals again, under the ring's current key, whatever another one has sealed, and then gives up the keys that hold
 * nothing any more and that no running process seals with (I17). Each value is exchanged by itself and only while it is
 * still the one that was opened, so a password, reset or code that comes meanwhile stays as it was set, and nothing that
 * a sign-in reads besides changes. May be stopped anywhere, run again, and run by several at once. A value that does
 * not open keeps its key and holds up no other.
 */
export async function rotate(installation: Installation, watch: Watch): Promise<Rotation> {
  const { db, ring, now } = installation;
  const resealed = new Map(SEALED_COLUMNS.map(({ name }) => [name, 0]));
  for (;;) {
    // Read before looking: a key that is released was with nobody from here to its release, so nothing new has it.
    const others = (await keysInUse(db, now())).filter(({ keyId }) => keyId !== ring.current);
    const looked = await lookAtAll(installation, resealed, watch);
    const unfinished = others.some((use) => use.sealers.length === 0 && looked.resealed.has(use.keyId));
    if (unfinished) continue;
    const columns = [...resealed].map(([column, values]) => ({ column, resealed: values }));
    return { key: ring.current, columns, ...(await release(db, others, looked)) };
  }
}

/** How many values of each column the keys of a ring, or one of them, have sealed. Changes nothing. */
export async function countSealed(db: Database, keyId: string): Promise<{ column: string; count: number }[]> {
  const counts: { column: string; count: number }[] = [];
  for (const column of SEALED_COLUMNS)
    counts.push({ column: column.name, count: await countRows(db, column, under(keyId)) });
  return counts;
}

/** What one look at every column has met, by key: values sealed again or lost to somebody else, and values that do not open. */
interface Looked {
  readonly resealed: Map<string, number>;
  readonly stuck: Map<string, number>;
}

async function lookAtAll(installation: Installation, resealed: Map<string, number>, watch: Watch): Promise<Looked> {
  const looked: Looked = { resealed: new Map(), stuck: new Map() };
  for (const column of SEALED_COLUMNS) {
    const total = await countRows(installation.db, column, sql`NOT (${under(installation.ring.current)})`);
    let done = 0;
    for await (const row of rowsToReseal(installation, column)) {
      const outcome = await reseal(installation, column, row);
      if (outcome === 'resealed') raise(resealed, column.name);
      raise(outcome === 'stuck' ? looked.stuck : looked.resealed, sealedBy(row.sealed));
      watch(column.name, ++done, Math.max(done, total));
      if (done % ROWS_BETWEEN_PAUSES === 0) await pause(PAUSE_MS);
    }
  }
  return looked;
}

async function* rowsToReseal({ db, ring }: Installation, column: SealedColumn): AsyncGenerator<SealedRow> {
  for (let [first, second] = ['', '']; ;) {
    const page = await db.all<SealedRow>(sql`SELECT * FROM (${column.rows}) r
      WHERE r.sealed IS NOT NULL AND NOT (${under(ring.current)}) AND (r.first, r.second) > (${first}, ${second})
      ORDER BY r.first, r.second LIMIT ${PAGE}`);
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    ({ first, second } = last);
  }
}

/** 'lost': somebody has changed the value since it was read. The next look finds what they have made of it. */
async function reseal(
  { db, ring }: Installation,
  column: SealedColumn,
  row: SealedRow,
): Promise<'resealed' | 'lost' | 'stuck'> {
  const fresh = sealedAgain(ring, column.place(row), row.sealed);
  if (fresh === undefined) return 'stuck';
  // Committed without waiting for the disk: what a power cut takes back is sealed again, and the release waits for it all.
  const swapped = await db.relaxed(sql`UPDATE ${column.table} SET ${column.column} = ${fresh}
    WHERE (${column.key}) = (${row.first}, ${row.second}) AND ${column.column} = ${row.sealed} RETURNING 1 AS swapped`);
  return swapped.length === 1 ? 'resealed' : 'lost';
}

function sealedAgain(ring: KeyRing, place: readonly string[], sealed: string): string | undefined {
  try {
    return seal(ring, place, open(ring, place, sealed));
  } catch (fault) {
    if (fault instanceof SealError) return undefined;
    throw fault;
  }
}

async function release(
  db: Database,
  others: readonly KeyUse[],
  { resealed, stuck }: Looked,
): Promise<Pick<Rotation, 'released' | 'kept'>> {
  const released: string[] = [];
  const kept: KeptKey[] = [];
  for (const use of others) {
    const { keyId, sealers } = use;
    const empty = sealers.length === 0 && !resealed.has(keyId) && !stuck.has(keyId);
    if (empty && (await releaseKey(db, use))) released.push(keyId);
    else kept.push({ key: keyId, sealers, stuck: stuck.get(keyId) ?? 0 });
  }
  return { released, kept };
}

async function countRows(db: Database, column: SealedColumn, which: Sql): Promise<number> {
  const row = await db.one<{ count: number }>(sql`SELECT COUNT(*) AS count FROM (${column.rows}) r
    WHERE r.sealed IS NOT NULL AND ${which}`);
  return row?.count ?? 0;
}

// Not LIKE, for which an underscore in a key's id is any character.
function under(keyId: string): Sql {
  return sql`substr(r.sealed, 1, ${keyId.length + 1}) = ${`${keyId}.`}`;
}

function raise(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
