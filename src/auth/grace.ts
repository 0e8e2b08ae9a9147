import { HAS_MFA, type Account } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import { endOfDayAfter } from '../accounts/days.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql, type Queries, type Transaction } from '../db/db.ts';
import { consume, type Challenge } from './challenges.ts';
import { afterPassword, type Standing } from './policy.ts';
import { Proof } from './proof.ts';
import { remindedAtFirst } from './reminders.ts';
import { startSession, type Visitor } from './sessions.ts';

/** Where an account stands: what the policy table asks about, and what a grace is granted by. */
export interface StandingNow extends Standing {
  /** The password is held to be stolen since then. */
  readonly suspectedAt: number | null;
  readonly policyChangedAt: number | null;
  readonly graceDays: number | null;
  readonly timeZone: string;
}

/** Where an account stands. To decide by it, read it under the account's lock: a reset or an enabling is seen then. */
export async function standingOf(db: Pick<Queries, 'one'>, account: Account): Promise<StandingNow> {
  // A grace counts for the policy that it was granted under, and as long as that policy gives any.
  const row = await db.one<StandingRow>(sql`SELECT o.policy, o.policy_changed_at AS "policyChangedAt",
      o.grace_days AS "graceDays", o.time_zone AS "timeZone", a.suspected_at AS "suspectedAt",
      a.exempt_until AS "exemptUntil",
      CASE WHEN o.grace_days IS NOT NULL AND a.grace_policy_at = o.policy_changed_at THEN a.grace_until END AS "graceUntil",
      CASE WHEN ${HAS_MFA} THEN 1 ELSE 0 END AS "hasMfa"
    FROM accounts a JOIN organizations o ON o.id = a.organization_id
    WHERE a.organization_id = ${account.organizationId} AND a.id = ${account.id}`);
  if (!row) throw new Error('the account is gone');
  return { ...row, kind: account.kind, hasMfa: row.hasMfa === 1 };
}

type StandingRow = Omit<StandingNow, 'kind' | 'hasMfa'> & { readonly hasMfa: 0 | 1 };

/**
 * Grants the grace of the policy at the first sign-in that it asks something of, to the end of its last day in the
 * organization's time zone: once for each account and policy, however often somebody signs in. Under the account's lock.
 */
export async function grantGrace(
  tx: Transaction,
  account: Account,
  standing: StandingNow,
  now: number,
): Promise<StandingNow> {
  const { graceDays, graceUntil, policyChangedAt, timeZone } = standing;
  const asked = account.kind === 'contact' && afterPassword(standing, now).kind === 'enrolment';
  if (!asked || graceDays === null || policyChangedAt === null || graceUntil !== null) return standing;
  const until = endOfDayAfter(now, graceDays, timeZone);
  await tx.run(sql`UPDATE accounts SET grace_until = ${until}, grace_policy_at = ${policyChangedAt},
      grace_reminded = ${remindedAtFirst(graceDays)}
    WHERE organization_id = ${account.organizationId} AND id = ${account.id}`);
  return { ...standing, graceUntil: until };
}

/**
 * Set up later: turns an enrolment that may be put off into a session that ends with the grace at the latest. Both must
 * allow it, the policy of the moment at which the sign-in began, which the challenge carries (I11), and today's. Answers
 * the session's cookie; undefined where there is no such way, or no longer: then nothing has changed.
 */
export function setUpLater(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
  previous: string | undefined,
): Promise<string | undefined> {
  const { account, laterUntil } = challenge;
  return installation.db.transaction<string | undefined>(async (tx) => {
    const now = installation.now();
    const refused = new RolledBack<string | undefined>(undefined);
    if (challenge.purpose !== 'enrolment' || laterUntil === null || now >= laterUntil) return refused;
    if (!(await lockAtEpoch(tx, account, challenge.epoch))) return refused;
    const standing = await standingOf(tx, account);
    const next = afterPassword(standing, now);
    if (next.kind === 'challenge' || (next.kind === 'enrolment' && next.laterUntil === null)) return refused;
    if (standing.suspectedAt !== null) return refused;
    if (!(await consume(tx, challenge, now))) return refused;
    const until = Math.min(laterUntil, (next.kind === 'session' ? next.until : next.laterUntil) ?? laterUntil);
    const proof = new Proof(account, challenge.epoch, 'password', challenge.id, until);
    const cookie = await startSession(tx, proof, challenge.surface, visitor, previous, now);
    await record(tx, installation, {
      organizationId: account.organizationId,
      actor: { kind: 'account', id: account.id, address: visitor.address },
      action: 'signed-in',
      targetId: account.id,
      result: 'right',
      details: { factor: 'password', laterUntil: until },
    });
    return cookie;
  });
}
