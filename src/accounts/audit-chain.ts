import { createHmac } from 'node:crypto';
import { RolledBack, sql, type Database, type Transaction } from '../db/db.ts';
import type { Action } from './audit.ts';
import type { Installation } from './installation.ts';
import { openLease } from './leases.ts';

/** Under which the log tells where chains end, so that the saved log can be held against them later. */
export const HEAD_MESSAGE = 'audit chain head';

/** Where the chain of an organization ended at some time. */
export interface Head {
  readonly organization: string;
  readonly slug: string;
  readonly sequence: number;
  readonly link: string;
}

export interface Chainer {
  /** To be called each second, and not before the last call has ended. */
  readonly turn: () => Promise<void>;
  /** Links and tells what is left, whoever holds the lease, and gives up its own. */
  readonly finish: () => Promise<void>;
}

const TURNS_BETWEEN_HEADS = 60;
const LEASE_MS = 5_000;
const BATCH = 1_000;
// Few texts, because each one is kept prepared on every connection.
const INSERTED_AT_ONCE = [100, 10, 1];

/** After these a cut tail would hide the most, so the head is told at once and not with the minute. */
const URGENT: readonly Action[] = ['mfa.reset', 'policy.changed'];

/**
 * Appends links while it holds the lease, and tells the log each head that has moved: in its first turn, each minute,
 * and in the turn that linked a reset of MFA or a change of policy. Each server tells all of them, so that one server's
 * log suffices, and none is lost with the server that linked it. Throws DatabaseUnavailable; the next turn makes up for it.
 */
export function openChainer(installation: Installation): Chainer {
  const lease = openLease(installation, 'audit-chain', LEASE_MS);
  const told = new Map<string, string>();
  let turns = 0;
  let due = false;
  const tell = async (): Promise<void> => {
    for (const head of await headsOf(installation.db)) {
      if (told.get(head.organization) === head.link) continue;
      installation.log.info(HEAD_MESSAGE, { ...head });
      told.set(head.organization, head.link);
    }
    due = false;
  };
  return {
    turn: async () => {
      due ||= turns++ % TURNS_BETWEEN_HEADS === 0;
      const urgent = await appendLinks(installation, lease.take);
      due ||= urgent;
      if (due) await tell();
    },
    finish: async () => {
      await appendLinks(installation);
      await tell();
      await lease.giveUp();
    },
  };
}

/**
 * Appends a link for each row that has none, batch by batch, as long as `mayGoOn` agrees. It may run in any number of
 * processes at once: of two that would write the same number of a chain, or link the same row, one writes its batch
 * and the other looks again. Answers whether a head has to be told at once.
 */
export async function appendLinks(installation: Installation, mayGoOn = () => Promise.resolve(true)): Promise<boolean> {
  let urgent = false;
  while (await someWait(installation.db)) {
    if (!(await mayGoOn())) break;
    const linked = await appendBatch(installation);
    urgent ||= linked.some((action) => URGENT.includes(action));
  }
  return urgent;
}

/** The link of a row to the one before it, which only the audit key can make. `previous` is empty for the first. */
export function linkOf(
  key: Uint8Array,
  { organizationId, sequence, rowId, mac }: Pick<Link, 'organizationId' | 'sequence' | 'rowId'> & { mac: string },
  previous: string,
): string {
  const fields = ['link', organizationId, sequence, rowId, mac, previous];
  return createHmac('sha256', key).update(JSON.stringify(fields)).digest('base64url');
}

interface Link {
  readonly organizationId: string;
  readonly sequence: number;
  readonly rowId: string;
  readonly link: string;
}

interface Waiting {
  readonly organizationId: string;
  readonly rowId: string;
  readonly mac: string;
  readonly action: Action;
  readonly headSequence: number | null;
  readonly headLink: string | null;
}

// A row whose mark somebody took away has its link still, and must not hold up the others.
const WAITS = sql`r.linked_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.organization_id = r.organization_id AND l.row_id = r.id)`;

async function someWait(db: Database): Promise<boolean> {
  return (await db.one(sql`SELECT 1 AS found FROM audit_rows r WHERE ${WAITS} LIMIT 1`)) !== undefined;
}

/** Links up to a thousand rows of any organizations in one transaction; answers their actions, none where it lost. */
async function appendBatch(installation: Installation): Promise<Action[]> {
  return installation.db.transaction<Action[]>(async (tx) => {
    const waiting =
      await tx.all<Waiting>(sql`SELECT r.organization_id AS "organizationId", r.id AS "rowId", r.mac, r.action,
      head.sequence AS "headSequence", head.link AS "headLink"
      FROM audit_rows r LEFT JOIN audit_links head ON head.organization_id = r.organization_id
        AND head.sequence = (SELECT MAX(sequence) FROM audit_links WHERE organization_id = r.organization_id)
      WHERE ${WAITS} ORDER BY r.organization_id, r.id LIMIT ${BATCH}`);
    const links = chained(installation.auditKey, waiting);
    if ((await insert(tx, links)) < links.length) return new RolledBack<Action[]>([]);
    await mark(tx, links.at(-1), installation.now());
    return waiting.map((row) => row.action);
  });
}

function chained(key: Uint8Array, waiting: readonly Waiting[]): Link[] {
  const links: Link[] = [];
  for (const row of waiting) {
    const last = links.at(-1);
    const before =
      last?.organizationId === row.organizationId
        ? last
        : { sequence: row.headSequence ?? 0, link: row.headLink ?? '' };
    const numbered = { organizationId: row.organizationId, sequence: before.sequence + 1, rowId: row.rowId };
    links.push({ ...numbered, link: linkOf(key, { ...numbered, mac: row.mac }, before.link) });
  }
  return links;
}

// In the order of the key everywhere, so that two who append wait for each other in one direction. The loser finds its
// numbers taken once the winner has committed: the two keys of the table keep a chain from having two ends.
async function insert(tx: Transaction, links: readonly Link[]): Promise<number> {
  let inserted = 0;
  for (let at = 0; at < links.length;) {
    const size = INSERTED_AT_ONCE.find((count) => count <= links.length - at) ?? 1;
    const rows = links
      .slice(at, at + size)
      .map((link) => sql`(${link.organizationId}, ${link.sequence}, ${link.rowId}, ${link.link})`)
      .reduce((all, row) => sql`${all}, ${row}`);
    inserted += await tx.run(
      sql`INSERT INTO audit_links (organization_id, sequence, row_id, link) VALUES ${rows} ON CONFLICT DO NOTHING`,
    );
    at += size;
  }
  return inserted;
}

async function mark(tx: Transaction, last: Link | undefined, now: number): Promise<void> {
  if (!last) return;
  await tx.run(sql`UPDATE audit_rows SET linked_at = ${now}
    WHERE linked_at IS NULL AND (organization_id, id) <= (${last.organizationId}, ${last.rowId}) AND EXISTS
      (SELECT 1 FROM audit_links l WHERE l.organization_id = audit_rows.organization_id AND l.row_id = audit_rows.id)`);
}

function headsOf(db: Database): Promise<Head[]> {
  return db.all(sql`SELECT o.id AS organization, o.slug, l.sequence, l.link
    FROM organizations o JOIN audit_links l ON l.organization_id = o.id
      AND l.sequence = (SELECT MAX(sequence) FROM audit_links WHERE organization_id = o.id)
    ORDER BY o.id`);
}
