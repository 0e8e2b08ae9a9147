import { html } from 'hono/html';
import { signEveryoneOut } from '../accounts/organizations.ts';
import { signedInNow } from '../auth/sessions.ts';
import { devicesTrusted } from '../auth/trusted-devices.ts';
import { disableAndResetEverybody, whoHasMfa } from '../jobs/reset-everybody.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, consolePage, counted } from './console.ts';
import { fitting, lines, NOTE_MAX } from './inputs.ts';
import { GENERAL } from './policy-section.ts';

const SIGN_OUT = `${GENERAL}/sign-everyone-out`;
const RESET = `${GENERAL}/reset-everybody`;
const REASON_MIN = 10;
const NAMES_SHOWN = 10;

/** Sign everyone out: what it will do, in numbers. */
export async function askToSignOut(visit: Visit, who: SignedIn): Promise<Response> {
  const { contacts, sessions } = await signedInNow(visit.installation.db, who.organization.id, visit.now);
  const devices = await devicesTrusted(visit.installation.db, who.organization.id, visit.now);
  const now =
    contacts === 0
      ? 'Nobody is signed in just now.'
      : `${counted(contacts, 'contact is', 'contacts are')} signed in, in ${counted(sessions, 'browser', 'browsers')}.`;
  const body = html`<p>${now}</p>
    <ul class="bullets">
      <li>Every contact is signed out of the portal now</li>
      <li>They sign in again with what your settings ask for</li>
      ${devices === 0 ? c.nothing : html`<li>${counted(devices, 'device that skips', 'devices that skip')} the code asks for it again</li>`}
      <li>Staff stay signed in</li>
    </ul>`;
  const submit = c.button('Sign everyone out', { kind: 'danger' });
  return askPage(visit, who, { title: 'Sign everyone out?', path: SIGN_OUT, body, fields: c.nothing, submit }, []);
}

export async function signOut(visit: Visit, who: SignedIn): Promise<Response> {
  await visit.form();
  const first = await proveFirst(visit, who, 'sign every contact out of the portal');
  if (first) return first;
  const found = await signedInNow(visit.installation.db, who.organization.id, visit.now);
  await signEveryoneOut(visit.installation, actorOf(visit, who), who.organization.id, found);
  const { contacts } = found;
  const text =
    contacts === 0 ? 'Nobody was signed in.' : `${counted(contacts, 'contact is', 'contacts are')} signed out.`;
  visit.leave('admin', { kind: 'ok', text });
  return visit.see(GENERAL);
}

interface Given {
  readonly reason: string;
  readonly number: string;
}

/** Disable and reset everybody (D2): whom it concerns, why, and the number typed, so that nobody does it by mistake. */
export function askToReset(visit: Visit, who: SignedIn): Promise<Response> {
  return resetPage(visit, who, { reason: '', number: '' }, []);
}

export async function reset(visit: Visit, who: SignedIn): Promise<Response> {
  const { reason, number } = await visit.form('reason', 'number');
  const given = { reason: lines(reason), number: number.trim() };
  const { contacts } = await whoHasMfa(visit.installation.db, who.organization.id, 0);
  const problems = [
    ...(given.reason.length < REASON_MIN ? [REASON_MISSING] : fitting('reason', 'the reason', given.reason, NOTE_MAX)),
    ...(readNumber(given.number) === contacts ? [] : [typeIt(contacts)]),
  ];
  if (contacts === 0) return resetPage(visit, who, given, []);
  if (problems.length > 0) return resetPage(visit, who, given, problems);
  const about = `turn MFA off and reset it for ${counted(contacts, 'contact', 'contacts')}`;
  const first = await proveFirst(visit, who, about);
  if (first) return first;
  const act = { confirmed: contacts, reason: given.reason };
  const outcome = await disableAndResetEverybody(visit.installation, actorOf(visit, who), who.organization, act);
  if (outcome.kind === 'number-changed') return resetPage(visit, who, given, [typeIt(outcome.contacts)]);
  return visit.see(`/admin/jobs/${outcome.jobId}`);
}

const REASON_MISSING: c.Problem = { field: 'reason', text: `Say why, in ${REASON_MIN} characters or more` };

function typeIt(contacts: number): c.Problem {
  return { field: 'number', text: `Type ${contacts} to confirm` };
}

// As the page writes it, "1,204", or as people type it.
function readNumber(text: string): number {
  return /^[\d,. ]+$/.test(text) ? Number(text.replace(/\D/g, '')) : -1;
}

async function resetPage(visit: Visit, who: SignedIn, given: Given, problems: readonly c.Problem[]): Promise<Response> {
  const { contacts, names } = await whoHasMfa(visit.installation.db, who.organization.id, NAMES_SHOWN);
  const title = `Disable MFA and reset ${counted(contacts, 'contact', 'contacts')}?`;
  if (contacts === 0) {
    const body = html`<p>No contact has set up MFA. There's nothing to reset.</p>
      <p><a href="${GENERAL}">Back to General</a></p>`;
    return consolePage(visit, who, { current: 'settings', title, phrase: 'General', body });
  }
  const more = contacts - names.length;
  const body = html`<ul class="bullets">
      <li>MFA is off for all your customers now</li>
      <li>
        The authenticator app and backup codes of ${counted(contacts, 'contact', 'contacts')} stop working, one after
        the other, within minutes
      </li>
      <li>They are signed out everywhere, and sign in with their password alone from then on</li>
      <li>Each of them is told</li>
    </ul>
    <p>They are:</p>
    <ul class="bullets">
      ${names.map(({ name, email }) => html`<li>${name}, ${c.ltr(email)}</li>`)}
      ${more > 0 ? html`<li>and ${more.toLocaleString('en-GB')} more</li>` : c.nothing}
    </ul>`;
  const fields = html`${c.textareaField({
    name: 'reason',
    label: 'Reason',
    hint: `Goes to the audit log. At least ${REASON_MIN} characters.`,
    value: given.reason,
    rows: 3,
    error: c.problemOf(problems, 'reason'),
  })}
  ${c.field({
    name: 'number',
    label: `Type ${contacts} to confirm`,
    value: given.number,
    autocomplete: 'off',
    inputmode: 'numeric',
    short: true,
    error: c.problemOf(problems, 'number'),
  })}`;
  const submit = c.button('Disable and reset everybody', { kind: 'danger' });
  return askPage(visit, who, { title, path: RESET, body, fields, submit }, problems);
}

interface Ask {
  readonly title: string;
  readonly path: string;
  readonly body: c.Html;
  readonly fields: c.Html;
  readonly submit: c.Html;
}

function askPage(visit: Visit, who: SignedIn, ask: Ask, problems: readonly c.Problem[]): Promise<Response> {
  const fields = html`${ask.fields === c.nothing ? c.nothing : html`<section class="panel">${ask.fields}</section>`}
  ${c.actions(ask.submit, c.linkButton('Cancel', GENERAL))}`;
  return consolePage(visit, who, {
    current: 'settings',
    title: ask.title,
    phrase: 'General',
    errors: problems,
    body: html`${ask.body} ${c.form(ask.path, fields, { busy: 'Working…' })}`,
  });
}
