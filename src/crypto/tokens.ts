import { createHash, createHmac, randomBytes, randomInt } from 'node:crypto';

/** 256 random bits as base64url: the value of a session, a challenge or a one-time link (ASVS 7.2.3). */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The two parts of a cookie's value, `{organization id}.{token}`. Of anything else, parts that nobody has. */
export function readCookie(value: string): { organizationId: string; token: string } {
  const [organizationId = '', token = '', ...more] = value.split('.');
  return more.length === 0 ? { organizationId, token } : { organizationId: '', token: '' };
}

/** What is stored of a token: its SHA-256. A token of 256 random bits needs no slow hash. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** A keyed fingerprint (HMAC-SHA256) of values that must be recognised again but not read. */
export function fingerprint(key: Uint8Array, ...parts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url');
}

/** Random decimal digits, each drawn without bias from the system's generator (ASVS 6.5.3). */
export function randomDigits(count: number): string {
  return Array.from({ length: count }, () => randomInt(10)).join('');
}

let lastMoment = 0;
let sequence = 0;

/** A UUIDv7 for the given moment: its text sorts by time of creation, within a millisecond too (RFC 9562 §5.7, §6.2). */
export function uuidv7(now: number): string {
  sequence = now === lastMoment ? sequence + 1 : 0;
  lastMoment = now;
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt16BE(0x7000 | (sequence & 0x0fff), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
