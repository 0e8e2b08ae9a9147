import { randomBytes } from 'node:crypto';
import { record, type Action } from '../accounts/audit.ts';
import { seenAt } from '../accounts/clock.ts';
import { lockAtEpoch, voidCarriers } from '../accounts/epoch.ts';
import { keepListed } from '../accounts/listed.ts';
import type { Installation } from '../accounts/installation.ts';
import { matchingSteps, timeStep } from '../crypto/totp.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Transaction } from '../db/db.ts';
import { shownCodes } from './ceremony-codes.ts';
import { factOf, isStillInside, type Challenge } from './challenges.ts';
import { awaitsConfirmation, mailLink } from './confirmed-enrolment.ts';
import { minutesOff, openSecret, sealSecret, stepsOff } from './factors/totp.ts';
import {
  BACKUP_CODES_LIFETIME_MS,
  clockIsBehind,
  clockIsRight,
  ENROLMENT_LIFETIME_MS,
  STEPS_EITHER_WAY,
  TRIES_PER_ENROLMENT,
} from './limits.ts';
import { takeFactorsAway } from './recovery.ts';
import type { Visitor } from './sessions.ts';

/** RFC 4226 §4 R6: 160 bits, as long as the hash it keys. */
const SECRET_BYTES = 20;

/** How far a ceremony has come. A step is reachable only after the one before it; nothing is active before `enabled`. */
export type Ceremony =
  | { step: 'start'; ended: 'replaced' | 'tries' | null }
  | { step: 'offered' | 'proven'; pending: Pending }
  /** Proven, and it must be confirmed by a mailed link or by staff first (confirmed-enrolment.ts). */
  | { step: 'unconfirmed'; pending: Pending; linkSentAt: number | null }
  | { step: 'enabled'; codes: readonly string[] | null };

/** An enrolment that was begun and not yet enabled. */
export interface Pending {
  readonly id: string;
  readonly secret: Uint8Array;
  readonly triesLeft: number;
}

/** Where a ceremony stands. Reads only: coming back, reloading and looking twice change nothing. */
export async function ceremony(installation: Installation, challenge: Challenge): Promise<Ceremony> {
  if (challenge.purpose === 'backup-codes')
    return { step: 'enabled', codes: await shownCodes(installation.db, installation, challenge) };
  const row = await latestPending(installation.db, challenge);
  if (!row || row.expiresAt <= installation.now()) return { step: 'start', ended: null };
  if (row.secret === null) return { step: 'start', ended: 'replaced' };
  if (row.provenStep === null && row.triesLeft === 0) return { step: 'start', ended: 'tries' };
  const { account } = challenge;
  const secret = openSecret(installation, account.organizationId, account.id, row.id, row.secret);
  const pending = { id: row.id, secret, triesLeft: row.triesLeft };
  if (row.provenStep === null) return { step: 'offered', pending };
  return row.awaits === 1 ? { step: 'unconfirmed', pending, linkSentAt: row.linkSentAt } : { step: 'proven', pending };
}

interface PendingRow {
  readonly id: string;
  readonly secret: string | null;
  readonly triesLeft: number;
  readonly provenStep: number | null;
  readonly expiresAt: number;
  readonly awaits: 0 | 1;
  readonly linkSentAt: number | null;
}

function latestPending(
  db: Pick<Queries, 'one'>,
  challenge: Pick<Challenge, 'id' | 'account'>,
): Promise<PendingRow | undefined> {
  return db.one(sql`SELECT id, secret, tries_left AS "triesLeft", proven_step AS "provenStep", expires_at AS "expiresAt",
      link_sent_at AS "linkSentAt", CASE WHEN ${awaitsConfirmation(challenge.account)} THEN 1 ELSE 0 END AS awaits
    FROM authenticators WHERE organization_id = ${challenge.account.organizationId} AND challenge_id = ${challenge.id}
      AND account_id = ${challenge.account.id} AND enabled_at IS NULL ORDER BY id DESC LIMIT 1`);
}

/**
 * Configure: makes a fresh secret, pending and bound to this ceremony. One pending enrolment per account: whatever
 * another sign-in had begun ends here, and is never shown to this one (I10). A ceremony that has a live secret keeps it.
 */
