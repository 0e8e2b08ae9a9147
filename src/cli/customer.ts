import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { createCustomer } from '../accounts/customers.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { command, given } from './shell.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('customer').description('Customers: whom an organization bills');
  command(family, 'create', 'Add a customer')
    .option('--organization <slug>', 'whose customer')
    .option('--name <name>', 'the business or person')
    .action(onInstallation(now, create));
}

const create: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const name = await given(options.name, '--name', 'Name of the customer');
  const { id } = await createCustomer(installation, OPERATOR, organization.id, name);
  const next = `sallyport contact create --organization ${organization.slug} --customer ${id}`;
  return {
    text: `${name} is customer ${id}. Now a contact: ${next}`,
    data: { id, name, organization: organization.slug },
  };
};
