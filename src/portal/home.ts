import { html } from 'hono/html';
import { findContact, type Contact } from '../accounts/contacts.ts';
import { findCustomer } from '../accounts/customers.ts';
import { documentsOf } from '../accounts/documents.ts';
import type { Organization } from '../accounts/organizations.ts';
import { CODES_PER_SET, FEW_CODES } from '../auth/limits.ts';
import { toldOfReset } from '../auth/recovery.ts';
import type { Session } from '../auth/sessions.ts';
import * as c from '../web/components.ts';
import { documentTable } from '../web/documents.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Flash } from '../web/flash.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { askIfAppWorks } from './check-app.ts';
import { insidePage, portalBase } from './frame.ts';
import { offerTo, type Offer } from './mfa-offer.ts';

/** The portal's own address, for whoever is signed in; the guard sends everybody else to the sign-in page. */
export function enter(visit: Visit, { organization }: SignedIn): Response {
  return visit.see(`${portalBase(organization)}/home`);
}

/** Where a signed-in contact lands: who they are, how the account is guarded, and the customer's documents. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  const { db } = visit.installation;
  const { id, customerId } = session.account;
  const customer = await findCustomer(db, organization.id, customerId ?? '');
  const contact = await findContact(db, organization.id, customerId ?? '', id);
  if (!customer || !contact) throw new Error('a signed-in contact has no customer');
  const offer = await offerTo(visit, who);
  const documents = await documentsOf(db, organization.id, customer.id);
  const page = insidePage(organization, {
    title: say('home.title'),
    phrase: say('home.who', { name: contact.name, customer: customer.name }),
    notices: [
      ...notices(organization, session, contact, visit.now, visit.found('portal')),
      offer.notice,
      await askIfAppWorks(visit, who),
    ],
    body: html`${mfaLine(organization, contact, offer)}
    ${documentTable(organization, documents, say('home.empty', { m: organization.name }))}`,
  });
  return visit.page(page);
}

function notices(
  organization: Organization,
  session: Session,
  contact: Contact,
  now: number,
  flash: Flash | undefined,
): c.Html[] {
  const m = organization.name;
  const all: c.Html[] = [];
  if (flash) all.push(c.notice(flash.kind, flash.text, { role: 'status' }));
  if (session.account.suspectedAt !== null) {
    const text = html`<p><strong>${say('home.suspected')}</strong></p>
      <p>${say('home.suspected.text', { m })}</p>`;
    all.push(c.notice('danger', text));
  }
  const resetAt = toldOfReset(session.account, now);
  if (resetAt !== null) {
    const date = c.time(resetAt, organization, 'date');
    const text = html`<p><strong>${c.words('home.reset', { m, date })}</strong></p>
      <p>${say('home.reset.text', { m })}</p>`;
    all.push(c.notice('warn', text));
  }
  const left = contact.backupCodesLeft ?? 0;
  if (contact.mfaSince !== null && left <= FEW_CODES) {
    const text = html`<p><strong>${say('home.few', { n: left })}</strong></p>
      <p><a href="${portalBase(organization)}/security/backup-codes">${say('home.few.get')}</a></p>`;
    all.push(c.notice('warn', text));
  }
  return all;
}

function mfaLine(organization: Organization, contact: Contact, { link }: Offer): c.Html {
  const security = html`<a href="${portalBase(organization)}/security">${say('home.security')}</a>`;
  return html`<p class="with-menu">${mfaPill(contact)} ${link} ${link === c.nothing ? c.nothing : '·'} ${security}</p>`;
}

function mfaPill({ mfaSince, backupCodesLeft }: Contact): c.Html {
  if (mfaSince === null) return c.pill('muted', say('home.mfa.off'));
  if (!backupCodesLeft) return c.pill('warn', say('home.mfa.on.none'));
  const text = say('home.mfa.on', { n: backupCodesLeft, total: CODES_PER_SET });
  return c.pill(backupCodesLeft <= FEW_CODES ? 'warn' : 'ok', text);
}
