import type { Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { forgetAddresses, voidCarriers } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { NO_COUNTS, NO_WAITS } from './limits.ts';

/**
 * Opens or closes the portal to a contact. Closing ends every session, challenge and link at once (ASVS 7.4.2); the
 * authenticator stays, so that opening again is no way round it. False where it was so already.
 */
export function setPortalAccess(
  installation: Installation,
  actor: Actor,
  account: Account,
  open: boolean,
): Promise<boolean> {
  return installation.db.transaction((tx) => setPortalAccessWithin(tx, installation, actor, account, open));
}

/** The same inside a transaction, for one account or for each of many; where it was so already, nothing has changed. */
export async function setPortalAccessWithin(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
  open: boolean,
  reason?: string,
): Promise<boolean> {
  const now = installation.now();
  const changed = await tx.run(sql`UPDATE accounts SET disabled_at = ${open ? null : now}, epoch = epoch + 1
    WHERE organization_id = ${organizationId} AND id = ${id} AND kind = 'contact'
      AND disabled_at IS ${open ? sql`NOT NULL` : sql`NULL`}`);
  if (changed === 0) return false;
  await voidCarriers(tx, organizationId, id, now);
  await record(tx, installation, {
    organizationId,
    actor,
    action: open ? 'portal-access.enabled' : 'portal-access.disabled',
    targetId: id,
    ...(reason === undefined ? {} : { reason }),
  });
  return true;
}

export type Unlocked =
  /** The waits for wrong codes are over. */
  | { kind: 'waits-ended' }
  /** The password was held to be stolen: it is gone, and the account needs a new one. */
  | { kind: 'password-removed' }
  | { kind: 'not-locked' };

/**
 * Unlock: ends the waits for wrong codes; the 30-day window goes on, so that nobody on staff can help a thief to guess
 * for ever. A password that is held to be stolen is not trusted again by it: it is removed, so that the way back in is a
 * one-time link, for which only an owner or admin can ask. A suspicion that `account` was read without stays, and so
 * does the password: nobody has been asked about it.
 */
export function unlock(installation: Installation, actor: Actor, account: Account): Promise<Unlocked> {
  const { organizationId, id } = account;
  return installation.db.transaction<Unlocked>(async (tx) => {
    const now = installation.now();
    const removed = await tx.run(sql`UPDATE accounts SET password = NULL, password_set_at = NULL, epoch = epoch + 1,
        suspected_at = NULL, ${NO_COUNTS}
      WHERE organization_id = ${organizationId} AND id = ${id} AND suspected_at = ${account.suspectedAt}`);
    if (removed === 1) {
      await voidCarriers(tx, organizationId, id, now);
      await forgetAddresses(tx, organizationId, id);
    }
    const freed =
      removed === 1 ||
      (await tx.run(sql`UPDATE accounts SET ${NO_WAITS} WHERE organization_id = ${organizationId} AND id = ${id}
        AND (totp_wait_until > ${now} OR backup_wait_until > ${now})`)) === 1;
    if (!freed) return new RolledBack<Unlocked>({ kind: 'not-locked' });
    const kind = removed === 1 ? 'password-removed' : 'waits-ended';
    await record(tx, installation, { organizationId, actor, action: 'account.unlocked', targetId: id, result: kind });
    return { kind };
  });
}
