import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPortalAccess, unlock } from '../../src/auth/access.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { answers, challenged, enrol, found, guesses, signsIn, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

eachEngine('portal access', (engine) => {
  test('that is closed ends sessions and half-finished sign-ins at once, and keeps the authenticator', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const session = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.codeFor(secret),
    );
    const half = await signsIn(world.installation, maria);
    assert.ok(session.kind === 'right' && half.kind === 'challenge');
    const { epoch } = await world.account(maria);
    assert.equal(await setPortalAccess(world.installation, OPERATOR, await world.account(maria), false), true);
    assert.equal(await findSession(world.db, 'portal', session.bought.cookie, world.clock.now), undefined);
    assert.equal((await found(world.installation, maria, half.cookie)).kind, 'dead');
    assert.equal((await world.account(maria)).epoch, epoch + 1);
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    assert.equal(await setPortalAccess(world.installation, OPERATOR, await world.account(maria), true), true);
    assert.equal((await found(world.installation, maria, half.cookie)).kind, 'dead', 'opening again revives nothing');
    assert.equal(await findSession(world.db, 'portal', session.bought.cookie, world.clock.now), undefined);
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
  });

  test('closed or opened twice changes nothing the second time, and leaves one audit row', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const set = async (open: boolean): Promise<boolean> =>
      setPortalAccess(world.installation, OPERATOR, await world.account(maria), open);
    assert.equal(await set(true), false);
    assert.equal(await set(false), true);
    const { epoch, disabledAt } = await world.account(maria);
    world.clock.advance(HOUR_MS);
    assert.equal(await set(false), false);
    const after = await world.account(maria);
    assert.deepEqual([after.epoch, after.disabledAt], [epoch, disabledAt]);
    const rows = (await world.audit(maria)).filter(({ action }) => action.startsWith('portal-access'));
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['portal-access.disabled'],
    );
  });

  test('is for contacts: staff are never closed by it', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    assert.equal(await setPortalAccess(world.installation, OPERATOR, await world.account(ada), false), false);
    assert.equal((await world.account(ada)).disabledAt, null);
  });
});

eachEngine('Unlock', (engine) => {
  test('ends the waits for wrong codes', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 9);
    const challenge = await challenged(world.installation, maria);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'wait');
    assert.deepEqual(await unlock(world.installation, OPERATOR, await world.account(maria)), { kind: 'waits-ended' });
    assert.equal(
      (await answers(world.installation, challenge, world.codeFor(secret))).kind,
      'right',
      'the same challenge goes on',
    );
  });

  test('of waits leaves the thirty-day window: no agent can help a thief to guess for ever', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    let unlocked = 0;
    while ((await world.account(maria)).suspectedAt === null && unlocked < 20) {
      await guesses(world, maria, secret, 5);
      if ((await world.account(maria)).suspectedAt !== null) break;
      await unlock(world.installation, OPERATOR, await world.account(maria));
      unlocked++;
    }
    assert.equal(unlocked, 9, 'the fiftieth wrong code in thirty days is the last one looked at');
  });

  test('ends the waits for wrong backup codes', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    for (let n = 0; n < 5; n++) await answers(world.installation, challenge, '000000000000');
    assert.deepEqual(await unlock(world.installation, OPERATOR, await world.account(maria)), { kind: 'waits-ended' });
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '')).kind,
      'right',
    );
  });

  test('of somebody who does not wait does nothing, and leaves no audit row', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 3);
    assert.deepEqual(await unlock(world.installation, OPERATOR, await world.account(maria)), { kind: 'not-locked' });
    const next = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.wrongCode(secret),
    );
    assert.equal(next.kind === 'wrong' && next.wrongInARow, 4, 'nor does it forget the wrong ones so far');
    assert.ok(!(await world.audit(maria)).some(({ action }) => action === 'account.unlocked'));
  });

  test('removes no password whose suspicion its page did not show', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 5);
    const shown = await world.account(maria);
    await guesses(world, maria, secret, 15);
    await unlock(world.installation, OPERATOR, shown);
    const now = await world.account(maria);
    assert.notEqual(now.suspectedAt, null);
    assert.equal(now.passwordSetAt, shown.passwordSetAt);
    assert.deepEqual(await unlock(world.installation, OPERATOR, now), { kind: 'password-removed' });
  });

  test('trusts no stolen password again: it removes it, and the way back is a welcome link', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const early = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    assert.ok(early.kind === 'right');
    await guesses(world, maria, secret, 20);
    assert.deepEqual(await unlock(world.installation, OPERATOR, await world.account(maria)), {
      kind: 'password-removed',
    });
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
    const account = await world.account(maria);
    assert.deepEqual([account.passwordSetAt, account.suspectedAt], [null, null]);
    assert.ok(await makeWelcomeLink(world.installation, OPERATOR, account));
  });

  test('leaves the authenticator: the new password is followed by the same challenge', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 20);
    await unlock(world.installation, OPERATOR, await world.account(maria));
    await choose(world, maria);
    world.clock.advance(DAY_MS);
    const answered = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.codeFor(secret),
    );
    assert.equal(answered.kind, 'right');
  });

  test('is not needed after a new password: that ends the suspicion and all waits', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    const { secret } = await enrol(world.installation, ada);
    world.clock.advance(30_000);
    await guesses(world, ada, secret, 20);
    assert.equal((await signsIn(world.installation, ada)).kind, 'suspected');
    await choose(world, ada);
    const answered = await answers(
      world.installation,
      await challenged(world.installation, ada),
      world.codeFor(secret),
    );
    assert.equal(answered.kind, 'right');
  });
});

async function choose(world: World, person: Person): Promise<void> {
  const argon2 = await hashNewPassword(world.installation, person.password);
  const account = await world.account(person);
  await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, account, argon2));
}
