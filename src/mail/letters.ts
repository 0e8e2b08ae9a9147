import type { Account } from '../accounts/accounts.ts';
import type { Contents, MailFacts, MailKind } from '../accounts/outbox.ts';
import type { Organization } from '../accounts/organizations.ts';
import { timeText } from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import { say, type Key } from '../words/say.ts';

/** What a kind of letter has beyond its subject and its sentence. */
interface Shape {
  /** The page that its link opens, behind the portal's path or the console's. Others have the plain address alone. */
  readonly link?: { readonly page: string; readonly label: Key };
  /** It tells of a change: when, from where, by whom, and what to do if it wasn't them. */
  readonly notice?: true;
  /**
   * Somebody can bring it about as often as they like, so an hour has room for so many of them. What takes an account
   * away from its owner is never held back, or whoever does that would first fill the hour (ASVS 6.3.7).
   */
  readonly mayWait?: true;
}

/** Every letter there is: what is told, and how. Its words stand in the catalogue under its name. */
const SHAPES: Record<MailKind, Shape> = {
  'mfa-on': { notice: true },
  'new-codes': { notice: true, mayWait: true },
  'code-used': { notice: true, mayWait: true },
  'app-replaced': { notice: true },
  'app-added': { notice: true },
  'app-removed': { notice: true, mayWait: true },
  'mfa-off': { notice: true },
  'mfa-reset': { notice: true },
  'new-device': { notice: true, mayWait: true },
  'wrong-codes': { notice: true, mayWait: true },
  'password-changed': { notice: true },
  'email-changed': { notice: true },
  'passkey-added': { notice: true },
  'passkey-removed': { notice: true, mayWait: true },
  'passkey-copied': { notice: true, mayWait: true },
  'device-trusted': { notice: true, mayWait: true },
  'device-copied': { notice: true },
  'password-removed': { notice: true },
  'not-me': {},
  'recovery-asked': { notice: true, link: { page: 'cancel-request', label: 'mail.link.recovery-asked' } },
  'recovery-refused': {},
  'sign-in-code-made': { notice: true },
  'setup-code-made': { notice: true },
  'set-up-by': { mayWait: true },
  'codes-low': { mayWait: true },
  'app-check': { mayWait: true },
  'job-ended': { mayWait: true },
  digest: {},
  test: {},
  'new-password': { link: { page: 'new-password', label: 'mail.link.new-password' } },
  invitation: { link: { page: 'welcome', label: 'mail.link.invitation' } },
  'confirm-email': { link: { page: 'confirm-email', label: 'mail.link.confirm-email' } },
  'confirm-enrolment': { link: { page: 'confirm-enrolment', label: 'mail.link.confirm-enrolment' } },
};

/** The kinds of which an hour has room for so many to an address. */
export const MAY_WAIT: readonly MailKind[] = (Object.keys(SHAPES) as MailKind[]).filter((kind) => SHAPES[kind].mayWait);

/** A letter with everything that it speaks of. */
export interface Told extends Contents {
  readonly kind: MailKind;
  readonly publicUrl: string;
  readonly organization: Organization;
  readonly account: Pick<Account, 'kind' | 'email'>;
  /** The name of the staff member who did it; undefined where nobody of staff did, or they are gone. */
  readonly staffName?: string | undefined;
  /** What a digest tells. */
  readonly heldBack?: readonly HeldBack[];
}

export interface HeldBack {
  readonly kind: MailKind;
  readonly count: number;
  readonly lastAt: number;
}

/** A letter in words, before it is text or HTML. */
export interface Draft {
  readonly lang: string;
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly details: readonly { readonly label: string; readonly value: string }[];
  readonly link?: Link | undefined;
  readonly ifNotYou?: { readonly heading: string; readonly steps: readonly string[]; readonly link?: Link | undefined };
  /** The plain address of the portal or console, and how the organization is reached. */
  readonly foot: readonly string[];
}

export interface Link {
  readonly label: string;
  readonly url: string;
}

/** Puts a letter into words. Its links begin with the address from the configuration, whatever a request said (I19). */
export function draftOf(told: Told): Draft {
  const { kind, organization } = told;
  const values = valuesOf(told);
  const own = SHAPES[kind];
  return {
    lang: organization.language,
    subject: say(subjectKey(told), values),
    paragraphs: [say(textKey(told), values), ...(own.link === undefined ? [] : [howLong(told)])],
    details: kind === 'digest' ? heldBackOf(told, values) : detailsOf(told),
    link: linkOf(told),
    ...(own.notice ? { ifNotYou: ifNotYou(told, values.m) } : {}),
    foot: footOf(told, values.m),
  };
}

/** What a kind of letter is called where nothing more is known of it. */
export function subjectOf(kind: MailKind, organization: Organization): string {
  return say(`mail.subject.${kind}`, valuesOf({ organization, facts: {} }));
}

// To the address of before, to staff about a contact, or without a last day, the same fact is other news.
function subjectKey({ kind, facts }: Told): Key {
  if (isToldToStaff(kind, facts)) return 'mail.subject.not-me-told';
  if (kind === 'set-up-by' && typeof facts['until'] !== 'number') return 'mail.subject.set-up-now';
  return `mail.subject.${kind}`;
}

function textKey({ kind, facts }: Told): Key {
  if (kind === 'email-changed' && facts['which'] === 'old') return 'mail.text.email-changed-before';
  if (isToldToStaff(kind, facts))
    return facts['next'] === 'closed' ? 'mail.text.not-me-closed' : 'mail.text.not-me-told';
  return `mail.text.${kind}`;
}

