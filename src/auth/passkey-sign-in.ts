import { record, type Action } from '../accounts/audit.ts';
import type { Account } from '../accounts/accounts.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { fingerprint, randomToken } from '../crypto/tokens.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { endHelp } from './asking-for-help.ts';
import { consume, spendAttempt, type Challenge } from './challenges.ts';
import { prepare, type Prepared, type Why } from './factors/passkey.ts';
import * as counters from './counters.ts';
import * as limits from './limits.ts';
import { beginUse } from './passkeys.ts';
import { Proof } from './proof.ts';
import { renewSession, startSession, type Session, type Visitor } from './sessions.ts';
import { trustDevice, type Trust, type Trusting } from './trusted-devices.ts';
import type { RelyingParty } from './webauthn.ts';

/** What a browser sent, and from where. */
export interface ByPasskey {
  readonly rp: RelyingParty;
  readonly response: string;
  readonly visitor: Visitor;
  /** The session cookie that the browser already has. */
  readonly previous?: string | undefined;
  /** Given where the browser is to be trusted from now on. */
  readonly trusting?: Trusting | undefined;
}

/** How an assertion ended. Everything but `right` has opened nothing. */
export type AnsweredByPasskey =
  | { kind: 'right'; cookie: string; trust: Trust | undefined }
  | { kind: 'refused'; attemptsLeft: number }
  /** It is nothing that a browser answers: it costs nothing, as a code without a code's shape costs nothing. */
  | { kind: 'unreadable' }
  | { kind: 'suspected' }
  /** Nothing was looked at: too many were refused that came from this address. */
  | { kind: 'limited'; until: number }
  /** The challenge is over or the account has changed. Sign in again. */
  | { kind: 'over' };

/**
 * Answers a challenge by a passkey in place of the code, in the order of every answer: the account's lock, the challenge's
 * attempt, then look, consume and open, in one transaction (I5, I8, I12, I18). No wait for wrong codes holds it up and none
 * of its failures counts as one: waits are against guessing, and nobody guesses a signature.
 */
export async function answerByPasskey(
  installation: Installation,
  challenge: Challenge,
  given: ByPasskey,
): Promise<AnsweredByPasskey> {
  const { rp, response } = given;
  return limited(installation, given.visitor, async () => {
    const prepared = await prepare(installation, rp, { to: 'second-factor', challenge }, response);
    if (!prepared) return { kind: 'unreadable' };
    const answered = await transact(installation, challenge, given, prepared);
    if (answered.kind !== 'over') return answered;
    const { suspectedAt } = await limits.waits(installation.db, challenge.account);
    return suspectedAt === null ? answered : { kind: 'suspected' };
  });
}

async function transact(
  installation: Installation,
  challenge: Challenge,
  { visitor, previous, trusting }: ByPasskey,
  { redeem }: Prepared,
): Promise<AnsweredByPasskey> {
  const { account, epoch } = challenge;
  const done = await installation.db.transaction<{ answered: AnsweredByPasskey } | { fault: unknown }>(async (tx) => {
    const now = installation.now();
    const held = await lockTrusted(tx, account, epoch);
    const attemptsLeft = held ? await spendAttempt(tx, challenge, now) : undefined;
    if (attemptsLeft === undefined) return new RolledBack({ answered: { kind: 'over' } });
    const kept = await tx.savepoint(async (): Promise<AnsweredByPasskey> => {
      const redemption = await redeem(tx, now);
      if (redemption.kind === 'wrong') {
        await note(tx, installation, account, visitor, 'signed-in', redemption.why);
        return { kind: 'refused', attemptsLeft };
      }
      await endWaits(tx, installation, account, visitor);
      if (!(await consume(tx, challenge, now)))
        throw new Error('a challenge was consumed under the lock of its account');
      const proof = new Proof(account, epoch, 'passkey', challenge.id);
      const cookie = await startSession(tx, proof, challenge.surface, visitor, previous, now);
      const trust = trusting && (await trustDevice(tx, installation, proof, visitor, trusting.carried));
      await note(tx, installation, account, visitor, 'signed-in');
      return { kind: 'right', cookie, trust };
    });
    return kept.ok ? { answered: kept.value } : { fault: kept.fault };
  });
  if ('fault' in done) throw done.fault;
  return done.answered;
}

/** What a browser needs to be asked for any passkey it has here, and the value of the cookie that binds the answer to it. */
export type Begun = { kind: 'begun'; options: object; browser: string } | { kind: 'limited'; until: number };

/** Begins a whole sign-in by passkey, for a browser that may have begun one before. It names nobody (§14.6). */
export async function beginSignIn(
  installation: Installation,
  rp: RelyingParty,
  organizationId: string,
  visitor: Visitor,
  before: string | undefined,
): Promise<Begun> {
  const subject = fingerprint(installation.counterKey, visitor.network);
  const room = await counters.spend(installation.db, { limit: limits.ADDRESS_CEREMONY, subject }, installation.now());
  if (!room.ok) return { kind: 'limited', until: room.until };
  const browser = before ?? randomToken();
  const options = await beginUse(installation, rp, { to: 'sign-in', organizationId, browser });
  if (!options) throw new Error('a ceremony of nobody was refused');
  return { kind: 'begun', options, browser };
}

export type SignedInByPasskey =
  | { kind: 'signed-in'; cookie: string }
  /** Unknown, another organization's, removed, of a closed account, or not right: one answer (I20). */
  | { kind: 'refused' }
  | { kind: 'limited'; until: number };

