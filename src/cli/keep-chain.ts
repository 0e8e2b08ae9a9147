import { openChainer } from '../accounts/audit-chain.ts';
import type { Installation } from '../accounts/installation.ts';

const TURN_EVERY_MS = 1_000;

/**
 * Appends to the chain of the audit log each second; what it answers ends that, once all rows are linked and the last
 * heads told. An outage is logged when it begins and when it is over. It keeps no process alive.
 */
export function keepChain(installation: Installation): () => Promise<void> {
  const chainer = openChainer(installation);
  let broken = false;
  let turning: Promise<void> | undefined;

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      if (broken) installation.log.info('the audit chain is appended to again');
      broken = false;
    } catch (fault) {
      if (!broken) installation.log.error('the audit chain cannot be appended to', { reason: String(fault) });
      broken = true;
    }
  };
  const timer = setInterval(() => {
    turning ??= attempt(chainer.turn).finally(() => (turning = undefined));
  }, TURN_EVERY_MS).unref();

  return async () => {
    clearInterval(timer);
    await turning;
    await attempt(chainer.finish);
  };
}
