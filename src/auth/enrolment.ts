import { randomBytes } from 'node:crypto';
import type { Account } from '../accounts/accounts.ts';
import { record, type Fact } from '../accounts/audit.ts';
import { seenAt } from '../accounts/clock.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import { keepListed } from '../accounts/listed.ts';
import type { Installation } from '../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../accounts/keys.ts';
import { findOrganization } from '../accounts/organizations.ts';
import { encodeBase32 } from '../crypto/base32.ts';
import { open, seal } from '../crypto/seal.ts';
import { matchingSteps, timeStep } from '../crypto/totp.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries } from '../db/db.ts';
import type { Challenge } from './challenges.ts';
import { drawCodes, replaceSet } from './factors/backup-codes.ts';
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
  return {
    step: row.provenStep === null ? 'offered' : 'proven',
    pending: { id: row.id, secret, triesLeft: row.triesLeft },
  };
}

interface PendingRow {
  readonly id: string;
  readonly secret: string | null;
  readonly triesLeft: number;
  readonly provenStep: number | null;
  readonly expiresAt: number;
}

function latestPending(db: Pick<Queries, 'one'>, challenge: Challenge): Promise<PendingRow | undefined> {
  return db.one(sql`SELECT id, secret, tries_left AS "triesLeft", proven_step AS "provenStep", expires_at AS "expiresAt"
    FROM authenticators WHERE organization_id = ${challenge.account.organizationId} AND challenge_id = ${challenge.id}
      AND account_id = ${challenge.account.id} AND enabled_at IS NULL ORDER BY id DESC LIMIT 1`);
}

/**
 * Configure: makes a fresh secret, pending and bound to this ceremony. One pending enrolment per account: whatever
 * another sign-in had begun ends here, and is never shown to this one (I10). A ceremony that has a live secret keeps it.
 */
export async function offer(installation: Installation, challenge: Challenge, visitor: Visitor): Promise<void> {
  const { organizationId, id: accountId } = challenge.account;
  const current = await ceremony(installation, challenge);
  if (current.step !== 'start') return;
  await installation.db.transaction<boolean>(async (tx) => {
    const now = installation.now();
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(false);
    const begun = await latestPending(tx, challenge);
    if (begun && begun.secret !== null && begun.expiresAt > now && begun.triesLeft > 0) return false;
    await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL WHERE organization_id = ${organizationId}
      AND account_id = ${accountId} AND enabled_at IS NULL AND revoked_at IS NULL`);
    const id = uuidv7(now);
    await tx.run(sql`INSERT INTO authenticators
      (organization_id, id, account_id, kind, challenge_id, secret, tries_left, created_at, expires_at)
      VALUES (${organizationId}, ${id}, ${accountId}, 'totp', ${challenge.id},
        ${sealSecret(installation, organizationId, accountId, id, randomBytes(SECRET_BYTES))},
        ${TRIES_PER_ENROLMENT}, ${now}, ${Math.min(now + ENROLMENT_LIFETIME_MS, challenge.expiresAt)})`);
    await record(tx, installation, fact(challenge, visitor, 'enrolment.offered', { again: begun ? 1 : 0 }));
    return true;
  });
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

/** Verify: a code of the app proves that it holds the secret. Activates nothing; a wrong one keeps the same secret. */
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
      ...fact(challenge, visitor, 'enrolment.answered'),
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
    return { kind: 'proven' };
  });
}

/**
 * Enable MFA: the proven authenticator becomes active, and the step that proved it is used up (I2). Behind a code that
 * staff have read out, what was there before ends in the same moment. Raises the epoch; the ceremony's own challenge moves
 * to the new one, to hand out backup codes and nothing else. False where there was nothing proven to enable, which includes
 * the second press.
 */
export function enable(installation: Installation, challenge: Challenge, visitor: Visitor): Promise<boolean> {
  const { organizationId, id: accountId } = challenge.account;
  return installation.db.transaction<boolean>(async (tx) => {
    const now = installation.now();
    const raised = await tx.one<{ epoch: number }>(sql`UPDATE accounts SET epoch = epoch + 1, reset_notice_at = NULL
      WHERE organization_id = ${organizationId} AND id = ${accountId} AND epoch = ${challenge.epoch} AND disabled_at IS NULL
      RETURNING epoch`);
    if (!raised) return new RolledBack(false);
    const enabled = await tx.run(sql`UPDATE authenticators SET enabled_at = ${now}, last_step = proven_step
      WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND challenge_id = ${challenge.id}
        AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NOT NULL AND expires_at > ${now}`);
    if (enabled !== 1) return new RolledBack(false);
    const replaces = challenge.purpose === 'recovery';
    if (replaces) await takeFactorsAway(tx, challenge.account, now, challenge.id);
    await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE organization_id = ${organizationId}
      AND account_id = ${accountId} AND ended_at IS NULL`);
    const moved = await tx.run(sql`UPDATE challenges SET epoch = ${raised.epoch}, purpose = 'backup-codes',
        expires_at = ${now + BACKUP_CODES_LIFETIME_MS}
      WHERE organization_id = ${organizationId} AND id = ${challenge.id} AND purpose IN ('enrolment', 'recovery') AND consumed_at IS NULL`);
    if (moved !== 1) return new RolledBack(false);
    await keepListed(tx, organizationId, accountId);
    await record(tx, installation, fact(challenge, visitor, 'mfa.enabled', replaces ? { replaced: 1 } : {}));
    return true;
  });
}

