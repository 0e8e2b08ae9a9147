import { html } from 'hono/html';
import type { Actor } from '../accounts/audit.ts';
import type { Organization } from '../accounts/organizations.ts';
import { endOneSession, signOutElsewhere } from '../auth/end-sessions.ts';
import { openSessions, type OpenSession } from '../auth/sessions.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

/** On how many devices an account is open, and the way to the list of them. */
export async function sessionsSection(visit: Visit, { organization, session }: SignedIn): Promise<c.Html> {
  const { length } = await openSessions(visit.installation.db, 'portal', session.account, visit.now);
  const action = c.rowLink(say('sec.sessions.look'), pathOf(organization), say('sec.sessions.look.name'));
  const value = say('sec.sessions.summary', { n: length });
  return c.section(say('sec.sessions'), c.summaryList([{ label: say('sec.sessions.open'), value, action }]));
}

function pathOf(organization: Organization): string {
  return `${portalBase(organization)}/security/sessions`;
}

/** GET /security/sessions (C17): this device first, then the others, the latest used first. */
export async function show(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const all = await openSessions(visit.installation.db, 'portal', session.account, visit.now);
  const current = all.filter(({ id }) => id === session.id);
  const others = all.filter(({ id }) => id !== session.id);
  const flash = visit.found('portal');
  const table = c.dataTable({
    id: 'sessions',
    caption: say('sec.sessions'),
    columns: [
      { label: say('sec.sessions.device') },
      { label: say('sec.sessions.place') },
      { label: say('sec.sessions.active') },
      { label: say('sec.sessions.act'), hidden: true },
    ],
    rows: [...current.map((one) => ownRow(organization, one)), ...others.map((one) => otherRow(organization, one))],
  });
  const page = insidePage(organization, {
    title: say('sec.sessions'),
    notices: flash ? c.notice(flash.kind, flash.text, { role: 'status' }) : c.nothing,
    body: html`<p>${say('sec.sessions.text', { m: organization.name })}</p>
      ${table} ${everywhereElse(organization, others.length)}
      <p><a href="${portalBase(organization)}/security">${say('sec.back')}</a></p>`,
  });
  return visit.page(page);
}

function ownRow(organization: Organization, own: OpenSession): c.Content[] {
  return [
    html`${deviceOf(own)} ${c.pill('ok', say('sec.sessions.this'))}`,
    c.ltr(own.address),
    say('sec.sessions.now'),
    signOutButton(`${portalBase(organization)}/sign-out`, own),
  ];
}

function otherRow(organization: Organization, one: OpenSession): c.Content[] {
  return [
    deviceOf(one),
    c.ltr(one.address),
    c.time(one.lastUsedAt, organization),
    signOutButton(`${pathOf(organization)}/${one.id}/end`, one),
  ];
}

function signOutButton(action: string, one: OpenSession): c.Html {
  const named = say('sec.sessions.end.name', { device: deviceOf(one), place: one.address });
  return c.form(action, c.button(say('sec.sessions.end'), { kind: 'link', named }));
}

function everywhereElse(organization: Organization, n: number): c.Html {
  if (n === 0) return html`<p class="hint">${say('sec.sessions.only')}</p>`;
  return html`<p class="hint">${say('sec.sessions.end-others.hint', { n })}</p>
    ${c.form(`${pathOf(organization)}/end-others`, c.button(say('sec.sessions.end-others'), { kind: 'second' }))}`;
}

// Neither asks for a fresh proof: they only take away, and nobody who finds a stranger inside may be held up by a code.

/** POST /security/sessions/:session/end: Sign out. One that is not theirs, or over, is as good as ended. */
export async function end(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  await visit.form();
  await endOneSession(visit.installation, actorOf(visit, session), session.account, visit.param('session'));
  visit.leave('portal', { kind: 'ok', text: say('sec.sessions.ended') });
  return visit.see(pathOf(organization));
}

/** POST /security/sessions/end-others: Sign out everywhere else. */
export async function endOthers(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  await visit.form();
  const n = await signOutElsewhere(visit.installation, actorOf(visit, session), session, visit.deviceCookie());
  visit.leave('portal', { kind: 'ok', text: say('sec.sessions.ended-others', { n }) });
  return visit.see(pathOf(organization));
}

function actorOf({ visitor }: Visit, { account }: SignedIn['session']): Actor {
  return { kind: 'account', id: account.id, address: visitor.address };
}
