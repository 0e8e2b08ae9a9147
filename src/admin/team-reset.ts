import { resetMfa } from '../auth/recovery.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf } from './console.ts';
import { lines } from './inputs.ts';
import { isCheck, NOTE_MISSING, reasonFields, reasonProblems, TOO_MANY, type Given } from './reset-mfa.ts';
import { type AtMember, doneAtTeam, memberPage, nothingAtTeam, overtaken, signedOutWords } from './team-member.ts';
import { whyNoReset } from './team-words.ts';

/** Reset MFA of somebody on the staff, by a higher role: as for a contact, how the caller was checked. */
export function askToResetStaff(visit: Visit, at: AtMember): Promise<Response> {
  const why = whyNoReset(at.who, at.member);
  return why === undefined ? resetPage(visit, at, { check: '', note: '' }, []) : refused(visit, at, `${why}.`, false);
}

export async function resetStaff(visit: Visit, at: AtMember): Promise<Response> {
  const { check, note } = await visit.form('check', 'note');
  const given = { check, note: lines(note) };
  const { who, member } = at;
  const why = whyNoReset(who, member);
  if (why !== undefined) return refused(visit, at, `${why}.`);
  const problems = reasonProblems(given);
  if (problems.length > 0 || !isCheck(given.check)) return resetPage(visit, at, given, problems);
  const first = await proveFirst(visit, who, `reset MFA for ${member.name}`);
  if (first) return first;
  const reason = { check: given.check, note: given.note };
  const outcome = await resetMfa(visit.installation, actorOf(visit, who), who.session.account, member, reason);
  switch (outcome.kind) {
    case 'reset':
      return doneAtTeam(visit, `MFA reset for ${member.email}. They set it up again at their next sign-in.`);
    case 'help-waits':
    case 'no-mfa':
      return refused(visit, at, "MFA isn't set up.");
    case 'note-missing':
      return resetPage(visit, at, given, [NOTE_MISSING]);
    case 'limited':
      return refused(visit, at, TOO_MANY, true, outcome.until);
    case 'not-allowed':
      return overtaken(visit, at, titleOf(at), { kind: 'not-allowed' });
  }
}

function titleOf({ member }: AtMember): string {
  return `Reset MFA for ${member.name}?`;
}

function refused(visit: Visit, at: AtMember, why: string, asked = true, until?: number): Promise<Response> {
  const page = { title: titleOf(at), why, asked };
  return nothingAtTeam(visit, at.who, until === undefined ? page : { ...page, until });
}

async function resetPage(visit: Visit, at: AtMember, given: Given, problems: readonly c.Problem[]): Promise<Response> {
  const { member } = at;
  const form = {
    title: titleOf(at),
    bullets: [
      `Do this only after you have checked that it really is ${member.name}`,
      'Their authenticator app and backup codes stop working now',
      await signedOutWords(visit, at),
      'They set up MFA again at their next sign-in, and are told',
    ],
    fields: reasonFields(given, problems),
    problems,
    act: '/reset-mfa',
    submit: c.button('Reset MFA', { kind: 'danger' }),
    busy: 'Resetting…',
  };
  return memberPage(visit, at, form);
}
