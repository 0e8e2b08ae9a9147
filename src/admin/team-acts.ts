import { mayGive, ROLES } from '../accounts/staff.ts';
import type { Role } from '../accounts/accounts.ts';
import { changeRole, removeStaff, signOutStaff } from '../auth/team.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import { confirmItsYou, type Refusal } from './confirm.ts';
import { actorOf, ROLE_NAMES } from './console.ts';
import { type AtMember, doneAtTeam, memberPage, nothingAtTeam, overtaken, signedOutWords } from './team-member.ts';
import { roleHint } from './team-words.ts';

/** Change role. */
export function askForRole(visit: Visit, at: AtMember): Promise<Response> {
  return rolePage(visit, at, at.member.role);
}

export async function giveRole(visit: Visit, at: AtMember): Promise<Response> {
  const { role, ...proof } = await visit.form('role', 'password', 'code');
  const { who, member } = at;
  const wanted = rolesFor(at).find((one) => one === role);
  const problems = wanted === undefined ? [{ field: 'role', text: 'Choose a role' }] : [];
  const refusal = await confirmItsYou(visit, who, proof, problems);
  if (refusal || wanted === undefined) return rolePage(visit, at, role, refusal);
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
export async function askToSignOut(visit: Visit, at: AtMember, refusal?: Refusal): Promise<Response> {
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
  return memberPage(visit, at, form, refusal);
}

export async function signOut(visit: Visit, at: AtMember): Promise<Response> {
  const { who, member } = at;
  const refusal = await confirmItsYou(visit, who, await visit.form('password', 'code'), []);
  if (refusal) return askToSignOut(visit, at, refusal);
  const outcome = await signOutStaff(visit.installation, actorOf(visit, who), who.session.account, member);
  return outcome.kind === 'signed-out'
    ? doneAtTeam(visit, `${member.name} is signed out everywhere.`)
    : overtaken(visit, at, signOutTitle(at), outcome);
}

/** Remove. */
export async function askToRemove(visit: Visit, at: AtMember, refusal?: Refusal): Promise<Response> {
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
  return memberPage(visit, at, form, refusal);
}

export async function remove(visit: Visit, at: AtMember): Promise<Response> {
  const { who, member } = at;
  const refusal = await confirmItsYou(visit, who, await visit.form('password', 'code'), []);
  if (refusal) return askToRemove(visit, at, refusal);
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

async function rolePage(visit: Visit, at: AtMember, value: string, refusal?: Refusal): Promise<Response> {
  const { member } = at;
  const fields = c.radios({
    name: 'role',
    label: 'Role',
    value,
    error: c.problemOf(refusal?.problems ?? [], 'role'),
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
    act: '/role',
    submit: c.button('Change role', { kind: 'danger' }),
    busy: 'Changing…',
  };
  return memberPage(visit, at, form, refusal);
}

function lastOwner(visit: Visit, { who, member }: AtMember, title: string): Promise<Response> {
  const why = `${member.name} is the last owner who can sign in. Make somebody else an owner first.`;
  return nothingAtTeam(visit, who, { title, why, asked: true });
}
