import { HAS_MFA } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import { voidCarriers } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql } from '../db/db.ts';
import { factOf } from './challenges.ts';
import { takeFactorsAway } from './recovery.ts';
import { isFreshlyProven, type Session, type Visitor } from './sessions.ts';

export type TurnedOff =
  | { kind: 'off' }
  /** The policy asks for MFA, perhaps since a moment ago: nothing was changed. */
  | { kind: 'required' }
  /** MFA is off already, or the account has changed meanwhile. */
  | { kind: 'nothing-to-do' };

/**
 * Turn off MFA, by its owner: every factor and code ends, and with the epoch all that was open (I12). Only where the
 * policy does not ask for it. Throws without a fresh proof: a backup code is none (I14).
 */
export function turnMfaOff(installation: Installation, session: Session, visitor: Visitor): Promise<TurnedOff> {
  if (!isFreshlyProven(session, installation.now())) throw new Error('MFA turned off without a fresh proof');
  const { organizationId, id, epoch } = session.account;
  return installation.db.transaction<TurnedOff>(async (tx) => {
    const now = installation.now();
    // The organization's row first, as whoever changes the policy does: one of the two comes before the other.
    const allowed = await tx.run(sql`UPDATE organizations SET policy = policy
      WHERE id = ${organizationId} AND policy <> 'required'`);
    if (allowed !== 1) return new RolledBack<TurnedOff>({ kind: 'required' });
    const raised = await tx.run(sql`UPDATE accounts SET epoch = epoch + 1 WHERE organization_id = ${organizationId}
      AND id = ${id} AND epoch = ${epoch} AND disabled_at IS NULL`);
    const enrolled = await tx.one(sql`SELECT 1 AS found FROM accounts a
      WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND ${HAS_MFA}`);
    if (raised !== 1 || !enrolled) return new RolledBack<TurnedOff>({ kind: 'nothing-to-do' });
    await takeFactorsAway(tx, session.account, now);
    await voidCarriers(tx, organizationId, id, now);
    await record(tx, installation, factOf(session, visitor, 'mfa.turned-off'));
    return { kind: 'off' };
  });
}
