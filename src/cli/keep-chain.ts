import { openChainer } from '../accounts/audit-chain.ts';
import { openWatch } from '../accounts/audit-watch.ts';
import type { Installation } from '../accounts/installation.ts';

const TURN_EVERY_MS = 1_000;

/**
 * Appends to the chain of the audit log each second; what it answers ends that, once all rows are linked and the last
 * heads told. An outage is logged when it begins and when it is over. It keeps no process alive.
 */
export function keepChain(installation: Installation): () => Promise<void> {
  return turning(installation, openChainer(installation), {
    broken: 'the audit chain cannot be appended to',
    mended: 'the audit chain is appended to again',
  });
}

/** Looks at the chains in the same way, and leaves the look for another server when it ends. */
export function keepWatch(installation: Installation): () => Promise<void> {
  return turning(installation, openWatch(installation), {
    broken: 'the audit chain cannot be looked at',
    mended: 'the audit chain is looked at again',
  });
}

interface Work {
  readonly turn: () => Promise<void>;
  readonly finish: () => Promise<void>;
}

function turning(
  { log }: Installation,
  work: Work,
  words: { readonly broken: string; readonly mended: string },
): () => Promise<void> {
  let broken = false;
  let turn: Promise<void> | undefined;

  const attempt = async (part: () => Promise<void>): Promise<void> => {
    try {
      await part();
      if (broken) log.info(words.mended);
      broken = false;
    } catch (fault) {
      if (!broken) log.error(words.broken, { reason: String(fault) });
      broken = true;
    }
  };
  const timer = setInterval(() => {
    turn ??= attempt(work.turn).finally(() => (turn = undefined));
  }, TURN_EVERY_MS).unref();

  return async () => {
    clearInterval(timer);
    await turn;
    await attempt(work.finish);
  };
}
