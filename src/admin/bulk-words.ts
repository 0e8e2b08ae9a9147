/** What can be done to many contacts at once, in the order of the bar below the list. */
export const BULK_ACTS = [
  { value: 'reset-mfa', label: 'Reset Portal MFA' },
  { value: 'sign-out', label: 'Sign out' },
  { value: 'disable', label: 'Disable portal access' },
] as const;
