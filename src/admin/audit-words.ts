import type { Action, listAudit } from '../accounts/audit.ts';

export type AuditLine = Awaited<ReturnType<typeof listAudit>>[number];

/** What an audit row says, to whoever knows whom it is about. */
export function sentence(row: AuditLine): string {
  const what = WORDS[row.action][row.result] ?? WORDS[row.action]['done'] ?? row.action;
  const by = row.actorId === row.targetId ? '' : ` by ${actor(row)}`;
  return `${what}${by}${row.reason === null ? '' : `: ${row.reason}`}`;
}

function actor({ actorKind, actorName }: AuditLine): string {
  if (actorKind === 'operator') return 'the operator at the shell';
  return actorKind === 'system' ? 'Sallyport' : (actorName ?? 'somebody who is gone');
}

const done = (words: string): Record<string, string> => ({ done: words });

/** Each action in words; by its result where that makes a difference. */
const WORDS: Record<Action, Readonly<Record<string, string>>> = {
  'organization.created': done('Organization created'),
  'settings.changed': done('Settings changed'),
  'policy.changed': done('Policy changed'),
  'staff.created': done('Added to staff'),
  'staff.role-changed': {
    owner: 'Role changed to owner',
    admin: 'Role changed to admin',
    support: 'Role changed to support',
    auditor: 'Role changed to auditor',
  },
  'staff.signed-out': done('Signed out everywhere'),
  'staff.removed': done('Removed from staff'),
  'customer.created': done('Customer added'),
  'customer.changed': done('Customer renamed'),
  'contact.created': {
    done: 'Added',
    imported: 'Added by an import',
    'imported-password': 'Added by an import, with the password they had',
    'imported-mfa': 'Added by an import, with the authenticator they had',
    'imported-both': 'Added by an import, with the password and the authenticator they had',
  },
  'contact.changed': {
    done: 'Name, email or phone changed',
    imported: 'Changed by an import',
    'imported-password': 'Changed by an import, with the password they had',
    'imported-mfa': 'Changed by an import, with the authenticator they had',
    'imported-both': 'Changed by an import, with the password and the authenticator they had',
  },
  'portal-access.enabled': done('Portal access turned on'),
  'portal-access.disabled': done('Portal access turned off'),
  'sessions.ended': done('Signed out'),
  'contact.moved': done('Moved to another customer'),
  'contact.deleted': done('Deleted'),
  'customer.deleted': done('Customer deleted'),
  'documents.imported': done('Documents imported'),
  'customers.imported': done('Customers imported'),
  'customers.exported': done('Customers exported'),
  'welcome-link.made': done('Welcome link made'),
  'password.set': done('Password chosen'),
  'password.answered': {
    right: 'Right password entered',
    wrong: 'Wrong password entered',
    disabled: 'Tried to sign in while portal access was off',
    suspected: 'Right password refused, since it may be known to someone else',
  },
  'signed-in': {
    right: 'Signed in',
    wrong: 'Wrong code entered at sign-in',
    'already-used': 'Code entered that had already been used',
  },
  'signed-out': done('Signed out'),
  'proved-again': {
    'held-up': 'Tried to confirm who they are while they had to wait',
    'clock-behind': "Tried to confirm who they are while the server's clock was wrong",
    right: 'Confirmed who they are',
    wrong: 'Wrong code entered',
    'already-used': 'Used code entered',
  },
  'enrolment.offered': done('Began to set up MFA'),
  'enrolment.answered': { right: 'Right first code entered', wrong: 'Wrong first code entered' },
  'mfa.enabled': done('MFA turned on'),
  'backup-codes.generated': done('Backup codes made'),
  'mfa.reset': done('MFA reset'),
  'account.unlocked': {
    'waits-ended': 'Unlocked',
    'password-removed': 'Unlocked, and the old password removed',
  },
  'job.started': { done: 'Job started', resumed: 'Job let go on' },
  'job.stopped': done('Job told to stop'),
  'job.ended': { finished: 'Job finished', stopped: 'Job stopped', failed: 'Job failed' },
  'clock.accepted': done('Clock accepted'),
  'database.restored': done('Database restored from a backup'),
};
