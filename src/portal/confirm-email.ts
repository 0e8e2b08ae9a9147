import { html } from 'hono/html';
import type { FoundLink } from '../accounts/mailed-links.ts';
import { confirmEmailChange, findEmailChange } from '../auth/change-email.ts';
import { doorPage, nameAt } from '../door/frame.ts';
import { reach } from '../door/sign-in.ts';
import * as c from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';

/** The link that was mailed to a new address. Looking changes nothing: a scanner of mails cannot confirm it. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const found = await find(visit, door);
  if (found.kind !== 'open') return visit.page(gonePage(door, found.kind), 404);
  const body = html`<p>${c.words('email.confirm.text', { email: c.ltr(found.email), m: nameAt(door) })}</p>
    <p>${say('email.confirm.elsewhere')}</p>
    ${c.form(`${door.base}/confirm-email/${visit.param('token')}`, c.button(say('email.confirm.submit')))}`;
  return visit.page(doorPage(door, { title: say('email.confirm.title'), body }));
}

export async function submit(visit: Visit, door: Door): Promise<Response> {
  await visit.form();
  const { installation, visitor } = visit;
  const outcome = await confirmEmailChange(installation, door.organization?.id ?? '', visit.param('token'), visitor);
  switch (outcome.kind) {
    case 'changed':
      visit.leave('portal', { kind: 'ok', text: say('login.new-email'), email: outcome.email });
      return visit.see(`${door.base}/sign-in`);
    case 'taken':
      return visit.page(takenPage(door), 422);
    case 'used':
    case 'over':
      return visit.page(gonePage(door, outcome.kind), 422);
  }
}

function find(visit: Visit, { organization }: Door): Promise<FoundLink> {
  return findEmailChange(visit.installation, organization?.id ?? '', visit.param('token'));
}

function takenPage(door: Door): c.Html {
  const body = html`<p>${say('email.taken.text', { m: nameAt(door) })}</p>
    ${reach(door)} ${toSignIn(door)}`;
  return doorPage(door, { title: say('email.taken.title'), error: true, body });
}

function gonePage(door: Door, why: 'used' | 'over'): c.Html {
  const body = html`<p>${say(why === 'used' ? 'pw.gone.used' : 'email.gone.over')}</p>
    ${toSignIn(door)}`;
  return doorPage(door, { title: say('welcome.gone.title'), error: true, body });
}

function toSignIn({ base }: Door): c.Html {
  return c.linkButton(say('welcome.gone.sign-in'), `${base}/sign-in`, 'main');
}
