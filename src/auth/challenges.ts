import { ACCOUNT_COLUMNS, type Account } from '../accounts/accounts.ts';
import type { Action, Fact } from '../accounts/audit.ts';
import { hashToken, randomToken, readCookie, uuidv7 } from '../crypto/tokens.ts';
import { sql, type Database, type Transaction } from '../db/db.ts';
import {
  ATTEMPTS_PER_CHALLENGE,
  BACKUP_CODES_LIFETIME_MS,
  ENROLMENT_LIFETIME_MS,
  OPEN_CHALLENGES_PER_ACCOUNT,
  SIGN_IN_CHALLENGE_LIFETIME_MS,
} from './limits.ts';
import { isOpen, type Visitor } from './sessions.ts';

export type Surface = 'portal' | 'admin';
export type Purpose = 'sign-in' | 'enrolment' | 'backup-codes' | 'manage' | 'recovery';

/** What a ceremony is for that was begun inside, over factors that are there. */
export type Aim = 'another' | 'replacement' | 'new-codes';

/** What such a ceremony hangs on: it is over with the session that began it, whoever ends that. */
export interface BegunInside {
  readonly aim: Aim;
  readonly begunIn: string;
  /** The authenticator that a replacement ends. */
  readonly replaces: string | null;
  /** What the new authenticator will be called; null for the usual name. */
  readonly name: string | null;
}

/** A half-finished sign-in, enrolment or fresh proof. Whose it is stands here, never in the request (I13). */
export interface Challenge {
  readonly id: string;
  readonly surface: Surface;
  readonly purpose: Purpose;
  readonly epoch: number;
  readonly attemptsLeft: number;
  readonly expiresAt: number;
  /** Until when the enrolment that it opens may be put off; null where there is no way around it. */
  readonly laterUntil: number | null;
  /** Null for a sign-in, a fresh proof, and for setting MFA up where there is none. */
  readonly inside: BegunInside | null;
  readonly account: Account;
}

/** What a challenge cookie leads to. A dead one still tells why, and the e-mail to start again with. */
export type FoundChallenge =
  | { kind: 'open'; challenge: Challenge }
  | { kind: 'dead'; reason: Death; purpose: Purpose; aim: Aim | null; email: string; organizationId: string };

/** `void`: the account has changed since (a reset, a new password, access closed). `over`: used up, or dropped for a newer one. */
export type Death = 'expired' | 'exhausted' | 'void' | 'over';

const LIFETIMES_MS = {
  'sign-in': SIGN_IN_CHALLENGE_LIFETIME_MS,
  enrolment: ENROLMENT_LIFETIME_MS,
  'backup-codes': BACKUP_CODES_LIFETIME_MS,
  manage: SIGN_IN_CHALLENGE_LIFETIME_MS,
  recovery: ENROLMENT_LIFETIME_MS,
};

export interface Opening {
  readonly account: Account;
  /** The epoch read with the password hash. */
  readonly epoch: number;
  readonly surface: Surface;
  readonly purpose: keyof typeof LIFETIMES_MS;
  readonly sessionId?: string;
  readonly laterUntil?: number | null;
  readonly inside?: BegunInside;
}

/**
 * Opens a challenge and answers its cookie's value, `{organization id}.{token}`. The oldest of more than three open
 * ones is dropped. The caller holds the account's lock, so that "more than three" cannot be missed.
 */
export async function openChallenge(
  tx: Transaction,
  opening: Opening,
  now: number,
): Promise<{ id: string; cookie: string; expiresAt: number }> {
  const { account, purpose, inside } = opening;
  const token = randomToken();
  const id = uuidv7(now);
  const expiresAt = now + LIFETIMES_MS[purpose];
  await tx.run(sql`INSERT INTO challenges
    (organization_id, id, account_id, surface, purpose, token_hash, session_id, epoch, attempts_left, created_at,
      expires_at, later_until, aim, begun_in, replaces,
      app_name)
    VALUES (${account.organizationId}, ${id}, ${account.id}, ${opening.surface}, ${purpose}, ${hashToken(token)},
      ${opening.sessionId ?? null}, ${opening.epoch}, ${ATTEMPTS_PER_CHALLENGE}, ${now}, ${expiresAt},
      ${opening.laterUntil ?? null}, ${inside?.aim ?? null}, ${inside?.begunIn ?? null}, ${inside?.replaces ?? null},
      ${inside?.name ?? null})`);
  await tx.run(sql`UPDATE challenges SET consumed_at = ${now}, sealed_codes = NULL
    WHERE organization_id = ${account.organizationId} AND account_id = ${account.id} AND consumed_at IS NULL
    AND expires_at > ${now} AND id <> ${id} AND id NOT IN (
      SELECT id FROM challenges WHERE organization_id = ${account.organizationId} AND account_id = ${account.id}
      AND consumed_at IS NULL AND expires_at > ${now} AND id <> ${id} ORDER BY id DESC LIMIT ${OPEN_CHALLENGES_PER_ACCOUNT - 1})`);
  return { id, cookie: `${account.organizationId}.${token}`, expiresAt };
}

