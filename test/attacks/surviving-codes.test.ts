import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPassword } from '../../src/auth/passwords.ts';
import { eachEngine } from '../world.ts';
import { lay } from './siege.ts';

eachEngine(
  'codes that survive a reset, a new set-up or a new password (ASVS 6.5.1, 6.5.6, NIST 800-63B-4 §4.2.1)',
  (engine) => {
    test('open nothing: neither the old app nor the old sheet, also once MFA is set up again', async () => {
      await using siege = await lay(engine);
      const { people, maria, ada } = siege;
      const [old, sheet] = [maria.secret, [...maria.codes]];
      const reset = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
      await ada.browser.post(reset, { check: 'met-in-person', note: '' });
      await maria.enrols();
      assert.notDeepEqual(maria.secret, old);
      const now = maria.nextCode();
      const one = await maria.elsewhere();
      await one.password();
      assert.equal((await one.code(maria.world.codeFor(old))).status, 422);
      assert.equal((await one.backupCode(sheet[0] ?? '')).status, 422);
      assert.equal((await one.code(now)).location, '/portal/acme/home');
    });

    test('a half-finished sign-in does not outlive the password that opened it, and the new one asks for the same app', async () => {
      await using siege = await lay(engine);
      const { world, people, half, maria } = siege;
      const account = await world.account(people.maria);
      const changed = 'seven quiet llamas knit';
      assert.equal(await setPassword(world.installation, OPERATOR, account, changed, []), undefined);
      assert.equal((await half.code(maria.nextCode())).location, '/portal/acme/sign-in');
      assert.equal((await maria.browser.get('/portal/acme/home')).location, '/portal/acme/sign-in');
      const one = await maria.elsewhere();
      assert.equal((await one.password()).status, 422);
      assert.equal((await one.password(changed)).location, '/portal/acme/verify');
      assert.equal((await one.code(world.codeFor(maria.secret))).location, '/portal/acme/home');
    });
  },
);
