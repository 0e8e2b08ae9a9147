import { timingSafeEqual } from 'node:crypto';
import type { Account } from '../../accounts/accounts.ts';
import type { Installation } from '../../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../../accounts/keys.ts';
import { hashBackupCode, randomSalt } from '../../crypto/passwords.ts';
import { open, seal } from '../../crypto/seal.ts';
import { randomDigits, uuidv7 } from '../../crypto/tokens.ts';
import { sql, type Transaction } from '../../db/db.ts';
import { SIGN_IN_CODE_DIGITS } from '../code-input.ts';
import { SIGN_IN_CODE_LIFETIME_MS } from '../limits.ts';
import type { Factor } from './factor.ts';

/**
 * The code that staff read out to a contact whom they have checked. It works once, for a quarter of an hour, for the
 * account as it was when the code was made; what it opens is the story's to say, and never a session.
 */
export const signInCode: Factor = {
  kind: 'sign-in-code',
  prepare: async (installation, account, code) => {
    const live = await installation.db.one<{ id: string; salt: string }>(sql`SELECT id, salt FROM sign_in_codes
      WHERE organization_id = ${account.organizationId} AND account_id = ${account.id} AND ended_at IS NULL`);
    const hash = await installation.hashing(() =>
      hashBackupCode(code, live?.salt ?? randomSalt(), installation.backupCodeCost),
    );
    return async (tx, now) => {
      const row = await tx.one<{ hash: string }>(sql`SELECT c.hash FROM sign_in_codes c
        JOIN accounts a ON a.organization_id = c.organization_id AND a.id = c.account_id AND a.epoch = c.epoch
        WHERE c.organization_id = ${account.organizationId} AND c.account_id = ${account.id} AND c.id = ${live?.id ?? ''}
          AND c.ended_at IS NULL AND c.expires_at > ${now}`);
      if (!row || !live) return { kind: 'wrong', why: { why: 'unknown' } };
      const known = Buffer.from(open(installation.ring, place(account, live.id), row.hash), 'base64url');
      if (known.length !== hash.length || !timingSafeEqual(known, hash))
        return { kind: 'wrong', why: { why: 'unknown' } };
      const used = await tx.run(sql`UPDATE sign_in_codes SET used_at = ${now}, ended_at = ${now}
        WHERE organization_id = ${account.organizationId} AND id = ${live.id} AND ended_at IS NULL`);
      return used === 1 ? { kind: 'right' } : { kind: 'wrong', why: { why: 'used' } };
    };
  },
};

/** A fresh code with its salt and hash; the slow part of making one. */
export async function drawSignInCode(
  installation: Installation,
): Promise<{ code: string; salt: string; hash: Buffer }> {
  const code = randomDigits(SIGN_IN_CODE_DIGITS);
  const salt = randomSalt();
  const hash = await installation.hashing(() => hashBackupCode(code, salt, installation.backupCodeCost));
  return { code, salt, hash };
}

/** Makes a drawn code the one that works; the one before ends. The caller holds the account's lock. */
export async function keepSignInCode(
  tx: Transaction,
  installation: Installation,
  account: Pick<Account, 'organizationId' | 'id' | 'epoch'>,
  madeBy: string,
  { salt, hash }: { salt: string; hash: Buffer },
): Promise<void> {
  const now = installation.now();
  const { organizationId, id: accountId, epoch } = account;
  const id = uuidv7(now);
  await tx.run(sql`UPDATE sign_in_codes SET ended_at = ${now}
    WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND ended_at IS NULL`);
  await tx.run(sql`INSERT INTO sign_in_codes
    (organization_id, id, account_id, epoch, salt, hash, made_by, created_at, expires_at)
    VALUES (${organizationId}, ${id}, ${accountId}, ${epoch}, ${salt},
      ${seal(installation.ring, place(account, id), hash.toString('base64url'))}, ${madeBy}, ${now},
      ${now + SIGN_IN_CODE_LIFETIME_MS})`);
}

/** The hashes of codes that staff have read out, of used ones too. */
export const SEALED_SIGN_IN_CODES: SealedColumn<SealedRow & { accountId: string }> = {
  name: 'sign_in_codes.hash',
  table: sql`sign_in_codes`,
  column: sql`hash`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, account_id AS "accountId", hash AS sealed FROM sign_in_codes`,
  place: (row) => place({ organizationId: row.first, id: row.accountId }, row.second),
};

function place(account: Pick<Account, 'organizationId' | 'id'>, id: string): string[] {
  return ['sign_in_codes', 'hash', account.organizationId, account.id, id];
}
