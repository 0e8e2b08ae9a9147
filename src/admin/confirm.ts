import { readCode } from '../auth/code-input.ts';
import { proveAgain } from '../auth/fresh-proof.ts';
import { isFreshlyProven, type Session } from '../auth/sessions.ts';
import { codeShape, usedCode } from '../door/code-words.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { html } from 'hono/html';

/** Why an act was refused, at which fields; `until` where a limit holds it back. Nothing has changed. */
export interface Refusal {
  readonly problems: readonly c.Problem[];
  readonly until?: number;
  /** The server's clock is behind, so that no proof can be given just now. */
  readonly unavailable?: true;
}

/** Whether an act that asks for a fresh proof must ask for password and code in its own form. */
export function asksForProof(visit: Visit, session: Session): boolean {
  return !isFreshlyProven(session, visit.now);
}

const PROVEN_LONG_AGO = 'You last proved who you are over 10 minutes ago.';

/** The part of such a form that asks. */
export function proofSection(problems: readonly c.Problem[], when = PROVEN_LONG_AGO): c.Html {
  return c.section(
    "Confirm it's you",
    html`<p>${when}</p>
      ${c.passwordField({
        name: 'password',
        label: 'Password',
        autocomplete: 'current-password',
        error: c.problemOf(problems, 'password'),
      })}
      ${c.codeField({ label: 'Code from your authenticator app', error: c.problemOf(problems, 'code') })}`,
  );
}

/**
 * Asks for a fresh proof where the last is too old, and hands the browser the renewed session (I14, I23). `problems` are
 * what else is wrong with the form: then no code is used up. Undefined means: go on.
 */
export async function confirmItsYou(
  visit: Visit,
  who: SignedIn,
  given: { password: string; code: string },
  problems: readonly c.Problem[] = [],
): Promise<Refusal | undefined> {
  if (!asksForProof(visit, who.session)) return problems.length > 0 ? { problems } : undefined;
  const code = readCode(given.code);
  const all = [...problems];
  if (given.password === '') all.push({ field: 'password', text: say('login.password.empty') });
  if (code.kind === 'backup-code') all.push({ field: 'code', text: say('mfa.setup.backup') });
  else if (code.kind !== 'totp') all.push({ field: 'code', text: codeShape(code) });
  if (all.length > 0 || code.kind !== 'totp') return { problems: all };
  const proof = await proveAgain(visit.installation, who.session, given.password, code, visit.visitor);
  switch (proof.kind) {
    case 'proven':
      visit.signIn('admin', proof.cookie);
      return undefined;
    case 'password-wrong':
      return refused('password', "That password isn't right. Check it and try again");
    case 'code-wrong':
      return refused('code', say('code.wrong'));
    case 'already-used':
      return refused('code', usedCode(proof.nextCodeAt, visit.now));
    case 'limited': {
      const time = c.timeText(proof.until, who.organization, 'clock');
      return { ...refused('password', say('login.limited', { time })), until: proof.until };
    }
    case 'clock-behind':
      return { ...refused('code', say('mfa.setup.paused.staff')), unavailable: true };
    case 'over':
      return refused('password', 'Your account has changed meanwhile. Sign out, then sign in again');
  }
}

function refused(field: string, text: string): Refusal {
  return { problems: [{ field, text }] };
}
