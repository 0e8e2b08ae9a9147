import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { GENERAL, type Guest, refusedWith, stage, unchanged, enrolled, inside } from './front-door.ts';

const FORM = 'application/x-www-form-urlencoded';
const NOT_READ = /We couldn't read that/;

const MALFORMED: [what: string, body: string][] = [
  ['a list', 'code[]=123456'],
  ['an object', 'code[$ne]=1'],
  ['the same field twice', 'code=123456&code=123456'],
  ['a field that does not belong to it', 'code=123456&account=maria'],
  ["the prototype's name", '__proto__=1&code=123456'],
  ["the constructor's name", 'constructor[prototype][is]=1'],
  ['a field without a name', 'code=123456&=1'],
  ['a pair too many', 'code=123456&'],
  ['NUL', 'code=123%00456'],
  ['half a percent sign', 'code=123456%'],
  ['a percent sign before letters', 'code=%zz123456'],
  ['bytes that are not UTF-8', 'code=%ff%fe'],
  ['half a surrogate pair', 'code=%ed%a0%80'],
  ['JSON', '{"code":"123456"}'],
];

const OTHER_TYPES: [type: string, body: (code: string) => string][] = [
  ['application/json', (code) => JSON.stringify({ code })],
  [
    'multipart/form-data; boundary=x',
    (code) => `--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n${code}\r\n--x--`,
  ],
  ['text/plain', (code) => `code=${code}`],
  ['application/x-www-form-urlencoded; charset=utf-16', (code) => `code=${code}`],
  ['application/x-www-form-urlencoded, application/json', (code) => `code=${code}`],
  ['application/x-www-form-urlencodedx', (code) => `code=${code}`],
  ['', (code) => `code=${code}`],
];

async function halfWay(world: World): Promise<Guest> {
  const { people, guest } = await stage(world);
  const maria = await enrolled(guest(people.maria));
  await maria.password();
  return maria;
}

