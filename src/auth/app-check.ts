import type { Account } from '../accounts/accounts.ts';
import type { Installation } from '../accounts/installation.ts';
import { sql } from '../db/db.ts';
import { answer, type Answer, type Answered } from './answer.ts';
import { challengeFor } from './fresh-proof.ts';
import type { Session, Visitor } from './sessions.ts';

const FOUR_WEEKS_MS = 28 * 24 * 3_600_000;

/**
 * Whether an account is to be asked if its app still works: it has one, and no code of it was accepted for four weeks.
 * Somebody who is asked for a code at each sign-in never is; somebody with a trusted device or a passkey may be.
 */
export async function isAppToBeChecked(
  { db, now }: Installation,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
): Promise<boolean> {
  const row = await db.one<{ enabledAt: number | null; usedAt: number | null }>(sql`SELECT
      MAX(enabled_at) AS "enabledAt", MAX(last_used_at) AS "usedAt" FROM authenticators
    WHERE organization_id = ${organizationId} AND account_id = ${id} AND kind = 'totp'
      AND enabled_at IS NOT NULL AND revoked_at IS NULL`);
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
  const challenge = await challengeFor(installation, session);
  if (!challenge) return { kind: 'over' };
  return answer(installation, challenge, code, { visitor, action: 'app.checked', buy: () => Promise.resolve(true) });
}
