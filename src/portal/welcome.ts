import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import { doorPage, localeAt, nameAt } from '../door/frame.ts';
import { choosePassword, findWelcome } from '../auth/welcome.ts';
import * as c from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';

/** The link by which a contact chooses a first password. Looking spends nothing: a scanner of mails cannot use it up. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const account = await welcomed(visit, door);
  return account ? visit.page(welcomePage(visit, door, account)) : visit.page(gonePage(door), 404);
}

export async function submit(visit: Visit, door: Door): Promise<Response> {
  // The address is in the form for password managers; whose password it is, the link says.
  const { password } = await visit.form('email', 'password');
  const account = await welcomed(visit, door);
  if (!account || !door.organization) return visit.page(gonePage(door), 422);
  const { id, name } = door.organization;
  const token = visit.param('token');
  const outcome = await choosePassword(visit.installation, id, token, password, [name], visit.visitor.address);
  switch (outcome.kind) {
    case 'set':
      visit.leave('portal', { kind: 'ok', text: say('login.welcomed'), email: account.email });
      return visit.see(`${door.base}/sign-in`);
    case 'refused':
      return visit.page(welcomePage(visit, door, account, say(PROBLEMS[outcome.problem], { m: nameAt(door) })), 422);
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, localeAt(door), 'clock') });
      return visit.heldBack(welcomePage(visit, door, account, text), outcome.until);
    }
    case 'link-over':
      return visit.page(gonePage(door), 422);
  }
}

async function welcomed(visit: Visit, { organization }: Door): Promise<Account | undefined> {
  return organization && findWelcome(visit.installation, organization.id, visit.param('token'));
}

const PROBLEMS = {
  empty: 'welcome.password.empty',
  short: 'pw.short',
  long: 'pw.long',
  common: 'pw.common',
  context: 'pw.context',
} as const;

function welcomePage(visit: Visit, door: Door, account: Account, problem?: string): c.Html {
  const m = nameAt(door);
  const errors = problem === undefined ? [] : [{ field: 'password', text: problem }];
  const fields = html`${c.field({
    name: 'email',
    label: say('welcome.email'),
    type: 'email',
    autocomplete: 'username',
    value: account.email,
    readonly: true,
  })}
  ${c.passwordField({
    name: 'password',
    label: say('welcome.password'),
    hint: say('welcome.password.hint'),
    autocomplete: 'new-password',
    error: c.problemOf(errors, 'password'),
  })}
  ${c.button(say('welcome.submit'))}`;
  const body = html`<p>${say('welcome.text')}</p>
    ${c.form(`${door.base}/welcome/${visit.param('token')}`, fields, { busy: say('login.busy') })}`;
  return doorPage(door, { title: say('welcome.title', { m }), errors, body });
}

function gonePage(door: Door): c.Html {
  const body = html`<p>${say('welcome.gone.text', { m: nameAt(door) })}</p>
    ${c.linkButton(say('welcome.gone.sign-in'), `${door.base}/sign-in`, 'main')}`;
  return doorPage(door, { title: say('welcome.gone.title'), error: true, body });
}
