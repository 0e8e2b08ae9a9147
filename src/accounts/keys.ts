import { hostname } from 'node:os';
import { open, seal, SealError, type KeyRing } from '../crypto/seal.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import type { Installation } from './installation.ts';

/** A column of sealed values, as the rotation of keys finds them. Exported by the module that seals them. */
export interface SealedColumn<R extends SealedRow = SealedRow> {
  /** As operators read it: `table.column`. */
  readonly name: string;
  readonly table: Sql;
  readonly column: Sql;
  /** The two columns that are a row's key, in the order in which they are read. */
  readonly key: Sql;
  /** All rows, with the key as `first` and `second`, the value as `sealed`, and whatever else makes their place. */
  readonly rows: Sql;
  /** What a value is bound to in its row. */
  place(row: R): readonly string[];
}

export interface SealedRow {
  readonly first: string;
  readonly second: string;
  readonly sealed: string;
}

/** A running process, told apart from the others that hold a ring of keys. */
export interface Holder {
  readonly id: string;
  /** Machine and process id, for operators. */
  readonly name: string;
}

/** How long a process that was killed is still held to be running: three times what it has to say so. */
export const HOLDER_FORGOTTEN_MS = 3 * 60_000;

/** A key that is needed is missing, is not the one that sealed or is not known to everybody: the server must not start. */
export class KeyRefused extends Error {
  override readonly name = 'KeyRefused';
  readonly found: string;
  readonly mend: string;

  constructor(found: string, mend: string) {
    super(`${found} ${mend}`);
    this.found = found;
    this.mend = mend;
  }
}

/** A name for this process among those that hold keys. */
export function newHolder(now: number): Holder {
  return { id: uuidv7(now), name: `${hostname()}, process ${process.pid}` };
}

/**
 * Takes a ring up for a process that starts. Refuses one that lacks a key in use or holds other bytes under its id, a
 * seal that would open in another row, and a first key that a running process does not have, which could not open what
 * is sealed with it (I16, I17): throws KeyRefused with what to mend.
 */
export async function takeUpRing(db: Database, ring: KeyRing, holder: Holder, now: number): Promise<void> {
  testSeal(ring);
  // In one transaction, so that a ring which is refused leaves no trace: its key would be held to be in use ever after.
  await db.transaction(async (tx) => {
    // One start after the other: of two with different rings, the second sees what the first has written.
    await tx.run(sql`UPDATE key_uses SET first_used_at = first_used_at`);
    await noteUse(tx, ring, holder, now);
    for (const use of await tx.all<ProvenUse>(sql`SELECT key_id AS "keyId", proof FROM key_uses`)) checkKey(ring, use);
    for (const other of await findHolders(tx, now)) checkHolder(ring, other, now);
  });
}

/** Says that a process still runs, and seals with the first key of its ring. Due every minute. */
export async function keepRing({
  db,
  ring,
  holder,
  now,
  log,
}: Pick<Installation, 'db' | 'ring' | 'holder' | 'now' | 'log'>): Promise<void> {
  const wasInUse = await db.transaction(async (tx) => {
    const use = await tx.one(sql`SELECT 1 AS found FROM key_uses WHERE key_id = ${ring.current}`);
    await noteUse(tx, ring, holder, now());
    return use !== undefined;
  });
  if (!wasInUse) log.warn('a key was released while this process seals with it', { key: ring.current });
}

/** Says that a process has ended, which seals nothing any more. */
export async function letRingGo({ db, holder }: Pick<Installation, 'db' | 'holder'>): Promise<void> {
  await db.transaction((tx) => tx.run(sql`DELETE FROM key_holders WHERE id = ${holder.id}`));
}

/** Whether the database has been sealed with any key yet: only an unused one may be given a freshly made ring. */
export async function hasKeysInUse(db: Pick<Queries, 'one'>): Promise<boolean> {
  return (await db.one(sql`SELECT 1 AS found FROM key_uses`)) !== undefined;
}

/** A key that has sealed something, and the names of the running processes that seal with it. */
export interface KeyUse {
  readonly keyId: string;
  readonly firstUsedAt: number;
  readonly lastUsedAt: number;
  readonly sealers: readonly string[];
}