eachEngine('a form', (engine) => {
  test('with anything but its own fields, each once and readable, is refused and changes nothing', async () => {
    await using world = await openWorld(engine);
    const maria = await halfWay(world);
    await unchanged(world, async () => {
      for (const [what, body] of MALFORMED) {
        const page = await maria.browser.post('/portal/acme/verify', body);
        assert.equal(page.status, 400, what);
        refusedWith(page, 400, NOT_READ);
      }
    });
    const code = maria.nextCode();
    await unchanged(world, () =>
      maria.browser.post('/portal/acme/verify', `code=${code}&accountId=${maria.person.id}`),
    );
    assert.equal((await maria.code(code)).location, '/portal/acme/home');
  });

  test('of another content type is refused, however right the code in it', async () => {
    await using world = await openWorld(engine);
    const maria = await halfWay(world);
    const code = maria.nextCode();
    await unchanged(world, async () => {
      for (const [type, body] of OTHER_TYPES) {
        const page = await maria.browser.send('POST', '/portal/acme/verify', { 'content-type': type }, body(code));
        assert.equal(page.status, 415, type);
        refusedWith(page, 415, NOT_READ);
      }
    });
    const type = `${FORM}; charset=UTF-8`;
    await maria.browser.send('POST', '/portal/acme/verify', { 'content-type': type }, `code=${code}`);
    assert.equal(maria.browser.page.location, '/portal/acme/home');
  });

  test('that leaves a field out is asked for it', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    const sends = (fields: Record<string, string>) => maria.browser.post('/portal/acme/sign-in', fields);
    await unchanged(world, async () => {
      refusedWith(await sends({}), 422, /Enter your email.*Enter your password/s);
      refusedWith(await sends({ email: 'maria@globex.test' }), 422, /Enter your password/);
      refusedWith(await sends({ email: ' ', password: 'x' }), 422, /Enter your email/);
      refusedWith(await sends({ email: 'maria', password: 'x' }), 422, /in the right format, like name@example.com/);
      refusedWith(
        await sends({ email: `${'m'.repeat(9_000)}@globex.test`, password: 'x' }),
        422,
        /in the right format/,
      );
    });
  });

  test('with more than fits is told how much does', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    const ada = await inside(guest(people.ada));
    const long = 'x'.repeat(9_000);
    const contact = { name: 'Ida', email: 'ida@globex.test', phone: '' };
    const { globex } = people;
    const customer = `/admin/customers/${globex.id}`;
    const portal = { mfa: 'on', name: 'Acme Billing', contactDetails: 'Call us' };
    const tries: [path: string, fields: Record<string, string>, says: RegExp][] = [
      ['/admin/customers/new', { ...contact, customer: long }, /customer's name to 100 characters or fewer/],
      ['/admin/customers/new', { ...contact, customer: '\u0007 ' }, /Enter the customer's name/],
      [`${customer}/edit`, { customer: long }, /customer's name to 100 characters or fewer/],
      [`${customer}/contacts/new`, { ...contact, name: long }, /contact's name to 100 characters or fewer/],
      [`${customer}/contacts/new`, { ...contact, email: `${long}@x.test` }, /contact's email to 254 characters/],
      [`${customer}/contacts/new`, { ...contact, email: 'ida' }, /in the right format/],
      [`${customer}/contacts/new`, { ...contact, email: people.eve.email }, /Another contact has this email already/],
      [`${customer}/contacts/new`, { ...contact, phone: long }, /phone number to 40 characters or fewer/],
      [`${customer}/contacts/${people.maria.id}/edit`, { ...contact, name: '' }, /Enter the contact's name/],
      [GENERAL, { ...portal, name: 'x'.repeat(41) }, /display name to 40 characters or fewer/],
      [GENERAL, { ...portal, name: '' }, /Enter a display name/],
      [GENERAL, { ...portal, contactDetails: long }, /reach you to 300 characters or fewer/],
      [GENERAL, { ...portal, mfa: '', name: '' }, /Enter a display name/],
      [`${customer}/contacts/${people.maria.id}/reset-mfa`, { check: 'met-in-person', note: long }, /note to 500/],
      [
        `${customer}/contacts/${people.maria.id}/reset-mfa`,
        { check: 'other', note: 'short' },
        /in 10 characters or more/,
      ],
      [`${customer}/contacts/${people.maria.id}/reset-mfa`, { check: '__proto__', note: '' }, /Choose how you checked/],
      [`${customer}/contacts/${people.maria.id}/reset-mfa`, { check: 'toString', note: '' }, /Choose how you checked/],
    ];
    await unchanged(world, async () => {
      for (const [path, fields, says] of tries) refusedWith(await ada.browser.post(path, fields), 422, says);
    });
  });

  test('with a password of 10,000 characters costs no hash', async () => {
    await using world = await openWorld(engine, { hashing: { atOnce: 1, queue: 0, waitMs: 50 } });
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await world.installation.nobodysPassword;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const busy = world.installation.hashing(() => released);
    for (const email of [maria.person.email, 'nobody@globex.test']) {
      refusedWith(await maria.password('x'.repeat(10_000), email), 422, /email or password isn't right/);
      refusedWith(await maria.password('a wrong password', email), 503, /busy right now/);
      assert.equal(maria.browser.page.headers.get('retry-after'), '2');
    }
    release();
    await busy;
  });
});

/** What a server answers to a body that is written as told, over a real socket. */
function overSocket(
  url: string,
  headers: Record<string, string | number>,
  chunks: readonly string[],
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const post = request(url, {
      agent: false,
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', ...headers },
    });
    post.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    post.on('error', reject);
    for (const chunk of chunks) post.write(chunk);
    post.end();
  });
}

eachEngine('a body over a real socket', (engine) => {
  test('of a megabyte is refused, whether or not it says how long it is', async () => {
    await using world = await openWorld(engine);
    await stage(world);
    const url = `${await world.listen()}/portal/acme/sign-in`;
    const chunks = Array.from({ length: 64 }, () => 'x'.repeat(16 * 1024));
    const type = { 'content-type': FORM };
    await unchanged(world, async () => {
      for (const length of [{ 'content-length': 1024 * 1024 }, { 'transfer-encoding': 'chunked' }]) {
        const { status, text } = await overSocket(url, { ...type, ...length }, chunks);
        assert.equal(status, 413, JSON.stringify(length));
        assert.match(text, /more than this page can take/);
      }
    });
    assert.deepEqual(
      world.log.lines.filter((line) => line.level === 'error'),
      [],
    );
  });

  test('of 16 KiB in small pieces is still read', async () => {
    await using world = await openWorld(engine);
    await stage(world);
    const url = `${await world.listen()}/portal/acme/sign-in`;
    const body = `email=maria%40globex.test&password=${'x'.repeat(16 * 1024 - 36)}`;
    const pieces = body.match(/.{1,1000}/g) ?? [];
    const type = { 'content-type': FORM, 'transfer-encoding': 'chunked' };
    assert.equal((await overSocket(url, type, pieces)).status, 422);
    assert.equal((await overSocket(url, type, [...pieces, 'xxxx'])).status, 413);
  });
});

const ODD_PATHS = [
  '/portal/%00/sign-in',
  '/portal/acme%00/sign-in',
  '/portal/%ff/sign-in',
  '/portal/%ed%a0%80/sign-in',
  '/portal/acme/welcome/%00',
  '/portal/__proto__/sign-in',
  `/portal/${'x'.repeat(5_000)}/sign-in`,
  '/portal/acme%2fsign-in',
  '/portal//sign-in',
  'https://sallyport.test//evil.example/sign-in',
  '/setup/%00',
  '/setup/..%2f..%2fetc%2fpasswd',
  '/assets/..%2fassets.ts',
  '/assets/sallyport.css',
  '/admin/customers/%00',
  "/admin/customers/'%20OR%201=1--",
  '/admin/customers/%00/contacts/%00/edit',
  '/admin/customers?after=%00',
  '/admin/customers?after=%ff',
  '/admin/customers?q=%00',
  '/admin/customers?q=%25%5f%5c',
  '/admin/customers?q=a&q=b',
  `/admin/customers?q=${'x'.repeat(5_000)}`,
];

const ODD_COOKIES = [
  '%00',
  '%00.x',
  'x.%00',
  '.',
  '',
  '..',
  'a.b.c',
  '%ff',
  '%',
  '%ed%a0%80.x',
  'x'.repeat(4_000),
  '"',
];

eachEngine('an address or a cookie that nobody was given', (engine) => {
  test('is answered as not found or not signed in, and never as a fault', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const faults: string[] = [];
    for (const path of ODD_PATHS) {
      const { status } = await ada.browser.get(path);
      if (status >= 500 || (status !== 404 && !path.includes('?'))) faults.push(`${path}: ${status}`);
    }
    const stranger = await guest(people.maria);
    for (const cookie of ODD_COOKIES) {
      for (const [name, path] of [
        ['sallyport', '/portal/acme/home'],
        ['sallyport', '/portal/acme/session'],
        ['sallyport-challenge', '/portal/acme/verify'],
        ['sallyport-notice', '/portal/acme/sign-in'],
        ['sallyport-admin', '/admin'],
        ['sallyport-admin-challenge', '/admin/enable-mfa'],
      ] as const) {
        stranger.browser.cookies.clear();
        stranger.browser.cookies.set(`__Host-${name}`, cookie);
        const { status } = await stranger.browser.get(path);
        if (![200, 303, 401].includes(status)) faults.push(`${name}=${cookie.slice(0, 20)} at ${path}: ${status}`);
      }
    }
    assert.deepEqual(faults, []);
  });
});

eachEngine('a method', (engine) => {
  test('that an address does not know is not found, and changes nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const ada = await inside(guest(people.ada));
    const half = await maria.elsewhere();
    await half.password();
    const contact = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}`;
    await unchanged(world, async () => {
      for (const path of ['/portal/acme/sign-out', '/portal/acme/enable-mfa/done'])
        assert.equal((await maria.browser.get(path)).status, 404, path);
      for (const path of ['/admin/sign-out', `${contact}/enable`])
        assert.equal((await ada.browser.get(path)).status, 404, path);
      for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'POSTS']) {
        const type = { 'content-type': FORM };
        for (const path of [`${contact}/disable`, `${contact}/reset-mfa`, '/admin/sign-out', GENERAL])
          assert.equal((await ada.browser.send(method, path, type, '')).status, 404, `${method} ${path}`);
        const code = `code=${world.codeFor(maria.secret, 1)}`;
        const page = await half.browser.send(method, '/portal/acme/verify', type, code);
        assert.equal(page.status, 404, `${method} /portal/acme/verify`);
      }
      assert.equal((await maria.browser.send('HEAD', '/portal/acme/home')).status, 200);
    });
    world.clock.advance(MINUTE_MS);
    assert.equal((await maria.browser.get('/portal/acme/home')).status, 200);
  });
});