/**
 * Signs in with a passkey alone, which is both doors: something one has, unlocked by what one is or knows. The policy table
 * asks nothing more. Whether the password is held to be stolen does not matter, since it plays no part.
 */
export async function signInByPasskey(
  installation: Installation,
  organizationId: string,
  browser: string,
  { rp, response, visitor, previous }: ByPasskey,
): Promise<SignedInByPasskey> {
  return limited(installation, visitor, async () => {
    const prepared = await prepare(installation, rp, { to: 'sign-in', organizationId, browser }, response);
    if (!prepared) return { kind: 'refused' };
    const { owner, redeem } = prepared;
    return installation.db.transaction<SignedInByPasskey>(async (tx) => {
      const now = installation.now();
      const isHeld = owner !== undefined && (await lockAtEpoch(tx, owner, owner.epoch));
      if (owner && !isHeld) {
        await note(tx, installation, owner, visitor, 'signed-in', 'closed');
        return { kind: 'refused' };
      }
      const redemption = await redeem(tx, now);
      // Of nobody's passkey there is nobody to record it for; its ceremony is used up.
      if (!owner) return { kind: 'refused' };
      if (redemption.kind === 'wrong') {
        await note(tx, installation, owner, visitor, 'signed-in', redemption.why);
        return { kind: 'refused' };
      }
      await endWaits(tx, installation, owner, visitor);
      const proof = new Proof(owner, owner.epoch, 'passkey', null);
      const cookie = await startSession(tx, proof, 'portal', visitor, previous, now);
      await note(tx, installation, owner, visitor, 'signed-in');
      return { kind: 'signed-in', cookie };
    });
  });
}

export type ProvenByPasskey =
  | { kind: 'proven'; cookie: string }
  | { kind: 'refused' }
  | { kind: 'limited'; until: number }
  | { kind: 'over' };

/**
 * Proves again, inside a session, that its owner is there, by a passkey alone (I14): unlocked by its owner it is as much as
 * password and code together, and the session has already been through both doors.
 */
export async function proveByPasskey(
  installation: Installation,
  session: Session,
  { rp, response, visitor }: ByPasskey,
): Promise<ProvenByPasskey> {
  const { account } = session;
  return limited(installation, visitor, async () => {
    const prepared = await prepare(installation, rp, { to: 'confirm', session }, response);
    if (!prepared) return { kind: 'refused' };
    return installation.db.transaction<ProvenByPasskey>(async (tx) => {
      const now = installation.now();
      const over = new RolledBack<ProvenByPasskey>({ kind: 'over' });
      if (!(await lockAtEpoch(tx, account, account.epoch))) return over;
      const redemption = await prepared.redeem(tx, now);
      if (redemption.kind === 'wrong') {
        await note(tx, installation, account, visitor, 'proved-again', redemption.why);
        return { kind: 'refused' };
      }
      await endWaits(tx, installation, account, visitor);
      const cookie = await renewSession(tx, new Proof(account, account.epoch, 'passkey', null), session, now);
      if (cookie === undefined) return over;
      await note(tx, installation, account, visitor, 'proved-again');
      return { kind: 'proven', cookie };
    });
  });
}

// The lock that every answer begins with, without counting: behind a stolen password a passkey opens nothing either.
async function lockTrusted(tx: Transaction, { organizationId, id }: Account, epoch: number): Promise<boolean> {
  const locked = await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId}
    AND id = ${id} AND epoch = ${epoch} AND disabled_at IS NULL AND suspected_at IS NULL`);
  return locked === 1;
}

// What every right second factor ends (I6): waits for wrong codes, and a request for help. The 30-day window goes on.
async function endWaits(
  tx: Transaction,
  installation: Installation,
  account: Account,
  visitor: Visitor,
): Promise<void> {
  const { organizationId, id } = account;
  const held = await tx.one<{ helpWaitUntil: number | null }>(sql`UPDATE accounts SET ${limits.NO_WAITS}
    WHERE organization_id = ${organizationId} AND id = ${id} RETURNING help_wait_until AS "helpWaitUntil"`);
  if (held && held.helpWaitUntil !== null) await endHelp(tx, installation, account, visitor);
}

// Failures only are counted, by address: spent before, given back where it was none.
async function limited<T extends { kind: string }>(
  { db, counterKey, now }: Installation,
  { network }: Visitor,
  act: () => Promise<T>,
): Promise<T | { kind: 'limited'; until: number }> {
  const subject = fingerprint(counterKey, network);
  const room = await counters.spend(db, { limit: limits.ADDRESS_PASSKEY, subject }, now());
  if (!room.ok) return { kind: 'limited', until: room.until };
  let done: T | undefined;
  try {
    done = await act();
    return done;
  } finally {
    if (done?.kind !== 'refused') await counters.giveBack(db, [room.spent]);
  }
}

function note(
  tx: Transaction,
  installation: Installation,
  { organizationId, id }: Account,
  { address, userAgent }: Visitor,
  action: Action,
  why?: Why | 'closed',
): Promise<void> {
  return record(tx, installation, {
    organizationId,
    actor: { kind: 'account', id, address, userAgent },
    action,
    targetId: id,
    result: why === undefined ? 'right' : 'passkey-refused',
    details: { factor: 'passkey', ...(why === undefined ? {} : { why }) },
  });
}
