import { emailKey, findAccount, type Account, type Role } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { forgetAddresses, voidCarriers } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { createStaff, mayGive, mayManage, type StaffDraft } from '../accounts/staff.ts';
import { RolledBack, sql, type Sql, type Transaction } from '../db/db.ts';
import { takeFactorsAway } from './recovery.ts';
import { NO_COUNTS } from './limits.ts';
import { linkWithin } from './welcome.ts';

/** Who acts on the team: somebody on it, as their session knows them, or the operator at the shell. */
export type Manager = Account | 'operator';

/** Why an act on somebody did not happen. Nothing was changed. */
export type NotDone =
  /** Theirs is a role that the manager does not manage or may not give, or the manager has changed meanwhile. */
  | { kind: 'not-allowed' }
  /** They were removed meanwhile. */
  | { kind: 'gone' };

/** Nobody else is left who could do what an owner does. */
export type LastOwner = { kind: 'last-owner' };

export type Invited =
  /** The link is shown once, and kept as a hash. */
  | { kind: 'invited'; link: string }
  | { kind: 'not-allowed' }
  | { kind: 'email-shape' }
  /** Somebody on a staff of this installation has the address; whose staff that is, nobody is told. */
  | { kind: 'email-taken' };

/**
 * Invites somebody to the staff: an account without a password, and the one-time link by which they choose one. What
 * follows it is the sign-in, which for staff leads to an enrolment. The caller has asked for a fresh proof.
 */
export async function inviteStaff(
  installation: Installation,
  actor: Actor,
  manager: Account,
  draft: StaffDraft,
): Promise<Invited> {
  if (emailKey(draft.email) === undefined) return { kind: 'email-shape' };
  const { organizationId } = manager;
  return installation.db.transaction<Invited>(async (tx) => {
    const allowed = (await lockTeam(tx, organizationId, manager)) && mayGive(manager.role, draft.role);
    if (!allowed) return new RolledBack<Invited>({ kind: 'not-allowed' });
    const account = await createStaff(tx, installation, actor, organizationId, draft);
    if (!account) return new RolledBack<Invited>({ kind: 'email-taken' });
    return { kind: 'invited', link: await linkOf(tx, installation, account) };
  });
}

export type InvitedAgain = { kind: 'invited'; link: string } | { kind: 'has-password' } | NotDone;

/** Makes the link again for somebody who has no password yet; the one before is dead. */
export function inviteAgain(
  installation: Installation,
  actor: Actor,
  manager: Manager,
  target: Account,
): Promise<InvitedAgain> {
  return onMember<InvitedAgain>(installation, manager, target, async (tx, member) => {
    if (member.passwordSetAt !== null) return { kind: 'has-password' };
    const link = await linkOf(tx, installation, member);
    await record(tx, installation, { ...about(actor, member), action: 'welcome-link.made' });
    return { kind: 'invited', link };
  });
}

export type RoleChanged = { kind: 'changed' } | { kind: 'same' } | LastOwner | NotDone;

/**
 * Changes the role of somebody on the staff. Raises the epoch and ends their sessions: what was opened in one role is
 * not carried on in another (I12). A link by which they were invited dies with it. The last owner stays one.
 */
export function changeRole(
  installation: Installation,
  actor: Actor,
  manager: Manager,
  target: Account,
  role: Role,
): Promise<RoleChanged> {
  return onMember<RoleChanged>(installation, manager, target, async (tx, member) => {
    if (manager !== 'operator' && !mayGive(manager.role, role)) return { kind: 'not-allowed' };
    if (member.role === role) return { kind: 'same' };
    const changed = await tx.run(sql`UPDATE accounts SET role = ${role}, epoch = epoch + 1
      WHERE ${isMember(member)} AND ${leavesAnOwner(member)}`);
    if (changed === 0) return { kind: 'last-owner' };
    await voidCarriers(tx, member.organizationId, member.id, installation.now());
    const details = { from: member.role, to: role };
    await record(tx, installation, { ...about(actor, member), action: 'staff.role-changed', result: role, details });
    return { kind: 'changed' };
  });
}

/** Ends every session, half-finished sign-in and link of somebody on the staff. */
export function signOutStaff(
  installation: Installation,
  actor: Actor,
  manager: Manager,
  target: Account,
): Promise<{ kind: 'signed-out' } | NotDone> {
  return onMember<{ kind: 'signed-out' } | NotDone>(installation, manager, target, async (tx, member) => {
    await tx.run(sql`UPDATE accounts SET epoch = epoch + 1 WHERE ${isMember(member)}`);
    await voidCarriers(tx, member.organizationId, member.id, installation.now());
    await record(tx, installation, { ...about(actor, member), action: 'staff.signed-out' });
    return { kind: 'signed-out' };
  });
}

