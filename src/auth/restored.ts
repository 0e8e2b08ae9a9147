import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { keepAllListed } from '../accounts/listed.ts';
import { someOrganizations } from '../accounts/organizations.ts';
import { timeStep } from '../crypto/totp.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { CLOCK_SLACK_MS, STEPS_EITHER_WAY } from './limits.ts';

/** What was closed after a restore. */
export interface Closed {
  /** When the copy was made; null where nothing in it says so. */
  readonly takenAt: number | null;
  readonly accounts: number;
  readonly sessions: number;
  /** Authenticators that accept no code of the next minute and a half. */
  readonly authenticators: number;
  readonly backupCodeSets: number;
}

/**
 * Closes what a restored database cannot know about the time since its copy was made, in one transaction. Every epoch
 * rises, so that no session, challenge, pending enrolment or link of before opens anything (I12); no authenticator
 * accepts a step that could have been used by now (I1). Backup codes used since are good once more: they can be
 * revoked with the rest, and by default stay, since most people have no other way in when their phone is lost.
 */
export function closeRestored(
  installation: Installation,
  actor: Actor,
  { revokeBackupCodes }: { readonly revokeBackupCodes: boolean },
): Promise<Closed> {
  return installation.db.transaction(async (tx) => {
    const takenAt = await noCopyAnyMore(tx);
    return close(tx, installation, actor, takenAt, revokeBackupCodes);
  });
}

/**
 * The same by itself, for a server that is about to take requests, where the database is a copy that `sallyport backup`
 * made and nobody has opened since. Of servers that start at once, one does it and the others wait for it; killed in
 * the middle it has done nothing, and the next one does. Undefined where the database is no such copy.
 */
export function closeCopy(installation: Installation): Promise<Closed | undefined> {
  return installation.db.transaction<Closed | undefined>(async (tx) => {
    const takenAt = await noCopyAnyMore(tx);
    if (takenAt === null) return new RolledBack(undefined);
    return close(tx, installation, { kind: 'system' }, takenAt, false);
  });
}

/** Marks the database that this runs on as a copy of that moment. */
export async function markAsCopy(tx: Transaction, takenAt: number): Promise<void> {
  await tx.run(sql`INSERT INTO backup_copy (id, taken_at) VALUES ('this', ${takenAt})
    ON CONFLICT (id) DO UPDATE SET taken_at = excluded.taken_at`);
}

// Whoever takes the row away is the one to close; a second server waits here for the first and finds none.
async function noCopyAnyMore(tx: Transaction): Promise<number | null> {
  const copy = await tx.one<{ takenAt: number }>(sql`DELETE FROM backup_copy RETURNING taken_at AS "takenAt"`);
  return copy?.takenAt ?? null;
}

async function close(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  takenAt: number | null,
  revokeCodes: boolean,
): Promise<Closed> {
  const now = installation.now();
  const closed = { accounts: 0, sessions: 0, authenticators: 0, backupCodeSets: 0 };
  for (const { id } of await someOrganizations(tx, Number.MAX_SAFE_INTEGER)) {
    const here = await closeOrganization(tx, id, now, revokeCodes);
    await record(tx, installation, {
      organizationId: id,
      actor,
      action: 'database.restored',
      details: { ...here, ...(takenAt === null ? {} : { takenAt }) },
    });
    for (const key of Object.keys(closed) as (keyof typeof closed)[]) closed[key] += here[key];
  }
  return { takenAt, ...closed };
}

// The accounts come first: from here on whoever answers meanwhile waits, and finds the new epoch.
async function closeOrganization(
  tx: Transaction,
  organizationId: string,
  now: number,
  revokeCodes: boolean,
): Promise<Omit<Closed, 'takenAt'>> {
  const here = sql`organization_id = ${organizationId}`;
  // The last step that any server could have accepted by now, were its clock as far ahead of this one as may be.
  const lastStep = timeStep(now + CLOCK_SLACK_MS) + STEPS_EITHER_WAY;
  const accounts = await tx.run(sql`UPDATE accounts SET epoch = epoch + 1 WHERE ${here}`);
  await tx.run(
    sql`UPDATE challenges SET consumed_at = ${now}, sealed_codes = NULL WHERE ${here} AND consumed_at IS NULL`,
  );
  await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL
    WHERE ${here} AND enabled_at IS NULL AND revoked_at IS NULL`);
  const authenticators = await tx.run(sql`UPDATE authenticators SET last_step = ${lastStep}
    WHERE ${here} AND enabled_at IS NOT NULL AND revoked_at IS NULL AND last_step < ${lastStep}`);
  const sessions = await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE ${here} AND ended_at IS NULL`);
  await tx.run(sql`UPDATE trusted_devices SET revoked_at = ${now} WHERE ${here} AND revoked_at IS NULL`);
  await tx.run(sql`UPDATE welcome_links SET spent_at = ${now} WHERE ${here} AND spent_at IS NULL`);
  // All of them: that one was spent after the backup is not known any more.
  await tx.run(sql`UPDATE mailed_links SET expires_at = ${now} WHERE ${here} AND expires_at > ${now}`);
  await tx.run(sql`DELETE FROM passkey_ceremonies WHERE ${here}`);
  const backupCodeSets = revokeCodes
    ? await tx.run(sql`UPDATE backup_code_sets SET revoked_at = ${now} WHERE ${here} AND revoked_at IS NULL`)
    : 0;
  if (revokeCodes) await keepAllListed(tx, organizationId);
  return { accounts, sessions, authenticators, backupCodeSets };
}
