import { html } from 'hono/html';
import { addressToConfirm } from '../accounts/mailed-links.ts';
import type { Organization } from '../accounts/organizations.ts';
import { askToChangeEmail, emailIsHeld } from '../auth/change-email.ts';
import { proveFirst } from '../door/confirm.ts';
import { emailProblem, reach } from '../door/sign-in.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

/** The row of Account security: the address, and the one that waits to be confirmed. */
export async function emailRow(visit: Visit, { organization, session }: SignedIn): Promise<c.SummaryRow> {
  const waiting = await addressToConfirm(visit.installation, session.account);
  const value = html`${c.ltr(session.account.email)}
  ${waiting === undefined ? c.nothing : html`<br />${c.words('sec.email.waiting', { email: c.ltr(waiting) })}`}`;
  const action = html`<a href="${path(organization)}">${say('sec.email.change')}</a>`;
  return { label: say('login.email'), value, action };
}

function path(organization: Organization): string {
  return `${portalBase(organization)}/security/email`;
}

type WhyNot = 'sec.email.off' | 'sec.email.held';

async function whyNot({ installation }: Visit, { session }: SignedIn): Promise<WhyNot | undefined> {
  if (!installation.mailIsOn) return 'sec.email.off';
  return (await emailIsHeld(installation.db, session.account)) ? 'sec.email.held' : undefined;
}

/** GET /security/email: after password and code, the new address. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  const why = await whyNot(visit, who);
  if (why !== undefined) return visit.page(askStaff(who, why));
  return (await proveFirst(visit, who, say('sec.email.about'))) ?? visit.page(askPage(who, ''));
}

/** POST /security/email: mails a link there. Nothing has changed before it is used. */
export async function submit(visit: Visit, who: SignedIn): Promise<Response> {
  const { email } = await visit.form('email');
  const why = await whyNot(visit, who);
  if (why !== undefined) return visit.page(askStaff(who, why));
  const problem = emailProblem(email);
  if (problem !== undefined) return visit.page(askPage(who, email, problem), 422);
  const first = await proveFirst(visit, who, say('sec.email.about'));
  if (first) return first;
  const { organization, session } = who;
  const outcome = await askToChangeEmail(visit.installation, session, email, visit.visitor);
  switch (outcome.kind) {
    case 'asked':
      visit.leave('portal', { kind: 'info', text: say('sec.email.asked', { email: email.trim() }) });
      return visit.see(`${portalBase(organization)}/security`);
    case 'same':
      return visit.page(askPage(who, email, say('sec.email.same')), 422);
    case 'email-shape':
      return visit.page(askPage(who, email, say('login.email.shape')), 422);
    case 'held':
      return visit.page(askStaff(who, 'sec.email.held'));
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, organization, 'clock') });
      return visit.heldBack(askPage(who, email, text), outcome.until);
    }
    case 'over':
      return visit.see(`${portalBase(organization)}/security`);
  }
}

function askPage({ organization, session }: SignedIn, email: string, problem?: string): c.Html {
  const errors = problem === undefined ? [] : [{ field: 'email', text: problem }];
  const field = c.field({
    name: 'email',
    label: say('sec.email.new'),
    type: 'email',
    autocomplete: 'email',
    value: email,
    hint: c.words('sec.email.now', { email: c.ltr(session.account.email) }),
    error: problem,
  });
  const fields = html`${field}
  ${c.actions(
    c.button(say('sec.email.submit')),
    c.linkButton(say('confirm.cancel'), `${portalBase(organization)}/security`),
  )}`;
  return insidePage(organization, {
    title: say('sec.email.title'),
    errors,
    body: html`<section class="panel">
      <p>${say('sec.email.text')}</p>
      ${c.form(path(organization), fields, { busy: say('pw.forgot.busy') })}
    </section>`,
  });
}

function askStaff({ organization }: SignedIn, why: WhyNot): c.Html {
  const door = { surface: 'portal', base: portalBase(organization), organization } as const;
  return insidePage(organization, {
    title: say('sec.email.title'),
    body: html`<section class="panel">
      <p>${say(why, { m: organization.name })}</p>
      ${reach(door)}
      <p><a href="${portalBase(organization)}/security">${say('sec.back')}</a></p>
    </section>`,
  });
}
