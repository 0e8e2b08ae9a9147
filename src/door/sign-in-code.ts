import { html } from 'hono/html';
import { heldUp } from '../auth/answer.ts';
import { readSignInCode, type SignInCodeInput } from '../auth/code-input.ts';
import { answerWithSignInCode } from '../auth/sign-in-codes.ts';
import * as c from '../web/components.ts';
import type { HalfSignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, nameAt } from './frame.ts';
import { HALF_WAY, signInAgain, suspect, waitPage } from './verify.ts';

/** GET /verify/sign-in-code: the code that staff have read out. */
export async function show(visit: Visit, half: HalfSignedIn): Promise<Response> {
  const held = await heldUp(visit.installation, half.challenge, 'sign-in-code');
  if (held?.kind === 'suspected') return suspect(visit, half);
  if (held?.kind === 'wait') return waitPage(visit, half, 'backup-code', held);
  return visit.page(codePage(half, []));
}

/** POST /verify/sign-in-code: right, it leads to a new authenticator and to nothing else. */
export async function submit(visit: Visit, half: HalfSignedIn): Promise<Response> {
  const { door, challenge } = half;
  const { code } = await visit.form('code');
  const input = readSignInCode(code);
  const refuse = (text: string): Promise<Response> => visit.page(codePage(half, [{ field: 'code', text }]), 422);
  if (input.kind !== 'sign-in-code') return refuse(shapeOf(input));
  const answered = await answerWithSignInCode(visit.installation, challenge, input.code, visit.visitor);
  switch (answered.kind) {
    case 'right':
      visit.challenge(door.surface, answered.bought.cookie);
      return visit.see(`${door.base}/enable-mfa`);
    case 'wait':
      return waitPage(visit, half, 'backup-code', answered);
    case 'suspected':
      return suspect(visit, half);
    case 'over':
    case 'clock-behind':
      return signInAgain(visit, half, 'login.replaced');
    case 'wrong':
    case 'already-used':
      if (answered.attemptsLeft === 0) return signInAgain(visit, half, 'login.spent');
      return refuse(say(answered.attemptsLeft === 1 ? 'spoken.wrong.last' : 'spoken.wrong', { m: nameAt(door) }));
  }
}

function shapeOf(input: Exclude<SignInCodeInput, { kind: 'sign-in-code' }>): string {
  switch (input.kind) {
    case 'empty':
      return say('spoken.empty');
    case 'letters':
      return say('spoken.letters');
    case 'few':
    case 'many':
      return say('spoken.length', { n: input.digits });
  }
}

function codePage({ door }: HalfSignedIn, errors: readonly c.Problem[]): c.Html {
  const m = nameAt(door);
  const box = c.codeField({
    hint: say('spoken.hint', { m }),
    error: c.problemOf(errors, 'code'),
    backup: true,
    autofocus: errors.length === 0,
  });
  return doorPage(door, {
    title: say('spoken.title', { m }),
    labelFor: 'code',
    progress: HALF_WAY,
    errors,
    body: html`${c.form(`${door.base}/verify/sign-in-code`, html`${box} ${c.button(say('spoken.submit'))}`, { busy: say('spoken.busy') })}
      <p>${say('spoken.next')}</p>
      <p><a href="${door.base}/verify">${say('spoken.app')}</a></p>
      <p><a href="${door.base}/verify/ask-for-help">${say('code.no-backup')}</a></p>
      ${c.form(`${door.base}/sign-out`, c.button(say('code.other'), { kind: 'link' }))}`,
  });
}
