import { createHmac } from 'node:crypto';
import { uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Database, type Queries } from '../db/db.ts';
import type { Installation } from './installation.ts';

/** Who did it. The operator acts at the shell and has no account; the system acts by itself. */
export type Actor =
  | { readonly kind: 'account'; readonly id: string; readonly address: string }
  | { readonly kind: 'operator' }
  | { readonly kind: 'system' };

/** The actor that commands run as. */
export const OPERATOR: Actor = { kind: 'operator' };

/** Everything that leaves an audit row. A closed list, so that a reader knows what to look for. */
export type Action =
  | 'organization.created'
  | 'settings.changed'
  | 'policy.changed'
  | 'staff.created'
  | 'staff.role-changed'
  | 'staff.signed-out'
  | 'staff.removed'
  | 'customer.created'
  | 'customer.changed'
  | 'contact.created'
  | 'contact.changed'
  | 'portal-access.enabled'
  | 'portal-access.disabled'
  | 'sessions.ended'
  | 'contact.moved'
  | 'contact.deleted'
  | 'customer.deleted'
  | 'documents.imported'
  | 'customers.imported'
  | 'customers.exported'
  | 'welcome-link.made'
  | 'password.set'
  | 'password.answered'
  | 'signed-in'
  | 'signed-out'
  | 'proved-again'
  | 'enrolment.offered'
  | 'enrolment.answered'
  | 'mfa.enabled'
  | 'backup-codes.generated'
  | 'mfa.reset'
  | 'account.unlocked'
  | 'job.started'
  | 'job.stopped'
  | 'job.ended'
  | 'clock.accepted'
  | 'database.restored';

export interface Fact {
  readonly organizationId: string;
  readonly actor: Actor;
  readonly action: Action;
  readonly targetId?: string;
  /** 'done', or how an answer was found: 'right', 'wrong', 'already-used', … */
  readonly result?: string;
  readonly reason?: string;
  /** Numbers and plain words. Never a secret, a code, a token or a password (I19). */
  readonly details?: Readonly<Record<string, string | number | null>>;
}

export interface AuditRow {
  readonly organizationId: string;
  readonly id: string;
  readonly at: number;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly action: Action;
  readonly targetId: string | null;
  readonly address: string | null;
  readonly result: string;
  readonly reason: string | null;
  readonly details: string;
}

/**
 * Writes down what happened, with the row's own keyed MAC, in the transaction of the fact itself: neither can be there
 * without the other (I18). Takes no lock that two accounts share.
 */
export async function record(tx: Queries, installation: Installation, fact: Fact): Promise<void> {
  await recordAll(tx, installation, [fact]);
}

/** The same for many facts of one transaction, a row for each. */
export async function recordAll(tx: Queries, installation: Installation, facts: readonly Fact[]): Promise<void> {
  const at = installation.now();
  for (const some of pieces(facts.map((fact) => rowOf(fact, at)))) {
    const rows = some.map(
      (row) => sql`(${row.organizationId}, ${row.id}, ${row.at}, ${row.actorKind}, ${row.actorId}, ${row.action},
      ${row.targetId}, ${row.address}, ${row.result}, ${row.reason}, ${row.details}, ${macOf(installation.auditKey, row)})`,
    );
    await tx.run(sql`INSERT INTO audit_rows
      (organization_id, id, at, actor_kind, actor_id, action, target_id, address, result, reason, details, mac)
      VALUES ${list(rows)}`);
  }
}

function rowOf(fact: Fact, at: number): AuditRow {
  return {
    organizationId: fact.organizationId,
    id: uuidv7(at),
    at,
    actorKind: fact.actor.kind,
    actorId: fact.actor.kind === 'account' ? fact.actor.id : null,
    action: fact.action,
    targetId: fact.targetId ?? null,
    address: fact.actor.kind === 'account' ? fact.actor.address : null,
    result: fact.result ?? 'done',
    reason: fact.reason ?? null,
    details: JSON.stringify(fact.details ?? {}),
  };
}

/** Keeps the name by which a person or customer is shown in the log; names live apart from the rows. */
export async function nameForAudit(
  tx: Queries,
  organizationId: string,
  subjectId: string,
  name: string,
): Promise<void> {
  await nameAllForAudit(tx, organizationId, [{ subjectId, name }]);
}

/** The same for many, each of them once. */
export async function nameAllForAudit(
  tx: Queries,
  organizationId: string,
  names: readonly { subjectId: string; name: string }[],
): Promise<void> {
  for (const some of pieces(names)) {
    const rows = some.map(({ subjectId, name }) => sql`(${organizationId}, ${subjectId}, ${name})`);
    await tx.run(sql`INSERT INTO audit_names (organization_id, subject_id, name) VALUES ${list(rows)}
      ON CONFLICT (organization_id, subject_id) DO UPDATE SET name = excluded.name`);
  }
}

export interface AuditFilter {
  readonly targetId?: string;
  /** Only rows older than this id. */
  readonly before?: string;
  readonly limit: number;
}

/** The newest rows of an organization with the names known today, newest first. */
export function listAudit(
  db: Database,
  organizationId: string,
  filter: AuditFilter,
): Promise<(AuditRow & { actorName: string | null; targetName: string | null })[]> {
  const target = filter.targetId === undefined ? sql`` : sql`AND r.target_id = ${filter.targetId}`;
  const before = filter.before === undefined ? sql`` : sql`AND r.id < ${filter.before}`;
  return db.all(sql`SELECT ${COLUMNS}, actor.name AS "actorName", target.name AS "targetName"
    FROM audit_rows r
    LEFT JOIN audit_names actor ON actor.organization_id = r.organization_id AND actor.subject_id = r.actor_id
    LEFT JOIN audit_names target ON target.organization_id = r.organization_id AND target.subject_id = r.target_id
    WHERE r.organization_id = ${organizationId} ${target} ${before}
    ORDER BY r.id DESC LIMIT ${filter.limit}`);
}

/** The columns of an AuditRow, of audit_rows as `r`. */
export const COLUMNS = sql`r.organization_id AS "organizationId", r.id, r.at, r.actor_kind AS "actorKind",
  r.actor_id AS "actorId", r.action, r.target_id AS "targetId", r.address, r.result, r.reason, r.details`;

/** The MAC that a row carries if it is as it was written: over all its fields, under the audit key. */
export function macOf(key: Uint8Array, row: AuditRow): string {
  const fields = [
    row.organizationId,
    row.id,
    row.at,
    row.actorKind,
    row.actorId,
    row.action,
    row.targetId,
    row.address,
    row.result,
    row.reason,
    row.details,
  ];
  return createHmac('sha256', key).update(JSON.stringify(fields)).digest('base64url');
}
