import type { Account } from '../accounts/accounts.ts';
import type { Installation } from '../accounts/installation.ts';
import { sql } from '../db/db.ts';
import { answer, type Answer, type Answered } from './answer.ts';
import { challengeFor } from './fresh-proof.ts';
import type { Session, Visitor } from './sessions.ts';

const FOUR_WEEKS_MS = 28 * 24 * 3_600_000;
const WRONG_CODES_MAX = 3;

/**
 * Whether an account is to be asked if its app still works: it has one, and no code of it was accepted for four weeks.
 * Somebody who is asked for a code at each sign-in never is; somebody with a trusted device or a passkey may be. After a
 * few wrong codes in a row nobody is: no password stands before this question, and a session that was left open must not
 * be enough to make its owner wait.
 */
export async function isAppToBeChecked(
  { db, now }: Installation,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
): Promise<boolean> {
  const row = await db.one<{ enabledAt: number | null; usedAt: number | null }>(sql`SELECT
      MAX(m.enabled_at) AS "enabledAt", MAX(m.last_used_at) AS "usedAt"
    FROM accounts a JOIN authenticators m ON m.organization_id = a.organization_id AND m.account_id = a.id
    WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND a.totp_wrong + a.backup_wrong < ${WRONG_CODES_MAX}
      AND m.kind = 'totp' AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL`);
  const { enabledAt = null, usedAt = null } = row ?? {};
  return enabledAt !== null && now() - Math.max(enabledAt, usedAt ?? 0) >= FOUR_WEEKS_MS;
}

/**
 * Does your app still work? A code of it, tried inside a session: an answer of purpose `manage` like any other, with its
 * counts and its one row (I1, I6, I18), that buys nothing.
 */
export async function checkApp(
  installation: Installation,
  session: Session,
  code: Answer & { kind: 'totp' },
  visitor: Visitor,
): Promise<Answered<true>> {
  if (!(await isAppToBeChecked(installation, session.account))) return { kind: 'over' };
  const challenge = await challengeFor(installation, session);
  if (!challenge) return { kind: 'over' };
  return answer(installation, challenge, code, { visitor, action: 'app.checked', buy: () => Promise.resolve(true) });
}
