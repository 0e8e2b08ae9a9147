import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { saveChoices } from '../src/accounts/choices.ts';
import { OPERATOR } from '../src/accounts/audit.ts';
import { findOrganization, type Organization, type Passkeys } from '../src/accounts/organizations.ts';
import type { Challenge } from '../src/auth/challenges.ts';
import { addPasskey, beginAdding, passkeysOf, type Passkey } from '../src/auth/passkeys.ts';
import { findSession, type Session } from '../src/auth/sessions.ts';
import { relyingParty, type RelyingParty } from '../src/auth/webauthn.ts';
import { answers, challenged, home, type Enrolled, type Person } from './acme.ts';
import type { Visitor } from './visitor.ts';
import { MINUTE_MS, type World } from './world.ts';

/** What a device is: its BE and BS, from what it counts (0: never), and its credential's id. */
interface Device {
  readonly backup?: number;
  readonly count?: number;
  readonly id?: Uint8Array;
}

/** What a server asks for, as far as an authenticator and its browser look at it. */
interface Asked {
  readonly challenge: string;
  readonly rp?: { readonly id: string };
  readonly rpId?: string;
  readonly user?: { readonly id: string };
}

/** One thing that a browser or an authenticator does other than it should. */
export interface Fault {
  /** Over what the browser writes into clientDataJSON. */
  readonly client?: Readonly<Record<string, unknown>>;
  /** The bytes of clientDataJSON themselves. */
  readonly clientBytes?: Uint8Array;
  readonly rpId?: string;
  /** Flags to be set or cleared: UP 1, UV 4, BE 8, BS 16. */
  readonly set?: number;
  readonly clear?: number;
  readonly count?: number;
  readonly credentialId?: Uint8Array;
  /** Over the JSON that the browser's API gives out. */
  readonly json?: Readonly<Record<string, unknown>>;
  readonly response?: Readonly<Record<string, unknown>>;
  readonly algorithm?: number;
  readonly format?: string;
  readonly statement?: Map<Cbor, Cbor>;
  /** Signs with another key than it says. */
  readonly key?: KeyObject;
}

export const UP = 1;
export const UV = 4;
export const BE = 8;
export const BS = 16;
const AT = 64;

/** A passkey on a device, written after the standard and not after any library: P-256, CBOR and all. */
export class Authenticator {
  readonly origin: string;
  readonly id: Uint8Array;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #backup: number;
  #userHandle = '';
  count: number;

  constructor(origin: string, { backup = BE | BS, count = 0, id = randomBytes(32) }: Device = {}) {
    this.origin = origin;
    this.id = id;
    this.#backup = backup;
    this.count = count;
  }

  /** Makes its credential, as `create` answers it in JSON. */
  make(options: object, fault: Fault = {}): string {
    const asked = options as Asked;
    this.#userHandle = asked.user?.id ?? '';
    const id = fault.credentialId ?? this.id;
    const key = new Map<Cbor, Cbor>([
      [1, 2],
      [3, fault.algorithm ?? -7],
      [-1, 1],
      [-2, this.#coordinate('x')],
      [-3, this.#coordinate('y')],
    ]);
    const length = Buffer.from([id.length >> 8, id.length & 255]);
    const attested = Buffer.concat([Buffer.alloc(16), length, id, cbor(key)]);
    const authData = Buffer.concat([this.#authData(asked.rp?.id ?? '', AT, fault), attested]);
    const attestation = new Map<Cbor, Cbor>([
      ['fmt', fault.format ?? 'none'],
      ['attStmt', fault.statement ?? new Map<Cbor, Cbor>()],
      ['authData', authData],
    ]);
    return this.#json(id, fault, {
      clientDataJSON: this.#client('webauthn.create', asked, fault).toString('base64url'),
      attestationObject: cbor(attestation).toString('base64url'),
      transports: ['internal', 'hybrid'],
    });
  }

  /** Uses it, as `get` answers it in JSON. */
  use(options: object, fault: Fault = {}): string {
    const asked = options as Asked;
    if (this.count > 0) this.count++;
    const authData = this.#authData(asked.rpId ?? '', 0, fault);
    const client = this.#client('webauthn.get', asked, fault);
    const signed = Buffer.concat([authData, createHash('sha256').update(client).digest()]);
    return this.#json(fault.credentialId ?? this.id, fault, {
      clientDataJSON: client.toString('base64url'),
      authenticatorData: authData.toString('base64url'),
      signature: sign('sha256', signed, fault.key ?? this.#keys.privateKey).toString('base64url'),
      userHandle: this.#userHandle || null,
    });
  }

  #coordinate(name: 'x' | 'y'): Buffer {
    return Buffer.from(this.#keys.publicKey.export({ format: 'jwk' })[name] ?? '', 'base64url');
  }

  #authData(rpId: string, more: number, { set = 0, clear = 0, ...fault }: Fault): Buffer {
    const hash = createHash('sha256')
      .update(fault.rpId ?? rpId)
      .digest();
    const flags = (UP | UV | this.#backup | more | set) & ~clear;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(fault.count ?? this.count);
    return Buffer.concat([hash, Buffer.from([flags]), count]);
  }

  #client(type: string, { challenge }: Asked, { client, clientBytes }: Fault): Buffer {
    if (clientBytes) return Buffer.from(clientBytes);
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false, ...client }));
  }

  #json(id: Uint8Array, fault: Fault, response: Readonly<Record<string, unknown>>): string {
    const text = Buffer.from(id).toString('base64url');
    return JSON.stringify({
      id: text,
      rawId: text,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: { ...response, ...fault.response },
      ...fault.json,
    });
  }
}

