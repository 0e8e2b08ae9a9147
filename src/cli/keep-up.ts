import type { Log } from '../accounts/installation.ts';

/** A piece of work that a server does now and again for as long as it runs. */
export interface Upkeep {
  readonly everyMs: number;
  readonly turn: () => Promise<void>;
  /** What is left to do when the server stops. */
  readonly finish: () => Promise<void>;
  /** What the log is told when it begins to fail, and when it no longer does. */
  readonly trouble: string;
  readonly mended: string;
}

/**
 * Takes turn after turn and never two at once; what it answers ends that, after the turn under way. An outage is logged
 * when it begins and when it is over. It keeps no process alive.
 */
export function keepUp(log: Log, { everyMs, turn, finish, trouble, mended }: Upkeep): () => Promise<void> {
  let broken = false;
  let turning: Promise<void> | undefined;

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      if (broken) log.info(mended);
      broken = false;
    } catch (fault) {
      if (!broken) log.error(trouble, { reason: String(fault) });
      broken = true;
    }
  };
  const timer = setInterval(() => {
    turning ??= attempt(turn).finally(() => (turning = undefined));
  }, everyMs).unref();

  return async () => {
    clearInterval(timer);
    await turning;
    await attempt(finish);
  };
}
