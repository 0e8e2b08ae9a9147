import { html } from 'hono/html';
import { RECOVERY_WAIT_HOURS, saveChoices, TRUSTED_DEVICE_DAYS } from '../accounts/choices.ts';
import type { Choices, Organization, Passkeys } from '../accounts/organizations.ts';
import { passkeysIn } from '../auth/passkeys.ts';
import { devicesTrusted } from '../auth/trusted-devices.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, barred, consolePage, counted } from './console.ts';

export const SIGN_IN = '/admin/settings/customer-portal/sign-in';

const FIELDS = ['devices', 'days', 'passkeys', 'confirmation', 'wait'] as const;
type Given = Record<(typeof FIELDS)[number], string>;

const USUAL_DAYS = 30;

/** Settings › Customer Portal › Sign-in: what customers may do beyond password and code. */
export function show(visit: Visit, who: SignedIn): Promise<Response> {
  return choicesPage(visit, who, shownOf(who.organization));
}

/** Save: takes effect at once, for those who are signed in too. */
export async function save(visit: Visit, who: SignedIn): Promise<Response> {
  const given = await visit.form(...FIELDS);
  const { organization } = who;
  const { asked, problems } = askedOf(given);
  if (problems.length > 0) return choicesPage(visit, who, given, problems);
  const ends = await devicesEndedBy(visit, organization, asked);
  const news = [
    ...(ends === 0 ? [] : [`${counted(ends, 'device is', 'devices are')} asked for a code again`]),
    ...(await passkeysPutOut(visit, organization, asked)),
  ];
  if (!isSame(asked, organization)) {
    const about = ['change how your customers sign in', ...(news.length === 0 ? [] : [news.join(', and ')])].join(': ');
    const first = await proveFirst(visit, who, about);
    if (first) return first;
  }
  const changed = await saveChoices(visit.installation, actorOf(visit, who), organization.id, asked);
  const told = news.length === 0 ? 'Saved.' : `Saved. From now on ${news.join(', and ')}.`;
  visit.leave('admin', { kind: 'ok', text: changed ? told : 'Nothing has changed.' });
  return visit.see(SIGN_IN);
}

/** How many devices a change would end the trust in. */
async function devicesEndedBy({ installation, now }: Visit, { id }: Organization, asked: Choices): Promise<number> {
  const trusted = await devicesTrusted(installation.db, id, now);
  if (asked.trustedDeviceDays === null) return trusted;
  return trusted - (await devicesTrusted(installation.db, id, now, asked.trustedDeviceDays));
}

/** What becomes of the passkeys that customers have, where a change turns them off. */
async function passkeysPutOut({ installation }: Visit, today: Organization, asked: Choices): Promise<string[]> {
  if (asked.passkeys !== 'off' || today.passkeys === 'off') return [];
  const passkeys = await passkeysIn(installation.db, today.id);
  return passkeys === 0 ? [] : [`${counted(passkeys, 'passkey opens', 'passkeys open')} nothing`];
}

function shownOf({ trustedDeviceDays, passkeys, enrolmentConfirmation, recoveryWaitHours }: Choices): Given {
  return {
    devices: trustedDeviceDays === null ? '' : 'on',
    days: String(trustedDeviceDays ?? USUAL_DAYS),
    passkeys,
    confirmation: enrolmentConfirmation === 'required' ? 'on' : '',
    wait: String(recoveryWaitHours),
  };
}

function askedOf(given: Given): { asked: Choices; problems: c.Problem[] } {
  const days = numberIn(given.days, TRUSTED_DEVICE_DAYS);
  const wait = numberIn(given.wait, RECOVERY_WAIT_HOURS);
  const passkeys = PASSKEYS.find(({ value }) => value === given.passkeys)?.value;
  const asked: Choices = {
    trustedDeviceDays: given.devices === 'on' ? (days ?? null) : null,
    passkeys: passkeys ?? 'off',
    enrolmentConfirmation: given.confirmation === 'on' ? 'required' : 'none',
    recoveryWaitHours: wait ?? 0,
  };
  const problems: c.Problem[] = [];
  if (given.devices === 'on' && days === undefined) problems.push({ field: 'days', text: DAYS_WRONG });
  if (passkeys === undefined) problems.push({ field: 'passkeys', text: 'Choose whether customers may use passkeys' });
  if (wait === undefined) problems.push({ field: 'wait', text: WAIT_WRONG });
  return { asked, problems };
}