/**
 * Generate Backup Codes: five, shown once. They lie sealed on the ceremony's row until Continue to Sign In or its end,
 * so that a reload, a second press and a download without script give the same five. Undefined where it is over.
 */
export async function generateCodes(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
): Promise<readonly string[] | undefined> {
  const begun = drawing.get(challenge.id);
  if (begun) return begun;
  const drawn = shownOrDrawn(installation, challenge, visitor).finally(() => drawing.delete(challenge.id));
  drawing.set(challenge.id, drawn);
  return drawn;
}

// A ceremony draws once however often the button is pressed at once: five slow hashes a press would let one contact
// keep everybody else's sign-ins waiting. Across servers the transaction still decides whose five they are.
const drawing = new Map<string, Promise<readonly string[] | undefined>>();

async function shownOrDrawn(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
): Promise<readonly string[] | undefined> {
  const shown = await shownCodes(installation.db, installation, challenge);
  return shown ?? drawAndKeep(installation, challenge, visitor);
}

async function drawAndKeep(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
): Promise<readonly string[] | undefined> {
  const { organizationId, id: accountId } = challenge.account;
  const drawn = await drawCodes(installation);
  return installation.db.transaction<readonly string[] | undefined>(async (tx) => {
    const now = installation.now();
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(undefined);
    const shown = await shownCodes(tx, installation, challenge);
    if (shown) return shown;
    const sealed = seal(installation.ring, codesPlace(challenge), drawn.codes.join(' '));
    const kept = await tx.run(sql`UPDATE challenges SET sealed_codes = ${sealed}
      WHERE organization_id = ${organizationId} AND id = ${challenge.id} AND account_id = ${accountId}
        AND purpose = 'backup-codes' AND epoch = ${challenge.epoch} AND consumed_at IS NULL AND expires_at > ${now}`);
    if (kept !== 1) return new RolledBack(undefined);
    await replaceSet(tx, installation, challenge.account, drawn, now);
    await record(tx, installation, fact(challenge, visitor, 'backup-codes.generated'));
    return drawn.codes;
  });
}

async function shownCodes(
  db: Pick<Queries, 'one'>,
  installation: Installation,
  challenge: Challenge,
): Promise<string[] | null> {
  const row = await db.one<{ sealed: string | null }>(sql`SELECT sealed_codes AS sealed FROM challenges
    WHERE organization_id = ${challenge.account.organizationId} AND id = ${challenge.id} AND consumed_at IS NULL`);
  return !row || row.sealed === null ? null : open(installation.ring, codesPlace(challenge), row.sealed).split(' ');
}

/** The key as people type it by hand: base32 without padding (RFC 4648 §6). */
export function setupKey(pending: Pending): string {
  return encodeBase32(pending.secret);
}

/** Longer account names would make the QR code too dense for a phone's camera. */
const ACCOUNT_LABEL_MAX = 64;

/**
 * What the QR code holds (Key URI Format). Algorithm, digits and period are left out: several apps ignore them, so only
 * the defaults are safe. Neither part may hold a colon, and issuer stands in both places, equal.
 */
export async function otpauthUri(installation: Installation, account: Account, pending: Pending): Promise<string> {
  const organization = await findOrganization(installation.db, account.organizationId);
  const issuer = label(organization?.name ?? '');
  const name = label(Array.from(account.email).slice(0, ACCOUNT_LABEL_MAX).join(''));
  return `otpauth://totp/${issuer}:${name}?secret=${setupKey(pending)}&issuer=${issuer}`;
}

function label(text: string): string {
  return encodeURIComponent(text.replaceAll(':', ' ').replace(/\s+/g, ' ').trim());
}

/** Backup codes that are still on somebody's screen. */
export const SEALED_SHOWN_CODES: SealedColumn<SealedRow & { accountId: string }> = {
  name: 'challenges.sealed_codes',
  table: sql`challenges`,
  column: sql`sealed_codes`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, account_id AS "accountId", sealed_codes AS sealed
    FROM challenges`,
  place: (row) => codesPlace({ account: { organizationId: row.first, id: row.accountId }, id: row.second }),
};

interface OfChallenge {
  readonly account: Pick<Account, 'organizationId' | 'id'>;
  readonly id: string;
}

function codesPlace({ account, id }: OfChallenge): string[] {
  return ['challenges', 'sealed_codes', account.organizationId, account.id, id];
}

function fact(challenge: Challenge, visitor: Visitor, action: Fact['action'], details: Fact['details'] = {}): Fact {
  const { organizationId, id } = challenge.account;
  return {
    organizationId,
    actor: { kind: 'account', id, address: visitor.address, userAgent: visitor.userAgent },
    action,
    targetId: id,
    details,
  };
}
