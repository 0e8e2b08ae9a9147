import { html } from 'hono/html';
import { endExemption, exempt, exemptionOf, type Exemption, type ExemptionDraft } from '../auth/exemptions.ts';
import { EXEMPTION_DAYS_MAX, EXEMPTION_REASON_MIN } from '../auth/limits.ts';
import type { Organization } from '../accounts/organizations.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, consolePage, contactPath, customerPath, doneAt, nothingToDo } from './console.ts';
import { fitting, lines, NOTE_MAX } from './inputs.ts';

const NOTHING_ASKED: ExemptionDraft = { reason: '', lastDay: '' };

/** Exempt from MFA: for one contact, with a reason and a last day; and where that holds, the way to end it early. */
export async function ask(visit: Visit, at: AtContact): Promise<Response> {
  const held = await exemptionOf(visit.installation.db, at.contact, visit.now);
  if (held) return endPage(visit, at, held);
  return at.contact.mfaSince === null ? grantPage(visit, at, NOTHING_ASKED, []) : hasMfa(visit, at);
}

export async function grant(visit: Visit, at: AtContact): Promise<Response> {
  const { reason, until } = await visit.form('reason', 'until');
  const { organization } = at.who;
  const draft = { reason: lines(reason), lastDay: until.trim() };
  const problems = draftProblems(draft);
  if (problems.length > 0) return grantPage(visit, at, draft, problems);
  const first = await proveFirst(visit, at.who, `exempt ${at.contact.name} from MFA`);
  if (first) return first;
  const outcome = await exempt(visit.installation, actorOf(visit, at.who), organization, at.contact, draft);
  switch (outcome.kind) {
    case 'granted':
      return doneAt(visit, at, `${at.contact.email} is exempt from MFA up to ${dayText(outcome.until, organization)}.`);
    case 'reason-short':
      return grantPage(visit, at, draft, [REASON_MISSING]);
    case 'day-impossible':
      return grantPage(visit, at, draft, [DAY_IMPOSSIBLE]);
    case 'has-mfa':
      return hasMfa(visit, at, true);
    case 'exempt-already':
      return nothingToDo(visit, at, { title: titleOf(at), why: `${at.contact.name} is exempt already.`, asked: true });
  }
}

/** POST …/exempt/end: before its day. */
export async function end(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const held = await exemptionOf(visit.installation.db, at.contact, visit.now);
  if (!held) return doneAt(visit, at, `${at.contact.email} is not exempt from MFA.`);
  const first = await proveFirst(visit, at.who, `end the exemption of ${at.contact.name}`);
  if (first) return first;
  await endExemption(visit.installation, actorOf(visit, at.who), at.contact);
  return doneAt(visit, at, `The exemption of ${at.contact.email} has ended.`);
}

/** An exemption in words, for the contact's own summary. */
export function exemptionWords({ until, reason, by }: Exemption, organization: Organization): c.Html {
  return html`Exempt up to ${c.time(until - 1, organization, 'date')}, by ${by ?? 'the operator'}: “${reason}”`;
}

const REASON_MISSING: c.Problem = {
  field: 'reason',
  text: `Say why, in ${EXEMPTION_REASON_MIN} characters or more`,
};
const DAY_IMPOSSIBLE: c.Problem = {
  field: 'until',
  text: `Enter a day from today to ${EXEMPTION_DAYS_MAX} days ahead, like 2026-12-08`,
};

function draftProblems({ reason, lastDay }: ExemptionDraft): c.Problem[] {
  const short = reason.length < EXEMPTION_REASON_MIN;
  return [
    ...(short ? [REASON_MISSING] : fitting('reason', 'the reason', reason, NOTE_MAX)),
    ...(lastDay === '' ? [DAY_IMPOSSIBLE] : []),
  ];
}

function dayText(until: number, organization: Organization): string {
  return c.timeText(until - 1, organization, 'date');
}

function titleOf({ contact }: AtContact): string {
  return `Exempt ${contact.name} from MFA?`;
}

function hasMfa(visit: Visit, at: AtContact, asked = false): Promise<Response> {
  const why = `${at.contact.name} has set up MFA and needs the code, whatever is exempted. Reset Portal MFA frees them.`;
  return nothingToDo(visit, at, { title: titleOf(at), why, asked });
}

function grantPage(
  visit: Visit,
  at: AtContact,
  draft: ExemptionDraft,
  problems: readonly c.Problem[],
): Promise<Response> {
  const about = html`<p>
      ${at.contact.name} signs in with a password alone up to that day, while everybody else is asked.
    </p>
    <ul class="bullets">
      <li>Sessions that begin before end with it at the latest</li>
      <li>They can set up MFA at any time; from then on they need their code</li>
      <li>You can end it early, on this page</li>
    </ul>`;
  const fields = html`<section class="panel">
    ${c.textareaField({
      name: 'reason',
      label: 'Reason',
      hint: `Goes to the audit log. At least ${EXEMPTION_REASON_MIN} characters.`,
      value: draft.reason,
      rows: 3,
      error: c.problemOf(problems, 'reason'),
    })}
    ${c.field({
      name: 'until',
      label: 'Last day',
      type: 'date',
      hint: `At most ${EXEMPTION_DAYS_MAX} days ahead.`,
      value: draft.lastDay,
      autocomplete: 'off',
      error: c.problemOf(problems, 'until'),
    })}
  </section>`;
  const submit = c.button('Exempt from MFA');
  return page(visit, at, { title: titleOf(at), path: '/exempt', about, fields, submit }, problems);
}

function endPage(visit: Visit, at: AtContact, held: Exemption): Promise<Response> {
  const about = html`<p>${exemptionWords(held, at.who.organization)}.</p>
    <ul class="bullets">
      <li>They are signed out where a password alone let them in, if your settings ask for MFA</li>
      <li>Their next sign-in asks what your settings ask for</li>
    </ul>`;
  const title = `End the exemption of ${at.contact.name}?`;
  const submit = c.button('End exemption', { kind: 'danger' });
  return page(visit, at, { title, path: '/exempt/end', about, fields: c.nothing, submit }, []);
}

interface Ask {
  readonly title: string;
  readonly path: string;
  readonly about: c.Html;
  readonly fields: c.Html;
  readonly submit: c.Html;
}

function page(
  visit: Visit,
  { who, customer, contact }: AtContact,
  asked: Ask,
  problems: readonly c.Problem[],
): Promise<Response> {
  const fields = html`${asked.fields} ${c.actions(asked.submit, c.linkButton('Cancel', customerPath(customer)))}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: asked.title,
    phrase: contact.email,
    errors: problems,
    body: html`${asked.about} ${c.form(contactPath(contact, asked.path), fields, { busy: 'Saving…' })}`,
  });
}
