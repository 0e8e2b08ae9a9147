import type { Command } from 'commander';
import { listAudit, type AuditRow } from '../accounts/audit.ts';
import { verify } from './audit-verify.ts';
import { accountOf, onInstallation, organizationOf, type Work } from './open.ts';
import { command, moment, iso } from './shell.ts';
import { wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('audit').description('The audit log: what happened, to whom, by whom');
  command(family, 'list', 'List what happened, the newest first')
    .option('--organization <slug>', 'whose log')
    .option('--email <address>', 'only what concerns this account')
    .option('--staff', 'the account is a staff member, not a contact')
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
    limit,
    ...(options.before === undefined ? {} : { before: options.before }),
    ...(options.email === undefined ? {} : { targetId: (await accountOf(installation, organization, options)).id }),
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

function actorOf(row: AuditRow & { actorName: string | null }): string {
  if (row.actorKind === 'operator') return 'operator at the shell';
  return row.actorName ?? row.actorId ?? row.actorKind;
}
