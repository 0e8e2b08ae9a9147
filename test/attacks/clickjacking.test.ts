import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { lay } from './siege.ts';

test('clickjacking: every page of every route, and every refusal, may stand in no frame (ASVS 3.4.6, 3.4.3)', async () => {
  await using siege = await lay('sqlite');
  const { world, fill, maria, ada, half, noor } = siege;
  const stranger = await world.visitor();
  for (const { method, path } of ROUTES)
    for (const browser of [maria.browser, ada.browser, half.browser, noor.browser, stranger]) {
      if (method === 'POST' && browser !== stranger) continue;
      const { headers, status } =
        method === 'GET' ? await browser.get(fill(path)) : await browser.post(fill(path), 'x=1');
      const policy = headers.get('content-security-policy') ?? '';
      for (const rule of ["frame-ancestors 'none'", "default-src 'none'", "base-uri 'none'", "form-action 'self'"])
        assert.ok(policy.split('; ').includes(rule), `${method} ${path} (${status}): ${policy}`);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    }
});
