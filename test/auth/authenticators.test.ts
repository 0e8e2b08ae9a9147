import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { signEveryoneOut } from '../../src/accounts/organizations.ts';
import {
  activeApps,
  beginAnother,
  beginReplacement,
  removeApp,
  renameApp,
  type BegunOver,
} from '../../src/auth/authenticators.ts';
import { endOneSession } from '../../src/auth/end-sessions.ts';
import { enable } from '../../src/auth/enrolment.ts';
import { APPS_PER_ACCOUNT } from '../../src/auth/limits.ts';
import { openSessions, type Session } from '../../src/auth/sessions.ts';
import { backupCodesLeft } from '../../src/auth/sign-in.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, found, home, insideBy, provesAnother, type Acme, type Enrolled } from '../acme.ts';
import { queued } from '../queued.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

interface Inside extends Acme, Enrolled {
  readonly session: Session;
  /** The app that she has set up at first. */
  readonly first: string;
}

async function mariaInside(world: World): Promise<Inside> {
  const people = await world.acmeWithMfa();
  return { ...people, ...(await comesIn(world, people, people.secret)) };
}

async function comesIn(world: World, { maria }: Acme, secret: Uint8Array): Promise<Pick<Inside, 'session' | 'first'>> {
  world.clock.advance(STEP_MS);
  const session = await insideBy(world.installation, maria, world.codeFor(secret));
  const [app] = await activeApps(world.db, maria);
  return { session, first: app?.id ?? '' };
}

function cookieOf(begun: BegunOver): string {
  assert.ok(begun.kind === 'begun', `beginning led to ${begun.kind}`);
  return begun.cookie;
}

/** Adds a second app, and comes in again with it. */
async function withTwoApps(world: World, one: Inside): Promise<Inside & { second: string; other: Uint8Array }> {
  const { installation } = world;
  const begun = await beginAnother(installation, one.session, 'Tablet', home(one.maria));
  const { challenge, secret: other } = await provesAnother(installation, one.maria, cookieOf(begun));
  assert.equal(await enable(installation, challenge, home(one.maria)), true);
  const { session, first } = await comesIn(world, one, other);
  const apps = await activeApps(world.db, one.maria);
  return { ...one, session, first, second: apps[1]?.id ?? '', other };
}

/** Whether a code opens the second door, half a minute on. */
async function opens(world: World, { maria }: Acme, secret: Uint8Array): Promise<boolean> {
  world.clock.advance(STEP_MS);
  const challenge = await challenged(world.installation, maria);
  return (await answers(world.installation, challenge, world.codeFor(secret))).kind === 'right';
}

const actionsOf = async (world: World, { maria }: Acme): Promise<string[]> =>
  (await world.audit(maria)).map(({ action }) => action);

