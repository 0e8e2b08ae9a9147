import { html } from 'hono/html';
import { setPortalAccess, unlock } from '../auth/access.ts';
import { WELCOME_LINK_LIFETIME_MS } from '../auth/limits.ts';
import { openSessions } from '../auth/sessions.ts';
import { invite, makeWelcomeLink } from '../auth/welcome.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
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
  portalAddress,
} from './console.ts';
import { isLocked } from './contact-words.ts';

/** Disable portal access asks first; enabling it takes nothing from anybody and acts at once. */
export function askToDisable(visit: Visit, at: AtContact): Promise<Response> {
  const { name, disabledAt } = at.contact;
  const why = `Portal access is off for ${name} already.`;
  return disabledAt === null ? disablePage(visit, at) : nothingToDo(visit, at, { title: disableTitle(at), why });
}

export async function disable(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const first = await proveFirst(visit, at.who, `disable portal access for ${at.contact.name}`);
  if (first) return first;
  await setPortalAccess(visit.installation, actorOf(visit, at.who), at.contact, false);
  return doneAt(visit, at, `Portal access is off for ${at.contact.email}. They are signed out everywhere.`);
}

function disableTitle({ contact }: AtContact): string {
  return `Disable portal access for ${contact.name}?`;
}

async function disablePage(visit: Visit, at: AtContact): Promise<Response> {
  const says = bulletList(["They can't sign in to the portal", await signedOut(visit, at), 'Their MFA stays as it is']);
  const submit = c.button('Disable portal access', { kind: 'danger' });
  return askPage(visit, at, { title: disableTitle(at), says, act: '/disable', submit });
}

async function signedOut(visit: Visit, { contact }: AtContact): Promise<string> {
  const sessions = await openSessions(visit.installation.db, 'portal', contact, visit.now);
  if (sessions.length === 0) return 'They are not signed in anywhere';
  return `They are signed out now, in ${counted(sessions.length, 'browser', 'browsers')}`;
}

export async function enable(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  await setPortalAccess(visit.installation, actorOf(visit, at.who), at.contact, true);
  return doneAt(visit, at, `Portal access is on for ${at.contact.email}.`);
}

/** Unlock: says what it will do, which differs where the password is held to be stolen: that takes something away. */
export function askToUnlock(visit: Visit, at: AtContact): Promise<Response> {
  const { name } = at.contact;
  const why = `${name} isn't locked.`;
  return isLocked(at.contact, visit.now)
    ? unlockPage(visit, at)
    : nothingToDo(visit, at, { title: unlockTitle(at), why });
}

function unlockTitle({ contact }: AtContact): string {
  return `Unlock ${contact.name}?`;
}

async function unlockPage(visit: Visit, at: AtContact): Promise<Response> {
  const { contact, who } = at;
  const { name } = contact;
  const isStolen = contact.suspectedAt !== null;
  const waits = html`<p>
    ${name} entered too many wrong codes and would wait until ${c.time(contact.waitUntil, who.organization)}. Unlock
    lets them try again now.
  </p>`;
  const stolen = html`<p>
      Many wrong codes were entered after ${name}'s right password, so someone else may know it. Unlock removes that
      password.
    </p>
    ${bulletList([
      await signedOut(visit, at),
      'They need a welcome link to choose a new password',
      'Their MFA stays as it is',
    ])}`;
  const says = html`${isStolen ? stolen : waits}
    <p>Do this only after you have checked that it really is ${name}.</p>`;
  const submit = c.button('Unlock', { kind: isStolen ? 'danger' : 'main' });
  return askPage(visit, at, { title: unlockTitle(at), says, act: '/unlock', submit });
}

export async function unlockContact(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const { name, suspectedAt } = at.contact;
  const about = `unlock ${name}, which removes their password`;
  const first = suspectedAt !== null && (await proveFirst(visit, at.who, about));
  if (first) return first;
  const outcome = await unlock(visit.installation, actorOf(visit, at.who), at.contact);
  switch (outcome.kind) {
    case 'waits-ended':
      return doneAt(visit, at, `${name} can try again now.`);
    case 'not-locked':
      return doneAt(visit, at, `${name} isn't locked.`);
    case 'password-removed': {
      const removed = `${name}'s old password is removed.`;
      if (barred(at.who, 'make welcome links') !== undefined)
        return doneAt(visit, at, `${removed} Ask an owner or admin to make a welcome link for a new one.`);
      visit.leave('admin', { kind: 'ok', text: `${removed} Next, make a welcome link for a new one.` });
      return visit.see(contactPath(at.contact, '/welcome-link'));
    }
  }
}

