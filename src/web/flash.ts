import type { Installation } from '../accounts/installation.ts';
import { open, seal, SealError } from '../crypto/seal.ts';

/** A sentence that survives one redirect, and the e-mail to fill in again. */
export interface Flash {
  readonly kind: 'ok' | 'warn' | 'danger' | 'info';
  readonly text: string;
  readonly email?: string;
}

export const FLASH_LIFETIME_MS = 5 * 60_000;

const PLACE = ['cookie', 'notice'];

/** A sentence as a cookie keeps it: nobody but us can read it or make one. */
export function sealFlash({ ring, now }: Installation, flash: Flash): string {
  return seal(ring, PLACE, JSON.stringify({ ...flash, until: now() + FLASH_LIFETIME_MS }));
}

/** The sentence of a cookie, if it is one of ours and not old. */
export function openFlash({ ring, now }: Installation, sealed: string): Flash | undefined {
  try {
    const flash = JSON.parse(open(ring, PLACE, sealed)) as Flash & { until: number };
    return flash.until > now() ? flash : undefined;
  } catch (fault) {
    if (fault instanceof SealError) return undefined;
    throw fault;
  }
}
