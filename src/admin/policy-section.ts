import { html } from 'hono/html';
import { GRACE_DAYS, type AskedOfAll, type Organization, type Policy } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import { counted } from './console.ts';

export const GENERAL = '/admin/settings/customer-portal/general';

/** What a policy means, in numbers: contacts with portal access who use MFA, who do not, and who of those are exempt. */
export interface Reach {
  readonly enrolled: number;
  readonly notEnrolled: number;
  readonly exempt: number;
  readonly signedIn: number;
}

export const POLICY_FIELDS = ['policy', 'grace', 'mfa', 'when', 'days', 'offer', 'signOut'] as const;
type Given = Record<(typeof POLICY_FIELDS)[number], string>;

/** What the form asks for: the box is the policy `required`; `optional` is the choice of those who looked for more. */
export function askedPolicy({ mfa, when, days, offer }: Given): { asked: AskedOfAll; problems: c.Problem[] } {
  if (mfa !== 'on') return { asked: { policy: offer === 'on' ? 'optional' : 'off', graceDays: null }, problems: [] };
  if (when !== 'within') return { asked: { policy: 'required', graceDays: null }, problems: [] };
  const graceDays = daysOf(days);
  return { asked: { policy: 'required', graceDays: graceDays ?? 0 }, problems: graceDays ? [] : [DAYS_PROBLEM] };
}

const DAYS_PROBLEM: c.Problem = {
  field: 'days',
  text: `Enter a number of days from ${GRACE_DAYS.min} to ${GRACE_DAYS.max}`,
};

/** The days of a grace, of what was typed; undefined where it is no such number. */
export function daysOf(text: string): number | undefined {
  const days = /^\s*\d{1,3}\s*$/.test(text) ? Number(text) : 0;
  return days >= GRACE_DAYS.min && days <= GRACE_DAYS.max ? days : undefined;
}

/** Whether two policies ask the same of customers. */
export function isSame(one: AskedOfAll, other: AskedOfAll): boolean {
  return one.policy === other.policy && one.graceDays === other.graceDays;
}

/**
 * Whether the page was made for another policy than today's, so that saving it would undo somebody's change unseen. What is
 * asked for already, as by a second press, undoes nothing.
 */
export function isStale({ policy, grace }: Given, asked: AskedOfAll, today: Organization): boolean {
  return policy !== '' && !isSame(asked, today) && (policy !== today.policy || grace !== graceText(today));
}

function graceText({ graceDays }: AskedOfAll): string {
  return graceDays === null ? '' : String(graceDays);
}

/** What the form shows: a policy, and what was typed and ticked beside it. */
export interface Shown extends AskedOfAll {
  readonly days?: string;
  readonly signOut?: boolean;
}

/** The part of the General form that is about MFA. `today` is the policy that holds, `shown` what the form shows. */
export function policySection(today: Organization, shown: Shown, reach: Reach, problems: readonly c.Problem[]): c.Html {
  const body = html`<input type="hidden" name="policy" value="${today.policy}" />
    <input type="hidden" name="grace" value="${graceText(today)}" />
    ${c.checkbox({
      name: 'mfa',
      label: 'Enable multi-factor authentication (MFA)',
      hint: 'Customers enter a code from an authenticator app after their password. This applies to all your customers.',
      checked: shown.policy === 'required',
      error: c.problemOf(problems, 'mfa'),
    })}
    <div class="further">${whenChoice(shown, problems)}</div>
    ${moreChoices(today, shown, reach, problems)} ${whatItMeans(shown, reach)} ${whoIsAffected(shown)}`;
  return c.section('Multi-factor authentication', body);
}

export const USUAL_DAYS = 14;

