import type { Account } from '../accounts/accounts.ts';
import type { Typed } from './limits.ts';

/** How a session was proven; by a trusted device: the password, in a browser that skips the second factor for a while. */
export type ProvenBy = 'password' | Typed | 'passkey' | 'trusted-device';

/**
 * That somebody has given every proof the policy asked of them. A session cannot be started without one, and only the
 * stories of `auth/` make them: this class is not handed to any surface (I11).
 */
export class Proof {
  readonly account: Account;
  /** The epoch that was read with the password hash, or that the challenge carries; never one read later. */
  readonly epoch: number;
  readonly by: ProvenBy;
  readonly challengeId: string | null;
  /** Until when no more is asked than was proven: the end of a grace or an exemption; null where nothing ends it. */
  readonly until: number | null;

  constructor(account: Account, epoch: number, by: ProvenBy, challengeId: string | null, until: number | null = null) {
    this.account = account;
    this.epoch = epoch;
    this.by = by;
    this.challengeId = challengeId;
    this.until = until;
  }

  /** Whether it is a fresh proof of the account's own second factor: a backup code never is, nor a trusted device (I14). */
  get isFresh(): boolean {
    return this.by === 'totp' || this.by === 'passkey';
  }
}
