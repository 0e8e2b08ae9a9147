import { sql, type Sql, type Transaction } from '../db/db.ts';

/**
 * Brings what the account's row says of its MFA in step with the tables of authenticators and backup codes: `mfa_since`
 * and `backup_codes_left`. Whoever enables, makes, revokes or uses one of these calls it, in the same transaction and
 * under the account's lock. Recomputed from the truth, so that calling it once too often is harmless.
 */
export async function keepListed(tx: Transaction, organizationId: string, accountId: string): Promise<void> {
  await recompute(tx, sql`organization_id = ${organizationId} AND id = ${accountId}`);
}

/** The same for every account of an organization that has MFA on, after what has touched them all. */
export async function keepAllListed(tx: Transaction, organizationId: string): Promise<void> {
  await recompute(tx, sql`organization_id = ${organizationId} AND mfa_since IS NOT NULL`);
}

async function recompute(tx: Transaction, whose: Sql): Promise<void> {
  await tx.run(sql`UPDATE accounts SET
    mfa_since = COALESCE(
      (SELECT MIN(m.enabled_at) FROM authenticators m WHERE m.organization_id = accounts.organization_id
        AND m.account_id = accounts.id AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL),
      (SELECT s.created_at FROM backup_code_sets s WHERE s.organization_id = accounts.organization_id
        AND s.account_id = accounts.id AND s.revoked_at IS NULL)),
    backup_codes_left = (SELECT COUNT(b.id) - COUNT(b.used_at) FROM backup_code_sets s JOIN backup_codes b
      ON b.organization_id = s.organization_id AND b.set_id = s.id
      WHERE s.organization_id = accounts.organization_id AND s.account_id = accounts.id AND s.revoked_at IS NULL
      HAVING COUNT(b.id) > 0)
    WHERE ${whose}`);
}
