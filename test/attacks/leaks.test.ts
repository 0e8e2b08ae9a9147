import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import type { Visitor } from '../visitor.ts';
import { everyPost, lay, sendPost, type Siege } from './siege.ts';

describe('secrets in addresses, referrers and caches (ASVS 14.2.1, 14.2.5, 14.3.2, 3.4.5)', () => {
  let siege: Siege;
  before(async () => void (siege = await lay('sqlite')));
  after(() => siege[Symbol.asyncDispose]());

  test('no page for anybody may be kept by a cache, nor tell another site where a click came from', async () => {
    const { maria, ada, half, noor, world, fill } = siege;
    const stranger = await world.visitor();
    for (const { method, path, who } of ROUTES.filter((route) => route.method === 'GET')) {
      for (const browser of [maria.browser, ada.browser, half.browser, noor.browser, stranger]) {
        const { headers } = await browser.send(method, fill(path));
        assert.equal(headers.get('cache-control'), 'no-store', `${path} (${who})`);
        assert.equal(headers.get('referrer-policy'), 'same-origin', path);
        assert.equal(headers.get('etag') ?? headers.get('last-modified'), null, path);
        assert.doesNotMatch(headers.get('vary') ?? '', /\*/);
      }
    }
  });

  test('no page is taken for a file by the end of its address', async () => {
    const { maria, ada, fill } = siege;
    for (const path of ['home', 'security', 'session']) await askAsFile(maria.browser, `/portal/acme/${path}`);
    for (const path of ['/admin/settings', fill('/admin/customers/:customer')]) await askAsFile(ada.browser, path);
  });

  test('no form is sent by GET but the search, and no answer leads to an address with anything that was typed', async () => {
    const { world } = siege;
    for (const post of everyPost(siege)) {
      const page = await post.browser.get(post.path.replace(/\/(download|done|sign-out|enable)$/, ''));
      for (const [form] of page.text.matchAll(/<form[^>]*>/g))
        assert.ok(/method="post"/.test(form) || /role="search"/.test(form), `${post.path}: ${form}`);
      const { location } = await sendPost(post);
      for (const typed of Object.values(post.fields).filter((value) => value.length > 3))
        assert.ok(!location?.includes(typed), `${post.name} leads to ${location}`);
      assert.ok(!location?.includes('?') && !location?.includes('#'), `${post.name} leads to ${location}`);
    }
    const logged = JSON.stringify(world.log.lines);
    for (const { fields } of siege.posts)
      for (const name of ['password', 'email'])
        // Of an import's columns "email" is a number.
        if ((fields[name] ?? '').length > 3) assert.ok(!logged.includes(fields[name] ?? ''), `${name} in the log`);
  });
});

/** Asks for a page as if it were a file that caches keep (web cache deception). */
async function askAsFile(browser: Visitor, path: string): Promise<void> {
  for (const end of ['.css', '.js', '/x.css', '%2fx.css', ';x.css', '%0a.css', '%3fx.css', '%23x.css']) {
    const page = await browser.get(`${path}${end}`);
    assert.equal(page.status, 404, `${path}${end}`);
    assert.doesNotMatch(page.text, /maria@globex|Maria Silva/i);
    assert.equal(page.headers.get('cache-control'), 'no-store');
  }
}
