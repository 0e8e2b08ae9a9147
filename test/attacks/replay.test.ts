import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirmed, GENERAL, refusedWith, stage, STEP_MS } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';

const SETTINGS = { policy: 'required', mfa: '', name: 'Acme', contactDetails: 'Call us' };

eachEngine('a code that is played again (ASVS 6.5.1, RFC 6238 §5.2)', (engine) => {
  test('opens no second sign-in: not at another browser, not by another spelling, not at the other page', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.enrols();
    await maria.password();
    const code = maria.nextCode();
    assert.equal((await maria.code(code)).location, '/portal/acme/home');
    for (const again of [code, ` ${code.slice(0, 3)}-${code.slice(3)}`]) {
      const thief = await maria.elsewhere();
      await thief.password();
      refusedWith(await thief.code(again), 422, /already been used/);
      refusedWith(await thief.browser.post('/portal/acme/verify/backup-code', { code: again }), 422, /12 numbers/);
      assert.equal((await thief.browser.get('/portal/acme/home')).location, '/portal/acme/sign-in');
    }
  });

  test('that proved the set-up opens no sign-in at either door, and no earlier one does', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const one = await guest(person);
      world.clock.advance(STEP_MS);
      await one.enrols();
      await one.password();
      for (const steps of [-1, 0]) assert.equal((await one.code(world.codeFor(one.secret, steps))).status, 422);
      assert.equal((await one.code(one.nextCode())).status, 303);
    }
  });

  test('across surfaces: a code of the sign-in confirms no act, and one that confirmed an act opens no sign-in', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const atPortal = await guest(people.maria);
    await atPortal.enrols();
    const ada = await guest(people.ada);
    await ada.enrols();
    await ada.signsIn();
    world.clock.advance(11 * MINUTE_MS);
    await atPortal.password();
    assert.equal((await atPortal.code(world.codeFor(ada.secret))).status, 422);
    const thief = await ada.elsewhere();
    await thief.password();
    const first = world.codeFor(ada.secret);
    await thief.code(first);
    assert.equal(thief.browser.page.location, '/admin');
    const asked = await ada.browser.post(GENERAL, SETTINGS);
    refusedWith(await confirmed(ada, asked, { code: first }), 422, /already been used/);
    const second = ada.nextCode();
    assert.equal((await confirmed(ada, asked, { code: second })).location, GENERAL);
    const other = await ada.elsewhere();
    await other.password();
    refusedWith(await other.code(second), 422, /already been used/);
  });

  test('of the backup sheet works neither again, nor at another account, nor to confirm an act', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await guest(people.ada);
    await ada.enrols();
    const [code = '', unused = ''] = ada.codes;
    await ada.password();
    assert.equal((await ada.backupCode(code)).status, 303);
    const thief = await ada.elsewhere();
    await thief.password();
    for (const again of [code, code.replaceAll('-', ''), code.replaceAll('-', ' ')])
      assert.equal((await thief.backupCode(again)).status, 422, again);
    const maria = await guest(people.maria);
    await maria.enrols();
    await maria.password();
    assert.equal((await maria.backupCode(unused)).status, 422);
    world.clock.advance(STEP_MS);
    const inside = await ada.elsewhere();
    await inside.signsIn();
    world.clock.advance(11 * MINUTE_MS);
    const asked = await inside.browser.post(GENERAL, SETTINGS);
    assert.equal((await confirmed(inside, asked, { code: unused })).status, 422);
    assert.equal((await world.rows('backup_codes')).filter((row) => row['used_at'] !== null).length, 1);
  });
});
