import { html } from 'hono/html';
import { makeEnrolmentCode } from '../auth/enrolment-codes.ts';
import { ENROLMENT_CODE_LIFETIME_MS, ENROLMENT_CODES_BY_AGENT } from '../auth/limits.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { forbiddenPage } from '../web/errors.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, consolePage, contactPath, customerPath, nothingToDo } from './console.ts';
import { whyNoSetupCode } from './contact-words.ts';
import { lines } from './inputs.ts';
import { type Given, isCheck, NOTE_MISSING, reasonFields, reasonProblems } from './reset-mfa.ts';

const MINUTES = ENROLMENT_CODE_LIFETIME_MS / 60_000;

/** Setup code: what a contact confirms a new authenticator with in place of the mailed link, for whoever was checked. */
export function askForSetupCode(visit: Visit, at: AtContact): Promise<Response> {
  const why = whyNoSetupCode(at.who, at.contact);
  return why === undefined ? askPage(visit, at, { check: '', note: '' }) : nothingMade(visit, at, why);
}

/** The answer itself shows the code and is kept nowhere, so that there is no second look at it. */
export async function makeSetupCode(visit: Visit, at: AtContact): Promise<Response> {
  const { check, note } = await visit.form('check', 'note');
  const given = { check, note: lines(note) };
  const why = whyNoSetupCode(at.who, at.contact);
  if (why !== undefined) return nothingMade(visit, at, why, true);
  const problems = reasonProblems(given);
  if (problems.length > 0 || !isCheck(given.check)) return askPage(visit, at, given, problems);
  const first = await proveFirst(visit, at.who, `make a setup code for ${at.contact.name}`);
  if (first) return first;
  const reason = { check: given.check, note: given.note };
  const agent = at.who.session.account;
  const outcome = await makeEnrolmentCode(visit.installation, actorOf(visit, at.who), agent, at.contact, reason);
  switch (outcome.kind) {
    case 'made':
      return codePage(visit, at, outcome.code, outcome.until);
    case 'note-missing':
      return askPage(visit, at, given, [NOTE_MISSING]);
    case 'not-asked-for':
      return nothingMade(visit, at, 'Something has changed meanwhile. Nothing was made.', true);
    case 'limited': {
      const many = `You can make ${ENROLMENT_CODES_BY_AGENT.allows} setup codes an hour. Ask an admin.`;
      return nothingMade(visit, at, many, true, outcome.until);
    }
    case 'not-allowed':
      return forbiddenPage(visit, 'You may not make a setup code for this account.');
  }
}

function titleOf({ contact }: AtContact): string {
  return `Make a setup code for ${contact.name}?`;
}

function nothingMade(visit: Visit, at: AtContact, why: string, asked = false, until?: number): Promise<Response> {
  return nothingToDo(visit, at, { title: titleOf(at), why, asked, ...(until === undefined ? {} : { until }) });
}

function askPage(visit: Visit, at: AtContact, given: Given, problems: readonly c.Problem[] = []): Promise<Response> {
  const { who, contact, customer } = at;
  const fields = html`<section class="panel">${reasonFields(given, problems)}</section>
    ${c.actions(c.button('Make setup code'), c.linkButton('Cancel', customerPath(customer)))}`;
  const body = html`<p>
      Do this only after you have checked that it really is ${contact.name}: with the code and their password, MFA is
      set up.
    </p>
    <ul class="bullets">
      <li>Make it while ${contact.name} is on the page that asks for it</li>
      <li>It works for ${MINUTES} minutes, once</li>
      <li>A code made before stops working</li>
      ${visit.installation.mailIsOn ? html`<li>They are told by email</li>` : mailIsOff()}
    </ul>
    ${c.form(contactPath(contact, '/setup-code'), fields)}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: titleOf(at),
    phrase: contact.email,
    errors: problems,
    body,
  });
}

function mailIsOff(): c.Html {
  return html`<li>
    Email is off, so this is the only way to confirm a setup. To have links mailed too, whoever runs the server sets
    SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM
  </li>`;
}

function codePage(visit: Visit, { who, contact, customer }: AtContact, code: string, until: number): Promise<Response> {
  const shown = code.replace(/(.{4})(?=.)/g, '$1-');
  const body = html`<section class="panel">
    <p>Read it to ${contact.name}. They enter it on the page that asks to confirm that it is them.</p>
    <p><code class="key" id="setup-code" dir="ltr">${shown}</code></p>
    ${c.actions(c.copyButton('Copy', shown, { select: 'setup-code' }))}
    <p>
      <strong>We can't show it again; it works until ${c.time(until, who.organization, 'clock')}, once.</strong>
    </p>
    <p><a href="${customerPath(customer)}">Back to ${customer.name}</a></p>
  </section>`;
  return consolePage(visit, who, {
    current: 'customers',
    title: `Setup code for ${contact.name}`,
    phrase: contact.email,
    body,
  });
}
