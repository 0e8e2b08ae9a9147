import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import { findOrganization, type Organization } from '../accounts/organizations.ts';
import { choosePassword, findWelcome } from '../auth/welcome.ts';
import * as c from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, localeAt, nameAt, sayAt } from './frame.ts';
import { newPasswordFields, passwordProblem } from './password-words.ts';

/** The link by which somebody chooses a first password. Looking spends nothing: a scanner of mails cannot use it up. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const welcomed = await findWelcomed(visit, door);
  return welcomed ? visit.page(welcomePage(visit, welcomed)) : visit.page(gonePage(door), 404);
}

export async function submit(visit: Visit, door: Door): Promise<Response> {
  // The address is in the form for password managers; whose password it is, the link says.
  const { password } = await visit.form('email', 'password');
  const welcomed = await findWelcomed(visit, door);
  if (!welcomed) return visit.page(gonePage(door), 422);
  const { name } = welcomed.door.organization;
  const portal = door.organization?.id ?? null;
  const link = visit.param('token');
  const outcome = await choosePassword(visit.installation, portal, link, password, [name], visit.visitor.address);
  switch (outcome.kind) {
    case 'set':
      visit.leave(door.surface, { kind: 'ok', text: say('login.welcomed'), email: welcomed.account.email });
      return visit.see(`${door.base}/sign-in`);
    case 'refused':
      return visit.page(welcomePage(visit, welcomed, passwordProblem(outcome.problem, name)), 422);
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, localeAt(welcomed.door), 'clock') });
      return visit.heldBack(welcomePage(visit, welcomed, text), outcome.until);
    }
    case 'link-over':
      return visit.page(gonePage(door), 422);
  }
}

interface Welcomed {
  readonly door: Door & { readonly organization: Organization };
  readonly account: Account;
}

async function findWelcomed(visit: Visit, door: Door): Promise<Welcomed | undefined> {
  const account = await findWelcome(visit.installation, door.organization?.id ?? null, visit.param('token'));
  const organization = account && (await findOrganization(visit.installation.db, account.organizationId));
  return organization && { door: { ...door, organization }, account };
}

function welcomePage(visit: Visit, { door, account }: Welcomed, problem?: string): c.Html {
  const m = nameAt(door);
  const errors = problem === undefined ? [] : [{ field: 'password', text: problem }];
  const fields = html`${newPasswordFields(account.email, say('welcome.password'), problem)}
  ${c.button(say('welcome.submit'))}`;
  const body = html`<p>${sayAt(door, 'welcome.text')}</p>
    ${c.form(`${door.base}/welcome/${visit.param('token')}`, fields, { busy: say('login.busy') })}`;
  return doorPage(door, { title: say('welcome.title', { m }), errors, body });
}

function gonePage(door: Door): c.Html {
  const body = html`<p>${sayAt(door, 'welcome.gone.text')}</p>
    ${c.linkButton(say('welcome.gone.sign-in'), `${door.base}/sign-in`, 'main')}`;
  return doorPage(door, { title: say('welcome.gone.title'), error: true, body });
}
