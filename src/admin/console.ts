import { html } from 'hono/html';
import type { Role } from '../accounts/accounts.ts';
import type { Actor } from '../accounts/audit.ts';
import type { Contact } from '../accounts/contacts.ts';
import { findContact } from '../accounts/contacts.ts';
import { findCustomer, type Customer } from '../accounts/customers.ts';
import type { Organization } from '../accounts/organizations.ts';
import { may, type Permission } from '../accounts/staff.ts';
import { countOpenRequests } from '../auth/recovery-requests.ts';
import { notice, nothing } from '../web/components.ts';
import { notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import { adminPage, type AdminPage } from '../web/layout.ts';
import type { Visit } from '../web/visit.ts';

type Page = Omit<AdminPage, 'organization' | 'person' | 'notices' | 'extra' | 'waiting'> & {
  /** A limit holds the answer back until then. */
  until?: number | undefined;
};

/** A role in a word. */
export const ROLE_NAMES: Record<Role, string> = {
  owner: 'Owner',
  admin: 'Admin',
  support: 'Support',
  auditor: 'Auditor',
};

/** A page of the console, with what the page before has left to say. A page with problems is a refused answer. */
export async function consolePage(visit: Visit, { organization, session }: SignedIn, page: Page): Promise<Response> {
  const { name, role } = session.account;
  const flash = visit.found('admin');
  const whole = adminPage({
    ...page,
    organization,
    person: { name, role: role === null ? '' : ROLE_NAMES[role] },
    waiting: await waitingFor(visit, organization),
    notices: flash ? notice(flash.kind, flash.text, { role: 'status' }) : nothing,
  });
  if (page.until !== undefined) return visit.heldBack(whole, page.until);
  return visit.page(whole, page.error || (page.errors?.length ?? 0) > 0 ? 422 : 200);
}

const COUNTED_MOST = 100;

async function waitingFor({ installation, now }: Visit, { id }: Organization): Promise<{ recovery?: string }> {
  const open = await countOpenRequests(installation.db, id, now, COUNTED_MOST);
  if (open === 0) return {};
  return { recovery: open < COUNTED_MOST ? String(open) : `${COUNTED_MOST - 1}+` };
}

/** Why somebody may not do a thing, in a few words; undefined where they may. The guards decide, this only tells. */
export function barred({ session }: SignedIn, permission: Permission): string | undefined {
  if (!may(session.account.role, permission)) return 'Ask an owner or admin';
  return session.provenBy === 'backup-code' ? 'You signed in with a backup code' : undefined;
}

/** Who acts, for the audit log. */
export function actorOf(visit: Visit, { session }: SignedIn): Actor {
  return { kind: 'account', id: session.account.id, address: visit.visitor.address };
}

/** Where an organization's customers sign in. */
export function portalAddress(visit: Visit, organization: Organization): string {
  return `${visit.house.publicUrl}/portal/${organization.slug}`;
}

export function customerPath(customer: Pick<Customer, 'id'>, act = ''): string {
  return `/admin/customers/${customer.id}${act}`;
}

export function contactPath({ customerId, id }: Contact, act: string): string {
  return `/admin/customers/${customerId}/contacts/${id}${act}`;
}

export interface AtCustomer {
  readonly who: SignedIn;
  readonly customer: Customer;
}

export interface AtContact extends AtCustomer {
  readonly contact: Contact;
}

/** Hands on the customer that the path names, in the reader's own organization (I15). */
export function atCustomer(handler: (visit: Visit, at: AtCustomer) => Promise<Response>) {
  return async (visit: Visit, who: SignedIn): Promise<Response> => {
    const customer = await findCustomer(visit.installation.db, who.organization.id, visit.param('customer'));
    return customer ? handler(visit, { who, customer }) : notFoundPage(visit);
  };
}

/** Hands on the contact that the path names, of the customer that it names. */
export function atContact(handler: (visit: Visit, at: AtContact) => Promise<Response>) {
  return atCustomer(async (visit, { who, customer }) => {
    const contact = await findContact(visit.installation.db, who.organization.id, customer.id, visit.param('contact'));
    return contact ? handler(visit, { who, customer, contact }) : notFoundPage(visit);
  });
}

/** An act is done: to the customer's page, which says so. */
export function doneAt(visit: Visit, { customer }: AtCustomer, text: string): Response {
  visit.leave('admin', { kind: 'ok', text });
  return visit.see(customerPath(customer));
}

/** A page for an act that would change nothing or, once asked for, has changed nothing: why, and the way back. */
export function nothingToDo(
  visit: Visit,
  { who, customer }: AtContact,
  { title, why, asked = false, until }: { title: string; why: string; asked?: boolean; until?: number },
): Promise<Response> {
  const body = html`<p>${why}</p>
    <p><a href="${customerPath(customer)}">Back to ${customer.name}</a></p>`;
  return consolePage(visit, who, { current: 'customers', title, error: asked, until, body });
}

/** A number with its noun: "1 contact", "1,204 contacts". */
export function counted(n: number, one: string, other: string): string {
  return `${n.toLocaleString('en-GB')} ${n === 1 ? one : other}`;
}
