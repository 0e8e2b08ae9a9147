import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findContact } from '../../src/accounts/contacts.ts';
import { deleteContact } from '../../src/accounts/deletion.ts';
import { signEveryoneOut } from '../../src/accounts/organizations.ts';
import { setPortalAccess, unlock } from '../../src/auth/access.ts';
import { signOutElsewhere, signOutEverywhere } from '../../src/auth/end-sessions.ts';
import { sweep } from '../../src/auth/housekeeping.ts';
import { waits } from '../../src/auth/limits.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { closeRestored } from '../../src/auth/restored.ts';
import { findSession, type Session } from '../../src/auth/sessions.ts';
import { signOut } from '../../src/auth/sign-in.ts';
import { removeDevice, trustedDevices } from '../../src/auth/trusted-devices.ts';
import { sql } from '../../src/db/db.ts';
import { acme, enrol, guesses, home, setPolicy } from '../acme.ts';
import { acmeWithDevices, comesBack, isAsked, isLetIn, timesOf, trusts, type DeviceScene } from '../devices.ts';
import { DAY_MS, eachEngine, type World } from '../world.ts';

eachEngine('the trust in a device', (engine) => {
  const ends: Record<string, (scene: DeviceScene) => Promise<unknown>> = {
    'a new password, though it be the old one': newPassword,
    'a reset of her MFA': async (scene) => {
      const { world, people } = scene;
      const account = await world.account(people.maria);
      const reason = { check: 'met-in-person', note: '' } as const;
      await resetMfa(world.installation, OPERATOR, 'operator', account, reason);
      scene.secret = (await enrol(world.installation, people.maria)).secret;
    },
    'portal access turned off and on': async ({ world, people }) => {
      await setPortalAccess(world.installation, OPERATOR, await world.account(people.maria), false);
      await setPortalAccess(world.installation, OPERATOR, await world.account(people.maria), true);
    },
    'any raised epoch, though nobody put the device away': async ({ world, people }) =>
      world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${people.maria.id}`),
    'signing her out everywhere': async ({ world, people }) =>
      assert.deepEqual(await signOutEverywhere(world.installation, OPERATOR, people.maria), {
        sessions: 1,
        devices: 1,
      }),
    'signing everyone out': async ({ world, people }) =>
      signEveryoneOut(world.installation, OPERATOR, people.organization.id, { contacts: 1, sessions: 1 }),
    'a restored backup': async ({ world }) => closeRestored(world.installation, OPERATOR, { revokeBackupCodes: false }),
    'Remove on her security page': async ({ world, people: { maria: her } }) => {
      const [device] = await trustedDevices(world.db, her, world.clock.now);
      assert.equal(await removeDevice(world.installation, OPERATOR, her, device?.id ?? ''), true);
      assert.equal(await removeDevice(world.installation, OPERATOR, her, device?.id ?? ''), false);
    },
    'ten devices that were trusted after it': async (scene) => {
      for (let n = 0; n < 10; n++) await trusts(scene);
    },
  };

  for (const [what, happens] of Object.entries(ends)) {
    test(`is ended by ${what}`, async () => {
      await using scene = await acmeWithDevices(engine);
      const trust = await trusts(scene);
      await happens(scene);
      await isAsked(scene, trust);
      assert.equal(await timesOf(scene, 'device.replayed'), 0);
    });
  }

  test('of this browser outlives Sign out everywhere else, and of another one it does not', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world } = scene;
    const [own, other] = [await trusts(scene), await trusts(scene)];
    const here = await isLetIn(scene, own);
    const session = await sessionOf(world, here.cookie);
    await signOutElsewhere(world.installation, OPERATOR, session, here.trust.cookie);
    await isLetIn(scene, here.trust);
    await isAsked(scene, other);
    const ended = (await world.audit(scene.people.maria)).findLast(({ action }) => action === 'sessions.ended');
    assert.deepEqual(JSON.parse(ended?.details ?? ''), { sessions: 2, devices: 1 });
  });

  test('outlives signing out, a policy that changes, and nine more devices', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world, people } = scene;
    const trust = await trusts(scene);
    const inside = await isLetIn(scene, trust);
    await signOut(world.installation, await sessionOf(scene.world, inside.cookie), inside.cookie, home(people.maria));
    await setPolicy(world.installation, people.organization, 'optional');
    for (let n = 0; n < 9; n++) await trusts(scene);
    await isLetIn(scene, inside.trust);
  });

  test("is nobody else's to end", async () => {
    await using scene = await acmeWithDevices(engine);
    const { world, people } = scene;
    const trust = await trusts(scene);
    const [device] = await trustedDevices(world.db, people.maria, world.clock.now);
    const rival = await acme(world.installation, 'rival');
    for (const other of [people.eve, { ...people.maria, organizationId: rival.organization.id }])
      assert.equal(await removeDevice(world.installation, OPERATOR, other, device?.id ?? ''), false);
    await isLetIn(scene, trust);
  });

  test('goes with the contact, and is swept a month after its end', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world, people } = scene;
    const { until } = await trusts(scene);
    await trusts(scene);
    const [device] = await trustedDevices(world.db, people.maria, world.clock.now);
    await removeDevice(world.installation, OPERATOR, people.maria, device?.id ?? '');
    world.clock.advance(30 * DAY_MS);
    await sweep(world.installation);
    assert.equal((await world.rows('trusted_devices')).length, 1);
    world.clock.advance(until + 30 * DAY_MS - world.clock.now);
    await sweep(world.installation);
    assert.deepEqual(await world.rows('trusted_devices'), []);
    await trusts(scene);
    const contact = await findContact(world.db, people.organization.id, people.globex.id, people.maria.id);
    assert.ok(contact);
    assert.equal(await deleteContact(world.installation, OPERATOR, contact, 'left the company'), true);
    assert.deepEqual(await world.rows('trusted_devices'), []);
  });
});

eachEngine('wrong codes', (engine) => {
  test('that make Eve wait keep Maria out of nothing on her device, and it forgets none of them (I6, I21)', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world, people } = scene;
    const trust = await trusts(scene);
    const last = await guesses(world, people.maria, scene.secret, 6);
    assert.equal(last.kind, 'wrong');
    const counts = async () => ({
      ...(await waits(world.db, people.maria)),
      wrong: (await world.rows('accounts')).find(({ id }) => id === people.maria.id)?.['totp_wrong'],
    });
    const before = await counts();
    assert.equal(before.wrong, 6);
    assert.ok(before.totp > world.clock.now);
    await isLetIn(scene, trust);
    assert.deepEqual(await counts(), before);
    await isAsked(scene, { cookie: '' });
  });

  test('that make the password suspect close the device too, and it stays closed after Unlock', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world, people } = scene;
    const trust = await trusts(scene);
    assert.equal((await guesses(world, people.maria, scene.secret, 20)).kind, 'suspected');
    assert.equal((await comesBack(scene, trust)).kind, 'suspected');
    await unlock(world.installation, OPERATOR, await world.account(people.maria));
    await newPassword(scene);
    await isAsked(scene, trust);
  });
});

eachEngine('a clock that was set back', (engine) => {
  test('makes no device good again that has ended, and takes none for stolen (I22)', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world } = scene;
    const trust = await trusts(scene);
    await world.change(sql`INSERT INTO clock (id, seen_at) VALUES ('wall', ${world.clock.now + DAY_MS})
      ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`);
    await isAsked(scene, trust);
    assert.equal(await timesOf(scene, 'device.replayed'), 0);
    world.clock.advance(DAY_MS);
    await isLetIn(scene, trust);
  });
});

async function sessionOf({ db, clock }: World, cookie: string): Promise<Session> {
  const session = await findSession(db, 'portal', cookie, clock.now);
  assert.ok(session);
  return session;
}

async function newPassword({ world, people }: DeviceScene): Promise<void> {
  const argon2 = await hashNewPassword(world.installation, people.maria.password);
  const maria = await world.account(people.maria);
  await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, maria, argon2));
}