eachEngine('replacing the authenticator app', (engine) => {
  test('leaves the old one working until the new one is enabled, and not a moment longer (I10)', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const one = await mariaInside(world);
    const { maria, session, first, secret: old } = one;
    const begun = await beginReplacement(world.installation, session, first, home(maria));
    const { challenge, secret } = await provesAnother(world.installation, maria, cookieOf(begun));
    assert.equal(await opens(world, one, old), true, 'the old one, with the new one proven');
    assert.equal(await enable(world.installation, challenge, home(maria)), true);
    assert.equal(await opens(world, one, old), false, 'the old one, afterwards');
    assert.equal(await opens(world, one, secret), true, 'the new one');
    const rows = await world.rows('authenticators');
    assert.deepEqual(
      rows.filter((row) => row['id'] === first).map((row) => row['secret']),
      [null],
      'its secret is gone from the disk',
    );
    assert.equal((await actionsOf(world, one)).filter((action) => action === 'authenticator.replaced').length, 1);
    const letters = (await queued(world, maria)).map(({ kind }) => kind);
    assert.deepEqual(letters.slice(-1), ['app-replaced']);
  });

  test('raises the epoch, ends every session, and leaves the backup codes alone', async () => {
    await using world = await openWorld(engine);
    const one = await mariaInside(world);
    const { maria, session, first, codes } = one;
    const before = await world.account(maria);
    const begun = await beginReplacement(world.installation, session, first, home(maria));
    const { challenge } = await provesAnother(world.installation, maria, cookieOf(begun));
    await enable(world.installation, challenge, home(maria));
    const after = await world.account(maria);
    assert.equal(after.epoch, before.epoch + 1);
    assert.deepEqual(await openSessions(world.db, 'portal', after, world.clock.now), []);
    assert.equal(await backupCodesLeft(world.installation, after), codes.length);
    const byCode = await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '');
    assert.equal(byCode.kind, 'right');
  });

  test('ends with the first press of its button; the code that proved it opens nothing (I2)', async () => {
    await using world = await openWorld(engine);
    const { maria, session, first } = await mariaInside(world);
    const begun = await beginReplacement(world.installation, session, first, home(maria));
    const { challenge, secret } = await provesAnother(world.installation, maria, cookieOf(begun));
    assert.equal(await enable(world.installation, challenge, home(maria)), true);
    assert.equal(await enable(world.installation, challenge, home(maria)), false);
    const again = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    assert.equal(again.kind, 'already-used');
  });

  test('keeps the name that the app had', async () => {
    await using world = await openWorld(engine);
    const { maria, session, first } = await mariaInside(world);
    await renameApp(world.installation, session, first, 'Work phone', home(maria));
    const begun = await beginReplacement(world.installation, session, first, home(maria));
    const { challenge } = await provesAnother(world.installation, maria, cookieOf(begun));
    await enable(world.installation, challenge, home(maria));
    assert.deepEqual(
      (await activeApps(world.db, maria)).map(({ name }) => name),
      ['Work phone'],
    );
  });

  test('needs a proof of the last ten minutes, or a sign-in by backup code of the last ten (I14)', async () => {
    await using world = await openWorld(engine);
    const { maria, session, first, codes } = await mariaInside(world);
    const byCode = await insideBy(world.installation, maria, codes[0] ?? '');
    const replaces = (by: Session): Promise<BegunOver> => beginReplacement(world.installation, by, first, home(maria));
    assert.equal((await replaces(byCode)).kind, 'begun');
    assert.throws(() => void beginAnother(world.installation, byCode, null, home(maria)), /without a fresh proof/);
    assert.throws(() => void removeApp(world.installation, byCode, first, home(maria)), /without a fresh proof/);
    world.clock.advance(10 * MINUTE_MS);
    assert.equal((await replaces(byCode)).kind, 'begun', 'in the tenth minute still');
    world.clock.advance(1);
    for (const by of [byCode, session])
      assert.throws(() => void beginReplacement(world.installation, by, first, home(maria)), /without a fresh proof/);
  });

  test('dies with the session that began it, however that ends: the ceremony opens nothing on its own', async () => {
    const endings: ((world: World, one: Inside) => Promise<unknown>)[] = [
      ({ installation }, { maria, session }) => endOneSession(installation, OPERATOR, maria, session.id),
      ({ installation }, { organization }) =>
        signEveryoneOut(installation, OPERATOR, organization.id, { contacts: 1, sessions: 1 }),
    ];
    for (const ends of endings) {
      await using world = await openWorld(engine);
      const one = await mariaInside(world);
      const { maria, session, first, secret: old } = one;
      const cookie = cookieOf(await beginReplacement(world.installation, session, first, home(maria)));
      const { challenge } = await provesAnother(world.installation, maria, cookie);
      await ends(world, one);
      const dead = await found(world.installation, maria, cookie);
      assert.ok(dead.kind === 'dead' && dead.reason === 'expired');
      assert.equal(await enable(world.installation, challenge, home(maria)), false);
      assert.equal(await opens(world, one, old), true);
    }
  });

  test('of an app that is another’s, gone or none, begins nothing', async () => {
    await using world = await openWorld(engine);
    const { maria, session, first, noor } = await mariaInside(world);
    await enrol(world.installation, noor);
    const [hers] = await activeApps(world.db, noor);
    assert.ok(hers);
    for (const id of ['', 'nothing', hers.id, `${first}x`])
      assert.deepEqual(await beginReplacement(world.installation, session, id, home(maria)), {
        kind: 'nothing-to-do',
      });
    assert.equal((await world.rows('challenges')).filter((row) => row['aim'] !== null).length, 0);
  });

  test('heals no account whose authenticator row was lost: that stays shut', async () => {
    await using world = await openWorld(engine);
    const { maria, session, first } = await mariaInside(world);
    await world.change(sql`DELETE FROM authenticators WHERE account_id = ${maria.id}`);
    const nothing = { kind: 'nothing-to-do' };
    assert.deepEqual(await beginReplacement(world.installation, session, first, home(maria)), nothing);
    assert.deepEqual(await beginAnother(world.installation, session, null, home(maria)), nothing);
  });

  test('is no way around a password that is held to be stolen', async () => {
    await using world = await openWorld(engine);
    const { maria, session, first } = await mariaInside(world);
    await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${maria.id}`);
    assert.equal((await beginReplacement(world.installation, session, first, home(maria))).kind, 'nothing-to-do');
  });
});

eachEngine('several authenticator apps', (engine) => {
  test('each open the door with codes of their own, and are listed with names and last use', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const one = await mariaInside(world);
    const two = await withTwoApps(world, one);
    assert.equal(await opens(world, one, one.secret), true);
    assert.equal(await opens(world, one, two.other), true);
    const apps = await activeApps(world.db, one.maria);
    assert.deepEqual(
      apps.map(({ name }) => name),
      [null, 'Tablet'],
    );
    assert.equal(apps[1]?.lastUsedAt, world.clock.now);
    assert.equal((await actionsOf(world, one)).filter((action) => action === 'authenticator.added').length, 1);
    assert.ok((await queued(world, one.maria)).some(({ kind }) => kind === 'app-added'));
  });

  test('are three at most, since a guess is right with the chance of all of them', async () => {
    await using world = await openWorld(engine);
    const two = await withTwoApps(world, await mariaInside(world));
    const three = await withTwoApps(world, two);
    assert.equal((await activeApps(world.db, three.maria)).length, APPS_PER_ACCOUNT);
    assert.deepEqual(await beginAnother(world.installation, three.session, 'More', home(three.maria)), {
      kind: 'full',
    });
  });

  test('can be removed but for the last, which raises the epoch and ends what was open', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const two = await withTwoApps(world, await mariaInside(world));
    const { maria, session, first, second, secret, other } = two;
    const { epoch } = await world.account(maria);
    assert.deepEqual(await removeApp(world.installation, session, first, home(maria)), { kind: 'removed' });
    const after = await world.account(maria);
    assert.equal(after.epoch, epoch + 1);
    assert.deepEqual(await openSessions(world.db, 'portal', after, world.clock.now), []);
    assert.equal(await opens(world, two, secret), false);
    const again = await comesIn(world, two, other);
    assert.deepEqual(await removeApp(world.installation, again.session, second, home(maria)), { kind: 'last' });
    assert.equal((await world.account(maria)).epoch, epoch + 1, 'nothing was changed');
    assert.equal(await opens(world, two, other), true);
    assert.equal((await actionsOf(world, two)).filter((action) => action === 'authenticator.removed').length, 1);
    assert.ok((await queued(world, maria)).some(({ kind }) => kind === 'app-removed'));
  });

  test('that are another’s can be neither removed nor renamed', async () => {
    await using world = await openWorld(engine);
    const two = await withTwoApps(world, await mariaInside(world));
    const { maria, first, eve } = two;
    const thief = { ...two.session, account: await world.account(eve) };
    assert.deepEqual(await removeApp(world.installation, thief, first, home(eve)), { kind: 'nothing-to-do' });
    assert.equal(await renameApp(world.installation, thief, first, 'Mine', home(eve)), false);
    assert.deepEqual(
      (await activeApps(world.db, maria)).map(({ name }) => name),
      [null, 'Tablet'],
    );
  });

  test('are renamed without ending anything; the same name once more leaves no trace', async () => {
    await using world = await openWorld(engine);
    const one = await mariaInside(world);
    const { maria, session, first } = one;
    const { epoch } = await world.account(maria);
    for (const name of ['Work phone', 'Work phone', null])
      assert.equal(await renameApp(world.installation, session, first, name, home(maria)), true);
    assert.equal((await world.account(maria)).epoch, epoch);
    assert.equal((await actionsOf(world, one)).filter((action) => action === 'authenticator.renamed').length, 2);
  });
});
