import { html } from 'hono/html';
import { endOneSession, signOutEverywhere } from '../auth/end-sessions.ts';
import { openSessions, type OpenSession } from '../auth/sessions.ts';
import { trustedDevices } from '../auth/trusted-devices.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { Visit } from '../web/visit.ts';
import { asksForProof, confirmItsYou, proofSection, type Refusal } from './confirm.ts';
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

/** Sign out everywhere: in how many browsers, and a fresh proof where the last is too old. */
export async function askToSignOut(visit: Visit, at: AtContact): Promise<Response> {
  return askPage(visit, at);
}

export async function signOut(visit: Visit, at: AtContact): Promise<Response> {
  const proof = await visit.form('password', 'code');
  const refusal = await confirmItsYou(visit, at.who, proof, []);
  if (refusal) return askPage(visit, at, refusal);
  const { sessions } = await signOutEverywhere(visit.installation, actorOf(visit, at.who), at.contact);
  return doneAt(
    visit,
    at,
    `${at.contact.name} is signed out everywhere: ${counted(sessions, 'session', 'sessions')} ended.`,
  );
}

async function askPage(visit: Visit, at: AtContact, refusal?: Refusal): Promise<Response> {
  const { who, contact, customer } = at;
  const title = `Sign ${contact.name} out everywhere?`;
  const sessions = await openSessions(visit.installation.db, 'portal', contact, visit.now);
  const devices = await trustedDevices(visit.installation.db, contact, visit.now);
  if (sessions.length + devices.length === 0 && !refusal)
    return nothingToDo(visit, at, { title, why: `${contact.name} isn't signed in anywhere.` });
  const problems = refusal?.problems ?? [];
  const asksForCode = asksForProof(visit, who.session);
  const fields = html`${asksForCode ? proofSection(problems) : c.nothing}
  ${c.actions(c.button('Sign out everywhere', { kind: 'danger' }), c.linkButton('Cancel', customerPath(customer)))}`;
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
    errors: problems,
    until: refusal?.until,
    unavailable: refusal?.unavailable,
    asksForCode,
    body,
  });
}
