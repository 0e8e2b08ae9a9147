import { html } from 'hono/html';
import type { Organization } from '../accounts/organizations.ts';
import { standingOf, type StandingNow } from '../auth/grace.ts';
import { afterPassword } from '../auth/policy.ts';
import { beginEnrolment } from '../auth/sign-in.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

/** What a signed-in contact is told about setting MFA up: a banner where it is asked for, and the way to do it. */
export interface Offer {
  readonly notice: c.Html;
  readonly link: c.Html;
}

const NO_OFFER: Offer = { notice: c.nothing, link: c.nothing };

/** The offer to a contact who is inside; nothing where MFA is on, or is not offered. */
export async function offerTo(visit: Visit, { organization, session }: SignedIn): Promise<Offer> {
  const standing = await standingOf(visit.installation.db, session.account);
  if (standing.hasMfa || standing.policy === 'off') return NO_OFFER;
  const link = html`<a href="${path(organization)}">${say('home.mfa.enable')}</a>`;
  return { notice: bannerFor(organization, standing, visit.now), link };
}

function path(organization: Organization): string {
  return `${portalBase(organization)}/security/enable-mfa`;
}

// The table of the next sign-in, told to somebody who is inside still: a change of policy ends no session.
function bannerFor(organization: Organization, standing: StandingNow, now: number): c.Html {
  const next = afterPassword(standing, now);
  const m = organization.name;
  if (next.kind === 'session') {
    if (next.until === null) return c.nothing;
    return c.notice('info', c.words('home.mfa.exempt', { m, date: lastDay(next.until, organization) }));
  }
  const until = next.kind === 'enrolment' ? next.laterUntil : null;
  const { graceDays, graceUntil } = standing;
  const [title, text] =
    until !== null
      ? [c.words('home.mfa.by', { date: lastDay(until, organization) }), say('home.mfa.by.text', { m })]
      : graceDays !== null && graceUntil === null
        ? [say('home.mfa.soon'), say('home.mfa.soon.text', { m, n: graceDays })]
        : [say('home.mfa.next'), say('home.mfa.next.text', { m })];
  return c.notice(
    'warn',
    html`<p><strong>${title}</strong></p>
      <p>${text}</p>`,
  );
}

/** The last day on which something that ends at a moment still holds. */
function lastDay(until: number, organization: Organization): c.Html {
  return c.time(until - 1, organization, 'date');
}

/** GET /security/enable-mfa: the password again, before the ceremony begins. */
export async function confirm(visit: Visit, who: SignedIn): Promise<Response> {
  const { hasMfa, policy } = await standingOf(visit.installation.db, who.session.account);
  return hasMfa || policy === 'off' ? goHome(visit, who) : visit.page(confirmPage(who));
}

/** POST /security/enable-mfa: half signed in from here on, beside the session that Enable MFA will end. */
export async function begin(visit: Visit, who: SignedIn): Promise<Response> {
  const { password } = await visit.form('password');
  if (password === '') return visit.page(confirmPage(who, say('login.password.empty')), 422);
  const outcome = await beginEnrolment(visit.installation, who.session, password, visit.visitor);
  switch (outcome.kind) {
    case 'begun':
      visit.challenge('portal', outcome.cookie);
      return visit.see(`${portalBase(who.organization)}/enable-mfa`);
    case 'wrong':
      return visit.page(confirmPage(who, say('confirm.wrong')), 422);
    case 'limited': {
      const text = say('login.limited', { time: c.timeText(outcome.until, who.organization, 'clock') });
      return visit.heldBack(confirmPage(who, text), outcome.until);
    }
    case 'nothing-to-do':
      return goHome(visit, who);
  }
}

function goHome(visit: Visit, { organization }: SignedIn): Response {
  return visit.see(`${portalBase(organization)}/home`);
}

function confirmPage({ organization, session }: SignedIn, problem?: string): c.Html {
  const errors = problem === undefined ? [] : [{ field: 'password', text: problem }];
  const fields = html`${c.passwordField({
    name: 'password',
    label: say('login.password'),
    hint: say('confirm.hint', { email: session.account.email }),
    autocomplete: 'current-password',
    error: problem,
  })}
  ${c.actions(c.button(say('confirm.submit')), c.linkButton(say('confirm.cancel'), `${portalBase(organization)}/home`))}`;
  return insidePage(organization, {
    title: say('confirm.title'),
    phrase: say('mfa.phrase'),
    errors,
    body: html`<section class="panel">
      <p>${say('confirm.enable-mfa')}</p>
      ${c.form(path(organization), fields, { busy: say('login.busy') })}
    </section>`,
  });
}
