import { setImmediate } from 'node:timers/promises';
import { RolledBack, sql, type Database, type Transaction } from '../db/db.ts';
import type { Action } from './audit.ts';
import { dayOf, writeFigures, type Event, type Figure } from './figures.ts';
import type { Installation } from './installation.ts';

const BITE = 1_000;

/**
 * Adds to the daily figures what the chain of the audit log has taken in since the last time, in bites of a thousand
 * links, as long as `mayGoOn` agrees. Each link is counted once: a bite and the cursor behind it are one transaction, and
 * of two that have read the same bite one finds the cursor moved and puts nothing down. It may be stopped anywhere, and
 * an installation with an older log is counted from its first link.
 */
export async function rollUp(installation: Installation, mayGoOn = () => Promise.resolve(true)): Promise<void> {
  for (;;) {
    const behind = await whoIsBehind(installation.db);
    if (behind.length === 0) return;
    for (const organization of behind) {
      if (!(await mayGoOn())) return;
      await rollBite(installation.db, organization);
      // SQLite answers within the turn of the event loop: without a breath nobody else would be answered until the end.
      await setImmediate();
    }
  }
}

interface Behind {
  readonly id: string;
  readonly timeZone: string;
  readonly sequence: number;
}

function whoIsBehind(db: Database): Promise<Behind[]> {
  return db.all(sql`SELECT o.id, o.time_zone AS "timeZone", COALESCE(c.sequence, 0) AS sequence
    FROM organizations o LEFT JOIN figure_cursors c ON c.organization_id = o.id
    WHERE (SELECT MAX(l.sequence) FROM audit_links l WHERE l.organization_id = o.id) > COALESCE(c.sequence, 0)
    ORDER BY o.id`);
}

interface Linked {
  readonly sequence: number;
  /** Null where somebody took the row away behind its link. */
  readonly at: number | null;
  readonly action: Action;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly result: string;
  readonly details: string;
  readonly ofContact: 0 | 1;
}

// An account that is gone was a contact, unless the log says that it was made staff.
function bite(tx: Transaction, { id, sequence }: Behind): Promise<Linked[]> {
  return tx.all(sql`SELECT l.sequence, r.at, r.action, r.actor_kind AS "actorKind", r.actor_id AS "actorId", r.result,
      r.details, CASE WHEN a.kind = 'contact' OR (a.kind IS NULL AND r.target_id IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM audit_rows s WHERE s.organization_id = r.organization_id AND s.target_id = r.target_id
          AND s.action = 'staff.created')) THEN 1 ELSE 0 END AS "ofContact"
    FROM audit_links l LEFT JOIN audit_rows r ON r.organization_id = l.organization_id AND r.id = l.row_id
      LEFT JOIN accounts a ON a.organization_id = r.organization_id AND a.id = r.target_id
    WHERE l.organization_id = ${id} AND l.sequence > ${sequence} ORDER BY l.sequence LIMIT ${BITE}`);
}

// Links and rows never change: whoever has read them before another moved the cursor finds out by moving it.
function rollBite(db: Database, organization: Behind): Promise<boolean> {
  const work = async (tx: Transaction): Promise<boolean | RolledBack<boolean>> => {
    const rows = await bite(tx, organization);
    const last = rows.at(-1);
    if (!last) return false;
    const moved = await tx.run(sql`INSERT INTO figure_cursors (organization_id, sequence)
      VALUES (${organization.id}, ${last.sequence})
      ON CONFLICT (organization_id) DO UPDATE SET sequence = excluded.sequence
      WHERE figure_cursors.sequence = ${organization.sequence}`);
    if (moved === 0) return new RolledBack(false);
    await writeFigures(tx, organization.id, tally(rows, organization.timeZone), 'add');
    return true;
  };
  return db.transaction(work, { patient: true });
}

function tally(rows: readonly Linked[], timeZone: string): Figure[] {
  const figures = new Map<string, Figure>();
  for (const row of rows) {
    if (row.at === null || row.ofContact === 0) continue;
    const day = dayOf(row.at, timeZone);
    for (const { name, subject = '' } of told(row)) {
      const key = `${name} ${day} ${subject}`;
      figures.set(key, { name, day, subject, value: (figures.get(key)?.value ?? 0) + 1 });
    }
  }
  return [...figures.values()];
}

interface Told {
  readonly name: Event;
  readonly subject?: string;
}

/** What an audit row about a contact adds to. */
function told(row: Linked): Told[] {
  const details = JSON.parse(row.details) as Details;
  const { result } = row;
  if (row.action === 'password.answered') return ofPassword(result, details);
  if (row.action === 'signed-in') return ofCode(result, details);
  if (row.action === 'sign-in-code.used') return result === 'right' ? [] : ofCode(result, details);
  if (row.action === 'enrolment.offered') return details.again === 1 ? [] : [{ name: 'began' }];
  if (row.action === 'enrolment.answered') return result === 'right' ? [{ name: 'verified' }] : [];
  if (row.action === 'mfa.enabled') return [{ name: 'enabled' }];
  if (row.action === 'backup-codes.generated') return [{ name: 'codes-made' }];
  if (row.action === 'mfa.reset') return [{ name: 'reset', subject: row.actorId ?? row.actorKind }];
  return [];
}

interface Details {
  readonly factor?: string;
  readonly next?: string;
  readonly again?: number;
  readonly inARow?: number;
  readonly waitSeconds?: number;
  readonly suspected?: number;
}

function ofPassword(result: string, { next }: Details): Told[] {
  if (result === 'right') return next === 'enrolment' ? [{ name: 'asked' }] : [];
  return [{ name: result === 'wrong' ? 'password-wrong' : 'kept-out' }];
}

function ofCode(result: string, details: Details): Told[] {
  const subject = details.factor ?? '';
  if (result === 'right') return [{ name: 'signed-in', subject }];
  if (result === 'already-used') return [{ name: 'code-used', subject }];
  return [{ name: 'code-wrong', subject }, ...(locks(details) ? [{ name: 'locked-out' } as const] : [])];
}

// Rows of before waits were written down tell only how many wrong codes came in a row; the fifth brought the first wait.
function locks({ waitSeconds, inARow = 0, suspected }: Details): boolean {
  return suspected === 1 || (waitSeconds === undefined ? inARow >= 5 : waitSeconds > 0);
}
