import { html } from 'hono/html';
import type { Organization } from '../accounts/organizations.ts';
import { changePassword } from '../auth/change-password.ts';
import { proveFirst } from '../door/confirm.ts';
import { newPasswordFields, passwordProblem } from '../door/password-words.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

/** The row of Account security: since when the password is what it is, and the way to another one. */
export function passwordRow(organization: Organization, passwordSetAt: number | null): c.SummaryRow {
  const value =
    passwordSetAt === null
      ? ''
      : c.words('sec.password.changed', { date: c.time(passwordSetAt, organization, 'date') });
  const action = html`<a href="${path(organization)}">${say('sec.password.change')}</a>`;
  return { label: say('sec.password'), value, action };
}

function path(organization: Organization): string {
  return `${portalBase(organization)}/security/password`;
}

/** GET /security/password: after password and code, a new password. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  return (await proveFirst(visit, who, say('sec.password.about'))) ?? visit.page(choosePage(who));
}

/** POST /security/password: signed out everywhere else; this browser goes on. */
export async function submit(visit: Visit, who: SignedIn): Promise<Response> {
  const { password } = await visit.form('email', 'password');
  if (password === '') return visit.page(choosePage(who, say('welcome.password.empty')), 422);
  const first = await proveFirst(visit, who, say('sec.password.about'));
  if (first) return first;
  const { organization, session } = who;
  const m = organization.name;
  const outcome = await changePassword(visit.installation, session, password, [m], visit.visitor);
  switch (outcome.kind) {
    case 'changed':
      visit.signIn('portal', outcome.cookie);
      visit.leave('portal', { kind: 'ok', text: say('sec.password.done') });
      return visit.see(`${portalBase(organization)}/security`);
    case 'refused':
      return visit.page(choosePage(who, passwordProblem(outcome.problem, m)), 422);
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, organization, 'clock') });
      return visit.heldBack(choosePage(who, text), outcome.until);
    }
    case 'over':
      return visit.see(`${portalBase(organization)}/security`);
  }
}

function choosePage({ organization, session }: SignedIn, problem?: string): c.Html {
  const errors = problem === undefined ? [] : [{ field: 'password', text: problem }];
  const fields = html`${newPasswordFields(session.account.email, say('pw.new.password'), problem)}
    <p class="hint">${say('pw.new.elsewhere')}</p>
    ${c.actions(
      c.button(say('pw.new.submit')),
      c.linkButton(say('confirm.cancel'), `${portalBase(organization)}/security`),
    )}`;
  return insidePage(organization, {
    title: say('sec.password.title'),
    errors,
    body: html`<section class="panel">${c.form(path(organization), fields, { busy: say('login.busy') })}</section>`,
  });
}
