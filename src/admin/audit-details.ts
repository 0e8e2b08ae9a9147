import { html } from 'hono/html';
import type { AuditLine } from '../accounts/audit.ts';
import { isId } from '../accounts/audit-filter.ts';
import type { Organization } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import { AUDIT } from './audit-filter.ts';
import { capital } from './audit-words.ts';

const LINKED_WITHIN_MS = 60_000;

/** All that a row holds, in words. */
export function details(row: AuditLine, organization: Organization, now: number): c.Html {
  const rows: c.SummaryRow[] = [
    { label: 'Time', value: utc(row.at) },
    ...(row.reason === null ? [] : [{ label: 'Reason', value: html`<bdi>${row.reason}</bdi>` }]),
    ...facts(row, organization),
    ...(row.address === null ? [] : [{ label: 'Address', value: c.ltr(row.address) }]),
    { label: 'Place in the chain', value: place(row, now) },
    { label: 'Row', value: html`<code dir="ltr">${row.id}</code>` },
  ];
  return c.disclosure('Details', c.summaryList(rows));
}

/** A moment as logs write it. */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function place({ sequence, at }: AuditLine, now: number): c.Content {
  if (sequence !== null) return `Number ${sequence.toLocaleString('en-GB')}`;
  if (now - at < LINKED_WITHIN_MS) return 'It gets its number within a second';
  return c.pill('danger', 'None: the row was put in by hand, or its link was cut out');
}

type Fact = string | number | null;

// What changed is written as two facts, `policy` and `policyBefore`, and told as one line.
function facts(row: AuditLine, organization: Organization): c.SummaryRow[] {
  const all = JSON.parse(row.details) as Readonly<Record<string, Fact>>;
  return Object.entries(all)
    .filter(([key, value]) => value !== null && !(key.endsWith('Before') && key.slice(0, -'Before'.length) in all))
    .map(([key, value]) => {
      const now = told(key, value ?? '', organization);
      const before = all[`${key}Before`];
      const isChange = before !== undefined && before !== null;
      return { label: label(key), value: isChange ? html`${told(key, before, organization)} → ${now}` : now };
    });
}

const LABELS: Readonly<Record<string, string>> = {
  inARow: 'Wrong codes in a row',
  suspected: 'Password held to be stolen',
  why: 'Why it was wrong',
  minutes: 'Minutes that the phone is off',
  account: 'Whose code it was',
  graceDays: 'Days to set it up',
  enrolled: 'Contacts with MFA',
  notEnrolled: 'Contacts without MFA',
  trustedDeviceDays: 'Days that a device may skip the code',
  enrolmentConfirmation: 'A new authenticator is confirmed',
  recoveryWaitHours: 'Hours that a request for help waits',
};

function label(key: string): string {
  return LABELS[key] ?? capital(key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
}

const POLICY = { off: 'Off', optional: 'Offered', required: 'On' };

const VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  policy: POLICY,
  factor: {
    totp: 'Authenticator app',
    'backup-code': 'Backup code',
    password: 'Password',
    passkey: 'Passkey',
    'trusted-device': 'Trusted device',
  },
  suspected: { '0': 'No', '1': 'Yes' },
  passkeys: { off: 'Off', 'second-factor': 'Instead of the code', 'sign-in': 'Instead of password and code' },
  enrolmentConfirmation: { none: 'No', required: 'Yes' },
  why: {
    clock: 'The code of another moment',
    used: 'Used before',
    'other-account': 'The code of a colleague',
    unknown: 'Not the code of any moment near',
    ceremony: 'Too late, or used before',
    credential: 'Not a passkey of this account',
    signature: 'A check of it failed',
    counter: 'It may have been copied',
    'not-allowed': 'Passkeys are not accepted for this',
    closed: 'Portal access was off, or the account had just changed',
  },
};

function told(key: string, value: NonNullable<Fact>, organization: Organization): c.Content {
  const words = VALUES[key]?.[String(value)];
  if (words !== undefined) return words;
  if (typeof value === 'number') {
    return key.endsWith('At') ? c.time(value, organization) : value.toLocaleString('en-GB');
  }
  return isId(value) ? html`<a href="${AUDIT}?whom=${value}">What concerns them</a>` : html`<bdi>${value}</bdi>`;
}
