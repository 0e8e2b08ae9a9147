import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { setPassword } from '../../src/auth/passwords.ts';
import { enrolled, Guest, refusedWith, stage, type Stage } from '../surface/front-door.ts';
import { acme, setPolicy } from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

const COOKIE = '__Host-sallyport-device';

eachEngine('a trusted device in the wrong hands', (engine) => {
  test('whose cookie Eve has copied, with the password: whoever comes second ends it for both', async () => {
    await using scene = await trusting(engine);
    const { maria, world } = scene;
    const eve = await thief(maria);
    await eve.password();
    assert.equal(eve.browser.page.location, `${eve.door}/home`, 'she has both of what is asked for');
    world.clock.advance(HOUR_MS);
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/verify`, 'Maria is asked for a code');
    assert.equal((await eve.browser.get(`${eve.door}/home`)).location, `${eve.door}/sign-in`, 'and Eve is out');
    await eve.password();
    assert.equal(eve.browser.page.location, `${eve.door}/verify`);
    const replays = (await world.audit(maria.person)).filter(({ action }) => action === 'device.replayed');
    assert.equal(replays.length, 1);
  });

  test('whose cookie Eve has without the password opens nothing, and she can end nothing with it', async () => {
    await using scene = await trusting(engine);
    const { maria, world } = scene;
    const eve = await thief(maria);
    await maria.password();
    world.clock.advance(HOUR_MS);
    for (const path of ['/home', '/security', '/verify', '/session']) {
      const { status } = await eve.browser.get(`${eve.door}${path}`);
      assert.ok(status === 303 || status === 401, `${path}: ${status}`);
    }
    refusedWith(await eve.password('a guess at her password'), 422, /isn't right/);
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/home`);
  });

  test('is no fresh proof: what asks for one asks for the code, and the password alone does not do', async () => {
    await using scene = await trusting(engine);
    const { maria } = scene;
    await maria.password();
    const page = await maria.browser.get(`${maria.door}/confirm`);
    assert.match(page.text, /name="code"/);
    refusedWith(
      await maria.browser.post(`${maria.door}/confirm`, { form: '', password: maria.person.password, code: '' }),
      422,
      /Enter the code/,
    );
  });

  test('whose cookie is sent to the console, or in the place of another cookie, is nobody', async () => {
    await using scene = await trusting(engine);
    const { maria, people } = scene;
    const value = maria.browser.cookies.get(COOKIE) ?? '';
    const ada = await enrolled(scene.guest(people.ada));
    for (const name of [
      COOKIE,
      '__Host-sallyport-admin-device',
      '__Host-sallyport-admin',
      '__Host-sallyport-admin-challenge',
    ])
      ada.browser.cookies.set(name, value);
    await ada.password();
    assert.equal(ada.browser.page.location, '/admin/verify');
    const eve = await maria.elsewhere();
    for (const name of ['__Host-sallyport', '__Host-sallyport-challenge', 'sallyport-device']) {
      eve.browser.cookies.clear();
      eve.browser.cookies.set(name, value);
      assert.equal((await eve.browser.get(`${eve.door}/home`)).location, `${eve.door}/sign-in`);
      await eve.password();
      assert.equal(eve.browser.page.location, `${eve.door}/verify`, name);
    }
  });

  test('that Eve has planted is hers, and gives her nothing of whoever types; ticking makes another one', async () => {
    await using scene = await trusting(engine);
    const { maria, people } = scene;
    const eve = await enrolled(scene.guest(people.eve));
    await ticks(eve);
    const planted = eve.browser.cookies.get(COOKIE) ?? '';
    maria.browser.cookies.set(COOKIE, planted);
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/verify`);
    await maria.browser.post(`${maria.door}/verify`, { code: maria.nextCode(), trust: 'on' });
    const own = maria.browser.cookies.get(COOKIE) ?? '';
    assert.equal(own.slice(0, 37), planted.slice(0, 37), 'the organization is the same');
    assert.notEqual(own.slice(37, 80), planted.slice(37, 80), 'and nothing else is');
    const other = await maria.elsewhere();
    other.browser.cookies.set(COOKIE, planted);
    await other.password();
    assert.equal(other.browser.page.location, `${other.door}/verify`);
    await eve.password();
    assert.equal(eve.browser.page.location, `${eve.door}/home`, 'hers is untouched');
  });

  test("opens nothing of the same person's at another merchant's portal", async () => {
    await using scene = await trusting(engine);
    const { maria, world } = scene;
    const rival = await acme(world.installation, 'rival');
    await setPolicy(world.installation, rival.organization, 'required');
    await allow(world, rival.organization);
    const there = await enrolled(Promise.resolve(new Guest(world, rival.maria, 'rival', await world.visitor())));
    const value = maria.browser.cookies.get(COOKIE) ?? '';
    for (const cookie of [value, value.replace(scene.people.organization.id, rival.organization.id)]) {
      there.browser.cookies.set(COOKIE, cookie);
      await there.password();
      assert.equal(there.browser.page.location, `${there.door}/verify`);
    }
    await maria.password();
    assert.equal(maria.browser.page.location, `${maria.door}/home`);
  });

  test('ends with her password, though Eve brings the device and learns the new one', async () => {
    await using scene = await trusting(engine);
    const { maria, world } = scene;
    const { installation } = world;
    const eve = await thief(maria);
    const account = await world.account(maria.person);
    assert.equal(await setPassword(installation, OPERATOR, account, 'seven quiet llamas knit', []), undefined);
    await eve.password('seven quiet llamas knit');
    assert.equal(eve.browser.page.location, `${eve.door}/verify`);
    await maria.password('seven quiet llamas knit');
    assert.equal(maria.browser.page.location, `${maria.door}/verify`);
    assert.ok(!(await world.audit(maria.person)).some(({ action }) => action === 'device.replayed'));
  });

  test('lasts no longer however often it is used', async () => {
    await using scene = await trusting(engine);
    const { maria, world } = scene;
    for (let day = 0; day < 29; day += 7) {
      world.clock.advance(7 * DAY_MS);
      await maria.password();
    }
    assert.equal(maria.browser.page.location, `${maria.door}/verify`, 'after 35 days');
  });
});

interface Scene extends Stage, AsyncDisposable {
  readonly world: World;
  readonly maria: Guest;
}

/** Maria, in a browser that she has ticked the box in, at a portal that allows 30 days. */
async function trusting(engine: Engine): Promise<Scene> {
  const world = await openWorld(engine);
  const { people, guest } = await stage(world);
  await allow(world, people.organization);
  const maria = await enrolled(guest(people.maria));
  await ticks(maria);
  return { world, people, guest, maria, [Symbol.asyncDispose]: () => world.close() };
}

async function allow({ installation }: World, organization: Stage['people']['organization']): Promise<void> {
  await saveChoices(installation, OPERATOR, organization.id, { ...organization, trustedDeviceDays: 30 });
}

async function ticks(guest: Guest): Promise<void> {
  await guest.password();
  await guest.browser.post(`${guest.door}/verify`, { code: guest.nextCode(), trust: 'on' });
  assert.equal(guest.browser.page.location, `${guest.door}/home`, guest.browser.page.text);
  await guest.browser.post(`${guest.door}/sign-out`);
  guest.world.clock.advance(MINUTE_MS);
}

/** Another browser with a copy of the device's cookie, at which everything of hers is typed. */
async function thief(victim: Guest): Promise<Guest> {
  const eve = await victim.elsewhere();
  eve.browser.cookies.set(COOKIE, victim.browser.cookies.get(COOKIE) ?? '');
  return eve;
}
