import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { PASSWORD_COST } from '../../src/crypto/passwords.ts';
import { start } from '../browser/program.ts';

/** What somebody might have left in the environment, or might hope to find there. */
const SWITCHES: Record<string, string> = Object.fromEntries(
  [
    'DEMO',
    'TEST',
    'TESTING',
    'DEV',
    'DEBUG',
    'POCKET',
    'FAKE_CLOCK',
    'NOW',
    'CLOCK',
    'HASH_COST',
    'CHEAP_HASHES',
    'BYPASS_MFA',
    'SKIP_MFA',
    'MASTER_CODE',
    'FIXED_CODE',
    'FAULTS',
    'INSECURE',
  ].flatMap((name) => [
    [name, '1'],
    [`SALLYPORT_${name}`, '1'],
  ]),
);

test('a test switch left in production: no variable opens the demo’s pages, fixes a code or the clock, or makes a hash cheaper (ASVS 6.3.2, 13.4.2)', async () => {
  for (const mode of ['production', 'test']) {
    const data = mkdtempSync(join(tmpdir(), 'sallyport-switch-'));
    try {
      await using server = await start('serve', { ...SWITCHES, NODE_ENV: mode, SALLYPORT_DATA: data });
      await server.program.said(/SALLYPORT_BYPASS_MFA.*the environment has settings that this version does not know/);
      const [link] = await server.program.said(/\/setup\/[\w-]{43}/);
      const form = {
        name: 'Olga',
        email: 'olga@hooli.test',
        password: 'seven quiet llamas knit',
        organization: 'Hooli',
        contactDetails: 'Call',
        timeZone: 'UTC',
      };
      const headers = { 'sec-fetch-site': 'same-origin' };
      const post = (path: string, fields: Record<string, string>, cookie = ''): Promise<Response> =>
        fetch(server.origin + path, {
          method: 'POST',
          redirect: 'manual',
          headers: { ...headers, cookie },
          body: new URLSearchParams(fields),
        });
      const made = await post(link, form);
      assert.equal(made.headers.get('location'), '/admin/enable-mfa');
      const cookie = made.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ');
      await post('/admin/enable-mfa', {}, cookie);
      for (const code of ['000000', '123456', '111111', '999999'])
        assert.equal((await post('/admin/enable-mfa/verify', { code }, cookie)).status, 422, code);
      const page = await (await fetch(`${server.origin}/admin/enable-mfa/verify`, { headers: { cookie } })).text();
      assert.doesNotMatch(page, /pocket|\/demo/i);
      for (const path of [
        '/demo',
        '/demo/pocket.js',
        '/test',
        '/debug',
        '/metrics',
        '/__test',
        '/.env',
        '/.git/config',
        '/package.json',
      ])
        assert.equal((await fetch(server.origin + path)).status, 404, path);
      const installation = await openAll(readConfig({ SALLYPORT_DATA: data }), () => 0, QUIET);
      assert.ok(installation.passwordCost.memoryKiB >= PASSWORD_COST.memoryKiB);
      await installation.db.close();
    } finally {
      rmSync(data, { recursive: true });
    }
  }
});
