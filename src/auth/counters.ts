import { sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';

/** How often something may happen, counted per subject in a window that begins with the first time. */
export interface Limit {
  readonly name: string;
  readonly allows: number;
  readonly windowMs: number;
}

/** What is counted: a limit, and whom it is counted for. */
export interface Counter {
  readonly limit: Limit;
  readonly subject: string;
}

/** One that was counted, in the window that began then; it can be given back when it turns out to be no failure. */
export interface Spent extends Counter {
  readonly startedAt: number;
}

/** Whether there was room under a limit; `until` is when the window ends that has none left. */
export type Room = { ok: true; spent: Spent } | { ok: false; until: number };

interface Window {
  readonly spent: number;
  readonly startedAt: number;
}

/** Counts one against a limit, unless its window is full: one conditional statement, whoever else is counting. */
export async function spend(db: Database, counter: Counter, now: number): Promise<Room> {
  const [window] = await db.relaxed<Window>(spending(counter, now));
  return window ? { ok: true, spent: { ...counter, startedAt: window.startedAt } } : fullUntil(db, counter, now);
}

/** The same inside a transaction, for what must count exactly when the fact happens. */
export async function spendWithin(tx: Transaction, counter: Counter, now: number): Promise<Room> {
  const window = await tx.one<Window>(spending(counter, now));
  return window ? { ok: true, spent: { ...counter, startedAt: window.startedAt } } : fullUntil(tx, counter, now);
}

/** Counts one without refusing any, and answers how many the window held before. */
export async function tally(db: Database, counter: Counter, now: number): Promise<{ before: number; spent: Spent }> {
  const [window] = await db.relaxed<Window>(counting(counter, now, sql``));
  return { before: (window?.spent ?? 1) - 1, spent: { ...counter, startedAt: window?.startedAt ?? now } };
}

/** The same in a transaction, with its commit on the disk. */
export async function tallyWithin(tx: Transaction, counter: Counter, now: number): Promise<void> {
  await tx.one(counting(counter, now, sql``));
}

/** Takes back what was counted for an attempt that was no failure: from its own window, never from a later one. */
export async function giveBack(db: Database, spent: readonly Spent[]): Promise<void> {
  for (const { limit, subject, startedAt } of spent) {
    await db.relaxed(sql`UPDATE counters SET spent = spent - 1 WHERE name = ${limit.name} AND subject = ${subject}
      AND started_at = ${startedAt} AND spent > 0`);
  }
}

function spending(counter: Counter, now: number): Sql {
  const { allows, windowMs } = counter.limit;
  return counting(counter, now, sql`WHERE counters.spent < ${allows} OR counters.started_at <= ${now - windowMs}`);
}

function counting({ limit, subject }: Counter, now: number, condition: Sql): Sql {
  const over = sql`counters.started_at <= ${now - limit.windowMs}`;
  return sql`INSERT INTO counters (name, subject, started_at, spent) VALUES (${limit.name}, ${subject}, ${now}, 1)
    ON CONFLICT (name, subject) DO UPDATE SET
      spent = CASE WHEN ${over} THEN 1 ELSE counters.spent + 1 END,
      started_at = CASE WHEN ${over} THEN excluded.started_at ELSE counters.started_at END
    ${condition} RETURNING spent, started_at AS "startedAt"`;
}

async function fullUntil(db: Pick<Queries, 'one'>, { limit, subject }: Counter, now: number): Promise<Room> {
  const row = await db.one<{ startedAt: number }>(
    sql`SELECT started_at AS "startedAt" FROM counters WHERE name = ${limit.name} AND subject = ${subject}`,
  );
  return { ok: false, until: (row?.startedAt ?? now) + limit.windowMs };
}
