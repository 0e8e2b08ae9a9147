import { HAS_MFA, type Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { endOfDay, endOfDayAfter } from '../accounts/days.ts';
import type { Installation } from '../accounts/installation.ts';
import type { Organization } from '../accounts/organizations.ts';
import { RolledBack, sql, type Queries } from '../db/db.ts';
import { EXEMPTION_DAYS_MAX, EXEMPTION_REASON_MIN } from './limits.ts';

/** That the policy asks nothing of a contact for a while. */
export interface Exemption {
  readonly until: number;
  readonly reason: string;
  /** Who said so, by the name that the audit log has for them; null where it has none, as for the operator. */
  readonly by: string | null;
}

/** The exemption that holds for an account now, or undefined. */
export function exemptionOf(db: Pick<Queries, 'one'>, account: Account, now: number): Promise<Exemption | undefined> {
  return db.one(sql`SELECT a.exempt_until AS until, a.exempt_reason AS reason, n.name AS "by" FROM accounts a
    LEFT JOIN audit_names n ON n.organization_id = a.organization_id AND n.subject_id = a.exempt_by
    WHERE a.organization_id = ${account.organizationId} AND a.id = ${account.id} AND a.exempt_until > ${now}`);
}

/** How many contacts with portal access and without MFA are exempt now. */
export async function exemptNow(db: Pick<Queries, 'one'>, organizationId: string, now: number): Promise<number> {
  const row = await db.one<{ exempt: number }>(sql`SELECT COUNT(*) AS exempt FROM accounts a
    WHERE a.organization_id = ${organizationId} AND a.exempt_until > ${now} AND a.disabled_at IS NULL AND NOT ${HAS_MFA}`);
  return row?.exempt ?? 0;
}

export interface ExemptionDraft {
  readonly reason: string;
  /** Its last day, as 2026-12-08 in the organization's time zone. */
  readonly lastDay: string;
}

/** Outcomes of exempting a contact; what was refused changed nothing. */
export type ExemptOutcome =
  | { kind: 'granted'; until: number }
  | { kind: 'reason-short' }
  | { kind: 'day-impossible' }
  /** They are challenged whatever is granted (P3). */
  | { kind: 'has-mfa' }
  | { kind: 'exempt-already' };

/**
 * Exempts one contact from the policy, to the end of a day at most a year ahead. It only spares the enrolment: whoever has
 * set MFA up is challenged all the same (P3). Nothing that is open ends by it, so it raises no epoch. The caller has asked
 * for a fresh proof where the actor is a person.
 */
export function exempt(
  installation: Installation,
  actor: Actor,
  { timeZone }: Pick<Organization, 'timeZone'>,
  { organizationId, id }: Account,
  draft: ExemptionDraft,
): Promise<ExemptOutcome> {
  return installation.db.transaction<ExemptOutcome>(async (tx) => {
    const now = installation.now();
    const reason = draft.reason.trim();
    const until = endOfDay(draft.lastDay, timeZone);
    if (reason.length < EXEMPTION_REASON_MIN) return refused('reason-short');
    if (until === undefined || until <= now || until > endOfDayAfter(now, EXEMPTION_DAYS_MAX, timeZone))
      return refused('day-impossible');
    const by = actor.kind === 'account' ? actor.id : actor.kind;
    const exempted =
      await tx.run(sql`UPDATE accounts SET exempt_until = ${until}, exempt_reason = ${reason}, exempt_by = ${by}
      WHERE organization_id = ${organizationId} AND id = ${id} AND kind = 'contact'
        AND (exempt_until IS NULL OR exempt_until <= ${now})`);
    if (exempted === 0) return refused('exempt-already');
    const enrolled = await tx.one(sql`SELECT 1 AS found FROM accounts a
      WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND ${HAS_MFA}`);
    if (enrolled) return refused('has-mfa');
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'exemption.granted',
      targetId: id,
      reason,
      details: { until },
    });
    return { kind: 'granted', until };
  });
}

function refused(kind: Exclude<ExemptOutcome['kind'], 'granted'>): RolledBack<ExemptOutcome> {
  return new RolledBack<ExemptOutcome>({ kind });
}

/**
 * Ends an exemption before its day. Where the policy is `required`, sessions that a password alone has opened end with it:
 * the exemption was what they stood on, and could be read to go on for half a day. False where there was none.
 */
export function endExemption(
  installation: Installation,
  actor: Actor,
  { organizationId, id }: Account,
): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    const now = installation.now();
    const ended = await tx.run(sql`UPDATE accounts SET exempt_until = NULL, exempt_reason = NULL, exempt_by = NULL
      WHERE organization_id = ${organizationId} AND id = ${id} AND exempt_until > ${now}`);
    if (ended === 0) return new RolledBack(false);
    await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE organization_id = ${organizationId} AND account_id = ${id}
      AND factor = 'password' AND ended_at IS NULL
      AND EXISTS (SELECT 1 FROM organizations o WHERE o.id = ${organizationId} AND o.policy = 'required')`);
    await record(tx, installation, { organizationId, actor, action: 'exemption.ended', targetId: id });
    return true;
  });
}
