import { html } from 'hono/html';
import {
  ORGANIZATION_NAME_MAX,
  policyReach,
  saveGeneralSettings,
  type GeneralSettings,
  type Policy,
} from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { asksForProof, confirmItsYou, proofSection, type Refusal } from './confirm.ts';
import { BRANDING } from './branding.ts';
import { actorOf, barred, consolePage, counted, portalAddress } from './console.ts';
import { CONTACT_DETAILS_MAX, line, lines, needed } from './inputs.ts';

const GENERAL = '/admin/settings/customer-portal/general';

/** Settings: what can be set, one link each. */
export function settings(visit: Visit, who: SignedIn): Promise<Response> {
  const body = html`<section class="panel">
    <p><a href="${GENERAL}">General</a></p>
    <p class="hint">MFA for your customers, your display name, how customers reach you, and the portal's address.</p>
    <p><a href="${BRANDING}">Branding</a></p>
    <p class="hint">Your logo and colour on the portal, and the time zone.</p>
    <p><a href="/admin/team">Team</a></p>
    <p class="hint">Who works in this console, and what each role may do.</p>
  </section>`;
  return consolePage(visit, who, { current: 'settings', title: 'Customer Portal', phrase: 'Settings', body });
}

/** Settings › Customer Portal › General. */
export function general(visit: Visit, who: SignedIn): Promise<Response> {
  return generalPage(visit, who, who.organization);
}

/** Save: takes effect at once. Only a change of policy asks for a fresh proof. */
export async function saveGeneral(visit: Visit, who: SignedIn): Promise<Response> {
  const given = await visit.form('policy', 'mfa', 'name', 'contactDetails', 'password', 'code');
  const { organization } = who;
  const asked: GeneralSettings = {
    name: line(given.name),
    contactDetails: lines(given.contactDetails),
    policy: policyFor(given.mfa === 'on', organization.policy),
  };
  const problems = [
    ...(isStale(given.policy, asked.policy, organization.policy) ? [CHANGED_MEANWHILE] : []),
    ...needed('name', 'a display name', asked.name, ORGANIZATION_NAME_MAX),
    ...needed('contactDetails', 'how customers can reach you', asked.contactDetails, CONTACT_DETAILS_MAX),
  ];
  const refusal =
    asked.policy === organization.policy ? refusalOf(problems) : await confirmItsYou(visit, who, given, problems);
  if (refusal) return generalPage(visit, who, asked, refusal);
  const saved = await saveGeneralSettings(visit.installation, actorOf(visit, who), organization, asked);
  if (saved.kind !== 'saved') return generalPage(visit, who, asked, { problems: [CHANGED_MEANWHILE] });
  visit.leave('admin', {
    kind: 'ok',
    text: saved.policyChanged ? await policyNews(visit, who, asked.policy) : 'Saved.',
  });
  return visit.see(GENERAL);
}

const CHANGED_MEANWHILE: c.Problem = {
  field: 'mfa',
  text: 'Somebody else has turned MFA on or off meanwhile. Look at the numbers again, then press Save',
};

// The page was made for another policy than today's, and saving it would undo somebody's change unseen. What is asked
// for already, as by a second press, undoes nothing.
function isStale(shown: string, asked: Policy, today: Policy): boolean {
  return asked !== today && shown !== '' && shown !== today;
}

/** The checkbox knows two of the three policies; the third stays as it is until the box is ticked. */
function policyFor(ticked: boolean, before: Policy): Policy {
  if (ticked) return 'required';
  return before === 'required' ? 'off' : before;
}

function refusalOf(problems: readonly c.Problem[]): Refusal | undefined {
  return problems.length > 0 ? { problems } : undefined;
}

async function policyNews(visit: Visit, { organization }: SignedIn, policy: Policy): Promise<string> {
  if (policy === 'required') return 'MFA is on for all customers.';
  const { enrolled } = await policyReach(visit.installation.db, organization.id);
  if (enrolled === 0) return 'MFA is off.';
  return `MFA is off. ${counted(enrolled, 'contact still needs', 'contacts still need')} their code.`;
}

async function generalPage(visit: Visit, who: SignedIn, shown: GeneralSettings, refusal?: Refusal): Promise<Response> {
  const reach = await policyReach(visit.installation.db, who.organization.id);
  const asksForCode = asksForProof(visit, who.session);
  const problems = refusal?.problems ?? [];
  const mayChange = barred(who, 'change settings') === undefined;
  const body = html`${mayChange ? settingsForm(who.organization.policy, shown, reach, problems, asksForCode) : settingsToRead(shown, reach)}
  ${c.section(
    "The portal's address",
    html`<p>Your customers sign in here. Put it on your invoices and your website.</p>
      <p><code class="key" id="address" dir="ltr">${portalAddress(visit, who.organization)}</code></p>
      ${c.actions(c.copyButton('Copy', portalAddress(visit, who.organization), { select: 'address' }))}`,
  )}`;
  return consolePage(visit, who, {
    current: 'settings',
    title: 'General',
    phrase: 'Customer Portal',
    errors: problems,
    until: refusal?.until,
    unavailable: refusal?.unavailable,
    asksForCode: mayChange && asksForCode,
    body,
  });
}

type Reach = Awaited<ReturnType<typeof policyReach>>;

function settingsForm(
  policy: Policy,
  shown: GeneralSettings,
  reach: Reach,
  problems: readonly c.Problem[],
  asksForCode: boolean,
): c.Html {
  const fields = html`<input type="hidden" name="policy" value="${policy}" /> ${c.section(
      'Multi-factor authentication',
      html`${c.checkbox({
        name: 'mfa',
        label: 'Enable multi-factor authentication (MFA)',
        hint: 'Customers enter a code from an authenticator app after their password. This applies to all your customers.',
        checked: shown.policy === 'required',
      })}
      ${whatItMeans(reach)}`,
    )}
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
    ${asksForCode ? proofSection(problems, 'Only needed when you turn MFA on or off.') : c.nothing} ${c.button('Save')}`;
  return c.form(GENERAL, fields, { guard: true, busy: 'Saving…' });
}

/** What each state of the checkbox means, in numbers: nobody presses Save without having seen it. */
function whatItMeans({ enrolled, notEnrolled }: Reach): c.Html {
  const asked = counted(notEnrolled, 'contact', 'contacts');
  const already = enrolled === 1 ? '1 already uses it' : `${enrolled.toLocaleString('en-GB')} already use it`;
  const still = `The ${counted(enrolled, 'contact who already uses', 'contacts who already use')} MFA`;
  return c.notice(
    'info',
    html`<p>On: ${asked} will be asked to set it up at their next sign-in; ${already}.</p>
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

const POLICY_WORDS = { off: c.pill('muted', 'Off'), optional: c.pill('ok', 'Offered'), required: c.pill('ok', 'On') };

function settingsToRead(shown: GeneralSettings, reach: Reach): c.Html {
  return html`<section class="panel">
    ${c.summaryList([
      { label: 'MFA', value: POLICY_WORDS[shown.policy] },
      { label: 'Display name', value: shown.name },
      { label: 'How can customers reach you?', value: html`<span class="lines">${shown.contactDetails}</span>` },
    ])}
    ${whatItMeans(reach)}
    <p class="hint">Only owners and admins change this.</p>
  </section>`;
}