/** The keys in use, the oldest first. */
export async function keysInUse(db: Pick<Queries, 'all'>, now: number): Promise<KeyUse[]> {
  // The holders first: one who comes after them has raised `lastUsedAt` or will, and releaseKey notices.
  const holders = await findHolders(db, now);
  const uses = await db.all<Omit<KeyUse, 'sealers'>>(sql`SELECT key_id AS "keyId", first_used_at AS "firstUsedAt",
    last_used_at AS "lastUsedAt" FROM key_uses ORDER BY first_used_at, key_id`);
  return uses.map((use) => ({
    ...use,
    sealers: holders.filter(({ currentKey }) => currentKey === use.keyId).map(({ name }) => name),
  }));
}

/**
 * Gives a key up, on the disk before it is answered: from then on a ring may lack it. False where a process has taken
 * it up since it was looked at, in which case it may have sealed something again.
 */
export async function releaseKey(db: Database, { keyId, lastUsedAt }: KeyUse): Promise<boolean> {
  const released = await db.transaction((tx) =>
    tx.run(sql`DELETE FROM key_uses WHERE key_id = ${keyId} AND last_used_at = ${lastUsedAt}`),
  );
  return released === 1;
}

function testSeal(ring: KeyRing): void {
  const broken = 'Do not run this build.';
  const sealed = seal(ring, ['self-test', 'row 1'], 'text');
  if (open(ring, ['self-test', 'row 1'], sealed) !== 'text')
    throw new KeyRefused('The key ring does not open its own seal.', broken);
  try {
    open(ring, ['self-test', 'row 2'], sealed);
  } catch (fault) {
    if (fault instanceof SealError) return;
    throw fault;
  }
  throw new KeyRefused('A sealed value opened in another row.', broken);
}

async function noteUse(tx: Transaction, ring: KeyRing, holder: Holder, now: number): Promise<void> {
  const proof = seal(ring, proofPlace(ring.current), ring.current);
  await tx.run(sql`INSERT INTO key_uses (key_id, proof, first_used_at, last_used_at)
    VALUES (${ring.current}, ${proof}, ${now}, ${now})
    ON CONFLICT (key_id) DO UPDATE SET last_used_at =
      CASE WHEN key_uses.last_used_at < excluded.last_used_at THEN excluded.last_used_at ELSE key_uses.last_used_at + 1 END`);
  await tx.run(sql`INSERT INTO key_holders (id, name, current_key, key_ids, seen_at)
    VALUES (${holder.id}, ${holder.name}, ${ring.current}, ${[...ring.keys.keys()].join(',')}, ${now})
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`);
}

interface ProvenUse {
  readonly keyId: string;
  readonly proof: string;
}

function checkKey(ring: KeyRing, { keyId, proof }: ProvenUse): void {
  if (!ring.keys.has(keyId)) {
    throw new KeyRefused(
      `Key "${keyId}" has sealed secrets in this database and is missing from SALLYPORT_KEYS.`,
      'Put it back behind the first; "sallyport keys rotate" then seals them again and says when it may go.',
    );
  }
  try {
    open(ring, proofPlace(keyId), proof);
  } catch {
    throw new KeyRefused(
      `Key "${keyId}" in SALLYPORT_KEYS is not the one this database was sealed with.`,
      'Put the right one back under this name, and give a new key a name of its own.',
    );
  }
}

interface FoundHolder {
  readonly name: string;
  readonly currentKey: string;
  readonly keyIds: string;
  readonly seenAt: number;
}

function findHolders(db: Pick<Queries, 'all'>, now: number): Promise<FoundHolder[]> {
  return db.all(sql`SELECT name, current_key AS "currentKey", key_ids AS "keyIds", seen_at AS "seenAt"
    FROM key_holders WHERE seen_at > ${now - HOLDER_FORGOTTEN_MS} ORDER BY name`);
}

function checkHolder(ring: KeyRing, { name, keyIds, seenAt }: FoundHolder, now: number): void {
  if (keyIds.split(',').includes(ring.current)) return;
  const seconds = Math.max(0, Math.round((now - seenAt) / 1000));
  throw new KeyRefused(
    `Key "${ring.current}" comes first here, and a process that runs without it could not open what it seals: ${name}, seen ${seconds} s ago.`,
    'Restart it first. With several servers put the key last on all, restart each, and then put it first; one that was killed is forgotten after 3 minutes.',
  );
}

function proofPlace(keyId: string): string[] {
  return ['key_uses', 'proof', keyId];
}
