import { openChainer } from '../accounts/audit-chain.ts';
import { openWatch } from '../accounts/audit-watch.ts';
import type { Installation } from '../accounts/installation.ts';
import { keepUp } from './keep-up.ts';

/** Appends to the chain of the audit log each second; what it answers ends that, once all rows are linked and the last heads told. */
export function keepChain(installation: Installation): () => Promise<void> {
  return keepUp(installation.log, {
    ...openChainer(installation),
    everyMs: 1_000,
    trouble: 'the audit chain cannot be appended to',
    mended: 'the audit chain is appended to again',
  });
}

/** Looks at the chains in the same way, and leaves the look for another server when it ends. */
export function keepWatch(installation: Installation): () => Promise<void> {
  return keepUp(installation.log, {
    ...openWatch(installation),
    everyMs: 1_000,
    trouble: 'the audit chain cannot be looked at',
    mended: 'the audit chain is looked at again',
  });
}
