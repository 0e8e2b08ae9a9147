import { Option, type Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { emailKey, type Role } from '../accounts/accounts.ts';
import { createStaff, ROLES, teamOf, type StaffMember } from '../accounts/staff.ts';
import { storePassword } from '../auth/passwords.ts';
import { changeRole, removeStaff } from '../auth/team.ts';
import { RolledBack } from '../db/db.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { hashOf } from './password.ts';
import { command, confirm, given, givenPassword, iso, moment, type Options } from './shell.ts';
import { refused, wrongUsage, type Stopped } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('staff').description('Staff: the people who use the console');
  command(family, 'create', 'Add a staff member, who sets MFA up at the first sign-in')
    .option('--organization <slug>', 'whose staff')
    .option('--email <address>', 'what they sign in with')
    .option('--name <name>', 'what others see')
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES))
    .option('--password-stdin', 'read the password from standard input')
    .action(onInstallation(now, create));
  command(family, 'list', 'List the staff of an organization')
    .option('--organization <slug>', 'whose staff')
    .action(onInstallation(now, list));
  command(family, 'role', 'Change what a staff member may do, which ends their sessions')
    .option('--organization <slug>', 'whose staff')
    .option('--email <address>', 'which staff member')
    .addOption(new Option('--role <role>', 'what they may do').choices(ROLES))
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, role));
  command(family, 'remove', 'Remove a staff member, whose address is free again')
    .option('--organization <slug>', 'whose staff')
    .option('--email <address>', 'which staff member')
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, remove));
}

const create: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const email = await given(options.email, '--email', 'Email');
  if (emailKey(email) === undefined) throw wrongUsage(`${email} is no email address.`);
  const name = await given(options.name, '--name', 'Name');
  const wanted = await roleOf(options);
  const password = await givenPassword(options);
  if (password === undefined)
    throw wrongUsage('The password is missing. Add --password-stdin and send it on standard input.');
  const argon2 = await hashOf(installation, password, [name, email, organization.name]);
  const made = await installation.db.transaction(async (tx) => {
    const account = await createStaff(tx, installation, OPERATOR, organization.id, { email, name, role: wanted });
    if (!account) return new RolledBack(undefined);
    await storePassword(tx, installation, OPERATOR, account, argon2);
    return account;
  });
  if (!made) throw refused(`${email} belongs to a staff member already.`);
  return {
    text: `${name} is ${wanted} at ${organization.name} and signs in at /admin.`,
    data: { id: made.id, email: made.email, name, role: wanted, organization: organization.slug },
  };
};

const list: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const team = await teamOf(installation.db, organization.id);
  if (team.length === 0) return { text: 'No staff yet.', data: [] };
  const now = installation.now();
  const columns = ['Email', 'Name', 'Role', 'MFA', 'Last sign-in', 'State'];
  const rows = team.map((member) => [
    member.email,
    member.name,
    member.role,
    member.mfaSince === null ? 'not set up' : `on since ${moment(member.mfaSince)}`,
    moment(member.lastSignInAt),
    stateOf(member, now),
  ]);
  return { table: { columns, rows }, data: team.map((member) => dataOf(member, now)) };
};

const role: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const account = await accountOf(installation, organization, { ...options, staff: true });
  const wanted = await roleOf(options);
  await confirm(`${account.name} is signed out everywhere and becomes ${wanted}.`, account.email, options);
  const outcome = await changeRole(installation, OPERATOR, 'operator', account, wanted);
  switch (outcome.kind) {
    case 'changed':
      return {
        text: `${account.name} is ${wanted} now, and signed out everywhere.`,
        data: { id: account.id, email: account.email, role: wanted },
      };
    case 'same':
      throw refused(`${account.name} is ${wanted} already.`);
    case 'last-owner':
      throw lastOwner(account.name, organization.slug);
    case 'gone':
    case 'not-allowed':
      throw refused(`${account.name} has just been removed.`);
  }
};

const remove: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const account = await accountOf(installation, organization, { ...options, staff: true });
  await confirm(`${account.name} can no longer sign in, and is signed out everywhere.`, account.email, options);
  const outcome = await removeStaff(installation, OPERATOR, 'operator', account);
  switch (outcome.kind) {
    case 'removed':
      return {
        text: `${account.name} is no longer on the staff of ${organization.name}.`,
        data: { id: account.id, email: account.email, removed: true },
      };
    case 'last-owner':
      throw lastOwner(account.name, organization.slug);
    case 'gone':
    case 'not-allowed':
      throw refused(`${account.name} has just been removed.`);
  }
};

async function roleOf(options: Options): Promise<Role> {
  const text = (await given(options.role, '--role', `Role (${ROLES.join(', ')})`)) as Role;
  if (!ROLES.includes(text)) throw wrongUsage(`The role is one of ${ROLES.join(', ')}.`);
  return text;
}

function lastOwner(name: string, slug: string): Stopped {
  return refused(
    `${name} is the last owner who can sign in. Make somebody else an owner first.`,
    `sallyport staff role --organization ${slug} --role owner`,
  );
}

function stateOf(member: StaffMember, now: number): string {
  if (member.suspectedAt !== null) return 'locked: password may be stolen';
  if (member.waitUntil > now) return `locked until ${moment(member.waitUntil)}`;
  return member.passwordSetAt === null ? 'invited' : 'active';
}

function dataOf(member: StaffMember, now: number): Record<string, string | null> {
  return {
    id: member.id,
    name: member.name,
    email: member.email,
    role: member.role,
    state: stateOf(member, now),
    mfaSince: iso(member.mfaSince),
    lastSignInAt: iso(member.lastSignInAt),
  };
}
