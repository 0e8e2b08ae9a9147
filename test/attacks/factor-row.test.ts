import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setPolicy } from '../acme.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import { stage, enrolled, inside } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';

/** What a broken disk, a half restored table or a hand in the database can do to the row of Maria's authenticator. */
const DAMAGE: [what: string, damage: (id: string) => Sql][] = [
  ['is gone', (id) => sql`DELETE FROM authenticators WHERE account_id = ${id}`],
  ['is marked as never enabled', (id) => sql`UPDATE authenticators SET enabled_at = NULL WHERE account_id = ${id}`],
  [
    'is marked as revoked',
    (id) => sql`UPDATE authenticators SET revoked_at = 1, secret = NULL WHERE account_id = ${id}`,
  ],
  ['is marked as a passkey', (id) => sql`UPDATE authenticators SET kind = 'passkey' WHERE account_id = ${id}`],
  ['has an unreadable secret', (id) => sql`UPDATE authenticators SET secret = 'v1.x' WHERE account_id = ${id}`],
  ['has an empty secret', (id) => sql`UPDATE authenticators SET secret = '' WHERE account_id = ${id}`],
];

eachEngine('a factor row that is missing or unreadable (ASVS 16.5.3, 6.3.4)', (engine) => {
  for (const [what, damage] of DAMAGE)
    for (const policy of ['required', 'off'] as const)
      test(`never fails open: where Maria’s ${what} and the policy is ${policy}, her password opens neither session nor enrolment`, async () => {
        await using world = await openWorld(engine);
        const { people, guest } = await stage(world);
        const maria = await enrolled(guest(people.maria));
        await setPolicy(world.installation, people.organization, policy);
        const code = maria.nextCode();
        await world.change(damage(people.maria.id));
        assert.equal((await maria.password()).location, '/portal/acme/verify');
        for (const path of ['home', 'security', 'enable-mfa', 'enable-mfa/scan'])
          assert.notEqual((await maria.browser.get(`/portal/acme/${path}`)).status, 200, path);
        assert.equal((await maria.browser.post('/portal/acme/enable-mfa')).location, '/portal/acme/verify');
        const answered = await maria.code(code);
        assert.ok([422, 500].includes(answered.status), `${answered.status} ${answered.location}`);
        assert.deepEqual(await world.rows('sessions'), []);
      });

  for (const [what, damage] of DAMAGE.slice(0, 4))
    test(`never fails open where Maria made no backup codes either and her authenticator ${what}, and a reset by staff ends it`, async () => {
      await using world = await openWorld(engine);
      const { people, guest } = await stage(world);
      const maria = await guest(people.maria);
      await maria.password();
      await maria.configures();
      await maria.verifies();
      await maria.browser.post('/portal/acme/enable-mfa/enable');
      await maria.browser.post('/portal/acme/enable-mfa/done');
      await world.change(damage(people.maria.id));
      assert.equal((await maria.password()).location, '/portal/acme/verify');
      assert.equal((await maria.code(maria.nextCode())).status, 422);
      assert.deepEqual(await world.rows('sessions'), []);
      const ada = await guest(people.ada);
      await ada.enrols();
      await ada.signsIn();
      const reset = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
      assert.equal((await ada.browser.post(reset, { check: 'met-in-person', note: '' })).status, 303);
      assert.equal((await maria.password()).location, '/portal/acme/enable-mfa');
    });

  test('leaves the other factor and the way back: a backup code opens, and a reset by staff ends it', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const ada = await inside(guest(people.ada));
    await world.change(sql`DELETE FROM authenticators WHERE account_id = ${people.maria.id}`);
    await maria.password();
    assert.equal((await maria.backupCode(maria.codes[0] ?? '')).location, '/portal/acme/backup-code-used');
    const reset = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
    assert.equal((await ada.browser.get(reset)).status, 200);
    assert.equal((await ada.browser.post(reset, { check: 'met-in-person', note: '' })).status, 303);
    assert.equal((await maria.password()).location, '/portal/acme/enable-mfa');
  });

  test('of backup codes opens nothing either: a garbled one is a fault, a missing set is a wrong code', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    await world.change(sql`UPDATE backup_codes SET hash = 'v1.x'`);
    assert.equal((await maria.backupCode(maria.codes[0] ?? '')).status, 500);
    await world.change(sql`DELETE FROM backup_codes`);
    assert.equal((await maria.backupCode(maria.codes[0] ?? '')).status, 422);
    await world.change(sql`DELETE FROM backup_code_sets`);
    assert.equal((await maria.backupCode(maria.codes[0] ?? '')).status, 422);
    assert.deepEqual(await world.rows('sessions'), []);
    assert.equal((await maria.code(maria.nextCode())).location, '/portal/acme/home');
  });

  test('of the password opens nothing: garbled it is a fault, missing it is a wrong password', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'off');
    const noor = await guest(people.noor);
    await world.change(sql`UPDATE accounts SET password = 'v1.x' WHERE id = ${people.noor.id}`);
    assert.equal((await noor.password()).status, 500);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${people.noor.id}`);
    assert.equal((await noor.password()).status, 422);
    assert.equal((await noor.password('')).status, 422);
    assert.deepEqual([...noor.browser.cookies], []);
  });
});
