import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deleteContact } from '../../src/accounts/deletion.ts';
import { findContact } from '../../src/accounts/contacts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { endOneSession } from '../../src/auth/end-sessions.ts';
import { sweep } from '../../src/auth/housekeeping.ts';
import { disownBySession } from '../../src/auth/not-me.ts';
import { openCeremony } from '../../src/auth/passkey-ceremonies.ts';
import {
  answerByPasskey,
  beginSignIn,
  proveByPasskey,
  signInByPasskey,
  type AnsweredByPasskey,
  type SignedInByPasskey,
} from '../../src/auth/passkey-sign-in.ts';
import {
  addPasskey,
  beginAdding,
  beginUse,
  hasPasskey,
  passkeysOf,
  removePasskey,
  renamePasskey,
} from '../../src/auth/passkeys.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { isFreshlyProven, type Session } from '../../src/auth/sessions.ts';
import { userHandleOf } from '../../src/auth/webauthn.ts';
import { sql } from '../../src/db/db.ts';
import { answers, enrol, from, guesses, home, type Acme, type Enrolled, type Person } from '../acme.ts';
import {
  Authenticator,
  challengeOf,
  freshSession,
  kept,
  rpOf,
  sessionOf,
  takePasskeys,
  type Fault,
} from '../authenticator.ts';
import { queued } from '../queued.ts';
import { unchanged } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly acme: Acme & Enrolled;
  readonly maria: Person;
  readonly session: Session;
  readonly device: Authenticator;
}

/** Maria with MFA and a passkey, at an organization that takes them. */
async function scene(
  engine: Engine,
  device?: Authenticator,
  choice: 'second-factor' | 'sign-in' = 'sign-in',
): Promise<Scene> {
  const world = await openWorld(engine, { mailIsOn: true });
  const acme = await world.acmeWithMfa();
  await takePasskeys(world, acme.organization, choice);
  const session = await freshSession(world, acme.maria, acme);
  const made = await kept(world, acme.maria, session, device ?? new Authenticator(world.publicUrl, { count: 3 }));
  return { world, acme, maria: acme.maria, session, device: made.device, [Symbol.asyncDispose]: () => world.close() };
}

/** Behind the password, uses the passkey with what may be wrong about it. */
async function answersBy({ world, maria, device }: Scene, fault: Fault = {}): Promise<AnsweredByPasskey> {
  const challenge = await challengeOf(world, maria);
  const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
  assert.ok(options);
  return answerByPasskey(world.installation, challenge, given(world, device.use(options, fault), maria));
}

/** Signs in with the passkey alone. */
async function walksIn(
  { world, acme, maria, device }: Scene,
  fault: Fault = {},
  organizationId = acme.organization.id,
): Promise<SignedInByPasskey> {
  const begun = await beginSignIn(world.installation, rpOf(world), organizationId, home(maria), undefined);
  assert.ok(begun.kind === 'begun');
  const response = device.use(begun.options, fault);
  return signInByPasskey(world.installation, organizationId, begun.browser, given(world, response, maria));
}

function given(world: World, response: string, person: Person): Parameters<typeof answerByPasskey>[2] {
  return { rp: rpOf(world), response, visitor: home(person) };
}

async function lastAudit(world: World, person: Person): Promise<Record<string, unknown>> {
  const row = (await world.audit(person)).at(-1);
  return { action: row?.action, result: row?.result, ...(JSON.parse(row?.details ?? '{}') as object) };
}

