import { html } from 'hono/html';
import {
  ORGANIZATION_NAME_MAX,
  policyReach,
  saveGeneralSettings,
  type AskedOfAll,
  type GeneralSettings,
  type Organization,
  type Policy,
} from '../accounts/organizations.ts';
import { exemptNow } from '../auth/exemptions.ts';
import { signedInNow } from '../auth/sessions.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { BRANDING } from './branding.ts';
import { EMAIL } from './email.ts';
import { actorOf, barred, consolePage, counted, portalAddress } from './console.ts';
import { CONTACT_DETAILS_MAX, line, lines, needed } from './inputs.ts';
import { SIGN_IN } from './sign-in-choices.ts';
import {
  askedPolicy,
  GENERAL,
  isSame,
  isSignedIn,
  isStale,
  POLICY_FIELDS,
  POLICY_WORDS,
  policySection,
  whatItMeans,
  whenWords,
  whoIsAffected,
  type Reach,
  type Shown,
} from './policy-section.ts';

/** Settings: what can be set, one link each. */
export function settings(visit: Visit, who: SignedIn): Promise<Response> {
  const body = html`<section class="panel">
    <p><a href="${GENERAL}">General</a></p>
    <p class="hint">MFA for your customers, your display name, how customers reach you, and the portal's address.</p>
    <p><a href="${SIGN_IN}">Sign-in</a></p>
    <p class="hint">What customers may do beyond password and code: their own devices, passkeys, asking for help.</p>
    <p><a href="${BRANDING}">Branding</a></p>
    <p class="hint">Your logo and colour on the portal, and the time zone.</p>
    <p><a href="${EMAIL}">Email</a></p>
    <p class="hint">Whether letters are sent, a test email, and what the mail server did not take.</p>
    <p><a href="/admin/team">Team</a></p>
    <p class="hint">Who works in this console, and what each role may do.</p>
  </section>`;
  return consolePage(visit, who, { current: 'settings', title: 'Customer Portal', phrase: 'Settings', body });
}

/** Settings › Customer Portal › General. */
export function general(visit: Visit, who: SignedIn): Promise<Response> {
  return generalPage(visit, who, who.organization, []);
}

/** Save: takes effect at once. Only a change of policy asks for a fresh proof. */
export async function saveGeneral(visit: Visit, who: SignedIn): Promise<Response> {
  const given = await visit.form(...POLICY_FIELDS, 'name', 'contactDetails');
  const { organization } = who;
  const { asked: policy, problems: wrongDays } = askedPolicy(given);
  const signOut = given.signOut === 'on';
  const asked = {
    name: line(given.name),
    contactDetails: lines(given.contactDetails),
    ...policy,
    days: given.days,
    signOut,
  };
  const changes = !isSame(policy, organization);
  const problems = [
    ...wrongDays,
    ...(isStale(given, policy, organization) ? [CHANGED_MEANWHILE] : []),
    ...(signOut && !changes ? [NOTHING_CHANGED] : []),
    ...needed('name', 'a display name', asked.name, ORGANIZATION_NAME_MAX),
    ...needed('contactDetails', 'how customers can reach you', asked.contactDetails, CONTACT_DETAILS_MAX),
  ];
  if (problems.length > 0) return generalPage(visit, who, asked, problems);
  const first = changes && (await proveFirst(visit, who, aboutChange(organization, policy, signOut)));
  if (first) return first;
  const { installation, now } = visit;
  const also = signOut ? { signOut: await signedInNow(installation.db, organization.id, now) } : {};
  const saved = await saveGeneralSettings(installation, actorOf(visit, who), organization, asked, also);
  if (saved.kind !== 'saved') return generalPage(visit, who, asked, [REFUSED[saved.kind]]);
  const text = saved.policyChanged ? await policyNews(visit, who, policy, signOut) : 'Saved.';
  visit.leave('admin', { kind: 'ok', text });
  return visit.see(GENERAL);
}

const CHANGED_MEANWHILE: c.Problem = {
  field: 'mfa',
  text: 'Somebody else has turned MFA on or off meanwhile. Look at the numbers again, then press Save',
};
const NOTHING_CHANGED: c.Problem = {
  field: 'signOut',
  text: 'Nothing about MFA changes, so nobody is signed out. To do only that, use “Sign everyone out” below',
};
const REFUSED = {
  'policy-changed-meanwhile': CHANGED_MEANWHILE,
  'own-mfa-first': {
    field: 'mfa',
    text: 'Set up MFA for yourself first. Nobody can ask customers for it without having it',
  },
};

const CHANGES_TO: Record<Policy, string> = {
  required: 'turn MFA on for all customers',
  optional: 'offer MFA to all customers',
  off: 'turn MFA off',
};

