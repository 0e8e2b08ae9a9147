import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import { PASSKEY_CEREMONY_LIFETIME_MS } from './limits.ts';

/** Who asks for a passkey: the host and the origin of the installation's public URL, and a name for people. */
export interface RelyingParty {
  readonly id: string;
  readonly origin: string;
  readonly name: string;
}

/** The relying party of an organization. All of an installation share its host, and so its passkeys' id. */
export function relyingParty(publicUrl: string, name: string): RelyingParty {
  return { id: new URL(publicUrl).hostname, origin: publicUrl, name };
}

/** Whether a credential can be on several devices: never, not yet, or already (BE and BS). */
export type Backup = 'none' | 'eligible' | 'done';

/** A credential as other parts know it: `id` and `publicKey` in base64url, transports in one line. */
export interface Credential {
  readonly id: string;
  readonly publicKey: string;
  readonly signCount: number;
  readonly transports: string;
  readonly backup: Backup;
}

// EdDSA, ES256, RS256: what authenticators of the last ten years can do.
const ALGORITHMS = [-8, -7, -257];
const TRANSPORTS: readonly unknown[] = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'];
const CREDENTIAL_ID_BYTES_MAX = 1_023;

type Descriptor = Pick<Credential, 'id' | 'transports'>;

/** What `navigator.credentials.create` is asked for: a discoverable credential, with user verification, no attestation. */
export function creationOptions(
  rp: RelyingParty,
  challenge: string,
  owner: { readonly id: string; readonly email: string; readonly name: string },
  known: readonly Descriptor[],
): object {
  return {
    rp: { id: rp.id, name: rp.name },
    user: { id: userHandleOf(owner.id), name: owner.email, displayName: owner.name },
    challenge,
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: PASSKEY_CEREMONY_LIFETIME_MS,
    excludeCredentials: known.map(descriptor),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
  };
}

/** What `navigator.credentials.get` is asked for; with no credential named, any that the browser knows here (§14.6). */
export function requestOptions(rp: RelyingParty, challenge: string, allowed: readonly Descriptor[]): object {
  return {
    rpId: rp.id,
    challenge,
    timeout: PASSKEY_CEREMONY_LIFETIME_MS,
    userVerification: 'required',
    allowCredentials: allowed.map(descriptor),
  };
}

function descriptor({ id, transports }: Descriptor): object {
  return { type: 'public-key', id, transports: transports === '' ? [] : transports.split(' ') };
}

/** The handle under which an authenticator keeps an account: its id, which says nothing about the person. */
export function userHandleOf(accountId: string): string {
  return Buffer.from(accountId).toString('base64url');
}

/** What a browser sent, read strictly: only texts of these names, each base64url, and the challenge it is about. */
export interface Sent<Part extends string> {
  readonly id: string;
  readonly challenge: string;
  readonly parts: Readonly<Record<Part | 'clientDataJSON', string>>;
  readonly userHandle: string | undefined;
  readonly transports: string;
}

export type Registration = Sent<'attestationObject'>;
export type Assertion = Sent<'authenticatorData' | 'signature'>;

/** Reads what `create` answered, as the browser writes it in JSON. Undefined where it is nothing of the kind. */
export function readRegistration(text: string): Registration | undefined {
  return read(text, ['attestationObject']);
}

/** The same of what `get` answered. */
export function readAssertion(text: string): Assertion | undefined {
  return read(text, ['authenticatorData', 'signature']);
}

function read<Part extends string>(text: string, names: readonly Part[]): Sent<Part> | undefined {
  const credential = objectIn(text);
  const { id, rawId, type, response } = credential ?? {};
  if (!isBase64url(id) || rawId !== id || type !== 'public-key' || !isObject(response)) return undefined;
  const parts = ['clientDataJSON', ...names].map((name) => [name, response[name]] as const);
  if (!parts.every(([, value]) => isBase64url(value))) return undefined;
  const { userHandle, transports } = response;
  if (userHandle !== undefined && userHandle !== null && !isBase64url(userHandle)) return undefined;
  const challenge = challengeIn(String(response['clientDataJSON']));
  if (challenge === undefined) return undefined;
  return {
    id,
    challenge,
    parts: Object.fromEntries(parts) as Sent<Part>['parts'],
    userHandle: userHandle ?? undefined,
    transports: Array.isArray(transports) ? TRANSPORTS.filter((one) => transports.includes(one)).join(' ') : '',
  };
}

// The library lets a crossOrigin without topOrigin pass, and asks nothing of it when a passkey is made; nobody frames us.
function challengeIn(clientDataJSON: string): string | undefined {
  const client = objectIn(utf8(clientDataJSON));
  if (!client || (client['crossOrigin'] ?? false) !== false || client['topOrigin'] !== undefined) return undefined;
  return isBase64url(client['challenge']) ? client['challenge'] : undefined;
}

/** Checks a new credential (WebAuthn §7.1), all but the challenge's own life. Undefined: it is refused. */
export function verifyRegistration(rp: RelyingParty, sent: Registration): Promise<Credential | undefined> {
  return refusedByThrowing(async () => {
    const { id, parts, transports } = sent;
    const attestation = decodeAttestationObject(bytes(parts.attestationObject));
    const isSelf = attestation.get('fmt') === 'packed' && attestation.get('attStmt').get('x5c') === undefined;
    // We ask for none. A browser hands a device's own signature on all the same; certificates would be fetched and trusted.
    if (attestation.get('fmt') !== 'none' && !isSelf) return undefined;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response: parts },
      expectedChallenge: sent.challenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) return undefined;
    const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
    if (credential.id !== id || bytes(id).length > CREDENTIAL_ID_BYTES_MAX) return undefined;
    const publicKey = Buffer.from(credential.publicKey).toString('base64url');
    const backup = backupOf(credentialDeviceType, credentialBackedUp);
    return { id, publicKey, signCount: credential.counter, transports, backup };
  });
}

/** What an assertion changes about its credential. */
export type Used = Pick<Credential, 'signCount' | 'backup'>;

/**
 * Checks an assertion (WebAuthn §7.2), all but the challenge's own life and the counter, which are compared where they are
 * used up: in the statement that writes them. Undefined: it is refused.
 */
export function verifyAssertion(
  rp: RelyingParty,
  sent: Assertion,
  { id, publicKey, backup }: Pick<Credential, 'id' | 'publicKey' | 'backup'>,
): Promise<Used | undefined> {
  return refusedByThrowing(async () => {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id: sent.id, rawId: sent.id, type: 'public-key', clientExtensionResults: {}, response: sent.parts },
      expectedChallenge: sent.challenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      // Compared by ourselves: here it would be looked at before the signature, and so could be anybody's claim.
      credential: { id, publicKey: bytes(publicKey), counter: 0 },
    });
    const { newCounter, credentialDeviceType, credentialBackedUp } = authenticationInfo;
    const now = backupOf(credentialDeviceType, credentialBackedUp);
    const isSameKind = (now === 'none') === (backup === 'none');
    return verified && isSameKind ? { signCount: newCounter, backup: now } : undefined;
  });
}

function backupOf(device: 'singleDevice' | 'multiDevice', isBackedUp: boolean): Backup {
  if (device === 'singleDevice') return 'none';
  return isBackedUp ? 'done' : 'eligible';
}

// The library refuses by throwing, and so do the parsers in it that stumble over what was sent.
async function refusedByThrowing<T>(check: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await check();
  } catch {
    return undefined;
  }
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64url, 'base64url'));
}

function utf8(base64url: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes(base64url));
  } catch {
    return '';
  }
}

function objectIn(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBase64url(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]+$/.test(value);
}
