import { Argument, type Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { policyReach, saveGeneralSettings, type Organization, type Policy } from '../accounts/organizations.ts';
import { NOTE_MIN, resetMfa } from '../auth/recovery.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { command, confirm, given, type Answer } from './shell.ts';
import { refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('mfa').description('Multi-factor authentication (MFA)');
  command(family, 'policy', 'Show or change what an organization asks of all its customers')
    .addArgument(new Argument('[policy]', 'what to change it to').choices(['off', 'optional', 'required']))
    .option('--organization <slug>', 'whose policy')
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, policy));
  command(family, 'reset', 'Remove the MFA of one account, so that it can be set up again')
    .option('--organization <slug>', 'whose account')
    .option('--email <address>', 'whose MFA')
    .option('--reason <text>', `how you checked that it is them, ${NOTE_MIN} characters or more; goes to the audit log`)
    .option('--staff', 'a staff member, not a contact')
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, reset));
}

const policy: Work = async (installation, options, wanted) => {
  const organization = await organizationOf(installation, options);
  if (wanted === 'optional') throw wrongUsage('The policy optional comes later: choose off or required.');
  if (wanted !== undefined && wanted !== organization.policy) {
    await confirm(`This applies to all customers of ${organization.name}, at once.`, organization.slug, options);
    const saved = await saveGeneralSettings(installation, OPERATOR, organization, { policy: wanted as Policy });
    if (saved.kind !== 'saved') throw refused('Somebody else has changed the policy meanwhile: look at it again.');
  }
  const reach = await policyReach(installation.db, organization.id);
  return policyAnswer(organization, (wanted ?? organization.policy) as Policy, reach);
};

function policyAnswer(
  { slug, name }: Organization,
  now: Policy,
  reach: { enrolled: number; notEnrolled: number },
): Answer {
  const { enrolled, notEnrolled } = reach;
  const on = `MFA is on for all customers of ${name}. Contacts who use it: ${enrolled}. Asked at their next sign-in: ${notEnrolled}.`;
  const off = `MFA is off for customers of ${name}. Contacts who still need their code: ${enrolled}. Not asked: ${notEnrolled}.`;
  return { text: now === 'required' ? on : off, data: { organization: slug, policy: now, ...reach } };
}

const reset: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const account = await accountOf(installation, organization, options);
  const note = await given(options.reason, '--reason', 'How did you check that it is them?');
  if (note.length < NOTE_MIN)
    throw wrongUsage(`The reason has at least ${NOTE_MIN} characters: how did you check that it is them?`);
  await confirm(`This ends the MFA and all sessions of ${account.name}.`, account.email, options);
  const outcome = await resetMfa(installation, OPERATOR, 'operator', account, { check: 'other', note });
  switch (outcome.kind) {
    case 'reset':
      return {
        text: `MFA reset for ${account.email}. They are told at their next sign-in.`,
        data: { id: account.id, email: account.email, reset: true },
      };
    case 'no-mfa':
      throw refused(`${account.name} has not set up MFA: there is nothing to reset.`);
    case 'note-missing':
    case 'limited':
    case 'not-allowed':
      throw new Error(`the operator was refused: ${outcome.kind}`);
  }
};
