import { html } from 'hono/html';
import { may } from '../accounts/staff.ts';
import { partsOf } from '../accounts/job-parts.ts';
import { findJob, FILES_KEPT_MS, listJobs, resumeJob, stopJob, type Job } from '../jobs/jobs.ts';
import { kindOf } from '../jobs/kinds.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { forbiddenPage, notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, consolePage, counted } from './console.ts';

const JOBS = '/admin/jobs';
const PAGE = 25;
const REFRESHED_EVERY_S = 5;

type Kind = ReturnType<typeof kindOf>;

interface AtJob {
  readonly who: SignedIn;
  readonly job: Job;
  readonly kind: Kind;
}

/** Hands on the job that the path names, in the reader's own organization (I15). */
export function atJob(handler: (visit: Visit, at: AtJob) => Promise<Response> | Response) {
  return async (visit: Visit, who: SignedIn): Promise<Response> => {
    const job = await findJob(visit.installation.db, { organizationId: who.organization.id, id: visit.param('job') });
    return job && job.state !== 'prepared' ? handler(visit, { who, job, kind: kindOf(job) }) : notFoundPage(visit);
  };
}

/** Jobs: what takes longer than a page, the newest first. */
export async function list(visit: Visit, who: SignedIn): Promise<Response> {
  const before = visit.query('before') || undefined;
  const jobs = await listJobs(visit.installation.db, who.organization.id, { before, limit: PAGE + 1 });
  const shown = jobs.slice(0, PAGE);
  const last = shown.at(-1);
  const more = jobs.length > PAGE && last ? c.linkButton('Next', `${JOBS}?before=${last.id}`) : c.nothing;
  const body =
    shown.length === 0
      ? c.emptyState('No jobs yet. What takes longer than a moment, such as an import, shows here.')
      : html`${c.dataTable({
            id: 'jobs',
            caption: 'Jobs',
            columns: [{ label: 'Job' }, { label: 'State' }, { label: 'Done', end: true }, { label: 'Started' }],
            rows: shown.map((job) => row(who, job)),
          })}
          <nav class="actions" aria-label="Pages">${more}</nav>`;
  return consolePage(visit, who, { current: 'jobs', title: 'Jobs', body });
}

function row({ organization }: SignedIn, job: Job): c.Content[] {
  return [
    html`<a href="${JOBS}/${job.id}">${kindOf(job).title(job)}</a>`,
    statePill(job),
    job.done.toLocaleString('en-GB'),
    c.time(job.createdAt, organization),
  ];
}

const PILLS = {
  prepared: ['muted', 'Not started'],
  waiting: ['muted', 'Waiting'],
  running: ['warn', 'Running'],
  finished: ['ok', 'Finished'],
  stopped: ['muted', 'Stopped'],
  failed: ['danger', 'Failed'],
} as const;

function statePill(job: Job): c.Html {
  if (job.state === 'finished' && job.errors > 0)
    return c.pill('warn', `Finished with ${counted(job.errors, 'error', 'errors')}`);
  const [kind, word] = PILLS[job.state];
  return c.pill(kind, word);
}

/** One job: how far it is or what came of it, and what can be done about it. */
export function show(visit: Visit, at: AtJob): Promise<Response> {
  const { who, job, kind } = at;
  const open = job.endedAt === null;
  const goesOn = !open && job.state !== 'finished' && mayTouch(who, kind);
  const again = c.button('Go on', { kind: 'second' });
  const body = html`<section class="panel">${open ? underWay(visit, at) : outcome(visit, at)} ${facts(at)}</section>
    ${goesOn ? c.form(`${JOBS}/${job.id}/resume`, again, { busy: 'Starting…' }) : c.nothing}`;
  return consolePage(visit, who, {
    current: 'jobs',
    title: kind.title(job),
    phrase: 'Jobs',
    refresh: open ? REFRESHED_EVERY_S : undefined,
    body,
  });
}

function underWay(visit: Visit, { who, job, kind }: AtJob): c.Html {
  const stopping = job.stopAskedAt !== null;
  const button = c.form(`${JOBS}/${job.id}/stop`, c.button('Stop', { kind: 'second' }), { busy: 'Stopping…' });
  return html`<div data-says>
      <p>
        <progress
          value="${job.done}"
          max="${Math.max(1, job.total)}"
          aria-label="Progress"
          aria-describedby="progress-words"
          data-progress="${JOBS}/${job.id}/progress"
        ></progress>
      </p>
      <p id="progress-words">${progressWords(job, kind, visit.now)}</p>
      <p class="visually-hidden" role="status"></p>
    </div>
    <p>You can leave this page.</p>
    ${
      stopping
        ? html`<p>It stops after the current part. What is done stays done.</p>`
        : mayTouch(who, kind)
          ? html`${button}
              <p class="hint">
                Stops after the current part; ${counted(job.done, 'done stays done', 'done stay done')}.
              </p>`
          : c.nothing
    }`;
}

