import { html } from 'hono/html';
import { customerPage } from '../accounts/customer-list.ts';
import { findCustomer, type Customer } from '../accounts/customers.ts';
import { moveContact } from '../accounts/moving.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, consolePage, contactPath, customerPath, doneAt } from './console.ts';
import { readView } from './customer-query.ts';
import { EMAIL_MAX, fitting, line } from './inputs.ts';

const CHOICES = 10;

/** Move to another customer: the search for it, and whose documents they will see. */
export function askWhereTo(visit: Visit, at: AtContact): Promise<Response> {
  return movePage(visit, at, { search: line(visit.query('q')).slice(0, EMAIL_MAX), target: '' }, []);
}

export async function move(visit: Visit, at: AtContact): Promise<Response> {
  const { search, target } = await visit.form('search', 'target');
  const { organizationId } = at.customer;
  const to = await findCustomer(visit.installation.db, organizationId, target);
  const isElsewhere = to !== undefined && to.id !== at.customer.id;
  const problems = [
    ...(isElsewhere ? [] : [{ field: 'target', text: 'Choose the customer to move them to' }]),
    ...fitting('q', 'the search', search, EMAIL_MAX),
  ];
  if (!to || problems.length > 0)
    return movePage(visit, at, { search: line(search).slice(0, EMAIL_MAX), target }, problems);
  const first = await proveFirst(visit, at.who, `move ${at.contact.name} to ${to.name}`);
  if (first) return first;
  const moved = await moveContact(visit.installation, actorOf(visit, at.who), at.contact, to);
  const said = moved
    ? `${at.contact.name} was moved to ${to.name} and signed out everywhere.`
    : `${at.contact.name} was not moved: something has changed meanwhile.`;
  return doneAt(visit, at, said);
}

interface Given {
  readonly search: string;
  readonly target: string;
}

async function movePage(visit: Visit, at: AtContact, given: Given, problems: readonly c.Problem[]): Promise<Response> {
  const { who, contact, customer } = at;
  const found = given.search === '' ? [] : await customersLike(visit, at, given.search);
  const search = html`<form method="get" action="${contactPath(contact, '/move')}" role="search" class="search">
    ${c.field({
      name: 'q',
      label: 'Find the customer',
      type: 'search',
      hint: 'The beginnings of words in its name, or in a name or an email there',
      value: given.search,
      error: c.problemOf(problems, 'q'),
      autocomplete: 'off',
    })}
    ${c.button('Search', { kind: 'second' })}
  </form>`;
  const choice =
    given.search === ''
      ? c.nothing
      : found.length === 0
        ? html`<p role="status">No other customer matches.</p>`
        : choiceForm(at, given, found, problems);
  const body = html`<ul class="bullets">
      <li>They will see the documents of that customer, and no longer those of ${customer.name}</li>
      <li>They are signed out everywhere</li>
      <li>Their password and MFA stay as they are</li>
    </ul>
    ${search} ${choice}
    <p><a href="${customerPath(customer)}">Back to ${customer.name}</a></p>`;
  return consolePage(visit, who, {
    current: 'customers',
    title: `Move ${contact.name} to another customer`,
    phrase: contact.email,
    errors: problems,
    body,
  });
}

function choiceForm(
  { contact, customer }: AtContact,
  { search, target }: Given,
  found: readonly Customer[],
  problems: readonly c.Problem[],
): c.Html {
  const fields = html`<input type="hidden" name="search" value="${search}" />
    <section class="panel">
      ${c.radios({
        name: 'target',
        label: 'Move to',
        value: target,
        error: c.problemOf(problems, 'target'),
        choices: found.map(({ id, name }) => ({ value: id, label: name })),
      })}
    </section>
    ${c.actions(c.button('Move contact', { kind: 'danger' }), c.linkButton('Cancel', customerPath(customer)))}`;
  return c.form(contactPath(contact, '/move'), fields, { busy: 'Moving…' });
}

async function customersLike(visit: Visit, { who, customer }: AtContact, search: string): Promise<Customer[]> {
  const view = { ...readView(''), search };
  const wanted = { place: null, size: 100, now: visit.now };
  const { rows } = await customerPage(visit.installation.db, who.organization.id, view, wanted);
  const others = new Map(rows.map((row) => [row.customer.id, row.customer]));
  others.delete(customer.id);
  return [...others.values()].slice(0, CHOICES);
}
