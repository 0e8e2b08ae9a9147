import type { Account } from '../../accounts/accounts.ts';
import type { Installation } from '../../accounts/installation.ts';
import type { Transaction } from '../../db/db.ts';
import type { Typed } from '../limits.ts';

/** How a typed code was found. Only 'right' has used anything up. */
export type Redemption =
  | { kind: 'right' }
  | { kind: 'wrong' }
  /** It was right before. `nextCodeAt` is when the app shows the next one that can be. */
  | { kind: 'already-used'; nextCodeAt: number };

/** Looks a code up and uses it, in a transaction that holds the account's lock and has spent the attempt. */
export type Redeem = (tx: Transaction, now: number) => Promise<Redemption>;

/** A kind of second factor that is typed in. */
export interface Factor {
  readonly kind: Typed;
  /** Does the slow part before any transaction is open; decides nothing. */
  prepare(installation: Installation, account: Account, code: string): Promise<Redeem>;
}
