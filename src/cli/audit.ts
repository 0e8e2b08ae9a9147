import type { Command } from 'commander';
import { listAudit, type Action, type AuditFilter, type AuditRow } from '../accounts/audit.ts';
import { actorsMeant, startOfDay, targetMeant } from '../accounts/audit-filter.ts';
import { actionsOf, GROUPS, isAction, isGroup } from '../accounts/audit-groups.ts';
import type { Installation } from '../accounts/installation.ts';
import type { Organization } from '../accounts/organizations.ts';
import { verify } from './audit-verify.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { command, moment, iso, type Options } from './shell.ts';
import { notFound, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('audit').description('The audit log: what happened, to whom, by whom');
  command(family, 'list', 'List what happened, the newest first')
    .option('--organization <slug>', 'whose log')
    .option('--email <address>', 'only what concerns this account')
    .option('--staff', 'the account is a staff member, not a contact')
    .option('--who <words>', 'only what they did: an id, or the beginning of a name or email of staff')
    .option('--what <group>', `only ${GROUPS.join(', ')}, or one action such as mfa.reset`)
    .option('--whom <words>', 'only what concerns them: an id, or an email')
    .option('--from <day>', 'from this day on, such as 2026-11-24, in the time zone of the organization')
    .option('--to <day>', 'up to the end of this day')
    .option('--address <address>', 'only what came from there')
    .option('--limit <number>', 'how many rows', '50')
    .option('--before <id>', 'only rows older than this one')
    .action(onInstallation(now, list));
  command(family, 'verify', 'Look for rows that were changed, put in or cut out')
    .option('--organization <slug>', 'only this organization’s')
    .option('--heads <file>', 'the saved log of the server, whose heads show a missing tail')
    .action(onInstallation(now, verify));
}

const list: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw wrongUsage('--limit is a number from 1 to 10000.');
  const rows = await listAudit(installation.db, organization.id, {
    ...(await filterOf(installation, organization, options)),
    limit,
  });
  const columns = ['Time', 'Who', 'What', 'Whom', 'Result', 'From', 'Reason'];
  return {
    table: {
      columns,
      rows: rows.map((row) => [
        moment(row.at),
        actorOf(row),
        row.action,
        row.targetName ?? row.targetId ?? '',
        row.result,
        row.address ?? '',
        row.reason ?? '',
      ]),
    },
    data: rows.map((row) => ({ ...row, at: iso(row.at), details: JSON.parse(row.details) as unknown })),
  };
};

async function filterOf(
  installation: Installation,
  organization: Organization,
  options: Options,
): Promise<AuditFilter> {
  const { db } = installation;
  const { id } = organization;
  const { before, who, what, whom, from, to, address, email } = options;
  const targetId = whom === undefined ? undefined : await targetMeant(db, id, whom);
  if (whom !== undefined && targetId === undefined)
    throw notFound(`Nobody has the email ${whom}.`, `sallyport contact list --organization ${organization.slug}`);
  return {
    before,
    address,
    actorIds: who === undefined ? undefined : await actorsMeant(db, id, who),
    actions: what === undefined ? undefined : actionsIn(what),
    targetId: email === undefined ? targetId : (await accountOf(installation, organization, options)).id,
    from: from === undefined ? undefined : day('--from', from, organization),
    to: to === undefined ? undefined : day('--to', to, organization, 1),
  };
}

function actionsIn(what: string): Action[] {
  if (isGroup(what)) return actionsOf(what);
  if (isAction(what)) return [what];
  throw wrongUsage(`--what is ${GROUPS.join(', ')} or an action.`);
}

function day(option: string, typed: string, { timeZone }: Organization, daysLater = 0): number {
  const start = startOfDay(typed, timeZone, daysLater);
  if (start === undefined) throw wrongUsage(`${option} is a day such as 2026-11-24.`);
  return start;
}

function actorOf(row: AuditRow & { actorName: string | null }): string {
  if (row.actorKind === 'operator') return 'operator at the shell';
  return row.actorName ?? row.actorId ?? row.actorKind;
}
