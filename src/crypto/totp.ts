import { createHmac, timingSafeEqual } from 'node:crypto';

/** Length of a time step X in milliseconds (RFC 6238 §4.2, RECOMMENDED 30 s). */
export const STEP_MS = 30_000;

/** Digits of a code (RFC 4226 §5.3: at least six; six is what every named app shows). */
export const CODE_DIGITS = 6;

/** The time step T that a moment lies in (RFC 6238 §4.2, T0 = 0). */
export function timeStep(now: number): number {
  return Math.floor(now / STEP_MS);
}

/** The moment at which a time step begins, in milliseconds since 1970. */
export function stepStart(step: number): number {
  return step * STEP_MS;
}

/** The code of one time step: HOTP with HMAC-SHA1, truncated to six digits (RFC 6238 §4, RFC 4226 §5.3). */
export function totpCode(secret: Uint8Array, step: number, digits = CODE_DIGITS): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hmac = createHmac('sha1', secret).update(counter).digest();
  const offset = hmac.readUInt8(hmac.length - 1) & 15;
  const truncated = hmac.readUInt32BE(offset) & 0x7fffffff;
  return String(truncated % 10 ** digits).padStart(digits, '0');
}

/**
 * All steps from `first` to `last` whose code equals the given one, ascending. Every step is computed and compared in
 * constant time, so that the duration tells nothing about which step matched (ASVS 11.2.4).
 */
export function matchingSteps(secret: Uint8Array, code: string, first: number, last: number): number[] {
  const given = Buffer.from(code);
  const matches: number[] = [];
  for (let step = first; step <= last; step++) {
    const expected = Buffer.from(totpCode(secret, step));
    if (given.length === expected.length && timingSafeEqual(given, expected)) matches.push(step);
  }
  return matches;
}
