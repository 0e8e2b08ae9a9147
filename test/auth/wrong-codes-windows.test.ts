import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answered } from '../../src/auth/answer.ts';
import { offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { proveAgain } from '../../src/auth/fresh-proof.ts';
import { findSession } from '../../src/auth/sessions.ts';
import type { Opened } from '../../src/auth/sign-in.ts';
import { answers, challenged, enrol, from, guesses, home, pendingOf, setPolicy, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

const SECOND_MS = 1000;
const WINDOW_MS = 30 * DAY_MS;

/** Maria, whose password a thief has too. Each code comes from an address of its own: only her account's counts hold. */
interface Stolen {
  readonly maria: Person;
  readonly secret: Uint8Array;
}

let addresses = 0;

async function guess(world: World, { maria, secret }: Stolen): Promise<Answered<Opened>> {
  const challenge = await challenged(world.installation, maria);
  return answers(world.installation, challenge, world.wrongCode(secret), from(`address ${addresses++}`));
}

/** Maria signs in with what her app shows next, half a minute later: no wrong code is in a row any more. */
async function signsIn(world: World, { maria, secret }: Stolen): Promise<void> {
  world.clock.advance(30 * SECOND_MS);
  const answered = await answers(
    world.installation,
    await challenged(world.installation, maria),
    world.codeFor(secret),
  );
  assert.equal(answered.kind, 'right');
}

/** So many wrong codes, with Maria's right ones between them so that no wait and no row stops the thief. */
async function guessesBetween(world: World, stolen: Stolen, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    if (n % 4 === 0) await signsIn(world, stolen);
    assert.equal((await guess(world, stolen)).kind, 'wrong', `wrong code ${n + 1} of ${times}`);
  }
}

const suspectedAt = async (world: World, { maria }: Stolen): Promise<number | null> =>
  (await world.account(maria)).suspectedAt;

eachEngine('the waits for wrong codes', (engine) => {
  test('are the same in a second row, end to the millisecond, and outlast the server', async () => {
    await using world = await openWorld(engine);
    const stolen = await world.acmeWithMfa();
    let today = world;
    for (const row of ['first', 'second']) {
      for (let n = 0; n < 5; n++) assert.equal((await guess(today, stolen)).kind, 'wrong', `${row} row, free ${n + 1}`);
      for (const seconds of [30, 60, 120, 300, 900, 3600, 3600]) {
        const until = world.clock.now + seconds * SECOND_MS;
        const held = { kind: 'wait', until, otherWaits: false };
        assert.deepEqual(await guess(today, stolen), held, `${row} row, at once`);
        today = await today.restarted();
        world.clock.now = until - 1;
        assert.deepEqual(await guess(today, stolen), held, `${row} row, a millisecond before its end`);
        world.clock.now = until;
        assert.equal((await guess(today, stolen)).kind, 'wrong', `${row} row, after ${seconds} s`);
      }
      world.clock.advance(3600 * SECOND_MS);
      await signsIn(today, stolen);
    }
  });

  test('count the answers of a fresh proof together with those of a sign-in', async () => {
    await using world = await openWorld(engine);
    const { sam } = await world.acme();
    const { secret } = await enrol(world.installation, sam);
    const stolen = { maria: sam, secret };
    world.clock.advance(30 * SECOND_MS);
    const opened = await answers(world.installation, await challenged(world.installation, sam), world.codeFor(secret));
    assert.ok(opened.kind === 'right');
    const proves = async (): Promise<string> => {
      const session = await findSession(world.db, 'admin', opened.bought.cookie, world.clock.now);
      assert.ok(session);
      const code = { kind: 'totp', code: world.wrongCode(secret) } as const;
      return (await proveAgain(world.installation, session, sam.password, code, home(sam))).kind;
    };
    for (let n = 0; n < 5; n++)
      assert.match(n % 2 === 0 ? await proves() : (await guess(world, stolen)).kind, /wrong$/, `number ${n + 1}`);
    assert.deepEqual([await proves(), (await guess(world, stolen)).kind], ['limited', 'wait']);
    world.clock.advance(30 * SECOND_MS);
    assert.equal(await proves(), 'code-wrong');
    assert.equal((await guess(world, stolen)).kind, 'wait', 'a minute now');
  });
});

eachEngine('twenty wrong codes in a row', (engine) => {
  test('are counted from one again after a right one, also over a restart', async () => {
    await using world = await openWorld(engine);
    const stolen = await world.acmeWithMfa();
    await guesses(world, stolen.maria, stolen.secret, 19);
    world.clock.advance(60 * MINUTE_MS);
    await signsIn(world, stolen);
    await guesses(world, stolen.maria, stolen.secret, 10);
    const today = await world.restarted();
    await guesses(today, stolen.maria, stolen.secret, 9);
    assert.equal(await suspectedAt(today, stolen), null, 'the nineteenth of the second row');
    assert.equal((await guesses(today, stolen.maria, stolen.secret, 1)).kind, 'suspected');
    assert.equal(await suspectedAt(today, stolen), today.clock.now);
  });
});

eachEngine('fifty wrong codes in thirty days', (engine) => {
  test('are counted to the last millisecond of the thirty days', async () => {
    await using world = await openWorld(engine);
    const stolen = await world.acmeWithMfa();
    const edge = world.clock.now + WINDOW_MS;
    await guess(world, stolen);
    world.clock.now = edge - 15 * MINUTE_MS;
    await guessesBetween(world, stolen, 48);
    world.clock.now = edge - 1;
    const today = await world.restarted();
    assert.equal((await guess(today, stolen)).kind, 'suspected');
  });

  test('may be 97 around the edge of two windows, and never one more', async () => {
    await using world = await openWorld(engine);
    const stolen = await world.acmeWithMfa();
    const edge = world.clock.now + WINDOW_MS;
    await guess(world, stolen);
    world.clock.now = edge - 15 * MINUTE_MS;
    await guessesBetween(world, stolen, 48);
    assert.ok(world.clock.now < edge);
    world.clock.now = edge - 30 * SECOND_MS;
    await guessesBetween(world, stolen, 49);
    assert.ok(world.clock.now < edge + 15 * MINUTE_MS, 'all within half an hour');
    assert.equal(await suspectedAt(world, stolen), null);
    assert.equal((await guess(world, stolen)).kind, 'suspected');
  });

  test('begin with a wrong code: neither a right one nor one that was used before begins or lengthens them', async () => {
    await using world = await openWorld(engine);
    const stolen = await world.acmeWithMfa();
    const window = async (): Promise<unknown[]> => {
      const row = (await world.rows('accounts')).find(({ id }) => id === stolen.maria.id);
      return [row?.['window_wrong'], row?.['window_started_at']];
    };
    await signsIn(world, stolen);
    assert.deepEqual(await window(), [0, null]);
    const began = world.clock.now;
    await guess(world, stolen);
    world.clock.advance(DAY_MS);
    await signsIn(world, stolen);
    const used = await answers(
      world.installation,
      await challenged(world.installation, stolen.maria),
      world.codeFor(stolen.secret),
    );
    assert.equal(used.kind, 'already-used');
    assert.deepEqual(await window(), [1, began]);
    world.clock.now = began + WINDOW_MS;
    await signsIn(world, stolen);
    assert.deepEqual(await window(), [0, null], 'a right code after its end leaves none open');
    await guess(world, stolen);
    assert.deepEqual(await window(), [1, world.clock.now]);
  });
});

eachEngine('wrong codes from one address', (engine) => {
  test('hold up a fresh proof from there as well', async () => {
    await using world = await openWorld(engine);
    const { sam, noor, organization } = await world.acme();
    const { secret } = await enrol(world.installation, sam);
    await setPolicy(world.installation, organization, 'required');
    const noors = { maria: noor, secret: (await enrol(world.installation, noor)).secret };
    world.clock.advance(30 * SECOND_MS);
    const opened = await answers(world.installation, await challenged(world.installation, sam), world.codeFor(secret));
    assert.ok(opened.kind === 'right');
    for (let n = 0; n < 20; n++) {
      if (n % 4 === 0) await signsIn(world, noors);
      const challenge = await challenged(world.installation, noor);
      const answered = await answers(world.installation, challenge, world.wrongCode(noors.secret), home(sam));
      assert.equal(answered.kind, 'wrong', `number ${n + 1}`);
    }
    const session = await findSession(world.db, 'admin', opened.bought.cookie, world.clock.now);
    assert.ok(session);
    const code = { kind: 'totp', code: world.codeFor(secret) } as const;
    const proves = (visitor = home(sam)) => proveAgain(world.installation, session, sam.password, code, visitor);
    assert.equal((await proves()).kind, 'limited');
    assert.equal((await proves(from('another desk'))).kind, 'proven');
  });
});

eachEngine('the tries of an enrolment', (engine) => {
  test('are twenty again with the next secret, and not one more, also over a restart', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const challenge = await challenged(world.installation, maria);
    let today = world;
    for (const secret of ['first', 'second']) {
      await offer(today.installation, challenge, home(maria));
      const { secret: pending } = await pendingOf(today.installation, challenge);
      for (let n = 1; n <= 20; n++) {
        if (n === 11) today = await today.restarted();
        assert.deepEqual(
          await verifyEnrolment(today.installation, challenge, 'no code', home(maria)),
          { kind: 'wrong', triesUsed: n },
          `${secret} secret`,
        );
      }
      assert.deepEqual(
        await verifyEnrolment(today.installation, challenge, today.codeFor(pending), home(maria)),
        { kind: 'out-of-turn' },
        `${secret} secret`,
      );
    }
  });
});