const DAYS_WRONG = `Enter a number of days from ${TRUSTED_DEVICE_DAYS.min} to ${TRUSTED_DEVICE_DAYS.max}`;
const WAIT_WRONG = 'Choose how long a request waits';

function numberIn(text: string, { min, max }: { min: number; max: number }): number | undefined {
  const number = /^\s*\d{1,3}\s*$/.test(text) ? Number(text) : -1;
  return number >= min && number <= max ? number : undefined;
}

function isSame(one: Choices, other: Choices): boolean {
  return (
    one.trustedDeviceDays === other.trustedDeviceDays &&
    one.passkeys === other.passkeys &&
    one.enrolmentConfirmation === other.enrolmentConfirmation &&
    one.recoveryWaitHours === other.recoveryWaitHours
  );
}

async function choicesPage(
  visit: Visit,
  who: SignedIn,
  shown: Given,
  problems: readonly c.Problem[] = [],
): Promise<Response> {
  const means = await whatDevicesMean(visit, who.organization);
  const passkeys = await whatPasskeysMean(visit, who.organization);
  const mayChange = barred(who, 'change settings') === undefined;
  const body = mayChange
    ? c.form(
        SIGN_IN,
        html`${c.section('Their own devices', html`${deviceChoice(shown, problems)} ${means}`)}
        ${c.section('Passkeys', html`${passkeyChoice(shown, problems)} ${passkeys}`)}
        ${c.section('A new authenticator app', confirmationChoice(visit, shown))}
        ${c.section('Asking for help', waitChoice(shown, who.organization, problems))} ${c.button('Save')}`,
        { guard: true, busy: 'Saving…' },
      )
    : toRead(who.organization, html`${means} ${passkeys}`);
  return consolePage(visit, who, {
    current: 'settings',
    title: 'Sign-in',
    phrase: 'Customer Portal',
    errors: problems,
    body,
  });
}

function deviceChoice({ devices, days }: Given, problems: readonly c.Problem[]): c.Html {
  const error = c.problemOf(problems, 'days');
  return html`<div class="field${error ? ' wrong' : ''}">
    ${error ? html`<p class="error" id="days-error">${error}</p>` : c.nothing}
    <div class="tick">
      <input
        type="checkbox"
        id="devices"
        name="devices"
        value="on"
        ${c.attr('checked', devices === 'on')}
        aria-describedby="days-hint"
      />
      <span class="said-with">
        <label for="devices">Let customers skip the code on their own devices for</label>
        <input
          type="text"
          id="days"
          name="days"
          inputmode="numeric"
          autocomplete="off"
          value="${days}"
          ${c.attr('aria-describedby', error && 'days-error')}
          ${c.attr('aria-invalid', error !== undefined && 'true')}
        />
        <label for="days">days</label>
      </span>
      <p class="hint" id="days-hint">
        ${TRUSTED_DEVICE_DAYS.min} to ${TRUSTED_DEVICE_DAYS.max}. Customers tick a box when they enter a code, for one
        device at a time; after that their password is enough there. Whoever has that device and the password gets in.
        Never for staff.
      </p>
    </div>
  </div>`;
}

/** Ages at which it is told how many devices are older, for who thinks of fewer days. */
const AGES = [7, 14, 30, 60, 90];

