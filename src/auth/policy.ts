import type { Kind } from '../accounts/accounts.ts';
import type { Policy } from '../accounts/organizations.ts';

/** What the truth table asks about an account and its organization. */
export interface Standing {
  readonly kind: Kind;
  readonly policy: Policy;
  readonly hasMfa: boolean;
  /** Until when staff have exempted the account from the policy, and until when its grace lasts; null: never. */
  readonly exemptUntil: number | null;
  readonly graceUntil: number | null;
}

export type Next =
  | { readonly kind: 'challenge' }
  /** `laterUntil`: until then it may be put off; null where there is no way around it. */
  | { readonly kind: 'enrolment'; readonly laterUntil: number | null }
  /** `until`: when the reason is over for which no more is asked; null where it is not bound to a time. */
  | { readonly kind: 'session'; readonly until: number | null };

/**
 * What comes after a right password: the truth table P3. An active authenticator is asked for whatever the policy says:
 * turning the policy off frees nobody who has set MFA up, and no exemption does. For staff MFA is never optional, and
 * never put off.
 */
export function afterPassword({ kind, policy, hasMfa, exemptUntil, graceUntil }: Standing, now: number): Next {
  if (hasMfa) return { kind: 'challenge' };
  if (kind === 'staff') return { kind: 'enrolment', laterUntil: null };
  if (policy !== 'required') return { kind: 'session', until: null };
  if (holds(exemptUntil, now)) return { kind: 'session', until: exemptUntil };
  return { kind: 'enrolment', laterUntil: holds(graceUntil, now) ? graceUntil : null };
}

function holds(until: number | null, now: number): boolean {
  return until !== null && now < until;
}
