import type { Actor } from '../accounts/audit.ts';
import { record } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { queueMail } from '../accounts/outbox.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { isOpen, type HelpDraft } from './asking-for-help.ts';
import {
  agentRefused,
  mayResetNow,
  NOTE_MIN,
  reasonText,
  resetWithin,
  type Agent,
  type AgentRefused,
  type NotReset,
  type ResetReason,
} from './recovery.ts';

const DAY_MS = 86_400_000;
/** How far back other requests make one look odd. */
const LATELY_MS = 30 * DAY_MS;

/** A request for help as staff see it: what was written is a stranger's word, whom to call stands in the account. */
export interface RecoveryRequest extends HelpDraft {
  readonly id: string;
  readonly accountId: string;
  readonly customerId: string;
  readonly name: string;
  readonly email: string;
  readonly phoneOnFile: string | null;
  readonly address: string;
  readonly userAgent: string;
  readonly createdAt: number;
  readonly waitEndsAt: number;
  readonly state: 'open' | 'approved' | 'refused' | 'cancelled' | 'expired';
  readonly endedAt: number | null;
  readonly reason: string | null;
  readonly hints: Hints;
}

/** What makes a request look like somebody else's. */
export interface Hints {
  /** It came from a network from which they have never signed in, or not since their password changed. */
  readonly isStrange: boolean;
  readonly passwordIsNew: boolean;
  /** How many other contacts were asked for from there in a month. */
  readonly othersFromThere: number;
  /** How many times this contact has asked in a month, this time too. */
  readonly timesAsked: number;
}

type Row = Omit<RecoveryRequest, 'hints'> & { strange: number; fresh: number; others: number; times: number };

/** The open requests of an organization, the oldest first, from behind an id on. */
export async function openRequests(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  now: number,
  { after = '', limit }: { readonly after?: string; readonly limit: number },
): Promise<RecoveryRequest[]> {
  const open = sql`${isOpen(now)} AND r.id > ${after}`;
  return (await requests(db, organizationId, open, limit)).map(withHints);
}

/** How many wait for an answer, counted up to `most`: a number beside a link, not a census. */
export async function countOpenRequests(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  now: number,
  most: number,
): Promise<number> {
  const row = await db.one<{ open: number }>(sql`SELECT COUNT(*) AS open FROM (SELECT 1 AS one FROM recovery_requests r
    JOIN accounts a ON a.organization_id = r.organization_id AND a.id = r.account_id
    WHERE r.organization_id = ${organizationId} AND ${isOpen(now)} LIMIT ${most}) o`);
  return row?.open ?? 0;
}

/** One request of an organization, answered or not, or undefined. One that was overtaken reads as cancelled. */
export async function findRequest(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  id: string,
  now: number,
): Promise<RecoveryRequest | undefined> {
  const [row] = await requests(db, organizationId, sql`r.id = ${id}`, 1);
  if (!row) return undefined;
  const [open] = await requests(db, organizationId, sql`r.id = ${id} AND ${isOpen(now)}`, 1);
  return withHints(row.state === 'open' && !open ? { ...row, state: 'cancelled' } : row);
}

function requests(db: Pick<Queries, 'all'>, organizationId: string, condition: Sql, limit: number): Promise<Row[]> {
  return db.all(sql`SELECT r.id, r.account_id AS "accountId", a.customer_id AS "customerId", a.name, a.email,
      a.phone AS "phoneOnFile", r.why, r.story, r.phone, r.address, r.user_agent AS "userAgent",
      r.created_at AS "createdAt", r.wait_ends_at AS "waitEndsAt", r.state, r.ended_at AS "endedAt", r.reason,
      CASE WHEN EXISTS (SELECT 1 FROM known_addresses k WHERE k.organization_id = r.organization_id
        AND k.account_id = r.account_id AND k.address = r.network) THEN 0 ELSE 1 END AS strange,
      CASE WHEN a.password_set_at > r.created_at - ${DAY_MS} THEN 1 ELSE 0 END AS fresh,
      (SELECT COUNT(DISTINCT o.account_id) FROM recovery_requests o WHERE o.organization_id = r.organization_id
        AND o.network = r.network AND o.created_at > r.created_at - ${LATELY_MS} AND o.account_id <> r.account_id) AS others,
      (SELECT COUNT(*) FROM recovery_requests o WHERE o.organization_id = r.organization_id
        AND o.account_id = r.account_id AND o.created_at > r.created_at - ${LATELY_MS}) AS times
    FROM recovery_requests r JOIN accounts a ON a.organization_id = r.organization_id AND a.id = r.account_id
    WHERE r.organization_id = ${organizationId} AND ${condition} ORDER BY r.id LIMIT ${limit}`);
}

