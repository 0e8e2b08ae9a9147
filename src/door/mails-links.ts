import { html } from 'hono/html';
import type { Organization } from '../accounts/organizations.ts';
import { nothing, words, type Html } from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say, type Key } from '../words/say.ts';

/**
 * Whether people at this door get links by mail to help themselves: contacts, where mail is sent. Staff never do: a
 * mailbox must not be enough to choose a password for the console.
 */
export function mailsLinks(visit: Visit, door: Door): door is Door & { readonly organization: Organization } {
  return visit.installation.mailIsOn && door.surface === 'portal' && door.organization !== undefined;
}

/** A sentence with the way to a new password in it, where links are mailed; otherwise what is said instead, or nothing. */
export function changeItNow(visit: Visit, door: Door, key: ChangeKey, otherwise: Html = nothing): Html {
  if (!mailsLinks(visit, door)) return otherwise;
  const link = html`<a href="${door.base}/forgot-password">${say('pw.change.link')}</a>`;
  return html`<p>${words(key, { link })}</p>`;
}

type ChangeKey = Extract<Key, 'login.limited.change' | 'wait.not-you.change' | 'wait.stolen.change'>;
