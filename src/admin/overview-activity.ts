import { html } from 'hono/html';
import type { Days, Event, Sum } from '../accounts/figures.ts';
import * as c from '../web/components.ts';
import { shareBar } from './chart.ts';
import { counted } from './console.ts';
import { share } from './overview-adoption.ts';

/** What happened in thirty days, and in the thirty before. */
export interface Activity {
  readonly days: Days;
  readonly sums: readonly Sum[];
  readonly before: readonly Sum[];
  /** By the ids of the agents who have reset. */
  readonly names: ReadonlyMap<string, string>;
}

/** How many of those sums there were together, or of one factor or agent. */
export function total(sums: readonly Sum[], name: Event, subject?: string): number {
  return sums
    .filter((sum) => sum.name === name && (subject === undefined || sum.subject === subject))
    .reduce((all, { value }) => all + value, 0);
}

/** The audit log, on those days, of one group and perhaps one action. */
export function auditPath(days: Days, what: string, action?: string): string {
  return `/admin/audit?${new URLSearchParams({ what, ...(action && { action }), ...days }).toString()}`;
}

/** The enrolment funnel, codes by factor, lock-outs and resets, each with its sentence and its table. */
export function activitySections(activity: Activity): c.Html {
  return html`${funnel(activity)} ${codes(activity)} ${lockOuts(activity)} ${resetsByAgent(activity)}`;
}

const STEPS: readonly [event: Event, label: string, what: string, action: string][] = [
  ['asked', 'Asked, after the password', 'sign-ins', 'password.answered'],
  ['began', 'Began', 'mfa', 'enrolment.offered'],
  ['verified', 'Verified a code', 'mfa', 'enrolment.answered'],
  ['enabled', 'Turned MFA on', 'mfa', 'mfa.enabled'],
  ['codes-made', 'Made backup codes', 'mfa', 'backup-codes.generated'],
];

function funnel({ days, sums }: Activity): c.Html {
  const asked = total(sums, 'asked');
  const most = Math.max(asked, ...STEPS.map(([event]) => total(sums, event)));
  if (most === 0) return section('Setting up MFA', 'Nobody was asked to set up MFA in the last 30 days.');
  const enabled = total(sums, 'enabled');
  const rows = STEPS.map(([event, label, what, action]) => {
    const value = total(sums, event);
    const part = value > asked ? '–' : share({ on: value, none: asked - value });
    return [label, link(value, auditPath(days, what, action)), part, shareBar(value / most)];
  });
  const sentence =
    enabled > asked
      ? `${counted(enabled, 'contact', 'contacts')} turned MFA on in the last 30 days.`
      : `Of ${counted(asked, 'sign-in', 'sign-ins')} that led to setting up MFA in the last 30 days, ${enabled.toLocaleString('en-GB')} ended with MFA on.`;
  return section(
    'Setting up MFA',
    sentence,
    c.dataTable({
      id: 'funnel',
      caption: 'Setting up MFA in the last 30 days, step by step',
      columns: [
        { label: 'Step' },
        { label: 'Times', end: true },
        { label: 'Share', end: true },
        { label: 'As a bar', hidden: true },
      ],
      rows,
    }),
    'Whoever is asked again at the next sign-in counts again.',
  );
}

const FACTORS: readonly [subject: string, label: string, inWords: string][] = [
  ['totp', 'Authenticator app', 'codes from authenticator apps'],
  ['backup-code', 'Backup code', 'backup codes'],
  ['passkey', 'Passkey', 'passkeys'],
];

