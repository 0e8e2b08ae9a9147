import { html } from 'hono/html';
import { contactsOf, type Contact } from '../accounts/contacts.ts';
import { documentsOf } from '../accounts/documents.ts';
import { exemptionOf } from '../auth/exemptions.ts';
import { openSessions } from '../auth/sessions.ts';
import type { Permission } from '../accounts/staff.ts';
import * as c from '../web/components.ts';
import { documentTable } from '../web/documents.ts';
import type { Visit } from '../web/visit.ts';
import { recentActivity } from './activity.ts';
import { type AtCustomer, barred, consolePage, contactPath, counted, customerPath } from './console.ts';
import { exemptionWords } from './exempt.ts';
import { lastRefusal } from './last-refusal.ts';
import { addressWithGear, lockNotice, mfaWords, portalAccess } from './contact-words.ts';
import { deviceTable } from './contact-devices.ts';
import { CUSTOMERS } from './customer-query.ts';
import { sessionTable } from './sign-out-contact.ts';

const NO_DOCUMENTS = 'Nothing here yet. Import documents with the command sallyport document import.';

/** More people at one customer than these are in the list, which has pages. */
const SHOWN = 25;

/** A customer: the people there, what each of them can do and has done, and the documents as they see them. */
export async function customer(visit: Visit, at: AtCustomer): Promise<Response> {
  const { who, customer: shown } = at;
  const { db } = visit.installation;
  const contacts = await contactsOf(db, who.organization.id, shown.id, SHOWN + 1);
  const documents = await documentsOf(db, who.organization.id, shown.id);
  const primary = contacts.find((contact) => contact.isPrimaryAt !== null);
  const others = contacts.slice(0, SHOWN).filter((contact) => contact !== primary);
  const body = html`${primary ? await primaryContact(visit, at, primary) : noContacts(at)}
    ${others.length === 0 ? c.nothing : html`<h2>Other contacts</h2>`}
    ${await Promise.all(others.map((contact) => otherContact(visit, at, contact)))}
    ${contacts.length > SHOWN ? html`<p><a href="${CUSTOMERS}?q=${shown.id}">All contacts of ${shown.name}</a></p>` : c.nothing}
    <h2>Documents</h2>
    ${documentTable(who.organization, documents, NO_DOCUMENTS)}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: shown.name,
    phrase: 'Customer',
    actions: contacts.length === 0 ? c.nothing : acts(at),
    body,
  });
}

function acts({ who, customer: shown }: AtCustomer): c.Html {
  const link = (permission: Permission, label: string, act: string): c.Html =>
    barred(who, permission) === undefined ? c.linkButton(label, customerPath(shown, act)) : c.nothing;
  return c.actions(
    link('edit customers', 'Edit customer', '/edit'),
    link('edit contacts', 'Add contact', '/contacts/new'),
    link('delete customers and contacts', 'Delete customer', '/delete'),
  );
}

function noContacts(at: AtCustomer): c.Html {
  return c.emptyState('No contacts yet. Nobody from here can sign in to the portal.', acts(at));
}

// The primary contact's address belongs to the customer's name; everybody else's stands with their own.
async function primaryContact(visit: Visit, at: AtCustomer, contact: Contact): Promise<c.Html> {
  return html`${addressWithGear(visit, at.who, contact)} ${c.section(contact.name, await about(visit, at, contact))}`;
}

async function otherContact(visit: Visit, at: AtCustomer, contact: Contact): Promise<c.Html> {
  return c.section(contact.name, [addressWithGear(visit, at.who, contact), await about(visit, at, contact)]);
}

async function about(visit: Visit, at: AtCustomer, contact: Contact): Promise<c.Html> {
  const { who } = at;
  const { organization } = who;
  const sessions = await openSessions(visit.installation.db, 'portal', contact, visit.now);
  const exemption = await exemptionOf(visit.installation.db, contact, visit.now);
  const signedIn = sessions.length === 0 ? 'Nowhere' : `In ${counted(sessions.length, 'browser', 'browsers')}`;
  const rows: c.SummaryRow[] = [
    { label: 'Portal access', value: portalAccess(contact) },
    { label: 'MFA', value: mfaWords(contact, organization) },
    {
      label: 'Last sign-in',
      value: contact.lastSignInAt === null ? 'Never' : c.time(contact.lastSignInAt, organization),
    },
    { label: 'Signed in now', value: signedIn },
  ];
  if (exemption) {
    const ends = barred(who, 'change settings') === undefined;
    const action = ends ? html`<a href="${contactPath(contact, '/exempt')}">End exemption</a>` : undefined;
    rows.splice(2, 0, { label: 'Exemption', value: exemptionWords(exemption, organization), action });
  }
  if (contact.phone !== null) rows.unshift({ label: 'Phone', value: c.ltr(contact.phone) });
  return html`${lockNotice(contact, organization, visit.now)} ${c.summaryList(rows)}
  ${sessions.length === 0 ? c.nothing : sessionTable({ ...at, contact }, sessions)}
  ${await deviceTable(visit, { ...at, contact })} ${await lastRefusal(visit, who, contact)}
  ${await recentActivity(visit, who, contact)}`;
}
