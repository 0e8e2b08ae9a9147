import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { acme } from '../acme.ts';
import type { Page, Visitor } from '../visitor.ts';
import { eachEngine, openWorld, type World } from '../world.ts';
import { BRANDING, Guest, ownAddress, refusedWith, stage, unchanged } from './front-door.ts';

const bytesOf = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../pictures', name)));

const FORM = {
  name: 'Acme Billing',
  accent: '',
  picked: '#0f5a63',
  contactDetails: 'Call us: +1 555 0100',
  timeZone: 'UTC',
};

function sends(
  browser: Visitor,
  fields: Record<string, string>,
  file?: { name: string; bytes: Uint8Array<ArrayBuffer> },
): Promise<Page> {
  return browser.upload(BRANDING, { ...FORM, ...fields }, file && { field: 'logo', ...file });
}

const PNG = { name: 'logo.png', bytes: bytesOf('dot.png') };

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text));
}

/** Ada of a merchant, at the console. */
async function owner(world: World, slug = 'acme'): Promise<Visitor> {
  const people = slug === 'acme' ? (await stage(world)).people : await acme(world.installation, slug);
  return signedIn(world, people.ada, slug);
}

async function signedIn(world: World, person: Guest['person'], slug = 'acme'): Promise<Visitor> {
  const guest = new Guest(world, person, slug, await world.visitor({ address: ownAddress() }));
  await guest.enrols();
  await guest.signsIn();
  return guest.browser;
}

function linked(page: Page): { theme: string | undefined; logo: string | undefined; img: string | undefined } {
  return {
    theme: /<link rel="stylesheet" href="(\/portal\/[^"]+)"/.exec(page.text)?.[1],
    logo: /<img[^>]*src="(\/portal\/[^"]+)"/.exec(page.text)?.[1],
    img: /<img[^>]*>/.exec(page.text)?.[0].replace(/\s+/g, ' '),
  };
}

