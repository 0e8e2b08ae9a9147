import { html } from 'hono/html';
import { setPortalAccess, unlock } from '../auth/access.ts';
import { WELCOME_LINK_LIFETIME_MS } from '../auth/limits.ts';
import { makeWelcomeLink } from '../auth/welcome.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import {
  actorOf,
  type AtContact,
  barred,
  consolePage,
  contactPath,
  customerPath,
  doneAt,
  nothingToDo,
  portalAddress,
} from './console.ts';
import { isLocked } from './contact-words.ts';

/** Disable portal access asks first; enabling it takes nothing from anybody and acts at once. */
export function askToDisable(visit: Visit, at: AtContact): Promise<Response> {
  const { name, disabledAt } = at.contact;
  const title = `Disable portal access for ${name}?`;
  if (disabledAt !== null) return nothingToDo(visit, at, { title, why: `Portal access is off for ${name} already.` });
  const bullets = [
    "They can't sign in to the portal",
    'They are signed out everywhere now',
    'Their MFA stays as it is',
  ];
  const submit = c.button('Disable portal access', { kind: 'danger' });
  return askPage(visit, at, title, bulletList(bullets), '/disable', submit);
}

export async function disable(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  await setPortalAccess(visit.installation, actorOf(visit, at.who), at.contact, false);
  return doneAt(visit, at, `Portal access is off for ${at.contact.email}. They are signed out everywhere.`);
}

export async function enable(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  await setPortalAccess(visit.installation, actorOf(visit, at.who), at.contact, true);
  return doneAt(visit, at, `Portal access is on for ${at.contact.email}.`);
}

/** Unlock: says what it will do, which differs where the password is held to be stolen. */
export function askToUnlock(visit: Visit, at: AtContact): Promise<Response> {
  const { contact, who } = at;
  const { name } = contact;
  const title = `Unlock ${name}?`;
  if (!isLocked(contact, visit.now)) return nothingToDo(visit, at, { title, why: `${name} isn't locked.` });
  const waits = html`<p>
    ${name} entered too many wrong codes and would wait until ${c.time(contact.waitUntil, who.organization)}. Unlock
    lets them try again now.
  </p>`;
  const stolen = html`<p>
      Many wrong codes were entered after ${name}'s right password, so someone else may know it. Unlock removes that
      password.
    </p>
    ${bulletList([
      'They are signed out everywhere now',
      'They need a welcome link to choose a new password',
      'Their MFA stays as it is',
    ])}`;
  const check = html`<p>Do this only after you have checked that it really is ${name}.</p>`;
  const body = html`${contact.suspectedAt === null ? waits : stolen} ${check}`;
  const submit = c.button('Unlock', { kind: contact.suspectedAt === null ? 'main' : 'danger' });
  return askPage(visit, at, title, body, '/unlock', submit);
}

export async function unlockContact(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const { name } = at.contact;
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

/** A contact's first password: a link that staff hand over, shown once. */
export function askForWelcomeLink(visit: Visit, at: AtContact): Promise<Response> {
  const { name } = at.contact;
  const title = `Make a welcome link for ${name}?`;
  const why = whyNoLink(at);
  if (why !== undefined) return nothingToDo(visit, at, { title, why });
  const bullets = [
    `With it ${name} chooses a password for the portal`,
    `It works for ${LINK_HOURS} hours, once`,
    'A link made before stops working',
  ];
  return askPage(visit, at, title, bulletList(bullets), '/welcome-link', c.button('Make welcome link'));
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

function askPage(
  visit: Visit,
  at: AtContact,
  title: string,
  says: c.Html,
  act: string,
  submit: c.Html,
): Promise<Response> {
  const { who, contact, customer } = at;
  const body = html`${says}
  ${c.form(contactPath(contact, act), c.actions(submit, c.linkButton('Cancel', customerPath(customer))))}`;
  return consolePage(visit, who, { current: 'customers', title, phrase: contact.email, body: panel(body) });
}

function bulletList(texts: readonly string[]): c.Html {
  return html`<ul class="bullets">
    ${texts.map((text) => html`<li>${text}</li>`)}
  </ul>`;
}

function panel(body: c.Html): c.Html {
  return html`<section class="panel">${body}</section>`;
}
