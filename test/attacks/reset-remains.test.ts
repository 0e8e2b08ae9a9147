import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unchanged } from '../surface/front-door.ts';
import { eachEngine } from '../world.ts';
import { lay } from './siege.ts';

eachEngine('a reset that leaves something alive (ASVS 7.4.3, 6.5.6)', (engine) => {
  test('ends sessions, half-finished sign-ins, the app and the backup codes, wherever they are, at once', async () => {
    await using siege = await lay(engine);
    const { world, people, maria, half, ada } = siege;
    const byCode = await maria.elsewhere();
    await byCode.password();
    await byCode.backupCode(maria.codes[4] ?? '');
    const all = [maria, half, byCode].map((one) => ({ one, cookies: [...one.browser.cookies] }));
    const reset = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
    assert.equal((await ada.browser.post(reset, { check: 'met-in-person', note: '' })).status, 303);
    const [code, backup] = [maria.nextCode(), maria.codes[0] ?? ''];
    await unchanged(world, async () => {
      for (const { one, cookies } of all) {
        for (const [path, fields] of [
          ['home', undefined],
          ['security', undefined],
          ['backup-code-used', undefined],
          ['verify', { code }],
          ['verify/backup-code', { code: backup }],
          ['enable-mfa', {}],
          ['enable-mfa/enable', {}],
          ['enable-mfa/backup-codes', {}],
        ] as const) {
          for (const [name, value] of cookies) one.browser.cookies.set(name, value);
          const at = `/portal/acme/${path}`;
          const page = fields ? await one.browser.post(at, fields) : await one.browser.get(at);
          assert.equal(page.location, '/portal/acme/sign-in', path);
        }
        for (const [name, value] of cookies) one.browser.cookies.set(name, value);
        assert.equal((await one.browser.get('/portal/acme/session')).status, 401);
      }
    });
    const fresh = await maria.elsewhere();
    assert.equal((await fresh.password()).location, '/portal/acme/enable-mfa');
    assert.equal((await fresh.code(code)).location, '/portal/acme/enable-mfa');
    assert.equal((await fresh.backupCode(backup)).location, '/portal/acme/enable-mfa');
    const secrets = (await world.rows('authenticators')).filter((row) => row['account_id'] === people.maria.id);
    assert.ok(secrets.every((row) => row['secret'] === null));
  });
});