eachEngine('the branding page', (engine) => {
  test('puts a logo and a colour on the portal, each at an address that may be kept for ever', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    const customer = await world.visitor();
    assert.deepEqual(linked(await customer.get('/portal/acme/sign-in')), {
      theme: undefined,
      logo: undefined,
      img: undefined,
    });
    const saved = await sends(ada, { accent: '#FFD400' }, PNG);
    assert.equal(saved.location, BRANDING);
    assert.deepEqual((await ada.follow()).notices[0], 'Saved.');
    assert.match(ada.page.text, /too light for white text\. We use #836c00 on light and #ffd400 as it is on dark\./);
    const page = await customer.get('/portal/acme/sign-in');
    const { theme, logo, img } = linked(page);
    assert.match(img ?? '', /alt="Acme Billing" width="12" height="7"/);
    assert.match(page.text, /<body\s+class="branded">/);
    const css = await customer.get(theme ?? '');
    assert.equal(css.headers.get('content-type'), 'text/css; charset=utf-8');
    assert.match(css.text, /--accent: light-dark\(#836c00, #ffd400\);/);
    const picture = await customer.get(logo ?? '');
    assert.equal(picture.headers.get('content-type'), 'image/png');
    for (const { status, headers } of [css, picture]) {
      assert.equal(status, 200);
      assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(headers.get('content-security-policy'), "default-src 'none'; sandbox");
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
      assert.equal(headers.get('set-cookie'), null);
    }
    assert.doesNotMatch(page.text, /<style|\sstyle=/);
  });

  test('gives a logo or a colour at another address than its own to nobody’s cache', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    await sends(ada, { accent: '#ffd400' }, PNG);
    for (const path of ['logo', 'logo?v=', 'logo?v=0', 'theme.css', 'theme.css?v=ffd400']) {
      const { status, headers } = await ada.get(`/portal/acme/${path}`);
      assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store'], path);
    }
  });

  test('takes both away again', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    await sends(ada, { accent: '#ffd400' }, PNG);
    const { theme, logo } = linked(await ada.get('/portal/acme/sign-in'));
    await sends(ada, { removeLogo: 'on', picked: '#ffd400' });
    assert.equal(ada.page.status, 303, ada.page.text);
    assert.deepEqual(linked(await ada.get('/portal/acme/sign-in')), {
      theme: undefined,
      logo: undefined,
      img: undefined,
    });
    for (const path of [theme, logo]) assert.equal((await ada.get(path ?? '')).status, 404, `${path}`);
  });

  test('takes the picked colour where only that was changed, and the typed one where both were', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    const accent = async (): Promise<unknown> => (await world.rows('organizations'))[0]?.['accent'];
    await sends(ada, { picked: '#808080' });
    assert.equal(await accent(), '#808080');
    await sends(ada, { accent: '#808080', picked: '#808081' });
    assert.equal(await accent(), '#808081');
    await sends(ada, { accent: '#123456', picked: '#808082' });
    assert.equal(await accent(), '#123456');
    await sends(ada, { accent: '', picked: '#123456' });
    assert.equal(await accent(), null);
  });

  test('refuses what is no logo and no colour, says why, keeps what was typed, and changes nothing', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    const tries: [fields: Record<string, string>, bytes: Uint8Array<ArrayBuffer>, says: RegExp][] = [
      [{}, bytes(svg), /an SVG can carry script/],
      [{}, bytes('hello'), /Choose a PNG, JPEG or WebP file/],
      [{}, new Uint8Array(), /Choose a PNG, JPEG or WebP file/],
      [{}, PNG.bytes.slice(0, 100), /this one is damaged/],
      [{}, new Uint8Array(100 * 1024 + 1), /of 100 KB or less/],
      [{ accent: 'red;}body{display:none}' }, PNG.bytes, /# and six digits/],
      [{ timeZone: 'Moon/Base' }, PNG.bytes, /Choose a time zone from the list/],
      [{ name: '' }, PNG.bytes, /Enter a display name/],
      [{ name: 'x'.repeat(41) }, PNG.bytes, /display name to 40 characters/],
      [{ contactDetails: ' ' }, PNG.bytes, /Enter how customers can reach you/],
    ];
    await unchanged(world, async () => {
      for (const [fields, content, says] of tries) {
        refusedWith(await sends(ada, fields, { name: 'logo.png', bytes: content }), 422, says);
        if (fields['accent']) assert.match(ada.page.text, /value="red;\}body\{display:none\}"/);
      }
      assert.equal((await sends(ada, {}, { name: 'x.png', bytes: new Uint8Array(1024 * 1024) })).status, 413);
      assert.equal((await ada.upload(BRANDING, { ...FORM, policy: 'off' })).status, 400);
      assert.equal((await ada.upload(BRANDING, FORM, { field: 'name', ...PNG })).status, 400);
    });
  });

  test('is for owners and admins to change, for support and auditors to read, and for nobody else', async () => {
    await using world = await openWorld(engine);
    const { people } = await stage(world);
    const otto = await signedIn(world, people.otto);
    const sam = await signedIn(world, people.sam);
    const stranger = await world.visitor();
    await unchanged(world, async () => {
      for (const reader of [otto, sam]) {
        const page = await reader.get(BRANDING);
        assert.equal(page.status, 200);
        assert.match(page.text, /Only owners and admins change this\./);
        assert.doesNotMatch(page.text, /type="file"/);
        assert.equal((await sends(reader, { accent: '#ff0000' }, PNG)).status, 403);
      }
      assert.equal((await sends(stranger, { accent: '#ff0000' }, PNG)).location, '/admin/sign-in');
    });
  });

  test('of another merchant shows and changes theirs alone (I15)', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    await sends(ada, { accent: '#ffd400' }, PNG);
    const eve = await owner(world, 'rival');
    const page = await eve.get(BRANDING);
    assert.doesNotMatch(page.text, /ffd400|\/portal\/acme/);
    await sends(eve, { accent: '#ff0000', removeLogo: 'on' });
    assert.equal(eve.page.status, 303);
    const ours = linked(await eve.get('/portal/acme/sign-in'));
    assert.match((await eve.get(ours.theme ?? '')).text, /#836c00, #ffd400/);
    assert.equal((await eve.get(ours.logo ?? '')).status, 200);
    const theirs = linked(await eve.get('/portal/rival/sign-in'));
    assert.match((await eve.get(theirs.theme ?? '')).text, /#de0000/);
    assert.equal(theirs.logo, undefined);
    const hash = /v=(.*)/.exec(ours.logo ?? '')?.[1];
    assert.equal((await eve.get(`/portal/rival/logo?v=${hash}`)).status, 404);
  });

  test('tells the time where the merchant is, here and on the portal', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    await sends(ada, { timeZone: 'Asia/Tokyo' });
    assert.match((await ada.follow()).text, /It is <time [^>]*>24 November 2026 at 18:\d\d GMT\+9<\/time> there/);
  });
});

eachEngine('a large body over a real socket', (engine) => {
  test('is refused in words, whether or not it says how long it is, and a stranger’s is not waited for', async () => {
    await using world = await openWorld(engine);
    const ada = await owner(world);
    const url = await world.listen();
    const cookie = [...ada.cookies].map(([name, value]) => `${name.replace('__Host-', '')}=${value}`).join('; ');
    for (const length of [{ 'content-length': 2_000_000 }, { 'transfer-encoding': 'chunked' }]) {
      const told = await pours(`${url}${BRANDING}`, { cookie, ...length });
      assert.equal(told.status, 413, JSON.stringify(length));
      assert.match(told.text, /more than this page can take/);
      assert.equal((await pours(`${url}${BRANDING}`, length)).status, 303);
    }
  });
});

/** What a server answers to a file of two million bytes. */
function pours(
  url: string,
  headers: Record<string, string | number>,
): Promise<{ status: number | undefined; text: string }> {
  const type = 'multipart/form-data; boundary=----edge';
  const head = '------edge\r\nContent-Disposition: form-data; name="logo"; filename="a.png"\r\n\r\n';
  return new Promise((resolve, reject) => {
    const post = request(url, {
      agent: false,
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', 'content-type': type, ...headers },
    });
    post.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    post.on('error', reject);
    post.end(head.padEnd(2_000_000, 'x'));
  });
}
