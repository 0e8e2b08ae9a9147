import { sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';

/** What happened to contacts, as it is added up by day from the audit log; some are kept apart by factor or agent. */
export const EVENTS = [
  // Signed in with a right password, and was led to set MFA up.
  'asked',
  'began',
  'verified',
  'enabled',
  'codes-made',
  'signed-in',
  'code-wrong',
  'code-used',
  'password-wrong',
  // A password that was refused whether right or not: portal access is off, or somebody else may know it.
  'kept-out',
  // A wrong code after which the contact had to wait, or was locked until staff help.
  'locked-out',
  'reset',
] as const;

export type Event = (typeof EVENTS)[number];

/** Where the contacts with portal access stand, as it is counted now and again; the day keeps its last count. */
export type Standing = 'mfa-on' | 'mfa-none' | 'mfa-low' | 'mfa-locked' | 'mfa-reset';

export const STANDINGS: readonly Standing[] = ['mfa-on', 'mfa-none', 'mfa-low', 'mfa-locked', 'mfa-reset'];

/** A date without a time, YYYY-MM-DD. Dates compare as text does. */
export type Day = string;

/** From a day to a day, both included. */
export interface Days {
  readonly from: Day;
  readonly to: Day;
}

/** The date of a moment, in milliseconds, in a time zone. */
export function dayOf(ms: number, timeZone: string): Day {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

/** So many days, the last of them this one. */
export function daysUntil(day: Day, count: number): Days {
  const from = Temporal.PlainDate.from(day).subtract({ days: count - 1 });
  return { from: from.toString(), to: day };
}

export type Span = 'weeks' | 'months';

/**
 * So many weeks from Monday to Sunday, or calendar months, the oldest first; the last is the one that a day lies in, as
 * far as it has come.
 */
export function periodsUntil(day: Day, span: Span, count: number): Days[] {
  const last = Temporal.PlainDate.from(day);
  const start = span === 'weeks' ? last.subtract({ days: last.dayOfWeek - 1 }) : last.with({ day: 1 });
  return Array.from({ length: count }, (_, at) => {
    const from = start.subtract({ [span]: count - 1 - at });
    const to = at === count - 1 ? last : from.add({ [span]: 1 }).subtract({ days: 1 });
    return { from: from.toString(), to: to.toString() };
  });
}

/** Where the contacts stood when they were last counted on a day. */
export type Count = Readonly<Record<Standing, number>> & { readonly day: Day };

/** The last count of those days, or undefined where nobody counted on any of them. */
export async function lastCount(db: Database, organizationId: string, { from, to }: Days): Promise<Count | undefined> {
  const rows = await db.all<{ name: Standing; day: Day; value: number }>(sql`SELECT name, day, value FROM daily_figures
    WHERE organization_id = ${organizationId} AND name IN (${listed(STANDINGS)}) AND day =
      (SELECT MAX(day) FROM daily_figures WHERE organization_id = ${organizationId} AND name = ${'mfa-on'}
        AND day BETWEEN ${from} AND ${to})`);
  const [first] = rows;
  if (!first) return undefined;
  const none = { 'mfa-on': 0, 'mfa-none': 0, 'mfa-low': 0, 'mfa-locked': 0, 'mfa-reset': 0 };
  return { ...none, ...Object.fromEntries(rows.map(({ name, value }) => [name, value])), day: first.day };
}

/** How many contacts with portal access used MFA when they were last counted in a period. */
export interface Adoption {
  readonly on: number;
  readonly none: number;
}

export type AdoptionPeriod = Days & { readonly count: Adoption | undefined };

/** The last count of each of these periods, in their order. Where nobody counted in one, it has none. */
export async function adoption(
  db: Database,
  organizationId: string,
  periods: readonly Days[],
): Promise<AdoptionPeriod[]> {
  const rows = await db.all<{ name: Standing; day: Day; value: number }>(sql`SELECT name, day, value FROM daily_figures
    WHERE organization_id = ${organizationId} AND name IN ('mfa-on', 'mfa-none')
      AND day BETWEEN ${periods[0]?.from ?? ''} AND ${periods.at(-1)?.to ?? ''} ORDER BY day`);
  return periods.map(({ from, to }) => {
    const last = (name: Standing): number | undefined =>
      rows.findLast((row) => row.name === name && row.day >= from && row.day <= to)?.value;
    const [on, none] = [last('mfa-on'), last('mfa-none')];
    return { from, to, count: on === undefined || none === undefined ? undefined : { on, none } };
  });
}

/** How often something happened, by what it is kept apart by. */
export interface Sum {
  readonly name: Event;
  readonly subject: string;
  readonly value: number;
}

/** What happened on those days, added up. */
export function sums(db: Database, organizationId: string, days: Days): Promise<Sum[]> {
  return db.all(sql`SELECT name, subject, CAST(SUM(value) AS BIGINT) AS value FROM daily_figures
    WHERE organization_id = ${organizationId} AND name IN (${listed(EVENTS)}) AND day BETWEEN ${days.from} AND ${days.to}
    GROUP BY name, subject ORDER BY name, subject`);
}

/** When the contacts of an organization were last counted, in milliseconds; null before the first time. */
export async function countedAt(db: Pick<Queries, 'one'>, organizationId: string): Promise<number | null> {
  const row = await db.one<{ at: number | null }>(
    sql`SELECT counted_at AS at FROM figure_cursors WHERE organization_id = ${organizationId}`,
  );
  return row?.at ?? null;
}

/** Whether there is a customer, and whether any contact has ever come through the portal. */
export async function firstSteps(
  db: Pick<Queries, 'one'>,
  organizationId: string,
): Promise<{ customer: boolean; signIn: boolean }> {
  const row = await db.one<{ customer: number; signIn: number }>(sql`SELECT
    CASE WHEN EXISTS (SELECT 1 FROM customers WHERE organization_id = ${organizationId}) THEN 1 ELSE 0 END AS customer,
    CASE WHEN EXISTS (SELECT 1 FROM daily_figures WHERE organization_id = ${organizationId} AND name = 'signed-in')
      THEN 1 ELSE 0 END AS "signIn"`);
  return { customer: row?.customer === 1, signIn: row?.signIn === 1 };
}

/** The names by which agents are shown, by their ids; who is gone from the log has none. */
export async function agentNames(
  db: Database,
  organizationId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.all<{ id: string; name: string }>(sql`SELECT subject_id AS id, name FROM audit_names
    WHERE organization_id = ${organizationId} AND subject_id IN (${listed(ids)})`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export interface Figure {
  readonly name: Event | Standing;
  readonly day: Day;
  readonly subject: string;
  readonly value: number;
}

/** Writes figures down, in the transaction of whatever makes sure that it is done once: what is there is added to, or replaced. */
export async function writeFigures(
  tx: Transaction,
  organizationId: string,
  figures: readonly Figure[],
  how: 'add' | 'replace',
): Promise<void> {
  const value = how === 'add' ? sql`daily_figures.value + excluded.value` : sql`excluded.value`;
  for (const { name, day, subject, value: given } of figures)
    await tx.run(sql`INSERT INTO daily_figures (organization_id, name, day, subject, value)
      VALUES (${organizationId}, ${name}, ${day}, ${subject}, ${given})
      ON CONFLICT (organization_id, name, day, subject) DO UPDATE SET value = ${value}`);
}

function listed(values: readonly string[]): Sql {
  return values.map((value) => sql`${value}`).reduce((all, value) => sql`${all}, ${value}`);
}
