import { html } from 'hono/html';
import { emailKey } from '../accounts/accounts.ts';
import { findChallenge } from '../auth/challenges.ts';
import { findSession } from '../auth/sessions.ts';
import { leaveChallenge, signIn, signOut } from '../auth/sign-in.ts';
import {
  button,
  field,
  form,
  notice,
  nothing,
  passwordField,
  problemOf,
  timeText,
  type Html,
  type Problem,
} from '../web/components.ts';
import { signedIn, type Door } from '../web/guards.ts';
import { passkeyForm } from '../web/passkeys.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, localeAt, nameAt, sayAt } from './frame.ts';
import { changeItNow } from './mails-links.ts';

/** GET /sign-in. Who is signed in already, say by pressing Continue twice, is shown in. */
export async function show(visit: Visit, door: Door): Promise<Response> {
  const flash = visit.found(door.surface);
  if (await signedIn(visit, door)) return visit.see(homeOf(door));
  const notices = flash ? notice(flash.kind, flash.text, { role: 'status' }) : nothing;
  return visit.page(page(door, flash?.email ?? '', [], notices));
}

/** POST /sign-in: story 1, first half. */
export async function submit(visit: Visit, door: Door): Promise<Response> {
  const { email, password } = await visit.form('email', 'password');
  const problems = missing(email, password);
  if (problems.length > 0) return visit.page(page(door, email, problems), 422);
  const outcome = await signIn(visit.installation, door.surface, {
    organizationId: door.organization?.id ?? null,
    email,
    password,
    visitor: visit.visitor,
    previous: visit.sessionCookie(door.surface),
    device: door.surface === 'portal' ? visit.deviceCookie() : undefined,
  });
  switch (outcome.kind) {
    case 'wrong':
      return visit.page(page(door, email, [{ field: 'email', text: say('login.wrong') }]), 422);
    case 'limited': {
      const text = say('login.limited', { time: timeText(outcome.until, localeAt(door), 'clock') });
      const notices = changeItNow(visit, door, 'login.limited.change');
      return visit.heldBack(page(door, email, [{ field: 'email', text }], notices), outcome.until);
    }
    case 'suspected':
      return visit.page(suspectedPage(visit, door), 403);
    case 'challenge':
      visit.challenge(door.surface, outcome.cookie);
      return visit.see(`${door.base}/verify`);
    case 'enrolment':
      visit.challenge(door.surface, outcome.cookie);
      return visit.see(`${door.base}/enable-mfa`);
    case 'signed-in':
      visit.signIn(door.surface, outcome.cookie);
      if (outcome.trust) visit.trust(outcome.trust);
      return visit.see(homeOf(door));
  }
}

/** Where a signed-in account lands. */
export function homeOf(door: Door): string {
  return door.surface === 'admin' ? '/admin' : `${door.base}/home`;
}

/** POST /sign-out: Sign out, and Sign in as someone else. Pressed twice, or without anything to end, it is harmless. */
export async function leave(visit: Visit, door: Door): Promise<Response> {
  await visit.form();
  const { installation, now } = visit;
  const sessionCookie = visit.sessionCookie(door.surface);
  const session =
    sessionCookie === undefined ? undefined : await findSession(installation.db, door.surface, sessionCookie, now);
  if (session && sessionCookie !== undefined) {
    await signOut(installation, session, sessionCookie, visit.visitor);
    visit.leave(door.surface, { kind: 'ok', text: say('login.signed-out') });
  }
  const challengeCookie = visit.challengeCookie(door.surface);
  const found =
    challengeCookie === undefined
      ? undefined
      : await findChallenge(installation.db, door.surface, challengeCookie, now);
  if (found?.kind === 'open') await leaveChallenge(installation, found.challenge);
  visit.signOut(door.surface);
  return visit.see(`${door.base}/sign-in`);
}

/** How to reach the organization, where help is what the page is about. */
export function reach(door: Door): Html {
  if (door.surface === 'admin' || !door.organization) return nothing;
  return html`<h2>${say('recover.reach', { m: door.organization.name })}</h2>
    <p class="lines">${door.organization.contactDetails || say('recover.no-contact')}</p>`;
}

function missing(email: string, password: string): Problem[] {
  const problems: Problem[] = [];
  const wrong = emailProblem(email);
  if (wrong !== undefined) problems.push({ field: 'email', text: wrong });
  if (password === '') problems.push({ field: 'password', text: say('login.password.empty') });
  return problems;
}

/** Why a text is no e-mail address; undefined where it has the shape of one. */
export function emailProblem(email: string): string | undefined {
  if (email.trim() === '') return say('login.email.empty');
  return emailKey(email) === undefined ? say('login.email.shape') : undefined;
}

/** The sign-in page, with what was wrong on it. */
export function page(door: Door, email: string, errors: readonly Problem[], notices: Html = nothing): Html {
  const byPasskey = door.organization?.passkeys === 'sign-in';
  const fields = html`${field({
    name: 'email',
    label: say('login.email'),
    type: 'email',
    autocomplete: byPasskey ? 'username webauthn' : 'username',
    value: email,
    error: problemOf(errors, 'email'),
  })}
  ${passwordField({
    name: 'password',
    label: say('login.password'),
    autocomplete: 'current-password',
    error: problemOf(errors, 'password'),
  })}
  ${button(say('login.submit'))}`;
  const body = html`${byPasskey ? passkeyPart(door) : nothing}
    ${form(`${door.base}/sign-in`, fields, { busy: say('login.busy') })}
    <p><a href="${door.base}/forgot-password">${say('login.forgot')}</a></p>`;
  return doorPage(door, { title: say('login.title', { m: nameAt(door) }), errors, notices, body });
}

function passkeyPart({ base }: Door): Html {
  const path = `${base}/sign-in/passkey`;
  const label = say('passkey.sign-in');
  return passkeyForm({ action: path, options: `${path}-options`, label, kind: 'second', autofill: true });
}

/** A password that is held to be stolen opens nothing, whatever is answered after it. */
export function suspectedPage(visit: Visit, door: Door): Html {
  const ask = html`<p>${sayAt(door, 'wait.stolen.ask')}</p>
    ${reach(door)}`;
  return doorPage(door, {
    title: say('wait.stolen.title'),
    error: true,
    body: html`<p>${say('wait.stolen.why')}</p>
      ${changeItNow(visit, door, 'wait.stolen.change', ask)}`,
  });
}
