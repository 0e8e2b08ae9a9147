import type { AttackClass } from './cells.ts';
import { CLASSES_OF_PAGES } from './pages.ts';
import { CLASSES_OF_PROOFS } from './proofs.ts';

/** The classes of attack that are refused, each with what stands in the way at every entry point. */
export const ALL_CLASSES: readonly AttackClass[] = [...CLASSES_OF_PROOFS, ...CLASSES_OF_PAGES];
