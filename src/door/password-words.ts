import { html } from 'hono/html';
import type { PasswordProblem } from '../auth/passwords.ts';
import * as c from '../web/components.ts';
import { say } from '../words/say.ts';

const PROBLEMS = {
  empty: 'welcome.password.empty',
  short: 'pw.short',
  long: 'pw.long',
  common: 'pw.common',
  context: 'pw.context',
} as const;

/** Why a new password was refused, and what to do about it. */
export function passwordProblem(problem: PasswordProblem, m: string): string {
  return say(PROBLEMS[problem], { m });
}

/**
 * A new password, and above it, to read, whose it is: password managers then change the right entry (R38). Whose it
 * really is, the page's own link or session says, never this field.
 */
export function newPasswordFields(email: string, label: string, problem: string | undefined): c.Html {
  return html`${c.field({
    name: 'email',
    label: say('welcome.email'),
    type: 'email',
    autocomplete: 'username',
    value: email,
    readonly: true,
  })}
  ${c.passwordField({
    name: 'password',
    label,
    hint: say('welcome.password.hint'),
    autocomplete: 'new-password',
    error: problem,
  })}`;
}
