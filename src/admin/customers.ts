import { html } from 'hono/html';
import type { Contact } from '../accounts/contacts.ts';
import { hasCustomers } from '../accounts/customers.ts';
import { customerPage, type ListPage, type ListRow } from '../accounts/customer-list.ts';
import type { Count } from '../accounts/list-count.ts';
import { LONG_AGO_DAYS, RECENT_DAYS, type View } from '../accounts/list-view.ts';
import type { BulkAct } from '../jobs/bulk-contacts.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import { bulkBar, chips, pager, selectBox } from '../web/lists.ts';
import type { Visit } from '../web/visit.ts';
import { barred, consolePage, counted, customerPath } from './console.ts';
import { codesLeft, contactMenu, mfaPill, portalAccess } from './contact-words.ts';
import { EXPORT, IMPORT } from './import-customers.ts';
import { addressOf, CUSTOMERS, type Query, readQuery, SIZES, writeView } from './customer-query.ts';

/** Customers, one row per contact: searched, filtered, sorted, in pages, all of it in the address. */
export function customers(visit: Visit, who: SignedIn): Promise<Response> {
  return listPage(
    visit,
    who,
    readQuery((name) => visit.query(name)),
  );
}

/** The list as it is asked for, the first time and again where the selection was refused. */
export async function listPage(
  visit: Visit,
  who: SignedIn,
  query: Query,
  errors: readonly c.Problem[] = [],
): Promise<Response> {
  const { db } = visit.installation;
  const { view, place, size } = query;
  const page = await customerPage(db, who.organization.id, view, { place, size, now: visit.now });
  const none = page.rows.length === 0 && !(await hasCustomers(db, who.organization.id));
  const add =
    barred(who, 'edit customers') === undefined ? c.linkButton('Add customer', `${CUSTOMERS}/new`, 'main') : c.nothing;
  const exchange = barred(who, 'import and export customers') === undefined;
  const bring = exchange ? c.linkButton('Import customers', IMPORT) : c.nothing;
  const shown = writeView(view);
  const take = exchange ? c.linkButton('Export', `${EXPORT}${shown && `?${shown}`}`) : c.nothing;
  const body = none
    ? c.emptyState(
        'No customers yet. Add your first customer, or import them from a file, then give their contacts access to the portal.',
        html`${add} ${bring}`,
      )
    : html`${filters(query)} ${chips('Shown are only', chosen(query))}
        <p class="found" role="status">${page.rows.length === 0 ? noneFound(page) : howMany(page.count)}</p>
        ${page.rows.length === 0 ? noMatch(page) : found(visit, who, query, page)} ${pages(query, page)}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: 'Customers',
    actions: none ? c.nothing : html`<div class="actions">${bring} ${take} ${add}</div>`,
    errors,
    body,
  });
}

/** The bar below the list: each act with the button that begins it. */
const BULK_BUTTONS: readonly { value: BulkAct; label: string }[] = [
  { value: 'remind', label: 'Send reminder' },
  { value: 'reset-mfa', label: 'Reset Portal MFA' },
  { value: 'sign-out', label: 'Sign out' },
  { value: 'disable', label: 'Disable portal access' },
];

const MFA: c.Option[] = [
  { value: '', label: 'All' },
  { value: 'on', label: 'On' },
  { value: 'none', label: 'Not set up' },
  { value: 'low', label: 'Low on backup codes' },
  { value: 'locked', label: 'Locked' },
  { value: 'reset', label: 'Reset' },
  { value: 'exempt', label: 'Exempt' },
];
const PORTAL: c.Option[] = [
  { value: '', label: 'All' },
  { value: 'on', label: 'On' },
  { value: 'invited', label: 'Invited' },
  { value: 'off', label: 'Off' },
];
const LAST: c.Option[] = [
  { value: '', label: 'Any time' },
  { value: 'recent', label: `In the last ${RECENT_DAYS} days` },
  { value: 'long-ago', label: `Over ${LONG_AGO_DAYS} days ago` },
  { value: 'never', label: 'Never' },
];

function filters({ view, size }: Query): c.Html {
  const order = `${view.descending ? '-' : ''}${view.sort}`;
  const kept = [
    ...(order === 'name' ? [] : [['sort', order] as const]),
    ...(size === SIZES[0] ? [] : [['size', String(size)] as const]),
  ];
  return html`<form method="get" action="${CUSTOMERS}" role="search" class="search">
    ${c.field({
      name: 'q',
      label: 'Search',
      type: 'search',
      hint: 'The beginnings of words in a name or an email, or an id',
      value: view.search,
      autocomplete: 'off',
    })}
    ${c.selectField({ name: 'mfa', label: 'MFA', value: view.mfa ?? '', choices: MFA })}
    ${c.selectField({ name: 'portal', label: 'Portal access', value: view.portal ?? '', choices: PORTAL })}
    ${c.selectField({ name: 'last', label: 'Last sign-in', value: view.lastSignIn ?? '', choices: LAST })}
    ${kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    ${c.button('Search', { kind: 'second' })}
  </form>`;
}

function chosen(query: Query): { text: string; href: string }[] {
  const { search, mfa, portal, lastSignIn: last } = query.view;
  const chip = (
    label: string,
    value: string | null,
    choices: c.Option[],
    change: Partial<View>,
  ): { text: string; href: string }[] => {
    const choice = choices.find((known) => known.value === value);
    return choice ? [{ text: `${label}: ${choice.label}`, href: addressOf(query, change) }] : [];
  };
  return [
    ...(search === '' ? [] : [{ text: `“${search}”`, href: addressOf(query, { search: '' }) }]),
    ...chip('MFA', mfa, MFA, { mfa: null }),
    ...chip('Portal access', portal, PORTAL, { portal: null }),
    ...chip('Last sign-in', last, LAST, { lastSignIn: null }),
  ];
}

function howMany(count: Count): string {
  if (count.kind === 'about') return `About ${counted(rounded(count.contacts), 'contact', 'contacts')}`;
  if (count.kind === 'many')
    return count.moreThan === null ? 'Many contacts' : `More than ${counted(count.moreThan, 'contact', 'contacts')}`;
  const { contacts, lone } = count;
  if (lone === 0) return counted(contacts, 'contact', 'contacts');
  return `${counted(contacts, 'contact', 'contacts')} and ${counted(lone, 'customer', 'customers')} without contacts`;
}

function noneFound({ lookedAt }: ListPage): string {
  return lookedAt === null
    ? 'No customers match'
    : `None of ${counted(lookedAt, 'contact', 'contacts')} looked at matches`;
}

function noMatch({ lookedAt }: ListPage): c.Html {
  if (lookedAt === null)
    return c.emptyState('No customers match. Try fewer words.', c.linkButton('Clear search', CUSTOMERS));
  return html`<p class="muted">Others further on may match. Longer words find them sooner.</p>`;
}

function found(visit: Visit, who: SignedIn, query: Query, page: ListPage): c.Html {
  const many = barred(who, 'act on many contacts at once') === undefined;
  const { view } = query;
  const sort = (by: View['sort']): c.Column['sort'] => {
    if (!page.sorted) return undefined;
    const isNow = view.sort === by;
    // What was last is what people look for, so that column begins with the latest.
    const descending = isNow ? !view.descending : by === 'last-sign-in';
    const now = view.descending ? ('descending' as const) : ('ascending' as const);
    return { href: addressOf(query, { sort: by, descending }), now: isNow ? now : undefined };
  };
  const table = c.dataTable({
    id: 'customers',
    caption: 'Customers and their contacts',
    rowHeader: many ? 1 : 0,
    columns: [
      ...(many ? [{ label: 'Select', hidden: true }] : []),
      { label: 'Name', sort: sort('name') },
      { label: 'Email', sort: sort('email') },
      { label: 'MFA' },
      { label: 'Backup codes left', end: true },
      { label: 'Portal access' },
      { label: 'Last sign-in', sort: sort('last-sign-in') },
      { label: 'Actions', hidden: true },
    ],
    rows: page.rows.map((row, at) => [...(many ? [box(row, at)] : []), ...cells(visit, who, row)]),
  });
  const unsorted = html`<p class="muted">
    So many match that they stand in the order of the word that was found. Add a word or a filter to sort them.
  </p>`;
  return html`${page.sorted ? c.nothing : unsorted} ${table}
  ${many ? bulkBar({ action: `${CUSTOMERS}/many`, view: writeView(view), all: allThatMatch(page.count), acts: bulkButtons(visit) }) : c.nothing}`;
}

function allThatMatch(count: Count): string {
  if (count.kind === 'exact') return `Select all ${count.contacts.toLocaleString('en-GB')} that match`;
  return count.kind === 'about' ? `Select all that match, about ${thousands(count.contacts)}` : 'Select all that match';
}

/** Three figures are as many as are true of a count that may be an hour old. */
function rounded(n: number): number {
  return Number(n.toPrecision(3));
}

function thousands(n: number): string {
  return rounded(n).toLocaleString('en-GB');
}

function box({ contact }: ListRow, at: number): c.Content {
  return contact === null ? '' : selectBox(`who${at + 1}`, contact.id, `Select ${contact.email}`);
}

function cells(visit: Visit, who: SignedIn, { customer, contact }: ListRow): c.Content[] {
  const name = html`<a href="${customerPath(customer)}">${customer.name}</a>`;
  if (contact === null) return [name, html`<span class="muted">No contacts yet</span>`, '', '', '', '', ''];
  return [
    name,
    html`${c.ltr(contact.email)}<br /><small class="muted">${contact.name}</small>`,
    mfaPill(contact),
    codesLeft(contact),
    portalAccess(contact),
    lastSignIn(contact, who),
    contactMenu(visit, who, contact),
  ];
}

function lastSignIn({ lastSignInAt }: Contact, { organization }: SignedIn): c.Content {
  return lastSignInAt === null ? 'Never' : c.time(lastSignInAt, organization, 'date');
}

function pages(query: Query, { rows, at, count, next, previous, lookedAt }: ListPage): c.Html {
  if (rows.length === 0 && next === null && previous === null) return c.nothing;
  const [from, to] = [at + 1, at + rows.length].map((n) => n.toLocaleString('en-GB'));
  const of = total(count);
  return pager({
    shown: rows.length === 0 ? '' : `${from}–${to} of ${of}`,
    previous: previous && addressOf({ ...query, place: previous }),
    next: next && { href: addressOf({ ...query, place: next }), label: lookedAt === null ? 'Next' : 'Keep looking' },
    sizes: SIZES.map((size) => ({
      size,
      href: size === query.size ? null : addressOf({ ...query, size, place: null }),
    })),
  });
}

function total(count: Count): string {
  switch (count.kind) {
    case 'exact':
      return (count.contacts + count.lone).toLocaleString('en-GB');
    case 'about':
      return `about ${thousands(count.contacts)}`;
    case 'many':
      return count.moreThan === null ? 'many' : `more than ${count.moreThan.toLocaleString('en-GB')}`;
  }
}

// Without mail nothing can be sent, and the gear of each contact says why.
function bulkButtons({ installation }: Visit): typeof BULK_BUTTONS {
  return BULK_BUTTONS.filter(({ value }) => installation.mailIsOn || value !== 'remind');
}