eachEngine('a passkey of Maria', (engine) => {
  test('is added beside her app after a fresh proof, with one audit row and a letter', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    const [row] = await world.rows('passkeys');
    assert.equal(row?.['uv_initialized_at'], world.clock.now);
    assert.equal(row?.['sign_count'], 3);
    assert.equal(row?.['transports'], 'hybrid internal');
    assert.equal(row?.['backup'], 'done');
    assert.deepEqual(await lastAudit(world, maria), { action: 'passkey.added', result: 'done', passkeys: 1 });
    assert.equal((await queued(world, maria)).at(-1)?.kind, 'passkey-added');
    assert.equal(await hasPasskey(world.db, maria), true);
  });

  test('cannot be added when her last proof is over ten minutes old (I14)', async () => {
    await using here = await scene(engine);
    const { world, session } = here;
    const options = await beginAdding(world.installation, rpOf(world), session);
    assert.ok(options);
    const response = new Authenticator(world.publicUrl).make(options);
    world.clock.advance(10 * MINUTE_MS + 1);
    assert.equal(await beginAdding(world.installation, rpOf(world), session), undefined);
    const adding = async (): Promise<unknown> =>
      addPasskey(world.installation, rpOf(world), session, { name: 'x', response }, home(here.maria));
    await assert.rejects(adding, /without a fresh proof/);
  });

  test('cannot be added in a session that has been ended since it was looked up', async () => {
    await using here = await scene(engine);
    const { world, session, maria } = here;
    const options = await beginAdding(world.installation, rpOf(world), session);
    const response = new Authenticator(world.publicUrl).make(options ?? {});
    await endOneSession(world.installation, OPERATOR, maria, session.id);
    await unchanged(world, async () => {
      const added = await addPasskey(world.installation, rpOf(world), session, { name: 'x', response }, home(maria));
      assert.equal(added.kind, 'not-allowed');
    });
  });

  test('cannot be added by somebody who has no app, or where the organization takes none', async () => {
    await using here = await scene(engine);
    const { world, acme, session, maria } = here;
    const add = async (): Promise<string> => {
      const options = await beginAdding(world.installation, rpOf(world), session);
      const response = new Authenticator(world.publicUrl).make(options ?? {});
      return (await addPasskey(world.installation, rpOf(world), session, { name: 'x', response }, home(maria))).kind;
    };
    await takePasskeys(world, acme.organization, 'off');
    assert.equal(await add(), 'not-allowed');
    await takePasskeys(world, acme.organization, 'second-factor');
    assert.equal(await add(), 'added');
    await world.change(sql`UPDATE authenticators SET revoked_at = 1, secret = NULL WHERE account_id = ${maria.id}`);
    assert.equal(await add(), 'not-allowed');
  });

  test('is at most one of ten', async () => {
    await using here = await scene(engine);
    const { world, maria, session } = here;
    for (let n = 2; n <= 10; n++) await kept(world, maria, session);
    const options = await beginAdding(world.installation, rpOf(world), session);
    const response = new Authenticator(world.publicUrl).make(options ?? {});
    const added = await addPasskey(world.installation, rpOf(world), session, { name: 'x', response }, home(maria));
    assert.equal(added.kind, 'full');
    assert.equal((await passkeysOf(world.db, maria)).length, 10);
  });

  test('has a credential id that nobody else in the installation has, or had (§7.1)', async () => {
    await using here = await scene(engine);
    const { world, acme, maria, session, device } = here;
    const noor = { ...acme.noor, ...(await enrol(world.installation, acme.noor)) };
    const noors = await freshSession(world, noor, noor);
    const again = async (person: Person, own: Session): Promise<string> => {
      const options = await beginAdding(world.installation, rpOf(world), own);
      const twin = new Authenticator(world.publicUrl, { id: device.id });
      const sent = { name: 'x', response: twin.make(options ?? {}) };
      return (await addPasskey(world.installation, rpOf(world), own, sent, home(person))).kind;
    };
    assert.equal(await again(maria, session), 'refused');
    assert.equal(await again(noor, noors), 'refused');
    const [passkey] = await passkeysOf(world.db, maria);
    assert.equal(await removePasskey(world.installation, session, passkey?.id ?? '', home(maria)), true);
    assert.equal(await again(noor, noors), 'refused', 'and not after it was removed');
    assert.equal((await passkeysOf(world.db, noor)).length, 0);
  });

  test('comes of a ceremony of 256 random bits that is used once, within five minutes, in its own session (§13.4.3)', async () => {
    await using here = await scene(engine);
    const { world, maria, session, acme } = here;
    const rp = rpOf(world);
    const begin = async (): Promise<string> =>
      new Authenticator(world.publicUrl).make((await beginAdding(world.installation, rp, session)) ?? {});
    const add = async (response: string, own = session): Promise<string> =>
      (await addPasskey(world.installation, rp, own, { name: 'x', response }, home(maria))).kind;
    const once = await begin();
    const challenges = (await world.rows('passkey_ceremonies')).map((row) => String(row['challenge']));
    assert.ok(challenges.every((text) => Buffer.from(text, 'base64url').length === 32));
    assert.equal(await add(once), 'added');
    assert.equal(await add(once), 'refused');
    const other = await begin();
    assert.equal(await add(other, await freshSession(world, maria, acme)), 'refused', 'in another session');
    assert.equal(await add(other), 'added');
    const late = await begin();
    world.clock.advance(5 * MINUTE_MS);
    assert.equal(await add(late), 'refused');
    const confirming = await openCeremony(world.installation, { to: 'confirm', session });
    const made = new Authenticator(world.publicUrl).make({ challenge: confirming, rp: { id: rp.id } });
    assert.equal(await add(made), 'refused', 'a challenge for something else');
  });

  test('is renamed by her, with one audit row; nothing is recorded where nothing changes', async () => {
    await using here = await scene(engine);
    const { world, maria, session, acme } = here;
    const [passkey] = await passkeysOf(world.db, maria);
    const rename = (id: string): Promise<boolean> =>
      renamePasskey(world.installation, session, id, 'My phone', home(maria));
    assert.equal(await rename(passkey?.id ?? ''), true);
    assert.equal((await passkeysOf(world.db, maria))[0]?.name, 'My phone');
    const rows = (await world.audit(maria)).length;
    assert.deepEqual(await lastAudit(world, maria), { action: 'passkey.renamed', result: 'done' });
    assert.equal(await rename(passkey?.id ?? ''), true);
    assert.equal(await rename(acme.noor.id), false);
    assert.equal((await world.audit(maria)).length, rows);
  });

  test('is removed for good: the epoch rises, the key is gone from the row, and she is told', async () => {
    await using here = await scene(engine);
    const { world, maria, session } = here;
    const epoch = (await world.account(maria)).epoch;
    const [passkey] = await passkeysOf(world.db, maria);
    const challenge = await challengeOf(world, maria);
    await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    assert.equal(await removePasskey(world.installation, session, passkey?.id ?? '', home(maria)), true);
    assert.equal((await world.account(maria)).epoch, epoch + 1);
    const [row] = await world.rows('passkeys');
    assert.equal(row?.['public_key'], null);
    assert.equal(row?.['revoked_at'], world.clock.now);
    assert.deepEqual(await world.rows('passkey_ceremonies'), [], 'ceremonies die with the epoch (I12)');
    assert.deepEqual(await lastAudit(world, maria), { action: 'passkey.removed', result: 'done', passkeys: 0 });
    assert.equal((await queued(world, maria)).at(-1)?.kind, 'passkey-removed');
    assert.equal(await removePasskey(world.installation, session, passkey?.id ?? '', home(maria)), false);
    world.clock.advance(11 * MINUTE_MS);
    await assert.rejects(
      async () => removePasskey(world.installation, session, 'x', home(maria)),
      /without a fresh proof/,
    );
  });

  test('goes when she says that it wasn’t her: a thief’s would open both doors without the password', async () => {
    await using here = await scene(engine);
    const { world, maria, session } = here;
    assert.equal((await disownBySession(world.installation, session, home(maria))).kind, 'done');
    assert.deepEqual(await passkeysOf(world.db, maria), []);
    assert.equal((await walksIn(here)).kind, 'refused');
  });

  test('that opens a door ends her request for help, as a right code does', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    const until = world.clock.now + 60 * MINUTE_MS;
    for (const opens of [answersBy, walksIn]) {
      await world.change(sql`UPDATE accounts SET help_wait_until = ${until} WHERE id = ${maria.id}`);
      await opens(here);
      const [row] = (await world.rows('accounts')).filter(({ id }) => id === maria.id);
      assert.equal(row?.['help_wait_until'], null);
    }
  });

  test('goes with a reset, and with the contact; a new password leaves it', async () => {
    await using here = await scene(engine);
    const { world, maria, acme } = here;
    const account = await world.account(maria);
    const hash = await hashNewPassword(world.installation, 'nine calm otters paint');
    await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, account, hash));
    assert.equal((await passkeysOf(world.db, maria)).length, 1);
    assert.equal((await walksIn(here)).kind, 'signed-in');
    const reason = { check: 'met-in-person', note: '' } as const;
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria), reason);
    assert.equal((await passkeysOf(world.db, maria)).length, 0);
    assert.equal((await walksIn(here)).kind, 'refused');
    const contact = await findContact(world.db, acme.organization.id, acme.globex.id, maria.id);
    assert.ok(contact);
    assert.equal(await deleteContact(world.installation, OPERATOR, contact, 'left'), true);
    assert.deepEqual(await world.rows('passkeys'), []);
  });
});

