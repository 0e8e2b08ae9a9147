import { timingSafeEqual } from 'node:crypto';
import type { Account } from '../../accounts/accounts.ts';
import type { Installation } from '../../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../../accounts/keys.ts';
import { keepListed } from '../../accounts/listed.ts';
import { hashBackupCode, randomSalt } from '../../crypto/passwords.ts';
import { open, seal } from '../../crypto/seal.ts';
import { randomDigits, uuidv7 } from '../../crypto/tokens.ts';
import { sql, type Queries, type Transaction } from '../../db/db.ts';
import { CODES_PER_SET } from '../limits.ts';
import { CODES_NOT_REMINDED } from '../reminders.ts';
import type { Factor } from './factor.ts';

export const BACKUP_CODE_DIGITS = 12;

/** Single-use codes for when the authenticator is not at hand: look-up secrets of NIST SP 800-63B-4 §3.1.2 (I3). */
export const backupCodes: Factor = {
  kind: 'backup-code',
  prepare: async (installation, account, code) => {
    const set = await activeSet(installation.db, account);
    const hash = await installation.hashing(() =>
      hashBackupCode(code, set?.salt ?? randomSalt(), installation.backupCodeCost),
    );
    return async (tx, now) => {
      // The set whose salt was hashed with: if another has taken its place since, its codes cannot match.
      const codes = await tx.all<{
        id: string;
        setId: string;
        hash: string;
      }>(sql`SELECT c.id, c.set_id AS "setId", c.hash
        FROM backup_codes c JOIN backup_code_sets s ON s.organization_id = c.organization_id AND s.id = c.set_id
        WHERE s.organization_id = ${account.organizationId} AND s.account_id = ${account.id} AND s.id = ${set?.id ?? ''}
          AND s.revoked_at IS NULL ORDER BY c.id`);
      const matching = codes.filter((row) => {
        const known = Buffer.from(open(installation.ring, place(account, row.setId, row.id), row.hash), 'base64url');
        return known.length === hash.length && timingSafeEqual(known, hash);
      });
      const match = matching[0];
      if (!match) return { kind: 'wrong', why: { why: 'unknown' } };
      const used = await tx.run(sql`UPDATE backup_codes SET used_at = ${now}
        WHERE organization_id = ${account.organizationId} AND id = ${match.id} AND used_at IS NULL`);
      await keepListed(tx, account.organizationId, account.id);
      return used === 1 ? { kind: 'right' } : { kind: 'wrong', why: { why: 'used' } };
    };
  },
};

/** Five fresh codes with the one salt of their set and their hashes; the slow part of generating them. */
export async function drawCodes(
  installation: Installation,
): Promise<{ codes: string[]; salt: string; hashes: Buffer[] }> {
  const salt = randomSalt();
  const codes = Array.from({ length: CODES_PER_SET }, () => randomDigits(BACKUP_CODE_DIGITS));
  const hashes: Buffer[] = [];
  for (const code of codes) {
    hashes.push(await installation.hashing(() => hashBackupCode(code, salt, installation.backupCodeCost)));
  }
  return { codes, salt, hashes };
}

/** Makes drawn codes the account's one active set; the one before dies in the same transaction (I4). */
export async function replaceSet(
  tx: Transaction,
  installation: Installation,
  account: Account,
  drawn: { salt: string; hashes: readonly Buffer[] },
  now: number,
): Promise<void> {
  const { organizationId, id: accountId } = account;
  const setId = uuidv7(now);
  await revokeSet(tx, account, now);
  await tx.run(sql`INSERT INTO backup_code_sets (organization_id, id, account_id, salt, created_at)
    VALUES (${organizationId}, ${setId}, ${accountId}, ${drawn.salt}, ${now})`);
  for (const hash of drawn.hashes) {
    const id = uuidv7(now);
    await tx.run(sql`INSERT INTO backup_codes (organization_id, id, set_id, hash) VALUES (${organizationId}, ${id}, ${setId},
      ${seal(installation.ring, place(account, setId, id), hash.toString('base64url'))})`);
  }
  await tx.run(sql`UPDATE accounts SET ${CODES_NOT_REMINDED}
    WHERE organization_id = ${organizationId} AND id = ${accountId}`);
  await keepListed(tx, organizationId, accountId);
}

/** Ends the active set, if there is one. */
export async function revokeSet(
  tx: Transaction,
  account: Pick<Account, 'organizationId' | 'id'>,
  now: number,
): Promise<void> {
  await tx.run(sql`UPDATE backup_code_sets SET revoked_at = ${now} WHERE organization_id = ${account.organizationId}
    AND account_id = ${account.id} AND revoked_at IS NULL`);
}

/** How many codes of the active set still work; null where there is no set. */
export async function codesLeft(db: Pick<Queries, 'one'>, account: Account): Promise<number | null> {
  const row = await db.one<{ made: number; used: number }>(sql`SELECT COUNT(c.id) AS made, COUNT(c.used_at) AS used
    FROM backup_code_sets s JOIN backup_codes c ON c.organization_id = s.organization_id AND c.set_id = s.id
    WHERE s.organization_id = ${account.organizationId} AND s.account_id = ${account.id} AND s.revoked_at IS NULL`);
  return row && row.made > 0 ? row.made - row.used : null;
}

function activeSet(db: Pick<Queries, 'one'>, account: Account): Promise<{ id: string; salt: string } | undefined> {
  return db.one(sql`SELECT id, salt FROM backup_code_sets WHERE organization_id = ${account.organizationId}
    AND account_id = ${account.id} AND revoked_at IS NULL`);
}

/** The hashes of backup codes, of used ones and of ended sets too. */
export const SEALED_CODE_HASHES: SealedColumn<SealedRow & { accountId: string; setId: string }> = {
  name: 'backup_codes.hash',
  table: sql`backup_codes`,
  column: sql`hash`,
  key: sql`organization_id, id`,
  rows: sql`SELECT c.organization_id AS first, c.id AS second, s.account_id AS "accountId", c.set_id AS "setId",
      c.hash AS sealed
    FROM backup_codes c JOIN backup_code_sets s ON s.organization_id = c.organization_id AND s.id = c.set_id`,
  place: (row) => place({ organizationId: row.first, id: row.accountId }, row.setId, row.second),
};

function place(account: Pick<Account, 'organizationId' | 'id'>, setId: string, codeId: string): string[] {
  return ['backup_codes', 'hash', account.organizationId, account.id, setId, codeId];
}
