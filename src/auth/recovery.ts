import { findAccount, HAS_MFA, type Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { voidCarriers } from '../accounts/epoch.ts';
import { keepListed } from '../accounts/listed.ts';
import type { Installation } from '../accounts/installation.ts';
import { may, mayManage, resets } from '../accounts/staff.ts';
import { fingerprint } from '../crypto/tokens.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { helpHolds } from './asking-for-help.ts';
import { revokeSet } from './factors/backup-codes.ts';
import { revokePasskeys } from './passkeys.ts';
import { spendWithin } from './counters.ts';
import { NO_WAITS, RESET_TOLD_FOR_MS, RESETS_BY_AGENT } from './limits.ts';

/** How staff made sure that it is the person: a choice, because "did you check?" has only one answer. */
export const CHECKS = {
  'called-number-on-file': 'Called the number on file',
  'met-in-person': 'Met in person',
  'matched-account-details': 'Matched account details',
  other: 'Other',
} as const;

export type Check = keyof typeof CHECKS;

export const NOTE_MIN = 10;

export interface ResetReason {
  readonly check: Check;
  readonly note: string;
}

/** Why an account keeps its MFA; nothing was changed. */
export type NotReset =
  /** There is nothing to take away. */
  | { kind: 'no-mfa' }
  /** They have asked for help, and its wait runs: nobody resets them before that moment (asking-for-help.ts). */
  | { kind: 'help-waits'; until: number };

export type ResetOutcome = { kind: 'reset' } | NotReset | { kind: 'note-missing' } | AgentRefused;

/** The staff member who resets. */
export type Agent = Pick<Account, 'organizationId' | 'id' | 'role'>;

/**
 * Whether somebody in a role may reset an account's MFA: support and above a contact's, a higher role staff's, never an
 * equal's and never one's own (R2): that is the operator's part, at the shell.
 */
export function mayReset(agent: Agent, target: Account): boolean {
  if (target.kind === 'staff') return mayManage(agent, target) && resets(agent.role, target.role);
  const sameHouse = target.organizationId === agent.organizationId;
  return sameHouse && target.kind === 'contact' && target.id !== agent.id && may(agent.role, 'reset MFA');
}

/**
 * Reset Portal MFA (R2): in one act, authenticators, backup codes, half-finished enrolments and challenges and all
 * sessions are gone, and the epoch voids whatever else carries the old one. Does not lift the stolen-password state.
 * The caller has asked for a fresh proof where the actor is a person.
 */
export async function resetMfa(
  installation: Installation,
  actor: Actor,
  agent: Agent | 'operator',
  target: Account,
  reason: ResetReason,
): Promise<ResetOutcome> {
  if (agent !== 'operator' && !mayReset(agent, target)) return { kind: 'not-allowed' };
  if (reason.check === 'other' && reason.note.trim().length < NOTE_MIN) return { kind: 'note-missing' };
  return installation.db.transaction<ResetOutcome>(async (tx) => {
    const done = await resetWithin(tx, installation, actor, target, reasonText(reason));
    if (done.kind !== 'reset') return new RolledBack<ResetOutcome>(done);
    const refused = agent === 'operator' ? undefined : await agentRefused(tx, installation, agent, target);
    return refused ? new RolledBack<ResetOutcome>(refused) : { kind: 'reset' };
  });
}

/** Why an agent may not act on somebody's MFA just now: by their role, or because an hour allows no more. */
export type AgentRefused = { kind: 'limited'; until: number } | { kind: 'not-allowed' };

/** Counts one act of an agent's on the MFA of a target whose lock is held, unless they may not do it. */
export async function agentRefused(
  tx: Transaction,
  installation: Installation,
  agent: Agent,
  target: Pick<Account, 'organizationId' | 'id'>,
): Promise<AgentRefused | undefined> {
  if (!(await mayResetNow(tx, agent, target))) return { kind: 'not-allowed' };
  const subject = fingerprint(installation.counterKey, target.organizationId, agent.id);
  const room = await spendWithin(tx, { limit: RESETS_BY_AGENT, subject }, installation.now());
  return room.ok ? undefined : { kind: 'limited', until: room.until };
}

/** The same of both as they are now: a role may have been given or taken since their rows were read. */
export async function mayResetNow(
  tx: Transaction,
  agent: Agent,
  target: Pick<Account, 'organizationId' | 'id'>,
): Promise<boolean> {
  const [agentNow, targetNow] = [
    await findAccount(tx, agent.organizationId, agent.id),
    await findAccount(tx, target.organizationId, target.id),
  ];
  return agentNow?.disabledAt === null && targetNow !== undefined && mayReset(agentNow, targetNow);
}

/** How staff checked, as the audit log keeps it. */
export function reasonText({ check, note }: ResetReason): string {
  return note.trim() === '' ? CHECKS[check] : `${CHECKS[check]}: ${note.trim()}`;
}

/**
 * The act itself, inside a transaction, for one account or for each of many: the caller has asked who may do it, and why.
 * Where they keep their MFA nothing has changed but that the account's lock is held. The operator, who has the machine,
 * waits for nobody's request.
 */
export async function resetWithin(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  target: Pick<Account, 'organizationId' | 'id'>,
  reason: string,
): Promise<{ kind: 'reset' } | NotReset> {
  const { organizationId, id } = target;
  const now = installation.now();
  const account = sql`organization_id = ${organizationId} AND id = ${id}`;
  // Whether there is MFA is read under the lock: an enabling that has just committed is seen.
  await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE ${account}`);
  const enrolled = await tx.one(sql`SELECT 1 AS found FROM accounts a
    WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND ${HAS_MFA}`);
  if (!enrolled) return { kind: 'no-mfa' };
  const until = actor.kind === 'operator' ? undefined : await helpHolds(tx, target, now);
  if (until !== undefined) return { kind: 'help-waits', until };
  await tx.run(sql`UPDATE accounts SET epoch = epoch + 1, ${NO_WAITS}, reset_notice_at = ${now}, reset_told_at = NULL
    WHERE ${account}`);
  await takeFactorsAway(tx, target, now);
  await voidCarriers(tx, organizationId, id, now);
  await record(tx, installation, { organizationId, actor, action: 'mfa.reset', targetId: id, reason });
  return { kind: 'reset' };
}

/**
 * Ends every authenticator, backup code and passkey of an account whose lock is held, and what stands of them in its row; but not
 * the authenticator of the ceremony that is to take their place.
 */
export async function takeFactorsAway(
  tx: Transaction,
  target: Pick<Account, 'organizationId' | 'id'>,
  now: number,
  ceremony = '',
): Promise<void> {
  const { organizationId, id } = target;
  await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL
    WHERE organization_id = ${organizationId} AND account_id = ${id} AND revoked_at IS NULL AND challenge_id <> ${ceremony}`);
  await revokeSet(tx, target, now);
  await revokePasskeys(tx, target, now);
  await keepListed(tx, organizationId, id);
}

/**
 * When staff reset an account's MFA, for as long as that is to be told after a right password; null otherwise. It is due
 * until then, and told for a week from then on, not once: whoever signs in first after a reset need not be its owner.
 */
export function toldOfReset({ resetNoticeAt, resetToldAt }: Account, now: number): number | null {
  return resetToldAt === null || now - resetToldAt < RESET_TOLD_FOR_MS ? resetNoticeAt : null;
}
