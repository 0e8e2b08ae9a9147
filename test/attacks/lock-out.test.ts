import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirmed, GENERAL, stage, enrolled, inside } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';

eachEngine('lock-out as a weapon (ASVS 6.1.1, 6.3.1)', (engine) => {
  test('without the password moves no count, no challenge and no session of anybody, at either door', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const victim = await inside(guest(person));
      const half = await victim.elsewhere();
      await half.password();
      const state = async (): Promise<unknown> => [
        (await world.rows('accounts')).find(({ id }) => id === person.id),
        (await world.rows('challenges')).filter((row) => row['account_id'] === person.id),
        (await world.rows('sessions')).filter((row) => row['account_id'] === person.id).length,
      ];
      const before = await state();
      for (let at = 0; at < 30; at++) {
        const eve = await victim.elsewhere();
        await eve.password(`guess ${at}`);
        await eve.code('123456');
        await eve.backupCode('123456789012');
        await eve.browser.post(`${eve.door}/sign-out`);
        await eve.browser.post(`${eve.door}/enable-mfa`);
      }
      assert.deepEqual(await state(), before);
      assert.equal((await half.code(victim.nextCode())).status, 303, 'her half-finished sign-in goes on');
      assert.equal((await victim.browser.get(victim.door)).status, person.surface === 'admin' ? 200 : 303);
    }
  });

  test('with a stolen session of staff is a count of that session’s own account, and of nobody else’s', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const sam = await enrolled(guest(people.sam));
    world.clock.advance(11 * MINUTE_MS);
    const form = { policy: 'required', mfa: '', name: 'Acme', contactDetails: 'Call us' };
    const asked = await ada.browser.post(GENERAL, form);
    for (let at = 0; at < 12; at++) await confirmed(ada, asked, { password: `guess ${at}`, code: ada.wrongCode() });
    const row = (await world.rows('accounts')).find(({ id }) => id === people.ada.id);
    assert.deepEqual(
      [row?.['totp_wrong'], row?.['suspected_at']],
      [0, null],
      'no code is looked at before the password',
    );
    assert.equal((await sam.password()).location, '/admin/verify');
    const home = await ada.elsewhere();
    assert.equal((await home.password()).location, '/admin/verify');
  });

  test('with the password costs the thief’s tries only as long as they last: a wait ends by itself, and staff end it at once', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const sam = await inside(guest(people.sam));
    const thief = await maria.elsewhere();
    await thief.password();
    for (let at = 0; at < 5; at++) await thief.code(maria.wrongCode());
    await maria.password();
    assert.equal((await maria.code(maria.nextCode())).status, 303, 'half a minute later the wait is over');
    for (let at = 0; at < 5; at++) {
      const again = await maria.elsewhere();
      await again.password();
      await again.code(maria.wrongCode());
    }
    await maria.password();
    assert.equal((await maria.code(world.codeFor(maria.secret, 1))).status, 429);
    const unlock = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/unlock`;
    assert.equal((await sam.browser.post(unlock)).status, 303);
    assert.equal((await maria.code(world.codeFor(maria.secret, 1))).status, 303);
  });
});
