import { HAS_MFA, type Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql } from '../db/db.ts';
import { answer, type Answered } from './answer.ts';
import { openChallenge, type Challenge } from './challenges.ts';
import { helpHolds } from './asking-for-help.ts';
import { drawSignInCode, keepSignInCode } from './factors/sign-in-code.ts';
import {
  agentRefused,
  mayReset,
  NOTE_MIN,
  reasonText,
  type Agent,
  type AgentRefused,
  type NotReset,
  type ResetReason,
} from './recovery.ts';
import type { Visitor } from './sessions.ts';

export type MadeCode =
  /** The one time that it is shown. */
  { kind: 'made'; code: string } | { kind: 'note-missing' } | { kind: 'no-access' } | NotReset | AgentRefused;

/**
 * Makes a one-time sign-in code for a contact whom staff have checked, to be read out to them: the same checks, limit and
 * waits as a reset, and a notice at once. One at a time; never for staff, who are reset by those above them. The caller
 * has asked for a fresh proof.
 */
export async function makeSignInCode(
  installation: Installation,
  actor: Actor,
  agent: Agent,
  target: Account,
  reason: ResetReason,
): Promise<MadeCode> {
  if (target.kind !== 'contact' || !mayReset(agent, target)) return { kind: 'not-allowed' };
  if (reason.check === 'other' && reason.note.trim().length < NOTE_MIN) return { kind: 'note-missing' };
  const { organizationId, id } = target;
  const drawn = await drawSignInCode(installation);
  return installation.db.transaction<MadeCode>(async (tx) => {
    const held = await tx.one<{ epoch: number; disabledAt: number | null }>(sql`UPDATE accounts SET epoch = epoch
      WHERE organization_id = ${organizationId} AND id = ${id} RETURNING epoch, disabled_at AS "disabledAt"`);
    if (!held || held.disabledAt !== null) return new RolledBack<MadeCode>({ kind: 'no-access' });
    const enrolled = await tx.one(sql`SELECT 1 AS found FROM accounts a
      WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND ${HAS_MFA}`);
    if (!enrolled) return new RolledBack<MadeCode>({ kind: 'no-mfa' });
    const until = await helpHolds(tx, target, installation.now());
    if (until !== undefined) return new RolledBack<MadeCode>({ kind: 'help-waits', until });
    const refused = await agentRefused(tx, installation, agent, target);
    if (refused) return new RolledBack<MadeCode>(refused);
    await keepSignInCode(tx, installation, { organizationId, id, epoch: held.epoch }, agent.id, drawn);
    const text = reasonText(reason);
    await record(tx, installation, { organizationId, actor, action: 'sign-in-code.made', targetId: id, reason: text });
    return { kind: 'made', code: drawn.code };
  });
}

/**
 * Answers a sign-in challenge with a code that staff have read out, counted like any other second factor. Right, it opens
 * no session: it opens the ceremony for a new authenticator, which ends the old ones, under a cookie of its own (I23).
 * Nobody stays in on a code that others may have heard.
 */
export function answerWithSignInCode(
  installation: Installation,
  challenge: Challenge,
  code: string,
  visitor: Visitor,
): Promise<Answered<{ cookie: string }>> {
  const given = { kind: 'sign-in-code', code } as const;
  return answer(installation, challenge, given, {
    visitor,
    action: 'sign-in-code.used',
    buy: (tx, proof, now) => {
      const { account, epoch } = proof;
      return openChallenge(tx, { account, epoch, surface: challenge.surface, purpose: 'recovery' }, now);
    },
  });
}
