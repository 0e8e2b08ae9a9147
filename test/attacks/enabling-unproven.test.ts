import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';

eachEngine('enabling without a proof (ASVS 2.3.1, 7.5.1)', (engine) => {
  test('is impossible with no code, a wrong one, one of another phone, or one that was right for a secret of before', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const noor = await guest(people.noor);
    const maria = await guest(people.maria);
    await noor.password();
    await noor.configures();
    await maria.password();
    await maria.configures();
    const old = noor.secret;
    await noor.password();
    await noor.configures();
    for (const code of ['', noor.wrongCode(), world.codeFor(maria.secret), world.codeFor(old), '1234-5678-9012']) {
      assert.equal((await noor.verifies(code)).status, 422, code);
      const enabled = await noor.browser.post('/portal/acme/enable-mfa/enable');
      assert.equal(enabled.location, '/portal/acme/enable-mfa/scan', code);
    }
    assert.ok((await world.rows('authenticators')).every((row) => row['enabled_at'] === null));
    assert.deepEqual(await world.rows('backup_code_sets'), []);
    await noor.verifies();
    assert.equal((await noor.browser.post('/portal/acme/enable-mfa/enable')).status, 303);
  });

  test('is impossible with the proof of another: what Maria has proven, Noor cannot enable', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    await maria.configures();
    await maria.verifies();
    const noor = await guest(people.noor);
    await noor.password();
    await noor.configures();
    await noor.browser.post('/portal/acme/enable-mfa/enable');
    assert.ok((await world.rows('authenticators')).every((row) => row['enabled_at'] === null));
  });
});
