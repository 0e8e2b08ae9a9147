import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { addContact, answers, challenged, enrol, from, guesses, signsIn, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';

const SECOND_MS = 1000;

eachEngine('wrong codes', (engine) => {
  test('of five in a row make the account wait, also in a new challenge, and nothing is looked at meanwhile (I6, I7)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 5);
    const counts = async (): Promise<unknown[]> => {
      const row = (await world.rows('accounts')).find(({ id }) => id === maria.id) ?? {};
      return [row['totp_wrong'], row['window_wrong'], row['epoch']];
    };
    const before = await counts();
    const until = world.clock.now + 30 * SECOND_MS;
    const challenge = await challenged(world.installation, maria);
    const code = world.codeFor(secret, 1);
    for (const typed of [code, world.wrongCode(secret), code, code, code, code]) {
      const answered = await answers(world.installation, challenge, typed);
      assert.deepEqual(answered, { kind: 'wait', until, otherWaits: false });
    }
    assert.deepEqual(await counts(), before, 'nothing was counted');
    world.clock.now = until;
    const after = await answers(world.installation, challenge, code);
    assert.equal(after.kind, 'right', 'neither the code nor an attempt was used up');
  });

  test('make each next wait longer', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const waits: number[] = [];
    for (let n = 5; n <= 11; n++) {
      await guesses(world, maria, secret, n === 5 ? 5 : 1);
      const row = (await world.rows('accounts')).find(({ id }) => id === maria.id);
      waits.push((Number(row?.['totp_wait_until']) - world.clock.now) / SECOND_MS);
    }
    assert.deepEqual(waits, [30, 60, 120, 300, 900, 3600, 3600]);
  });

  test('are forgotten after a right one, but a right password forgets none of them (I6)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 4);
    const fifth = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.wrongCode(secret),
    );
    assert.equal(fifth.kind === 'wrong' && fifth.wrongInARow, 5);
    world.clock.advance(30 * SECOND_MS);
    const right = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    assert.equal(right.kind, 'right');
    const next = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.wrongCode(secret),
    );
    assert.equal(next.kind === 'wrong' && next.wrongInARow, 1);
  });

  test('a code that was used before costs an attempt and is no guess', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const code = world.codeFor(secret);
    await answers(world.installation, await challenged(world.installation, maria), code);
    for (let n = 0; n < 3; n++) {
      const challenge = await challenged(world.installation, maria);
      for (const left of [4, 3, 2, 1, 0]) {
        const answered = await answers(world.installation, challenge, code);
        assert.equal(answered.kind === 'already-used' && answered.attemptsLeft, left);
      }
      assert.equal((await answers(world.installation, challenge, code)).kind, 'over');
    }
    const row = (await world.rows('accounts')).find(({ id }) => id === maria.id);
    assert.deepEqual([row?.['totp_wrong'], row?.['window_wrong'], row?.['window_started_at']], [0, 0, null]);
  });

  test('of twenty in one address and ten minutes hold the address up, and nobody else', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, secret } = await world.acmeWithMfa();
    const visitor = from('198.51.100.1');
    const began = world.clock.now;
    const everybody = await Promise.all(
      ['Ann', 'Ben', 'Cid', 'Dee', 'Eli'].map((name) => enrolled(world, organization.id, name)),
    );
    world.clock.now = began + 30 * SECOND_MS;
    for (const { person, secret: theirs } of everybody) {
      const challenge = await challenged(world.installation, person);
      for (let n = 0; n < 4; n++) {
        assert.equal((await answers(world.installation, challenge, world.wrongCode(theirs), visitor)).kind, 'wrong');
      }
    }
    const until = world.clock.now + 10 * MINUTE_MS;
    const challenge = await challenged(world.installation, maria);
    const held = await answers(world.installation, challenge, world.codeFor(secret), visitor);
    assert.deepEqual(held, { kind: 'wait', until, otherWaits: true });
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
    world.clock.now = until;
    const later = await challenged(world.installation, maria);
    assert.equal((await answers(world.installation, later, world.codeFor(secret), visitor)).kind, 'right');
  });

  test('of twenty in a row make the password suspect: it opens nothing any more, and says so only to who knows it', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 19);
    assert.equal((await world.account(maria)).suspectedAt, null);
    world.clock.advance(HOUR_MS);
    const challenge = await challenged(world.installation, maria);
    assert.equal((await answers(world.installation, challenge, world.wrongCode(secret))).kind, 'suspected');
    assert.equal((await world.account(maria)).suspectedAt, world.clock.now);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'suspected');
    assert.equal((await answers(world.installation, challenge, codes[0] ?? '')).kind, 'suspected', 'nor a backup code');
    world.clock.advance(HOUR_MS);
    assert.equal((await signsIn(world.installation, maria)).kind, 'suspected');
    assert.equal((await signsIn(world.installation, maria, { password: 'wrong password' })).kind, 'wrong');
  });

  test('of fifty in thirty days make the password suspect, whatever right ones came between', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    for (let n = 0; n < 49; n++) {
      if (n % 4 === 0) {
        world.clock.advance(DAY_MS / 2);
        await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
      }
      await guesses(world, maria, secret, 1);
    }
    assert.equal((await world.account(maria)).suspectedAt, null);
    world.clock.advance(DAY_MS);
    await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    await guesses(world, maria, secret, 1);
    assert.notEqual((await world.account(maria)).suspectedAt, null);
  });

  test('of thirty days ago count no more: the window begins again with the next one', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const began = world.clock.now;
    for (let round = 0; round < 2; round++) {
      world.clock.now = began + round * 30 * DAY_MS;
      for (let n = 0; n < 49; n++) {
        if (n % 4 === 3) {
          world.clock.advance(HOUR_MS);
          await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
        }
        await guesses(world, maria, secret, 1);
      }
      assert.equal((await world.account(maria)).suspectedAt, null, `window ${round + 1}`);
    }
    await guesses(world, maria, secret, 1);
    assert.notEqual((await world.account(maria)).suspectedAt, null);
  });
});

async function enrolled(
  world: World,
  organizationId: string,
  name: string,
): Promise<{ person: Person; secret: Uint8Array }> {
  const hooli = await createCustomer(world.installation, OPERATOR, organizationId, `Hooli ${name}`.replace(' ', ''));
  const person = await addContact(world.installation, hooli, name);
  return { person, secret: (await enrol(world.installation, person)).secret };
}
