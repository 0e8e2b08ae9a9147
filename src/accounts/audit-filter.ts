import { sql, type Queries } from '../db/db.ts';
import { findAccountByEmail, sortKey } from './accounts.ts';

const STAFF_MAX = 20;

/** The accounts that somebody means who typed an id, or the beginning of a name or e-mail of staff; at most twenty. */
export async function actorsMeant(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  typed: string,
): Promise<readonly string[]> {
  if (isId(typed)) return [typed];
  const words = sortKey(typed).replace(/[\\%_]/g, '\\$&');
  const begins = sql`a.sort_key LIKE ${`${words}%`} ESCAPE '\\' OR a.sort_key LIKE ${`% ${words}%`} ESCAPE '\\'
    OR a.email_key LIKE ${`${words}%`} ESCAPE '\\'`;
  const found = await db.all<{ id: string }>(sql`SELECT a.id FROM accounts a WHERE a.organization_id = ${organizationId}
    AND a.kind = 'staff' AND (${begins}) ORDER BY a.id LIMIT ${STAFF_MAX}`);
  return found.map(({ id }) => id);
}

/** Whom somebody means who typed an id, or the e-mail of a contact or of staff; undefined where there is nobody. */
export async function targetMeant(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  typed: string,
): Promise<string | undefined> {
  if (isId(typed)) return typed;
  const contact = await findAccountByEmail(db, organizationId, 'contact', typed);
  return (contact ?? (await findAccountByEmail(db, organizationId, 'staff', typed)))?.id;
}

/** The name under which the log knows a person or customer; undefined where it knows none, or none any more. */
export async function auditName(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  subjectId: string,
): Promise<string | undefined> {
  const row = await db.one<{ name: string }>(
    sql`SELECT name FROM audit_names WHERE organization_id = ${organizationId} AND subject_id = ${subjectId}`,
  );
  return row?.name;
}

/** The moment at which a day, written 2026-11-24, begins in a time zone; undefined where there is no such day. */
export function startOfDay(date: string, timeZone: string, daysLater = 0): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  try {
    return Temporal.PlainDate.from(date).add({ days: daysLater }).toZonedDateTime(timeZone).epochMilliseconds;
  } catch (fault) {
    if (fault instanceof RangeError) return undefined;
    throw fault;
  }
}

/** Whether a text is an id of ours. */
export function isId(typed: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(typed);
}