function whenChoice({ graceDays, days }: Shown, problems: readonly c.Problem[]): c.Html {
  const error = c.problemOf(problems, 'days');
  const within = graceDays !== null;
  return html`<fieldset class="field${error ? ' wrong' : ''}">
    <legend>When must customers set it up?</legend>
    ${error ? html`<p class="error" id="days-error">${error}</p>` : c.nothing}
    <div class="tick">
      <input type="radio" id="when" name="when" value="next" ${c.attr('checked', !within)} />
      <label for="when">At their next sign-in</label>
    </div>
    <div class="tick">
      <input type="radio" id="when-within" name="when" value="within" ${c.attr('checked', within)} />
      <span class="said-with">
        <label for="when-within">Within</label>
        <input
          type="text"
          id="days"
          name="days"
          inputmode="numeric"
          autocomplete="off"
          value="${days || (graceDays ?? USUAL_DAYS)}"
          ${c.attr('aria-describedby', error ? 'days-error days-hint' : 'days-hint')}
          ${c.attr('aria-invalid', error !== undefined && 'true')}
        />
        <label for="days">days</label>
      </span>
      <p class="hint" id="days-hint">
        Counted for each contact from their first sign-in on, once: signing in again gives no more days. Turning MFA off
        and on again does.
      </p>
    </div>
  </fieldset>`;
}

function moreChoices(
  today: Organization,
  { policy, signOut }: Shown,
  { signedIn }: Reach,
  problems: readonly c.Problem[],
): c.Html {
  const error = c.problemOf(problems, 'signOut');
  return c.disclosure(
    'More choices',
    html`${c.checkbox({
        name: 'offer',
        label: 'Offer MFA without asking for it',
        hint: 'While the box above is not ticked, customers who want MFA can turn it on themselves.',
        checked: policy === 'optional',
      })}
      ${c.checkbox({
        name: 'signOut',
        label: 'Sign everyone out now',
        hint: `Together with a change of MFA. ${isSignedIn(signedIn)}; without it they are asked only when they next sign in. Staff stay signed in.`,
        checked: signOut === true,
        error,
      })}
      <p>
        In the app it will look like: <strong>${today.name}</strong> ${c.ltr('maria@example.com')}. Customers get 5
        backup codes.
      </p>`,
    { open: policy === 'optional' || signOut === true },
  );
}

export function isSignedIn(contacts: number): string {
  if (contacts === 0) return 'Nobody is signed in just now';
  return `${counted(contacts, 'contact is', 'contacts are')} signed in just now`;
}

/** What each state of the checkbox means, in numbers: nobody presses Save without having seen it (D1). */
export function whatItMeans(
  { graceDays }: Pick<AskedOfAll, 'graceDays'>,
  { enrolled, notEnrolled, exempt }: Reach,
): c.Html {
  const asked = counted(notEnrolled - exempt, 'contact', 'contacts');
  const spared = exempt === 0 ? '' : `; ${counted(exempt, 'is', 'are')} exempt`;
  const already = enrolled === 1 ? '1 already uses it' : `${enrolled.toLocaleString('en-GB')} already use it`;
  const still = `The ${counted(enrolled, 'contact who already uses', 'contacts who already use')} MFA`;
  return c.notice(
    'info',
    html`<p>On: ${asked} will be asked to set it up ${whenWords(graceDays)}${spared}; ${already}.</p>
      <p>
        Off: nobody new is asked.
        ${
          enrolled === 0
            ? c.nothing
            : html`<strong>${still} will still need their code.</strong> To free one, use Reset Portal MFA.`
        }
      </p>`,
  );
}

/** The way to the names behind the numbers; while MFA is off, of those whom turning it on would ask. */
export function whoIsAffected({ policy, graceDays }: AskedOfAll): c.Html {
  const plan: AskedOfAll = policy === 'off' ? { policy: 'required', graceDays: null } : { policy, graceDays };
  return html`<p><a href="${previewPath(plan)}">See who is affected</a></p>`;
}

/** When a policy with so many days of grace asks. */
export function whenWords(graceDays: number | null): string {
  return graceDays ? `within ${counted(graceDays, 'day', 'days')}` : 'at their next sign-in';
}

/** Where staff see whom a policy would affect, or a group of them. */
export function previewPath({ policy, graceDays }: AskedOfAll, page = '', group?: string): string {
  const query = new URLSearchParams({
    policy,
    ...(graceDays && { days: String(graceDays) }),
    ...(group !== undefined && { group }),
  });
  return `${GENERAL}/preview${page}?${query.toString()}`;
}

export const POLICY_WORDS: Record<Policy, c.Html> = {
  off: c.pill('muted', 'Off'),
  optional: c.pill('ok', 'Offered'),
  required: c.pill('ok', 'On'),
};
