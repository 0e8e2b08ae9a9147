import { html } from 'hono/html';
import { heldUp, type Answer, type HeldUp } from '../auth/answer.ts';
import { readCode } from '../auth/code-input.ts';
import { CLOCK_HINT_AFTER_WRONG } from '../auth/limits.ts';
import { hasPasskey } from '../auth/passkeys.ts';
import { answerChallenge } from '../auth/sign-in.ts';
import {
  button,
  checkbox,
  codeField,
  disclosure,
  form,
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
import { passkeyForm } from '../web/passkeys.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { backupCodeShape, codeShape, usedCode } from './code-words.ts';
import { doorPage, localeAt, nameAt, sayAt } from './frame.ts';
import { changeItNow } from './mails-links.ts';
import { homeOf, suspectedPage } from './sign-in.ts';

type Asked = Exclude<Answer['kind'], 'sign-in-code'>;

/** GET /verify and /verify/backup-code */
export function show(asked: Asked) {
  return async (visit: Visit, half: HalfSignedIn): Promise<Response> => {
    const held = await heldUp(visit.installation, half.challenge, asked);
    if (held?.kind === 'suspected') return suspect(visit, half);
    if (held?.kind === 'clock-behind') return paused(visit, half, asked);
    if (held) return waitPage(visit, half, asked, held);
    return visit.page(await askPage(visit, half, asked, []));
  };
}

/** POST /verify and /verify/backup-code: story 1, second half. Either kind of code is taken on either page. */
export function submit(asked: Asked) {
  return async (visit: Visit, half: HalfSignedIn): Promise<Response> => {
    const { door, challenge } = half;
    const { code, trust } = await visit.form('code', 'trust');
    const input = readCode(code);
    if (input.kind !== 'totp' && input.kind !== 'backup-code') {
      const text = asked === 'totp' ? codeShape(input) : backupCodeShape(input);
      return visit.page(await askPage(visit, half, asked, [{ field: 'code', text }], { trust }), 422);
    }
    const previous = visit.sessionCookie(door.surface);
    const trusting = trust === 'on' ? { carried: visit.deviceCookie() } : undefined;
    const answered = await answerChallenge(visit.installation, challenge, input, visit.visitor, previous, trusting);
    switch (answered.kind) {
      case 'right':
        visit.signIn(door.surface, answered.bought.cookie);
        if (answered.bought.trust) visit.trust(answered.bought.trust);
        return visit.see(input.kind === 'backup-code' ? `${door.base}/backup-code-used` : homeOf(door));
      case 'wait':
        return waitPage(visit, half, input.kind, answered);
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
        return visit.page(await askPage(visit, half, asked, [{ field: 'code', text }], { clock, trust }), 422);
      }
    }
  };
}

/** Where the arch stands between the two doors. */
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

/** The challenge is put away: behind a stolen password nothing is looked at. */
export function suspect(visit: Visit, { door }: HalfSignedIn): Promise<Response> {
  visit.forgetChallenge(door.surface);
  return visit.page(suspectedPage(visit, door), 403);
}

/** Back to the sign-in page, with the address filled in and the reason. */
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
  { clock = false, notices = nothing, trust = '' }: { clock?: boolean; notices?: Html; trust?: string } = {},
): Promise<Html> {
  const byPasskey = await hasPasskey(visit.installation.db, challenge.account);
  return doorPage(door, {
    title: say(asked === 'totp' ? 'code.title' : 'backup.title'),
    labelFor: 'code',
    progress: HALF_WAY,
    errors,
    notices,
    extra: await visit.house.pageExtra?.(challenge.account),
    body: html`${asked === 'totp' ? appForm(door, challenge.account.email, errors, trust === 'on') : backupForm(door, errors)}
    ${clock ? notice('warn', say('code.clock-note')) : nothing} ${byPasskey ? passkeyPart(door) : nothing}
    ${asked === 'totp' ? otherWays(door, byPasskey) : nothing}
    ${form(`${door.base}/sign-out`, button(say('code.other'), { kind: 'link' }))}`,
  });
}

function appForm(door: Door, email: string, errors: readonly Problem[], trust: boolean): Html {
  const hint = words('code.hint', { email: ltr(email), m: nameAt(door) });
  const box = codeField({ hint, error: problemOf(errors, 'code'), autofocus: errors.length === 0 });
  const fields = html`${box} ${trustBox(door, trust)} ${button(say('code.submit'))}`;
  return form(`${door.base}/verify`, fields, { busy: say('code.busy') });
}

/** Never ticked before somebody has ticked it, and nothing that has to be: password managers send the form by themselves (R3). */
export function trustBox({ surface, organization }: Door, checked: boolean): Html {
  const days = surface === 'portal' ? organization?.trustedDeviceDays : undefined;
  if (!days) return nothing;
  return checkbox({ name: 'trust', label: say('code.trust', { n: days }), hint: say('code.trust.hint'), checked });
}

function passkeyPart({ base }: Door): Html {
  const path = `${base}/verify/passkey`;
  const label = say('passkey.use.submit');
  // The page has one box, in the form of the code; script carries it over.
  const fields = html`<input type="hidden" name="trust" />`;
  return passkeyForm({ action: path, options: `${path}-options`, label, kind: 'second', fields });
}

function passkeyLink({ base }: Door): Html {
  return html`<p><a href="${base}/verify/passkey">${say('passkey.use')}</a></p>`;
}

function otherWays(door: Door, byPasskey: boolean): Html {
  const { base } = door;
  return disclosure(
    say('code.cannot'),
    html`<p><a href="${base}/verify/backup-code">${say('code.backup')}</a></p>
      ${byPasskey ? passkeyLink(door) : nothing} ${readOut(door)}
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

/** Too many wrong codes of a kind. A wait is against guessing, so it does not hold a passkey up. */
export async function waitPage(
  visit: Visit,
  { door, challenge }: HalfSignedIn,
  given: Asked,
  held: HeldUp,
): Promise<Response> {
  const n = Math.ceil((held.until - visit.now) / 60_000);
  const byPasskey = await hasPasskey(visit.installation.db, challenge.account);
  const ask = html`<p>${sayAt(door, 'wait.not-you')}</p>`;
  const other =
    given === 'totp'
      ? html`<p><a href="${door.base}/verify/backup-code">${say('wait.backup')}</a></p>`
      : html`<p><a href="${door.base}/verify">${say('backup.app')}</a></p>`;
  const page = doorPage(door, {
    title: say('wait.title'),
    error: true,
    progress: HALF_WAY,
    body: html`<p>${words('wait.until', { time: time(held.until, localeAt(door), 'clock'), n })}</p>
      ${held.otherWaits ? nothing : other} ${byPasskey ? passkeyLink(door) : nothing}
      <p><a href="${door.base}/verify/ask-for-help">${say('wait.none')}</a></p>
      ${changeItNow(visit, door, 'wait.not-you.change', ask)}
      ${form(`${door.base}/sign-out`, button(say('code.other'), { kind: 'link' }))}`,
  });
  return visit.heldBack(page, held.until);
}
