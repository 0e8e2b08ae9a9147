import type { Action } from './audit.ts';

/** What the log can be filtered by, besides one exact action. The names stand in addresses and commands. */
export const GROUPS = ['sign-ins', 'mfa', 'resets', 'policy', 'team', 'customers', 'settings'] as const;

export type Group = (typeof GROUPS)[number];

/** To which group each action belongs. */
const GROUP_OF: Readonly<Record<Action, Group>> = {
  'organization.created': 'settings',
  'settings.changed': 'settings',
  'policy.changed': 'policy',
  'staff.created': 'team',
  'staff.role-changed': 'team',
  'staff.signed-out': 'team',
  'staff.removed': 'team',
  'customer.created': 'customers',
  'customer.changed': 'customers',
  'contact.created': 'customers',
  'contact.changed': 'customers',
  'portal-access.enabled': 'customers',
  'portal-access.disabled': 'customers',
  'contact.moved': 'customers',
  'contact.deleted': 'customers',
  'customer.deleted': 'customers',
  'documents.imported': 'customers',
  'welcome-link.made': 'customers',
  'password.set': 'sign-ins',
  'new-password.asked': 'sign-ins',
  'email-change.asked': 'sign-ins',
  'email.changed': 'sign-ins',
  'account.not-me': 'resets',
  'password.answered': 'sign-ins',
  'signed-in': 'sign-ins',
  'signed-out': 'sign-ins',
  'proved-again': 'sign-ins',
  'device.trusted': 'sign-ins',
  'device.removed': 'sign-ins',
  'device.replayed': 'sign-ins',
  'enrolment.offered': 'mfa',
  'enrolment.answered': 'mfa',
  'enrolment-link.sent': 'mfa',
  'reminder.sent': 'mfa',
  'app.checked': 'mfa',
  'enrolment-code.made': 'resets',
  'enrolment.confirmed': 'mfa',
  'mfa.enabled': 'mfa',
  'mfa.turned-off': 'mfa',
  'authenticator.added': 'mfa',
  'authenticator.replaced': 'mfa',
  'authenticator.renamed': 'mfa',
  'authenticator.removed': 'mfa',
  'backup-codes.generated': 'mfa',
  'mfa.reset': 'resets',
  'passkey.added': 'mfa',
  'passkey.renamed': 'mfa',
  'passkey.removed': 'mfa',
  'recovery.asked': 'resets',
  'recovery.cancelled': 'resets',
  'recovery.approved': 'resets',
  'recovery.refused': 'resets',
  'sign-in-code.made': 'resets',
  'sign-in-code.used': 'sign-ins',
  'account.unlocked': 'resets',
  'exemption.granted': 'policy',
  'exemption.ended': 'policy',
  'sessions.ended': 'sign-ins',
  'customers.imported': 'customers',
  'customers.exported': 'customers',
  'audit.exported': 'settings',
  'job.started': 'settings',
  'job.stopped': 'settings',
  'job.ended': 'settings',
  'clock.accepted': 'settings',
  'database.restored': 'settings',
};

/** Whether a text names a group. */
export function isGroup(text: string): text is Group {
  return (GROUPS as readonly string[]).includes(text);
}

/** Whether a text names an action that this version knows. */
export function isAction(text: string): text is Action {
  return Object.hasOwn(GROUP_OF, text);
}

/** The actions of a group. */
export function actionsOf(group: Group): Action[] {
  return Object.keys(GROUP_OF).filter((action): action is Action => isAction(action) && GROUP_OF[action] === group);
}
