import { randomBytes } from 'node:crypto';
import { hashPassword, BACKUP_CODE_COST, PASSWORD_COST, type HashCost } from '../crypto/passwords.ts';
import { hashingGuard, type HashingGuard, type HashingLimits } from '../crypto/hashing-guard.ts';
import { open, seal, SealError, type KeyRing } from '../crypto/seal.ts';
import { sql, type Database } from '../db/db.ts';

/** Where the domain tells operators what no page shows. Never a secret, a code, a password or a token. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What every story of the domain works with. Made once at start, handed on by hand. */
export interface Installation {
  readonly db: Database;
  readonly ring: KeyRing;
  /** The server's clock in milliseconds since 1970: the only one that counts (ASVS 6.5.8). */
  readonly now: () => number;
  readonly log: Log;
  readonly hashing: HashingGuard;
  readonly passwordCost: HashCost;
  readonly backupCodeCost: HashCost;
  /** Keys the MACs of audit rows. */
  readonly auditKey: Uint8Array;
  /** Keys the fingerprints of addresses and e-mails in counters. */
  readonly counterKey: Uint8Array;
  /** The hash of nobody's password: what an unknown e-mail is verified against, in the same time (I20). */
  readonly nobodysPassword: Promise<string>;
}

export interface InstallationOptions {
  readonly now: () => number;
  readonly log: Log;
  readonly hashing: HashingLimits;
  readonly passwordCost?: HashCost;
  readonly backupCodeCost?: HashCost;
}

/** A key that is needed is missing or is not the one that sealed: the server must not start. */
export class KeyRefused extends Error {
  override readonly name = 'KeyRefused';
}

/**
 * Opens the installation on a migrated database. Refuses a ring that lacks a key in use or holds other bytes under
 * its id, and a seal that would open in another row (I16, I17): throws KeyRefused with what to mend.
 */
export async function openInstallation(
  db: Database,
  ring: KeyRing,
  options: InstallationOptions,
): Promise<Installation> {
  testSeal(ring);
  await checkKeysInUse(db, ring, options.now());
  const passwordCost = options.passwordCost ?? PASSWORD_COST;
  const hashing = hashingGuard(options.hashing);
  return {
    db,
    ring,
    now: options.now,
    log: options.log,
    hashing,
    passwordCost,
    backupCodeCost: options.backupCodeCost ?? BACKUP_CODE_COST,
    auditKey: await installationKey(db, ring, 'audit', options.now()),
    counterKey: await installationKey(db, ring, 'counters', options.now()),
    nobodysPassword: hashPassword(randomBytes(32).toString('hex'), passwordCost),
  };
}

/** Whether the database has been sealed with any key yet: only an unused one may be given a freshly made ring. */
export async function hasKeysInUse(db: Database): Promise<boolean> {
  return (await db.one(sql`SELECT 1 AS found FROM key_uses`)) !== undefined;
}

function testSeal(ring: KeyRing): void {
  const sealed = seal(ring, ['self-test', 'row 1'], 'text');
  if (open(ring, ['self-test', 'row 1'], sealed) !== 'text')
    throw new KeyRefused('The key ring does not open its own seal.');
  try {
    open(ring, ['self-test', 'row 2'], sealed);
  } catch (fault) {
    if (fault instanceof SealError) return;
    throw fault;
  }
  throw new KeyRefused('A sealed value opened in another row. Do not run this build.');
}

// In one transaction, so that a ring which is refused leaves no trace: its key would be held to be in use ever after.
async function checkKeysInUse(db: Database, ring: KeyRing, now: number): Promise<void> {
  const proof = seal(ring, proofPlace(ring.current), ring.current);
  await db.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO key_uses (key_id, proof, first_used_at) VALUES (${ring.current}, ${proof}, ${now})
      ON CONFLICT (key_id) DO NOTHING`);
    for (const use of await tx.all<KeyUse>(sql`SELECT key_id AS "keyId", proof FROM key_uses`)) checkKey(ring, use);
  });
}

interface KeyUse {
  readonly keyId: string;
  readonly proof: string;
}

function checkKey(ring: KeyRing, { keyId, proof }: KeyUse): void {
  if (!ring.keys.has(keyId)) {
    throw new KeyRefused(`Key "${keyId}" has sealed secrets in this database and is missing from SALLYPORT_KEYS.`);
  }
  try {
    open(ring, proofPlace(keyId), proof);
  } catch {
    throw new KeyRefused(`Key "${keyId}" in SALLYPORT_KEYS is not the one this database was sealed with.`);
  }
}

function proofPlace(keyId: string): string[] {
  return ['key_uses', 'proof', keyId];
}

// Made by whichever process comes first; the others read what it made.
async function installationKey(db: Database, ring: KeyRing, name: string, now: number): Promise<Uint8Array> {
  const place = ['installation_keys', 'sealed', name];
  const fresh = seal(ring, place, randomBytes(32).toString('base64url'));
  const row = await db.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO installation_keys (name, sealed, created_at) VALUES (${name}, ${fresh}, ${now})
      ON CONFLICT (name) DO NOTHING`);
    return tx.one<{ sealed: string }>(sql`SELECT sealed FROM installation_keys WHERE name = ${name}`);
  });
  return Buffer.from(open(ring, place, row?.sealed ?? ''), 'base64url');
}