export type Cbor = number | string | Uint8Array | Map<Cbor, Cbor>;

/** The little of CBOR that authenticators write (RFC 8949). */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Map) return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)]);
  return Buffer.concat([head(2, value.length), value]);
}

function head(major: number, length: number): Buffer {
  const type = major << 5;
  if (length < 24) return Buffer.from([type | length]);
  if (length < 256) return Buffer.from([type | 24, length]);
  return Buffer.from([type | 25, length >> 8, length & 255]);
}

/** Who asks for passkeys in a world. */
export function rpOf(world: World): RelyingParty {
  return relyingParty(world.publicUrl, 'Acme Billing');
}

/** The organization's choice of passkeys, its others left as they are. */
export async function takePasskeys(world: World, { id }: Pick<Organization, 'id'>, passkeys: Passkeys): Promise<void> {
  const today = await findOrganization(world.db, id);
  assert.ok(today);
  await saveChoices(world.installation, OPERATOR, id, { ...today, passkeys });
}

/** A session of somebody who has just given password and code. */
export async function freshSession(world: World, person: Person, { secret }: Enrolled): Promise<Session> {
  world.clock.advance(MINUTE_MS);
  const answered = await answers(world.installation, await challengeOf(world, person), world.codeFor(secret));
  assert.ok(answered.kind === 'right', `the code was found ${answered.kind}`);
  return sessionOf(world, answered.bought.cookie);
}

/** A sign-in challenge of somebody who has just given the password. */
export function challengeOf(world: World, person: Person): Promise<Challenge> {
  return challenged(world.installation, person);
}

/** The session of a cookie at the portal. */
export async function sessionOf(world: World, cookie: string): Promise<Session> {
  const session = await findSession(world.db, 'portal', cookie, world.clock.now);
  assert.ok(session, 'there is no such session');
  return session;
}

/** Keeps a new passkey of somebody, made by an authenticator; answers both. */
export async function kept(
  world: World,
  person: Person,
  session: Session,
  device = new Authenticator(world.publicUrl),
  name = 'My laptop',
): Promise<{ device: Authenticator; passkey: Passkey }> {
  const options = await beginAdding(world.installation, rpOf(world), session);
  assert.ok(options, 'no passkey can be made');
  const response = device.make(options);
  const added = await addPasskey(world.installation, rpOf(world), session, { name, response }, home(person));
  assert.equal(added.kind, 'added');
  const passkey = (await passkeysOf(world.db, person)).at(-1);
  assert.ok(passkey);
  return { device, passkey };
}

/** What a page's script asks for at an address, with the answer that the server gives it. */
export async function optionsAt(browser: Visitor, path: string): Promise<object> {
  const page = await browser.post(path);
  assert.equal(page.status, 200, page.text);
  return JSON.parse(page.text) as object;
}

/** Adds a passkey by the pages of Account security, as its script does. */
export async function addsPasskey(
  { browser, door }: { readonly browser: Visitor; readonly door: string },
  device: Authenticator,
  name = 'My laptop',
): Promise<string> {
  const path = `${door}/security/passkeys/add`;
  const response = device.make(await optionsAt(browser, `${path}/options`));
  const page = await browser.post(path, { name, response });
  assert.equal(page.location, `${door}/security`, page.text);
  const listed = (await browser.follow()).text;
  return [...listed.matchAll(/passkeys\/([\w-]{36})\/remove/g)].at(-1)?.[1] ?? '';
}
