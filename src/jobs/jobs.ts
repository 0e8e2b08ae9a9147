import type { Actor } from '../accounts/audit.ts';
import { record } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import type { JobKey } from '../accounts/job-parts.ts';
import type { Permission } from '../accounts/staff.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { sql, type Database, type Queries, type Transaction } from '../db/db.ts';

export type JobState = 'prepared' | 'waiting' | 'running' | 'finished' | 'stopped' | 'failed';

/** Numbers and plain words, kept as JSON. Never a secret: those lie in parts, sealed. */
export type Facts = Readonly<Record<string, string | number | null>>;

/** A job as its row tells it. */
export interface Job extends JobKey {
  readonly kind: string;
  readonly state: JobState;
  readonly actorKind: Actor['kind'];
  readonly actorId: string | null;
  readonly actorAddress: string | null;
  /** What is to be done, as the kind wrote it at the start; it never changes. */
  readonly plan: Facts;
  /** Where the next bite begins, in the kind's own words; '' at first. */
  readonly cursor: string;
  readonly total: number;
  readonly done: number;
  /** How many of the done ones could not be done as asked. */
  readonly errors: number;
  readonly result: Facts;
  /** Why it was stopped or has failed: 'asked', 'not-allowed', or the reference in the log. */
  readonly why: string | null;
  readonly stopAskedAt: number | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** How far a bite has come. Counts are what this bite adds; `result` replaces what it names. */
export interface Bite {
  readonly cursor: string;
  readonly done: number;
  readonly errors?: number;
  /** For those who learn the number on the way. */
  readonly total?: number;
  readonly result?: Facts;
  readonly ended: boolean;
}

/** One sort of work. The list is `kinds.ts`. */
export interface JobKind {
  readonly name: string;
  /** What whoever started it must still be allowed to do with each bite, and whoever stops it too. */
  readonly permission: Permission;
  /** "Reset MFA for 214 contacts". */
  title(job: Job): string;
  /** What is counted: ['contact', 'contacts']. */
  readonly unit: readonly [one: string, many: string];
  /**
   * Does the next part, small enough for a fraction of a second, in the transaction that moves the job on: both commit
   * or neither. It may be run again after a lost race, so it does nothing but statements.
   */
  bite(tx: Transaction, installation: Installation, job: Job): Promise<Bite>;
  /** What else is to be said of what it has done so far, as a sentence. */
  remark?(job: Job): string | undefined;
  /** A file that can be fetched once the job has ended, if there is one. */
  file?(job: Job): { readonly file: string; readonly name: string; readonly type: string } | undefined;
}

export interface JobDraft {
  readonly organizationId: string;
  readonly actor: Actor;
  readonly kind: string;
  readonly plan: Facts;
  /** How many there are to do; 0 where only the work will tell. */
  readonly total: number;
  readonly reason?: string;
}

/** Makes a job that nobody works on yet, for somebody to look at first; it is gone after a day. Answers its id. */
export async function prepareJob(tx: Transaction, { now }: Installation, draft: JobDraft): Promise<string> {
  const at = now();
  const id = uuidv7(at);
  const { organizationId, actor } = draft;
  const [actorId, address] = actor.kind === 'account' ? [actor.id, actor.address] : [null, null];
  await tx.run(sql`INSERT INTO jobs
    (organization_id, id, kind, state, actor_kind, actor_id, actor_address, plan, total, created_at)
    VALUES (${organizationId}, ${id}, ${draft.kind}, 'prepared', ${actor.kind}, ${actorId}, ${address},
      ${JSON.stringify(draft.plan)}, ${draft.total}, ${at})`);
  return id;
}

/** Starts a prepared job, for whoever says so now; false where it is not there, or was started already. */
export async function startPrepared(
  tx: Transaction,
  installation: Installation,
  { organizationId, id }: JobKey,
  { actor, total, plan, kind, reason }: Omit<JobDraft, 'organizationId'>,
): Promise<boolean> {
  const [actorId, address] = actor.kind === 'account' ? [actor.id, actor.address] : [null, null];
  const started = await tx.run(sql`UPDATE jobs SET state = 'waiting', actor_kind = ${actor.kind}, actor_id = ${actorId},
      actor_address = ${address}, plan = ${JSON.stringify(plan)}, total = ${total}
    WHERE organization_id = ${organizationId} AND id = ${id} AND kind = ${kind} AND state = 'prepared'`);
  if (started === 0) return false;
  await record(tx, installation, {
    organizationId,
    actor,
    action: 'job.started',
    targetId: id,
    ...(reason === undefined ? {} : { reason }),
    details: { kind, total },
  });
  return true;
}

/** Starts a job in the transaction of the act that asked for it; the server takes it up within a second. */
export async function startJob(tx: Transaction, installation: Installation, draft: JobDraft): Promise<string> {
  const id = await prepareJob(tx, installation, draft);
  await startPrepared(tx, installation, { organizationId: draft.organizationId, id }, draft);
  return id;
}

/** Asks for the end after the current bite. What is done stays done. False where it had ended already. */
export function stopJob(installation: Installation, actor: Actor, { organizationId, id }: JobKey): Promise<boolean> {
  return installation.db.transaction(async (tx) => {
    const asked = await tx.run(sql`UPDATE jobs SET stop_asked_at = ${installation.now()}
      WHERE organization_id = ${organizationId} AND id = ${id} AND state IN ('waiting', 'running')
        AND stop_asked_at IS NULL`);
    if (asked === 1) await record(tx, installation, { organizationId, actor, action: 'job.stopped', targetId: id });
    return asked === 1;
  });
}

/** Lets a stopped or failed job go on where it was, for whoever says so now. False where there is no such job. */
export function resumeJob(installation: Installation, actor: Actor, { organizationId, id }: JobKey): Promise<boolean> {
  const [actorId, address] = actor.kind === 'account' ? [actor.id, actor.address] : [null, null];
  return installation.db.transaction(async (tx) => {
    const resumed =
      await tx.run(sql`UPDATE jobs SET state = 'waiting', why = NULL, stop_asked_at = NULL, ended_at = NULL,
        actor_kind = ${actor.kind}, actor_id = ${actorId}, actor_address = ${address}
      WHERE organization_id = ${organizationId} AND id = ${id} AND state IN ('stopped', 'failed')`);
    if (resumed === 1)
      await record(tx, installation, { organizationId, actor, action: 'job.started', targetId: id, result: 'resumed' });
    return resumed === 1;
  });
}

export async function findJob(db: Pick<Queries, 'one'>, { organizationId, id }: JobKey): Promise<Job | undefined> {
  const row = await db.one<JobRow>(
    sql`SELECT ${JOB_COLUMNS} FROM jobs j WHERE j.organization_id = ${organizationId} AND j.id = ${id}`,
  );
  return row && read(row);
}

/** An organization's jobs that were started, the newest first; `before` is the last id of the page before. */
export async function listJobs(
  db: Database,
  organizationId: string,
  { before, limit = 25 }: { before?: string | undefined; limit?: number } = {},
): Promise<Job[]> {
  const older = before === undefined ? sql`` : sql`AND j.id < ${before}`;
  const rows = await db.all<JobRow>(sql`SELECT ${JOB_COLUMNS} FROM jobs j
    WHERE j.organization_id = ${organizationId} AND j.state <> 'prepared' ${older} ORDER BY j.id DESC LIMIT ${limit}`);
  return rows.map(read);
}

/** How long the files of a job that has ended, or was never started, are kept. */
export const FILES_KEPT_MS = 24 * 3_600_000;
/** How long a job that has ended is remembered. */
export const JOB_KEPT_MS = 90 * FILES_KEPT_MS;
const BITE = 500;

/** Takes away the files of yesterday's jobs, what was prepared and left, and jobs long over. */
export async function sweepJobs({ db, now }: Pick<Installation, 'db' | 'now'>): Promise<void> {
  const at = now();
  const files = sql`SELECT p.organization_id, p.id FROM job_parts p JOIN jobs j ON j.organization_id = p.organization_id AND j.id = p.job_id`;
  const bites = [
    sql`DELETE FROM job_parts WHERE (organization_id, id) IN (${files} WHERE j.ended_at <= ${at - FILES_KEPT_MS} LIMIT ${BITE})`,
    sql`DELETE FROM job_parts WHERE (organization_id, id) IN (${files}
      WHERE j.state = 'prepared' AND j.created_at <= ${at - FILES_KEPT_MS} LIMIT ${BITE})`,
    sql`DELETE FROM jobs WHERE (organization_id, id) IN (SELECT j.organization_id, j.id FROM jobs j
      WHERE ((j.state = 'prepared' AND j.created_at <= ${at - FILES_KEPT_MS}) OR j.ended_at <= ${at - JOB_KEPT_MS})
        AND NOT EXISTS (SELECT 1 FROM job_parts p WHERE p.organization_id = j.organization_id AND p.job_id = j.id) LIMIT ${BITE})`,
  ];
  for (const bite of bites) while ((await db.transaction((tx) => tx.run(bite))) === BITE);
}

type JobRow = Omit<Job, 'plan' | 'result'> & { readonly plan: string; readonly result: string };

/** The columns of a job, of jobs as `j`. */
export const JOB_COLUMNS = sql`j.organization_id AS "organizationId", j.id, j.kind, j.state, j.actor_kind AS "actorKind",
  j.actor_id AS "actorId", j.actor_address AS "actorAddress", j.plan, j.cursor, j.total, j.done, j.errors, j.result, j.why,
  j.stop_asked_at AS "stopAskedAt", j.created_at AS "createdAt", j.started_at AS "startedAt", j.ended_at AS "endedAt"`;

function read(row: JobRow): Job {
  return { ...row, plan: JSON.parse(row.plan) as Facts, result: JSON.parse(row.result) as Facts };
}

/** Whoever the job works for, as the audit log names them. */
export function actorOfJob({ actorKind, actorId, actorAddress }: Job): Actor {
  if (actorKind !== 'account') return { kind: actorKind };
  return { kind: 'account', id: actorId ?? '', address: actorAddress ?? '' };
}
