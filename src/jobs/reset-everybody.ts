import type { Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { changePolicy, type Organization } from '../accounts/organizations.ts';
import { resetWithin } from '../auth/recovery.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { actorOfJob, startJob, type Bite, type Job, type JobKind } from './jobs.ts';

const NAME = 'reset-everybody';
/** Resets in one bite: some ten statements each, while every writer of an SQLite file waits. */
const BITE = 25;

/**
 * Disable and reset everybody, second half (D2): the reset of one contact, for each who has had MFA since before it was
 * confirmed. Whoever has set it up since then did so knowing, and keeps it.
 */
export const RESET_EVERYBODY: JobKind = {
  name: NAME,
  permission: 'act on many contacts at once',
  title: (job) => `Reset MFA for ${job.total.toLocaleString('en-GB')} ${job.total === 1 ? 'contact' : 'contacts'}`,
  unit: ['contact', 'contacts'],
  remark: ({ result }) => {
    const waiting = Number(result['waiting'] ?? 0);
    return waiting === 0 ? undefined : `${waiting.toLocaleString('en-GB')} asked for help and wait for an answer.`;
  },
  bite,
};

async function bite(tx: Transaction, installation: Installation, job: Job): Promise<Bite> {
  const { organizationId, cursor, plan } = job;
  const contacts = await tx.all<{ id: string }>(sql`SELECT a.id FROM accounts a
    WHERE ${enrolledBefore(organizationId, Number(plan['confirmedAt']))} AND a.id > ${cursor} ORDER BY a.id LIMIT ${BITE}`);
  let done = 0;
  let waiting = Number(job.result['waiting'] ?? 0);
  for (const { id } of contacts) {
    const target = { organizationId, id };
    const outcome = await resetWithin(tx, installation, actorOfJob(job), target, `Everybody: ${plan['reason']}`);
    if (outcome.kind === 'reset') done++;
    if (outcome.kind === 'help-waits') waiting++;
  }
  return { cursor: contacts.at(-1)?.id ?? cursor, done, result: { waiting }, ended: contacts.length < BITE };
}

/** Whom it would concern: how many contacts have MFA, with portal access or without, and the first of them by address. */
export async function whoHasMfa(
  db: Pick<Queries, 'one' | 'all'>,
  organizationId: string,
  first: number,
): Promise<{ contacts: number; names: { name: string; email: string }[] }> {
  const row = await db.one<{ contacts: number }>(
    sql`SELECT COUNT(*) AS contacts FROM accounts a WHERE ${enrolled(organizationId)}`,
  );
  const names = await db.all<{ name: string; email: string }>(sql`SELECT a.name, a.email FROM accounts a
    WHERE ${enrolled(organizationId)} ORDER BY a.email_key LIMIT ${first}`);
  return { contacts: row?.contacts ?? 0, names };
}

function enrolled(organizationId: string): Sql {
  return sql`a.organization_id = ${organizationId} AND a.customer_key IS NOT NULL AND a.mfa_since IS NOT NULL`;
}

function enrolledBefore(organizationId: string, at: number): Sql {
  return sql`${enrolled(organizationId)} AND a.mfa_since <= ${at}`;
}

export type DisabledForAll =
  | { kind: 'started'; jobId: string }
  /** One is under way already; it is not started twice. */
  | { kind: 'under-way'; jobId: string }
  /** It would concern another number of contacts than was confirmed. Nothing has changed. */
  | { kind: 'number-changed'; contacts: number };

/**
 * Disable and reset everybody, first half: the policy is off at once, and the job that resets whoever has MFA starts, both
 * or neither. `confirmed` is the number that was typed. The caller has asked for a fresh proof where the actor is a person.
 */
export function disableAndResetEverybody(
  installation: Installation,
  actor: Actor,
  organization: Organization,
  { confirmed, reason }: { confirmed: number; reason: string },
): Promise<DisabledForAll> {
  const organizationId = organization.id;
  return installation.db.transaction<DisabledForAll>(async (tx) => {
    // The organization's row is the lock: two who press at once start one job.
    await tx.run(sql`UPDATE organizations SET policy = policy WHERE id = ${organizationId}`);
    const open = await tx.one<{ id: string }>(sql`SELECT id FROM jobs WHERE organization_id = ${organizationId}
      AND kind = ${NAME} AND state IN ('waiting', 'running')`);
    if (open) return new RolledBack<DisabledForAll>({ kind: 'under-way', jobId: open.id });
    const { contacts } = await whoHasMfa(tx, organizationId, 0);
    if (contacts !== confirmed) return new RolledBack<DisabledForAll>({ kind: 'number-changed', contacts });
    await changePolicy(tx, installation, actor, organizationId, { policy: 'off', graceDays: null });
    const jobId = await startJob(tx, installation, {
      organizationId,
      actor,
      kind: NAME,
      plan: { confirmedAt: installation.now(), reason },
      total: contacts,
      reason,
    });
    return { kind: 'started', jobId };
  });
}
