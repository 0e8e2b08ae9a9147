import { html } from 'hono/html';
import { findContact, type Contact } from '../accounts/contacts.ts';
import type { Organization } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';
import { activitySection } from './security-activity.ts';
import { appsSection } from './security-apps.ts';
import { codesSection } from './security-codes.ts';
import { devicesSection } from './security-devices.ts';
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
    body: html`${c.section(say('sec.sign-in'), signIn(organization, contact))} ${await appsSection(visit, who, contact)}
      ${codesSection(who, contact)} ${await passkeySection(visit, who)} ${await devicesSection(visit, who)}
      ${await sessionsSection(visit, who)} ${await activitySection(visit, who)}
      <p><a href="${portalBase(organization)}/home">${say('sec.home')}</a></p>`,
  });
  return visit.page(page);
}

function signIn(organization: Organization, { email, passwordSetAt }: Contact): c.Html {
  const base = `${portalBase(organization)}/security`;
  const date = passwordSetAt === null ? '' : c.time(passwordSetAt, organization, 'date');
  return c.summaryList([
    {
      label: say('sec.email'),
      value: c.ltr(email),
      action: c.rowLink(say('sec.change'), `${base}/email`, say('sec.change.email')),
    },
    {
      label: say('sec.password'),
      value: date === '' ? '' : c.words('sec.password.changed', { date }),
      action: c.rowLink(say('sec.change'), `${base}/password`, say('sec.change.password')),
    },
  ]);
}
