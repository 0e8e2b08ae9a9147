import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { readAccent, saveBranding } from '../accounts/branding.ts';
import {
  createOrganization,
  isSlug,
  isTimeZone,
  ORGANIZATION_NAME_MAX,
  type Organization,
} from '../accounts/organizations.ts';
import { RolledBack } from '../db/db.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { command, given, type Answer } from './shell.ts';
import { refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('organization').description('Organizations: the merchants with a portal here');
  command(family, 'create', 'Add an organization, with MFA off')
    .option('--slug <slug>', 'its part of the portal’s address, /portal/{slug}')
    .option('--name <name>', 'what its customers see')
    .option('--contact-details <text>', 'how customers can reach it')
    .option('--time-zone <zone>', 'like Europe/London', Intl.DateTimeFormat().resolvedOptions().timeZone)
    .action(onInstallation(now, create));
  command(family, 'show', 'Show how an organization presents itself')
    .option('--organization <slug>', 'which one')
    .action(onInstallation(now, show));
  command(family, 'change', 'Change how an organization presents itself; what is not given stays')
    .option('--organization <slug>', 'which one')
    .option('--name <name>', 'what its customers see')
    .option('--contact-details <text>', 'how customers can reach it')
    .option('--time-zone <zone>', 'like Europe/London')
    .option('--accent <colour>', 'like #0f5a63, shifted on pages until it reads well; none for Sallyport’s own')
    .action(onInstallation(now, change));
}

const create: Work = async (installation, options) => {
  const slug = await given(options.slug, '--slug', 'Slug, its part of the portal’s address');
  if (!isSlug(slug)) throw wrongUsage('A slug has 1 to 40 small letters, digits and dashes, like acme-billing.');
  const name = await given(options.name, '--name', 'Name that customers see');
  const { timeZone = 'UTC', contactDetails = '' } = options;
  judge({ name, timeZone });
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

const show: Work = async (installation, options) => shown(await organizationOf(installation, options));

const change: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const { accent, timeZone } = options;
  const asked = {
    ...(options.name === undefined ? {} : { name: await given(options.name, '--name', '') }),
    ...(options.contactDetails === undefined ? {} : { contactDetails: options.contactDetails.trim() }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(accent === undefined ? {} : { accent: accent === 'none' ? null : colour(accent) }),
  };
  if (Object.keys(asked).length === 0)
    throw wrongUsage('Say what to change: --name, --contact-details, --time-zone or --accent.');
  judge(asked);
  await saveBranding(installation, OPERATOR, organization, asked);
  return shown({ ...organization, ...asked });
};

function judge({ name = '', timeZone = 'UTC' }: { name?: string; timeZone?: string }): void {
  if (name.length > ORGANIZATION_NAME_MAX) throw wrongUsage(`A name has at most ${ORGANIZATION_NAME_MAX} characters.`);
  if (!isTimeZone(timeZone)) throw wrongUsage(`${timeZone} is no time zone; one is Europe/London.`);
}

function colour(text: string): string {
  const accent = readAccent(text);
  if (accent === undefined) throw wrongUsage(`${text} is no colour; one is #0f5a63.`);
  return accent;
}

function shown({ slug, name, contactDetails, timeZone, accent, logoHash }: Organization): Answer {
  const rows = [
    ['Name', name],
    ['Portal', `/portal/${slug}`],
    ['Contact details', contactDetails || '–'],
    ['Time zone', timeZone],
    ['Accent colour', accent ?? 'Sallyport’s own'],
    ['Logo', logoHash === null ? 'none' : 'set'],
  ];
  return {
    table: { columns: ['Setting', 'Value'], rows },
    data: { slug, name, contactDetails, timeZone, accent, logo: logoHash !== null },
  };
}
