import { uuidv7 } from '../crypto/tokens.ts';
import { NotUnique, sql, type Database, type Transaction } from '../db/db.ts';
import { nameForAudit, record, type Actor } from './audit.ts';
import { emailKey, findAccount, sortKey, type Account, type Role } from './accounts.ts';
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

export interface StaffDraft {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
}

/**
 * Adds a staff member without a password. Answers undefined where the address has not the shape of one or belongs to
 * staff of this installation already: `/admin/sign-in` names no organization, so an address finds one account.
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
  const id = uuidv7(now);
  const made = await tx.savepoint(async () => {
    await tx.run(sql`INSERT INTO accounts (organization_id, id, kind, role, name, sort_key, email, email_key, created_at)
      VALUES (${organizationId}, ${id}, 'staff', ${draft.role}, ${draft.name}, ${sortKey(draft.name)}, ${draft.email.trim()}, ${key}, ${now})`);
    await tx.run(
      sql`INSERT INTO staff_emails (email_key, organization_id, account_id) VALUES (${key}, ${organizationId}, ${id})`,
    );
  });
  if (!made.ok) {
    if (made.fault instanceof NotUnique) return undefined;
    throw made.fault;
  }
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
