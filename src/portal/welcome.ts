import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { choosePassword, findWelcome } from '../auth/welcome.ts';
import type { PasswordProblem } from '../auth/passwords.ts';
import * as c from '../web/components.ts';
import { notFoundPage } from '../web/errors.ts';
import type { Door } from '../web/guards.ts';
import { portalPage } from '../web/layout.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';

/** The link by which a contact chooses a first password. Looking spends nothing: a scanner of mails cannot use it up. */
export async function show(visit: Visit, { organization, base }: Door): Promise<Response> {
  if (!organization) return notFoundPage(visit);
  const account = await findWelcome(visit.installation, organization.id, visit.param('token'));
  return account ? visit.page(welcomePage(organization, base, account)) : visit.page(gonePage(organization, base), 404);
}

export async function submit(visit: Visit, { organization, base }: Door): Promise<Response> {
  if (!organization) return notFoundPage(visit);
  // The address is in the form for password managers; whose password it is, the link says.
  const { password } = await visit.form('email', 'password');
  const token = visit.param('token');
  const account = await findWelcome(visit.installation, organization.id, token);
  if (!account) return visit.page(gonePage(organization, base), 422);
  const context = [organization.name];
  const welcomed = await choosePassword(visit.installation, organization.id, token, password, context, visit.visitor.address);
  switch (welcomed.kind) {
    case 'set':
      visit.leave('portal', { kind: 'ok', text: say('login.welcomed'), email: account.email });
      return visit.see(`${base}/sign-in`);
    case 'refused':
      return visit.page(welcomePage(organization, base, account, welcomed.problem), 422);
    case 'link-over':
      return visit.page(gonePage(organization, base), 422);
  }
}

const PROBLEMS = {
  empty: 'welcome.password.empty',
  short: 'pw.short',
  long: 'pw.long',
  common: 'pw.common',
  context: 'pw.context',
} as const;

function welcomePage(organization: Organization, base: string, account: Account, problem?: PasswordProblem): c.Html {
  const m = organization.name;
  const errors = problem ? [{ field: 'password', text: say(PROBLEMS[problem], { m }) }] : [];
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
  return portalPage({
    ...frame(organization, base),
    title: say('welcome.title', { m }),
    errors,
    body: html`<p>${say('welcome.text')}</p>
      ${c.form('', fields, { busy: say('login.busy') })}`,
  });
}

function gonePage(organization: Organization, base: string): c.Html {
  return portalPage({
    ...frame(organization, base),
    title: say('welcome.gone.title'),
    error: true,
    body: html`<p>${say('welcome.gone.text', { m: organization.name })}</p>
      ${c.linkButton(say('welcome.gone.sign-in'), `${base}/sign-in`, 'main')}`,
  });
}
