import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { unlock as unlockAccount } from '../auth/access.ts';
import { setPassword } from '../auth/passwords.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { PASSWORD_PROBLEMS } from './password.ts';
import { command, confirm, givenPassword } from './shell.ts';
import { refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('account').description('Accounts: whatever signs in, contacts and staff');
  command(family, 'unlock', 'End the waits for wrong codes; a password that may be stolen is removed')
    .option('--organization <slug>', 'whose account')
    .option('--email <address>', 'which account')
    .option('--staff', 'a staff member, not a contact')
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, unlock));
  command(family, 'password', 'Set a new password, which ends all sessions')
    .option('--organization <slug>', 'whose account')
    .option('--email <address>', 'which account')
    .option('--staff', 'a staff member, not a contact')
    .option('--password-stdin', 'read the password from standard input')
    .action(onInstallation(now, password));
}

const unlock: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const account = await accountOf(installation, organization, options);
  await confirm(`Check first that it is ${account.name} who asks.`, account.email, options);
  const { kind } = await unlockAccount(installation, OPERATOR, account);
  const data = { id: account.id, email: account.email, outcome: kind };
  switch (kind) {
    case 'waits-ended':
      return { text: `${account.name} can enter codes again.`, data };
    case 'password-removed': {
      const next = `sallyport account password --organization ${organization.slug} --email ${account.email}${options.staff ? ' --staff' : ''}`;
      return { text: `The password of ${account.name}, which may be stolen, is removed. Set a new one: ${next}`, data };
    }
    case 'not-locked':
      throw refused(`${account.name} is not locked: there is nothing to unlock.`);
  }
};

const password: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const account = await accountOf(installation, organization, options);
  const text = await givenPassword(options);
  if (text === undefined)
    throw wrongUsage('The password is missing. Add --password-stdin and send it on standard input.');
  const problem = await setPassword(installation, OPERATOR, account, text, [
    account.name,
    account.email,
    organization.name,
  ]);
  if (problem === 'changed-meanwhile') throw refused(`${account.name}'s account has just changed. Try again.`);
  if (problem) throw refused(PASSWORD_PROBLEMS[problem]);
  return {
    text: `${account.name} has a new password and is signed out everywhere.`,
    data: { id: account.id, email: account.email, changed: true },
  };
};
