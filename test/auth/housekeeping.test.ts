import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateCodes } from '../../src/auth/ceremony-codes.ts';
import { enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { sweep } from '../../src/auth/housekeeping.ts';
import { sql, type Database } from '../../src/db/db.ts';
import { answers, challenged, home, pendingOf, refound, setPolicy, signsIn } from '../acme.ts';
import { waiting } from '../database.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld } from '../world.ts';

eachEngine('the sweep', (engine) => {
  test('takes the secret of an enrolment nobody finished from the disk, and no sooner than it ends', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const challenge = await challenged(world.installation, maria);
    await offer(world.installation, challenge, home(maria));
    world.clock.advance(30 * MINUTE_MS - 1);
    await sweep(world.installation);
    assert.ok(await pendingOf(world.installation, challenge));
    world.clock.advance(1);
    await sweep(world.installation);
    const [row] = await world.rows('authenticators');
    assert.deepEqual([row?.['secret'], row?.['revoked_at']], [null, world.clock.now]);
  });

  test('takes backup codes that were shown and left from the disk', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const outcome = await signsIn(world.installation, maria);
    assert.ok(outcome.kind === 'enrolment');
    const challenge = await refound(world.installation, maria, outcome.cookie);
    await offer(world.installation, challenge, home(maria));
    const { secret } = await pendingOf(world.installation, challenge);
    await verifyEnrolment(world.installation, challenge, world.codeFor(secret), home(maria));
    await enable(world.installation, challenge, home(maria));
    const codes = await generateCodes(
      world.installation,
      await refound(world.installation, maria, outcome.cookie),
      home(maria),
    );
    const sealed = async (): Promise<number> =>
      (await world.rows('challenges')).filter((row) => row['sealed_codes'] !== null).length;
    world.clock.advance(10 * MINUTE_MS - 1);
    await sweep(world.installation);
    assert.equal(await sealed(), 1);
    world.clock.advance(1);
    await sweep(world.installation);
    assert.equal(await sealed(), 0);
    const answered = await answers(world.installation, await challenged(world.installation, maria), codes?.[0] ?? '');
    assert.equal(answered.kind, 'right', 'the codes themselves still work');
  });

  test('forgets counters when their windows are over, and challenges that led nowhere after a day', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    await challenged(world.installation, maria);
    await signsIn(world.installation, maria, { password: 'wrong password' });
    const open = async (): Promise<number> => (await world.rows('challenges')).length;
    world.clock.advance(HOUR_MS - 1);
    await sweep(world.installation);
    assert.ok((await world.rows('counters')).some(({ spent }) => Number(spent) > 0));
    assert.equal(await open(), 1);
    world.clock.advance(1);
    await sweep(world.installation);
    assert.ok((await world.rows('counters')).every(({ spent }) => Number(spent) === 0));
    world.clock.advance(DAY_MS);
    await sweep(world.installation);
    assert.equal(await open(), 0);
  });

  test('forgets a session and its challenge thirty days after it could last have been open', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    world.clock.advance(30 * DAY_MS);
    await sweep(world.installation);
    assert.equal((await world.rows('sessions')).length, 1);
    world.clock.advance(12 * HOUR_MS);
    await sweep(world.installation);
    assert.equal((await world.rows('sessions')).length, 0);
  });

  test('takes no more than a thousand rows at once, and all of them in the end', async () => {
    await using world = await openWorld(engine);
    await world.change(sql`INSERT INTO counters (name, subject, started_at, spent)
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
      SELECT 'old', CAST(n AS TEXT), 0, 1 FROM numbers`);
    const bites: number[] = [];
    const transaction: Database['transaction'] = async (work, how) => {
      const taken = await world.db.transaction(work, how);
      bites.push(Number(taken));
      return taken;
    };
    await sweep({ db: { ...world.db, transaction }, now: world.installation.now });
    assert.deepEqual(
      bites.filter((taken) => taken > 0),
      [1_000, 1_000, 500],
    );
    assert.deepEqual(await world.rows('counters'), []);
  });

  test('takes nothing that is in use, ever: authenticators, sets and the challenges they came from', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    world.clock.advance(400 * DAY_MS);
    await sweep(world.installation);
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret))).kind,
      'right',
    );
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '')).kind,
      'right',
    );
  });
});

describe('the sweep beside another server', () => {
  test('spares a counter whose window has begun anew while it waited for the row', async () => {
    await using world = await openWorld('postgres');
    await world.change(sql`INSERT INTO counters (name, subject, started_at, spent) VALUES ('tries', 'eve', 0, 20)`);
    let sweeping = Promise.resolve();
    await world.db.transaction(async (tx) => {
      await tx.run(sql`UPDATE counters SET started_at = ${world.clock.now}, spent = 1`);
      sweeping = sweep(world.installation);
      await waiting(world.db);
    });
    await sweeping;
    assert.deepEqual(
      (await world.rows('counters')).map(({ spent }) => spent),
      [1],
    );
  });
});
