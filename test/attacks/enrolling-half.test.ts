import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage, unchanged } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';

const STEPS = ['', '/verify', '/enable', '/backup-codes', '/backup-codes/download', '/done'];

eachEngine('enrolling from a half-signed-in state of an enrolled account (ASVS 2.3.1, 6.3.4)', (engine) => {
  test('leads back to the code at every step, whether by cookie, by address or by what a ceremony has left behind', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const one = await guest(person);
      await one.enables();
      const left = [...one.browser.cookies];
      await one.browser.post(`${one.door}/enable-mfa/done`);
      await one.password();
      await unchanged(world, async () => {
        for (const step of STEPS) {
          const fields = step === '/verify' ? { code: world.codeFor(one.secret) } : {};
          assert.equal(
            (await one.browser.post(`${one.door}/enable-mfa${step}`, fields)).location,
            `${one.door}/verify`,
          );
        }
        one.browser.cookies.clear();
        for (const [name, value] of left) one.browser.cookies.set(name, value);
        for (const step of STEPS)
          assert.equal((await one.browser.post(`${one.door}/enable-mfa${step}`)).location, `${one.door}/sign-in`);
      });
    }
  });
});
