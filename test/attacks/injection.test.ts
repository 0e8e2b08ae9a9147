import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { importDocuments } from '../../src/accounts/documents.ts';
import { ROUTES } from '../../src/app.ts';
import { sql } from '../../src/db/db.ts';
import { eachEngine } from '../world.ts';
import { lay } from './siege.ts';

/** Every one of them ends an attribute, a tag, a script or a template somewhere, or begins a formula. */
const EVIL = [
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '</title></textarea><svg onload=alert(1)>',
  '=HYPERLINK("http://evil.example")',
  '${{7*7}} {{constructor}} <%= 7*7 %>',
].join(' ');
const AGENT = `Mozilla/5.0 (X11; <script>alert(1)</script>) "><img src=x onerror=alert(1)> Chrome/140`;

eachEngine('script through names, user agents and whatever else people write (ASVS 1.2.1, 1.2.10, 3.4.3)', (engine) => {
  test('runs nowhere: every page of both sides shows it as text', async () => {
    await using siege = await lay(engine);
    const { world, people, ada, maria, noor, fill } = siege;
    const evil = EVIL.slice(0, 100);
    await world.change(sql`UPDATE accounts SET name = ${EVIL}, phone = ${evil}`);
    await world.change(sql`UPDATE customers SET name = ${EVIL}`);
    await world.change(sql`UPDATE organizations SET name = ${EVIL}, contact_details = ${EVIL}`);
    await world.change(sql`UPDATE audit_names SET name = ${EVIL}`);
    await world.change(sql`UPDATE sessions SET user_agent = ${AGENT}, address = ${evil}`);
    await world.change(sql`UPDATE audit_rows SET reason = ${EVIL}`);
    const url = `https://evil.example/"><script>alert(1)</script>`;
    await importDocuments(world.installation, OPERATOR, people.organization.id, [
      {
        customerId: people.globex.id,
        kind: 'invoice',
        number: EVIL,
        title: EVIL,
        status: EVIL,
        url,
        date: '2026-11-01',
        amount: '1.00',
        currency: 'EUR',
      },
    ]);
    let shown = 0;
    for (const { path } of ROUTES.filter(({ method }) => method === 'GET'))
      for (const { browser } of [ada, maria, noor, siege.half]) {
        const { text, status, headers } = await browser.get(fill(path));
        assert.ok(status < 500, `${path}: ${status}`);
        // Data for programs, which no browser takes for a page: its type says so, and nosniff holds it to that.
        if (/^(application\/json|text\/csv)\b/.test(headers.get('content-type') ?? '')) continue;
        assert.doesNotMatch(text, /<script>alert|<img src=x|<svg onload/i, path);
        if (text.includes('&lt;script&gt;alert') || text.includes('%3Cscript%3E')) shown++;
      }
    assert.ok(shown > 30, `shown on ${shown} pages`);
  });

  test('that is typed comes back as text, in the field and in the sentence that refuses it', async () => {
    await using siege = await lay(engine);
    const { ada, fill, posts } = siege;
    for (const { browser, path, fields, name } of posts) {
      const all = Object.fromEntries(Object.keys(fields).map((field) => [field, EVIL]));
      if (Object.keys(all).length === 0 || /general|contacts\/:contact\/edit/.test(name)) continue;
      const page = await browser.post(path, all);
      assert.doesNotMatch(page.text, /<script>alert|<img src=x|<svg onload/i, name);
    }
    for (const query of ['q', 'after']) {
      const page = await ada.browser.get(`${fill('/admin/customers')}?${query}=${encodeURIComponent(EVIL)}`);
      assert.doesNotMatch(page.text, /<script>alert|<img src=x/i);
    }
  });

  test('of a display name leaves the download of the codes a text file, under a name of ours', async () => {
    await using siege = await lay(engine);
    const { world, posts } = siege;
    await world.change(sql`UPDATE organizations SET name = ${'Acme\r\nX-Evil: 1\u2028"; filename="evil.html'}`);
    const download = posts.find(({ name }) => name.endsWith('/:slug/enable-mfa/backup-codes/download'))!;
    const page = await download.browser.post(download.path);
    assert.equal(page.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.match(
      page.headers.get('content-disposition') ?? '',
      /^attachment; filename="acme-backup-codes-[\d-]+\.txt"$/,
    );
    assert.equal(page.headers.get('x-evil'), null);
  });
});
