import { html } from 'hono/html';
import { heldUp, type Answer, type HeldUp } from '../auth/answer.ts';
import { readCode } from '../auth/code-input.ts';
import { CLOCK_HINT_AFTER_WRONG, FEW_CODES } from '../auth/limits.ts';
import { answerChallenge, backupCodesLeft } from '../auth/sign-in.ts';
import {
  actions,
  button,
  codeField,
  disclosure,
  form,
  linkButton,
  ltr,
  notice,
  nothing,
  problemOf,
  time,
  words,
  type Html,
  type Problem,
} from '../web/components.ts';
import type { Door, HalfSignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { backupCodeShape, codeShape, usedCode } from './code-words.ts';
import { doorPage, localeAt, nameAt, sayAt } from './frame.ts';
import { homeOf, suspectedPage } from './sign-in.ts';

type Asked = Exclude<Answer['kind'], 'sign-in-code'>;

/** GET /verify and /verify/backup-code */
export function show(asked: Asked) {
  return async (visit: Visit, half: HalfSignedIn): Promise<Response> => {
    const held = await heldUp(visit.installation, half.challenge, asked);
    if (held?.kind === 'suspected') return suspect(visit, half);
    if (held?.kind === 'clock-behind') return paused(visit, half, asked);
    if (held) return visit.heldBack(waitPage(half.door, asked, held, visit.now), held.until);
    return visit.page(await askPage(visit, half, asked, []));
  };
}

/** POST /verify and /verify/backup-code: story 1, second half. Either kind of code is taken on either page. */
export function submit(asked: Asked) {
  return async (visit: Visit, half: HalfSignedIn): Promise<Response> => {
    const { door, challenge } = half;
    const { code } = await visit.form('code');
    const input = readCode(code);
    if (input.kind !== 'totp' && input.kind !== 'backup-code') {
      const text = asked === 'totp' ? codeShape(input) : backupCodeShape(input);
      return visit.page(await askPage(visit, half, asked, [{ field: 'code', text }]), 422);
    }
    const previous = visit.sessionCookie(door.surface);
    const answered = await answerChallenge(visit.installation, challenge, input, visit.visitor, previous);
    switch (answered.kind) {
      case 'right':
        visit.signIn(door.surface, answered.bought.cookie);
        return visit.see(input.kind === 'backup-code' ? `${door.base}/backup-code-used` : homeOf(door));
      case 'wait':
        return visit.heldBack(waitPage(door, input.kind, answered, visit.now), answered.until);
      case 'clock-behind':
        return paused(visit, half, asked);
      case 'suspected':
        return suspect(visit, half);
      case 'over':
        return signInAgain(visit, half, 'login.replaced');
      case 'wrong':
      case 'already-used': {
        if (answered.attemptsLeft === 0) return signInAgain(visit, half, 'login.spent');
        const clock = answered.kind === 'wrong' && answered.wrongInARow >= CLOCK_HINT_AFTER_WRONG;
        const text = refusal(input.kind, answered, visit.now);
        return visit.page(await askPage(visit, half, asked, [{ field: 'code', text }], { clock }), 422);
      }
    }
  };
}

/** GET /backup-code-used: how many are left, after one was used. */
export async function codeUsed(
  visit: Visit,
  door: Door,
  account: HalfSignedIn['challenge']['account'],
): Promise<Response> {
  const left = (await backupCodesLeft(visit.installation, account)) ?? 0;
  const body = html`<p>${say('backup.used.text')}</p>
    ${left <= FEW_CODES ? notice('warn', sayAt(door, 'backup.used.few')) : nothing}
    <p>${sayAt(door, 'backup.used.lost')}</p>
    ${actions(linkButton(say('backup.used.continue'), homeOf(door), 'main'))}`;
  const progress = { outer: true, inner: true };
  const title = say('backup.used.title', { n: left });
  return visit.page(doorPage(door, { title, progress, signOut: true, body }));
}

export const HALF_WAY = { outer: true, inner: false };

type Refused =
  | { kind: 'wrong'; attemptsLeft: number }
  | { kind: 'already-used'; nextCodeAt: number; attemptsLeft: number };

function refusal(given: Asked, answered: Refused, now: number): string {
  const last = answered.attemptsLeft === 1;
  if (answered.kind === 'already-used') return usedCode(answered.nextCodeAt, now, last);
  if (given === 'backup-code') return say(last ? 'backup.wrong.last' : 'backup.wrong');
  return say(last ? 'code.wrong.last' : 'code.wrong');
}

// The form stays: it takes a backup code as well, and a code of the app once the clock is right again.
async function paused(visit: Visit, half: HalfSignedIn, asked: Asked): Promise<Response> {
  const { door } = half;
  const text = html`<p>${sayAt(door, 'code.paused')}</p>
    <p><a href="${door.base}/verify/backup-code">${say('code.backup')}</a></p>`;
  const notices = notice('warn', text, { role: 'alert' });
  return visit.unavailable(await askPage(visit, half, asked, [], { notices }));
}

/** A password that is held to be stolen: half signed in is over. */
export function suspect(visit: Visit, { door }: HalfSignedIn): Promise<Response> {
  visit.forgetChallenge(door.surface);
  return visit.page(suspectedPage(door), 403);
}

/** Back to the first door, with the e-mail and the reason. */
export function signInAgain(
  visit: Visit,
  { door, challenge }: HalfSignedIn,
  why: 'login.replaced' | 'login.spent',
): Response {
  visit.forgetChallenge(door.surface);
  visit.leave(door.surface, { kind: 'warn', text: say(why), email: challenge.account.email });
  return visit.see(`${door.base}/sign-in`);
}

async function askPage(
  visit: Visit,
  { door, challenge }: HalfSignedIn,
  asked: Asked,
  errors: readonly Problem[],
  { clock = false, notices = nothing }: { clock?: boolean; notices?: Html } = {},
): Promise<Html> {
  return doorPage(door, {
    title: say(asked === 'totp' ? 'code.title' : 'backup.title'),
    labelFor: 'code',
    progress: HALF_WAY,
    errors,
    notices,
    extra: await visit.house.pageExtra?.(challenge.account),
    body: html`${asked === 'totp' ? appForm(door, challenge.account.email, errors) : backupForm(door, errors)}
    ${clock ? notice('warn', say('code.clock-note')) : nothing} ${asked === 'totp' ? otherWays(door) : nothing}
    ${form(`${door.base}/sign-out`, button(say('code.other'), { kind: 'link' }))}`,
  });
}

function appForm(door: Door, email: string, errors: readonly Problem[]): Html {
  const hint = words('code.hint', { email: ltr(email), m: nameAt(door) });
  const box = codeField({ hint, error: problemOf(errors, 'code'), autofocus: errors.length === 0 });
  return form(`${door.base}/verify`, html`${box} ${button(say('code.submit'))}`, { busy: say('code.busy') });
}

function otherWays(door: Door): Html {
  const { base } = door;
  return disclosure(
    say('code.cannot'),
    html`<p><a href="${base}/verify/backup-code">${say('code.backup')}</a></p>
      ${readOut(door)}
      <p><a href="${base}/verify/ask-for-help">${say('code.no-backup')}</a></p>
      <p>${say('code.clock')}</p>`,
  );
}

// Staff are helped by their team, and nobody reads out a code to them.
function readOut(door: Door): Html {
  if (door.surface === 'admin') return nothing;
  return html`<p><a href="${door.base}/verify/sign-in-code">${say('spoken.use', { m: nameAt(door) })}</a></p>`;
}

function backupForm({ base }: Door, errors: readonly Problem[]): Html {
  const error = problemOf(errors, 'code');
  const box = codeField({ hint: say('backup.hint'), error, backup: true, autofocus: errors.length === 0 });
  return html`${form(`${base}/verify/backup-code`, html`${box} ${button(say('backup.submit'))}`, { busy: say('backup.busy') })}
    <p><a href="${base}/verify">${say('backup.app')}</a></p>
    <p><a href="${base}/verify/ask-for-help">${say('backup.none')}</a></p>`;
}

/** Too many wrong codes of a kind: until when, and what can be done meanwhile. */
export function waitPage(door: Door, given: Asked, held: HeldUp, now: number): Html {
  const n = Math.ceil((held.until - now) / 60_000);
  const other =
    given === 'totp'
      ? html`<p><a href="${door.base}/verify/backup-code">${say('wait.backup')}</a></p>`
      : html`<p><a href="${door.base}/verify">${say('backup.app')}</a></p>`;
  return doorPage(door, {
    title: say('wait.title'),
    error: true,
    progress: HALF_WAY,
    body: html`<p>${words('wait.until', { time: time(held.until, localeAt(door), 'clock'), n })}</p>
      ${held.otherWaits ? nothing : other}
      <p><a href="${door.base}/verify/ask-for-help">${say('wait.none')}</a></p>
      <p>${sayAt(door, 'wait.not-you')}</p>
      ${form(`${door.base}/sign-out`, button(say('code.other'), { kind: 'link' }))}`,
  });
}
