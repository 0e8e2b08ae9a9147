import { html } from 'hono/html';
import { belongingsOf, deleteContact, deleteCustomer } from '../accounts/deletion.ts';
import { NOTE_MIN } from '../auth/recovery.ts';
import { signedInNow } from '../auth/sessions.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import {
  actorOf,
  type AtContact,
  type AtCustomer,
  consolePage,
  contactPath,
  counted,
  customerPath,
  doneAt,
} from './console.ts';
import { CUSTOMERS } from './customer-query.ts';
import { fitting, lines, NOTE_MAX } from './inputs.ts';

/** Delete a contact: in numbers what goes with them, and the reason. */
export function askToDeleteContact(visit: Visit, at: AtContact): Promise<Response> {
  return contactPage(visit, at, '', []);
}

export async function removeContact(visit: Visit, at: AtContact): Promise<Response> {
  const reason = lines((await visit.form('reason')).reason);
  const problems = problemsWith(reason);
  if (problems.length > 0) return contactPage(visit, at, reason, problems);
  const first = await proveFirst(visit, at.who, `delete ${at.contact.name}`);
  if (first) return first;
  await deleteContact(visit.installation, actorOf(visit, at.who), at.contact, reason);
  return doneAt(visit, at, `${at.contact.name} was deleted.`);
}

/** Delete a customer, with everybody there. */
export function askToDeleteCustomer(visit: Visit, at: AtCustomer): Promise<Response> {
  return wholePage(visit, at, '', []);
}

export async function removeCustomer(visit: Visit, at: AtCustomer): Promise<Response> {
  const reason = lines((await visit.form('reason')).reason);
  const problems = problemsWith(reason);
  if (problems.length > 0) return wholePage(visit, at, reason, problems);
  const first = await proveFirst(visit, at.who, `delete ${at.customer.name} and everybody there`);
  if (first) return first;
  await deleteCustomer(visit.installation, actorOf(visit, at.who), at.customer, reason);
  visit.leave('admin', { kind: 'ok', text: `${at.customer.name} was deleted.` });
  return visit.see(CUSTOMERS);
}

function problemsWith(reason: string): c.Problem[] {
  if (reason.length < NOTE_MIN) return [{ field: 'reason', text: `Say why, in ${NOTE_MIN} characters or more` }];
  return fitting('reason', 'the reason', reason, NOTE_MAX);
}

async function contactPage(
  visit: Visit,
  at: AtContact,
  reason: string,
  problems: readonly c.Problem[],
): Promise<Response> {
  const { contact, customer } = at;
  const { installation, now } = visit;
  const { sessions } = await signedInNow(installation.db, contact.organizationId, now, { contactId: contact.id });
  const does = [
    `${contact.name} can't sign in any more: password, authenticator app and backup codes are deleted`,
    sessions === 0 ? 'They are not signed in anywhere' : `They are signed out in ${browsers(sessions)}`,
    `The documents of ${customer.name} stay`,
    ...FOR_GOOD,
  ];
  const action = contactPath(contact, '/delete');
  return askPage(
    visit,
    at,
    { title: `Delete ${contact.name}?`, phrase: contact.email, does, action, label: 'Delete contact' },
    reason,
    problems,
  );
}

async function wholePage(
  visit: Visit,
  at: AtCustomer,
  reason: string,
  problems: readonly c.Problem[],
): Promise<Response> {
  const { customer } = at;
  const { db } = visit.installation;
  const all = await belongingsOf(db, customer);
  const { sessions } = await signedInNow(db, customer.organizationId, visit.now, { customerId: customer.id });
  const does = [
    ...whoGoes(all.contacts, sessions),
    `${counted(all.documents, 'document is', 'documents are')} deleted`,
    ...FOR_GOOD,
  ];
  const action = customerPath(customer, '/delete');
  return askPage(
    visit,
    at,
    { title: `Delete ${customer.name}?`, phrase: 'Customer', does, action, label: 'Delete customer' },
    reason,
    problems,
  );
}

const FOR_GOOD = ['The audit log keeps what happened, without the name', 'This cannot be undone'];

function whoGoes(contacts: number, sessions: number): string[] {
  if (contacts === 0) return ['Nobody is there: no contacts are deleted'];
  const out = sessions === 0 ? 'nobody is signed in' : `signed out in ${browsers(sessions)}`;
  return [`${counted(contacts, 'contact is', 'contacts are')} deleted, with passwords and MFA; ${out}`];
}

function browsers(n: number): string {
  return counted(n, 'browser', 'browsers');
}

interface Asking {
  readonly title: string;
  readonly phrase: string;
  readonly does: readonly string[];
  readonly action: string;
  readonly label: string;
}

function askPage(
  visit: Visit,
  { who, customer }: AtCustomer,
  { title, phrase, does, action, label }: Asking,
  reason: string,
  problems: readonly c.Problem[],
): Promise<Response> {
  const why = c.textareaField({
    name: 'reason',
    label: 'Why?',
    hint: 'Goes to the audit log.',
    value: reason,
    rows: 3,
    error: c.problemOf(problems, 'reason'),
  });
  const fields = html`<section class="panel">${why}</section>
    ${c.actions(c.button(label, { kind: 'danger' }), c.linkButton('Cancel', customerPath(customer)))}`;
  const body = html`<ul class="bullets">
      ${does.map((text) => html`<li>${text}</li>`)}
    </ul>
    ${c.form(action, fields, { busy: 'Deleting…' })}`;
  return consolePage(visit, who, {
    current: 'customers',
    title,
    phrase,
    errors: problems,
    body,
  });
}