function withHints({ strange, fresh, others, times, ...request }: Row): RecoveryRequest {
  const hints = {
    isStrange: strange === 1,
    passwordIsNew: fresh === 1,
    othersFromThere: others,
    timesAsked: times,
  };
  return { ...request, hints };
}

/** Outcomes of answering a request; whatever was refused changed nothing. */
export type AnswerOutcome =
  | { kind: 'done' }
  /** The wait that the organization has set runs until then. */
  | { kind: 'waits'; until: number }
  /** It was answered or cancelled meanwhile, or their account has changed. */
  | { kind: 'over' }
  | { kind: 'note-missing' }
  | AgentRefused
  | Extract<NotReset, { kind: 'no-mfa' }>;

type Of = Pick<RecoveryRequest, 'id' | 'accountId'>;

/**
 * Approve and reset: only while the request is open and only after its wait, both decided by the one statement that takes
 * it, under the account's lock. A code that worked first has cancelled it; one that comes later finds no authenticator.
 * The caller has asked for a fresh proof.
 */
export function approve(
  installation: Installation,
  actor: Actor,
  agent: Agent,
  { id, accountId }: Of,
  reason: ResetReason,
): Promise<AnswerOutcome> {
  const { organizationId } = agent;
  const target = { organizationId, id: accountId };
  return installation.db.transaction<AnswerOutcome>(async (tx) => {
    const now = installation.now();
    if (reason.check === 'other' && reason.note.trim().length < NOTE_MIN) return unchanged({ kind: 'note-missing' });
    await lock(tx, target);
    const refused = await agentRefused(tx, installation, agent, target);
    if (refused) return unchanged(refused);
    const text = reasonText(reason);
    const taken = await take(tx, target, { id, state: 'approved', by: agent.id, reason: text }, now);
    if (taken.kind !== 'taken') return unchanged(taken);
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'recovery.approved',
      targetId: accountId,
      reason: text,
    });
    const reset = await resetWithin(tx, installation, actor, target, text);
    if (reset.kind === 'help-waits') return unchanged({ kind: 'waits', until: reset.until });
    return reset.kind === 'reset' ? { kind: 'done' } : unchanged(reset);
  });
}

function unchanged(outcome: AnswerOutcome): RolledBack<AnswerOutcome> {
  return new RolledBack<AnswerOutcome>(outcome);
}

/** Refuse, with a reason that the contact is told by mail and at their next try. It may be refused before its wait ends. */
export function refuse(
  installation: Installation,
  actor: Actor,
  agent: Agent,
  { id, accountId }: Of,
  reason: string,
): Promise<AnswerOutcome> {
  const { organizationId } = agent;
  const target = { organizationId, id: accountId };
  return installation.db.transaction<AnswerOutcome>(async (tx) => {
    const now = installation.now();
    if (reason.length < NOTE_MIN) return unchanged({ kind: 'note-missing' });
    await lock(tx, target);
    if (!(await mayResetNow(tx, agent, target))) return unchanged({ kind: 'not-allowed' });
    const taken = await take(tx, target, { id, state: 'refused', by: agent.id, reason }, now);
    if (taken.kind !== 'taken') return unchanged(taken);
    await queueMail(tx, installation, {
      organizationId,
      accountId,
      kind: 'recovery-refused',
      facts: { at: now, reason },
    });
    await record(tx, installation, { organizationId, actor, action: 'recovery.refused', targetId: accountId, reason });
    return { kind: 'done' };
  });
}

async function lock(
  tx: Transaction,
  { organizationId, id }: Agent | { organizationId: string; id: string },
): Promise<void> {
  await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId} AND id = ${id}`);
}

interface Taking {
  readonly id: string;
  readonly state: 'approved' | 'refused';
  readonly by: string;
  readonly reason: string;
}

async function take(
  tx: Transaction,
  target: { readonly organizationId: string; readonly id: string },
  { id, state, by, reason }: Taking,
  now: number,
): Promise<{ kind: 'taken' } | { kind: 'over' } | { kind: 'waits'; until: number }> {
  const that = sql`organization_id = ${target.organizationId} AND id = ${id} AND account_id = ${target.id}
    AND state = 'open' AND expires_at > ${now} AND epoch = (SELECT a.epoch FROM accounts a
      WHERE a.organization_id = ${target.organizationId} AND a.id = ${target.id})`;
  const waited = state === 'approved' ? sql`AND wait_ends_at <= ${now}` : sql``;
  const taken = await tx.run(sql`UPDATE recovery_requests SET state = ${state}, ended_at = ${now}, ended_by = ${by},
    reason = ${reason} WHERE ${that} ${waited}`);
  if (taken === 1) return { kind: 'taken' };
  const open = await tx.one<{ until: number }>(sql`SELECT wait_ends_at AS until FROM recovery_requests WHERE ${that}`);
  return open ? { kind: 'waits', until: open.until } : { kind: 'over' };
}
