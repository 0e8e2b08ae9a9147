import { html } from 'hono/html';
import { findContact, type Contact } from '../accounts/contacts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { CODES_PER_SET, FEW_CODES } from '../auth/limits.ts';
import { openSessions, type OpenSession, type Session } from '../auth/sessions.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';
import { passkeySection } from './security-passkeys.ts';

/** A contact's own account: how it is guarded and where it is open. To read, not yet to change. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization, session } = who;
  const { db } = visit.installation;
  const { account } = session;
  const contact = await findContact(db, organization.id, account.customerId ?? '', account.id);
  if (!contact) throw new Error('a signed-in contact has no customer');
  const sessions = await openSessions(db, 'portal', account, visit.now);
  const flash = visit.found('portal');
  const page = insidePage(organization, {
    title: say('sec.title'),
    notices: flash ? c.notice(flash.kind, flash.text, { role: 'status' }) : c.nothing,
    body: html`${c.section(say('sec.guarded'), guarded(organization, contact))} ${await passkeySection(visit, who)}
      ${c.section(say('sec.sessions'), sessionTable(organization, session, sessions))}
      <p><a href="${portalBase(organization)}/home">${say('sec.home')}</a></p>`,
  });
  return visit.page(page);
}

function guarded(organization: Organization, contact: Contact): c.Html {
  const { passwordSetAt, mfaSince } = contact;
  const date = (ms: number): c.Html => c.time(ms, organization, 'date');
  const rows = [
    {
      label: say('sec.password'),
      value: passwordSetAt === null ? '' : c.words('sec.password.changed', { date: date(passwordSetAt) }),
    },
    {
      label: say('sec.app'),
      value: mfaSince === null ? say('sec.app.off') : c.words('sec.app.on', { date: date(mfaSince) }),
    },
    ...(mfaSince === null ? [] : [{ label: say('sec.codes'), value: codesLeft(contact.backupCodesLeft) }]),
  ];
  const change =
    mfaSince === null ? c.nothing : html`<p class="hint">${say('sec.change', { m: organization.name })}</p>`;
  return html`${c.summaryList(rows)} ${change}`;
}

function codesLeft(left: number | null): c.Html {
  if (left === null) return c.pill('warn', say('sec.codes.never'));
  if (left === 0) return c.pill('warn', say('sec.codes.none'));
  return c.pill(left <= FEW_CODES ? 'warn' : 'ok', say('sec.codes.left', { n: left, total: CODES_PER_SET }));
}

function sessionTable(organization: Organization, own: Session, sessions: readonly OpenSession[]): c.Html {
  const current = sessions.filter(({ id }) => id === own.id);
  const others = sessions.filter(({ id }) => id !== own.id);
  return c.dataTable({
    id: 'sessions',
    caption: say('sec.sessions'),
    columns: [say('sec.sessions.device'), say('sec.sessions.place'), say('sec.sessions.active')].map((label) => ({
      label,
    })),
    rows: [
      ...current.map((one) => [
        html`${c.pill('ok', say('sec.sessions.this'))} ${deviceOf(one)}`,
        c.ltr(one.address),
        say('sec.sessions.now'),
      ]),
      ...others.map((one) => [deviceOf(one), c.ltr(one.address), c.time(one.lastUsedAt, organization)]),
    ],
  });
}
