import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import type { VisitorOptions } from '../visitor.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';
import { enrolled, inside, ownAddress, refusedWith, stage, unchanged, type Guest, type Stage } from './front-door.ts';

const COOKIE = '__Host-sallyport-device';
const PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1';

eachEngine("the box “Don't ask again on this device”", (engine) => {
  test('stands beside the code with nothing ticked, and says for how long', async () => {
    await using scene = await portal(engine, 14);
    const maria = await enrolled(scene.guest(scene.people.maria));
    await maria.password();
    const { text } = await maria.browser.follow();
    assert.match(text, /Don&#39;t ask again on this device for 14 days/);
    assert.match(text, /Only on a device that is yours/);
    const [box = ''] = /<input[^>]*id="trust"[^>]*>/.exec(text) ?? [];
    assert.ok(box !== '' && !box.includes('checked'), box);
  });

  test('is not there for staff, beside a backup code, or where the organization allows none', async () => {
    await using scene = await portal(engine, 14);
    const ada = await enrolled(scene.guest(scene.people.ada));
    await ada.password();
    assert.ok(!(await ada.browser.follow()).text.includes('id="trust"'));
    const maria = await enrolled(scene.guest(scene.people.maria));
    await maria.password();
    assert.ok(!(await maria.browser.get(`${maria.door}/verify/backup-code`)).text.includes('id="trust"'));
    await allow(scene, null);
    assert.ok(!(await maria.browser.get(`${maria.door}/verify`)).text.includes('id="trust"'));
  });

  test('need not be in the form: a password manager sends the code alone, and no device is trusted (R3)', async () => {
    await using scene = await portal(engine);
    const maria = await inside(scene.guest(scene.people.maria));
    assert.ok(!maria.browser.cookies.has(COOKIE));
    assert.deepEqual(await scene.world.rows('trusted_devices'), []);
  });

  test('stays ticked through a wrong code, and is worth nothing before a right one', async () => {
    await using scene = await portal(engine);
    const maria = await enrolled(scene.guest(scene.people.maria));
    await maria.password();
    for (const code of [maria.wrongCode(), '12']) {
      const page = await maria.browser.post(`${maria.door}/verify`, { code, trust: 'on' });
      assert.match(page.text, /id="trust"[^>]*checked/);
      assert.ok(!maria.browser.cookies.has(COOKIE));
    }
    assert.deepEqual(await scene.world.rows('trusted_devices'), []);
  });

  test('makes a cookie for as many days, and for nobody but the server to read', async () => {
    await using scene = await portal(engine, 14);
    const maria = await enrolled(scene.guest(scene.people.maria));
    await maria.password();
    const { headers } = await maria.browser.post(`${maria.door}/verify`, { code: maria.nextCode(), trust: 'on' });
    const set = headers.getSetCookie().find((line) => line.startsWith(`${COOKIE}=`)) ?? '';
    for (const part of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/', `Max-Age=${(14 * DAY_MS) / 1000}`])
      assert.ok(set.includes(part), `${set} has ${part}`);
    assert.ok(!/domain/i.test(set));
  });

  test('ticked beside a backup code trusts nothing', async () => {
    await using scene = await portal(engine);
    const maria = await enrolled(scene.guest(scene.people.maria));
    await maria.password();
    await maria.browser.post(`${maria.door}/verify`, { code: maria.codes[0] ?? '', trust: 'on' });
    assert.equal(maria.browser.page.location, `${maria.door}/backup-code-used`);
    assert.ok(!maria.browser.cookies.has(COOKIE));
    const other = await maria.elsewhere();
    await other.password();
    refusedWith(
      await other.browser.post(`${other.door}/verify/backup-code`, { code: '1', trust: 'on' }),
      422,
      /12 numbers/,
    );
    await other.browser.post(`${other.door}/verify/backup-code`, { code: maria.codes[1] ?? '', trust: 'on' });
    assert.equal(other.browser.page.location, `${other.door}/backup-code-used`);
    assert.deepEqual(await scene.world.rows('trusted_devices'), []);
  });
});

eachEngine('a trusted device at the door', (engine) => {
  test('is let in after the password, with a new cookie each time, also after signing out', async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    for (let time = 0; time < 3; time++) {
      await maria.browser.post(`${maria.door}/sign-out`);
      const before = maria.browser.cookies.get(COOKIE);
      assert.ok(before);
      await maria.password();
      assert.equal(maria.browser.page.location, `${maria.door}/home`);
      assert.notEqual(maria.browser.cookies.get(COOKIE), before);
      assert.equal((await maria.browser.follow()).h1, 'Documents');
    }
  });

  test('is told to the programs behind the door as what it is', async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    await maria.password();
    const told = JSON.parse((await maria.browser.get(`${maria.door}/session`)).text) as Record<string, unknown>;
    assert.equal(told['provedBy'], 'trusted-device');
    assert.equal(told['provedAt'], null);
  });

  test('does not speak for somebody else at the same browser, whose sign-in leaves it as it is', async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    const noor = await enrolled(scene.guest(scene.people.noor));
    noor.browser.cookies.clear();
    for (const [name, value] of maria.browser.cookies) noor.browser.cookies.set(name, value);
    await noor.password();
    assert.equal(noor.browser.page.location, `${noor.door}/verify`);
    await noor.code(noor.nextCode());
    assert.equal(noor.browser.cookies.get(COOKIE), maria.browser.cookies.get(COOKIE));
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/home`);
  });
});

eachEngine("“Devices we don't ask for a code on”", (engine) => {
  test('is on her security page where the organization allows devices, and tells which, where and until when', async () => {
    await using scene = await portal(engine);
    const maria = await inside(scene.guest(scene.people.maria, { userAgent: PHONE }));
    const security = `${maria.door}/security`;
    assert.match((await maria.browser.get(security)).text, /<h2[^>]*>Devices we[\s\S]*None\. You can tick a box/);
    const other = await maria.elsewhere({ userAgent: PHONE, address: '192.0.2.44' });
    await ticks(other);
    const { text } = await maria.browser.get(security);
    const [, table = ''] = /<table[^>]*id="devices"([\s\S]*?)<\/table>/.exec(text) ?? [];
    assert.match(table || text, /Safari on iOS[\s\S]*192\.0\.2\.44[\s\S]*24 December 2026/);
    await allow(scene, null);
    assert.doesNotMatch((await maria.browser.get(security)).text, /<h2[^>]*>Devices we/);
  });

  test('has Remove, after which that browser owes a code again', async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    const { text } = await maria.browser.get(`${maria.door}/security`);
    const [path = ''] = /\/portal\/acme\/security\/devices\/[^"]+\/remove/.exec(text) ?? [];
    await maria.browser.post(path);
    assert.match(
      (await maria.browser.follow()).notices.join(),
      /Removed\. You are asked for a code there the next time/,
    );
    await maria.browser.post(path);
    assert.match((await maria.browser.follow()).notices.join(), /We asked for a code there already/);
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/verify`);
    const removals = (await scene.world.audit(maria.person)).filter(({ action }) => action === 'device.removed');
    assert.deepEqual(
      removals.map(({ actorId }) => actorId),
      [maria.person.id],
    );
  });

  test("removes no device of a colleague's", async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    const noor = await inside(scene.guest(scene.people.noor));
    const [device] = await scene.world.rows('trusted_devices');
    await unchanged(scene.world, () =>
      noor.browser.post(`${noor.door}/security/devices/${String(device?.['id'])}/remove`),
    );
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/home`);
  });
});

eachEngine("a contact's devices at the console", (engine) => {
  test('stand on the customer’s page; support removes one, and the auditor sees them', async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    const sam = await inside(scene.guest(scene.people.sam));
    const otto = await inside(scene.guest(scene.people.otto));
    const page = `/admin/customers/${scene.people.globex.id}`;
    const seen = (await otto.browser.get(page)).text;
    assert.match(seen, /Where Maria Silva skips the code/);
    assert.ok(!seen.includes('/devices/'));
    const [path = ''] =
      /\/admin\/customers\/[^"]+\/devices\/[^"]+\/remove/.exec((await sam.browser.get(page)).text) ?? [];
    await unchanged(scene.world, async () => assert.equal((await otto.browser.post(path)).status, 403));
    await sam.browser.post(path);
    assert.match((await sam.browser.follow()).notices.join(), /Maria Silva is asked for a code there/);
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/verify`);
    const removals = (await scene.world.audit(maria.person)).filter(({ action }) => action === 'device.removed');
    assert.deepEqual(
      removals.map(({ actorId }) => actorId),
      [scene.people.sam.id],
    );
  });

  test('are counted where she, or everybody, is signed out, also while she is in nowhere', async () => {
    await using scene = await portal(engine);
    const maria = await trusted(scene);
    await maria.browser.post(`${maria.door}/sign-out`);
    const ada = await inside(scene.guest(scene.people.ada));
    const all = await ada.browser.get('/admin/settings/customer-portal/general/sign-everyone-out');
    assert.match(all.text, /1 device that skips the code asks for it again/);
    const path = `/admin/customers/${scene.people.globex.id}/contacts/${scene.people.maria.id}/sign-out`;
    assert.match((await ada.browser.get(path)).text, /asked for a code again on 1 device that skipped it/);
    await ada.browser.post(path);
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/verify`);
    const ended = (await scene.world.audit(maria.person)).find(({ action }) => action === 'sessions.ended');
    assert.deepEqual(JSON.parse(ended?.details ?? ''), { sessions: 0, devices: 1 });
  });
});

interface Scene extends Stage, AsyncDisposable {
  readonly world: World;
}

/** Acme, which asks for MFA and lets customers skip the code on their own devices. */
async function portal(engine: Engine, days = 30): Promise<Scene> {
  const world = await openWorld(engine);
  const scene = { world, ...(await stage(world)), [Symbol.asyncDispose]: () => world.close() };
  await allow(scene, days);
  return scene;
}

async function allow({ world, people }: Scene, trustedDeviceDays: number | null): Promise<void> {
  const choices = { ...people.organization, trustedDeviceDays };
  await saveChoices(world.installation, OPERATOR, people.organization.id, choices);
}

/** Maria, inside in a browser that she has ticked the box in. */
async function trusted(scene: Scene, options: VisitorOptions = {}): Promise<Guest> {
  const maria = await enrolled(scene.guest(scene.people.maria, { address: ownAddress(), ...options }));
  await ticks(maria);
  return maria;
}

async function ticks(guest: Guest): Promise<void> {
  await guest.password();
  await guest.browser.post(`${guest.door}/verify`, { code: guest.nextCode(), trust: 'on' });
  assert.equal(guest.browser.page.location, `${guest.door}/home`, guest.browser.page.text);
  guest.world.clock.advance(MINUTE_MS);
}
