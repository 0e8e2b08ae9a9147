import { sql, type Transaction } from '../db/db.ts';
import type { Account } from './accounts.ts';

/**
 * Takes the account's lock without changing it: the first statement of every story that does not count or raise
 * anything first. False where the account has moved on to another epoch, or is disabled: then nothing is locked.
 */
export async function lockAtEpoch(
  tx: Transaction,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
  epoch: number,
): Promise<boolean> {
  const locked = await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId}
    AND id = ${id} AND epoch = ${epoch} AND disabled_at IS NULL`);
  return locked === 1;
}

/**
 * Puts away what a raised epoch has just voided (I12). The lookups compare epochs and would refuse all of it anyway;
 * this ends the sessions in the lists people see and removes secrets that nobody can use any more from the disk.
 * The caller has raised the epoch first, and so holds the account's lock.
 */
export async function voidCarriers(
  tx: Transaction,
  organizationId: string,
  accountId: string,
  now: number,
): Promise<void> {
  const ofAccount = sql`organization_id = ${organizationId} AND account_id = ${accountId}`;
  await tx.run(
    sql`UPDATE challenges SET consumed_at = ${now}, sealed_codes = NULL WHERE ${ofAccount} AND consumed_at IS NULL`,
  );
  await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL
    WHERE ${ofAccount} AND enabled_at IS NULL AND revoked_at IS NULL`);
  await tx.run(sql`DELETE FROM enrolment_codes WHERE ${ofAccount}`);
  await tx.run(sql`DELETE FROM parked_forms WHERE ${ofAccount}`);
  await tx.run(sql`DELETE FROM passkey_ceremonies WHERE ${ofAccount}`);
  await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE ${ofAccount} AND ended_at IS NULL`);
  await tx.run(sql`UPDATE trusted_devices SET revoked_at = ${now} WHERE ${ofAccount} AND revoked_at IS NULL`);
  await tx.run(
    sql`UPDATE recovery_requests SET state = 'cancelled', ended_at = ${now} WHERE ${ofAccount} AND state = 'open'`,
  );
  await tx.run(sql`UPDATE sign_in_codes SET ended_at = ${now} WHERE ${ofAccount} AND ended_at IS NULL`);
  await tx.run(sql`UPDATE welcome_links SET spent_at = ${now} WHERE ${ofAccount} AND spent_at IS NULL`);
  // Those that say "This wasn't me" outlive the epoch: they are for whoever did not raise it.
  await tx.run(sql`UPDATE mailed_links SET expires_at = ${now}
    WHERE ${ofAccount} AND purpose <> 'not-me' AND spent_at IS NULL AND expires_at > ${now}`);
}

/**
 * Forgets from where an account has signed in, when its password has changed or is held to be stolen: whoever had the
 * old one is an outsider from now on, and waits like one.
 */
export async function forgetAddresses(tx: Transaction, organizationId: string, accountId: string): Promise<void> {
  await tx.run(
    sql`DELETE FROM known_addresses WHERE organization_id = ${organizationId} AND account_id = ${accountId}`,
  );
}
