import type { Action } from '../../src/accounts/audit.ts';

/** A code that was sent for a challenge, and what its sender was told. */
export interface Sent {
  readonly accountId: string;
  /** Which code it was: a time step, or the backup code itself. Six digits may come again by chance, these do not. */
  readonly code: string;
  /** The value of the challenge's cookie. No other code was sent for the same challenge. */
  readonly challenge: string;
  /** `unknown`: the connection broke, or a 503 said that nobody knows. */
  readonly outcome: 'right' | 'refused' | 'unknown';
  /** The value of the session's cookie, if the answer brought one. */
  readonly session?: string;
}

/** A fact that somebody was told: an audit row of this kind must be there for each. */
export interface Fact {
  readonly accountId: string;
  readonly action: Action;
  readonly result: string;
}

/** What clients were told, and so may rely on: kept outside of the product, and compared with it after every fault. */
export class Ledger {
  readonly sent: Sent[] = [];
  readonly facts: Fact[] = [];

  answered(sent: Sent): void {
    this.sent.push(sent);
  }

  told(accountId: string, action: Action, result = 'done'): void {
    this.facts.push({ accountId, action, result });
  }
}
