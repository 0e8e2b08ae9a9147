import { html } from 'hono/html';
import type { Policy } from '../accounts/organizations.ts';
import { RESETS_BY_AGENT } from '../auth/limits.ts';
import { CHECKS, NOTE_MIN, resetMfa, type Check } from '../auth/recovery.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { forbiddenPage } from '../web/errors.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, consolePage, contactPath, customerPath, doneAt, nothingToDo } from './console.ts';
import { fitting, lines, NOTE_MAX } from './inputs.ts';

/** How the caller was checked, as it was written. */
export interface Given {
  readonly check: string;
  readonly note: string;
}

/** Reset Portal MFA: what it does, and how the caller was checked (R1–R4). */
export function askToReset(visit: Visit, at: AtContact): Promise<Response> {
  const { mfaSince, helpWaitUntil } = at.contact;
  if (mfaSince === null) return nothingToReset(visit, at);
  if (helpWaitUntil !== null && helpWaitUntil > visit.now) return askedForHelp(visit, at, helpWaitUntil, false);
  return resetPage(visit, at, { check: '', note: '' }, []);
}

export async function reset(visit: Visit, at: AtContact): Promise<Response> {
  const { check, note } = await visit.form('check', 'note');
  const given = { check, note: lines(note) };
  const { session } = at.who;
  if (at.contact.mfaSince === null) return nothingToReset(visit, at, true);
  const problems = reasonProblems(given);
  if (problems.length > 0 || !isCheck(given.check)) return resetPage(visit, at, given, problems);
  const first = await proveFirst(visit, at.who, `reset MFA for ${at.contact.name}`);
  if (first) return first;
  const reason = { check: given.check, note: given.note };
  const outcome = await resetMfa(visit.installation, actorOf(visit, at.who), session.account, at.contact, reason);
  switch (outcome.kind) {
    case 'reset':
      return doneAt(visit, at, `MFA reset for ${at.contact.email}. They are told at their next sign-in.`);
    case 'no-mfa':
      return nothingToReset(visit, at, true);
    case 'help-waits':
      return askedForHelp(visit, at, outcome.until, true);
    case 'note-missing':
      return resetPage(visit, at, given, [NOTE_MISSING]);
    case 'limited':
      return nothingToDo(visit, at, { title: titleOf(at), why: TOO_MANY, asked: true, until: outcome.until });
    case 'not-allowed':
      return forbiddenPage(visit, 'You may not reset the MFA of this account.');
  }
}

export const NOTE_MISSING: c.Problem = {
  field: 'note',
  text: `Say how you checked, in ${NOTE_MIN} characters or more`,
};
export const TOO_MANY = `You can reset ${RESETS_BY_AGENT.allows} people an hour. Ask an admin.`;

function titleOf({ contact }: AtContact): string {
  return `Reset MFA for ${contact.name}?`;
}

/** What is wrong with how the caller was checked. */
export function reasonProblems({ check, note }: Given): c.Problem[] {
  return [
    ...(isCheck(check) ? [] : [{ field: 'check', text: 'Choose how you checked' }]),
    ...(check === 'other' && note.length < NOTE_MIN ? [NOTE_MISSING] : []),
    ...fitting('note', 'the note', note, NOTE_MAX),
  ];
}

export function isCheck(text: string): text is Check {
  return Object.hasOwn(CHECKS, text);
}

/** The part of a reset's form that asks how the caller was checked. */
export function reasonFields(given: Given, problems: readonly c.Problem[]): c.Html {
  return html`${c.radios({
    name: 'check',
    label: 'How did you check?',
    value: given.check,
    error: c.problemOf(problems, 'check'),
    choices: Object.entries(CHECKS).map(([value, label]) => ({ value, label })),
  })}
  ${c.textareaField({
    name: 'note',
    label: 'Note',
    hint: `Goes to the audit log. For Other, at least ${NOTE_MIN} characters.`,
    value: given.note,
    rows: 3,
    error: c.problemOf(problems, 'note'),
  })}`;
}

function nothingToReset(visit: Visit, at: AtContact, asked = false): Promise<Response> {
  const why = `${at.contact.name} hasn't set up MFA. There's nothing to reset.`;
  return nothingToDo(visit, at, { title: titleOf(at), why, asked });
}

function askedForHelp(visit: Visit, at: AtContact, until: number, asked: boolean): Promise<Response> {
  return nothingToDo(visit, at, { title: titleOf(at), why: helpWaits(at, until), asked });
}

/** Why nobody's help comes before the wait has ended. */
export function helpWaits({ contact, who }: AtContact, until: number): string {
  const time = c.timeText(until, who.organization);
  return `${contact.name} has asked for help. Before ${time} only a working code of theirs ends the wait. See Recovery requests.`;
}

const NEXT_SIGN_IN: Record<Policy, string> = {
  required: 'They set up MFA again at their next sign-in',
  optional: 'They can set up MFA again at their next sign-in',
  off: 'MFA is off in your settings, so they will not be asked to set it up',
};

function resetPage(visit: Visit, at: AtContact, given: Given, problems: readonly c.Problem[]): Promise<Response> {
  const { who, customer, contact } = at;
  const fields = html`<section class="panel">${reasonFields(given, problems)}</section>
    ${c.actions(c.button('Reset MFA', { kind: 'danger' }), c.linkButton('Cancel', customerPath(customer)))}`;
  const body = html`<p>Do this only after you have checked that it really is ${contact.name}.</p>
    <ul class="bullets">
      <li>Their authenticator app and backup codes stop working now</li>
      <li>They are signed out everywhere</li>
      <li>${NEXT_SIGN_IN[who.organization.policy]}</li>
      <li>They are told</li>
    </ul>
    ${c.form(contactPath(contact, '/reset-mfa'), fields, { busy: 'Resetting…' })}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: titleOf(at),
    phrase: contact.email,
    errors: problems,
    body,
  });
}