function aboutChange(before: AskedOfAll, { policy }: AskedOfAll, signOut: boolean): string {
  const change = policy === before.policy ? 'change by when customers set up MFA' : CHANGES_TO[policy];
  return signOut ? `${change} and sign everyone out` : change;
}

async function policyNews(
  visit: Visit,
  { organization }: SignedIn,
  { policy, graceDays }: AskedOfAll,
  signOut: boolean,
): Promise<string> {
  const out = signOut ? ' Everyone is signed out.' : '';
  if (policy === 'required') {
    const days = graceDays === null ? '' : ` They set it up ${whenWords(graceDays)}.`;
    return `MFA is on for all customers.${days}${out}`;
  }
  const { enrolled } = await policyReach(visit.installation.db, organization.id);
  const state = policy === 'optional' ? 'MFA is offered to all customers.' : 'MFA is off.';
  if (enrolled === 0) return `${state}${out}`;
  return `${state} ${counted(enrolled, 'contact still needs', 'contacts still need')} their code.${out}`;
}

type ShownSettings = GeneralSettings & Shown;

async function generalPage(
  visit: Visit,
  who: SignedIn,
  shown: ShownSettings,
  problems: readonly c.Problem[],
): Promise<Response> {
  const reach = await reachNow(visit, who);
  const mayChange = barred(who, 'change settings') === undefined;
  const body = html`${mayChange ? settingsForm(who.organization, shown, reach, problems) : settingsToRead(shown, reach)}
  ${c.section(
    "The portal's address",
    html`<p>Your customers sign in here. Put it on your invoices and your website.</p>
      <p><code class="key" id="address" dir="ltr">${portalAddress(visit, who.organization)}</code></p>
      ${c.actions(c.copyButton('Copy', portalAddress(visit, who.organization), { select: 'address' }))}`,
  )}
  ${c.section(
    'Sign-in',
    html`<p><a href="${SIGN_IN}">What customers may do beyond password and code</a></p>
      <p class="hint">Skipping the code on their own devices, passkeys, and how a new authenticator is confirmed.</p>`,
  )}
  ${mayChange ? furtherActs(reach) : c.nothing}`;
  return consolePage(visit, who, {
    current: 'settings',
    title: 'General',
    phrase: 'Customer Portal',
    errors: problems,
    body,
  });
}

async function reachNow(visit: Visit, { organization }: SignedIn): Promise<Reach> {
  const { db } = visit.installation;
  const { contacts } = await signedInNow(db, organization.id, visit.now);
  const exempt = await exemptNow(db, organization.id, visit.now);
  return { ...(await policyReach(db, organization.id)), exempt, signedIn: contacts };
}

function furtherActs({ signedIn }: Reach): c.Html {
  return c.section(
    'For everybody at once',
    html`<p><a href="${GENERAL}/sign-everyone-out">Sign everyone out</a></p>
      <p class="hint">${isSignedIn(signedIn)}.</p>
      <p><a href="${GENERAL}/reset-everybody">Disable and reset everybody</a></p>
      <p class="hint">Turns MFA off and removes it from every contact who uses it.</p>`,
  );
}

function settingsForm(
  organization: Organization,
  shown: ShownSettings,
  reach: Reach,
  problems: readonly c.Problem[],
): c.Html {
  const fields = html`${policySection(organization, shown, reach, problems)}
  ${c.section(
    'Portal',
    html`${c.field({
      name: 'name',
      label: 'Display name',
      hint: `Customers see it on every page and in their authenticator app. ${ORGANIZATION_NAME_MAX} characters at most.`,
      value: shown.name,
      autocomplete: 'off',
      error: c.problemOf(problems, 'name'),
    })}
    ${c.textareaField({
      name: 'contactDetails',
      label: 'How can customers reach you?',
      hint: 'Customers see it under Help. A phone number and an email address, for example.',
      value: shown.contactDetails,
      error: c.problemOf(problems, 'contactDetails'),
    })}`,
  )}
  ${c.button('Save')}`;
  return c.form(GENERAL, fields, { guard: true, busy: 'Saving…' });
}

function settingsToRead(shown: GeneralSettings, reach: Reach): c.Html {
  return html`<section class="panel">
    ${c.summaryList([
      { label: 'MFA', value: POLICY_WORDS[shown.policy] },
      { label: 'Display name', value: shown.name },
      { label: 'How can customers reach you?', value: html`<span class="lines">${shown.contactDetails}</span>` },
    ])}
    ${whatItMeans(shown, reach)} ${whoIsAffected(shown)}
    <p class="hint">Only owners and admins change this.</p>
  </section>`;
}
