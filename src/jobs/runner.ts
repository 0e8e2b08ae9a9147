import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { findAccount } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import type { JobKey } from '../accounts/job-parts.ts';
import { queueMail } from '../accounts/outbox.ts';
import { may } from '../accounts/staff.ts';
import { randomToken } from '../crypto/tokens.ts';
import { DatabaseUnavailable, RolledBack, sql, type Queries, type Transaction } from '../db/db.ts';
import { actorOfJob, findJob, type Bite, type Job, type JobKind } from './jobs.ts';
import { JOB_KINDS, kindNamed, kindOf } from './kinds.ts';

/** How long a job stays with a process that says nothing: one that was killed holds it no longer. */
export const JOB_LEASE_MS = 30_000;
/** Whoever started a job that took longer is told by mail that it is over. */
const TOLD_AFTER_MS = 60_000;
/** Then other jobs have their turn. */
const BITES_A_TURN = 25;
/** On SQLite every writer waits for every other: between bites whoever signs in has the file to himself. */
const PAUSE_MS = 5;

export interface Runner {
  /** Works on one job for a while; to be called again and again, not before the last call has ended. False: none waits. */
  readonly turn: () => Promise<boolean>;
  /** Works on this one job alone to its end, whatever that is; for commands. */
  readonly toEnd: (job: JobKey, watch: (job: Job) => void) => Promise<Job | undefined>;
  /** Ends a turn after its current bite and gives the job up, for another process to go on with at once. */
  readonly finish: () => Promise<void>;
}

/**
 * Works on jobs, a bite at a time. A job belongs to one process at a time by its lease; the bite's transaction begins by
 * renewing that lease on the job's row, which is its lock, and ends by moving its cursor. So several servers never do a
 * bite twice, and one that is killed, or loses its database, leaves a job that goes on where it was.
 */
export function openRunner(installation: Installation, kinds: readonly JobKind[] = JOB_KINDS): Runner {
  const { db } = installation;
  const holder = randomToken();
  const leaving = new AbortController();
  let working: Promise<unknown> = Promise.resolve();

  const work = async (key: JobKey, bites: number, watch: (job: Job) => void): Promise<void> => {
    for (let bite = 0; bite < bites && !leaving.signal.aborted; bite++) {
      const job = await nextBite(installation, holder, key, kinds);
      if (job) watch(job);
      if (job?.state !== 'running') return;
      await pause(PAUSE_MS);
    }
    await letGo(db, holder, key);
  };
  const turn = async (): Promise<boolean> => {
    if (leaving.signal.aborted) return false;
    const key = await takeUp(installation, holder, kinds);
    if (key) await work(key, BITES_A_TURN, () => undefined);
    return key !== undefined;
  };
  return {
    turn: () => {
      const turning = turn();
      working = turning.catch(() => undefined);
      return turning;
    },
    toEnd: async (key, watch) => {
      for (;;) {
        const job = await findJob(db, key);
        if (job === undefined || job.endedAt !== null) return job;
        if (await takeUpThis(installation, holder, key)) await work(key, Infinity, watch);
        else await pause(PAUSE_MS * 20);
      }
    },
    finish: async () => {
      leaving.abort();
      await working;
    },
  };
}

// The one that nobody has worked on for the longest, so that a long one does not hold up the short.
async function takeUp(
  installation: Installation,
  holder: string,
  kinds: readonly JobKind[],
): Promise<JobKey | undefined> {
  const now = installation.now();
  const open = await installation.db.all<
    JobKey & { kind: string }
  >(sql`SELECT j.organization_id AS "organizationId", j.id, j.kind
    FROM jobs j WHERE j.state IN ('waiting', 'running') AND j.held_until <= ${now} ORDER BY j.worked_at, j.id LIMIT 20`);
  for (const job of open) {
    if (kindNamed(job.kind, kinds) && (await takeUpThis(installation, holder, job))) return job;
  }
  return undefined;
}

async function takeUpThis({ db, now }: Installation, holder: string, { organizationId, id }: JobKey): Promise<boolean> {
  const at = now();
  const taken = await db.transaction((tx) =>
    tx.run(sql`UPDATE jobs SET state = 'running', holder = ${holder}, held_until = ${at + JOB_LEASE_MS}, worked_at = ${at},
        started_at = COALESCE(started_at, ${at})
      WHERE organization_id = ${organizationId} AND id = ${id} AND state IN ('waiting', 'running') AND held_until <= ${at}`),
  );
  return taken === 1;
}

async function letGo(db: Installation['db'], holder: string, { organizationId, id }: JobKey): Promise<void> {
  await db.transaction((tx) =>
    tx.run(sql`UPDATE jobs SET holder = NULL, held_until = 0
      WHERE organization_id = ${organizationId} AND id = ${id} AND holder = ${holder} AND state = 'running'`),
  );
}

