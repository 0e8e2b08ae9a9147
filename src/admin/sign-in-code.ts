import { html } from 'hono/html';
import { SIGN_IN_CODE_LIFETIME_MS } from '../auth/limits.ts';
import { makeSignInCode } from '../auth/sign-in-codes.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { forbiddenPage } from '../web/errors.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, consolePage, contactPath, customerPath, nothingToDo } from './console.ts';
import { lines } from './inputs.ts';
import { helpWaits, isCheck, NOTE_MISSING, reasonFields, reasonProblems, TOO_MANY, type Given } from './reset-mfa.ts';

const MINUTES = SIGN_IN_CODE_LIFETIME_MS / 60_000;

/** Make sign-in code: what it does, and how the caller was checked. */
export function askForCode(visit: Visit, at: AtContact): Promise<Response> {
  const why = whyNoCode(visit, at);
  if (why !== undefined) return nothingToDo(visit, at, { title: titleOf(at), why });
  return askPage(visit, at, { check: '', note: '' });
}

/** The answer itself shows the code and is kept nowhere, so that there is no second look at it. */
export async function makeCode(visit: Visit, at: AtContact): Promise<Response> {
  const { check, note } = await visit.form('check', 'note');
  const given = { check, note: lines(note) };
  const problems = reasonProblems(given);
  if (problems.length > 0 || !isCheck(given.check)) return askPage(visit, at, given, problems);
  const { who, contact } = at;
  const proof = await proveFirst(visit, who, `make a sign-in code for ${contact.email}`);
  if (proof) return proof;
  const reason = { check: given.check, note: given.note };
  const outcome = await makeSignInCode(visit.installation, actorOf(visit, who), who.session.account, contact, reason);
  const nothing = (why: string, until?: number): Promise<Response> =>
    nothingToDo(visit, at, { title: titleOf(at), why, asked: true, ...(until === undefined ? {} : { until }) });
  switch (outcome.kind) {
    case 'made':
      return madePage(visit, at, outcome.code);
    case 'note-missing':
      return askPage(visit, at, given, [NOTE_MISSING]);
    case 'no-mfa':
      return nothing(NO_MFA);
    case 'no-access':
      return nothing(NO_ACCESS);
    case 'help-waits':
      return nothing(helpWaits(at, outcome.until));
    case 'limited':
      return nothing(TOO_MANY, outcome.until);
    case 'not-allowed':
      return forbiddenPage(visit, 'You may not make a sign-in code for this account.');
  }
}

const NO_MFA = 'They have not set up MFA, so they need no code.';
const NO_ACCESS = 'Portal access is off for them. Enable it first.';

function whyNoCode({ now }: Visit, at: AtContact): string | undefined {
  const { mfaSince, disabledAt, helpWaitUntil } = at.contact;
  if (mfaSince === null) return NO_MFA;
  if (disabledAt !== null) return NO_ACCESS;
  return helpWaitUntil !== null && helpWaitUntil > now ? helpWaits(at, helpWaitUntil) : undefined;
}

function titleOf({ contact }: AtContact): string {
  return `Make a sign-in code for ${contact.name}?`;
}

function askPage(visit: Visit, at: AtContact, given: Given, problems: readonly c.Problem[] = []): Promise<Response> {
  const { who, customer, contact } = at;
  const fields = html`<section class="panel">${reasonFields(given, problems)}</section>
    ${c.actions(c.button('Make sign-in code', { kind: 'danger' }), c.linkButton('Cancel', customerPath(customer)))}`;
  const body = html`<p>Do this only after you have checked that it really is ${contact.name}.</p>
    <ul class="bullets">
      <li>You read the code out to them. It works once, for ${MINUTES} minutes, with their password</li>
      <li>With it they set up a new authenticator app, and nothing else</li>
      <li>Then the old app and the old backup codes stop working, and they are signed out everywhere</li>
      <li>${visit.installation.mailIsOn ? 'They are told by email now' : MAIL_OFF}</li>
    </ul>
    ${c.form(contactPath(contact, '/sign-in-code'), fields, { busy: 'Making…' })}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: titleOf(at),
    phrase: contact.email,
    errors: problems,
    body,
  });
}

const MAIL_OFF =
  'Email is off, so they are not told by email. To turn it on, set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM';

function madePage(visit: Visit, { who, customer, contact }: AtContact, code: string): Promise<Response> {
  const spoken = code.replace(/(?=(?:\d{3})+$)(?!^)/g, ' ');
  const body = html`<section class="panel">
    <p>Read it out to ${contact.name} and to nobody else.</p>
    <p><code class="key" id="code" dir="ltr">${spoken}</code></p>
    <p>
      They sign in with their password, choose “I can't get a code”, then “Use a code from ${who.organization.name}”.
    </p>
    <p>
      <strong>We can't show it again; it works for ${MINUTES} minutes, once.</strong> If you reload this page, a new
      code is made and this one stops working.
    </p>
    <p><a href="${customerPath(customer)}">Back to ${customer.name}</a></p>
  </section>`;
  const title = `Sign-in code for ${contact.name}`;
  return consolePage(visit, who, { current: 'customers', title, phrase: contact.email, body });
}
