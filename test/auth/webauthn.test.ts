import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  creationOptions,
  readAssertion,
  readRegistration,
  relyingParty,
  requestOptions,
  userHandleOf,
  verifyAssertion,
  verifyRegistration,
  type Credential,
} from '../../src/auth/webauthn.ts';
import { Authenticator, BE, BS, UP, UV, type Fault } from '../authenticator.ts';

const ORIGIN = 'https://portal.acme.test';
const RP = relyingParty(ORIGIN, 'Acme Billing');
const MARIA = { id: '019aa000-0000-7000-8000-000000000001', email: 'maria@globex.test', name: 'Maria Silva' };
const CHALLENGE = randomBytes(32).toString('base64url');
const MAKE = creationOptions(RP, CHALLENGE, MARIA, []);
const USE = requestOptions(RP, CHALLENGE, []);

function registers(fault: Fault = {}, device = new Authenticator(ORIGIN)): Promise<Credential | undefined> {
  const sent = readRegistration(device.make(MAKE, fault));
  return sent ? verifyRegistration(RP, sent) : Promise.resolve(undefined);
}

/** A credential that was kept, used with one fault. */
async function signs(fault: Fault = {}, device = new Authenticator(ORIGIN)): Promise<unknown> {
  const credential = await registers({}, device);
  assert.ok(credential);
  const sent = readAssertion(device.use(USE, fault));
  return sent ? verifyAssertion(RP, sent, credential) : undefined;
}

const refused = async (outcome: Promise<unknown>): Promise<void> => assert.equal(await outcome, undefined);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a new passkey, by the steps of WebAuthn §7.1', () => {
  test('is kept when nothing is wrong with it: id, key, counter, transports, backup', async () => {
    const device = new Authenticator(ORIGIN, { count: 7 });
    const credential = await registers({}, device);
    assert.deepEqual(
      { ...credential, publicKey: 'its key' },
      {
        id: Buffer.from(device.id).toString('base64url'),
        publicKey: 'its key',
        signCount: 7,
        transports: 'hybrid internal',
        backup: 'done',
      },
    );
    assert.equal((await registers({}, new Authenticator(ORIGIN, { backup: BE })))?.backup, 'eligible');
    assert.equal((await registers({}, new Authenticator(ORIGIN, { backup: 0 })))?.backup, 'none');
  });

  test('is asked for as a discoverable one, with user verification and without attestation', () => {
    const { authenticatorSelection, attestation, rp } = MAKE as Record<string, unknown>;
    assert.deepEqual(authenticatorSelection, {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    });
    assert.equal(attestation, 'none');
    assert.deepEqual(rp, { id: 'portal.acme.test', name: 'Acme Billing' });
  });

  test('is refused when its clientDataJSON is no UTF-8 (step 5)', () =>
    refused(
      registers({ clientBytes: Buffer.concat([bytesOf(`{"challenge":"${CHALLENGE}","type":"`), Buffer.from([0xff])]) }),
    ));
  test('is refused when its clientDataJSON is no JSON object (step 6)', async () => {
    for (const text of ['', 'null', '[]', '7', '"text"', '{"type":'])
      await refused(registers({ clientBytes: bytesOf(text) }));
  });
  test('is refused when its type is webauthn.get (step 7)', () =>
    refused(registers({ client: { type: 'webauthn.get' } })));
  test('is about the challenge that its browser was given (step 8)', () => {
    const device = new Authenticator(ORIGIN);
    assert.equal(readRegistration(device.make(MAKE))?.challenge, CHALLENGE);
    for (const challenge of [undefined, null, 7, ['a'], '', 'not base64url!'])
      assert.equal(readRegistration(device.make(MAKE, { client: { challenge } })), undefined);
  });
  test('is refused from another origin, however like ours it is (step 9, §13.4.9)', async () => {
    for (const origin of [
      'https://portal.acme.test.evil.test',
      'https://evil.test',
      'http://portal.acme.test',
      'https://portal.acme.test:8443',
      'https://portal.acme.test/',
      'https://PORTAL.acme.test',
      [ORIGIN],
      undefined,
    ])
      await refused(registers({ client: { origin } }));
  });
  test('is refused from within a frame of another site (steps 10 and 11)', async () => {
    await refused(registers({ client: { crossOrigin: true } }));
    await refused(registers({ client: { crossOrigin: 'false' } }));
    await refused(registers({ client: { topOrigin: ORIGIN } }));
  });
  test('is refused for another relying party (steps 13 and 14)', async () => {
    for (const rpId of ['evil.test', 'acme.test', 'portal.acme.test.']) await refused(registers({ rpId }));
  });
  test('is refused when nobody was present (step 15)', () => refused(registers({ clear: UP })));
  test('is refused when its user was not verified (step 16)', () => refused(registers({ clear: UV })));
  test('is refused when it says that it is backed up and cannot be (step 17)', () =>
    refused(registers({ set: BS, clear: BE })));
  test('is refused with an algorithm that was not offered (steps 19 and 20)', async () => {
    for (const algorithm of [-35, -36, -47, -65_535, 0]) await refused(registers({ algorithm }));
  });
  test('is refused with an attestation of a kind that nobody asked for (steps 21 to 24)', async () => {
    for (const format of ['tpm', 'android-key', 'android-safetynet', 'fido-u2f', 'apple', 'compound', ''])
      await refused(registers({ format }));
    await refused(registers({ format: 'packed', statement: new Map([['x5c', Buffer.from([1])]]) }));
    await refused(registers({ statement: new Map([['alg', -7]]) }));
  });
  test('is refused when the signature of its own attestation is not right (step 22)', () =>
    refused(
      registers({
        format: 'packed',
        statement: new Map<string, number | Uint8Array>([
          ['alg', -7],
          ['sig', Buffer.alloc(70)],
        ]),
      }),
    ));
  test('is refused with a credential id of more than 1023 bytes', async () => {
    await refused(registers({ credentialId: randomBytes(1_024) }));
    assert.ok(await registers({ credentialId: randomBytes(1_023) }));
  });
  test('is refused when its JSON names another credential than its authenticator does', async () => {
    const id = randomBytes(32).toString('base64url');
    await refused(registers({ json: { id, rawId: id } }));
    await refused(registers({ json: { id } }));
  });
});