/** Finds the challenge of a cookie on a surface; undefined where the cookie never was one of ours. */
export async function findChallenge(
  db: Database,
  surface: Surface,
  cookie: string,
  now: number,
): Promise<FoundChallenge | undefined> {
  const { organizationId, token } = readCookie(cookie);
  const row = await db.one<Account & ChallengeRow>(sql`SELECT ${ACCOUNT_COLUMNS}, c.id AS "challengeId", c.purpose,
      c.epoch AS "challengeEpoch", c.attempts_left AS "attemptsLeft", c.expires_at AS "expiresAt", c.consumed_at AS "consumedAt",
      c.later_until AS "laterUntil", c.aim, c.begun_in AS "begunIn", c.replaces, c.app_name AS "appName",
      CASE WHEN c.begun_in IS NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.organization_id = c.organization_id
        AND s.id = c.begun_in AND s.account_id = c.account_id AND ${isOpen(surface, now)}) THEN 1 ELSE 0 END AS "isInside"
    FROM challenges c JOIN accounts a ON a.organization_id = c.organization_id AND a.id = c.account_id
    WHERE c.organization_id = ${organizationId} AND c.token_hash = ${hashToken(token)} AND c.surface = ${surface}`);
  if (!row) return undefined;
  const { challengeId, purpose, challengeEpoch, attemptsLeft, expiresAt, consumedAt, laterUntil, ...more } = row;
  const { aim, begunIn, replaces, appName, isInside, ...account } = more;
  const dead = (reason: Death): FoundChallenge => {
    return { kind: 'dead', reason, purpose, aim, email: account.email, organizationId };
  };
  if (challengeEpoch !== account.epoch || account.disabledAt !== null) return dead('void');
  if (consumedAt !== null) return dead('over');
  if (attemptsLeft === 0) return dead('exhausted');
  if (expiresAt <= now || isInside === 0) return dead('expired');
  return {
    kind: 'open',
    challenge: {
      id: challengeId,
      surface,
      purpose,
      epoch: challengeEpoch,
      attemptsLeft,
      expiresAt,
      laterUntil,
      inside: aim === null || begunIn === null ? null : { aim, begunIn, replaces, name: appName },
      account,
    },
  };
}

interface ChallengeRow {
  readonly challengeId: string;
  readonly purpose: Purpose;
  readonly challengeEpoch: number;
  readonly attemptsLeft: number;
  readonly expiresAt: number;
  readonly consumedAt: number | null;
  readonly laterUntil: number | null;
  readonly aim: Aim | null;
  readonly begunIn: string | null;
  readonly replaces: string | null;
  readonly appName: string | null;
  readonly isInside: 0 | 1;
}

/**
 * Whether the session in which a ceremony was begun is open still; true of a ceremony that was begun at the door. To
 * decide by it, the caller holds the account's lock, which whoever ends all of its sessions takes too.
 */
export async function isStillInside(tx: Transaction, challenge: Challenge, now: number): Promise<boolean> {
  const { account, inside, surface } = challenge;
  if (!inside) return true;
  const found = await tx.one(sql`SELECT 1 AS found FROM sessions s
    JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${account.organizationId} AND s.id = ${inside.begunIn} AND s.account_id = ${account.id}
      AND ${isOpen(surface, now)}`);
  return found !== undefined;
}

/** Spends one of the challenge's attempts; answers how many are left, or undefined where it is over (I5). */
export async function spendAttempt(tx: Transaction, challenge: Challenge, now: number): Promise<number | undefined> {
  const row = await tx.one<{ left: number }>(sql`UPDATE challenges SET attempts_left = attempts_left - 1
    WHERE organization_id = ${challenge.account.organizationId} AND id = ${challenge.id}
      AND account_id = ${challenge.account.id} AND purpose = ${challenge.purpose} AND epoch = ${challenge.epoch}
      AND consumed_at IS NULL AND expires_at > ${now} AND attempts_left > 0
    RETURNING attempts_left AS "left"`);
  return row?.left;
}

/** Uses a challenge up. False where somebody else has: then it buys nothing more (I8). */
export async function consume(tx: Transaction, challenge: Challenge, now: number): Promise<boolean> {
  const changed = await tx.run(sql`UPDATE challenges SET consumed_at = ${now}, sealed_codes = NULL
    WHERE organization_id = ${challenge.account.organizationId} AND id = ${challenge.id} AND consumed_at IS NULL`);
  return changed === 1;
}

/** What the owner of a challenge did, for the audit log. */
export function factOf({ account }: Pick<Challenge, 'account'>, visitor: Visitor, action: Action): Fact {
  const { organizationId, id } = account;
  return {
    organizationId,
    actor: { kind: 'account', id, address: visitor.address, userAgent: visitor.userAgent },
    action,
    targetId: id,
  };
}