export type Removed = { kind: 'removed' } | LastOwner | NotDone;

/**
 * Removes somebody from the staff: their sessions end, and of what they signed in with nothing is left. The row stays,
 * because the log tells of it, and comes back where the address is invited again; until then the address is free. The
 * last owner stays.
 */
export function removeStaff(
  installation: Installation,
  actor: Actor,
  manager: Manager,
  target: Account,
): Promise<Removed> {
  return onMember<Removed>(installation, manager, target, async (tx, member) => {
    const now = installation.now();
    const { organizationId, id } = member;
    const removed = await tx.run(sql`UPDATE accounts SET disabled_at = ${now}, epoch = epoch + 1, password = NULL,
        password_set_at = NULL, suspected_at = NULL, reset_notice_at = NULL, reset_told_at = NULL, ${NO_COUNTS}
      WHERE ${isMember(member)} AND ${leavesAnOwner(member)}`);
    if (removed === 0) return { kind: 'last-owner' };
    await tx.run(sql`DELETE FROM staff_emails WHERE organization_id = ${organizationId} AND account_id = ${id}`);
    await takeFactorsAway(tx, member, now);
    await voidCarriers(tx, organizationId, id, now);
    await forgetAddresses(tx, organizationId, id);
    await record(tx, installation, {
      ...about(actor, member),
      action: 'staff.removed',
      details: { role: member.role },
    });
    return { kind: 'removed' };
  });
}

/** Does something to somebody as they are under the team's lock. Whatever is not done has changed nothing. */
function onMember<Outcome extends { kind: string }>(
  installation: Installation,
  manager: Manager,
  { organizationId, id }: Account,
  act: (tx: Transaction, member: Account) => Promise<Outcome | NotDone>,
): Promise<Outcome | NotDone> {
  return installation.db.transaction<Outcome | NotDone>(async (tx) => {
    if (!(await lockTeam(tx, organizationId, manager))) return new RolledBack<NotDone>({ kind: 'not-allowed' });
    const member = await findAccount(tx, organizationId, id);
    if (!member || member.kind !== 'staff' || member.disabledAt !== null)
      return new RolledBack<NotDone>({ kind: 'gone' });
    if (manager !== 'operator' && !mayManage(manager, member)) return new RolledBack<NotDone>({ kind: 'not-allowed' });
    return act(tx, member);
  });
}

/**
 * The organization's row is the lock of its team, taken before any account's: whose role counts for what is settled one
 * act after the other, so that of two owners who remove each other at once the second is no owner any more. False where
 * the manager's own account has moved on since their session was read.
 */
async function lockTeam(tx: Transaction, organizationId: string, manager: Manager): Promise<boolean> {
  await tx.run(sql`UPDATE organizations SET name = name WHERE id = ${organizationId}`);
  if (manager === 'operator') return true;
  const still = await tx.one(sql`SELECT 1 AS found FROM accounts WHERE organization_id = ${organizationId}
    AND id = ${manager.id} AND epoch = ${manager.epoch} AND disabled_at IS NULL`);
  return still !== undefined;
}

function isMember({ organizationId, id }: Account): Sql {
  return sql`organization_id = ${organizationId} AND id = ${id} AND kind = 'staff' AND disabled_at IS NULL`;
}

// Somebody who has not yet chosen a password could own the place alone only as long as their link works.
function leavesAnOwner({ organizationId, id }: Account): Sql {
  return sql`(role <> 'owner' OR EXISTS (SELECT 1 FROM accounts o WHERE o.organization_id = ${organizationId}
    AND o.kind = 'staff' AND o.role = 'owner' AND o.id <> ${id} AND o.disabled_at IS NULL AND o.password IS NOT NULL))`;
}

/** The link's end, `{organization id}.{token}`: /admin names no organization. */
async function linkOf(tx: Transaction, installation: Installation, member: Account): Promise<string> {
  const token = await linkWithin(tx, installation, 'staff', member);
  if (token === undefined) throw new Error('somebody without a password was refused a link');
  return `${member.organizationId}.${token}`;
}

function about(actor: Actor, { organizationId, id }: Account) {
  return { organizationId, actor, targetId: id } as const;
}
