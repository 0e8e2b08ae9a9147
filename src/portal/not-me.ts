import { html } from 'hono/html';
import { disownByLink, disownBySession, findNotMe, type WayBack } from '../auth/not-me.ts';
import { doorPage, nameAt } from '../door/frame.ts';
import { reach } from '../door/sign-in.ts';
import * as c from '../web/components.ts';
import type { Door, SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

/** The way there from Account security. */
export function notMeLink(base: string): c.Html {
  return html`<p><a href="${base}/security/not-me">${say('not-me.link')}</a></p>`;
}

/** GET /not-me/:token, from a letter: says what will happen. Needs no session, and looking does nothing. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const found = await findNotMe(visit.installation, door.organization?.id ?? '', visit.param('token'));
  if (found.kind !== 'open') return visit.page(gonePage(door), 404);
  const act = `${door.base}/not-me/${visit.param('token')}`;
  const body = html`${whatHappens(visit, nameAt(door))}
    ${c.form(act, c.button(say('not-me.submit'), { kind: 'danger' }))}
    <p>${say('not-me.was-me')}</p>`;
  return visit.page(doorPage(door, { title: say('not-me.title'), body }));
}

export async function submit(visit: Visit, door: Door): Promise<Response> {
  await visit.form();
  const { installation, visitor } = visit;
  const outcome = await disownByLink(installation, door.organization?.id ?? '', visit.param('token'), visitor);
  if (outcome.kind !== 'done') return visit.page(gonePage(door), 422);
  return shut(visit, door, outcome.next);
}

/** GET /security/not-me: the same from the page inside. */
export function askInside(visit: Visit, { organization }: SignedIn): Promise<Response> {
  const base = portalBase(organization);
  const buttons = c.actions(
    c.button(say('not-me.submit'), { kind: 'danger' }),
    c.linkButton(say('confirm.cancel'), `${base}/security`),
  );
  const body = html`<section class="panel">
    ${whatHappens(visit, organization.name)} ${c.form(`${base}/security/not-me`, buttons)}
  </section>`;
  return visit.page(insidePage(organization, { title: say('not-me.title'), body }));
}

export async function submitInside(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  await visit.form();
  const door = { surface: 'portal', base: portalBase(organization), organization } as const;
  const outcome = await disownBySession(visit.installation, session, visit.visitor);
  return outcome.kind === 'done' ? shut(visit, door, outcome.next) : visit.see(`${door.base}/sign-in`);
}

function shut(visit: Visit, door: Door, next: WayBack): Response {
  const texts = { 'link-mailed': 'not-me.done.mailed', ask: 'not-me.done.ask', closed: 'not-me.done.closed' } as const;
  visit.signOut('portal');
  visit.leave('portal', { kind: 'warn', text: say(texts[next], { m: nameAt(door) }) });
  return visit.see(`${door.base}/sign-in`);
}

function whatHappens({ installation }: Visit, m: string): c.Html {
  return html`<p>${say('not-me.text', { m })}</p>
    <ul class="bullets">
      <li>${say('not-me.ends')}</li>
      <li>${say(installation.mailIsOn ? 'not-me.password' : 'not-me.password.off', { m })}</li>
      <li>${say('not-me.staff', { m })}</li>
      <li>${say('not-me.mfa', { m })}</li>
    </ul>`;
}

function gonePage(door: Door): c.Html {
  const body = html`<p>${say('not-me.gone', { m: nameAt(door) })}</p>
    ${reach(door)} ${c.linkButton(say('welcome.gone.sign-in'), `${door.base}/sign-in`, 'main')}`;
  return doorPage(door, { title: say('welcome.gone.title'), error: true, body });
}
