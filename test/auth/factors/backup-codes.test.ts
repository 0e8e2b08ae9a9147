import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codesLeft, drawCodes, replaceSet } from '../../../src/auth/factors/backup-codes.ts';
import { answers, challenged, enrol, guesses, setPolicy } from '../../acme.ts';
import { resetMfa } from '../../../src/auth/recovery.ts';
import { OPERATOR } from '../../../src/accounts/audit.ts';
import type { Installation } from '../../../src/accounts/installation.ts';
import { sql } from '../../../src/db/db.ts';
import { eachEngine, openWorld, HOUR_MS, type World } from '../../world.ts';
import type { Person } from '../../acme.ts';

const left = async (world: World, person: Person): Promise<number | null> =>
  codesLeft(world.db, await world.account(person));

/** The installation in which something happens while a code is being hashed. */
function whileHashing({ installation }: World, happens: () => Promise<void>): Installation {
  return {
    ...installation,
    hashing: async (work) => {
      await happens();
      return installation.hashing(work);
    },
  };
}

/** Twelve digits that are none of the codes. */
const WRONG = '000000000000';

eachEngine('a backup code', (engine) => {
  test('is one of five, of twelve digits each', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    assert.equal(codes.length, 5);
    assert.equal(new Set(codes).size, 5);
    for (const code of codes) assert.match(code, /^\d{12}$/);
    assert.equal(await left(world, maria), 5);
  });

  test('opens the second door once, and Maria is told how many are left (I3, S2)', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    for (const [used, code] of codes.entries()) {
      const answered = await answers(world.installation, await challenged(world.installation, maria), code);
      assert.ok(answered.kind === 'right');
      assert.equal(answered.bought.backupCodesLeft, 4 - used);
    }
    const again = await answers(world.installation, await challenged(world.installation, maria), codes[2] ?? '');
    assert.deepEqual(again, { kind: 'wrong', attemptsLeft: 4, wrongInARow: 1 });
    assert.equal(await left(world, maria), 0);
  });

  test('is of no use to anybody else', async () => {
    await using world = await openWorld(engine);
    const { noor, codes } = await world.acmeWithMfa();
    await enrol(world.installation, noor);
    const answered = await answers(world.installation, await challenged(world.installation, noor), codes[0] ?? '');
    assert.equal(answered.kind, 'wrong');
  });

  test('of an old set is dead as soon as there is a new one (I4)', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria), {
      check: 'met-in-person',
      note: '',
    });
    const { codes: fresh } = await enrol(world.installation, maria);
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '')).kind,
      'wrong',
    );
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), fresh[0] ?? '')).kind,
      'right',
    );
    const active = (await world.rows('backup_code_sets')).filter((set) => set['revoked_at'] === null);
    assert.equal(active.length, 1);
  });

  test('of a set that was revoked opens nothing', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    await world.change(sql`UPDATE backup_code_sets SET revoked_at = 1`);
    assert.equal((await answers(world.installation, challenge, codes[0] ?? '')).kind, 'wrong');
    assert.equal(await left(world, maria), null);
  });

  test('of a set that was replaced while the code was being hashed opens nothing (I4)', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    const fresh = await drawCodes(world.installation);
    const account = await world.account(maria);
    const raced = whileHashing(world, async () => {
      await world.db.transaction((tx) => replaceSet(tx, world.installation, account, fresh, world.clock.now));
    });
    assert.equal((await answers(raced, challenge, codes[0] ?? '')).kind, 'wrong');
    assert.equal(
      (await answers(world.installation, challenge, codes[1] ?? '')).kind,
      'wrong',
      'nor does any other of it',
    );
    assert.equal((await answers(world.installation, challenge, fresh.codes[0] ?? '')).kind, 'right');
  });

  test('is neither compared nor used up when a wait begins while it is being hashed (I7)', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    const until = world.clock.now + HOUR_MS;
    const raced = whileHashing(world, async () => {
      await world.change(sql`UPDATE accounts SET backup_wait_until = ${until} WHERE id = ${maria.id}`);
    });
    const answered = await answers(raced, await challenged(world.installation, maria), codes[0] ?? '');
    assert.deepEqual(answered, { kind: 'wait', until, otherWaits: false });
    assert.equal(await left(world, maria), 5);
  });

  test('is not even hashed while a wait holds', async () => {
    await using world = await openWorld(engine);
    const { maria, codes } = await world.acmeWithMfa();
    await world.change(sql`UPDATE accounts SET backup_wait_until = ${world.clock.now + 1}`);
    const idle = whileHashing(world, () => assert.fail('hashed'));
    const answered = await answers(idle, await challenged(world.installation, maria), codes[0] ?? '');
    assert.equal(answered.kind, 'wait');
  });

  test('that is wrong makes the next backup code wait, not the code of the app; all share the five attempts', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    for (const [typed, attemptsLeft] of [
      [WRONG, 4],
      [world.wrongCode(secret), 3],
      [WRONG, 2],
      [WRONG, 1],
      [WRONG, 0],
    ] as const) {
      const answered = await answers(world.installation, challenge, typed);
      assert.equal(answered.kind === 'wrong' && answered.attemptsLeft, attemptsLeft);
    }
    assert.equal((await answers(world.installation, challenge, codes[0] ?? '')).kind, 'over');
    const next = await challenged(world.installation, maria);
    assert.equal((await answers(world.installation, next, WRONG)).kind, 'wrong', 'the fifth wrong one in a row');
    const held = await answers(world.installation, next, codes[0] ?? '');
    assert.deepEqual(held, { kind: 'wait', until: world.clock.now + 30_000, otherWaits: false });
    assert.equal((await answers(world.installation, next, world.codeFor(secret))).kind, 'right');
    assert.equal(await left(world, maria), 5, 'what was typed during the wait was not used up');
  });

  test('adds up with the codes of the app when the password is held to be stolen', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 16);
    world.clock.advance(HOUR_MS);
    const challenge = await challenged(world.installation, maria);
    for (let n = 0; n < 3; n++) assert.equal((await answers(world.installation, challenge, WRONG)).kind, 'wrong');
    assert.equal((await answers(world.installation, challenge, WRONG)).kind, 'suspected');
    assert.notEqual((await world.account(maria)).suspectedAt, null);
  });

  test('is hashed before the transaction, and not at all in the clear anywhere in the database', async () => {
    await using world = await openWorld(engine);
    const { organization, noor, codes } = await world.acmeWithMfa();
    await setPolicy(world.installation, organization, 'required');
    const more = (await enrol(world.installation, noor)).codes;
    const tables = await Promise.all(
      ['backup_codes', 'backup_code_sets', 'challenges', 'audit_rows', 'authenticators'].map((name) =>
        world.rows(name),
      ),
    );
    const text = JSON.stringify(tables);
    for (const code of [...codes, ...more]) assert.ok(!text.includes(code));
  });
});
