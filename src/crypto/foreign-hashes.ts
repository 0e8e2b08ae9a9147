import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';

/** A password's hash as other systems write it, understood. `verify` takes the time that the hash was made to take. */
export interface ForeignHash {
  readonly kind: 'argon2' | 'bcrypt' | 'scrypt' | 'pbkdf2';
  verify(password: string): Promise<boolean>;
}

/** `costly`: it is understood, and checking it once would keep the server longer than anybody may. */
export type HashRead = { kind: 'hash'; hash: ForeignHash } | { kind: 'unknown' } | { kind: 'costly' };

/**
 * Reads a hash in one of the standard strings: argon2 (PHC), bcrypt ($2a$, $2b$, $2y$), scrypt (PHC, passlib) and PBKDF2
 * (PHC, passlib, Django). The bounds are what careful systems use, and a little more: a planted hash with absurd
 * parameters is not worth one sign-in's memory or core. Reading computes nothing.
 */
export function readHash(text: string): HashRead {
  if (text.length > HASH_MAX) return UNKNOWN;
  return readArgon2(text) ?? readBcrypt(text) ?? readScrypt(text) ?? readPbkdf2(text) ?? UNKNOWN;
}

const UNKNOWN: HashRead = { kind: 'unknown' };
const COSTLY: HashRead = { kind: 'costly' };
const HASH_MAX = 512;
/** Salt and hash in bytes: enough to be one, and no more than is ever made. */
const SALT = { min: 4, max: 64 };
const DIGEST = { min: 16, max: 64 };

const ARGON2 =
  /^\$argon2(?:id|i|d)\$v=(?:16|19)\$m=([1-9]\d{0,6}),t=([1-9]\d{0,2}),p=([1-9]\d?)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
/** RFC 9106 §3.1; the library throws at less. */
const ARGON2_SALT = { ...SALT, min: 8 };
/** Three at once must fit beside the server; memory times passes is what one takes of a core. */
const ARGON2_MAX = { memoryKiB: 131_072, passes: 16, memoryPasses: 524_288, lanes: 8 };

function readArgon2(text: string): HashRead | undefined {
  const parts = ARGON2.exec(text);
  if (!parts) return undefined;
  const [memoryKiB, passes, lanes] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (memoryKiB < 8 * lanes || !fits(parts[4], ARGON2_SALT) || !fits(parts[5], DIGEST)) return UNKNOWN;
  const costly =
    memoryKiB > ARGON2_MAX.memoryKiB ||
    passes > ARGON2_MAX.passes ||
    memoryKiB * passes > ARGON2_MAX.memoryPasses ||
    lanes > ARGON2_MAX.lanes;
  return costly ? COSTLY : hash('argon2', (password) => verifyArgon2(text, password));
}

/** 2^13 rounds take about half a second. */
const BCRYPT_COST = { min: 4, max: 13 };

// What made it cut the password off at 72 bytes, and so does this: whoever typed more signs in with what they type.
function readBcrypt(text: string): HashRead | undefined {
  const parts = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text);
  if (!parts) return undefined;
  const cost = Number(parts[1]);
  if (cost < BCRYPT_COST.min || cost > 31) return UNKNOWN;
  return cost > BCRYPT_COST.max ? COSTLY : hash('bcrypt', (password) => verifyBcrypt(password, text));
}

const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)$/;
/** N·r blocks of 128 bytes are its memory, 128 MiB at most; times p, its work. */
const SCRYPT_MAX = { blocks: 2 ** 20, work: 2 ** 21 };

function readScrypt(text: string): HashRead | undefined {
  const parts = SCRYPT.exec(text);
  if (!parts) return undefined;
  const [N, r, p] = [2 ** Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [salt, digest] = [bytes(parts[4]), bytes(parts[5])];
  // RFC 7914 §2: N is below 2^(128·r/8).
  if (N < 2 || N >= 2 ** (16 * r) || r < 1 || p < 1 || !within(salt, SALT) || !within(digest, DIGEST)) return UNKNOWN;
  if (N * r > SCRYPT_MAX.blocks || N * r * p > SCRYPT_MAX.work) return COSTLY;
  const options = { N, r, p, maxmem: 128 * r * (N + p + 2) + 2 ** 20 };
  return hash('scrypt', async (password) =>
    timingSafeEqual(await runScrypt(password, salt, digest.length, options), digest),
  );
}

const runScrypt = promisify<string, Buffer, number, object, Buffer>(scrypt);
const runPbkdf2 = promisify(pbkdf2);

// passlib and PHC: $pbkdf2-sha256$29000$salt$hash, with i= and l= in the latter; passlib's plain $pbkdf2$ is SHA-1.
const PBKDF2 =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,8})(?:,l=\d{1,3})?\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]+)$/;
// Django: pbkdf2_sha256$600000$salt$hash, where the salt is text and the hash padded base64.
const DJANGO = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,8})\$([^$\s]{1,64})\$([A-Za-z0-9+/]+={0,2})$/;
const PBKDF2_ROUNDS_MAX = 1_500_000;
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 };

function readPbkdf2(text: string): HashRead | undefined {
  const django = DJANGO.exec(text);
  const parts = django ?? PBKDF2.exec(text);
  if (!parts) return undefined;
  const algorithm = (parts[1] ?? 'sha1') as keyof typeof DIGEST_BYTES;
  const rounds = Number(parts[2]);
  const salt = django ? Buffer.from(parts[3] ?? '') : bytes(parts[3]);
  const digest = bytes(parts[4]);
  // Longer than the hash function's own, each block more would cost as much again and prove nothing.
  const isOne = rounds > 0 && within(salt, SALT) && within(digest, DIGEST) && digest.length <= DIGEST_BYTES[algorithm];
  if (!isOne) return UNKNOWN;
  if (rounds > PBKDF2_ROUNDS_MAX) return COSTLY;
  return hash('pbkdf2', async (password) =>
    timingSafeEqual(await runPbkdf2(password, salt, rounds, digest.length, algorithm), digest),
  );
}

function hash(kind: ForeignHash['kind'], verify: ForeignHash['verify']): HashRead {
  return { kind: 'hash', hash: { kind, verify } };
}

// passlib writes "." where base64 has "+"; neither pads.
function bytes(base64 = ''): Buffer {
  return Buffer.from(base64.replaceAll('.', '+'), 'base64');
}

function within({ length }: Buffer, { min, max }: typeof SALT): boolean {
  return length >= min && length <= max;
}

// Whoever checks these reads the text again, and throws where its last letter has bits that belong to no byte.
function fits(base64: string | undefined, bounds: typeof SALT): boolean {
  const read = bytes(base64);
  return within(read, bounds) && read.toString('base64').replace(/=+$/, '') === base64;
}
