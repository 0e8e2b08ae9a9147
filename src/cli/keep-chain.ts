import { openChainer } from '../accounts/audit-chain.ts';
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
