import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage, unchanged, inside } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';

const STEPS = ['', '/verify', '/enable', '/backup-codes', '/backup-codes/download', '/done'];

eachEngine('enrolling over an active factor (ASVS 7.5.1, 6.3.4)', (engine) => {
  test('is impossible with an enrolment that began before it: enabling one ends every other', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const victim = await guest(person);
      const thief = await victim.elsewhere();
      await thief.password();
      await thief.configures();
      await thief.verifies();
      await victim.enrols();
      const { secret } = victim;
      await unchanged(world, async () => {
        for (const step of STEPS) {
          const page = await thief.browser.post(
            `${thief.door}/enable-mfa${step}`,
            step === '/verify' ? { code: '123456' } : {},
          );
          assert.equal(page.location, `${thief.door}/sign-in`, step);
        }
        for (const page of ['', '/scan', '/qr.svg', '/verify', '/enable', '/backup-codes'])
          assert.equal((await thief.browser.get(`${thief.door}/enable-mfa${page}`)).status, 303, page);
      });
      await victim.signsIn();
      assert.deepEqual(victim.secret, secret);
      const active = (await world.rows('authenticators')).filter(
        (row) => row['account_id'] === person.id && row['enabled_at'] !== null && row['revoked_at'] === null,
      );
      assert.equal(active.length, 1);
    }
  });

  test('is impossible from a session, which opens no ceremony by itself', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const one = await inside(guest(person));
      await unchanged(world, async () => {
        for (const step of STEPS)
          assert.equal((await one.browser.post(`${one.door}/enable-mfa${step}`)).location, `${one.door}/sign-in`, step);
      });
    }
  });
});
