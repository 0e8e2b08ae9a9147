import { sql, type Database } from '../db/db.ts';
import { COLUMNS, macOf, type AuditRow } from './audit.ts';
import { linkOf, type Head } from './audit-chain.ts';
import type { Installation } from './installation.ts';

/** What is not as it was written. `sequence` is the number in the organization's chain, from 1. */
export type Finding =
  | { readonly kind: 'changed-row'; readonly sequence: number; readonly rowId: string }
  | { readonly kind: 'cut-row'; readonly sequence: number; readonly rowId: string }
  | { readonly kind: 'broken-link'; readonly sequence: number; readonly rowId: string }
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }
  | { readonly kind: 'lost-link'; readonly rowId: string }
  | { readonly kind: 'missing-tail'; readonly sequence: number; readonly end: number }
  | { readonly kind: 'replaced'; readonly sequence: number }
  | { readonly kind: 'missing-organization' };

export interface Verified {
  readonly rows: number;
  /** The first in the order of the chain, and how many more there are. */
  readonly first: Finding | undefined;
  readonly more: number;
}

const BATCH = 1_000;

/**
 * Reads the chain of an organization from its beginning, in batches, and recomputes every MAC and every link. Rows that
 * no link holds yet are left to the next time: append them before. What a thief of the key wrote, or a tail that was cut
 * off, does not show here: see `verifyHead`.
 */
export async function verifyChain(installation: Installation, organizationId: string): Promise<Verified> {
  const findings = new Findings();
  let rows = 0;
  let next = await verifyNext(installation, organizationId, BEGINNING);
  for (; next.rows > 0; next = await verifyNext(installation, organizationId, next.last)) {
    for (const finding of next.findings) findings.add(finding);
    rows += next.rows;
  }
  const { first: rowId, count } = await withoutLink(installation.db, organizationId);
  if (rowId !== null) findings.add({ kind: 'lost-link', rowId }, count);
  return { rows, first: findings.first, more: findings.more };
}

/** A link of a chain, by its number and value; before the first one, 0 and nothing. */
export interface Place {
  readonly sequence: number;
  readonly link: string;
}

const BEGINNING: Place = { sequence: 0, link: '' };

/** The same for the next thousand links behind one that is held to be right. No rows: there are none behind it. */
export async function verifyNext(
  { db, auditKey }: Pick<Installation, 'db' | 'auditKey'>,
  organizationId: string,
  from: Place,
): Promise<{ rows: number; last: Place; findings: Finding[] }> {
  // Numbers begin with 1; what somebody has numbered lower stands before the beginning, and is looked at too.
  const batch = await after(db, organizationId, from.link === '' ? Number.MIN_SAFE_INTEGER : from.sequence);
  const findings = batch.map((linked, at) => faultOf(auditKey, linked, batch[at - 1] ?? from));
  const { sequence, link } = batch.at(-1) ?? from;
  return { rows: batch.length, last: { sequence, link }, findings: findings.filter((one) => one !== undefined) };
}

/** Whether a head that the log told is still in the chain: undefined, or what has happened to it. */
export async function verifyHead(db: Database, head: Omit<Head, 'slug'>): Promise<Finding | undefined> {
  const { organization, sequence } = head;
  const found = await db.one<{ link: string | null; end: number | null }>(sql`SELECT
    (SELECT link FROM audit_links WHERE organization_id = o.id AND sequence = ${sequence}) AS link,
    (SELECT MAX(sequence) FROM audit_links WHERE organization_id = o.id) AS "end"
    FROM organizations o WHERE o.id = ${organization}`);
  if (!found) return { kind: 'missing-organization' };
  const { link, end } = found;
  if (link === head.link) return undefined;
  if (link !== null) return { kind: 'replaced', sequence };
  if (end === null || end < sequence) return { kind: 'missing-tail', sequence, end: end ?? 0 };
  return { kind: 'gap', from: sequence, to: sequence };
}

/** Organizations of which rows or links are there, and nothing else. */
export async function lostOrganizations(db: Database): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`
    SELECT organization_id AS id FROM audit_rows
    WHERE NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id)
    UNION SELECT organization_id FROM audit_links
    WHERE NOT EXISTS (SELECT 1 FROM organizations o WHERE o.id = organization_id)`);
  return rows.map(({ id }) => id);
}

/** Keeps the first and counts the others: somebody may have replaced a million links. */
export class Findings {
  first: Finding | undefined;
  more = 0;

  add(finding: Finding | undefined, count = 1): void {
    if (!finding) return;
    this.more += this.first ? count : count - 1;
    this.first ??= finding;
  }
}

/** A link with the row that it holds, whose fields are NULL where the row is gone. */
interface Linked extends AuditRow {
  readonly sequence: number;
  readonly rowId: string;
  readonly link: string;
  readonly mac: string | null;
}

function after(db: Database, organizationId: string, sequence: number): Promise<Linked[]> {
  return db.all(sql`SELECT l.sequence, l.row_id AS "rowId", l.link, ${COLUMNS}, r.mac
    FROM audit_links l LEFT JOIN audit_rows r ON r.organization_id = l.organization_id AND r.id = l.row_id
    WHERE l.organization_id = ${organizationId} AND l.sequence > ${sequence} ORDER BY l.sequence LIMIT ${BATCH}`);
}

function faultOf(key: Uint8Array, linked: Linked, previous: Place): Finding | undefined {
  const { sequence, rowId, organizationId, mac, link } = linked;
  const next = previous.sequence + 1;
  if (sequence > next) return { kind: 'gap', from: next, to: sequence - 1 };
  if (mac === null) return { kind: 'cut-row', sequence, rowId };
  if (mac !== macOf(key, linked)) return { kind: 'changed-row', sequence, rowId };
  if (link === linkOf(key, { organizationId, sequence, rowId, mac }, previous.link)) return undefined;
  return { kind: 'broken-link', sequence, rowId };
}

async function withoutLink(db: Database, organizationId: string): Promise<{ first: string | null; count: number }> {
  const row = await db.one<{ first: string | null; count: number }>(sql`SELECT MIN(r.id) AS first, COUNT(*) AS count
    FROM audit_rows r WHERE r.organization_id = ${organizationId} AND r.linked_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.organization_id = r.organization_id AND l.row_id = r.id)`);
  return row ?? { first: null, count: 0 };
}