const LINK_HOURS = WELCOME_LINK_LIFETIME_MS / 3_600_000;

const MAIL_OFF = html`<p>
  No mail is sent, so you hand the link over yourself. To have it mailed, set <code>SALLYPORT_SMTP_URL</code> and
  <code>SALLYPORT_MAIL_FROM</code>.
</p>`;

/** A contact's first password: a link that is mailed, or that staff hand over, shown once. */
export function askForWelcomeLink(visit: Visit, at: AtContact): Promise<Response> {
  const { name, email } = at.contact;
  const { mailIsOn } = visit.installation;
  const title = mailIsOn ? `Invite ${name}?` : `Make a welcome link for ${name}?`;
  const why = whyNoLink(at);
  if (why !== undefined) return nothingToDo(visit, at, { title, why });
  const bullets = [
    `With it ${name} chooses a password for the portal`,
    `It works for ${LINK_HOURS} hours, once`,
    'A link made before stops working',
  ];
  if (!mailIsOn) {
    const submit = c.button('Make welcome link');
    return askPage(visit, at, { title, says: html`${bulletList(bullets)} ${MAIL_OFF}`, act: '/welcome-link', submit });
  }
  const says = html`<p>We email a link to ${c.ltr(email)}.</p>
    ${bulletList(bullets)}`;
  const second = c.form(
    contactPath(at.contact, '/welcome-link'),
    c.button('Show the link instead', { kind: 'second' }),
  );
  return askPage(visit, at, { title, says, act: '/invitation', submit: c.button('Send invitation'), second });
}

/** The same link by mail. */
export async function sendInvitation(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const { name, email } = at.contact;
  if (await invite(visit.installation, actorOf(visit, at.who), at.contact))
    return doneAt(visit, at, `An invitation is on its way to ${email}. It works for ${LINK_HOURS} hours.`);
  const off = visit.installation.mailIsOn
    ? undefined
    : 'No mail is sent. Set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM, or make a welcome link and hand it over.';
  const why = whyNoLink(at) ?? off ?? 'Something has changed meanwhile. Nothing was sent.';
  return nothingToDo(visit, at, { title: `Invite ${name}?`, why, asked: true });
}

/** The answer itself shows the link and is kept nowhere, so that there is no second look at it. */
export async function welcomeLink(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const { who, contact, customer } = at;
  const title = `Welcome link for ${contact.name}`;
  const token = await makeWelcomeLink(visit.installation, actorOf(visit, who), contact);
  if (token === undefined) {
    const why = whyNoLink(at) ?? 'Something has changed meanwhile. Nothing was made.';
    return nothingToDo(visit, at, { title, why, asked: true });
  }
  const address = `${portalAddress(visit, who.organization)}/welcome/${token}`;
  const body = html`<p>Give it to ${contact.name} and nobody else: whoever opens it first chooses the password.</p>
    <p><code class="key" id="link" dir="ltr">${address}</code></p>
    ${c.actions(c.copyButton('Copy', address, { select: 'link' }))}
    <p>
      <strong>We can't show it again; it works for ${LINK_HOURS} hours, once.</strong> If you reload this page, a new
      link is made and this one stops working.
    </p>
    <p><a href="${customerPath(customer)}">Back to ${customer.name}</a></p>`;
  return consolePage(visit, who, { current: 'customers', title, phrase: contact.email, body: panel(body) });
}

function whyNoLink({ contact }: AtContact): string | undefined {
  if (contact.passwordSetAt !== null) return `${contact.name} has a password already.`;
  return contact.disabledAt === null ? undefined : `Portal access is off for ${contact.name}. Enable it first.`;
}

interface Question {
  readonly title: string;
  readonly says: c.Html;
  readonly act: string;
  readonly submit: c.Html;
  /** Another way to the same end: a form of its own. */
  readonly second?: c.Html;
}

function askPage(visit: Visit, at: AtContact, { title, says, act, submit, second }: Question): Promise<Response> {
  const { who, contact, customer } = at;
  const fields = c.actions(submit, c.linkButton('Cancel', customerPath(customer)));
  return consolePage(visit, who, {
    current: 'customers',
    title,
    phrase: contact.email,
    body: html`${panel(says)} ${c.form(contactPath(contact, act), fields)} ${second ?? c.nothing}`,
  });
}

function bulletList(texts: readonly string[]): c.Html {
  return html`<ul class="bullets">
    ${texts.map((text) => html`<li>${text}</li>`)}
  </ul>`;
}

function panel(body: c.Html): c.Html {
  return html`<section class="panel">${body}</section>`;
}
