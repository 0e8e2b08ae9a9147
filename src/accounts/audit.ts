import { createHmac } from 'node:crypto';
import { uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Queries, type Sql } from '../db/db.ts';
import type { Installation } from './installation.ts';
import { tellOf } from './notices.ts';

/** Who did it. The operator acts at the shell and has no account; the system acts by itself. */
export type Actor =
  | {
      readonly kind: 'account';
      readonly id: string;
      readonly address: string;
      /** What its browser calls itself, for the notice to its owner; no part of the row. */
      readonly userAgent?: string;
    }
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
  | 'contact.moved'
  | 'contact.deleted'
  | 'customer.deleted'
  | 'documents.imported'
  | 'customers.imported'
  | 'customers.exported'
  | 'welcome-link.made'
  | 'password.set'
  | 'new-password.asked'
  | 'email-change.asked'
  | 'email.changed'
  | 'account.not-me'
  | 'password.answered'
  | 'signed-in'
  | 'signed-out'
  | 'proved-again'
  | 'device.trusted'
  | 'device.removed'
  | 'device.replayed'
  | 'enrolment.offered'
  | 'enrolment.answered'
  | 'enrolment-link.sent'
  | 'reminder.sent'
  | 'app.checked'
  | 'enrolment-code.made'
  | 'enrolment.confirmed'
  | 'mfa.enabled'
  | 'mfa.turned-off'
  | 'authenticator.added'
  | 'authenticator.replaced'
  | 'authenticator.renamed'
  | 'authenticator.removed'
  | 'backup-codes.generated'
  | 'mfa.reset'
  | 'passkey.added'
  | 'passkey.renamed'
  | 'passkey.removed'
  | 'recovery.asked'
  | 'recovery.cancelled'
  | 'recovery.approved'
  | 'recovery.refused'
  | 'sign-in-code.made'
  | 'sign-in-code.used'
  | 'account.unlocked'
  | 'exemption.granted'
  | 'exemption.ended'
  | 'sessions.ended'
  | 'job.started'
  | 'job.stopped'
  | 'job.ended'
  | 'audit.exported'
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
  /** What its notice says beyond the row, of which it is no part; `none`: nobody is told. */
  readonly notice?: Readonly<Record<string, string | number | null>> | 'none';
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
 * without the other (I18). Takes no lock that two accounts share. Whom it concerns is told by mail, where the fact is one
 * of those (notices.ts).
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
  await tellOf(tx, installation, facts);
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

/** Which rows are asked for. What is left out restricts nothing. */
export interface AuditFilter {
  /** Done by one of these accounts; none of them means no row. */
  readonly actorIds?: readonly string[] | undefined;
  readonly actions?: readonly Action[] | undefined;
  readonly targetId?: string | undefined;
  /** About this customer or one of its contacts. */
  readonly customerId?: string | undefined;
  readonly address?: string | undefined;
  /** From this moment on, in milliseconds since 1970, and before that one. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only rows older than this id. */
  readonly before?: string | undefined;
}

/** A row with the names known today; null where there is none, or nobody of that name any more. */
export interface AuditLine extends AuditRow {
  readonly actorName: string | null;
  readonly targetName: string | null;
  /** Its number in the chain, null while it has none. */
  readonly sequence: number | null;
}

/** The newest rows of an organization that a filter lets through, newest first, at most `limit`. */
export function listAudit(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  { limit, ...filter }: AuditFilter & { readonly limit: number },
): Promise<AuditLine[]> {
  return db.all(sql`SELECT ${COLUMNS}, actor.name AS "actorName", target.name AS "targetName", l.sequence
    FROM (${matching(organizationId, filter, limit)}) m CROSS JOIN audit_rows r
    LEFT JOIN audit_names actor ON actor.organization_id = r.organization_id AND actor.subject_id = r.actor_id
    LEFT JOIN audit_names target ON target.organization_id = r.organization_id AND target.subject_id = r.target_id
    LEFT JOIN audit_links l ON l.organization_id = r.organization_id AND l.row_id = r.id
    WHERE r.organization_id = ${organizationId} AND r.id = m.id ORDER BY r.id DESC`);
}

