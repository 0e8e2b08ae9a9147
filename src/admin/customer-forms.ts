import { html } from 'hono/html';
import { emailKey } from '../accounts/accounts.ts';
import { changeContact, createContact, type ContactDraft, type ChangeOutcome } from '../accounts/contacts.ts';
import { createCustomerWithContact, renameCustomer } from '../accounts/customers.ts';
import { invite } from '../auth/welcome.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import {
  actorOf,
  type AtContact,
  type AtCustomer,
  barred,
  consolePage,
  contactPath,
  customerPath,
  doneAt,
} from './console.ts';
import { EMAIL_MAX, fitting, line, NAME_MAX, needed, PHONE_MAX } from './inputs.ts';

/** What a form shows, the first time and again. */
interface Shown {
  readonly customer: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  /** 'on': an invitation goes out at once. */
  readonly invite: string;
}

type Given = Partial<Shown>;

/** Add customer: the customer and the first person there, both or neither. */
export function newCustomer(visit: Visit, who: SignedIn): Promise<Response> {
  return newCustomerPage(visit, who, {}, []);
}

export async function addCustomer(visit: Visit, who: SignedIn): Promise<Response> {
  const given = tidy(await visit.form('customer', 'name', 'email', 'phone', 'invite'));
  const problems = [...customerProblems(given.customer), ...contactProblems(given)];
  if (problems.length > 0) return newCustomerPage(visit, who, given, problems);
  const { id } = who.organization;
  const actor = actorOf(visit, who);
  const made = await createCustomerWithContact(visit.installation, actor, id, given.customer, draftOf(given));
  if (made.kind !== 'saved') return newCustomerPage(visit, who, given, refusedEmail(made));
  const invited = await inviteIfAsked(visit, who, given, made.contactId);
  return doneAt(visit, { who, customer: made.customer }, `${made.customer.name} was added.${invited}`);
}

/** A customer's name. */
export function editCustomer(visit: Visit, at: AtCustomer): Promise<Response> {
  return editCustomerPage(visit, at, at.customer.name, []);
}

export async function saveCustomer(visit: Visit, at: AtCustomer): Promise<Response> {
  const name = line((await visit.form('customer')).customer);
  const problems = customerProblems(name);
  if (problems.length > 0) return editCustomerPage(visit, at, name, problems);
  await renameCustomer(visit.installation, actorOf(visit, at.who), at.customer, name);
  return doneAt(visit, at, 'Saved.');
}

/** Another person at a customer. */
export function newContact(visit: Visit, at: AtCustomer): Promise<Response> {
  return newContactPage(visit, at, {}, []);
}

export async function addContact(visit: Visit, at: AtCustomer): Promise<Response> {
  const given = tidy(await visit.form('name', 'email', 'phone', 'invite'));
  const problems = contactProblems(given);
  if (problems.length > 0) return newContactPage(visit, at, given, problems);
  const { installation } = visit;
  const { organizationId, id } = at.customer;
  const made = await createContact(installation, actorOf(visit, at.who), organizationId, id, draftOf(given));
  if (made.kind !== 'saved') return newContactPage(visit, at, given, refusedEmail(made));
  return doneAt(visit, at, `${given.name} was added.${await inviteIfAsked(visit, at.who, given, made.id)}`);
}

/** Mails an invitation to somebody who was just added, where that was asked for; answers what to say of it. */
async function inviteIfAsked(visit: Visit, who: SignedIn, given: Pick<Shown, 'invite'>, id: string): Promise<string> {
  if (given.invite !== 'on' || !offersInvitation(visit, who)) return '';
  const whom = { organizationId: who.organization.id, id };
  return (await invite(visit.installation, actorOf(visit, who), whom)) ? ' An invitation is on its way.' : '';
}

// Whoever may not make welcome links may not have them mailed either.
function offersInvitation(visit: Visit, who: SignedIn): boolean {
  return visit.installation.mailIsOn && barred(who, 'make welcome links') === undefined;
}

function invitationBox(visit: Visit, who: SignedIn, { invite: asked }: Given, isRefused: boolean): c.Html {
  if (!offersInvitation(visit, who)) return c.nothing;
  return c.checkbox({
    name: 'invite',
    label: 'Send an invitation',
    hint: 'We email them a link with which they choose a password.',
    checked: !isRefused || asked === 'on',
  });
}

/** A contact's name, address and phone. */
export function editContact(visit: Visit, at: AtContact): Promise<Response> {
  const { name, email, phone } = at.contact;
  return editContactPage(visit, at, { name, email, phone: phone ?? '' }, []);
}

export async function saveContact(visit: Visit, at: AtContact): Promise<Response> {
  const given = tidy(await visit.form('name', 'email', 'phone'));
  const problems = contactProblems(given);
  if (problems.length > 0) return editContactPage(visit, at, given, problems);
  // Whoever signs in with the address may be somebody else from then on (ASVS 7.5.1).
  const moves = emailKey(given.email) !== emailKey(at.contact.email);
  const first = moves && (await proveFirst(visit, at.who, `change the email of ${at.contact.name} to ${given.email}`));
  if (first) return first;
  const changed = await changeContact(visit.installation, actorOf(visit, at.who), at.contact, draftOf(given));
  return changed.kind === 'saved'
    ? doneAt(visit, at, 'Saved.')
    : editContactPage(visit, at, given, refusedEmail(changed));
}

