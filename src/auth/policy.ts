import type { Kind } from '../accounts/accounts.ts';
import type { Policy } from '../accounts/organizations.ts';

export type Next = 'challenge' | 'enrolment' | 'session';

/**
 * What comes after a right password: the truth table P3. An active authenticator is asked for whatever the policy
 * says; turning the policy off frees nobody who has set MFA up. For staff MFA is never optional.
 */
export function afterPassword(kind: Kind, policy: Policy, hasMfa: boolean): Next {
  if (hasMfa) return 'challenge';
  if (kind === 'staff' || policy === 'required') return 'enrolment';
  return 'session';
}
