import type { Installation } from '../accounts/installation.ts';
import { openRunner } from '../jobs/runner.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Works on jobs while the server runs, one at a time; what it answers ends that after the current bite. An outage is
 * logged when it begins, and ends with the next job that can be worked on. It keeps no process alive.
 */
export function keepWorking(installation: Installation): () => Promise<void> {
  const runner = openRunner(installation);
  let broken = false;
  let working: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    try {
      while (await runner.turn());
      broken = false;
    } catch (fault) {
      if (!broken) installation.log.error('jobs cannot be worked on', { reason: String(fault) });
      broken = true;
    }
  };
  const timer = setInterval(() => {
    working ??= work().finally(() => (working = undefined));
  }, LOOK_EVERY_MS).unref();

  return async () => {
    clearInterval(timer);
    await runner.finish();
    await working;
  };
}