function tidy<Field extends string>(given: Record<Field, string>): Record<Field, string> {
  return Object.fromEntries(Object.entries<string>(given).map(([name, text]) => [name, line(text)])) as Record<
    Field,
    string
  >;
}

function draftOf({ name, email, phone }: Omit<Shown, 'customer' | 'invite'>): ContactDraft {
  return { name, email, phone: phone === '' ? null : phone };
}

function customerProblems(customer: string): c.Problem[] {
  return needed('customer', "the customer's name", customer, NAME_MAX);
}

function contactProblems({ name, email, phone }: Omit<Shown, 'customer' | 'invite'>): c.Problem[] {
  return [
    ...needed('name', "the contact's name", name, NAME_MAX),
    ...needed('email', "the contact's email", email, EMAIL_MAX),
    ...fitting('phone', 'the phone number', phone, PHONE_MAX),
  ];
}

function refusedEmail({ kind }: Exclude<ChangeOutcome, { kind: 'saved' }>): c.Problem[] {
  const texts = {
    'email-shape': 'Enter an email address in the right format, like name@example.com',
    'email-taken': 'Another contact has this email already. Each contact needs their own',
    'help-waits': 'They have asked for help with signing in. The email stays as it is until the wait is over',
  };
  return [{ field: 'email', text: texts[kind] }];
}

function newCustomerPage(visit: Visit, who: SignedIn, shown: Given, problems: readonly c.Problem[]): Promise<Response> {
  const fields = html`${c.section('Customer', customerField(shown.customer, problems))}
  ${c.section('First contact', html`${contactFields(shown, problems)} ${invitationBox(visit, who, shown, problems.length > 0)}`)}
  ${buttons('Add customer', '/admin/customers')}`;
  return formPage(visit, who, 'Add customer', problems, c.form('/admin/customers/new', fields, { guard: true }));
}

function editCustomerPage(
  visit: Visit,
  at: AtCustomer,
  name: string,
  problems: readonly c.Problem[],
): Promise<Response> {
  const fields = html`${c.section('Customer', customerField(name, problems))}
  ${buttons('Save', customerPath(at.customer))}`;
  const body = c.form(customerPath(at.customer, '/edit'), fields, { guard: true });
  return formPage(visit, at.who, 'Edit customer', problems, body, at.customer.name);
}

function newContactPage(visit: Visit, at: AtCustomer, shown: Given, problems: readonly c.Problem[]): Promise<Response> {
  const box = invitationBox(visit, at.who, shown, problems.length > 0);
  const fields = html`${c.section('Contact', html`${contactFields(shown, problems)} ${box}`)}
  ${buttons('Add contact', customerPath(at.customer))}`;
  const body = c.form(customerPath(at.customer, '/contacts/new'), fields, { guard: true });
  return formPage(visit, at.who, 'Add contact', problems, body, at.customer.name);
}

function editContactPage(visit: Visit, at: AtContact, shown: Given, problems: readonly c.Problem[]): Promise<Response> {
  const hint = 'A new email signs them out everywhere. They sign in with it from then on.';
  const fields = html`${c.section('Contact', contactFields(shown, problems, hint))}
  ${buttons('Save', customerPath(at.customer))}`;
  const body = c.form(contactPath(at.contact, '/edit'), fields, { guard: true });
  return formPage(visit, at.who, 'Edit contact', problems, body, at.customer.name);
}

function formPage(
  visit: Visit,
  who: SignedIn,
  title: string,
  errors: readonly c.Problem[],
  body: c.Html,
  phrase?: string,
): Promise<Response> {
  return consolePage(visit, who, { current: 'customers', title, phrase, errors, body });
}

function customerField(value: string | undefined, problems: readonly c.Problem[]): c.Html {
  const error = c.problemOf(problems, 'customer');
  return c.field({ name: 'customer', label: 'Customer name', value, error, autocomplete: 'off' });
}

function contactFields(shown: Given, problems: readonly c.Problem[], emailHint?: c.Content): c.Html {
  const parts = (name: 'name' | 'email' | 'phone') =>
    ({ name, value: shown[name], error: c.problemOf(problems, name), autocomplete: 'off' }) as const;
  return html`${c.field({ ...parts('name'), label: 'Name' })}
  ${c.field({ ...parts('email'), label: 'Email', type: 'email', hint: emailHint })}
  ${c.field({ ...parts('phone'), label: 'Phone (optional)', type: 'tel', hint: 'The number to call before you reset their MFA' })}`;
}

function buttons(label: string, back: string): c.Html {
  return c.actions(c.button(label), c.linkButton('Cancel', back));
}
