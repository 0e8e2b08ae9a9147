import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { createOrganization, isSlug, isTimeZone, ORGANIZATION_NAME_MAX } from '../accounts/organizations.ts';
import { RolledBack } from '../db/db.ts';
import { onInstallation, type Work } from './open.ts';
import { command, given } from './shell.ts';
import { refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('organization').description('Organizations: the merchants with a portal here');
  command(family, 'create', 'Add an organization, with MFA off')
    .option('--slug <slug>', 'its part of the portal’s address, /portal/{slug}')
    .option('--name <name>', 'what its customers see')
    .option('--contact-details <text>', 'how customers can reach it')
    .option('--time-zone <zone>', 'like Europe/London', Intl.DateTimeFormat().resolvedOptions().timeZone)
    .action(onInstallation(now, create));
}

const create: Work = async (installation, options) => {
  const slug = await given(options.slug, '--slug', 'Slug, its part of the portal’s address');
  if (!isSlug(slug)) throw wrongUsage('A slug has 1 to 40 small letters, digits and dashes, like acme-billing.');
  const name = await given(options.name, '--name', 'Name that customers see');
  if (name.length > ORGANIZATION_NAME_MAX) throw wrongUsage(`A name has at most ${ORGANIZATION_NAME_MAX} characters.`);
  const { timeZone = 'UTC', contactDetails = '' } = options;
  if (!isTimeZone(timeZone)) throw wrongUsage(`${timeZone} is no time zone; one is Europe/London.`);
  const organization = await installation.db.transaction(async (tx) => {
    const draft = { slug, name, timeZone, contactDetails: contactDetails.trim() };
    return (await createOrganization(tx, installation, OPERATOR, draft)) ?? new RolledBack(undefined);
  });
  if (!organization) throw refused(`The slug ${slug} is taken.`);
  const next = `sallyport staff create --organization ${slug} --role owner`;
  return {
    text: `${name} has its portal at /portal/${slug}. Now its owner: ${next}`,
    data: { id: organization.id, slug, name, portal: `/portal/${slug}` },
  };
};
