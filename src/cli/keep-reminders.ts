import type { Installation } from '../accounts/installation.ts';
import { openLease } from '../accounts/leases.ts';
import { sendReminders } from '../auth/reminders.ts';
import { keepUp } from './keep-up.ts';

const TURN_EVERY_MS = 10 * 60_000;
/** Outlives a turn that comes late, and a holder that was killed by little more than one. */
const LEASE_MS = 2.5 * TURN_EVERY_MS;

/** Writes reminders while the server runs, on whichever server holds the lease; what it answers ends that. */
export function keepReminders(installation: Installation): () => Promise<void> {
  const lease = openLease(installation, 'reminders', LEASE_MS);
  return keepUp(installation.log, {
    everyMs: TURN_EVERY_MS,
    turn: () => sendReminders(installation, lease.take),
    finish: lease.giveUp,
    trouble: 'reminders cannot be written',
    mended: 'reminders are written again',
  });
}
