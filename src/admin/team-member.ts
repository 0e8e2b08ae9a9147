import { html } from 'hono/html';
import { findStaff, type StaffMember } from '../accounts/staff.ts';
import { openSessions } from '../auth/sessions.ts';
import type { NotDone } from '../auth/team.ts';
import * as c from '../web/components.ts';
import { forbiddenPage, notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { consolePage, counted } from './console.ts';
import { memberPath, whyNotManaged } from './team-words.ts';

export interface AtMember {
  readonly who: SignedIn;
  readonly member: StaffMember;
}

/** Hands on whom the path names, of the reader's own staff (I15), to those who manage them. */
export function atMember(handler: (visit: Visit, at: AtMember) => Promise<Response>) {
  return async (visit: Visit, who: SignedIn): Promise<Response> => {
    const member = await findStaff(visit.installation.db, who.organization.id, visit.param('member'));
    if (!member) return notFoundPage(visit);
    const why = whyNotManaged(who, member);
    return why === undefined ? handler(visit, { who, member }) : forbiddenPage(visit, `${why}.`);
  };
}

export interface MemberForm {
  readonly title: string;
  /** What the act will do. */
  readonly bullets: readonly string[];
  readonly act: string;
  readonly submit: c.Html;
  readonly busy: string;
  /** What the act has to be told, and what is wrong with that. */
  readonly fields?: c.Html;
  readonly problems?: readonly c.Problem[];
}

/** The page that says what an act will do, and asks for it. */
export function memberPage(visit: Visit, at: AtMember, form: MemberForm): Promise<Response> {
  const { who, member } = at;
  const fields = html`<section class="panel">
      <ul class="bullets">
        ${form.bullets.map((text) => html`<li>${text}</li>`)}
      </ul>
      ${form.fields ?? c.nothing}
    </section>
    ${c.actions(form.submit, c.linkButton('Cancel', '/admin/team'))}`;
  const body = c.form(memberPath(member, form.act), fields, { busy: form.busy });
  return consolePage(visit, who, {
    current: 'settings',
    title: form.title,
    phrase: member.email,
    errors: form.problems ?? [],
    body,
  });
}

/** In how many browsers somebody is signed in, as what an act does to that. */
export async function signedOutWords(visit: Visit, { member }: AtMember): Promise<string> {
  const { length } = await openSessions(visit.installation.db, 'admin', member, visit.now);
  return length === 0
    ? "They aren't signed in anywhere now"
    : `They are signed out now, in ${counted(length, 'browser', 'browsers')}`;
}

/** An act is done: to the team, which says so. */
export function doneAtTeam(visit: Visit, text: string): Response {
  visit.leave('admin', { kind: 'ok', text });
  return visit.see('/admin/team');
}

/** A page for an act that would change nothing or, once asked for, has changed nothing: why, and the way back. */
export function nothingAtTeam(
  visit: Visit,
  who: SignedIn,
  { title, why, asked = false, until }: { title: string; why: string; asked?: boolean; until?: number },
): Promise<Response> {
  const body = html`<p>${why}</p>
    <p><a href="/admin/team">Back to the team</a></p>`;
  return consolePage(visit, who, { current: 'settings', title, error: asked, until, body });
}

/** Somebody else was quicker. Nothing has changed. */
export function overtaken(
  visit: Visit,
  { who, member }: AtMember,
  title: string,
  { kind }: NotDone,
): Promise<Response> {
  const gone = `${member.name} isn't on the team any more.`;
  const changed = `Roles have changed meanwhile, so nothing was done. Look at the team again.`;
  return nothingAtTeam(visit, who, { title, why: kind === 'gone' ? gone : changed, asked: true });
}
