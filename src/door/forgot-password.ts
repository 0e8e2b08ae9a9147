import { html } from 'hono/html';
import { askForNewPassword } from '../auth/new-password.ts';
import type { Organization } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, sayAt } from './frame.ts';
import { emailProblem, reach } from './sign-in.ts';
import { mailsLinks } from './mails-links.ts';

/** GET /forgot-password: asks for the e-mail, or says who can help where no mail is sent. */
export function show(visit: Visit, door: Door): Promise<Response> {
  return visit.page(mailsLinks(visit, door) ? askPage(door, '') : withoutMail(door));
}

/** POST /forgot-password: the same answer whoever it is about (I20). */
export async function ask(visit: Visit, door: Door): Promise<Response> {
  const { email } = await visit.form('email');
  if (!mailsLinks(visit, door)) return visit.page(withoutMail(door));
  const problem = emailProblem(email);
  if (problem !== undefined) return visit.page(askPage(door, email, problem), 422);
  const outcome = await askForNewPassword(visit.installation, door.organization.id, email, visit.visitor);
  switch (outcome.kind) {
    case 'asked':
      visit.leave(door.surface, { kind: 'info', text: say('pw.sent.text', { email: email.trim() }), email });
      return visit.see(`${door.base}/forgot-password/sent`);
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, door.organization, 'clock') });
      return visit.heldBack(askPage(door, email, text), outcome.until);
    }
  }
}

/** GET /forgot-password/sent: where to look now. Opened by itself it has nothing to say. */
export async function sent(visit: Visit, door: Door): Promise<Response> {
  const flash = visit.found(door.surface);
  if (!flash) return visit.see(`${door.base}/forgot-password`);
  const again = html`<input type="hidden" name="email" value="${flash.email ?? ''}" />
    <p class="hint">${say('pw.sent.again.hint')}</p>
    ${c.button(say('pw.sent.again'), { kind: 'second' })}`;
  const body = html`<p>${flash.text}</p>
    ${c.form(`${door.base}/forgot-password`, again, { busy: say('pw.forgot.busy') })} ${backToSignIn(door)}`;
  return visit.page(doorPage(door, { title: say('pw.sent.title'), body }));
}

function askPage(door: Door & { readonly organization: Organization }, email: string, problem?: string): c.Html {
  const field = c.field({
    name: 'email',
    label: say('login.email'),
    type: 'email',
    autocomplete: 'username',
    value: email,
    error: problem,
  });
  const fields = html`${field} ${c.button(say('pw.ask.submit'))}`;
  const errors = problem === undefined ? [] : [{ field: 'email', text: problem }];
  const body = html`<p>${say('pw.ask.text')}</p>
    ${c.form(`${door.base}/forgot-password`, fields, { busy: say('pw.forgot.busy') })}
    <p class="hint">${say('pw.forgot.code')}</p>
    ${backToSignIn(door)}`;
  return doorPage(door, { title: say('pw.ask.title'), errors, body });
}

function withoutMail(door: Door): c.Html {
  const body = html`<p>${sayAt(door, 'pw.forgot.text')}</p>
    ${reach(door)}
    <p>${say('pw.forgot.code')}</p>
    ${backToSignIn(door)}`;
  return doorPage(door, { title: sayAt(door, 'pw.forgot.title'), body });
}

function backToSignIn({ base }: Door): c.Html {
  return html`<p><a href="${base}/sign-in">${say('pw.forgot.back')}</a></p>`;
}