/**
 * The ids, whose rows are then looked up: SQLite keeps to the order of a CROSS JOIN, and would else read all rows. Each
 * value of the condition that narrows most is followed backwards through its own index until there are enough, and the
 * other conditions only leave out: a page costs the same however long the log is, where one IN over all values would
 * sort every row that matches.
 */
function matching(organizationId: string, filter: AuditFilter, limit: number): Sql {
  const { narrowest, others } = conditions(filter, organizationId);
  const { from, to, before } = filter;
  const all = [
    ...others,
    ...(from === undefined ? [] : [sql`r.id >= ${idAt(from)}`]),
    ...(to === undefined ? [] : [sql`r.id < ${idAt(to)}`]),
    ...(before === undefined ? [] : [sql`r.id < ${before}`]),
  ].reduce((one, other) => sql`${one} AND ${other}`, sql`r.organization_id = ${organizationId}`);
  const branches = narrowest.map(
    (one) => sql`SELECT id FROM (SELECT r.id FROM audit_rows r WHERE ${all} ${one} LIMIT ${limit}) b`,
  );
  return sql`SELECT id FROM (${branches.reduce((one, other) => sql`${one} UNION ALL ${other}`)}) a
    ORDER BY id DESC LIMIT ${limit}`;
}

function conditions(filter: AuditFilter, organizationId: string): { narrowest: Sql[]; others: Sql[] } {
  const { actorIds, actions, targetId, customerId, address } = filter;
  const newest = sql`ORDER BY r.id DESC`;
  const by = {
    // Ordered by an expression, so that nobody reads the whole log backwards in the hope of an early end.
    customer:
      customerId === undefined
        ? undefined
        : [
            sql`AND r.target_id IN (SELECT a.id FROM accounts a
      WHERE a.organization_id = ${organizationId} AND a.customer_id = ${customerId} UNION ALL SELECT ${customerId})
      ORDER BY r.id || '' DESC`,
          ],
    target: targetId === undefined ? undefined : [sql`AND r.target_id = ${targetId} ${newest}`],
    actor: actorIds && (actorIds.length > 0 ? actorIds : ['']).map((id) => sql`AND r.actor_id = ${id} ${newest}`),
    address: address === undefined ? undefined : [sql`AND r.address = ${address} ${newest}`],
    action: actions?.map((action) => sql`AND r.action = ${action} ${newest}`),
  };
  // Expressions here too, so that the index of the narrowest condition is the one that is followed.
  const leaveOut = {
    customer: undefined,
    target: undefined,
    actor: actorIds && sql`r.actor_id || '' IN (${list(actorIds)})`,
    address: address === undefined ? undefined : sql`r.address || '' = ${address}`,
    action: actions && sql`r.action || '' IN (${list(actions)})`,
  };
  const kinds = ['target', 'customer', 'actor', 'address', 'action'] as const;
  const chosen = kinds.find((kind) => by[kind]);
  return {
    narrowest: (chosen && by[chosen]) ?? [newest],
    others: kinds.flatMap((kind) => (kind === chosen ? [] : (leaveOut[kind] ?? []))),
  };
}

/** The least id that a row of this moment or a later one can have: ids are UUIDv7 and begin with their time. */
function idAt(ms: number): string {
  const hex = Math.min(Math.max(ms, 0), 2 ** 48 - 1)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** The columns of an AuditRow, of audit_rows as `r`. */
export const COLUMNS = sql`r.organization_id AS "organizationId", r.id, r.at, r.actor_kind AS "actorKind",
  r.actor_id AS "actorId", r.action, r.target_id AS "targetId", r.address, r.result, r.reason, r.details`;

/** The MAC that a row carries if it is as it was written: over all its fields, under the audit key. */
export function macOf(key: Uint8Array, row: AuditRow): string {
  const { organizationId, id, at, actorKind, actorId, action, targetId, address, result, reason, details } = row;
  const fields = [organizationId, id, at, actorKind, actorId, action, targetId, address, result, reason, details];
  return createHmac('sha256', key).update(JSON.stringify(fields)).digest('base64url');
}
