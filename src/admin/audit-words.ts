import { html } from 'hono/html';
import type { Action, AuditLine } from '../accounts/audit.ts';
import type { Group } from '../accounts/audit-groups.ts';
import type { Html } from '../web/components.ts';

/** What an audit row says, as a sentence. Names stand apart in it, so that none can turn the words around it (bidi). */
export function sentence(row: AuditLine): Html {
  const words: Partial<Record<string, Words>> = WORDS;
  const { action, result, targetId, actorId } = row;
  const template = words[action]?.[result] ?? words[action]?.['done'] ?? `{who}: ${action} ${result}`;
  const isAboutOther = targetId !== null && targetId !== actorId;
  const parts = template.replace(/\[(.*?)\]/g, isAboutOther ? '$1' : '').split(/(\{who\}|\{whom\})/);
  return html`${parts.map((part, at) => {
    if (part === '{who}') return whoIn(row, parts.slice(0, at).join('') === '');
    return part === '{whom}' ? html`<bdi>${whomName(row)}</bdi>` : part;
  })}`;
}

function whoIn(row: AuditLine, isFirst: boolean): Html {
  const name = whoName(row);
  return html`<bdi>${isFirst && row.actorName === null ? capital(name) : name}</bdi>`;
}

/** Who did it, by name; the log keeps names as "Dana Cho (dana@acme.test)". */
export function whoName({ actorKind, actorName }: AuditLine): string {
  if (actorKind === 'operator') return 'the operator at the shell';
  if (actorKind === 'system') return 'Sallyport';
  return actorName === null ? GONE : partsOf(actorName).name;
}

/** To whom it was done: by e-mail where there is one, since two people may share a name. */
export function whomName({ targetName }: AuditLine): string {
  if (targetName === null) return GONE;
  const { name, email } = partsOf(targetName);
  return email ?? name;
}

export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const GONE = 'somebody who is gone';

function partsOf(kept: string): { name: string; email?: string } {
  const found = /^(.+) \((\S+@\S+)\)$/u.exec(kept);
  return found ? { name: found[1] ?? '', email: found[2] ?? '' } : { name: kept };
}

/** Where `{who}` stands somebody is named, and in `[…]` what is left out where nobody else is concerned. */
type Sentence = `${string}{who}${string}`;
type Words = Readonly<Record<string, Sentence>>;

const done = (words: Sentence): Words => ({ done: words });

