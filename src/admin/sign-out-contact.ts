import { html } from 'hono/html';
import { endOneSession, signOutEverywhere } from '../auth/end-sessions.ts';
import { openSessions, type OpenSession } from '../auth/sessions.ts';
import { trustedDevices } from '../auth/trusted-devices.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { Visit } from '../web/visit.ts';
import {
  actorOf,
  type AtContact,
  barred,
  consolePage,
  contactPath,
  counted,
  customerPath,
  doneAt,
  nothingToDo,
} from './console.ts';

/** Where a contact is signed in, each with its way out. */
export function sessionTable({ who, contact }: AtContact, sessions: readonly OpenSession[]): c.Html {
  if (sessions.length === 0) return html`<p class="muted">Not signed in anywhere.</p>`;
  const mayEnd = barred(who, 'end sessions') === undefined;
  return c.dataTable({
    id: `sessions-${contact.id}`,
    caption: `Where ${contact.name} is signed in`,
    columns: [
      { label: 'Device' },
      { label: 'Place' },
      { label: 'Last active' },
      ...(mayEnd ? [{ label: 'Sign out', hidden: true }] : []),
    ],
    rows: sessions.map((session, n) => [
      deviceOf(session),
      c.ltr(session.address),
      c.time(session.lastUsedAt, who.organization),
      ...(mayEnd
        ? [
            endForm(
              `${contact.name} out of browser ${n + 1}`,
              contactPath(contact, `/sessions/${session.id}/end`),
              session,
            ),
          ]
        : []),
    ]),
  });
}

function endForm(what: string, action: string, session: OpenSession): c.Html {
  return c.form(action, c.button('Sign out', { kind: 'link' }), { label: `Sign ${what}: ${deviceOf(session)}` });
}

export async function endSession(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const ended = await endOneSession(visit.installation, actorOf(visit, at.who), at.contact, visit.param('session'));
  return doneAt(visit, at, ended ? `${at.contact.name} is signed out there.` : 'That session had ended already.');
}

/** Sign out everywhere: in how many browsers. */
export async function askToSignOut(visit: Visit, at: AtContact): Promise<Response> {
  const { who, contact, customer } = at;
  const title = `Sign ${contact.name} out everywhere?`;
  const sessions = await openSessions(visit.installation.db, 'portal', contact, visit.now);
  const devices = await trustedDevices(visit.installation.db, contact, visit.now);
  if (sessions.length + devices.length === 0)
    return nothingToDo(visit, at, { title, why: `${contact.name} isn't signed in anywhere.` });
  const fields = c.actions(
    c.button('Sign out everywhere', { kind: 'danger' }),
    c.linkButton('Cancel', customerPath(customer)),
  );
  const body = html`<ul class="bullets">
      <li>They are signed out in ${counted(sessions.length, 'browser', 'browsers')} now</li>
      ${devices.length === 0 ? c.nothing : html`<li>They are asked for a code again on ${counted(devices.length, 'device', 'devices')} that skipped it</li>`}
      <li>Their password and MFA stay as they are, so they can sign in again</li>
    </ul>
    ${c.form(contactPath(contact, '/sign-out'), fields, { busy: 'Signing out…' })}`;
  return consolePage(visit, who, {
    current: 'customers',
    title,
    phrase: contact.email,
    body,
  });
}

export async function signOut(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const first = await proveFirst(visit, at.who, `sign ${at.contact.name} out everywhere`);
  if (first) return first;
  const { sessions } = await signOutEverywhere(visit.installation, actorOf(visit, at.who), at.contact);
  return doneAt(
    visit,
    at,
    `${at.contact.name} is signed out everywhere: ${counted(sessions, 'session', 'sessions')} ended.`,
  );
}
