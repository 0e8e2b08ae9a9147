import { html } from 'hono/html';
import { mayGive, ROLES } from '../accounts/staff.ts';
import { WELCOME_LINK_LIFETIME_MS } from '../auth/limits.ts';
import { inviteAgain, inviteStaff } from '../auth/team.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { forbiddenPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { actorOf, consolePage, ROLE_NAMES } from './console.ts';
import { EMAIL_MAX, line, NAME_MAX, needed } from './inputs.ts';
import { type AtMember, memberPage, nothingAtTeam, overtaken } from './team-member.ts';
import { roleHint, whyNoLink } from './team-words.ts';

interface Given {
  readonly name: string;
  readonly email: string;
  readonly role: string;
}

const LINK_HOURS = WELCOME_LINK_LIFETIME_MS / 3_600_000;

/** Invite: an account without a password, and the link by which its owner chooses one. */
export function askToInvite(visit: Visit, who: SignedIn): Promise<Response> {
  return invitePage(visit, who, { name: '', email: '', role: '' }, []);
}

/** The answer itself shows the link and is kept nowhere, so that there is no second look at it. */
export async function invite(visit: Visit, who: SignedIn): Promise<Response> {
  const { name, email, role } = await visit.form('name', 'email', 'role');
  const given = { name: line(name), email: line(email), role };
  const wanted = rolesFor(who).find((one) => one === role);
  const problems = [
    ...needed('name', 'their name', given.name, NAME_MAX),
    ...needed('email', 'their email', given.email, EMAIL_MAX),
    ...(wanted === undefined ? [{ field: 'role', text: 'Choose a role' }] : []),
  ];
  if (wanted === undefined || problems.length > 0) return invitePage(visit, who, given, problems);
  const first = await proveFirst(visit, who, `invite ${given.name} to the team as ${ROLE_NAMES[wanted]}`);
  if (first) return first;
  const draft = { ...given, role: wanted };
  const outcome = await inviteStaff(visit.installation, actorOf(visit, who), who.session.account, draft);
  switch (outcome.kind) {
    case 'invited':
      return linkPage(visit, who, draft, outcome.link);
    case 'email-shape':
      return invitePage(visit, who, given, [{ field: 'email', text: say('login.email.shape') }]);
    case 'email-taken':
      return invitePage(visit, who, given, [EMAIL_TAKEN]);
    case 'not-allowed':
      return forbiddenPage(visit, 'Your role has changed meanwhile. Nobody was invited.');
  }
}

/** A new link for somebody who has none that works. */
export function askForLink(visit: Visit, at: AtMember): Promise<Response> {
  const { who, member } = at;
  const title = linkTitle(at);
  if (whyNoLink(member) !== undefined) return nothingAtTeam(visit, who, { title, why: hasPassword(at) });
  const form = {
    title,
    bullets: [
      `With it ${member.name} chooses a password, and then sets up MFA`,
      `It works for ${LINK_HOURS} hours, once`,
      'A link made before stops working',
    ],
    act: '/invitation-link',
    submit: c.button('Make a new invitation link'),
    busy: 'Making…',
  };
  return memberPage(visit, at, form);
}

export async function makeLink(visit: Visit, at: AtMember): Promise<Response> {
  const { who, member } = at;
  await visit.form();
  const first = await proveFirst(visit, who, `make a new invitation link for ${member.name}`);
  if (first) return first;
  const outcome = await inviteAgain(visit.installation, actorOf(visit, who), who.session.account, member);
  switch (outcome.kind) {
    case 'invited':
      return linkPage(visit, who, member, outcome.link);
    case 'has-password':
      return nothingAtTeam(visit, who, { title: linkTitle(at), why: hasPassword(at), asked: true });
    case 'not-allowed':
    case 'gone':
      return overtaken(visit, at, linkTitle(at), outcome);
  }
}

// Whose staff it is stays unsaid: that another merchant has somebody is nobody's business here.
const EMAIL_TAKEN = { field: 'email', text: 'Somebody who signs in to this console has this email already' };

function linkTitle({ member }: AtMember): string {
  return `Make a new invitation link for ${member.name}?`;
}

function hasPassword({ member }: AtMember): string {
  return `${member.name} has a password already.`;
}

function rolesFor({ session }: SignedIn) {
  return ROLES.filter((role) => mayGive(session.account.role, role));
}

function invitePage(visit: Visit, who: SignedIn, given: Given, problems: readonly c.Problem[]): Promise<Response> {
  const roles = rolesFor(who);
  const fields = html`<section class="panel">
      ${c.field({
        name: 'name',
        label: 'Name',
        value: given.name,
        autocomplete: 'off',
        error: c.problemOf(problems, 'name'),
      })}
      ${c.field({
        name: 'email',
        label: 'Email',
        type: 'email',
        value: given.email,
        autocomplete: 'off',
        error: c.problemOf(problems, 'email'),
      })}
      ${c.radios({
        name: 'role',
        label: 'Role',
        value: given.role,
        hint: roles.includes('owner') ? undefined : 'Only owners make owners.',
        error: c.problemOf(problems, 'role'),
        choices: roles.map((role) => ({ value: role, label: ROLE_NAMES[role], hint: roleHint(role) })),
      })}
    </section>
    ${c.actions(c.button('Invite'), c.linkButton('Cancel', '/admin/team'))}`;
  const body = html`<p>You get a link for them. With it they choose a password, and then set up MFA.</p>
    ${c.form('/admin/team/invite', fields, { busy: 'Inviting…' })}`;
  return consolePage(visit, who, {
    current: 'settings',
    title: 'Invite somebody',
    phrase: 'Team',
    errors: problems,
    body,
  });
}

function linkPage(
  visit: Visit,
  who: SignedIn,
  { name, email }: { name: string; email: string },
  link: string,
): Promise<Response> {
  const address = `${visit.house.publicUrl}/admin/welcome/${link}`;
  const body = html`<section class="panel">
    <p>Send them this link yourself, and nobody else: whoever opens it first chooses the password.</p>
    <p><code class="key" id="link" dir="ltr">${address}</code></p>
    ${c.actions(c.copyButton('Copy', address, { select: 'link' }))}
    <p><strong>We can't show it again; it works for ${LINK_HOURS} hours, once.</strong></p>
    <p><a href="/admin/team">Back to the team</a></p>
  </section>`;
  return consolePage(visit, who, { current: 'settings', title: `Invitation link for ${name}`, phrase: email, body });
}
