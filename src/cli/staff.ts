import { Option, type Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { emailKey, type Role } from '../accounts/accounts.ts';
import { createStaff, ROLES } from '../accounts/staff.ts';
import { storePassword } from '../auth/passwords.ts';
import { RolledBack } from '../db/db.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { hashOf } from './password.ts';
import { command, given, givenPassword } from './shell.ts';
import { refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('staff').description('Staff: the people who use the console');
  command(family, 'create', 'Add a staff member, who sets MFA up at the first sign-in')
    .option('--organization <slug>', 'whose staff')
    .option('--email <address>', 'what they sign in with')
    .option('--name <name>', 'what others see')
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES))
    .option('--password-stdin', 'read the password from standard input')
    .action(onInstallation(now, create));
}

const create: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const email = await given(options.email, '--email', 'Email');
  if (emailKey(email) === undefined) throw wrongUsage(`${email} is no email address.`);
  const name = await given(options.name, '--name', 'Name');
  const role = (await given(options.role, '--role', `Role (${ROLES.join(', ')})`)) as Role;
  if (!ROLES.includes(role)) throw wrongUsage(`The role is one of ${ROLES.join(', ')}.`);
  const password = await givenPassword(options);
  if (password === undefined)
    throw wrongUsage('The password is missing. Add --password-stdin and send it on standard input.');
  const argon2 = await hashOf(installation, password, [name, email, organization.name]);
  const made = await installation.db.transaction(async (tx) => {
    const account = await createStaff(tx, installation, OPERATOR, organization.id, { email, name, role });
    if (!account) return new RolledBack(undefined);
    await storePassword(tx, installation, OPERATOR, account, argon2);
    return account;
  });
  if (!made) throw refused(`${email} belongs to a staff member already.`);
  return {
    text: `${name} is ${role} at ${organization.name} and signs in at /admin.`,
    data: { id: made.id, email: made.email, name, role, organization: organization.slug },
  };
};
