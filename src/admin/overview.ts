import { html } from 'hono/html';
import { hasAnyoneSignedIn } from '../accounts/contacts.ts';
import { hasCustomers } from '../accounts/customers.ts';
import { policyReach } from '../accounts/organizations.ts';
import type { Permission } from '../accounts/staff.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { barred, consolePage, counted, portalAddress } from './console.ts';

/** Where staff land: what is still to do, and once all is done how far MFA has come. */
export async function overview(visit: Visit, who: SignedIn): Promise<Response> {
  const { db } = visit.installation;
  const { id, policy } = who.organization;
  const done = {
    mfa: policy !== 'off',
    customer: await hasCustomers(db, id),
    // A copy leaves no trace; the first customer who came through the portal does.
    link: await hasAnyoneSignedIn(db, id),
  };
  const ready = done.mfa && done.customer && done.link;
  const body = ready ? adoption(await policyReach(db, id)) : checklist(visit, who, done);
  return consolePage(visit, who, { current: 'overview', title: 'Overview', body });
}

function checklist(visit: Visit, who: SignedIn, done: { mfa: boolean; customer: boolean; link: boolean }): c.Html {
  const address = portalAddress(visit, who.organization);
  const settings = linkFor(who, 'change settings', 'Open settings', '/admin/settings/customer-portal/general');
  const add = linkFor(who, 'edit customers', 'Add customer', '/admin/customers/new');
  const copy = c.actions(c.copyButton('Copy', address, { select: 'portal-link', copied: 'Copied.' }));
  const link = html`<br /><small id="portal-link">${c.ltr(address)}</small>`;
  return c.section(
    'Three things to do first',
    c.summaryList([
      { label: 'Turn on MFA', value: state(done.mfa), action: settings },
      { label: 'Add a customer', value: state(done.customer), action: add },
      { label: 'Copy the portal link', value: html`${state(done.link)}${link}`, action: copy },
    ]),
  );
}

function state(isDone: boolean): c.Html {
  return isDone ? c.pill('ok', 'Done') : c.pill('muted', 'To do');
}

function linkFor(who: SignedIn, permission: Permission, label: string, href: string): c.Html | undefined {
  return barred(who, permission) === undefined ? html`<a href="${href}">${label}</a>` : undefined;
}

function adoption({ enrolled, notEnrolled }: { enrolled: number; notEnrolled: number }): c.Html {
  const not =
    notEnrolled === 0 ? 'Nobody is left to set it up' : `${counted(notEnrolled, 'has', 'have')} not set it up yet`;
  return html`<section class="panel">
    <p><strong>${counted(enrolled, 'contact uses', 'contacts use')} MFA.</strong> ${not}.</p>
    <p><a href="/admin/customers">See your customers</a> · <a href="/admin/settings">See your settings</a></p>
  </section>`;
}