// Nobody presses Save without having seen what it takes (D1); the exact number is told when they have.
async function whatDevicesMean({ installation, now }: Visit, organization: Organization): Promise<c.Html> {
  const { id, trustedDeviceDays } = organization;
  const { db } = installation;
  const trusted = trustedDeviceDays === null ? 0 : await devicesTrusted(db, id, now);
  if (trustedDeviceDays === null || trusted === 0) return c.notice('info', 'No device skips the code today.');
  const older = await Promise.all(
    AGES.filter((age) => age < trustedDeviceDays).map(async (age) => ({
      age,
      devices: trusted - (await devicesTrusted(db, id, now, age)),
    })),
  );
  const ages = older
    .filter(({ devices }) => devices > 0)
    .map(({ age, devices }) => `${devices} longer than ${age} days`);
  return c.notice(
    'info',
    html`<p>${counted(trusted, 'device skips', 'devices skip')} the code today. Off: each is asked for a code again.</p>
      <p>
        Fewer days: those trusted longer than that are asked
        again${ages.length === 0 ? '' : `; today ${ages.join(', ')}`}. More days: devices trusted from then on have
        them.
      </p>`,
  );
}

const PASSKEYS: { value: Passkeys; label: string; hint: string }[] = [
  { value: 'off', label: 'Off', hint: 'No passkey opens anything. Those that customers have made are kept.' },
  {
    value: 'second-factor',
    label: 'Instead of the code',
    hint: 'After the password a fingerprint, a face or a security key will do. It cannot be given to a false website.',
  },
  {
    value: 'sign-in',
    label: 'Instead of password and code',
    hint: 'The passkey alone signs a customer in, where the device has made sure that it is them.',
  },
];

function passkeyChoice({ passkeys }: Given, problems: readonly c.Problem[]): c.Html {
  return c.radios({
    name: 'passkeys',
    label: 'Customers may use passkeys',
    value: passkeys,
    error: c.problemOf(problems, 'passkeys'),
    choices: PASSKEYS,
  });
}

async function whatPasskeysMean({ installation }: Visit, { id }: Organization): Promise<c.Html> {
  const passkeys = await passkeysIn(installation.db, id);
  const text =
    passkeys === 0 ? 'No customer has a passkey.' : `Customers have ${counted(passkeys, 'passkey', 'passkeys')}.`;
  return c.notice('info', text);
}

function confirmationChoice({ installation }: Visit, { confirmation }: Given): c.Html {
  const how = installation.mailIsOn
    ? 'By a link that is mailed to the address on file, or a one-time code from your staff.'
    : 'By a one-time code from your staff, which is the only way while mail is off. To mail links, set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM.';
  return c.checkbox({
    name: 'confirmation',
    label: 'A new authenticator must be confirmed',
    hint: `${how} It keeps out a thief who has only the password.`,
    checked: confirmation === 'on',
  });
}

const WAITS = [0, 1, 4, 12, 24, 48, 72, 120, 168];

function waitChoice({ wait }: Given, today: Choices, problems: readonly c.Problem[]): c.Html {
  const hours = [...new Set([...WAITS, today.recoveryWaitHours])].toSorted((one, other) => one - other);
  return c.selectField({
    name: 'wait',
    label: 'A request for help waits at least',
    hint: 'Until then your staff cannot approve it, and whoever owns the account can stop it.',
    value: wait,
    choices: hours.map((n) => ({ value: String(n), label: waitWords(n) })),
    error: c.problemOf(problems, 'wait'),
  });
}

/** A waiting time as people would say it. */
function waitWords(hours: number): string {
  if (hours === 0) return 'Not at all';
  return hours > 24 && hours % 24 === 0 ? `${hours / 24} days` : counted(hours, 'hour', 'hours');
}

function toRead(organization: Organization, means: c.Html): c.Html {
  const { trustedDeviceDays: days, passkeys, enrolmentConfirmation, recoveryWaitHours } = organization;
  return html`<section class="panel">
    ${c.summaryList([
      {
        label: 'Skipping the code on their own devices',
        value: days === null ? 'Off' : `For ${counted(days, 'day', 'days')}`,
      },
      { label: 'Passkeys', value: PASSKEYS.find(({ value }) => value === passkeys)?.label ?? '' },
      {
        label: 'A new authenticator',
        value: enrolmentConfirmation === 'required' ? 'Must be confirmed' : 'Works at once',
      },
      { label: 'A request for help waits', value: waitWords(recoveryWaitHours) },
    ])}
    ${means}
    <p class="hint">Only owners and admins change this.</p>
  </section>`;
}
