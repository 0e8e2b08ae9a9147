import { decodeBase32 } from '../crypto/base32.ts';
import { readHash } from '../crypto/foreign-hashes.ts';

/** RFC 4226 §4 R6: a shared secret has at least 128 bits. */
const SECRET_BYTES = { min: 16, max: 128 };
const TEXT_MAX = 1_024;

export type SecretRead = { kind: 'secret'; secret: Uint8Array } | { kind: 'refused'; why: string };

/**
 * Reads the secret of an authenticator app from an `otpauth://totp/…` address or a base32 text. What the app behind it
 * shows must be what is checked at sign-in (SHA-1, 6 digits, 30 seconds): anything else is refused with the reason, in
 * words that repeat nothing of the secret.
 */
export function readSecret(text: string): SecretRead {
  if (text.length > TEXT_MAX) return refused('is too long');
  const address = /^otpauth:/i.test(text) ? readAddress(text) : { secret: text };
  if (typeof address === 'string') return refused(address);
  const secret = decodeBase32(address.secret);
  if (!secret) return refused("isn't base32 or an otpauth:// address");
  if (secret.length < SECRET_BYTES.min) return refused('is shorter than 128 bits');
  return secret.length > SECRET_BYTES.max ? refused('is too long') : { kind: 'secret', secret };
}

/** Whether a cell holds a secret or a hash, whatever its column is called. */
export function looksSecret(cell: string): boolean {
  const text = cell.trim();
  return /^otpauth:/i.test(text) || readSecret(text).kind === 'secret' || readHash(text).kind !== 'unknown';
}

/** The secret of an address, or why it is none that can be used. */
function readAddress(text: string): { secret: string } | string {
  if (!URL.canParse(text)) return "isn't a whole otpauth:// address";
  const { hostname, searchParams } = new URL(text);
  if (hostname.toLowerCase() === 'hotp') return 'counts up; only time-based ones work';
  if (hostname.toLowerCase() !== 'totp') return "isn't an otpauth://totp/ address";
  const names = [...searchParams.keys()].map((name) => name.toLowerCase());
  if (new Set(names).size !== names.length) return 'says something twice';
  const said = (name: string, otherwise: string): string =>
    [...searchParams].find(([key]) => key.toLowerCase() === name)?.[1] ?? otherwise;
  if (!/^(hmac)?sha-?1$/i.test(said('algorithm', 'SHA1'))) return 'uses another algorithm; only SHA1 works';
  if (said('digits', '6') !== '6') return 'makes codes of another length; only 6 digits work';
  if (said('period', '30') !== '30') return 'makes codes for another time; only 30 seconds work';
  const secret = said('secret', '');
  return secret === '' ? 'has no secret in it' : { secret };
}

function refused(why: string): SecretRead {
  return { kind: 'refused', why };
}
