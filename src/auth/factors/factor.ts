import type { Account } from '../../accounts/accounts.ts';
import type { Installation } from '../../accounts/installation.ts';
import type { Transaction } from '../../db/db.ts';
import type { Typed } from '../limits.ts';

/** How a typed code was found. Only 'right' has used anything up. */
export type Redemption =
  | { kind: 'right' }
  | { kind: 'wrong'; why: Why }
  /** It was right before. `nextCodeAt` is when the app shows the next one that can be. */
  | { kind: 'already-used'; nextCodeAt: number };

/**
 * Why a code was wrong, as far as that can be told: for staff who are asked on the phone, in the details of the answer's
 * audit row. It never reaches whoever typed the code (R8), and changes nothing of what the answer costs.
 */
export type Why =
  /** It is the code of another moment; `minutes` is how far the phone's clock is off, negative where it is slow. */
  | { readonly why: 'clock'; readonly minutes: number }
  /** It was accepted before: a code of the app too long ago for its step to be looked at, or a backup code. */
  | { readonly why: 'used' }
  /** It is the code of a colleague's app just now. */
  | { readonly why: 'other-account'; readonly account: string }
  | { readonly why: 'unknown' };

/** Looks a code up and uses it, in a transaction that holds the account's lock and has spent the attempt. */
export type Redeem = (tx: Transaction, now: number) => Promise<Redemption>;

/** A kind of second factor that is typed in. */
export interface Factor {
  readonly kind: Typed;
  /** Does the slow part before any transaction is open; decides nothing. */
  prepare(installation: Installation, account: Account, code: string): Promise<Redeem>;
}