/** Each action as a sentence; by its result where that makes a difference. */
const WORDS: Readonly<Record<Action, Words>> = {
  'organization.created': done('{who} created the organization'),
  'settings.changed': done('{who} changed the settings'),
  'policy.changed': done('{who} changed the MFA policy'),
  'staff.created': done('{who} added somebody to staff[: {whom}]'),
  'staff.role-changed': {
    owner: '{who} made[ {whom}] an owner',
    admin: '{who} made[ {whom}] an admin',
    support: '{who} gave[ {whom}] the role support',
    auditor: '{who} gave[ {whom}] the role auditor',
  },
  'staff.signed-out': done('{who} signed[ {whom}] out everywhere'),
  'staff.removed': done('{who} removed somebody from staff[: {whom}]'),
  'customer.created': done('{who} added the customer[ {whom}]'),
  'customer.changed': done('{who} renamed the customer[ {whom}]'),
  'contact.created': {
    done: '{who} added the contact[ {whom}]',
    imported: '{who} added the contact[ {whom}] by an import',
    'imported-password': '{who} added the contact[ {whom}] by an import, with the password they had',
    'imported-mfa': '{who} added the contact[ {whom}] by an import, with the authenticator they had',
    'imported-both': '{who} added the contact[ {whom}] by an import, with the password and the authenticator they had',
  },
  'contact.changed': {
    done: '{who} changed the name, email or phone[ of {whom}]',
    imported: '{who} changed the contact[ {whom}] by an import',
    'imported-password': '{who} changed the contact[ {whom}] by an import, with the password they had',
    'imported-mfa': '{who} changed the contact[ {whom}] by an import, with the authenticator they had',
    'imported-both':
      '{who} changed the contact[ {whom}] by an import, with the password and the authenticator they had',
  },
  'portal-access.enabled': done('{who} turned portal access on[ for {whom}]'),
  'portal-access.disabled': done('{who} turned portal access off[ for {whom}]'),
  'contact.moved': done('{who} moved a contact to another customer[: {whom}]'),
  'contact.deleted': done('{who} deleted a contact[: {whom}]'),
  'customer.deleted': done('{who} deleted a customer[: {whom}]'),
  'documents.imported': done('{who} imported documents'),
  'welcome-link.made': {
    done: '{who} made a welcome link[ for {whom}]',
    mailed: '{who} had an invitation mailed[ to {whom}]',
  },
  'password.set': done('{who} chose a password[ for {whom}]'),
  'new-password.asked': {
    done: 'Somebody asked for a link to choose a new password for {who}',
    disabled: 'Somebody asked for a new password for {who} while portal access was off',
  },
  'email-change.asked': done('{who} asked to change their email'),
  'email.changed': done('{who} changed their email'),
  'account.not-me': {
    'link-mailed': '{who} said that somebody else had been in their account: the password was removed, a link mailed',
    ask: '{who} said that somebody else had been in their account: the password was removed',
    closed:
      'From an earlier email of {who} it was said that somebody else was in the account: the password was removed, portal access turned off',
  },
  'password.answered': {
    right: '{who} entered the right password',
    wrong: 'Somebody entered a wrong password for {who}',
    disabled: 'Somebody tried to sign in as {who} while portal access was off',
    suspected: 'The right password of {who} was refused, since it may be known to someone else',
  },
  'signed-in': {
    right: '{who} signed in',
    wrong: '{who} entered a wrong code at sign-in',
    'already-used': '{who} entered a code that had already been used',
    'passkey-refused': 'A passkey of {who} was refused at sign-in',
  },
  'signed-out': done('{who} signed out'),
  'proved-again': {
    right: '{who} confirmed who they are',
    wrong: '{who} entered a wrong code to confirm who they are',
    'already-used': '{who} entered a used code to confirm who they are',
    'passkey-refused': '{who} was refused with a passkey to confirm who they are',
    'held-up': '{who} tried to confirm who they are while they had to wait',
    'clock-behind': "{who} tried to confirm who they are while the server's clock was wrong",
  },
  'device.trusted': done('{who} chose not to be asked for a code on a device'),
  'device.removed': done('{who} ended the trust in a device[ of {whom}]'),
  'device.replayed': done('An old cookie of a trusted device came back at a sign-in of {who}: the device was removed'),
  'enrolment.offered': done('{who} began to set up MFA'),
  'enrolment.answered': {
    right: '{who} entered the right first code',
    wrong: '{who} entered a wrong first code',
  },
  'reminder.sent': done('{who} sent a reminder to set up MFA[ to {whom}]'),
  'app.checked': {
    right: '{who} checked that their authenticator app still works',
    wrong: '{who} entered a wrong code to check their authenticator app',
    'already-used': '{who} entered a used code to check their authenticator app',
  },
  'enrolment-link.sent': done('{who} had the link to confirm an enrolment sent again'),
  'enrolment-code.made': done('{who} made a setup code[ for {whom}]'),
  'enrolment.confirmed': {
    right: '{who} confirmed a new authenticator',
    wrong: '{who} entered a wrong setup code',
  },
  'mfa.enabled': done('{who} turned MFA on'),
  'mfa.turned-off': done('{who} turned MFA off'),
  'authenticator.added': done('{who} added an authenticator app'),
  'authenticator.replaced': done('{who} replaced an authenticator app'),
  'authenticator.renamed': done('{who} renamed an authenticator app'),
  'authenticator.removed': done('{who} removed an authenticator app'),
  'backup-codes.generated': done('{who} made backup codes'),
  'passkey.added': done('{who} added a passkey'),
  'passkey.renamed': done('{who} renamed a passkey'),
  'passkey.removed': done('{who} removed a passkey'),
  'mfa.reset': done('{who} reset MFA[ for {whom}]'),
  'recovery.asked': done('{who} asked for help with signing in'),
  'recovery.cancelled': {
    page: '{who} cancelled their request for help',
    link: 'Somebody with the link from the email cancelled the request of {who}',
    factor: 'A working code of {who} cancelled their request for help',
  },
  'recovery.approved': done('{who} approved the request for help[ of {whom}]'),
  'recovery.refused': done('{who} refused the request for help[ of {whom}]'),
  'sign-in-code.made': done('{who} made a one-time sign-in code[ for {whom}]'),
  'sign-in-code.used': {
    right: '{who} used a one-time sign-in code',
    wrong: '{who} entered a wrong one-time sign-in code',
  },
  'account.unlocked': {
    'waits-ended': '{who} unlocked[ {whom}]',
    'password-removed': '{who} unlocked[ {whom}], and the old password was removed',
  },
  'exemption.granted': done('{who} gave an exemption from MFA[ to {whom}]'),
  'exemption.ended': done('{who} ended an exemption from MFA[ of {whom}]'),
  'sessions.ended': { done: '{who} signed[ {whom}] out', everyone: '{who} signed everyone out of the portal' },
  'customers.imported': done('{who} imported customers'),
  'customers.exported': done('{who} exported customers'),
  'audit.exported': done('{who} exported the audit log'),
  'job.started': { done: '{who} started a job', resumed: '{who} let a job go on' },
  'job.stopped': done('{who} told a job to stop'),
  'job.ended': {
    finished: 'A job of {who} finished',
    stopped: 'A job of {who} stopped',
    failed: 'A job of {who} failed',
  },
  'clock.accepted': done("{who} took the server's clock for the right one"),
  'database.restored': done('{who} closed what was open in a restored backup'),
};

/** The groups of the filter "What". */
export const GROUP_NAMES: Readonly<Record<Group, string>> = {
  'sign-ins': 'Sign-ins and passwords',
  mfa: 'Setting up MFA',
  resets: 'Resets and unlocking',
  policy: 'Policy',
  team: 'Team',
  customers: 'Customers and contacts',
  settings: 'Settings, jobs and the server',
};

/** Whether what was tried came about, as far as the result of a row tells. */
export function cameAbout({ result }: Pick<AuditLine, 'result'>): boolean {
  return !REFUSED.has(result);
}

const REFUSED = new Set(['wrong', 'already-used', 'disabled', 'suspected', 'held-up', 'clock-behind', 'failed']);
