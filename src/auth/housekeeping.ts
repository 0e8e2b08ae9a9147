import type { Installation } from '../accounts/installation.ts';
import { sql } from '../db/db.ts';
import { ENDED_SESSION_KEPT_MS, LONGEST_WINDOW_MS } from './limits.ts';

const KEPT_AFTER_EXPIRY_MS = 24 * 60 * 60_000;

/**
 * Takes from the disk what time has ended: secrets of enrolments nobody finished, backup codes shown and left, windows
 * of counters that are over, sessions long gone, challenges that led nowhere. Every lookup refuses these by their time already; run late,
 * or never, nothing opens. Each statement commits by itself, and several servers may run it at once.
 */
export async function sweep({ db, now }: Pick<Installation, 'db' | 'now'>): Promise<void> {
  const at = now();
  const each = [
    sql`UPDATE challenges SET sealed_codes = NULL WHERE sealed_codes IS NOT NULL AND expires_at <= ${at}`,
    sql`UPDATE authenticators SET revoked_at = ${at}, secret = NULL
      WHERE enabled_at IS NULL AND revoked_at IS NULL AND expires_at <= ${at}`,
    sql`DELETE FROM counters WHERE started_at <= ${at - LONGEST_WINDOW_MS}`,
    sql`DELETE FROM sessions WHERE expires_at <= ${at - ENDED_SESSION_KEPT_MS}`,
    sql`DELETE FROM challenges WHERE expires_at <= ${at - KEPT_AFTER_EXPIRY_MS}
      AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.organization_id = challenges.organization_id AND s.challenge_id = challenges.id)
      AND NOT EXISTS (SELECT 1 FROM authenticators m WHERE m.organization_id = challenges.organization_id AND m.challenge_id = challenges.id)`,
  ];
  for (const statement of each) await db.transaction((tx) => tx.run(statement));
}
