import type { Action } from '../../src/accounts/audit.ts';
import { sql, type Database } from '../../src/db/db.ts';

/** A row of the log is written in the transaction of its fact, and so not much later. */
export const RECORDED_AFTER_MS = 5_000;

export interface AccountRow {
  readonly id: string;
  readonly organizationId: string;
  readonly epoch: number;
  readonly totpWrong: number;
  readonly totpWaitUntil: number;
  readonly backupWrong: number;
  readonly backupWaitUntil: number;
  readonly windowWrong: number;
  readonly suspectedAt: number | null;
}

export interface ChallengeRow {
  readonly id: string;
  readonly accountId: string;
  readonly purpose: string;
  readonly tokenHash: string;
  readonly attemptsLeft: number;
  readonly createdAt: number;
  readonly consumedAt: number | null;
}

export interface SessionRow {
  readonly id: string;
  readonly organizationId: string;
  readonly accountId: string;
  readonly tokenHash: string;
  readonly challengeId: string | null;
  readonly factor: string;
  readonly signedInAt: number;
  readonly endedAt: number | null;
}

export interface AuthenticatorRow {
  readonly id: string;
  readonly accountId: string;
  readonly lastStep: number;
  readonly provenStep: number | null;
  readonly createdAt: number;
  readonly enabledAt: number | null;
  readonly revokedAt: number | null;
}

export interface SetRow {
  readonly id: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

export interface CodeRow {
  readonly setId: string;
  readonly usedAt: number | null;
}

export interface LogRow {
  readonly id: string;
  readonly organizationId: string;
  readonly at: number;
  readonly action: Action;
  readonly targetId: string | null;
  readonly result: string;
  readonly details: { readonly factor?: string; readonly policy?: string; readonly graceDays?: number | null };
}

/** All that the checker compares, as it lies in the database. */
export interface Tables {
  readonly accounts: readonly AccountRow[];
  readonly challenges: readonly ChallengeRow[];
  readonly sessions: readonly SessionRow[];
  readonly authenticators: readonly AuthenticatorRow[];
  readonly sets: readonly SetRow[];
  readonly codes: readonly CodeRow[];
  /** The oldest first. */
  readonly log: readonly LogRow[];
}

/** Reads everything while nobody writes. */
export async function readTables(db: Database): Promise<Tables> {
  const log = await db.all<Omit<LogRow, 'details'> & { details: string }>(sql`SELECT id,
    organization_id AS "organizationId", at, action, target_id AS "targetId", result, details FROM audit_rows ORDER BY at, id`);
  return {
    accounts: await db.all(sql`SELECT id, organization_id AS "organizationId", epoch, totp_wrong AS "totpWrong",
      totp_wait_until AS "totpWaitUntil", backup_wrong AS "backupWrong", backup_wait_until AS "backupWaitUntil",
      window_wrong AS "windowWrong", suspected_at AS "suspectedAt" FROM accounts`),
    challenges: await db.all(sql`SELECT id, account_id AS "accountId", purpose, token_hash AS "tokenHash",
      attempts_left AS "attemptsLeft", created_at AS "createdAt", consumed_at AS "consumedAt" FROM challenges`),
    sessions: await db.all(sql`SELECT id, organization_id AS "organizationId", account_id AS "accountId",
      token_hash AS "tokenHash", challenge_id AS "challengeId", factor, signed_in_at AS "signedInAt",
      ended_at AS "endedAt" FROM sessions`),
    authenticators: await db.all(sql`SELECT id, account_id AS "accountId", last_step AS "lastStep",
      proven_step AS "provenStep", created_at AS "createdAt", enabled_at AS "enabledAt", revoked_at AS "revokedAt"
      FROM authenticators`),
    sets: await db.all(sql`SELECT id, account_id AS "accountId", created_at AS "createdAt", revoked_at AS "revokedAt"
      FROM backup_code_sets`),
    codes: await db.all(sql`SELECT set_id AS "setId", used_at AS "usedAt" FROM backup_codes`),
    log: log.map((row) => ({ ...row, details: JSON.parse(row.details) as LogRow['details'] })),
  };
}

/** What an audit row of the second door says: a code was answered at sign-in or for a fresh proof. */
export function isAnswer({ action, details }: LogRow): boolean {
  return (
    ['signed-in', 'proved-again'].includes(action) && details.factor !== undefined && details.factor !== 'password'
  );
}
