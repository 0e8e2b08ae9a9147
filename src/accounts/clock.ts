import { sql, type Database, type Queries } from '../db/db.ts';

/**
 * Raises the high-water mark to a clock's time, in milliseconds since 1970, unless a clock has shown a later one before.
 * Answers where it stands now: at `now`, or ahead of it where that clock is behind another or was set back (I22). Does
 * not wait for the disk: a power cut costs the mark a moment, and what is behind by less than the slack is not told.
 */
export async function raiseMark(db: Database, now: number): Promise<number> {
  const [raised] = await db.relaxed(sql`INSERT INTO clock (id, seen_at) VALUES ('wall', ${now})
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at WHERE clock.seen_at < excluded.seen_at RETURNING seen_at`);
  return raised ? now : seenAt(db);
}

/** The latest moment that any clock has shown the database; 0 where no server has run on it yet. */
export async function seenAt(db: Pick<Queries, 'one'>): Promise<number> {
  const row = await db.one<{ seenAt: number }>(sql`SELECT seen_at AS "seenAt" FROM clock WHERE id = 'wall'`);
  return row?.seenAt ?? 0;
}