function progressWords(job: Job, { unit }: Kind, now: number): string {
  if (job.state === 'waiting') return 'Waiting for its turn.';
  if (job.total === 0) return `${counted(job.done, ...unit)} so far.`;
  const share = Math.floor((job.done / job.total) * 100);
  return `${thousands(job.done)} of ${thousands(job.total)} (${share} %).${timeLeft(job, now)}`;
}

function thousands(n: number): string {
  return n.toLocaleString('en-GB');
}

function timeLeft({ startedAt, done, total }: Job, now: number): string {
  const workedMs = startedAt === null ? 0 : now - startedAt;
  if (done === 0 || workedMs < 2_000) return '';
  const minutes = Math.ceil(((workedMs / done) * (total - done)) / 60_000);
  return minutes <= 1 ? ' Less than a minute left.' : ` About ${minutes} minutes left.`;
}

function outcome(visit: Visit, { who, job, kind }: AtJob): c.Html {
  const done = counted(job.done, `${kind.unit[0]} done`, `${kind.unit[1]} done`);
  const file = kind.file?.(job);
  return html`<p>
      ${statePill(job)} ${done}${job.errors === 0 ? '' : `, ${job.errors.toLocaleString('en-GB')} with errors`}.
      ${kind.remark?.(job) ?? ''}
    </p>
    ${WHY[job.why ?? ''] ?? (job.state === 'failed' ? failure(job) : c.nothing)}
    ${
      file && mayTouch(who, kind)
        ? isKept(job, visit.now)
          ? c.actions(c.linkButton('Download', `${JOBS}/${job.id}/file`, 'main'))
          : html`<p class="hint">Its file was kept for a day and is gone.</p>`
        : c.nothing
    }`;
}

const WHY: Readonly<Record<string, c.Html>> = {
  asked: html`<p>Somebody stopped it. What is done stays done.</p>`,
  'not-allowed': html`<p>It stopped because whoever started it may no longer do this. What is done stays done.</p>`,
};

function failure(job: Job): c.Html {
  return html`<p>
    Something went wrong. What is done stays done, and nothing after it was saved. Reference ${job.why}.
  </p>`;
}

function facts({ who, job }: AtJob): c.Html {
  const rows = [{ label: 'Started', value: c.time(job.createdAt, who.organization) }];
  if (job.endedAt !== null) rows.push({ label: 'Ended', value: c.time(job.endedAt, who.organization) });
  return c.summaryList(rows);
}

/** What the page asks for again and again while a job runs. */
export function progress(visit: Visit, { job, kind }: AtJob): Response {
  const { done, total } = job;
  const ended = job.endedAt !== null;
  return visit.json({ done, total: Math.max(1, total), ended, words: progressWords(job, kind, visit.now) });
}

/** The file that a job has made. */
export function download(visit: Visit, { who, job, kind }: AtJob): Promise<Response> | Response {
  const file = isKept(job, visit.now) ? kind.file?.(job) : undefined;
  if (!file) return visit.see(`${JOBS}/${job.id}`);
  if (!mayTouch(who, kind)) return forbiddenPage(visit, `Your role may not ${kind.permission}.`);
  const { db } = visit.installation;
  return visit.stream(partsOf(db, visit.installation, job, file.file), file.type, file.name);
}

function isKept({ endedAt }: Job, now: number): boolean {
  return endedAt !== null && now < endedAt + FILES_KEPT_MS;
}

export async function stop(visit: Visit, at: AtJob): Promise<Response> {
  const { who, job, kind } = at;
  await visit.form();
  if (!mayTouch(who, kind)) return forbiddenPage(visit, `Your role may not ${kind.permission}.`);
  await stopJob(visit.installation, actorOf(visit, who), job);
  return visit.see(`${JOBS}/${job.id}`);
}

/** Lets a job that was stopped, or has failed, go on where it was; the work is then done for whoever says so. */
export async function resume(visit: Visit, at: AtJob): Promise<Response> {
  const { who, job, kind } = at;
  await visit.form();
  if (!mayTouch(who, kind)) return forbiddenPage(visit, `Your role may not ${kind.permission}.`);
  const first = await proveFirst(visit, who, `let “${kind.title(job)}” go on`);
  if (first) return first;
  await resumeJob(visit.installation, actorOf(visit, who), job);
  return visit.see(`${JOBS}/${job.id}`);
}

// The guard of these routes is 'read'; which kind of job it is, only the row tells.
function mayTouch({ session }: SignedIn, kind: Kind): boolean {
  return session.provenBy !== 'backup-code' && may(session.account.role, kind.permission);
}
