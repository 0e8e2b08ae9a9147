import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { signEveryoneOut } from '../../src/accounts/organizations.ts';
import { signOutEverywhere } from '../../src/auth/end-sessions.ts';
import {
  endedByIdleness,
  findSession,
  isFreshlyProven,
  openSessions,
  refreshSession,
  signedInNow,
  type Session,
} from '../../src/auth/sessions.ts';
import { sql } from '../../src/db/db.ts';
import { acme, answers, challenged, enrol, from, signsIn, type Person } from '../acme.ts';
import { eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';

/** A session of Ada at the console, or of Noor at the portal, and what it is like now. */
async function signedIn(world: World, who: 'ada' | 'noor'): Promise<{ person: Person; cookie: string }> {
  const people = await world.acme();
  if (who === 'noor') {
    const outcome = await signsIn(world.installation, people.noor);
    assert.ok(outcome.kind === 'signed-in');
    return { person: people.noor, cookie: outcome.cookie };
  }
  const { secret } = await enrol(world.installation, people.ada);
  world.clock.advance(30_000);
  const answered = await answers(
    world.installation,
    await challenged(world.installation, people.ada),
    world.codeFor(secret),
  );
  assert.ok(answered.kind === 'right');
  return { person: people.ada, cookie: answered.bought.cookie };
}

const look = (world: World, { person, cookie }: { person: Person; cookie: string }): Promise<Session | undefined> =>
  findSession(world.db, person.surface, cookie, world.clock.now);

eachEngine('a session', (engine) => {
  test('of a contact is void as soon as everyone is signed out, in every list too; staff and other merchants stay', async () => {
    await using world = await openWorld(engine);
    const noor = await signedIn(world, 'noor');
    const others = await acme(world.installation, 'rival');
    const theirs = await signsIn(world.installation, others.noor);
    assert.ok(theirs.kind === 'signed-in');
    const { organizationId } = noor.person;
    const now = world.clock.now;
    assert.deepEqual({ ...(await signedInNow(world.db, organizationId, now)) }, { contacts: 1, sessions: 1 });
    const account = await world.account(noor.person);
    await signEveryoneOut(world.installation, OPERATOR, organizationId, { contacts: 1, sessions: 1 });
    assert.equal(await look(world, noor), undefined);
    assert.deepEqual(await openSessions(world.db, 'portal', account, now), []);
    assert.deepEqual({ ...(await signedInNow(world.db, organizationId, now)) }, { contacts: 0, sessions: 0 });
    assert.equal((await world.account(noor.person)).epoch, account.epoch, 'nothing of the account has changed');
    assert.ok(await look(world, { person: others.noor, cookie: theirs.cookie }), 'whoever is another merchant’s stays');
    const again = await signsIn(world.installation, noor.person);
    assert.ok(again.kind === 'signed-in' && (await look(world, { person: noor.person, cookie: again.cookie })));
    world.clock.advance(31 * MINUTE_MS);
    assert.equal(await endedByIdleness(world.db, 'portal', noor.cookie, world.clock.now), false, 'it was not idleness');
    const rows = (await world.rows('audit_rows')).filter(({ action }) => action === 'sessions.ended');
    assert.deepEqual(
      rows.map((row) => row['details']),
      [JSON.stringify({ contacts: 1, sessions: 1 })],
    );
  });

  test('that is over already, idle or with everyone’s, is not told as ended again', async () => {
    await using world = await openWorld(engine);
    const { person, cookie } = await signedIn(world, 'noor');
    const out = async (): Promise<number> =>
      (await signOutEverywhere(world.installation, OPERATOR, await world.account(person))).sessions;
    await signEveryoneOut(world.installation, OPERATOR, person.organizationId, { contacts: 1, sessions: 1 });
    assert.equal(await out(), 0);
    await signsIn(world.installation, person);
    world.clock.advance(31 * MINUTE_MS);
    assert.equal(await out(), 0);
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
    const again = await signsIn(world.installation, person);
    assert.ok(again.kind === 'signed-in' && again.cookie !== cookie);
    assert.equal(await out(), 1);
    assert.equal((await world.audit(person)).filter(({ action }) => action === 'sessions.ended').length, 1);
  });

  test('of staff goes on when everyone is signed out of the portal', async () => {
    await using world = await openWorld(engine);
    const ada = await signedIn(world, 'ada');
    await signEveryoneOut(world.installation, OPERATOR, ada.person.organizationId, { contacts: 0, sessions: 0 });
    assert.ok(await look(world, ada));
  });

  for (const [who, idleMs, absoluteMs] of [
    ['noor', 30 * MINUTE_MS, 12 * HOUR_MS],
    ['ada', 15 * MINUTE_MS, 8 * HOUR_MS],
  ] as const) {
    test(`of ${who} ends after ${idleMs / MINUTE_MS} minutes in which nothing was done, and says so`, async () => {
      await using world = await openWorld(engine);
      const held = await signedIn(world, who);
      world.clock.advance(idleMs - 1);
      assert.ok(await look(world, held));
      assert.equal(await endedByIdleness(world.db, held.person.surface, held.cookie, world.clock.now), false);
      world.clock.advance(1);
      assert.equal(await look(world, held), undefined);
      assert.equal(await endedByIdleness(world.db, held.person.surface, held.cookie, world.clock.now), true);
    });

    test(`of ${who} ends after ${absoluteMs / HOUR_MS} hours, however busy`, async () => {
      await using world = await openWorld(engine);
      const held = await signedIn(world, who);
      const end = world.clock.now + absoluteMs;
      while (world.clock.now + 10 * MINUTE_MS < end) {
        world.clock.advance(10 * MINUTE_MS);
        const session = await look(world, held);
        assert.ok(session);
        await refreshSession(world.db, session, world.clock.now);
      }
      world.clock.now = end - 1;
      assert.ok(await look(world, held));
      world.clock.now = end;
      assert.equal(await look(world, held), undefined);
    });
  }

  test('writes its last use at most once a minute', async () => {
    await using world = await openWorld(engine);
    const held = await signedIn(world, 'noor');
    const began = world.clock.now;
    const use = async (ms: number): Promise<number | undefined> => {
      world.clock.now = began + ms;
      const session = await look(world, held);
      assert.ok(session);
      await refreshSession(world.db, session, world.clock.now);
      const again = await look(world, held);
      return again && again.lastUsedAt - began;
    };
    assert.equal(await use(MINUTE_MS - 1), 0);
    assert.equal(await use(MINUTE_MS), MINUTE_MS);
    assert.equal(await use(2 * MINUTE_MS - 1), MINUTE_MS);
    assert.equal(await use(5 * MINUTE_MS), 5 * MINUTE_MS);
  });

  test('that has ended is not brought back by its last use', async () => {
    await using world = await openWorld(engine);
    const held = await signedIn(world, 'noor');
    const session = await look(world, held);
    assert.ok(session);
    await world.change(sql`UPDATE sessions SET ended_at = ${world.clock.now}`);
    world.clock.advance(2 * MINUTE_MS);
    await refreshSession(world.db, session, world.clock.now);
    assert.equal(await look(world, held), undefined);
    assert.equal(await endedByIdleness(world.db, 'portal', held.cookie, world.clock.now), false);
  });

  test('is void as soon as the epoch has moved on or access is closed, even if nobody ended it (I12)', async () => {
    await using world = await openWorld(engine);
    const held = await signedIn(world, 'noor');
    await world.change(sql`UPDATE accounts SET disabled_at = 1 WHERE id = ${held.person.id}`);
    assert.equal(await look(world, held), undefined);
    await world.change(sql`UPDATE accounts SET disabled_at = NULL WHERE id = ${held.person.id}`);
    assert.ok(await look(world, held));
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${held.person.id}`);
    assert.equal(await look(world, held), undefined);
    assert.deepEqual(await openSessions(world.db, 'portal', await world.account(held.person), world.clock.now), []);
  });

  test('belongs to its surface, its organization and its token', async () => {
    await using world = await openWorld(engine);
    const held = await signedIn(world, 'noor');
    const other = await acme(world.installation, 'rival');
    const [organizationId = '', token = ''] = held.cookie.split('.');
    assert.equal(await findSession(world.db, 'admin', held.cookie, world.clock.now), undefined);
    for (const value of [
      '',
      '.',
      token,
      `${other.organization.id}.${token}`,
      `${organizationId}.`,
      `${organizationId}.${token}A`,
    ]) {
      assert.equal(await findSession(world.db, 'portal', value, world.clock.now), undefined, value);
    }
  });

  test('knows how it was proven: a password and a backup code are no fresh proof, a code of the app is one for ten minutes', async () => {
    await using world = await openWorld(engine);
    const { noor, maria, secret, codes, organization } = await world.acmeWithMfa();
    await world.change(sql`UPDATE organizations SET policy = 'off' WHERE id = ${organization.id}`);
    const password = await signsIn(world.installation, noor);
    assert.ok(password.kind === 'signed-in');
    const code = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    const backup = await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '');
    assert.ok(code.kind === 'right' && backup.kind === 'right');
    const sessions = await Promise.all(
      [password.cookie, code.bought.cookie, backup.bought.cookie].map((cookie) =>
        findSession(world.db, 'portal', cookie, world.clock.now),
      ),
    );
    const proven = (ms: number): unknown =>
      sessions.map((session) => session && isFreshlyProven(session, world.clock.now + ms));
    assert.deepEqual(
      sessions.map((session) => session?.provenBy),
      ['password', 'totp', 'backup-code'],
    );
    assert.deepEqual(proven(0), [false, true, false]);
    assert.deepEqual(proven(10 * MINUTE_MS), [false, true, false]);
    assert.deepEqual(proven(10 * MINUTE_MS + 1), [false, false, false]);
  });

  test('is one of at most twenty that are open: the oldest ends, never the newest', async () => {
    await using world = await openWorld(engine);
    const { noor, maria } = await world.acme();
    const outcome = await signsIn(world.installation, maria);
    assert.ok(outcome.kind === 'signed-in');
    for (let n = 0; n < 22; n++) {
      world.clock.advance(n < 21 ? 1_000 : -60_000);
      await signsIn(world.installation, noor, { visitor: from(`place ${n}`) });
    }
    const open = await openSessions(world.db, 'portal', await world.account(noor), world.clock.now);
    const places = open.map(({ address }) => address);
    assert.equal(places.length, 20);
    assert.ok(places.includes('place 21') && !places.includes('place 0') && !places.includes('place 1'));
    assert.ok(await findSession(world.db, 'portal', outcome.cookie, world.clock.now), 'others keep theirs');
  });

  test('is listed where it is open, the latest used first', async () => {
    await using world = await openWorld(engine);
    const { noor, maria } = await world.acme();
    for (const place of ['first', 'second']) {
      world.clock.advance(MINUTE_MS);
      await signsIn(world.installation, noor, { visitor: from(place) });
    }
    await signsIn(world.installation, maria);
    const account = await world.account(noor);
    const open = async (): Promise<string[]> =>
      (await openSessions(world.db, 'portal', account, world.clock.now)).map(({ address }) => address);
    assert.deepEqual(await open(), ['second', 'first']);
    await world.change(sql`UPDATE sessions SET ended_at = 1 WHERE address = 'second'`);
    assert.deepEqual(await open(), ['first']);
    world.clock.advance(30 * MINUTE_MS);
    assert.deepEqual(await open(), []);
  });
});
