import { mayGive, ROLES } from '../accounts/staff.ts';
import type { Role } from '../accounts/accounts.ts';
import { changeRole, removeStaff, signOutStaff } from '../auth/team.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, ROLE_NAMES } from './console.ts';
import { type AtMember, doneAtTeam, memberPage, nothingAtTeam, overtaken, signedOutWords } from './team-member.ts';
import { roleHint } from './team-words.ts';

/** Change role. */
export function askForRole(visit: Visit, at: AtMember): Promise<Response> {
  return rolePage(visit, at, at.member.role, []);
}

export async function giveRole(visit: Visit, at: AtMember): Promise<Response> {
  const { role } = await visit.form('role');
  const { who, member } = at;
  const wanted = rolesFor(at).find((one) => one === role);
  if (wanted === undefined) return rolePage(visit, at, role, [{ field: 'role', text: 'Choose a role' }]);
  const first = await proveFirst(visit, who, `change the role of ${member.name} to ${ROLE_NAMES[wanted]}`);
  if (first) return first;
  const { account } = who.session;
  const outcome = await changeRole(visit.installation, actorOf(visit, who), account, member, wanted);
  switch (outcome.kind) {
    case 'changed':
      return doneAtTeam(visit, `${member.name} is ${ROLE_NAMES[wanted]} now, and signed out everywhere.`);
    case 'same':
      return doneAtTeam(visit, `${member.name} is ${ROLE_NAMES[wanted]} already.`);
    case 'last-owner':
      return lastOwner(visit, at, roleTitle(at));
    case 'not-allowed':
    case 'gone':
      return overtaken(visit, at, roleTitle(at), outcome);
  }
}

/** Sign out everywhere. */
export async function askToSignOut(visit: Visit, at: AtMember): Promise<Response> {
  const form = {
    title: signOutTitle(at),
    bullets: [
      await signedOutWords(visit, at),
      'Whatever they are in the middle of signing in with ends too',
      'Their password and their MFA stay as they are',
    ],
    act: '/sign-out',
    submit: c.button('Sign out everywhere', { kind: 'danger' }),
    busy: 'Signing out…',
  };
  return memberPage(visit, at, form);
}

export async function signOut(visit: Visit, at: AtMember): Promise<Response> {
  const { who, member } = at;
  await visit.form();
  const first = await proveFirst(visit, who, `sign ${member.name} out everywhere`);
  if (first) return first;
  const outcome = await signOutStaff(visit.installation, actorOf(visit, who), who.session.account, member);
  return outcome.kind === 'signed-out'
    ? doneAtTeam(visit, `${member.name} is signed out everywhere.`)
    : overtaken(visit, at, signOutTitle(at), outcome);
}

/** Remove. */
export async function askToRemove(visit: Visit, at: AtMember): Promise<Response> {
  const form = {
    title: removeTitle(at),
    bullets: [
      await signedOutWords(visit, at),
      'Their password, authenticator app and backup codes stop working',
      'What they did stays in the audit log under their name',
      'Their email is free: they can be invited again, here or elsewhere',
    ],
    act: '/remove',
    submit: c.button('Remove', { kind: 'danger' }),
    busy: 'Removing…',
  };
  return memberPage(visit, at, form);
}

export async function remove(visit: Visit, at: AtMember): Promise<Response> {
  const { who, member } = at;
  await visit.form();
  const first = await proveFirst(visit, who, `remove ${member.name} from the team`);
  if (first) return first;
  const outcome = await removeStaff(visit.installation, actorOf(visit, who), who.session.account, member);
  switch (outcome.kind) {
    case 'removed':
      return doneAtTeam(visit, `${member.name} is no longer on the team.`);
    case 'last-owner':
      return lastOwner(visit, at, removeTitle(at));
    case 'not-allowed':
    case 'gone':
      return overtaken(visit, at, removeTitle(at), outcome);
  }
}

const roleTitle = ({ member }: AtMember): string => `Change the role of ${member.name}?`;
const signOutTitle = ({ member }: AtMember): string => `Sign ${member.name} out everywhere?`;
const removeTitle = ({ member }: AtMember): string => `Remove ${member.name} from the team?`;

function rolesFor({ who }: AtMember): Role[] {
  return ROLES.filter((role) => mayGive(who.session.account.role, role));
}

async function rolePage(visit: Visit, at: AtMember, value: string, problems: readonly c.Problem[]): Promise<Response> {
  const { member } = at;
  const fields = c.radios({
    name: 'role',
    label: 'Role',
    value,
    error: c.problemOf(problems, 'role'),
    choices: rolesFor(at).map((role) => ({ value: role, label: ROLE_NAMES[role], hint: roleHint(role) })),
  });
  const form = {
    title: roleTitle(at),
    bullets: [
      `${member.name} is ${ROLE_NAMES[member.role]} now`,
      await signedOutWords(visit, at),
      member.passwordSetAt === null
        ? 'Their invitation link stops working: make a new one afterwards'
        : 'Their password and their MFA stay as they are',
    ],
    fields,
    problems,
    act: '/role',
    submit: c.button('Change role', { kind: 'danger' }),
    busy: 'Changing…',
  };
  return memberPage(visit, at, form);
}

function lastOwner(visit: Visit, { who, member }: AtMember, title: string): Promise<Response> {
  const why = `${member.name} is the last owner who can sign in. Make somebody else an owner first.`;
  return nothingAtTeam(visit, who, { title, why, asked: true });
}
