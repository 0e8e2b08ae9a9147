import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { findChallenge } from '../../src/auth/challenges.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, found, openOf, refound, setPolicy, signsIn, type Person } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

async function cookieOf(world: World, person: Person): Promise<string> {
  const outcome = await signsIn(world.installation, person);
  assert.ok('cookie' in outcome);
  return outcome.cookie;
}

eachEngine('a challenge', (engine) => {
  test('allows five attempts, and then not even the right code (I5)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const cookie = await cookieOf(world, maria);
    const challenge = await refound(world.installation, maria, cookie);
    for (const left of [4, 3, 2, 1, 0]) {
      const answered = await answers(world.installation, challenge, world.wrongCode(secret));
      assert.deepEqual(answered, { kind: 'wrong', attemptsLeft: left, wrongInARow: 5 - left });
    }
    await world.change(sql`UPDATE accounts SET totp_wait_until = 0 WHERE id = ${maria.id}`);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'over');
    const dead = await found(world.installation, maria, cookie);
    assert.ok(dead.kind === 'dead' && dead.reason === 'exhausted');
    assert.deepEqual([dead.email, dead.organizationId], [maria.email, maria.organizationId], 'to begin again with');
  });

  test('buys one session, whatever right codes follow (I8)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    const cookie = await cookieOf(world, maria);
    const challenge = await refound(world.installation, maria, cookie);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret, 1))).kind, 'over');
    assert.equal((await answers(world.installation, challenge, codes[0] ?? '')).kind, 'over');
    assert.equal((await world.rows('sessions')).length, 1);
    const dead = await found(world.installation, maria, cookie);
    assert.ok(dead.kind === 'dead' && dead.reason === 'over');
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '')).kind,
      'right',
    );
  });

  test('is over after ten minutes, for a sign-in', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const cookie = await cookieOf(world, maria);
    world.clock.advance(10 * MINUTE_MS - 1);
    const challenge = await refound(world.installation, maria, cookie);
    world.clock.advance(1);
    const dead = await found(world.installation, maria, cookie);
    assert.ok(dead.kind === 'dead' && dead.reason === 'expired');
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'over');
    const counted = (await world.rows('accounts')).find(({ id }) => id === maria.id);
    assert.equal(counted?.['totp_wrong'], 0, 'nothing is counted');
  });

  test('is over after thirty minutes, for an enrolment', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const cookie = await cookieOf(world, maria);
    world.clock.advance(30 * MINUTE_MS - 1);
    assert.equal((await found(world.installation, maria, cookie)).kind, 'open');
    world.clock.advance(1);
    assert.equal((await found(world.installation, maria, cookie)).kind, 'dead');
  });

  test('is one of at most three that are open; the oldest is dropped', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, secret } = await world.acmeWithMfa();
    const noors = await cookieOf(world, noor);
    const cookies: string[] = [];
    for (let n = 0; n < 5; n++) cookies.push(await cookieOf(world, maria));
    const kinds = await Promise.all(
      cookies.map(async (cookie) => (await found(world.installation, maria, cookie)).kind),
    );
    assert.deepEqual(kinds, ['dead', 'dead', 'open', 'open', 'open']);
    assert.equal((await found(world.installation, noor, noors)).kind, 'open', 'others keep theirs');
    const oldest = await found(world.installation, maria, cookies[0] ?? '');
    assert.ok(oldest.kind === 'dead' && oldest.reason === 'over');
    const challenge = await refound(world.installation, maria, cookies[2] ?? '');
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
  });

  test('is never the one that is dropped for being new, also when the clock has gone back', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acmeWithMfa();
    for (let n = 0; n < 3; n++) await cookieOf(world, maria);
    world.clock.advance(-1_000);
    assert.equal((await found(world.installation, maria, await cookieOf(world, maria))).kind, 'open');
  });

  test('brings no new budget: the account goes on counting where the last one stopped (I6)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    for (const inARow of [1, 2, 3, 4]) {
      const answered = await answers(
        world.installation,
        await challenged(world.installation, maria),
        world.wrongCode(secret),
      );
      assert.deepEqual(answered, { kind: 'wrong', attemptsLeft: 4, wrongInARow: inARow });
    }
  });

  test('belongs to its surface, its organization and its token', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acmeWithMfa();
    const cookie = await cookieOf(world, maria);
    const [organizationId = '', token = ''] = cookie.split('.');
    const look = (surface: 'portal' | 'admin', value: string): ReturnType<typeof findChallenge> =>
      findChallenge(world.db, surface, value, world.clock.now);
    assert.ok(await look('portal', cookie));
    assert.equal(await look('admin', cookie), undefined);
    for (const value of [
      '',
      '.',
      token,
      `another.${token}`,
      `${organizationId}.`,
      `${organizationId}.${token.slice(1)}`,
    ]) {
      assert.equal(await look('portal', value), undefined, value);
    }
    assert.ok(!JSON.stringify(await world.rows('challenges')).includes(token), 'only the hash is kept');
  });

  test('is void as soon as the epoch has moved on, even if nobody put it away (I12)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const cookie = await cookieOf(world, maria);
    const challenge = openOf(await found(world.installation, maria, cookie));
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${maria.id}`);
    assert.equal((await found(world.installation, maria, cookie)).kind, 'dead');
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'over');
  });

  test('opens nothing for an account whose access was closed, even if nobody put it away', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const cookie = await cookieOf(world, maria);
    const challenge = openOf(await found(world.installation, maria, cookie));
    await world.change(sql`UPDATE accounts SET disabled_at = 1 WHERE id = ${maria.id}`);
    assert.equal((await found(world.installation, maria, cookie)).kind, 'dead');
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'over');
    await world.change(sql`UPDATE accounts SET disabled_at = NULL WHERE id = ${maria.id}`);
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), false);
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), true);
    assert.equal((await found(world.installation, maria, cookie)).kind, 'dead');
  });

  test('for an enrolment answers no sign-in', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await world.change(sql`UPDATE authenticators SET enabled_at = NULL`);
    await world.change(sql`UPDATE backup_code_sets SET revoked_at = 1`);
    await world.change(sql`UPDATE accounts SET mfa_since = NULL`);
    const challenge = await challenged(world.installation, maria);
    assert.equal(challenge.purpose, 'enrolment');
    await world.change(sql`UPDATE authenticators SET enabled_at = 1`);
    const asSignIn = { ...challenge, purpose: 'sign-in' } as const;
    assert.equal((await answers(world.installation, asSignIn, world.codeFor(secret))).kind, 'over');
  });
});
