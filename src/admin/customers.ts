import { html } from 'hono/html';
import type { Contact } from '../accounts/contacts.ts';
import { listCustomers, type CustomerLine, type CustomerPage } from '../accounts/customers.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { barred, consolePage, customerPath } from './console.ts';
import { codesLeft, contactMenu, mfaPill, portalAccess } from './contact-words.ts';
import { EMAIL_MAX, line } from './inputs.ts';

const CUSTOMERS = '/admin/customers';

/** Customers, one row per contact, found by the beginnings of words. */
export async function customers(visit: Visit, who: SignedIn): Promise<Response> {
  const search = line(visit.query('q')).slice(0, EMAIL_MAX);
  const after = visit.query('after');
  const page = await listCustomers(visit.installation.db, who.organization.id, { search, after });
  const none = page.customers.length === 0 && search === '' && after === '';
  const add =
    barred(who, 'edit customers') === undefined ? c.linkButton('Add customer', `${CUSTOMERS}/new`, 'main') : c.nothing;
  const body = none
    ? c.emptyState('No customers yet. Add your first customer, then give their contacts access to the portal.', add)
    : html`${searchForm(search)} ${page.customers.length === 0 ? noMatch() : found(visit, who, page)}
      ${pages(search, after, page.next)}`;
  return consolePage(visit, who, { current: 'customers', title: 'Customers', actions: none ? c.nothing : add, body });
}

function searchForm(search: string): c.Html {
  return html`<form method="get" action="${CUSTOMERS}" role="search" class="search">
    ${c.field({
      name: 'q',
      label: 'Search',
      type: 'search',
      hint: 'The beginning of a name, of a word in it, or of an email',
      value: search,
      autocomplete: 'off',
    })}
    ${c.button('Search', { kind: 'second' })}
  </form>`;
}

function noMatch(): c.Html {
  return c.emptyState('No customers match. Try fewer words.', c.linkButton('Clear search', CUSTOMERS));
}

function found(visit: Visit, who: SignedIn, page: CustomerPage): c.Html {
  return c.dataTable({
    id: 'customers',
    caption: 'Customers and their contacts',
    columns: [
      { label: 'Name' },
      { label: 'Email' },
      { label: 'MFA' },
      { label: 'Backup codes left', end: true },
      { label: 'Portal access' },
      { label: 'Last sign-in' },
      { label: 'Actions', hidden: true },
    ],
    rows: page.customers.flatMap((customer) => rows(visit, who, customer)),
  });
}

function rows(visit: Visit, who: SignedIn, customer: CustomerLine): c.Content[][] {
  const name = html`<a href="${customerPath(customer)}">${customer.name}</a>`;
  if (customer.contacts.length === 0)
    return [[name, html`<span class="muted">No contacts yet</span>`, '', '', '', '', '']];
  return customer.contacts.map((contact) => [
    name,
    html`${c.ltr(contact.email)}<br /><small class="muted">${contact.name}</small>`,
    mfaPill(contact),
    codesLeft(contact),
    portalAccess(contact),
    lastSignIn(contact, who),
    contactMenu(who, contact, visit.now),
  ]);
}

function lastSignIn({ lastSignInAt }: Contact, { organization }: SignedIn): c.Content {
  return lastSignInAt === null ? 'Never' : c.time(lastSignInAt, organization, 'date');
}

function pages(search: string, after: string, next: string | null): c.Html {
  if (after === '' && next === null) return c.nothing;
  const first = after === '' ? c.nothing : c.linkButton('First page', address(search));
  return html`<nav class="actions" aria-label="Pages">
    ${first} ${next === null ? c.nothing : c.linkButton('Next', address(search, next))}
  </nav>`;
}

function address(search: string, after = ''): string {
  const query = new URLSearchParams({ ...(search && { q: search }), ...(after && { after }) }).toString();
  return query === '' ? CUSTOMERS : `${CUSTOMERS}?${query}`;
}