function isToldToStaff(kind: MailKind, facts: MailFacts): boolean {
  return kind === 'not-me' && facts['contactId'] !== undefined;
}

type Values = { readonly m: string } & Record<string, string | number>;

function valuesOf({ organization, facts }: Pick<Told, 'organization' | 'facts'>): Values {
  const number = (name: string): number => Number(facts[name] ?? 0);
  return {
    m: oneLine(organization.name),
    left: number('left'),
    inARow: number('inARow'),
    done: number('done'),
    errors: number('errors'),
    state: textOf(facts, 'state'),
    title: textOf(facts, 'title'),
    name: textOf(facts, 'name'),
    date: dayBefore(facts['until'], organization),
  };
}

function detailsOf({ facts, organization, account, kind, staffName }: Told): Draft['details'] {
  const { notice } = SHAPES[kind];
  const userAgent = textOf(facts, 'userAgent');
  const m = oneLine(organization.name);
  const rows: [Key, string][] = [
    ['mail.detail.when', momentOf(facts, 'at', organization)],
    [
      kind === 'not-me' ? 'mail.detail.email' : 'mail.detail.name',
      isToldToStaff(kind, facts) ? textOf(facts, 'email') : textOf(facts, 'name'),
    ],
    ['mail.detail.device', userAgent === '' ? '' : deviceOf({ userAgent })],
    ['mail.detail.address', textOf(facts, 'address')],
    ['mail.detail.by', notice && SPEAKS_OF_NOBODY[kind] !== true ? byWhom(facts, m, staffName) : ''],
    // Why staff do something is theirs to know, unless it is the answer to somebody who asked.
    ['mail.detail.reason', kind === 'recovery-refused' || account.kind === 'staff' ? textOf(facts, 'reason') : ''],
  ];
  return rows.flatMap(([key, value]) => (value === '' ? [] : [{ label: say(key), value }]));
}

/** Who does these is the very question. */
const SPEAKS_OF_NOBODY: Partial<Record<MailKind, true>> = {
  'new-device': true,
  'wrong-codes': true,
  'recovery-asked': true,
};

function byWhom(facts: MailFacts, m: string, staffName: string | undefined): string {
  switch (textOf(facts, 'by')) {
    case 'self':
      return say('mail.by.self');
    case 'staff':
      return staffName === undefined
        ? say('mail.by.nobody-now', { m })
        : say('mail.by.member', { m, name: oneLine(staffName) });
    case 'operator':
      return say('mail.by.operator', { m });
    case 'system':
      return say('mail.by.system');
    default:
      return '';
  }
}

function heldBackOf({ heldBack = [], organization }: Told, values: Values): Draft['details'] {
  return heldBack.map(({ kind, count, lastAt }) => ({
    label: say(`mail.subject.${kind}`, values),
    value: say('mail.digest', { count, at: timeText(lastAt, organization) }),
  }));
}

function linkOf(told: Told): Link | undefined {
  const { link } = SHAPES[told.kind];
  const token = textOf(told.facts, 'token');
  return link && token !== '' ? { label: say(link.label), url: linkTo(told, link.page, token) } : undefined;
}

function linkTo(told: Told, page: string, token: string): string {
  return `${baseOf(told)}/${page}/${encodeURIComponent(token)}`;
}

function howLong({ facts, organization }: Told): string {
  const time = momentOf(facts, 'until', organization);
  return time === '' ? say('mail.once') : say('mail.until', { time });
}

function ifNotYou(told: Told, m: string): NonNullable<Draft['ifNotYou']> {
  const token = textOf(told.facts, 'notMeToken');
  const contact = contactOf(told.organization);
  const staff = told.account.kind === 'staff' || contact === '';
  return {
    heading: say('mail.not-you'),
    steps: [
      say('mail.not-you.password', { portal: baseOf(told) }),
      say('mail.not-you.sign-out'),
      staff ? say('mail.not-you.tell-owner', { m }) : say('mail.not-you.tell', { m, contact }),
    ],
    link: token === '' ? undefined : { label: say('mail.not-you.link'), url: linkTo(told, 'not-me', token) },
  };
}

function footOf(told: Told, m: string): string[] {
  const contact = contactOf(told.organization);
  const reached = told.account.kind === 'staff' || contact === '' ? [] : [`${say('mail.ask', { m })} ${contact}`];
  return [`${say('mail.your-portal', { m })} ${baseOf(told)}`, ...reached];
}

// Some write it on several lines.
function contactOf({ contactDetails }: Organization): string {
  return oneLine(contactDetails.trim().replace(/\s*\n\s*/g, ', '));
}

/** Where the account signs in. */
function baseOf({ publicUrl, organization, account }: Pick<Told, 'publicUrl' | 'organization' | 'account'>): string {
  return account.kind === 'staff' ? `${publicUrl}/admin` : `${publicUrl}/portal/${organization.slug}`;
}

function textOf(facts: MailFacts, name: string): string {
  return oneLine(String(facts[name] ?? ''));
}

// A last day ends with the midnight after it.
function dayBefore(until: string | number | null | undefined, where: Organization): string {
  return typeof until === 'number' ? timeText(until - 1, where, 'date') : '';
}

/** A moment of the facts in the organization's time zone, which it names; nothing where there is none. */
function momentOf(facts: MailFacts, name: string, where: Organization): string {
  const at = facts[name];
  return typeof at === 'number' ? timeText(at, where) : '';
}

/** What somebody typed, as one line that stays in its own direction: no line of a header or letter can begin in it. */
export function oneLine(text: string): string {
  return text
    .replace(/[\u202A-\u202E\u2066-\u2069]/g, '')
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}
