import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOrganization } from '../../src/accounts/organizations.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import { setUpLater, standingOf } from '../../src/auth/grace.ts';
import { afterPassword } from '../../src/auth/policy.ts';
import { findSession, type Session } from '../../src/auth/sessions.ts';
import { beginEnrolment } from '../../src/auth/sign-in.ts';
import { sql } from '../../src/db/db.ts';
import { challenged, enrol, home, openOf, found, setPolicy, signsIn, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';

/** The end of 8 December 2026 in UTC: fourteen days after the day on which every test begins. */
const END = Date.UTC(2026, 11, 9);

async function laterUntil(world: World, person: Person): Promise<number | null> {
  return (await challenged(world.installation, person)).laterUntil;
}

async function putOff(world: World, person: Person): Promise<Session | undefined> {
  const challenge: Challenge = await challenged(world.installation, person);
  const cookie = await setUpLater(world.installation, challenge, home(person), undefined);
  return cookie === undefined ? undefined : findSession(world.db, 'portal', cookie, world.clock.now);
}

eachEngine('a grace', (engine) => {
  test('begins with the first sign-in that is asked for MFA, and lasts to the end of its last day where the merchant is', async () => {
    await using world = await openWorld(engine);
    const { organization, noor, eve } = await world.acme();
    await setPolicy(world.installation, organization, 'required', 14);
    assert.equal(await laterUntil(world, noor), END);
    await world.change(sql`UPDATE organizations SET time_zone = 'Pacific/Auckland'`);
    assert.equal(await laterUntil(world, eve), END - 13 * HOUR_MS);
    world.clock.now = END - 13 * HOUR_MS - 1;
    assert.equal(await laterUntil(world, eve), END - 13 * HOUR_MS);
    world.clock.now = END - 13 * HOUR_MS;
    assert.equal(await laterUntil(world, eve), null);
    world.clock.now = END;
    assert.equal(await laterUntil(world, noor), null);
  });

  test('is granted once: not again by signing in, by a restart, or by a clock that moves', async () => {
    let world = await openWorld(engine);
    try {
      const { organization, noor } = await world.acme();
      await setPolicy(world.installation, organization, 'required', 14);
      assert.equal(await laterUntil(world, noor), END);
      world.clock.advance(3 * DAY_MS);
      assert.equal(await laterUntil(world, noor), END);
      world = await world.restarted();
      assert.equal(await laterUntil(world, noor), END);
      world.clock.advance(-6 * DAY_MS);
      assert.equal(await laterUntil(world, noor), END);
      world.clock.advance(300 * DAY_MS);
      assert.equal(await laterUntil(world, noor), null, 'long over');
      assert.equal(await laterUntil(world, noor), null, 'and no second one');
    } finally {
      await world.close();
    }
  });

  test('is not renewed by other days of the same policy; the same one, turned off and on, is another', async () => {
    await using world = await openWorld(engine);
    const { organization, noor, eve } = await world.acme();
    const policy = (asked: 'off' | 'required', days: number | null = null): Promise<void> =>
      setPolicy(world.installation, organization, asked, days);
    await policy('required', 14);
    assert.equal(await laterUntil(world, noor), END);
    world.clock.advance(DAY_MS);
    await policy('required', 30);
    assert.equal(await laterUntil(world, noor), END, 'she was told when');
    assert.equal(await laterUntil(world, eve), END + 17 * DAY_MS, 'who comes later has the days of today');
    await policy('required');
    assert.equal(await laterUntil(world, noor), null, 'at their next sign-in means just that');
    await policy('required', 14);
    assert.equal(await laterUntil(world, noor), END);
    await policy('off');
    world.clock.advance(1);
    await policy('required', 14);
    assert.equal(await laterUntil(world, noor), END + DAY_MS);
  });

  test('is not used up while an exemption holds, and staff have none', async () => {
    await using world = await openWorld(engine);
    const { organization, noor, sam } = await world.acme();
    await setPolicy(world.installation, organization, 'required', 14);
    await world.change(sql`UPDATE accounts SET exempt_until = ${world.clock.now + DAY_MS}`);
    assert.equal((await signsIn(world.installation, noor)).kind, 'signed-in');
    assert.equal(await laterUntil(world, sam), null);
    world.clock.advance(DAY_MS);
    assert.equal(await laterUntil(world, noor), END + DAY_MS);
    const rows = await world.rows('accounts');
    assert.deepEqual(
      rows.filter((row) => row['grace_until'] !== null).map((row) => row['id']),
      [noor.id],
    );
  });
});

eachEngine('set up later', (engine) => {
  test('opens a session of the password alone, recorded as such, that ends with the grace at the latest', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    await setPolicy(world.installation, organization, 'required', 14);
    const early = await putOff(world, noor);
    assert.equal(early?.expiresAt, world.clock.now + 12 * HOUR_MS);
    assert.deepEqual([early?.provenBy, early?.provedAt], ['password', null]);
    world.clock.now = END - HOUR_MS;
    assert.equal((await putOff(world, noor))?.expiresAt, END);
    const signedIn = (await world.audit(noor)).filter(({ action }) => action === 'signed-in');
    assert.deepEqual(
      signedIn.map(({ result, details }) => [result, details]),
      Array.from({ length: 2 }, () => ['right', JSON.stringify({ factor: 'password', laterUntil: END })]),
    );
  });

  test('is refused for a password that is held to be stolen, and for an account that has changed since', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    await setPolicy(world.installation, organization, 'required', 14);
    const refused = async (change: ReturnType<typeof sql>): Promise<void> => {
      const challenge = await challenged(world.installation, noor);
      await world.change(change);
      assert.equal(await setUpLater(world.installation, challenge, home(noor), undefined), undefined);
    };
    await refused(sql`UPDATE accounts SET epoch = epoch + 1`);
    await refused(sql`UPDATE accounts SET suspected_at = 1`);
    assert.deepEqual(await world.rows('sessions'), []);
  });
});

