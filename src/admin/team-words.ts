import { html } from 'hono/html';
import type { Role } from '../accounts/accounts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { may, mayManage, PERMISSIONS, resets, type Permission, type StaffMember } from '../accounts/staff.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import { barred } from './console.ts';

/** Each permission as what somebody does with it. */
export const PERMISSION_WORDS: Record<Permission, string> = {
  read: 'See every page of the console',
  'edit customers': 'Add and edit customers',
  'edit contacts': 'Add and edit contacts',
  'open and close portal access': 'Turn portal access on and off',
  'reset MFA': "Reset a contact's MFA",
  unlock: 'Unlock contacts',
  'make welcome links': 'Make welcome links',
  'end sessions': 'Sign contacts out everywhere',
  'change settings': 'Change settings',
  'act on many contacts at once': 'Act on many contacts at once',
  'delete customers and contacts': 'Delete customers and contacts',
  'import and export customers': 'Import and export customers',
  'export the audit log': 'Export the audit log',
  'manage the team': 'Manage the team, as below',
};

export const ROLE_PLURALS: Record<Role, string> = {
  owner: 'owners',
  admin: 'admins',
  support: 'support',
  auditor: 'auditors',
};

/** What comes with a role, drawn from the table; what owners have that admins do not is whom they manage. */
export function roleHint(role: Role): string {
  const all = Object.keys(PERMISSIONS) as Permission[];
  const can = all.filter((permission) => may(role, permission));
  if (can.length === all.length)
    return role === 'owner'
      ? 'Everything, and manages owners and admins too'
      : 'Everything, but manages no owners and no other admins';
  const words = can.map((permission) => PERMISSION_WORDS[permission]);
  return words.map((text, at) => (at === 0 ? text : `${text.charAt(0).toLowerCase()}${text.slice(1)}`)).join(', ');
}

export function mfaSinceWords({ mfaSince }: StaffMember, organization: Organization): c.Content {
  return mfaSince === null ? c.pill('muted', 'Not set up') : html`On since ${c.time(mfaSince, organization, 'date')}`;
}

/** Invited means that there is no password yet; locked, that none of their codes or passwords is taken just now. */
export function staffState(member: StaffMember, organization: Organization, now: number): c.Html {
  if (member.suspectedAt !== null)
    return html`${c.pill('danger', 'Locked')} <small>password may be known to someone else</small>`;
  if (member.waitUntil > now)
    return html`${c.pill('warn', 'Locked')} <small>until ${c.time(member.waitUntil, organization, 'clock')}</small>`;
  return member.passwordSetAt === null ? c.pill('warn', 'Invited') : c.pill('ok', 'Active');
}

export function memberPath({ id }: Pick<StaffMember, 'id'>, act: string): string {
  return `/admin/team/${id}${act}`;
}

/** The gear of somebody on the staff. What one may not do keeps its place and says why. */
export function staffMenu(who: SignedIn, member: StaffMember): c.Html {
  const reason = whyNotManaged(who, member);
  const entry = (label: string, act: string, more?: string): c.MenuItem => {
    const why = reason ?? more;
    return why === undefined ? { label, href: memberPath(member, act) } : { label, reason: why };
  };
  return c.gearMenu(`Actions for ${member.email}`, [
    entry('Change role', '/role'),
    entry('Reset MFA', '/reset-mfa', whyNoReset(who, member)),
    entry('Make a new invitation link', '/invitation-link', whyNoLink(member)),
    entry('Sign out everywhere', '/sign-out'),
    entry('Remove', '/remove'),
  ]);
}

/** Why nothing can be done to somebody on the staff, in a few words; undefined where something can. */
export function whyNotManaged(who: SignedIn, member: StaffMember): string | undefined {
  const reason = barred(who, 'manage the team');
  if (reason !== undefined) return reason;
  if (member.id === who.session.account.id) return "That's you: ask another owner";
  return mayManage(who.session.account, member) ? undefined : 'Ask an owner';
}

export function whyNoReset({ session }: SignedIn, member: StaffMember): string | undefined {
  if (member.mfaSince === null) return "MFA isn't set up";
  return resets(session.account.role, member.role) ? undefined : 'At the command line only';
}

export function whyNoLink(member: StaffMember): string | undefined {
  return member.passwordSetAt === null ? undefined : 'Has a password';
}