function codes({ days, sums }: Activity): c.Html {
  const rates = FACTORS.map(([subject, label, inWords]) => {
    const [right, wrong, used] = (['signed-in', 'code-wrong', 'code-used'] as const).map((event) =>
      total(sums, event, subject),
    ) as [number, number, number];
    return { subject, label, inWords, right, wrong, used, all: right + wrong + used };
  });
  const given = rates.filter(({ all }) => all > 0);
  if (given.length === 0) return section('Codes at sign-in', 'Nobody entered a code in the last 30 days.');
  const sentence = given
    .map(({ all, right, inWords }) => `${share({ on: right, none: all - right })} of ${inWords}`)
    .join(' and ');
  const path = auditPath(days, 'sign-ins', 'signed-in');
  return section(
    'Codes at sign-in',
    `${sentence} were right in the last 30 days.`.replace(/^[a-z]/, (letter) => letter.toUpperCase()),
    c.dataTable({
      id: 'codes',
      caption: 'Codes entered at sign-in in the last 30 days, by factor',
      columns: [
        { label: 'Factor' },
        { label: 'Right', end: true },
        { label: 'Wrong', end: true },
        { label: 'Already used', end: true },
        { label: 'Success', end: true },
      ],
      // Who takes no passkeys need not read of them.
      rows: rates
        .filter(({ subject, all }) => subject !== 'passkey' || all > 0)
        .map(({ label, right, wrong, used, all }) => [
          label,
          ...[right, wrong, used].map((value) => link(value, path)),
          all === 0 ? '–' : share({ on: right, none: all - right }),
        ]),
    }),
  );
}

const REFUSALS: readonly [event: Event, label: string, action: string][] = [
  ['locked-out', 'Lock-outs: a wait, or locked until staff help', 'signed-in'],
  ['code-wrong', 'Wrong codes', 'signed-in'],
  ['password-wrong', 'Wrong passwords', 'password.answered'],
  ['kept-out', 'Kept out: portal access off, or the password known to someone else', 'password.answered'],
];

function lockOuts({ days, sums, before }: Activity): c.Html {
  const [now, then] = [total(sums, 'locked-out'), total(before, 'locked-out')];
  const happened =
    now === 0
      ? 'Nobody was locked out in the last 30 days'
      : `${counted(now, 'lock-out', 'lock-outs')} in the last 30 days`;
  const compared =
    now === then
      ? 'as many as'
      : now > then
        ? `${(now - then).toLocaleString('en-GB')} more than`
        : `${(then - now).toLocaleString('en-GB')} fewer than`;
  return section(
    'Lock-outs and refusals',
    now === 0 && then === 0 ? `${happened}, nor in the 30 before.` : `${happened}, ${compared} in the 30 before.`,
    c.dataTable({
      id: 'lock-outs',
      caption: 'Lock-outs and refused sign-ins in the last 30 days and in the 30 before',
      columns: [{ label: 'What' }, { label: 'Last 30 days', end: true }, { label: 'The 30 before', end: true }],
      rows: REFUSALS.map(([event, label, action]) => [
        label,
        link(total(sums, event), auditPath(days, 'sign-ins', action)),
        total(before, event).toLocaleString('en-GB'),
      ]),
    }),
  );
}

function resetsByAgent({ days, sums, names }: Activity): c.Html {
  const byAgent = sums.filter(({ name }) => name === 'reset').toSorted((a, b) => b.value - a.value);
  const [first, second] = byAgent;
  if (!first) return section('Resets', 'Nobody’s MFA was reset in the last 30 days.');
  const resets = `${counted(total(sums, 'reset'), 'reset', 'resets')} of MFA in the last 30 days`;
  const most = `the most, ${first.value.toLocaleString('en-GB')}, by ${agentName(first.subject, names)}`;
  const sentence = !second
    ? `${resets}, by ${agentName(first.subject, names)}.`
    : `${resets} by ${byAgent.length} agents${first.value > second.value ? `; ${most}` : ''}.`;
  return section(
    'Resets',
    sentence,
    c.dataTable({
      id: 'resets',
      caption: 'Resets of MFA in the last 30 days, by agent',
      columns: [{ label: 'Agent' }, { label: 'Resets', end: true }],
      rows: byAgent.map(({ subject, value }) => [
        agentName(subject, names),
        link(value, auditPath(days, 'resets', 'mfa.reset')),
      ]),
    }),
  );
}

function agentName(subject: string, names: ReadonlyMap<string, string>): string {
  if (subject === 'operator') return 'the operator at the shell';
  return subject === 'system' ? 'Sallyport' : (names.get(subject) ?? 'somebody who is gone');
}

function section(heading: string, sentence: string, table: c.Html = c.nothing, hint = ''): c.Html {
  const small = hint === '' ? c.nothing : html`<p class="hint">${hint}</p>`;
  return c.section(
    heading,
    html`<p>${sentence}</p>
      ${table}${small}`,
  );
}

function link(value: number, href: string): c.Html {
  return html`<a href="${href}">${value.toLocaleString('en-GB')}</a>`;
}
