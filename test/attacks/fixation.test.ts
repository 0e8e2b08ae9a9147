import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirmed, GENERAL, stage, enrolled, inside } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';

eachEngine('session fixation (ASVS 7.2.4)', (engine) => {
  test('at both doors nothing that stood in the cookie before becomes a session, planted, shortened or prefixed', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const victim = await enrolled(guest(person));
      const name = person.surface === 'admin' ? '__Host-sallyport-admin' : '__Host-sallyport';
      const planted = [`${person.organizationId}.${'p'.repeat(43)}`, `${person.organizationId}.`, '.', 'p'.repeat(43)];
      for (const cookie of planted) {
        victim.browser.cookies.clear();
        victim.browser.cookies.set(name, cookie);
        await victim.signsIn();
        assert.notEqual(victim.browser.cookies.get(name), cookie);
        const eve = await victim.elsewhere();
        eve.browser.cookies.set(name, cookie);
        assert.equal((await eve.browser.get(victim.door)).location, `${victim.door}/sign-in`);
      }
    }
  });

  test('a challenge that Eve has planted opens her account and not the one of whoever types', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const [maria, eve] = [await guest(people.maria), await guest(people.eve)];
    await maria.enrols();
    await eve.enrols();
    await eve.password();
    maria.browser.cookies.clear();
    for (const [name, value] of eve.browser.cookies) maria.browser.cookies.set(name, value);
    assert.equal((await maria.code(maria.nextCode())).status, 422);
    await maria.password();
    const own = maria.browser.cookies.get('__Host-sallyport-challenge');
    assert.notEqual(own, eve.browser.cookies.get('__Host-sallyport-challenge'));
  });

  test('a token is new at the second door and at every fresh proof, and the one before is dead', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const before = ada.browser.cookies.get('__Host-sallyport-admin') ?? '';
    world.clock.advance(11 * MINUTE_MS);
    const act = { policy: 'required', mfa: '', name: 'Acme', contactDetails: 'Call us' };
    assert.equal((await confirmed(ada, await ada.browser.post(GENERAL, act))).location, GENERAL);
    const eve = await ada.elsewhere();
    eve.browser.cookies.set('__Host-sallyport-admin', before);
    assert.equal((await eve.browser.get('/admin')).location, '/admin/sign-in');
    assert.equal((await ada.browser.get('/admin')).status, 200);
  });
});
