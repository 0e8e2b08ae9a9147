import { uuidv7 } from '../crypto/tokens.ts';
import { NotUnique, sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { nameForAudit, record, type Actor } from './audit.ts';
import {
  ACCOUNT_COLUMNS,
  emailKey,
  findAccount,
  MFA_SINCE,
  sortKey,
  WAIT_UNTIL,
  type Account,
  type Role,
} from './accounts.ts';
import type { Installation } from './installation.ts';

export const ROLES: readonly Role[] = ['owner', 'admin', 'support', 'auditor'];

/** What each role may do: the one table that the guards of the console's routes are made from. */
export const PERMISSIONS = {
  read: ['owner', 'admin', 'support', 'auditor'],
  'edit customers': ['owner', 'admin'],
  'edit contacts': ['owner', 'admin', 'support'],
  'open and close portal access': ['owner', 'admin', 'support'],
  'reset MFA': ['owner', 'admin', 'support'],
  unlock: ['owner', 'admin', 'support'],
  'make welcome links': ['owner', 'admin'],
  'end sessions': ['owner', 'admin', 'support'],
  'change settings': ['owner', 'admin'],
  'act on many contacts at once': ['owner', 'admin'],
  'delete customers and contacts': ['owner', 'admin'],
  'import and export customers': ['owner', 'admin'],
  'export the audit log': ['owner', 'admin', 'auditor'],
  'manage the team': ['owner', 'admin'],
} as const satisfies Record<string, readonly Role[]>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether a role may do a thing. */
export function may(role: Role | null, permission: Permission): boolean {
  return (PERMISSIONS[permission] as readonly (Role | null)[]).includes(role);
}

/** Whom each role manages: changes their role, resets their MFA, signs them out, removes them. */
const MANAGES: Record<Role, readonly Role[]> = {
  owner: ['owner', 'admin', 'support', 'auditor'],
  admin: ['support', 'auditor'],
  support: [],
  auditor: [],
};

/** Which roles each role may give, to somebody invited or to somebody it manages. Only owners make owners. */
const GIVES: Record<Role, readonly Role[]> = {
  owner: ['owner', 'admin', 'support', 'auditor'],
  admin: ['admin', 'support', 'auditor'],
  support: [],
  auditor: [],
};

/** Whether a role manages staff of another. */
export function manages(role: Role | null, whose: Role | null): boolean {
  return role !== null && whose !== null && MANAGES[role].includes(whose);
}

/** Whether a role may give another to somebody. */
export function mayGive(role: Role | null, wanted: Role): boolean {
  return role !== null && GIVES[role].includes(wanted);
}

/** Whether a role resets the MFA of another: of whom it manages, and never of an equal (R2). */
export function resets(role: Role | null, whose: Role | null): boolean {
  return manages(role, whose) && role !== whose;
}

type InHouse = Pick<Account, 'organizationId' | 'id' | 'role'>;

/** Whether somebody manages a member of the same staff: nobody themselves, so that every such act takes two people. */
export function mayManage(manager: InHouse, member: InHouse): boolean {
  const other = member.organizationId === manager.organizationId && member.id !== manager.id;
  return other && manages(manager.role, member.role);
}

/** Somebody on the staff, with what the others see of their MFA. */
export interface StaffMember extends Account {
  readonly role: Role;
  /** Since when an authenticator is active, or null. */
  readonly mfaSince: number | null;
  /** When the wait for wrong codes ends that ends last; in the past where none holds. */
  readonly waitUntil: number;
}

/** An organization's staff without those who were removed: owners first, then by name. */
export function teamOf(db: Pick<Queries, 'all'>, organizationId: string): Promise<StaffMember[]> {
  return staffWhere(db, organizationId, sql`1 = 1`);
}

/** One of an organization's staff who was not removed, or undefined. */
export async function findStaff(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  id: string,
): Promise<StaffMember | undefined> {
  return (await staffWhere(db, organizationId, sql`a.id = ${id}`))[0];
}

function staffWhere(db: Pick<Queries, 'all'>, organizationId: string, condition: Sql): Promise<StaffMember[]> {
  return db.all(sql`SELECT ${ACCOUNT_COLUMNS}, ${WAIT_UNTIL} AS "waitUntil", ${MFA_SINCE} AS "mfaSince"
    FROM accounts a
    WHERE a.organization_id = ${organizationId} AND a.kind = 'staff' AND a.disabled_at IS NULL AND ${condition}
    ORDER BY CASE a.role WHEN 'owner' THEN 1 WHEN 'admin' THEN 2 WHEN 'support' THEN 3 ELSE 4 END, a.sort_key, a.id`);
}

export interface StaffDraft {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
}

/**
 * Adds a staff member without a password. Who was removed from this very staff gets the same account back, so that its
 * history stays one person's. Answers undefined where the address has not the shape of one or belongs to staff of this
 * installation already: `/admin/sign-in` names no organization, so an address finds one account.
 */
export async function createStaff(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  organizationId: string,
  draft: StaffDraft,
): Promise<Account | undefined> {
  const now = installation.now();
  const key = emailKey(draft.email);
  if (key === undefined) return undefined;
  const made = await tx.savepoint(async () => {
    const back = await tx.one<{ id: string }>(sql`UPDATE accounts SET disabled_at = NULL, epoch = epoch + 1,
        role = ${draft.role}, name = ${draft.name}, sort_key = ${sortKey(draft.name)}, email = ${draft.email.trim()}
      WHERE organization_id = ${organizationId} AND kind = 'staff' AND email_key = ${key} AND disabled_at IS NOT NULL
      RETURNING id`);
    const id = back?.id ?? uuidv7(now);
    if (!back)
      await tx.run(sql`INSERT INTO accounts (organization_id, id, kind, role, name, sort_key, email, email_key, created_at)
        VALUES (${organizationId}, ${id}, 'staff', ${draft.role}, ${draft.name}, ${sortKey(draft.name)}, ${draft.email.trim()}, ${key}, ${now})`);
    await tx.run(
      sql`INSERT INTO staff_emails (email_key, organization_id, account_id) VALUES (${key}, ${organizationId}, ${id})`,
    );
    return id;
  });
  if (!made.ok) {
    if (made.fault instanceof NotUnique) return undefined;
    throw made.fault;
  }
  const id = made.value;
  await nameForAudit(tx, organizationId, id, `${draft.name} (${draft.email.trim()})`);
  await record(tx, installation, {
    organizationId,
    actor,
    action: 'staff.created',
    targetId: id,
    details: { role: draft.role },
  });
  return findAccount(tx, organizationId, id);
}

/** Whether anybody owns anything yet: until then the set-up link at start is the way in. */
export async function hasOwner(db: Pick<Database, 'one'>): Promise<boolean> {
  return (
    (await db.one(sql`SELECT 1 AS found FROM accounts a WHERE a.kind = 'staff' AND a.role = 'owner'`)) !== undefined
  );
}
