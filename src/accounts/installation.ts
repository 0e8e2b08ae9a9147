import { randomBytes } from 'node:crypto';
import { hashPassword, BACKUP_CODE_COST, PASSWORD_COST, type HashCost } from '../crypto/passwords.ts';
import { hashingGuard, type HashingGuard, type HashingLimits } from '../crypto/hashing-guard.ts';
import { open, seal, type KeyRing } from '../crypto/seal.ts';
import { DatabaseUnavailable, sql, type Database } from '../db/db.ts';
import { letRingGo, newHolder, takeUpRing, type Holder, type SealedColumn } from './keys.ts';

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
  /** This process, among those that hold a ring. */
  readonly holder: Holder;
  /** The server's clock in milliseconds since 1970: the only one that counts (ASVS 6.5.8). */
  readonly now: () => number;
  readonly log: Log;
  readonly hashing: HashingGuard;
  /** Whether letters are written and sent; without a mail server the pages say how else to go on. */
  readonly mailIsOn: boolean;
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
  readonly mailIsOn?: boolean;
  readonly passwordCost?: HashCost;
  readonly backupCodeCost?: HashCost;
}

/** Opens the installation on a migrated database. Throws KeyRefused where the ring cannot be taken up (I16, I17). */
export async function openInstallation(
  db: Database,
  ring: KeyRing,
  options: InstallationOptions,
): Promise<Installation> {
  const holder = newHolder(options.now());
  await takeUpRing(db, ring, holder, options.now());
  const passwordCost = options.passwordCost ?? PASSWORD_COST;
  const hashing = hashingGuard(options.hashing);
  return {
    db,
    ring,
    holder,
    now: options.now,
    log: options.log,
    hashing,
    mailIsOn: options.mailIsOn ?? false,
    passwordCost,
    backupCodeCost: options.backupCodeCost ?? BACKUP_CODE_COST,
    auditKey: await installationKey(db, ring, 'audit', options.now()),
    counterKey: await installationKey(db, ring, 'counters', options.now()),
    nobodysPassword: hashPassword(randomBytes(32).toString('hex'), passwordCost),
  };
}

/** Ends what openInstallation began. A database out of reach forgets by itself that this process held its keys. */
export async function closeInstallation(installation: Pick<Installation, 'db' | 'holder'>): Promise<void> {
  try {
    await letRingGo(installation);
  } catch (fault) {
    if (!(fault instanceof DatabaseUnavailable)) throw fault;
  } finally {
    await installation.db.close();
  }
}

/** The installation's own keys, which lie sealed like everything else. */
export const SEALED_INSTALLATION_KEYS: SealedColumn = {
  name: 'installation_keys.sealed',
  table: sql`installation_keys`,
  column: sql`sealed`,
  key: sql`'', name`,
  rows: sql`SELECT '' AS first, name AS second, sealed FROM installation_keys`,
  place: (row) => keyPlace(row.second),
};

// Made by whichever process comes first; the others read what it made.
async function installationKey(db: Database, ring: KeyRing, name: string, now: number): Promise<Uint8Array> {
  const place = keyPlace(name);
  const fresh = seal(ring, place, randomBytes(32).toString('base64url'));
  const row = await db.transaction(async (tx) => {
    await tx.run(sql`INSERT INTO installation_keys (name, sealed, created_at) VALUES (${name}, ${fresh}, ${now})
      ON CONFLICT (name) DO NOTHING`);
    return tx.one<{ sealed: string }>(sql`SELECT sealed FROM installation_keys WHERE name = ${name}`);
  });
  return Buffer.from(open(ring, place, row?.sealed ?? ''), 'base64url');
}

function keyPlace(name: string): string[] {
  return ['installation_keys', 'sealed', name];
}
