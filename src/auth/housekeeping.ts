import type { Installation } from '../accounts/installation.ts';
import { HOLDER_FORGOTTEN_MS } from '../accounts/keys.ts';
import { sql, type Sql } from '../db/db.ts';
import * as limits from './limits.ts';

/** How many rows one statement takes, so that neither requests nor another server wait for its locks. */
const BITE = 1_000;

/**
 * Takes from the disk what time has ended: secrets of enrolments nobody finished, backup codes shown and left, windows
 * of counters that are over, sessions, links, devices, addresses and requests for help long gone, processes that were
 * killed, challenges that led nowhere. Every lookup refuses these by their time already; run late, or never, nothing opens. Each bite commits by
 * itself, and several servers may run it at once.
 */
export async function sweep({ db, now }: Pick<Installation, 'db' | 'now'>): Promise<void> {
  const at = now();
  const id = sql`organization_id, id`;
  const ended = sql`expires_at <= ${at - limits.ENDED_SESSION_KEPT_MS}`;
  const each = [
    sql`UPDATE challenges SET sealed_codes = NULL
      WHERE ${bite(sql`challenges`, id, sql`sealed_codes IS NOT NULL AND expires_at <= ${at}`)}`,
    sql`UPDATE authenticators SET revoked_at = ${at}, secret = NULL
      WHERE ${bite(sql`authenticators`, id, sql`enabled_at IS NULL AND revoked_at IS NULL AND expires_at <= ${at}`)}`,
    deletion(sql`counters`, sql`name, subject`, sql`started_at <= ${at - limits.LONGEST_WINDOW_MS}`),
    deletion(sql`passkey_ceremonies`, sql`organization_id, challenge`, sql`expires_at <= ${at}`),
    deletion(sql`enrolment_codes`, sql`organization_id, account_id`, sql`expires_at <= ${at}`),
    deletion(sql`mails`, id, sql`done_at <= ${at - limits.LETTER_KEPT_MS}`),
    deletion(sql`mails`, id, sql`done_at IS NULL AND due_at <= ${at - limits.LETTER_KEPT_MS}`),
    deletion(sql`parked_forms`, id, sql`expires_at <= ${at}`),
    sql`UPDATE recovery_requests SET state = 'expired', ended_at = ${at}
      WHERE ${bite(sql`recovery_requests`, id, sql`state = 'open' AND expires_at <= ${at}`)}`,
    deletion(sql`recovery_requests`, id, sql`created_at <= ${at - limits.HELP_KEPT_MS}`),
    deletion(sql`sign_in_codes`, id, sql`expires_at <= ${at - limits.DEAD_CHALLENGE_KEPT_MS}`),
    deletion(sql`sessions`, id, ended),
    deletion(sql`welcome_links`, id, ended),
    deletion(sql`trusted_devices`, id, ended),
    deletion(sql`trusted_devices`, id, sql`revoked_at <= ${at - limits.ENDED_SESSION_KEPT_MS}`),
    deletion(sql`mailed_links`, id, ended),
    deletion(
      sql`known_addresses`,
      sql`organization_id, account_id, address`,
      sql`last_seen_at <= ${at - limits.KNOWN_ADDRESS_KEPT_MS}`,
    ),
    deletion(sql`key_holders`, sql`id`, sql`seen_at <= ${at - HOLDER_FORGOTTEN_MS}`),
    deletion(
      sql`challenges`,
      id,
      sql`expires_at <= ${at - limits.DEAD_CHALLENGE_KEPT_MS}
      AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.organization_id = challenges.organization_id AND s.challenge_id = challenges.id)
      AND NOT EXISTS (SELECT 1 FROM authenticators m WHERE m.organization_id = challenges.organization_id AND m.challenge_id = challenges.id)`,
    ),
  ];
  for (const statement of each) while ((await db.transaction((tx) => tx.run(statement), { patient: true })) === BITE);
}

function deletion(table: Sql, key: Sql, isDue: Sql): Sql {
  return sql`DELETE FROM ${table} WHERE ${bite(table, key, isDue)}`;
}

// Said twice: of a row that PostgreSQL had to wait for, only the condition outside is looked at again, and the row may
// have come to life meanwhile.
function bite(table: Sql, key: Sql, isDue: Sql): Sql {
  return sql`(${key}) IN (SELECT ${key} FROM ${table} WHERE ${isDue} LIMIT ${BITE}) AND ${isDue}`;
}
