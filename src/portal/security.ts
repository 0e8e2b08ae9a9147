import { html } from 'hono/html';
import { findContact, type Contact } from '../accounts/contacts.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';
import { activitySection } from './security-activity.ts';
import { notMeLink } from './not-me.ts';
import { appsSection } from './security-apps.ts';
import { codesSection } from './security-codes.ts';
import { devicesSection } from './security-devices.ts';
import { emailRow } from './security-email.ts';
import { passwordRow } from './security-password.ts';
import { passkeySection } from './security-passkeys.ts';
import { sessionsSection } from './security-sessions.ts';

/** Account security (C14): how a contact's own account is guarded, where it is open, and what happened to it. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  const { account } = session;
  const contact = await findContact(visit.installation.db, organization.id, account.customerId ?? '', account.id);
  if (!contact) throw new Error('a signed-in contact has no customer');
  const flash = visit.found('portal');
  const page = insidePage(organization, {
    title: say('sec.title'),
    notices: flash ? c.notice(flash.kind, flash.text, { role: 'status' }) : c.nothing,
    body: html`${c.section(say('sec.sign-in'), await signIn(visit, who, contact))}
      ${await appsSection(visit, who, contact)} ${codesSection(who, contact)} ${await passkeySection(visit, who)}
      ${await devicesSection(visit, who)} ${await sessionsSection(visit, who)} ${await activitySection(visit, who)}
      ${notMeLink(portalBase(organization))}
      <p><a href="${portalBase(organization)}/home">${say('sec.home')}</a></p>`,
  });
  return visit.page(page);
}

async function signIn(visit: Visit, who: SignedIn, { passwordSetAt }: Contact): Promise<c.Html> {
  return c.summaryList([await emailRow(visit, who), passwordRow(who.organization, passwordSetAt)]);
}