eachEngine('set up later, begun under a grace and pressed under an exemption', (engine) => {
  test('ends with the exemption, on which alone it stands by then', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    await setPolicy(world.installation, organization, 'required', 14);
    const challenge = await challenged(world.installation, noor);
    await setPolicy(world.installation, organization, 'optional');
    world.clock.advance(1);
    await setPolicy(world.installation, organization, 'required');
    const until = world.clock.now + HOUR_MS;
    await world.change(sql`UPDATE accounts SET exempt_until = ${until} WHERE id = ${noor.id}`);
    const cookie = await setUpLater(world.installation, challenge, home(noor), undefined);
    assert.ok(cookie !== undefined);
    assert.equal((await findSession(world.db, 'portal', cookie, world.clock.now))?.expiresAt, until);
  });
});

eachEngine('MFA that is offered', (engine) => {
  test('is set up from inside, after the password, and ends at the sign-in page with all older sessions', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    await setPolicy(world.installation, organization, 'optional');
    const outcome = await signsIn(world.installation, noor);
    assert.ok(outcome.kind === 'signed-in');
    const session = await findSession(world.db, 'portal', outcome.cookie, world.clock.now);
    assert.ok(session);
    const begin = (password: string): ReturnType<typeof beginEnrolment> =>
      beginEnrolment(world.installation, session, password, home(noor));
    assert.deepEqual(await begin('not hers at all'), { kind: 'wrong' });
    const begun = await begin(noor.password);
    assert.ok(begun.kind === 'begun');
    const challenge = openOf(await found(world.installation, noor, begun.cookie));
    assert.deepEqual([challenge.purpose, challenge.laterUntil], ['enrolment', null]);
    const answers = (await world.audit(noor)).filter(({ action }) => action === 'password.answered');
    assert.deepEqual(
      answers.map(({ result }) => result),
      ['wrong', 'right'],
    );
  });

  test('is offered to nobody while the policy is off, nor to whoever has it', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    const outcome = await signsIn(world.installation, noor);
    assert.ok(outcome.kind === 'signed-in');
    const session = await findSession(world.db, 'portal', outcome.cookie, world.clock.now);
    assert.ok(session);
    const begin = (): ReturnType<typeof beginEnrolment> =>
      beginEnrolment(world.installation, session, noor.password, home(noor));
    assert.deepEqual(await begin(), { kind: 'nothing-to-do' });
    await setPolicy(world.installation, organization, 'required');
    await enrol(world.installation, noor);
    await setPolicy(world.installation, organization, 'optional');
    assert.deepEqual(await begin(), { kind: 'nothing-to-do' });
    assert.equal((await world.rows('challenges')).filter((row) => row['consumed_at'] === null).length, 0);
    const right = (await world.audit(noor)).filter(
      ({ action, result }) => action === 'password.answered' && result === 'right',
    );
    assert.equal(right.length, 3, 'each right password leaves its row (I18)');
  });

  test('is told to whoever is inside by the table of their next sign-in', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    const account = await world.account(noor);
    const next = async (): Promise<unknown> => afterPassword(await standingOf(world.db, account), world.clock.now);
    await setPolicy(world.installation, organization, 'optional');
    assert.deepEqual(await next(), { kind: 'session', until: null });
    await setPolicy(world.installation, organization, 'required', 14);
    assert.deepEqual(await next(), { kind: 'enrolment', laterUntil: null }, 'looking grants nothing');
    await laterUntil(world, noor);
    assert.deepEqual(await next(), { kind: 'enrolment', laterUntil: END });
    const today = await findOrganization(world.db, organization.id);
    assert.deepEqual([today?.policy, today?.graceDays], ['required', 14]);
    world.clock.advance(15 * DAY_MS + MINUTE_MS);
    assert.deepEqual(await next(), { kind: 'enrolment', laterUntil: null });
  });
});
