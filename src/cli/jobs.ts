import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { findJob, listJobs, resumeJob, stopJob, type Job } from '../jobs/jobs.ts';
import { kindOf } from '../jobs/kinds.ts';
import { openRunner } from '../jobs/runner.ts';
import { onInstallation, organizationOf, type Work } from './open.ts';
import { showProgress } from './progress.ts';
import { command, iso, moment, type Answer, type Options } from './shell.ts';
import { notFound, refused, wrongUsage } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program
    .command('jobs')
    .description('Work that is longer than a moment: imports, exports, acts on many');
  command(family, 'list', 'List the jobs, the newest first')
    .option('--organization <slug>', 'whose jobs')
    .option('--limit <number>', 'how many', '25')
    .action(onInstallation(now, list));
  const one = (name: string, description: string, act: Work): Command =>
    command(family, `${name} <id>`, description)
      .option('--organization <slug>', 'whose job')
      .action(onInstallation(now, act));
  one('show', 'Show one job', show);
  one('run', 'Work on a job here until it has ended, with or without a server', runHere(now));
  one('stop', 'Stop a job after its current part', stop);
  one('resume', 'Let a stopped or failed job go on', resume);
}

const list: Work = async (installation, options) => {
  const organization = await organizationOf(installation, options);
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) throw wrongUsage('--limit is a number from 1 to 1000.');
  const jobs = await listJobs(installation.db, organization.id, { limit });
  return {
    table: {
      columns: ['Job', 'What', 'State', 'Done', 'Of', 'Errors', 'Started'],
      rows: jobs.map((job) => [
        job.id,
        titleOf(job),
        job.state,
        String(job.done),
        String(job.total),
        String(job.errors),
        moment(job.createdAt),
      ]),
    },
    data: jobs.map(dataOf),
  };
};

const show: Work = async (installation, options, id) => told(await jobOf(installation, options, id));

function runHere(now: () => number): Work {
  return async (installation, options, id) => {
    const job = await jobOf(installation, options, id);
    return told(await runToEnd(installation, job, now));
  };
}

/** Works on a job here until it has ended, whoever does it, and shows how far it is. */
export async function runToEnd(installation: Installation, job: Job, now: () => number): Promise<Job> {
  const shown = showProgress(now);
  const ended = await openRunner(installation).toEnd(job, ({ done, total }) => shown(titleOf(job), done, total));
  return ended ?? job;
}

const stop: Work = async (installation, options, id) => {
  const job = await jobOf(installation, options, id);
  if (!(await stopJob(installation, OPERATOR, job))) throw refused('The job has ended already, or was told to stop.');
  return { text: 'It stops after its current part. What is done stays done.', data: { stopped: job.id } };
};

const resume: Work = async (installation, options, id) => {
  const job = await jobOf(installation, options, id);
  if (!(await resumeJob(installation, OPERATOR, job))) throw refused('Only a stopped or failed job can go on.');
  return {
    text: `It goes on. A running server takes it up, or: sallyport jobs run ${job.id}`,
    data: { resumed: job.id },
  };
};

async function jobOf(installation: Installation, options: Options, id = ''): Promise<Job> {
  const organization = await organizationOf(installation, options);
  const job = await findJob(installation.db, { organizationId: organization.id, id });
  if (!job) throw notFound(`No job has the id ${id}.`, `sallyport jobs list --organization ${organization.slug}`);
  return job;
}

/** What a job has come to, as a command answers it: 1 where it did not finish, or not without errors. */
export function told(job: Job): Answer {
  const { state, done, total, errors } = job;
  const of = total === 0 ? '' : ` of ${total}`;
  const wrong = errors === 0 ? '' : ` ${errors} with errors.`;
  const open = job.endedAt === null;
  return {
    text: `${titleOf(job)}: ${state}. ${done}${of} done.${wrong}`,
    data: dataOf(job),
    exit: open || (state === 'finished' && errors === 0) ? 0 : 1,
  };
}

function titleOf(job: Job): string {
  return kindOf(job).title(job);
}

function dataOf({ id, kind, state, done, total, errors, result, why, createdAt, endedAt }: Job): object {
  const ended = endedAt === null ? null : iso(endedAt);
  return { id, kind, state, done, total, errors, result, why, started: iso(createdAt), ended };
}