eachEngine('in place of the code, Maria’s passkey', (engine) => {
  test('turns the challenge into a session that is freshly proven by it, once (I8, I14, I23)', async () => {
    await using here = await scene(engine, undefined, 'second-factor');
    const { world, maria } = here;
    const answered = await answersBy(here);
    assert.ok(answered.kind === 'right');
    const session = await sessionOf(world, answered.cookie);
    assert.equal(session.provenBy, 'passkey');
    assert.equal(isFreshlyProven(session, world.clock.now), true);
    assert.deepEqual(await lastAudit(world, maria), { action: 'signed-in', result: 'right', factor: 'passkey' });
    const [row] = await world.rows('passkeys');
    assert.equal(row?.['sign_count'], 4, 'its counter is kept (§7.2 step 24)');
    assert.equal(row?.['last_used_at'], world.clock.now);
  });

  test('that fails costs the challenge’s attempt and one audit row, and no count of wrong codes (I5, I18)', async () => {
    await using here = await scene(engine);
    const { world, maria, device } = here;
    const challenge = await challengeOf(world, maria);
    for (let left = 4; left >= 0; left--) {
      const rows = (await world.audit(maria)).length;
      const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
      const response = device.use(options ?? {}, { client: { origin: 'https://evil.test' } });
      const answered = await answerByPasskey(world.installation, challenge, given(world, response, maria));
      assert.deepEqual(answered, { kind: 'refused', attemptsLeft: left });
      assert.equal((await world.audit(maria)).length, rows + 1);
    }
    assert.deepEqual(await lastAudit(world, maria), {
      action: 'signed-in',
      result: 'passkey-refused',
      factor: 'passkey',
      why: 'signature',
    });
    const [row] = (await world.rows('accounts')).filter(({ id }) => id === maria.id);
    assert.deepEqual([row?.['totp_wrong'], row?.['backup_wrong'], row?.['window_wrong']], [0, 0, 0]);
    const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    const right = device.use(options ?? {});
    assert.equal((await answerByPasskey(world.installation, challenge, given(world, right, maria))).kind, 'over');
  });

  test('that is nothing a browser answers costs nothing, as a code without a code’s shape', async () => {
    await using here = await scene(engine);
    const { world, maria, session } = here;
    const challenge = await challengeOf(world, maria);
    await unchanged(world, async () => {
      for (const response of [
        '',
        'null',
        '{}',
        '[]',
        'x'.repeat(16_000),
        '{"id":["a"],"rawId":["a"],"type":"public-key"}',
      ]) {
        const sent = given(world, response, maria);
        assert.equal((await answerByPasskey(world.installation, challenge, sent)).kind, 'unreadable');
        assert.equal((await proveByPasskey(world.installation, session, sent)).kind, 'refused');
        const { id } = here.acme.organization;
        assert.equal((await signInByPasskey(world.installation, id, 'browser', sent)).kind, 'refused');
      }
    });
  });

  test('is looked at with the codes’ five attempts and no others', async () => {
    await using here = await scene(engine);
    const { world, maria, acme, device } = here;
    const challenge = await challengeOf(world, maria);
    for (let n = 0; n < 5; n++) await answers(world.installation, challenge, world.wrongCode(acme.secret));
    const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    const answered = await answerByPasskey(
      world.installation,
      challenge,
      given(world, device.use(options ?? {}), maria),
    );
    assert.equal(answered.kind, 'over');
  });

  test('opens while a wait for wrong codes holds, and ends it: nobody guesses a signature', async () => {
    await using here = await scene(engine);
    const { world, maria, acme } = here;
    await guesses(world, maria, acme.secret, 5);
    const challenge = await challengeOf(world, maria);
    assert.equal((await answers(world.installation, challenge, world.codeFor(acme.secret))).kind, 'wait');
    assert.equal((await answersBy(here)).kind, 'right');
    const next = await challengeOf(world, maria);
    assert.equal(
      (await answers(world.installation, next, world.codeFor(acme.secret, 1), from('elsewhere'))).kind,
      'right',
    );
    const [row] = (await world.rows('accounts')).filter(({ id }) => id === maria.id);
    assert.ok(Number(row?.['window_wrong']) >= 5, 'the 30-day window goes on');
  });

  test('opens nothing behind a password that is held to be stolen', async () => {
    await using here = await scene(engine);
    const { world, maria, device } = here;
    const challenge = await challengeOf(world, maria);
    const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${maria.id}`);
    const answered = await answerByPasskey(
      world.installation,
      challenge,
      given(world, device.use(options ?? {}), maria),
    );
    assert.equal(answered.kind, 'suspected');
  });

  test('opens nothing once her portal access is off, or the epoch has moved on (I12)', async () => {
    await using here = await scene(engine);
    const { world, maria, device } = here;
    const challenge = await challengeOf(world, maria);
    const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), false);
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), true);
    const answered = await answerByPasskey(
      world.installation,
      challenge,
      given(world, device.use(options ?? {}), maria),
    );
    assert.equal(answered.kind, 'over');
    assert.equal(await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge }), undefined);
  });

  test('is taken no more as soon as the organization says so, and stays in her list', async () => {
    await using here = await scene(engine);
    const { world, maria, acme } = here;
    await takePasskeys(world, acme.organization, 'off');
    assert.equal((await answersBy(here)).kind, 'refused');
    assert.equal((await lastAudit(world, maria))['why'], 'not-allowed');
    assert.equal((await passkeysOf(world.db, maria)).length, 1);
    assert.equal(await hasPasskey(world.db, maria), false);
    await takePasskeys(world, acme.organization, 'second-factor');
    assert.equal((await answersBy(here)).kind, 'right');
  });

  test('whose counter does not rise is refused, recorded, shown and told her; a later one is right (step 22)', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    assert.equal((await answersBy(here)).kind, 'right');
    for (const count of [4, 3, 1, 0]) {
      assert.equal((await answersBy(here, { count })).kind, 'refused', `${count}`);
      assert.equal((await lastAudit(world, maria))['why'], 'counter');
      assert.equal((await queued(world, maria)).at(-1)?.kind, 'passkey-copied');
    }
    assert.equal((await passkeysOf(world.db, maria))[0]?.copiedAt, world.clock.now);
    const [row] = await world.rows('passkeys');
    assert.equal(row?.['sign_count'], 4, 'what was refused changes no counter');
    assert.equal((await answersBy(here, { count: 4_294_967_295 })).kind, 'right');
  });

  test('that never counts is right each time (step 22)', async () => {
    await using here = await scene(engine, new Authenticator('https://sallyport.test'));
    assert.equal((await answersBy(here)).kind, 'right');
    assert.equal((await answersBy(here)).kind, 'right');
    assert.equal((await answersBy(here, { count: 1 })).kind, 'right');
    assert.equal((await answersBy(here, { count: 0 })).kind, 'refused', 'and once it counts, it counts on');
  });

  test('from an address where twenty were refused is not looked at', async () => {
    await using here = await scene(engine);
    for (let n = 0; n < 20; n++) assert.equal((await answersBy(here, { clear: 1 })).kind, 'refused');
    const held = await answersBy(here);
    assert.equal(held.kind, 'limited');
    here.world.clock.advance(10 * MINUTE_MS);
    assert.equal((await answersBy(here)).kind, 'right');
  });
});

eachEngine('alone, Maria’s passkey', (engine) => {
  test('is both doors: a session, freshly proven, with one audit row', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    const outcome = await walksIn(here);
    assert.ok(outcome.kind === 'signed-in');
    const session = await sessionOf(world, outcome.cookie);
    assert.equal(session.account.id, maria.id);
    assert.equal(session.provenBy, 'passkey');
    assert.equal(isFreshlyProven(session, world.clock.now), true);
    assert.deepEqual(await lastAudit(world, maria), { action: 'signed-in', result: 'right', factor: 'passkey' });
  });

  test('opens nothing where the organization takes it only in place of the code', async () => {
    await using here = await scene(engine);
    await takePasskeys(here.world, here.acme.organization, 'second-factor');
    assert.equal((await walksIn(here)).kind, 'refused');
    assert.equal((await lastAudit(here.world, here.maria))['why'], 'not-allowed');
  });

  test('needs her own user handle (step 6), her presence and her verification', async () => {
    await using here = await scene(engine);
    for (const handle of [null, userHandleOf(here.acme.noor.id), userHandleOf('')])
      assert.equal((await walksIn(here, { response: { userHandle: handle === '' ? null : handle } })).kind, 'refused');
    assert.equal((await walksIn(here, { clear: 4 })).kind, 'refused');
    assert.equal((await walksIn(here, { clear: 1 })).kind, 'refused');
    assert.equal((await walksIn(here)).kind, 'signed-in');
  });

  test('is refused with one answer: unknown, removed, closed, or of another browser', async () => {
    await using here = await scene(engine);
    const { world, acme, maria, device } = here;
    const stranger = new Authenticator(world.publicUrl);
    stranger.make({ challenge: '', user: { id: userHandleOf(maria.id) } });
    assert.deepEqual(await walksIn({ ...here, device: stranger }), { kind: 'refused' });
    const begun = await beginSignIn(world.installation, rpOf(world), acme.organization.id, home(maria), undefined);
    assert.ok(begun.kind === 'begun');
    const response = device.use(begun.options);
    const elsewhere = (browser: string): Promise<SignedInByPasskey> =>
      signInByPasskey(world.installation, acme.organization.id, browser, given(world, response, maria));
    assert.deepEqual(await elsewhere(''), { kind: 'refused' });
    assert.deepEqual(await elsewhere(`${begun.browser}x`), { kind: 'refused' });
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), false);
    assert.deepEqual(await elsewhere(begun.browser), { kind: 'refused' });
    assert.equal((await lastAudit(world, maria))['why'], 'closed');
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), true);
    const session = await freshSession(world, maria, acme);
    const [passkey] = await passkeysOf(world.db, maria);
    await removePasskey(world.installation, session, passkey?.id ?? '', home(maria));
    assert.deepEqual(await walksIn(here), { kind: 'refused' });
    assert.equal((await lastAudit(world, maria))['why'], 'credential');
  });

  test('works once for each challenge, within five minutes (§13.4.3)', async () => {
    await using here = await scene(engine);
    const { world, acme, maria, device } = here;
    const begun = await beginSignIn(world.installation, rpOf(world), acme.organization.id, home(maria), undefined);
    assert.ok(begun.kind === 'begun');
    const { browser, options } = begun;
    const send = async (response: string): Promise<string> =>
      (await signInByPasskey(world.installation, acme.organization.id, browser, given(world, response, maria))).kind;
    const response = device.use(options);
    assert.equal(await send(response), 'signed-in');
    assert.equal(await send(response), 'refused');
    assert.equal(await send(device.use(options)), 'refused', 'nor another signature of it');
    const again = await beginSignIn(world.installation, rpOf(world), acme.organization.id, home(maria), browser);
    assert.ok(again.kind === 'begun' && again.browser === browser);
    world.clock.advance(5 * MINUTE_MS);
    assert.equal(await send(device.use(again.options)), 'refused');
  });

  test('lets her in though her password is held to be stolen: it plays no part', async () => {
    await using here = await scene(engine);
    const { world, maria, acme } = here;
    await guesses(world, maria, acme.secret, 20);
    assert.notEqual((await world.account(maria)).suspectedAt, null);
    assert.equal((await walksIn(here)).kind, 'signed-in');
    assert.notEqual((await world.account(maria)).suspectedAt, null, 'and does not make it trusted again');
  });

  test('is asked for by options that name nobody, at most 300 times in ten minutes from one address (§14.6)', async () => {
    await using here = await scene(engine);
    const { world, acme, maria } = here;
    const begin = (): ReturnType<typeof beginSignIn> =>
      beginSignIn(world.installation, rpOf(world), acme.organization.id, home(maria), 'one browser');
    const begun = await begin();
    assert.ok(begun.kind === 'begun');
    assert.deepEqual((begun.options as Record<string, unknown>)['allowCredentials'], []);
    for (let n = 1; n < 300; n++) await begin();
    assert.equal((await begin()).kind, 'limited');
    assert.equal((await world.rows('passkey_ceremonies')).length, 5, 'one browser holds five at most');
    world.clock.advance(5 * MINUTE_MS);
    await sweep(world.installation);
    assert.deepEqual(await world.rows('passkey_ceremonies'), []);
  });
});

/** Her session of eleven minutes ago, and what she answers in it. */
async function stale(
  here: Scene,
): Promise<{ session: Session; prove: (fault?: Fault) => ReturnType<typeof proveByPasskey> }> {
  const { world, maria, device } = here;
  world.clock.advance(11 * MINUTE_MS);
  const session = { ...here.session };
  const prove = async (fault: Fault = {}): ReturnType<typeof proveByPasskey> => {
    const options = await beginUse(world.installation, rpOf(world), { to: 'confirm', session });
    return proveByPasskey(
      world.installation,
      session,
      given(world, device.use(options ?? { challenge: 'gone' }, fault), maria),
    );
  };
  return { session, prove };
}

eachEngine('inside, Maria’s passkey', (engine) => {
  test('proves again that she is there: the session is fresh, under a new token (I14, I23)', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    const { session, prove } = await stale(here);
    assert.equal(isFreshlyProven(session, world.clock.now), false);
    const proof = await prove();
    assert.ok(proof.kind === 'proven');
    const renewed = await sessionOf(world, proof.cookie);
    assert.equal(renewed.id, session.id);
    assert.equal(isFreshlyProven(renewed, world.clock.now), true);
    assert.deepEqual(await lastAudit(world, maria), { action: 'proved-again', result: 'right', factor: 'passkey' });
  });

  test('that fails proves nothing and is recorded; one whose counter fell back is told her', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    const { session, prove } = await stale(here);
    assert.equal((await prove({ rpId: 'evil.test' })).kind, 'refused');
    assert.equal((await prove({ count: 1 })).kind, 'refused');
    assert.equal((await lastAudit(world, maria))['why'], 'counter');
    assert.equal((await queued(world, maria)).at(-1)?.kind, 'passkey-copied');
    assert.equal(isFreshlyProven({ ...session }, world.clock.now), false);
  });

  test('proves nothing in a session that has ended or is of an older epoch', async () => {
    await using here = await scene(engine);
    const { world, maria } = here;
    const { session, prove } = await stale(here);
    await world.change(sql`UPDATE sessions SET ended_at = ${world.clock.now} WHERE id = ${session.id}`);
    assert.equal((await prove()).kind, 'over');
    await world.change(sql`UPDATE sessions SET ended_at = NULL WHERE id = ${session.id}`);
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${maria.id}`);
    assert.equal((await prove()).kind, 'over');
  });

  test('with a challenge of the sign-in, of adding or of another session proves nothing', async () => {
    await using here = await scene(engine);
    const { world, maria, acme, device } = here;
    const { session } = await stale(here);
    const other = await freshSession(world, maria, acme);
    const challenge = await challengeOf(world, maria);
    const rp = rpOf(world);
    const foreign = [
      await beginUse(world.installation, rp, { to: 'second-factor', challenge }),
      await beginUse(world.installation, rp, { to: 'confirm', session: other }),
      await beginUse(world.installation, rp, { to: 'sign-in', organizationId: maria.organizationId, browser: 'b' }),
      { challenge: await openCeremony(world.installation, { to: 'add', session }), rpId: rp.id },
    ];
    for (const options of foreign) {
      const response = device.use(options ?? {});
      assert.equal((await proveByPasskey(world.installation, session, given(world, response, maria))).kind, 'refused');
      assert.equal((await lastAudit(world, maria))['why'], 'ceremony');
    }
  });
});
