import { record, type Action } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { fingerprint } from '../crypto/tokens.ts';
import { RolledBack, type Transaction } from '../db/db.ts';
import { consume, spendAttempt, type Challenge } from './challenges.ts';
import { FACTORS } from './factors/index.ts';
import { endHelp } from './asking-for-help.ts';
import type { Redeem } from './factors/factor.ts';
import * as counters from './counters.ts';
import * as limits from './limits.ts';
import { Proof } from './proof.ts';
import type { Visitor } from './sessions.ts';

/** A code in the right shape for its factor, as `readCode` answers it. */
export interface Answer {
  readonly kind: limits.Typed;
  readonly code: string;
}

/** How an answer ended. Everything but `right` has opened nothing. */
export type Answered<T> =
  | { kind: 'right'; bought: T }
  | { kind: 'wrong'; attemptsLeft: number; wrongInARow: number }
  /** The password is held to be stolen, since this answer or since an earlier one: it opens nothing any more. */
  | { kind: 'suspected' }
  | { kind: 'already-used'; nextCodeAt: number; attemptsLeft: number }
  /** Nothing was looked at: a wait of this factor or of the address holds. */
  | HeldUp
  | ClockBehind
  /** Nothing was looked at: the challenge is over or the account has changed. Sign in again. */
  | { kind: 'over' };

export interface Answering<T> {
  readonly visitor: Visitor;
  readonly action: Action;
  /** What the right answer buys, in the same transaction. A fault in it gives the code back, not the attempt. */
  readonly buy: (tx: Transaction, proof: Proof, now: number) => Promise<T>;
}

/**
 * Answers a challenge: spend, look, consume, and only then what the right answer buys; one transaction, one commit
 * (I1, I3, I5–I8, I18). The first statement takes the account's lock, so that nothing here can be raced.
 */
export async function answer<T>(
  installation: Installation,
  challenge: Challenge,
  given: Answer,
  answering: Answering<T>,
): Promise<Answered<T>> {
  const { db } = installation;
  const whose = {
    organizationId: challenge.account.organizationId,
    accountId: challenge.account.id,
    epoch: challenge.epoch,
  };
  const held = await heldUp(installation, challenge, given.kind);
  if (held) return held;
  const address = {
    limit: limits.ADDRESS_CODE,
    subject: fingerprint(installation.counterKey, answering.visitor.network),
  };
  const room = await counters.spend(db, address, installation.now());
  if (!room.ok) return { kind: 'wait', until: room.until, otherWaits: true };
  let answered: Answered<T> | undefined;
  try {
    const redeem = await FACTORS[given.kind].prepare(installation, challenge.account, given.code);
    answered = await transact(installation, challenge, given, whose, redeem, answering);
    if (answered.kind === 'over') return (await heldUp(installation, challenge, given.kind)) ?? answered;
    return answered;
  } finally {
    // A fault decided nothing, so it was no failure of the address either.
    if (!answered || !FAILURES.has(answered.kind)) await counters.giveBack(db, [room.spent]);
  }
}

const FAILURES: ReadonlySet<Answered<unknown>['kind']> = new Set(['wrong', 'already-used', 'suspected']);

async function transact<T>(
  installation: Installation,
  challenge: Challenge,
  given: Answer,
  whose: limits.Whose,
  redeem: Redeem,
  answering: Answering<T>,
): Promise<Answered<T>> {
  const done = await installation.db.transaction<{ answered: Answered<T> } | { fault: unknown }>(async (tx) => {
    const now = installation.now();
    const counted = await limits.spendAnswer(tx, whose, given.kind, now);
    const attemptsLeft = counted && (await spendAttempt(tx, challenge, now));
    if (!counted || attemptsLeft === undefined) return new RolledBack({ answered: { kind: 'over' } });
    const kept = await tx.savepoint(async (): Promise<Answered<T>> => {
      const redemption = await redeem(tx, now);
      if (redemption.kind === 'right') {
        await limits.clearWrong(tx, whose);
        if (counted.helpWaitUntil !== null) await endHelp(tx, installation, challenge.account, answering.visitor);
        if (!(await consume(tx, challenge, now)))
          throw new Error('a challenge was consumed under the lock of its account');
        const proof = new Proof(challenge.account, challenge.epoch, given.kind, challenge.id);
        const bought = await answering.buy(tx, proof, now);
        await note(tx, 'right', {});
        return { kind: 'right', bought };
      }
      if (redemption.kind === 'already-used') {
        await limits.forgiveUsed(tx, whose, given.kind);
        await note(tx, 'already-used', {});
        return { ...redemption, attemptsLeft };
      }
      const { waitUntil, suspected } = await limits.keepWrong(tx, whose, given.kind, counted, now);
      const waitSeconds = Math.max(0, waitUntil - now) / 1_000;
      const counts = { inARow: counted.wrongInARow, waitSeconds, suspected: suspected ? 1 : 0 };
      await note(tx, 'wrong', { ...counts, ...redemption.why });
      return suspected ? { kind: 'suspected' } : { kind: 'wrong', attemptsLeft, wrongInARow: counted.wrongInARow };
    });
    return kept.ok ? { answered: kept.value } : { fault: kept.fault };
  });
  if ('fault' in done) throw done.fault;
  return done.answered;

  function note(tx: Transaction, result: string, details: Readonly<Record<string, string | number>>): Promise<void> {
    return record(tx, installation, {
      organizationId: whose.organizationId,
      actor: {
        kind: 'account',
        id: whose.accountId,
        address: answering.visitor.address,
        userAgent: answering.visitor.userAgent,
      },
      action: answering.action,
      targetId: whose.accountId,
      result,
      details: { factor: given.kind, ...details },
    });
  }
}

/** A wait that holds an answer up: until when, and whether the other factor must wait too. */
export interface HeldUp {
  readonly kind: 'wait';
  readonly until: number;
  readonly otherWaits: boolean;
}

/** Nothing was looked at or counted: this server's clock is behind, and what a code is right for cannot be told (I22). */
export interface ClockBehind {
  readonly kind: 'clock-behind';
}

/** What holds an answer up before anybody looks at it. Read to tell and to save work; the transaction decides. */
export async function heldUp(
  installation: Installation,
  challenge: Challenge,
  typed: limits.Typed,
): Promise<HeldUp | ClockBehind | { kind: 'suspected' } | undefined> {
  const { suspectedAt, seenAt, ...waits } = await limits.waits(installation.db, challenge.account);
  const now = installation.now();
  const behind = limits.clockIsBehind(now, seenAt ?? 0);
  if (suspectedAt !== null) return { kind: 'suspected' };
  if (behind && typed === 'totp') return { kind: 'clock-behind' };
  if (waits[typed] <= now) return undefined;
  const otherWaits = typed === 'totp' ? waits['backup-code'] > now : behind || waits.totp > now;
  return { kind: 'wait', until: waits[typed], otherWaits };
}
