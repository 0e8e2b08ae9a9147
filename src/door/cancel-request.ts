import { html } from 'hono/html';
import { cancelByLink, findCancellable, type Cancellable } from '../auth/asking-for-help.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, localeAt, nameAt } from './frame.ts';
import { reach } from './sign-in.ts';

/** GET /cancel-request/…: the link from the letter. Looking cancels nothing, since scanners of mails look first. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const found = await findCancellable(visit.installation.db, ofDoor(door), visit.param('token'), visit.now);
  return found ? visit.page(cancelPage(visit, door, found)) : visit.page(gonePage(door), 404);
}

/** POST /cancel-request/…: cancels, without any sign-in. */
export async function submit(visit: Visit, door: Door): Promise<Response> {
  await visit.form();
  const cancelled = await cancelByLink(visit.installation, ofDoor(door), visit.param('token'), visit.visitor);
  return cancelled ? visit.page(donePage(door)) : visit.page(gonePage(door), 422);
}

function ofDoor({ organization }: Door): string {
  return organization?.id ?? '';
}

function cancelPage(visit: Visit, door: Door, request: Cancellable): c.Html {
  const asked = {
    m: nameAt(door),
    date: c.time(request.createdAt, localeAt(door)),
    device: deviceOf(request),
    address: c.ltr(request.address),
  };
  const body = html`<p>${c.words('cancel.text', asked)}</p>
    <p>${say('cancel.why')}</p>
    ${c.form(`${door.base}/cancel-request/${visit.param('token')}`, c.button(say('cancel.submit'), { kind: 'danger' }))}`;
  return doorPage(door, { title: say('cancel.title'), body });
}

function donePage(door: Door): c.Html {
  const body = html`<p>${say('cancel.done.text', { m: nameAt(door) })}</p>
    ${c.actions(c.linkButton(say('login.forgot'), `${door.base}/forgot-password`, 'main'))} ${reach(door)}`;
  return doorPage(door, { title: say('cancel.done.title'), body });
}

function gonePage(door: Door): c.Html {
  const body = html`<p>${say('cancel.gone.text')}</p>
    ${c.linkButton(say('cancel.sign-in'), `${door.base}/sign-in`, 'main')} ${reach(door)}`;
  return doorPage(door, { title: say('cancel.gone.title'), error: true, body });
}