describe('the use of a passkey, by the steps of WebAuthn §7.2', () => {
  test('is right when nothing is wrong with it, and tells counter and backup', async () => {
    assert.deepEqual(await signs({}, new Authenticator(ORIGIN, { count: 7 })), { signCount: 8, backup: 'done' });
    assert.deepEqual(await signs({}, new Authenticator(ORIGIN, { backup: 0 })), { signCount: 0, backup: 'none' });
  });

  test('is asked for with user verification, and names nobody where nobody is known (§14.6)', () => {
    assert.deepEqual(USE, {
      rpId: 'portal.acme.test',
      challenge: CHALLENGE,
      timeout: 300_000,
      userVerification: 'required',
      allowCredentials: [],
    });
  });

  test('is refused when its type is webauthn.create (step 10)', () =>
    refused(signs({ client: { type: 'webauthn.create' } })));
  test('is about the challenge that its browser was given (step 11)', () => {
    const device = new Authenticator(ORIGIN);
    assert.equal(readAssertion(device.use(USE))?.challenge, CHALLENGE);
    assert.equal(readAssertion(device.use(USE, { client: { challenge: [CHALLENGE] } })), undefined);
  });
  test('is refused from another origin (step 12)', () => refused(signs({ client: { origin: 'https://evil.test' } })));
  test('is refused from within a frame, whether or not it says of which site (steps 13 and 14)', async () => {
    await refused(signs({ client: { crossOrigin: true } }));
    await refused(signs({ client: { crossOrigin: true, topOrigin: 'https://evil.test' } }));
    await refused(signs({ client: { topOrigin: ORIGIN } }));
  });
  test('is refused for another relying party (step 15)', () => refused(signs({ rpId: 'evil.test' })));
  test('is refused when nobody was present (step 16)', () => refused(signs({ clear: UP })));
  test('is refused when its user was not verified (step 17)', () => refused(signs({ clear: UV })));
  test('is refused when it is backed up and cannot be (step 18)', () => refused(signs({ set: BS, clear: BE })));
  test('is refused when what cannot leave its device now can, or the other way round (step 19)', async () => {
    await refused(signs({ set: BE }, new Authenticator(ORIGIN, { backup: 0 })));
    await refused(signs({ clear: BE | BS }, new Authenticator(ORIGIN, { backup: BE })));
    assert.ok(await signs({ set: BS }, new Authenticator(ORIGIN, { backup: BE })), 'BS may change');
  });
  test('is refused when anything that was signed is changed, or another key signed it (step 21)', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await refused(signs({ key: privateKey }));
    await refused(signs({ response: { signature: 'AAAA' } }));
    const device = new Authenticator(ORIGIN);
    const earlier = JSON.parse(device.use(USE, { count: 5 })) as { response: Record<string, string> };
    for (const part of ['authenticatorData', 'signature'])
      await refused(signs({ count: 9, response: { [part]: earlier.response[part] } }, device));
  });
  test('is refused with a signature of another form (step 21)', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const raw = sign('sha256', createHash('sha256').digest(), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    await refused(signs({ response: { signature: raw.toString('base64url') } }));
  });
});

describe('what a browser sends about a passkey', () => {
  const device = new Authenticator(ORIGIN);
  const withJson = (json: Record<string, unknown>): string => device.use(USE, { json });

  test('is read as what it is, or not at all: no list, number, null or object stands where a text belongs', () => {
    for (const strange of [null, 7, true, [], {}, ['a'], '', 'a b', 'ä', { toString: 'x' }]) {
      for (const name of ['id', 'rawId', 'type', 'response'])
        assert.equal(readAssertion(withJson({ [name]: strange })), undefined, `${name} ${JSON.stringify(strange)}`);
      for (const name of ['clientDataJSON', 'authenticatorData', 'signature'])
        assert.equal(readAssertion(device.use(USE, { response: { [name]: strange } })), undefined, name);
      if (strange !== null)
        assert.equal(readAssertion(device.use(USE, { response: { userHandle: strange } })), undefined);
    }
    for (const text of ['', 'null', '[]', '7', '{', '{}', '{"__proto__":{"id":"a"}}', '"text"', 'undefined'])
      assert.equal(readAssertion(text), undefined, text);
  });

  test('may leave the user handle out, as an old key does', () => {
    assert.equal(readAssertion(device.use(USE, { response: { userHandle: null } }))?.userHandle, undefined);
    device.make(MAKE);
    assert.equal(readAssertion(device.use(USE))?.userHandle, userHandleOf(MARIA.id));
  });

  test('tells transports that there are, and no others', () => {
    const sent = readRegistration(
      device.make(MAKE, { response: { transports: ['usb', 'telepathy', 7, null, 'nfc'] } }),
    );
    assert.equal(sent?.transports, 'nfc usb');
    assert.equal(readRegistration(device.make(MAKE, { response: { transports: 'usb' } }))?.transports, '');
  });
});
