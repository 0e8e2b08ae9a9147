import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enable, offer, verifyEnrolment } from '../../../src/auth/enrolment.ts';
import { STEP_MS, stepStart, timeStep } from '../../../src/crypto/totp.ts';
import { sql } from '../../../src/db/db.ts';
import { sealSecret } from '../../../src/auth/factors/totp.ts';
import { answers, challenged, enrol, home, pendingOf, refound, setPolicy, signsIn } from '../../acme.ts';
import { eachEngine, oathtool, openWorld } from '../../world.ts';

/** A secret, found by trying, that makes one code in the first step after the enrolment and in the next. */
const TWICE = Buffer.from('0004a46b'.padEnd(40, '0'), 'hex');

eachEngine('a code of the app', (engine) => {
  test("opens the second door, also when it is oathtool's", async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    const answered = await answers(world.installation, challenge, oathtool(secret, world.clock.now));
    assert.equal(answered.kind, 'right');
  });

  for (const steps of [-1, 0, 1]) {
    test(`of ${['the step before', 'this step', 'the step after'][steps + 1]} is accepted`, async () => {
      await using world = await openWorld(engine);
      const { maria, secret } = await world.acmeWithMfa();
      world.clock.advance(STEP_MS);
      const challenge = await challenged(world.installation, maria);
      assert.equal((await answers(world.installation, challenge, world.codeFor(secret, steps))).kind, 'right');
    });
  }

  for (const steps of [-2, 2]) {
    test(`of two steps ${steps < 0 ? 'before' : 'after'} is wrong`, async () => {
      await using world = await openWorld(engine);
      const { maria, secret } = await world.acmeWithMfa();
      world.clock.advance(10 * STEP_MS);
      const code = world.codeFor(secret, steps);
      if ([-1, 0, 1].some((near) => world.codeFor(secret, near) === code)) return;
      assert.equal(
        (await answers(world.installation, await challenged(world.installation, maria), code)).kind,
        'wrong',
      );
    });
  }

  test('works once: the second time Maria is told so, and when the next one comes (I1, S3)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const code = world.codeFor(secret);
    assert.equal((await answers(world.installation, await challenged(world.installation, maria), code)).kind, 'right');
    const again = await answers(world.installation, await challenged(world.installation, maria), code);
    const nextCodeAt = stepStart(timeStep(world.clock.now) + 1);
    assert.deepEqual(again, { kind: 'already-used', nextCodeAt, attemptsLeft: 4 });
    world.clock.now = nextCodeAt;
    const next = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    assert.equal(next.kind, 'right');
  });

  test('of a fast clock works once too, and its next one comes when that clock says', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const code = world.codeFor(secret, 1);
    assert.equal((await answers(world.installation, await challenged(world.installation, maria), code)).kind, 'right');
    const again = await answers(world.installation, await challenged(world.installation, maria), code);
    const nextCodeAt = stepStart(timeStep(world.clock.now) + 1);
    assert.deepEqual(again, { kind: 'already-used', nextCodeAt, attemptsLeft: 4 });
    world.clock.now = nextCodeAt;
    const next = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.codeFor(secret, 1),
    );
    assert.equal(next.kind, 'right');
  });

  test('is refused after a later one was accepted (I1)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    world.clock.advance(STEP_MS);
    const challenge = await challenged(world.installation, maria);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
    const older = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.codeFor(secret, -1),
    );
    assert.equal(older.kind, 'already-used');
  });

  test('that is the code of two steps at once is taken for the one that was not used yet', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acmeWithMfa();
    const [row] = await world.rows('authenticators');
    const id = String(row?.['id']);
    const sealed = sealSecret(world.installation, maria.organizationId, maria.id, id, TWICE);
    await world.change(sql`UPDATE authenticators SET secret = ${sealed} WHERE id = ${id}`);
    const code = world.codeFor(TWICE);
    assert.equal(code, world.codeFor(TWICE, 1));
    for (const expected of ['right', 'right', 'already-used']) {
      const answered = await answers(world.installation, await challenged(world.installation, maria), code);
      assert.equal(answered.kind, expected);
    }
  });

  test('that proved the enrolment cannot open the sign-in that follows it (I2, E6)', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const outcome = await signsIn(world.installation, maria);
    assert.ok(outcome.kind === 'enrolment');
    const challenge = await refound(world.installation, maria, outcome.cookie);
    await offer(world.installation, challenge, home(maria));
    const { secret } = await pendingOf(world.installation, challenge);
    const code = world.codeFor(secret, 1);
    await verifyEnrolment(world.installation, challenge, code, home(maria));
    await enable(world.installation, challenge, home(maria));
    const answered = await answers(world.installation, await challenged(world.installation, maria), code);
    assert.equal(answered.kind, 'already-used');
    const older = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    assert.equal(older.kind, 'already-used', 'nor can one from before it');
  });

  test('of an authenticator that is only offered, or revoked, opens nothing (I9)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    await offer(world.installation, challenge, home(maria));
    const pending = await pendingOf(world.installation, challenge);
    await verifyEnrolment(world.installation, challenge, world.codeFor(pending.secret), home(maria));
    assert.equal(await enable(world.installation, challenge, home(maria)), false, 'a sign-in enables nothing');
    assert.equal((await answers(world.installation, challenge, world.codeFor(pending.secret, 1))).kind, 'wrong');
    const active = sql`enabled_at IS NOT NULL`;
    await world.change(sql`UPDATE authenticators SET revoked_at = 1, secret = NULL WHERE ${active}`);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'wrong');
  });

  test("of somebody else's app is wrong", async () => {
    await using world = await openWorld(engine);
    const { maria, secret, noor } = await world.acmeWithMfa();
    const noors = await enrol(world.installation, noor);
    world.clock.advance(STEP_MS);
    const [hers, his] = [world.codeFor(secret), world.codeFor(noors.secret)];
    assert.notEqual(hers, his);
    assert.equal((await answers(world.installation, await challenged(world.installation, maria), his)).kind, 'wrong');
  });

  test('with a secret that no longer opens is a fault, never an enrolment or a way in', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await world.change(sql`UPDATE authenticators SET secret = 'test.AAAA'`);
    const challenge = await challenged(world.installation, maria);
    await assert.rejects(answers(world.installation, challenge, world.codeFor(secret)), { name: 'SealError' });
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
    const account = (await world.rows('accounts')).find(({ id }) => id === maria.id);
    assert.equal(account?.['totp_wrong'], 1, 'the attempt stays spent');
  });
});
