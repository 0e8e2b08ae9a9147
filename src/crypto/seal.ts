import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Named 256-bit keys: the first seals, every one of them opens what it sealed (ASVS 13.3.4). */
export interface KeyRing {
  readonly current: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/** A ciphertext that cannot be opened: its key is not in the ring, or it was changed or moved to another place. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Encrypts a text with AES-256-GCM under the ring's current key. `place` (table, column, organization, account, row)
 * is bound as associated data: moved anywhere else, the result does not open. Answers `keyId.base64url`.
 */
export function seal(ring: KeyRing, place: readonly string[], text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(ring, ring.current), nonce);
  cipher.setAAD(associatedData(ring.current, place));
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${ring.current}.${sealed.toString('base64url')}`;
}

/** Opens what `seal` made for the same place. The key is chosen by the id in front, never by trying (I17). */
export function open(ring: KeyRing, place: readonly string[], sealed: string): string {
  const keyId = sealedBy(sealed);
  const bytes = Buffer.from(sealed.slice(keyId.length + 1), 'base64url');
  if (bytes.length < 28) throw new SealError('sealed value is too short');
  const decipher = createDecipheriv('aes-256-gcm', keyOf(ring, keyId), bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(associatedData(keyId, place));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
  } catch {
    throw new SealError(`value at ${place.join('/')} does not open with key ${keyId}`);
  }
}

/** The id of the key that a value says it was sealed with; empty where it says none. */
export function sealedBy(sealed: string): string {
  return sealed.slice(0, Math.max(sealed.indexOf('.'), 0));
}

function keyOf(ring: KeyRing, id: string): Uint8Array {
  const key = ring.keys.get(id);
  if (key === undefined) throw new SealError(`key ${JSON.stringify(id.slice(0, 40))} is not in the ring`);
  return key;
}

function associatedData(keyId: string, place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify([keyId, ...place]));
}
