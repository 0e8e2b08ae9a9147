import type { Installation } from '../accounts/installation.ts';
import { hashNewPassword, judgePassword, type PasswordProblem } from '../auth/passwords.ts';
import { refused } from './stopped.ts';

/** The hash of a password for an account that is about to be made; one that is refused stops the command before. */
export async function hashOf(
  installation: Installation,
  password: string,
  context: readonly string[],
): Promise<string> {
  const problem = await judgePassword(password, context);
  if (problem) throw refused(PASSWORD_PROBLEMS[problem]);
  return hashNewPassword(installation, password);
}

/** Why a password was not taken. */
export const PASSWORD_PROBLEMS: Record<PasswordProblem, string> = {
  empty: 'The password is empty.',
  short: 'A password has 12 characters or more.',
  long: 'A password has 128 characters or fewer.',
  common: 'That password is too common: choose one that is harder to guess.',
  context: 'That password is made of names that everybody knows: choose one that is harder to guess.',
};
