import { Argument, type Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import {
  GRACE_DAYS,
  policyReach,
  saveGeneralSettings,
  type AskedOfAll,
  type Organization,
  type Policy,
} from '../accounts/organizations.ts';
import { NOTE_MIN, resetMfa } from '../auth/recovery.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { command, confirm, given, type Answer, type Options } from './shell.ts';
import { refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('mfa').description('Multi-factor authentication (MFA)');
  command(family, 'policy', 'Show or change what an organization asks of all its customers')
    .addArgument(new Argument('[policy]', 'what to change it to').choices(['off', 'optional', 'required']))
    .option('--organization <slug>', 'whose policy')
    .option('--grace-days <n>', 'with required: how many days customers have for it, from their next sign-in on')
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
  const graceDays = graceDaysOf(options, wanted);
  if (wanted === undefined) return policyAnswer(installation, organization, organization);
  const asked: AskedOfAll = { policy: wanted as Policy, graceDays };
  if (asked.policy !== organization.policy || graceDays !== organization.graceDays) {
    await confirm(`This applies to all customers of ${organization.name}, at once.`, organization.slug, options);
    const saved = await saveGeneralSettings(installation, OPERATOR, organization, asked);
    if (saved.kind !== 'saved') throw refused('Somebody else has changed the policy meanwhile: look at it again.');
  }
  return policyAnswer(installation, organization, asked);
};

function graceDaysOf({ graceDays }: Options, wanted: string | undefined): number | null {
  if (graceDays === undefined) return null;
  if (wanted !== 'required') throw wrongUsage('--grace-days goes with the policy required.');
  const days = /^\d{1,3}$/.test(graceDays) ? Number(graceDays) : 0;
  if (days < GRACE_DAYS.min || days > GRACE_DAYS.max)
    throw wrongUsage(`--grace-days is a number of days from ${GRACE_DAYS.min} to ${GRACE_DAYS.max}.`);
  return days;
}

async function policyAnswer(
  { db }: Installation,
  { id, slug, name }: Organization,
  { policy: today, graceDays }: AskedOfAll,
): Promise<Answer> {
  const { enrolled, notEnrolled } = await policyReach(db, id);
  const when =
    graceDays === null
      ? 'at their next sign-in'
      : `within ${graceDays} ${graceDays === 1 ? 'day' : 'days'} of their next sign-in`;
  const text = {
    required: `MFA is on for all customers of ${name}. Contacts who use it: ${enrolled}. Asked ${when}: ${notEnrolled}.`,
    optional: `MFA is offered to all customers of ${name}. Contacts who use it: ${enrolled}. Offered it: ${notEnrolled}.`,
    off: `MFA is off for customers of ${name}. Contacts who still need their code: ${enrolled}. Not asked: ${notEnrolled}.`,
  }[today];
  return { text, data: { organization: slug, policy: today, graceDays, enrolled, notEnrolled } };
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
    case 'help-waits':
    case 'note-missing':
    case 'limited':
    case 'not-allowed':
      throw new Error(`the operator was refused: ${outcome.kind}`);
  }
};
