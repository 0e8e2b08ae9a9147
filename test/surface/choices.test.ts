import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOrganization, type Choices } from '../../src/accounts/organizations.ts';
import { sql } from '../../src/db/db.ts';
import type { Page } from '../visitor.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World, type WorldOptions, type Engine } from '../world.ts';
import { inside, refusedWith, SIGN_IN, stage, unchanged, type Guest, type Stage } from './front-door.ts';

const ASKED = { devices: 'on', days: '30', passkeys: 'off', confirmation: '', wait: '24' };

eachEngine('Settings › Customer Portal › Sign-in', (engine) => {
  test('is reached from the settings and from General', async () => {
    await using scene = await adaInside(engine);
    for (const path of ['/admin/settings', '/admin/settings/customer-portal/general'])
      assert.match((await scene.ada.browser.get(path)).text, new RegExp(`href="${SIGN_IN}"`));
  });

  test('keeps what Ada chooses, at once, and says in the log what that is', async () => {
    await using scene = await adaInside(engine);
    const form = {
      devices: 'on',
      days: ' 14 ',
      passkeys: 'second-factor',
      confirmation: 'on',
      wait: '48',
    };
    const page = await saved(scene, form);
    assert.equal(page.notices[0], 'Saved.');
    const choices = {
      trustedDeviceDays: 14,
      passkeys: 'second-factor',
      enrolmentConfirmation: 'required',
      recoveryWaitHours: 48,
    } as const;
    assert.deepEqual(await choicesOf(scene), choices);
    const [row] = await changes(scene);
    assert.deepEqual(JSON.parse(String(row?.['details'])), { changed: 'choices', ...choices });
    assert.match(page.text, /id="devices"[^>]*checked/);
    assert.match(page.text, /id="days"[^>]*value="14"/);
    assert.match(page.text, /id="passkeys-second-factor"[^>]*checked/);
    assert.match(page.text, /id="confirmation"[^>]*checked/);
    assert.match(page.text, /<option value="48"\s+selected>2 days/);
  });

  test('takes no box that is not ticked, and says that nothing has changed where nothing has', async () => {
    await using scene = await adaInside(engine);
    await saved(scene, ASKED);
    await saved(scene, { ...ASKED, devices: '' });
    assert.equal((await choicesOf(scene)).trustedDeviceDays, null);
    const page = await saved(scene, { ...ASKED, devices: '', days: 'many' });
    assert.match(page.notices.join(), /Nothing has changed/);
    assert.equal((await changes(scene)).length, 2);
  });

  test('refuses a number outside the limits beside its field, keeps what was typed, and saves nothing', async () => {
    await using scene = await adaInside(engine);
    for (const days of ['0', '181', '-1', '1.5', 'ten', '']) {
      const page = await unchanged(scene.world, () => scene.ada.browser.post(SIGN_IN, { ...ASKED, days }));
      refusedWith(page, 422, /Enter a number of days from 1 to 180/);
      assert.ok(page.text.includes(`value="${days}"`));
    }
    for (const wait of ['169', '', '-1', 'a day']) {
      const page = await unchanged(scene.world, () => scene.ada.browser.post(SIGN_IN, { ...ASKED, wait }));
      refusedWith(page, 422, /Choose how long a request waits/);
    }
  });

  test('offers the usual waits as people say them, and keeps another one that was set', async () => {
    await using scene = await adaInside(engine);
    assert.match(
      (await saved(scene, { ...ASKED, wait: '36' })).text,
      /Not at all<[\s\S]*>1 hour<[\s\S]*>24 hours<[\s\S]*selected>36 hours<[\s\S]*>7 days</,
    );
  });

  test('says how many devices skip the code, and how many of them fewer days would ask again', async () => {
    await using scene = await adaInside(engine);
    assert.match((await scene.ada.browser.get(SIGN_IN)).text, /No device skips the code today/);
    await saved(scene, ASKED);
    await devicesTrustedSince(scene, 2, 8, 8, 20);
    const { text } = await scene.ada.browser.get(SIGN_IN);
    assert.match(text, /4 devices skip the code today/);
    assert.match(text, /3 longer than 7 days, 1 longer than 14 days/);
  });

  test('asks who it is before it takes anything, says how many devices that is, and goes on by itself', async () => {
    await using scene = await adaInside(engine);
    const { ada, world } = scene;
    await saved(scene, ASKED);
    await devicesTrustedSince(scene, 2, 8, 20);
    world.clock.advance(11 * MINUTE_MS);
    const parked = await ada.browser.post(SIGN_IN, { ...ASKED, days: '7' });
    assert.match(parked.location ?? '', /^\/admin\/confirm\?form=/);
    assert.equal((await choicesOf(scene)).trustedDeviceDays, 30);
    const asks = await ada.browser.follow();
    assert.match(asks.text, /change how your customers sign in: 2 devices are asked for a code again/);
    const [, form = ''] = /name="form" value="([^"]+)"/.exec(asks.text) ?? [];
    await ada.browser.post('/admin/confirm', { form, password: ada.person.password, code: ada.nextCode() });
    const page = await ada.browser.follow();
    assert.match(page.notices.join(), /Saved\. From now on 2 devices are asked for a code again/);
    assert.equal((await choicesOf(scene)).trustedDeviceDays, 7);
    assert.match(page.text, /1 device skips the code today/);
  });

  test('brings no device back that has ended by it, whatever is allowed again later', async () => {
    await using scene = await adaInside(engine);
    await saved(scene, ASKED);
    await devicesTrustedSince(scene, 2, 8, 20);
    await saved(scene, { ...ASKED, days: '7' });
    await saved(scene, { ...ASKED, days: '90' });
    assert.match((await scene.ada.browser.get(SIGN_IN)).text, /1 device skips the code today/);
    await saved(scene, { ...ASKED, devices: '' });
    await saved(scene, ASKED);
    assert.match((await scene.ada.browser.get(SIGN_IN)).text, /No device skips the code today/);
  });

  test('says how many passkeys customers have, and that turning them off leaves those open nothing', async () => {
    await using scene = await adaInside(engine);
    await saved(scene, { ...ASKED, passkeys: 'sign-in' });
    assert.match((await scene.ada.browser.get(SIGN_IN)).text, /No customer has a passkey/);
    const { organizationId, id } = scene.people.maria;
    await scene.world
      .change(sql`INSERT INTO passkeys (organization_id, id, account_id, credential_id, public_key, sign_count,
        transports, backup, name, created_at)
      VALUES (${organizationId}, 'hers', ${id}, 'hers', 'key', 0, '', 'none', 'Phone', 1)`);
    assert.match((await scene.ada.browser.get(SIGN_IN)).text, /Customers have 1 passkey/);
    const page = await saved(scene, ASKED);
    assert.equal(page.notices[0], 'Saved. From now on 1 passkey opens nothing.');
  });

  test('tells how a new authenticator is confirmed, with mail and without', async () => {
    await using without = await adaInside(engine);
    assert.match((await without.ada.browser.get(SIGN_IN)).text, /the only way while mail is off.*SALLYPORT_SMTP_URL/s);
    await using mailed = await adaInside(engine, { mailIsOn: true });
    assert.match((await mailed.ada.browser.get(SIGN_IN)).text, /a link that is mailed to the address on file/);
  });

  test('is for the auditor to read, in words, and for nobody below admin to change', async () => {
    await using scene = await adaInside(engine);
    await saved(scene, { ...ASKED, passkeys: 'sign-in', wait: '72' });
    const otto = await inside(scene.guest(scene.people.otto));
    const { text } = await otto.browser.get(SIGN_IN);
    assert.match(text, /For 30 days[\s\S]*Instead of password and code[\s\S]*Works at once[\s\S]*3 days/);
    assert.ok(!text.includes('name="devices"'));
    const sam = await inside(scene.guest(scene.people.sam));
    await unchanged(scene.world, async () => {
      for (const { browser } of [otto, sam]) assert.equal((await browser.post(SIGN_IN, ASKED)).status, 403);
    });
  });
});

