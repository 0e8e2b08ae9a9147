import { html } from 'hono/html';
import { contactsOf, type Contact } from '../accounts/contacts.ts';
import { documentsOf } from '../accounts/documents.ts';
import { openSessions } from '../auth/sessions.ts';
import {
  actions,
  type Content,
  emptyState,
  type Html,
  linkButton,
  nothing,
  section,
  type SummaryRow,
  summaryList,
  time,
} from '../web/components.ts';
import { documentTable } from '../web/documents.ts';
import type { Visit } from '../web/visit.ts';
import { recentActivity } from './activity.ts';
import { type AtCustomer, barred, consolePage, counted, customerPath } from './console.ts';
import { addressWithGear, isLocked, lockWords, mfaWords, portalAccess } from './contact-words.ts';

/** A customer: the people there, what each of them can do and has done, and the documents as they see them. */
export async function customer(visit: Visit, at: AtCustomer): Promise<Response> {
  const { who, customer: shown } = at;
  const { db } = visit.installation;
  const contacts = await contactsOf(db, who.organization.id, shown.id);
  const documents = await documentsOf(db, who.organization.id, shown.id);
  const primary = contacts.find((contact) => contact.isPrimaryAt !== null);
  const others = contacts.filter((contact) => contact !== primary);
  const body = html`${primary ? await primaryContact(visit, at, primary) : noContacts(at)}
  ${others.length === 0 ? nothing : section('Other contacts', await Promise.all(others.map((one) => otherContact(visit, at, one))))}
  ${section('Documents', documentTable(who.organization, documents))}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: shown.name,
    phrase: 'Customer',
    actions: contacts.length === 0 ? nothing : acts(at),
    body,
  });
}

function acts({ who, customer: shown }: AtCustomer): Html {
  if (barred(who, 'edit customers') !== undefined) return nothing;
  return actions(
    linkButton('Edit customer', customerPath(shown, '/edit')),
    linkButton('Add contact', customerPath(shown, '/contacts/new')),
  );
}

function noContacts(at: AtCustomer): Html {
  return emptyState('No contacts yet. Nobody from here can sign in to the portal.', acts(at));
}

async function primaryContact(visit: Visit, at: AtCustomer, contact: Contact): Promise<Html> {
  return html`${addressWithGear(at.who, contact, visit.now)}
  ${section(contact.name, [summaryList(await facts(visit, at, contact)), await recentActivity(visit, at.who, contact)])}`;
}

async function otherContact(visit: Visit, at: AtCustomer, contact: Contact): Promise<Html> {
  const rows = [{ label: 'Name', value: contact.name }, ...(await facts(visit, at, contact))];
  return html`${addressWithGear(at.who, contact, visit.now)} ${summaryList(rows)}
  ${await recentActivity(visit, at.who, contact)}`;
}

async function facts(visit: Visit, { who }: AtCustomer, contact: Contact): Promise<SummaryRow[]> {
  const { organization } = who;
  const sessions = await openSessions(visit.installation.db, 'portal', contact, visit.now);
  const never: Content = 'Never';
  return [
    ...(contact.phone === null ? [] : [{ label: 'Phone', value: contact.phone }]),
    { label: 'Portal access', value: portalAccess(contact) },
    ...(isLocked(contact, visit.now) ? [{ label: 'Locked', value: lockWords(contact, organization) }] : []),
    { label: 'MFA', value: mfaWords(contact, organization) },
    { label: 'Last sign-in', value: contact.lastSignInAt === null ? never : time(contact.lastSignInAt, organization) },
    {
      label: 'Signed in now',
      value: sessions.length === 0 ? 'Nowhere' : counted(sessions.length, 'browser', 'browsers'),
    },
  ];
}
