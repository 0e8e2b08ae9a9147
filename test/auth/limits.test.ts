import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as counters from '../../src/auth/counters.ts';
import * as limits from '../../src/auth/limits.ts';
import { answers, challenged, from, home, signsIn, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';

const SECOND_MS = 1000;

const of = ({ allows, windowMs }: counters.Limit): number[] => [allows, windowMs];

describe('the sentences of the limits', () => {
  test('say what the product promises', () => {
    assert.equal(limits.SIGN_IN_CHALLENGE_LIFETIME_MS, 10 * MINUTE_MS);
    assert.equal(limits.ENROLMENT_LIFETIME_MS, 30 * MINUTE_MS);
    assert.equal(limits.BACKUP_CODES_LIFETIME_MS, 10 * MINUTE_MS);
    assert.equal(limits.ATTEMPTS_PER_CHALLENGE, 5);
    assert.equal(limits.TRIES_PER_ENROLMENT, 20);
    assert.equal(limits.OPEN_CHALLENGES_PER_ACCOUNT, 3);
    assert.equal(limits.FRESH_PROOF_MS, 10 * MINUTE_MS);
    assert.equal(limits.WELCOME_LINK_LIFETIME_MS, DAY_MS);
    assert.equal(limits.SETUP_LINK_LIFETIME_MS, DAY_MS);
    assert.deepEqual(limits.SESSION_LIFETIMES, {
      portal: { idleMs: 30 * MINUTE_MS, absoluteMs: 12 * HOUR_MS },
      admin: { idleMs: 15 * MINUTE_MS, absoluteMs: 8 * HOUR_MS },
    });
    assert.deepEqual(of(limits.ADDRESS_PASSWORD_SOON), [10, 10 * MINUTE_MS]);
    assert.deepEqual(of(limits.ADDRESS_PASSWORD_HOUR), [50, HOUR_MS]);
    assert.deepEqual(of(limits.ADDRESS_CODE), [20, 10 * MINUTE_MS]);
    assert.deepEqual(of(limits.ACCOUNT_PASSWORD_HOUR), [10, HOUR_MS]);
    assert.deepEqual(of(limits.OUTSIDER_PASSWORD), [1, 30 * SECOND_MS]);
    assert.deepEqual(of(limits.RESETS_BY_AGENT), [20, HOUR_MS]);
    assert.deepEqual(of(limits.PASSWORD_BY_LINK), [20, HOUR_MS]);
  });

  test('the fifth wrong code in a row waits, and each one after it waits longer, up to an hour', () => {
    const waits = Array.from({ length: 12 }, (_, wrong) => limits.waitAfterWrong(wrong) / SECOND_MS);
    assert.deepEqual(waits, [0, 0, 0, 0, 0, 30, 60, 120, 300, 900, 3600, 3600]);
  });

  test('a password is suspected at 20 wrong codes in a row, or 50 in the window', () => {
    assert.equal(limits.passwordIsSuspected(19, 49), false);
    assert.equal(limits.passwordIsSuspected(20, 20), true);
    assert.equal(limits.passwordIsSuspected(1, 50), true);
  });
});

eachEngine('a limit', (engine) => {
  const LIMIT: counters.Limit = { name: 'test', allows: 2, windowMs: 1000 };
  const counter = { limit: LIMIT, subject: 'someone' };
  const spentAt = (startedAt: number): counters.Room => ({ ok: true, spent: { ...counter, startedAt } });

  test('allows so many in a window that begins with the first, and says when it ends', async () => {
    await using world = await openWorld(engine);
    assert.deepEqual(await counters.spend(world.db, counter, 5000), spentAt(5000));
    assert.deepEqual(await counters.spend(world.db, counter, 5900), spentAt(5000));
    assert.deepEqual(await counters.spend(world.db, counter, 5950), { ok: false, until: 6000 });
    assert.deepEqual(await counters.spend(world.db, counter, 5999), { ok: false, until: 6000 });
  });

  test('allows as many again in its second window, and its third', async () => {
    await using world = await openWorld(engine);
    for (const start of [5000, 6000, 9000]) {
      assert.deepEqual(await counters.spend(world.db, counter, start), spentAt(start));
      assert.deepEqual(await counters.spend(world.db, counter, start + 500), spentAt(start));
      assert.deepEqual(await counters.spend(world.db, counter, start + 999), { ok: false, until: start + 1000 });
    }
  });

  test('counts each subject by itself', async () => {
    await using world = await openWorld(engine);
    for (let n = 0; n < 2; n++) await counters.spend(world.db, counter, 5000);
    assert.equal((await counters.spend(world.db, { ...counter, subject: 'another' }, 5000)).ok, true);
    assert.equal((await counters.spend(world.db, { ...counter, limit: { ...LIMIT, name: 'other' } }, 5000)).ok, true);
    assert.equal((await counters.spend(world.db, counter, 5000)).ok, false);
  });

  test('has room again for what was given back, and never more than it allows', async () => {
    await using world = await openWorld(engine);
    const one = { ...counter, startedAt: 5000 };
    await counters.giveBack(world.db, [one, one]);
    for (let n = 0; n < 2; n++) await counters.spend(world.db, counter, 5000);
    await counters.giveBack(world.db, [one]);
    assert.equal((await counters.spend(world.db, counter, 5001)).ok, true);
    assert.equal((await counters.spend(world.db, counter, 5002)).ok, false);
    await counters.giveBack(world.db, [one, one, one, one]);
    for (const ok of [true, true, false]) assert.equal((await counters.spend(world.db, counter, 5003)).ok, ok);
  });

  test('gets nothing back in a window for what was spent in the one before', async () => {
    await using world = await openWorld(engine);
    const before = await counters.spend(world.db, counter, 5000);
    assert.ok(before.ok);
    for (let n = 0; n < 2; n++) await counters.spend(world.db, counter, 6000);
    await counters.giveBack(world.db, [before.spent]);
    assert.equal((await counters.spend(world.db, counter, 6001)).ok, false);
  });

  test('keeps to its number when many come at once', async () => {
    await using world = await openWorld(engine);
    const rooms = await Promise.all(Array.from({ length: 12 }, () => counters.spend(world.db, counter, 5000)));
    assert.equal(rooms.filter(({ ok }) => ok).length, 2);
  });

  test('in a transaction counts only what is committed', async () => {
    await using world = await openWorld(engine);
    const fails = world.db.transaction(async (tx) => {
      await counters.spendWithin(tx, counter, 5000);
      throw new Error('broken');
    });
    await assert.rejects(fails);
    for (const ok of [true, true, false]) {
      const room = await world.db.transaction((tx) => counters.spendWithin(tx, counter, 5000));
      assert.equal(room.ok, ok);
    }
  });
});

const wrong = (world: World, person: Person, visitor = home(person)): ReturnType<typeof signsIn> =>
  signsIn(world.installation, person, { password: 'wrong password', visitor });

eachEngine('the password step', (engine) => {
  test('slows an address after ten wrong passwords in ten minutes, whoever it tries them on', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, eve } = await world.acme();
    const visitor = from('198.51.100.1');
    const until = world.clock.now + 10 * MINUTE_MS;
    for (let n = 0; n < 10; n++) {
      const outcome = await wrong(
        world,
        [maria, noor, { ...eve, email: `nobody${n}@globex.test` }][n % 3] ?? maria,
        visitor,
      );
      assert.equal(outcome.kind, 'wrong');
      world.clock.advance(SECOND_MS);
    }
    assert.deepEqual(await wrong(world, eve, visitor), { kind: 'limited', until });
    assert.deepEqual(await signsIn(world.installation, eve, { visitor }), { kind: 'limited', until }, 'right or wrong');
    assert.equal((await signsIn(world.installation, eve)).kind, 'signed-in', 'from another address');
    world.clock.now = until;
    assert.equal((await signsIn(world.installation, eve, { visitor })).kind, 'signed-in');
  });

  test('slows an address after fifty wrong passwords in an hour, also in its second window', async () => {
    await using world = await openWorld(engine);
    const { noor } = await world.acme();
    const visitor = from('198.51.100.1');
    for (let hour = 0; hour < 2; hour++) {
      const began = world.clock.now;
      for (let n = 0; n < 50; n++) {
        if (n > 0 && n % 10 === 0) world.clock.advance(10 * MINUTE_MS);
        const nobody = { ...noor, email: `nobody${n}@globex.test` };
        assert.equal((await wrong(world, nobody, visitor)).kind, 'wrong', `${hour} ${n}`);
      }
      world.clock.advance(10 * MINUTE_MS);
      assert.deepEqual(await wrong(world, noor, visitor), { kind: 'limited', until: began + HOUR_MS });
      world.clock.now = began + HOUR_MS;
    }
  });

  test('counts no right password: somebody who signs in all day is never slowed', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    for (let n = 0; n < 60; n++) assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
  });

  test('slows outsiders after ten wrong passwords for an account, and never whom it knows (I21)', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    await signsIn(world.installation, maria);
    for (let n = 0; n < 10; n++) assert.equal((await wrong(world, maria, from(`outsider ${n}`))).kind, 'wrong');

    const outsider = from('another outsider');
    const until = world.clock.now + 30 * SECOND_MS;
    assert.equal((await wrong(world, maria, outsider)).kind, 'wrong');
    assert.deepEqual(await wrong(world, maria, outsider), { kind: 'limited', until });
    for (let n = 0; n < 3; n++) assert.equal((await wrong(world, maria)).kind, 'wrong', 'Maria mistypes at home');
    assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
    world.clock.now = until;
    assert.equal((await wrong(world, maria, outsider)).kind, 'wrong');
    assert.equal((await wrong(world, maria, outsider)).kind, 'limited', 'also in its second window');
    world.clock.advance(30 * SECOND_MS);
    const travelling = await signsIn(world.installation, maria, { visitor: outsider });
    assert.equal(travelling.kind, 'signed-in', 'an outsider with the right password comes in');
  });

  test('slows outsiders for one hour, not for ever', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    for (let n = 0; n < 10; n++) await wrong(world, maria, from(`outsider ${n}`));
    world.clock.advance(HOUR_MS);
    const outsider = from('another outsider');
    for (let n = 0; n < 5; n++) assert.equal((await wrong(world, maria, outsider)).kind, 'wrong');
  });

  test('slows outsiders at an address that nobody has in the same way (I20)', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const nobody = { ...maria, email: 'nobody@globex.test' };
    for (let n = 0; n < 10; n++) assert.equal((await wrong(world, nobody, from(`outsider ${n}`))).kind, 'wrong');
    const outsider = from('another outsider');
    assert.equal((await wrong(world, nobody, outsider)).kind, 'wrong');
    assert.equal((await wrong(world, nobody, outsider)).kind, 'limited');
  });

  test('moves nothing of the second factor, however many wrong passwords come (I21)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    for (let n = 0; n < 25; n++) await wrong(world, maria, from(`outsider ${n}`));
    const challenge = await challenged(world.installation, maria);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
  });
});