interface Scene extends Stage, AsyncDisposable {
  readonly world: World;
  readonly ada: Guest;
}

async function adaInside(engine: Engine, options: WorldOptions = {}): Promise<Scene> {
  const world = await openWorld(engine, options);
  const { people, guest } = await stage(world);
  const ada = await inside(guest(people.ada));
  return { world, people, guest, ada, [Symbol.asyncDispose]: () => world.close() };
}

async function saved({ ada }: Scene, form: Record<string, string>): Promise<Page> {
  const { status, text } = await ada.browser.post(SIGN_IN, form);
  assert.equal(status, 303, text);
  return ada.browser.follow();
}

async function choicesOf({ world, people }: Scene): Promise<Choices> {
  const organization = await findOrganization(world.db, people.organization.id);
  assert.ok(organization);
  const { trustedDeviceDays, passkeys, enrolmentConfirmation, recoveryWaitHours } = organization;
  return { trustedDeviceDays, passkeys, enrolmentConfirmation, recoveryWaitHours };
}

async function changes({ world }: Scene): Promise<Record<string, unknown>[]> {
  return (await world.rows('audit_rows')).filter((row) => row['action'] === 'settings.changed');
}

/** Devices of Maria's that were trusted for 180 days, so many days ago. */
async function devicesTrustedSince({ world, people: { maria } }: Scene, ...daysAgo: number[]): Promise<void> {
  for (const [at, days] of daysAgo.entries()) {
    const then = world.clock.now - days * DAY_MS;
    await world.change(sql`INSERT INTO trusted_devices (organization_id, id, account_id, series_hash, token_hash, epoch,
        session_epoch, created_at, last_used_at, expires_at, address, user_agent)
      SELECT a.organization_id, ${`device ${at}`}, a.id, ${`series ${at}`}, 'token', a.epoch, o.session_epoch, ${then}, ${then},
        ${then + 180 * DAY_MS}, '192.0.2.7', '' FROM accounts a JOIN organizations o ON o.id = a.organization_id
      WHERE a.id = ${maria.id}`);
  }
}
