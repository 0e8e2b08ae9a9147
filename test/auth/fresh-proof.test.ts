import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proveAgain, type FreshProof } from '../../src/auth/fresh-proof.ts';
import { findSession, isFreshlyProven, type Session } from '../../src/auth/sessions.ts';
import { sql } from '../../src/db/db.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { answers, challenged, enrol, from, home, setPolicy, signsIn, type Person } from '../acme.ts';
import { eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';

interface AtConsole {
  readonly person: Person;
  readonly secret: Uint8Array;
  readonly codes: readonly string[];
  readonly cookie: string;
  readonly session: Session;
}

/** Sam at the console, signed in eleven minutes ago by a code of the app or by a backup code. */
async function samSignedIn(world: World, by: 'totp' | 'backup-code' = 'totp'): Promise<AtConsole> {
  const { sam } = await world.acme();
  const { secret, codes } = await enrol(world.installation, sam);
  world.clock.advance(STEP_MS);
  const typed = by === 'totp' ? world.codeFor(secret) : (codes[0] ?? '');
  const answered = await answers(world.installation, await challenged(world.installation, sam), typed);
  assert.ok(answered.kind === 'right');
  world.clock.advance(11 * MINUTE_MS);
  const session = await sessionOf(world, answered.bought.cookie);
  assert.equal(isFreshlyProven(session, world.clock.now), false);
  return { person: sam, secret, codes, cookie: answered.bought.cookie, session };
}

async function sessionOf(world: World, cookie: string): Promise<Session> {
  const session = await findSession(world.db, 'admin', cookie, world.clock.now);
  assert.ok(session);
  return session;
}

const proves = (
  world: World,
  { session, person }: AtConsole,
  code: string,
  password = person.password,
): Promise<FreshProof> => proveAgain(world.installation, session, password, { kind: 'totp', code }, home(person));

eachEngine('proving oneself again', (engine) => {
  test('with password and code makes the session fresh for ten minutes, under a new token (I14, I23)', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    const proof = await proves(world, sam, world.codeFor(sam.secret));
    assert.ok(proof.kind === 'proven');
    assert.notEqual(proof.cookie, sam.cookie);
    assert.equal(await findSession(world.db, 'admin', sam.cookie, world.clock.now), undefined, 'the old token is dead');
    const session = await sessionOf(world, proof.cookie);
    assert.equal(session.id, sam.session.id);
    assert.equal(isFreshlyProven(session, world.clock.now + 10 * MINUTE_MS), true);
    assert.equal(isFreshlyProven(session, world.clock.now + 10 * MINUTE_MS + 1), false);
    assert.equal(session.expiresAt, sam.session.expiresAt, 'and lives no longer for it');
  });

  test('makes fresh also a session that a backup code had opened', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world, 'backup-code');
    assert.equal(sam.session.provedAt, null);
    assert.equal((await proves(world, sam, world.codeFor(sam.secret))).kind, 'proven');
  });

  test('with the password alone is enough where there is nothing else to prove, and nowhere else', async () => {
    await using world = await openWorld(engine);
    const { noor, maria, organization } = await world.acme();
    const inside = async (person: Person): Promise<Session> => {
      const outcome = await signsIn(world.installation, person);
      assert.ok(outcome.kind === 'signed-in');
      const session = await findSession(world.db, 'portal', outcome.cookie, world.clock.now);
      assert.ok(session);
      return session;
    };
    const alone = (session: Session, { password, id }: Person): Promise<FreshProof> =>
      proveAgain(world.installation, session, password, undefined, home({ id }));
    const proof = await alone(await inside(noor), noor);
    assert.ok(proof.kind === 'proven');
    const session = await findSession(world.db, 'portal', proof.cookie, world.clock.now);
    assert.ok(session && isFreshlyProven(session, world.clock.now));
    const before = await inside(maria);
    await setPolicy(world.installation, organization, 'required');
    await enrol(world.installation, maria);
    for (const stale of [before, { ...before, account: await world.account(maria) }])
      assert.deepEqual(await alone(stale, maria), { kind: 'over' });
    const results = (await world.audit(maria)).filter(({ action }) => action === 'proved-again');
    assert.deepEqual(
      results.map(({ result }) => result),
      ['held-up', 'held-up'],
      'the password was right: one audit row each (I18)',
    );
  });

  test('with a wrong password looks at no code', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    const code = world.codeFor(sam.secret);
    assert.deepEqual(await proves(world, sam, code, 'wrong password'), { kind: 'password-wrong' });
    assert.equal(isFreshlyProven(await sessionOf(world, sam.cookie), world.clock.now), false);
    assert.equal((await proves(world, sam, code)).kind, 'proven', 'the code was not used up');
  });

  test('with a wrong code counts like any other wrong code of the account (I6)', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    for (let n = 0; n < 4; n++) {
      assert.deepEqual(await proves(world, sam, world.wrongCode(sam.secret)), { kind: 'code-wrong' });
    }
    const challenge = await challenged(world.installation, sam.person);
    const fifth = await answers(world.installation, challenge, world.wrongCode(sam.secret));
    assert.equal(fifth.kind === 'wrong' && fifth.wrongInARow, 5);
    const held = await proves(world, sam, world.codeFor(sam.secret));
    assert.deepEqual(held, { kind: 'limited', until: world.clock.now + 30_000 });
    const results = (await world.audit(sam.person)).map(({ result }) => result);
    assert.equal(
      results.filter((result) => result === 'held-up').length,
      1,
      'the password was right: one audit row (I18)',
    );
    assert.equal(isFreshlyProven(await sessionOf(world, sam.cookie), world.clock.now), false);
  });

  test('with a code that was used before tells when the next one comes', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    const code = world.codeFor(sam.secret);
    await answers(world.installation, await challenged(world.installation, sam.person), code);
    const again = await proves(world, sam, code);
    assert.equal(again.kind, 'already-used');
  });

  test('leaves the challenges of a sign-in alone, and none of its own behind', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    for (let n = 0; n < 4; n++) await proves(world, sam, world.wrongCode(sam.secret));
    const manage = (await world.rows('challenges')).filter(
      ({ purpose, consumed_at }) => purpose === 'manage' && consumed_at === null,
    );
    assert.equal(manage.length, 1, 'the last one, which the next try puts away');
    world.clock.advance(MINUTE_MS);
    await proves(world, sam, world.codeFor(sam.secret));
    const left = (await world.rows('challenges')).filter(
      ({ purpose, consumed_at }) => purpose === 'manage' && consumed_at === null,
    );
    assert.deepEqual(left, []);
  });

  test('is over for a session whose account has changed meanwhile (I12)', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${sam.person.id}`);
    assert.deepEqual(await proves(world, sam, world.codeFor(sam.secret)), { kind: 'over' });
  });

  test('is over for a session that has ended meanwhile', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    await world.change(sql`UPDATE sessions SET ended_at = ${world.clock.now}`);
    assert.deepEqual(await proves(world, sam, world.codeFor(sam.secret)), { kind: 'over' });
    assert.equal(await findSession(world.db, 'admin', sam.cookie, world.clock.now), undefined);
  });

  test("takes the code of the session's own account and no other", async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    const other = await world.db.one<{ id: string }>(sql`SELECT id FROM accounts WHERE role = 'owner'`);
    const account = await world.account({ organizationId: sam.person.organizationId, id: other?.id ?? '' });
    const ada: Person = { ...sam.person, id: account.id, email: account.email, password: 'ada keeps a long secret' };
    const { secret } = await enrol(world.installation, ada);
    world.clock.advance(STEP_MS);
    assert.deepEqual(await proves(world, sam, world.codeFor(secret)), { kind: 'code-wrong' });
  });

  test('tries passwords under the same limits as the sign-in page does', async () => {
    await using world = await openWorld(engine);
    const sam = await samSignedIn(world);
    const visitor = from('198.51.100.1');
    const until = world.clock.now + 10 * MINUTE_MS;
    const code = { kind: 'totp', code: world.codeFor(sam.secret) } as const;
    const guess = (): Promise<FreshProof> =>
      proveAgain(world.installation, sam.session, 'wrong password', code, visitor);
    for (let n = 0; n < 10; n++) assert.equal((await guess()).kind, 'password-wrong');
    assert.deepEqual(await guess(), { kind: 'limited', until });
    assert.ok(until < world.clock.now + HOUR_MS);
  });
});
