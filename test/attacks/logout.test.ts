import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';

eachEngine('a logout that only clears the cookie (ASVS 7.4.1)', (engine) => {
  test('is none: session, challenge and ceremony are dead on the server, at both doors and every route', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const one = await guest(person);
      await one.password();
      await one.configures();
      const ceremony = [...one.browser.cookies];
      await one.browser.post(`${one.door}/sign-out`);
      for (const [name, value] of ceremony) one.browser.cookies.set(name, value);
      assert.equal((await one.browser.get(`${one.door}/enable-mfa/scan`)).location, `${one.door}/sign-in`);
      await one.enrols();
      await one.password();
      const half = [...one.browser.cookies];
      await one.browser.post(`${one.door}/sign-out`);
      for (const [name, value] of half) one.browser.cookies.set(name, value);
      assert.equal((await one.code(one.nextCode())).location, `${one.door}/sign-in`);
      await one.signsIn();
      const inside = [...one.browser.cookies];
      await one.browser.post(`${one.door}/sign-out`);
      assert.deepEqual(
        [...one.browser.cookies.keys()].filter((name) => !name.endsWith('notice')),
        [],
      );
      for (const [name, value] of inside) one.browser.cookies.set(name, value);
      assert.equal((await one.browser.get(one.door)).location, `${one.door}/sign-in`);
    }
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
  });
});
