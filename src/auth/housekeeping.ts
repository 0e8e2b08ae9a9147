import type { Installation } from '../accounts/installation.ts';
import { HOLDER_FORGOTTEN_MS } from '../accounts/keys.ts';
import { sql } from '../db/db.ts';
import * as limits from './limits.ts';

/**
 * Takes from the disk what time has ended: secrets of enrolments nobody finished, backup codes shown and left, windows
 * of counters that are over, sessions, links and addresses long gone, processes that were killed, challenges that led nowhere. Every lookup refuses
 * these by their time already; run late, or never, nothing opens. Each statement commits by itself, and several servers
 * may run it at once.
 */
export async function sweep({ db, now }: Pick<Installation, 'db' | 'now'>): Promise<void> {
  const at = now();
  const each = [
    sql`UPDATE challenges SET sealed_codes = NULL WHERE sealed_codes IS NOT NULL AND expires_at <= ${at}`,
    sql`UPDATE authenticators SET revoked_at = ${at}, secret = NULL
      WHERE enabled_at IS NULL AND revoked_at IS NULL AND expires_at <= ${at}`,
    sql`DELETE FROM counters WHERE started_at <= ${at - limits.LONGEST_WINDOW_MS}`,
    sql`DELETE FROM sessions WHERE expires_at <= ${at - limits.ENDED_SESSION_KEPT_MS}`,
    sql`DELETE FROM welcome_links WHERE expires_at <= ${at - limits.ENDED_SESSION_KEPT_MS}`,
    sql`DELETE FROM known_addresses WHERE last_seen_at <= ${at - limits.KNOWN_ADDRESS_KEPT_MS}`,
    sql`DELETE FROM key_holders WHERE seen_at <= ${at - HOLDER_FORGOTTEN_MS}`,
    sql`DELETE FROM challenges WHERE expires_at <= ${at - limits.DEAD_CHALLENGE_KEPT_MS}
      AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.organization_id = challenges.organization_id AND s.challenge_id = challenges.id)
      AND NOT EXISTS (SELECT 1 FROM authenticators m WHERE m.organization_id = challenges.organization_id AND m.challenge_id = challenges.id)`,
  ];
  for (const statement of each) await db.transaction((tx) => tx.run(statement));
}