/** Does one bite; answers the job as it is then, or undefined where it is no longer this process's. */
async function nextBite(
  installation: Installation,
  holder: string,
  key: JobKey,
  kinds: readonly JobKind[],
): Promise<Job | undefined> {
  try {
    const bite = async (tx: Transaction): Promise<Job | RolledBack<undefined> | undefined> => {
      const job = await held(tx, installation, holder, key);
      const kind = job && kindNamed(job.kind, kinds);
      if (!job || !kind) return new RolledBack(undefined);
      if (job.stopAskedAt !== null) return end(tx, installation, job, 'stopped', 'asked');
      if (!(await stillMay(tx, job, kind))) return end(tx, installation, job, 'stopped', 'not-allowed');
      return moveOn(tx, installation, job, await kind.bite(tx, installation, job));
    };
    // What others wait for behind its locks stays short; a slow disk is no reason to give a bite up.
    return await installation.db.transaction<Job | undefined>(bite, { patient: true });
  } catch (fault) {
    if (fault instanceof DatabaseUnavailable) throw fault;
    return fail(installation, holder, key, fault as Error);
  }
}

// The job's row is its lock: it is updated first, and read after that.
async function held(
  tx: Transaction,
  { now }: Installation,
  holder: string,
  { organizationId, id }: JobKey,
): Promise<Job | undefined> {
  const at = now();
  const mine = await tx.run(sql`UPDATE jobs SET held_until = ${at + JOB_LEASE_MS}, worked_at = ${at}
    WHERE organization_id = ${organizationId} AND id = ${id} AND holder = ${holder} AND state = 'running'`);
  return mine === 1 ? findJob(tx, { organizationId, id }) : undefined;
}

// Who was removed from the team, or may do less now, does no more through a job that was started before (ASVS 8.3.2).
async function stillMay(db: Pick<Queries, 'one'>, job: Job, kind: JobKind): Promise<boolean> {
  if (job.actorKind !== 'account') return true;
  const account = await findAccount(db, job.organizationId, job.actorId ?? '');
  return account !== undefined && account.disabledAt === null && may(account.role, kind.permission);
}

async function moveOn(tx: Transaction, installation: Installation, job: Job, bite: Bite): Promise<Job> {
  const { organizationId, id } = job;
  const moved: Job = {
    ...job,
    cursor: bite.cursor,
    total: bite.total ?? job.total,
    done: job.done + bite.done,
    errors: job.errors + (bite.errors ?? 0),
    result: { ...job.result, ...bite.result },
  };
  await tx.run(sql`UPDATE jobs SET cursor = ${moved.cursor}, total = ${moved.total}, done = ${moved.done},
      errors = ${moved.errors}, result = ${JSON.stringify(moved.result)}
    WHERE organization_id = ${organizationId} AND id = ${id}`);
  return bite.ended ? end(tx, installation, moved, 'finished', null) : moved;
}

async function end(
  tx: Transaction,
  installation: Installation,
  job: Job,
  state: 'finished' | 'stopped' | 'failed',
  why: string | null,
): Promise<Job> {
  const { organizationId, id, kind, done, errors } = job;
  const endedAt = installation.now();
  await tx.run(sql`UPDATE jobs SET state = ${state}, why = ${why}, ended_at = ${endedAt}, holder = NULL, held_until = 0
    WHERE organization_id = ${organizationId} AND id = ${id}`);
  await record(tx, installation, {
    organizationId,
    actor: actorOfJob(job),
    action: 'job.ended',
    targetId: id,
    result: state,
    details: { kind, done, errors },
  });
  await tellStarter(tx, installation, job, state, endedAt);
  return { ...job, state, why, endedAt };
}

// Whoever started what takes a while need not wait for it (R47).
async function tellStarter(
  tx: Transaction,
  installation: Installation,
  job: Job,
  state: string,
  endedAt: number,
): Promise<void> {
  const { organizationId, actorKind, actorId, startedAt, done, errors } = job;
  if (actorKind !== 'account' || actorId === null || endedAt - (startedAt ?? endedAt) <= TOLD_AFTER_MS) return;
  const facts = { at: endedAt, title: kindOf(job).title(job), state, done, errors };
  await queueMail(tx, installation, { organizationId, accountId: actorId, kind: 'job-ended', facts });
}

// What the bite began is undone. The log has the fault, the page a reference to it, and the job can go on.
async function fail(installation: Installation, holder: string, key: JobKey, fault: Error): Promise<Job | undefined> {
  const reference = randomUUID();
  installation.log.error('a job has failed', { reference, job: key.id, fault: fault.stack ?? fault.message });
  return installation.db.transaction<Job | undefined>(async (tx) => {
    const job = await held(tx, installation, holder, key);
    return job ? end(tx, installation, job, 'failed', reference) : new RolledBack(undefined);
  });
}
