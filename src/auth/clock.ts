import { record, type Actor } from '../accounts/audit.ts';
import { seenAt } from '../accounts/clock.ts';
import type { Installation } from '../accounts/installation.ts';
import { someOrganizations } from '../accounts/organizations.ts';
import { timeStep } from '../crypto/totp.ts';
import { RolledBack, sql, type Sql } from '../db/db.ts';
import * as limits from './limits.ts';

/** What taking a clock at its word has done. */
export interface Accepted {
  /** The moment that the database had seen, and that no clock has reached yet. */
  readonly seenAt: number;
  /** Authenticators that accept no code before a time that is still to come: only a reset helps their owners. */
  readonly ahead: number;
}

/**
 * Takes this clock for the right one, against a later moment that another has shown: the operator's way out when a
 * server's clock was ahead (I22). What that clock has dated ahead is put right in the same transaction, since it would
 * else outlive everything: sessions, challenges and links from the future end, windows of counters begin now, and no
 * wait is longer than the longest. No step is accepted again. Undefined where the clock is not behind: nothing changed.
 */
export function acceptClock(installation: Installation, actor: Actor): Promise<Accepted | undefined> {
  return installation.db.transaction<Accepted | undefined>(async (tx) => {
    const now = installation.now();
    const before = await seenAt(tx);
    if (!limits.clockIsBehind(now, before)) return new RolledBack(undefined);
    for (const statement of putRight(now)) await tx.run(statement);
    for (const { id } of await someOrganizations(tx, Number.MAX_SAFE_INTEGER))
      await record(tx, installation, {
        organizationId: id,
        actor,
        action: 'clock.accepted',
        details: { seenAt: before },
      });
    const ahead = await tx.one<{ ahead: number }>(sql`SELECT COUNT(*) AS ahead FROM authenticators
      WHERE enabled_at IS NOT NULL AND revoked_at IS NULL AND last_step > ${timeStep(now + limits.CLOCK_SLACK_MS) + 1}`);
    return { seenAt: before, ahead: ahead?.ahead ?? 0 };
  });
}

// Accounts before challenges, as everywhere (docs/decisions/0004).
function putRight(now: number): Sql[] {
  const future = now + limits.CLOCK_SLACK_MS;
  const waitUntil = now + limits.LONGEST_WAIT_MS;
  return [
    sql`UPDATE accounts SET totp_wait_until = ${waitUntil} WHERE totp_wait_until > ${waitUntil}`,
    sql`UPDATE accounts SET backup_wait_until = ${waitUntil} WHERE backup_wait_until > ${waitUntil}`,
    sql`UPDATE challenges SET consumed_at = ${now}, sealed_codes = NULL WHERE created_at > ${future} AND consumed_at IS NULL`,
    sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL
      WHERE created_at > ${future} AND enabled_at IS NULL AND revoked_at IS NULL`,
    sql`UPDATE sessions SET ended_at = ${now} WHERE last_used_at > ${future} AND ended_at IS NULL`,
    sql`UPDATE welcome_links SET spent_at = ${now} WHERE created_at > ${future} AND spent_at IS NULL`,
    sql`UPDATE mailed_links SET expires_at = ${now} WHERE created_at > ${future} AND expires_at > ${now}`,
    sql`DELETE FROM passkey_ceremonies WHERE expires_at > ${future + limits.PASSKEY_CEREMONY_LIFETIME_MS}`,
    sql`UPDATE setup_links SET spent_at = ${now}
      WHERE expires_at > ${future + limits.SETUP_LINK_LIFETIME_MS} AND spent_at IS NULL`,
    sql`UPDATE counters SET started_at = ${now} WHERE started_at > ${future}`,
    sql`UPDATE clock SET seen_at = ${now} WHERE seen_at > ${now}`,
  ];
}