export async function offer(installation: Installation, challenge: Challenge, visitor: Visitor): Promise<void> {
  const current = await ceremony(installation, challenge);
  if (current.step !== 'start') return;
  await installation.db.transaction<boolean>(async (tx) => {
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(false);
    return offerWithin(tx, installation, challenge, visitor);
  });
}

/** The same inside a transaction that holds the account's lock. False where a live secret was kept. */
export async function offerWithin(
  tx: Transaction,
  installation: Installation,
  challenge: Pick<Challenge, 'id' | 'account' | 'expiresAt' | 'inside'>,
  visitor: Visitor,
): Promise<boolean> {
  const { organizationId, id: accountId } = challenge.account;
  const now = installation.now();
  const begun = await latestPending(tx, challenge);
  if (begun && begun.secret !== null && begun.expiresAt > now && begun.triesLeft > 0) return false;
  await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL WHERE organization_id = ${organizationId}
    AND account_id = ${accountId} AND enabled_at IS NULL AND revoked_at IS NULL`);
  const id = uuidv7(now);
  await tx.run(sql`INSERT INTO authenticators
    (organization_id, id, account_id, kind, challenge_id, secret, tries_left, created_at, expires_at, name)
    VALUES (${organizationId}, ${id}, ${accountId}, 'totp', ${challenge.id},
      ${sealSecret(installation, organizationId, accountId, id, randomBytes(SECRET_BYTES))},
      ${TRIES_PER_ENROLMENT}, ${now}, ${Math.min(now + ENROLMENT_LIFETIME_MS, challenge.expiresAt)},
      ${challenge.inside?.name ?? null})`);
  await record(tx, installation, {
    ...factOf(challenge, visitor, 'enrolment.offered'),
    details: { again: begun ? 1 : 0 },
  });
  return true;
}

export type Verified =
  | { kind: 'proven' }
  | { kind: 'wrong'; triesUsed: number }
  /** The code is right for another time: the phone's clock is off by so many minutes. */
  | { kind: 'clock'; minutes: number; direction: 'slow' | 'fast' }
  /** No code was looked at: the server's own clock is behind (I22). */
  | { kind: 'clock-behind' }
  /** There is nothing to prove (any more): go to where the ceremony stands. */
  | { kind: 'out-of-turn' };

/**
 * Verify: a code of the app proves that it holds the secret. Activates nothing; a wrong one keeps the same secret. Where a
 * new authenticator must be confirmed, the link for it is mailed with the proof.
 */
export function verifyEnrolment(
  installation: Installation,
  challenge: Challenge,
  code: string,
  visitor: Visitor,
): Promise<Verified> {
  const { organizationId, id: accountId } = challenge.account;
  return installation.db.transaction<Verified>(async (tx) => {
    const now = installation.now();
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch)))
      return new RolledBack<Verified>({ kind: 'out-of-turn' });
    const spent = await tx.one<{ id: string; secret: string; left: number }>(sql`UPDATE authenticators
      SET tries_left = tries_left - 1
      WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND challenge_id = ${challenge.id}
        AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NULL AND expires_at > ${now} AND tries_left > 0
        AND ${clockIsRight(now)}
      RETURNING id, secret, tries_left AS "left"`);
    if (!spent) {
      const behind = clockIsBehind(now, await seenAt(tx));
      return new RolledBack<Verified>({ kind: behind ? 'clock-behind' : 'out-of-turn' });
    }
    const secret = openSecret(installation, organizationId, accountId, spent.id, spent.secret);
    const current = timeStep(now);
    const proven = matchingSteps(secret, code, current - STEPS_EITHER_WAY, current + STEPS_EITHER_WAY).at(-1);
    const off = proven === undefined ? stepsOff(secret, code, now) : undefined;
    await record(tx, installation, {
      ...factOf(challenge, visitor, 'enrolment.answered'),
      result: proven === undefined ? 'wrong' : 'right',
      details: off === undefined ? {} : { why: 'clock', minutes: minutesOff(off) },
    });
    if (proven === undefined) {
      if (off === undefined) return { kind: 'wrong', triesUsed: TRIES_PER_ENROLMENT - spent.left };
      // The secret is not live yet, so saying by how much the clock is off helps nobody but its owner (R8).
      return { kind: 'clock', minutes: Math.abs(minutesOff(off)), direction: off < 0 ? 'slow' : 'fast' };
    }
    await tx.run(sql`UPDATE authenticators SET proven_step = ${proven} WHERE organization_id = ${organizationId}
      AND id = ${spent.id} AND revoked_at IS NULL AND proven_step IS NULL`);
    await mailLink(tx, installation, challenge);
    return { kind: 'proven' };
  });
}

/**
 * Enable MFA: the proven authenticator becomes active, and the step that proved it is used up (I2). Raises the epoch. At
 * the door the ceremony's own challenge moves to the new one, to hand out backup codes and nothing else; begun inside, it
 * ends here, with the authenticator that it replaces (I10). Behind a code that staff have read out, all that was there
 * before ends in the same moment. False where there was nothing proven to enable, which
 * includes the second press, or what is proven waits to be confirmed.
 */
export function enable(installation: Installation, challenge: Challenge, visitor: Visitor): Promise<boolean> {
  const { organizationId, id: accountId } = challenge.account;
  return installation.db.transaction<boolean>(async (tx) => {
    const now = installation.now();
    if (challenge.inside && !(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(false);
    if (!(await isStillInside(tx, challenge, now))) return new RolledBack(false);
    const raised = await tx.one<{ epoch: number }>(sql`UPDATE accounts SET epoch = epoch + 1, reset_notice_at = NULL
      WHERE organization_id = ${organizationId} AND id = ${accountId} AND epoch = ${challenge.epoch} AND disabled_at IS NULL
      RETURNING epoch`);
    if (!raised) return new RolledBack(false);
    const enabled = await tx.run(sql`UPDATE authenticators SET enabled_at = ${now}, last_step = proven_step
      WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND challenge_id = ${challenge.id}
        AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NOT NULL AND expires_at > ${now}
        AND NOT ${awaitsConfirmation(challenge.account)}`);
    if (enabled !== 1) return new RolledBack(false);
    const replaces = challenge.purpose === 'recovery';
    if (replaces) await takeFactorsAway(tx, challenge.account, now, challenge.id);
    const ended = challenge.inside
      ? await endInside(tx, challenge, raised.epoch, now)
      : await moveToCodes(tx, challenge, raised.epoch, now);
    if (!ended) return new RolledBack(false);
    await keepListed(tx, organizationId, accountId);
    const enabling = factOf(challenge, visitor, enabledAs(challenge));
    await record(tx, installation, replaces ? { ...enabling, details: { replaced: 1 } } : enabling);
    return true;
  });
}

function enabledAs({ inside }: Challenge): Action {
  if (inside === null) return 'mfa.enabled';
  return inside.aim === 'replacement' ? 'authenticator.replaced' : 'authenticator.added';
}

async function moveToCodes(tx: Transaction, challenge: Challenge, epoch: number, now: number): Promise<boolean> {
  const { organizationId, id: accountId } = challenge.account;
  await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE organization_id = ${organizationId}
    AND account_id = ${accountId} AND ended_at IS NULL`);
  const moved = await tx.run(sql`UPDATE challenges SET epoch = ${epoch}, purpose = 'backup-codes',
      expires_at = ${now + BACKUP_CODES_LIFETIME_MS}
    WHERE organization_id = ${organizationId} AND id = ${challenge.id} AND purpose IN ('enrolment', 'recovery') AND consumed_at IS NULL`);
  return moved === 1;
}

// Which authenticators are active has not changed since the ceremony began: whatever changes that raises the epoch.
async function endInside(tx: Transaction, challenge: Challenge, epoch: number, now: number): Promise<boolean> {
  const { account, id, inside } = challenge;
  const { organizationId, id: accountId } = account;
  if (inside?.aim === 'replacement') {
    const replaced = await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL
      WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND id = ${inside.replaces}
        AND enabled_at IS NOT NULL AND revoked_at IS NULL`);
    if (replaced !== 1) return false;
  }
  await voidCarriers(tx, organizationId, accountId, now);
  // Past its enabling, so that the button pressed twice is told so, and not that the account has changed.
  await tx.run(sql`UPDATE challenges SET epoch = ${epoch}, purpose = 'backup-codes'
    WHERE organization_id = ${organizationId} AND id = ${id}`);
  return true;
}
