import type { Installation } from '../accounts/installation.ts';
import { openLease } from '../accounts/leases.ts';
import { rollUp } from '../accounts/roll-up.ts';
import { countStandings } from '../auth/standing.ts';
import { keepUp } from './keep-up.ts';

const TURN_EVERY_MS = 60_000;
/** Outlives a turn that comes late, and a holder that was killed by little more than one. */
const LEASE_MS = 2.5 * TURN_EVERY_MS;
/** What a server that stops still adds up; the rest is for the next one. */
const BITES_AT_THE_END = 10;

/** Keeps the figures of the overview each minute, on whichever server holds the lease; what it answers ends that. */
export function keepFigures(installation: Installation): () => Promise<void> {
  const lease = openLease(installation, 'figures', LEASE_MS);
  return keepUp(installation.log, {
    everyMs: TURN_EVERY_MS,
    turn: async () => {
      await rollUp(installation, lease.take);
      if (await lease.take()) await countStandings(installation);
    },
    finish: async () => {
      let bites = 0;
      await rollUp(installation, () => Promise.resolve(bites++ < BITES_AT_THE_END));
      await lease.giveUp();
    },
    trouble: 'the figures of the overview cannot be kept',
    mended: 'the figures of the overview are kept again',
  });
}
