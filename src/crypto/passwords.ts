import { randomBytes } from 'node:crypto';
import { hash, hashRaw, type Options } from '@node-rs/argon2';
import { readHash } from './foreign-hashes.ts';

/** Cost of one argon2id hash: memory in KiB and passes over it; always one lane. */
export interface HashCost {
  readonly memoryKiB: number;
  readonly passes: number;
}

/** OWASP Password Storage: argon2id with 19 MiB and two passes. */
export const PASSWORD_COST: HashCost = { memoryKiB: 19_456, passes: 2 };

/** Backup codes are 40 random bits behind a throttle, so the hash may be cheap (NIST 800-63B-4 §3.1.2.2). */
export const BACKUP_CODE_COST: HashCost = { memoryKiB: 8_192, passes: 1 };

/** Bounds of a password in characters, checked before any hashing so that length cannot be used to burn time. */
export const PASSWORD_LENGTH = { min: 12, max: 128 };

/** Whether a password has more characters than any may have; the cheap look comes first. */
export function isTooLong(password: string): boolean {
  return password.length > 2 * PASSWORD_LENGTH.max || Array.from(password).length > PASSWORD_LENGTH.max;
}

/** The argon2id string of a password after NFKC normalisation (NIST 800-63B-4 §3.1.1.2). */
export function hashPassword(password: string, cost: HashCost): Promise<string> {
  return hash(password.normalize('NFKC'), argon2id(cost));
}

/**
 * Whether a password fits a stored hash: an argon2id string of ours, or one that was brought from another system. Ours is
 * of the normalised text; another system hashed what was typed, so where the two differ both are tried, for every
 * account alike. A hash that cannot be read fits nobody, and costs no time: see `isReadable`.
 */
export async function verifyPassword(stored: string, password: string): Promise<boolean> {
  const read = readHash(stored);
  if (read.kind !== 'hash') return false;
  const texts = new Set([password.normalize('NFKC'), password]);
  for (const text of texts) if (await read.hash.verify(text)) return true;
  return false;
}

/** Whether `verifyPassword` can do its work with a stored hash: known, and within the bounds of what it may cost. */
export function isReadable(stored: string): boolean {
  return readHash(stored).kind === 'hash';
}

/** A fresh 128-bit salt for a set of backup codes, base64url. */
export function randomSalt(): string {
  return randomBytes(16).toString('base64url');
}

/** The argon2id hash of a backup code with its set's salt: one hash serves for comparing with every code of the set. */
export async function hashBackupCode(code: string, salt: string, cost: HashCost): Promise<Buffer> {
  return hashRaw(code, { ...argon2id(cost), salt: Buffer.from(salt, 'base64url') });
}

/** Whether a stored hash is another system's or of another cost than today's, and so due for a new one at sign-in. */
export function isOutdated(stored: string, cost: HashCost): boolean {
  return !stored.startsWith(`$argon2id$v=19$m=${cost.memoryKiB},t=${cost.passes},p=1$`);
}

function argon2id(cost: HashCost): Options {
  // 2 is Algorithm.Argon2id: the library declares a const enum, which type stripping cannot read.
  return { algorithm: 2, memoryCost: cost.memoryKiB, timeCost: cost.passes, parallelism: 1, outputLen: 32 };
}
