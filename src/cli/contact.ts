import type { Command } from 'commander';
import { findAccount } from '../accounts/accounts.ts';
import { OPERATOR } from '../accounts/audit.ts';
import { contactsWhere, insertContact, type Contact, type ContactOutcome } from '../accounts/contacts.ts';
import { findCustomer, type Customer } from '../accounts/customers.ts';
import type { Installation } from '../accounts/installation.ts';
import type { Organization } from '../accounts/organizations.ts';
import { CODES_PER_SET } from '../auth/limits.ts';
import { storePassword } from '../auth/passwords.ts';
import { RolledBack, sql } from '../db/db.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { hashOf } from './password.ts';
import { command, given, givenPassword, iso, moment, type Options } from './shell.ts';
import { notFound, refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('contact').description('Contacts: the people who sign in to a portal');
  command(family, 'create', 'Add a contact to a customer')
    .option('--organization <slug>', 'whose portal')
    .option('--customer <id>', 'whose contact')
    .option('--email <address>', 'what they sign in with')
    .option('--name <name>', 'what others see')
    .option('--phone <number>', 'where they can be called')
    .option('--password-stdin', 'read a first password from standard input')
    .action(onInstallation(now, create));
  command(family, 'show', 'Show a contact')
    .option('--organization <slug>', 'whose portal')
    .option('--email <address>', 'which contact')
    .action(onInstallation(now, show));
  command(family, 'list', 'List the contacts of an organization')
    .option('--organization <slug>', 'whose portal')
    .option('--customer <id>', 'only of this customer')
    .action(onInstallation(now, list));
}

const create: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const customer = await customerOf(installation, organization, options);
  const email = await given(options.email, '--email', 'Email');
  const name = await given(options.name, '--name', 'Name');
  const password = options.passwordStdin ? await givenPassword(options) : undefined;
  const argon2 =
    password === undefined ? undefined : await hashOf(installation, password, [name, email, organization.name]);
  const draft = { email, name, phone: options.phone?.trim() || null };
  const made = await installation.db.transaction<ContactOutcome>(async (tx) => {
    const outcome = await insertContact(tx, installation, OPERATOR, customer, draft);
    if (outcome.kind !== 'saved') return new RolledBack(outcome);
    const account = await findAccount(tx, organization.id, outcome.id);
    if (account && argon2 !== undefined) await storePassword(tx, installation, OPERATOR, account, argon2);
    return outcome;
  });
  switch (made.kind) {
    case 'email-shape':
      throw wrongUsage(`${email} is no email address.`);
    case 'email-taken':
      throw refused(
        `${email} belongs to a contact already.`,
        `sallyport contact show --organization ${organization.slug} --email ${email}`,
      );
    case 'saved': {
      const portal = `/portal/${organization.slug}`;
      const text =
        argon2 === undefined
          ? `${name} has no password yet: make a welcome link in the console.`
          : `${name} signs in at ${portal}.`;
      return { text, data: { id: made.id, name, email, customerId: customer.id, portal } };
    }
  }
};

const show: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const account = await accountOf(installation, organization, options);
  const [contact] = await contactsWhere(installation.db, organization.id, sql`a.id = ${account.id}`);
  if (!contact) throw new Error('a contact was there and is not');
  const customer = await findCustomer(installation.db, organization.id, contact.customerId);
  const facts = Object.entries({
    Name: contact.name,
    Email: contact.email,
    Phone: contact.phone ?? '–',
    Customer: `${customer?.name} (${contact.customerId})`,
    'Portal access': accessOf(contact),
    MFA: contact.mfaSince === null ? 'not set up' : `on since ${moment(contact.mfaSince)}`,
    'Backup codes left': codesOf(contact),
    'Last sign-in': moment(contact.lastSignInAt),
    'Wait for codes': contact.waitUntil > installation.now() ? `until ${moment(contact.waitUntil)}` : 'none',
    Id: contact.id,
  });
  return { text: facts.map(([label, value]) => `${label.padEnd(20)}${value}`).join('\n'), data: dataOf(contact) };
};

const list: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const customer = options.customer === undefined ? undefined : await customerOf(installation, organization, options);
  const condition = customer ? sql`a.customer_id = ${customer.id}` : sql`1 = 1`;
  const contacts = await contactsWhere(installation.db, organization.id, condition);
  const columns = ['Email', 'Name', 'Portal access', 'MFA', 'Codes left', 'Last sign-in'];
  const rows = contacts.map((contact) => [
    contact.email,
    contact.name,
    accessOf(contact),
    contact.mfaSince === null ? 'not set up' : 'on',
    codesOf(contact),
    moment(contact.lastSignInAt),
  ]);
  if (rows.length === 0) return { text: 'No contacts yet.', data: [] };
  return { table: { columns, rows }, data: contacts.map(dataOf) };
};

async function customerOf({ db }: Installation, organization: Organization, options: Options): Promise<Customer> {
  const id = await given(options.customer, '--customer', 'Id of the customer');
  const customer = await findCustomer(db, organization.id, id);
  if (!customer)
    throw notFound(`No customer has the id ${id}.`, `sallyport customer create --organization ${organization.slug}`);
  return customer;
}

function accessOf(contact: Contact): string {
  if (contact.disabledAt !== null) return 'off';
  if (contact.suspectedAt !== null) return 'locked: password may be stolen';
  return contact.passwordSetAt === null ? 'no password yet' : 'on';
}

function codesOf({ mfaSince, backupCodesLeft }: Contact): string {
  return mfaSince === null ? '–' : `${backupCodesLeft ?? 0} of ${CODES_PER_SET}`;
}

function dataOf(contact: Contact): Record<string, string | number | null> {
  return {
    id: contact.id,
    name: contact.name,
    email: contact.email,
    phone: contact.phone,
    customerId: contact.customerId,
    portalAccess: accessOf(contact),
    mfaSince: iso(contact.mfaSince),
    backupCodesLeft: contact.backupCodesLeft,
    lastSignInAt: iso(contact.lastSignInAt),
  };
}
