import { once } from 'node:events';
import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { createCustomer } from '../accounts/customers.ts';
import type { Installation } from '../accounts/installation.ts';
import { partsOf } from '../accounts/job-parts.ts';
import { TEMPLATE } from '../import/columns.ts';
import { checkFile, type Findings } from '../jobs/check-file.ts';
import { exportCustomers, startExport } from '../jobs/export-customers.ts';
import { discardFile, startImport } from '../jobs/import-customers.ts';
import { stageFile } from '../jobs/import-file.ts';
import { refusalOf } from '../jobs/import-refusals.ts';
import { findJob, type Job } from '../jobs/jobs.ts';
import { runToEnd, told } from './jobs.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { command, given, type Answer } from './shell.ts';
import { failed, Stopped, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('customer').description('Customers: whom an organization bills');
  command(family, 'create', 'Add a customer')
    .option('--organization <slug>', 'whose customer')
    .option('--name <name>', 'the business or person')
    .action(onInstallation(now, create));
  command(family, 'import', 'Take over customers and their contacts from a CSV file on standard input')
    .option('--organization <slug>', 'whose customers')
    .option('--update', 'change contacts that are there; without it they stay as they are')
    .option('--dry-run', 'only say what would change, and what cannot')
    .addHelpText(
      'after',
      `\nColumns: ${TEMPLATE.join(', ')}. Only email is needed; exports of Zoho Books are recognized.`,
    )
    .action(onInstallation(now, importing(now)));
  command(family, 'export', 'Write all contacts with their customers to standard output, as CSV')
    .option('--organization <slug>', 'whose customers')
    .action(onInstallation(now, exporting(now)));
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

function importing(now: () => number): Work {
  return async (installation, options) => {
    const { id: organizationId } = await organizationOf(installation, options);
    const whose = { organizationId, actor: OPERATOR };
    const updates = options.update === true;
    const file = { name: 'standard input', bytes: process.stdin };
    const staged = await stageFile(installation, whose, file, { updates });
    if (staged.kind !== 'staged') throw new Stopped(4, `${refusalOf(staged)}.`);
    const key = { organizationId, id: staged.id };
    const findings = await checkFile(installation, key);
    if (!findings) throw failed('The file was taken away while it was looked at.');
    if (options.dryRun) {
      await discardFile(installation, key);
      return foundAnswer(findings, 'Nothing was saved.');
    }
    const started = await startImport(installation, OPERATOR, key, { allOrNothing: false });
    if (started.kind !== 'started') {
      await discardFile(installation, key);
      return foundAnswer(findings, 'There was nothing to import.');
    }
    const ended = told(await runToEnd(installation, await jobOf(installation, key), now));
    return { ...ended, text: [ended.text, ...linesOf(findings)].join('\n  ') };
  };
}

function foundAnswer(findings: Findings, outcome: string): Answer {
  const { totals, problems } = findings;
  const text = [`${totalsOf(findings)}. ${outcome}`, ...linesOf(findings)].join('\n  ');
  return { text, data: { ...totals, problems }, exit: totals.wrong + totals.repeated > 0 ? 1 : 0 };
}

function totalsOf({ totals: { fresh, changed, unchanged, wrong, repeated } }: Findings): string {
  return `${fresh} new, ${changed} changed, ${unchanged} unchanged, ${wrong} with errors, ${repeated} repeated`;
}

function linesOf({ problems }: Findings): string[] {
  return problems.map(({ line, text }) => `Line ${line}: ${text}`);
}

function exporting(now: () => number): Work {
  return async (installation, options) => {
    if (options.json) throw wrongUsage('An export is CSV, and nothing else.');
    const { id: organizationId } = await organizationOf(installation, options);
    const id = await startExport(installation, OPERATOR, organizationId);
    const job = await runToEnd(installation, await jobOf(installation, { organizationId, id }), now);
    const file = exportCustomers.file?.(job);
    if (!file) throw failed(told(job).text ?? '');
    for await (const part of partsOf(installation.db, installation, job, file.file))
      if (!process.stdout.write(part)) await once(process.stdout, 'drain');
    return { data: { exported: job.done } };
  };
}

async function jobOf({ db }: Installation, key: Pick<Job, 'organizationId' | 'id'>): Promise<Job> {
  const job = await findJob(db, key);
  if (!job) throw failed('The job is gone.');
  return job;
}
