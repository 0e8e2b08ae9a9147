import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import type { FoundLink } from '../accounts/mailed-links.ts';
import { chooseNewPassword, findNewPassword } from '../auth/new-password.ts';
import * as c from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, localeAt, nameAt } from './frame.ts';
import { newPasswordFields, passwordProblem } from './password-words.ts';

/** The mailed link to a new password. Looking spends nothing: a scanner of mails cannot use it up. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const found = await find(visit, door);
  if (found.kind !== 'open') return visit.page(gonePage(door, found.kind), 404);
  return visit.page(choosePage(visit, door, found.account));
}

export async function submit(visit: Visit, door: Door): Promise<Response> {
  const { password } = await visit.form('email', 'password');
  const found = await find(visit, door);
  if (found.kind !== 'open') return visit.page(gonePage(door, found.kind), 422);
  const { account } = found;
  const { installation, visitor } = visit;
  const token = visit.param('token');
  const context = [nameAt(door)];
  const { organizationId } = account;
  const outcome = await chooseNewPassword(installation, organizationId, token, password, context, visitor.address);
  switch (outcome.kind) {
    case 'set':
      visit.leave(door.surface, { kind: 'ok', text: say('login.new-password'), email: account.email });
      return visit.see(`${door.base}/sign-in`);
    case 'refused':
      return visit.page(choosePage(visit, door, account, passwordProblem(outcome.problem, nameAt(door))), 422);
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, localeAt(door), 'clock') });
      return visit.heldBack(choosePage(visit, door, account, text), outcome.until);
    }
    case 'used':
      return visit.page(gonePage(door, 'used'), 422);
    case 'link-over':
      return visit.page(gonePage(door, 'over'), 422);
  }
}

function find(visit: Visit, { organization }: Door): Promise<FoundLink> {
  return findNewPassword(visit.installation, organization?.id ?? '', visit.param('token'));
}

function choosePage(visit: Visit, door: Door, account: Account, problem?: string): c.Html {
  const fields = html`${newPasswordFields(account.email, say('pw.new.password'), problem)}
    <p class="hint">${say('pw.new.elsewhere')}</p>
    ${c.button(say('pw.new.submit'))}`;
  const errors = problem === undefined ? [] : [{ field: 'password', text: problem }];
  const body = c.form(`${door.base}/new-password/${visit.param('token')}`, fields, { busy: say('login.busy') });
  return doorPage(door, { title: say('pw.new.title'), errors, body });
}

function gonePage(door: Door, why: 'used' | 'over'): c.Html {
  const body = html`<p>${say(why === 'used' ? 'pw.gone.used' : 'pw.gone.over')}</p>
    ${c.actions(
      c.linkButton(say('pw.gone.again'), `${door.base}/forgot-password`, 'main'),
      c.linkButton(say('welcome.gone.sign-in'), `${door.base}/sign-in`),
    )}`;
  return doorPage(door, { title: say('welcome.gone.title'), error: true, body });
}
