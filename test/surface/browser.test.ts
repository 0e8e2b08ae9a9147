import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, test } from 'node:test';
import { createApp, ROUTES } from '../../src/app.ts';
import { anyone } from '../../src/web/guards.ts';
import { route } from '../../src/web/routes.ts';
import { Visitor, type Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { GENERAL, type Guest, refusedWith, stage, unchanged, type Stage, enrolled, inside } from './front-door.ts';

const HTTPS = 'https://sallyport.test';

const ALWAYS: Record<string, string> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

function hasHeaders(page: Page, what: string, publicUrl = HTTPS): void {
  for (const [name, value] of Object.entries(ALWAYS)) assert.equal(page.headers.get(name), value, `${name} of ${what}`);
  assert.equal(page.headers.get('cache-control'), 'no-store', `cache-control of ${what}`);
  const hsts = publicUrl.startsWith('https:') ? 'max-age=63072000; includeSubDomains' : null;
  assert.equal(page.headers.get('strict-transport-security'), hsts, `HSTS of ${what}`);
  assert.equal(page.headers.get('server'), null);
  assert.equal(page.headers.get('x-powered-by'), null);
}

describe('every answer', () => {
  for (const publicUrl of [HTTPS, 'http://localhost:3000']) {
    test(`has the headers that guard a browser, at ${publicUrl}`, async () => {
      await using world = await openWorld('sqlite', { publicUrl });
      const { people, guest } = await stage(world);
      const maria = await enrolled(guest(people.maria));
      const ada = await enrolled(guest(people.ada));
      const noor = await guest(people.noor);
      await noor.password();
      await noor.configures();
      const look = (page: Page, what: string, status: number): void => {
        assert.equal(page.status, status, what);
        hasHeaders(page, what, publicUrl);
      };
      look(await maria.browser.get('/'), 'the front', 303);
      look(await maria.browser.get('/healthz'), 'the health of the process', 200);
      look(await maria.browser.get('/portal/acme/sign-in'), 'the sign-in page', 200);
      look(await maria.password('wrong'), 'a wrong password', 422);
      look(await maria.browser.get('/portal/acme/session'), 'nobody’s session', 401);
      look(await maria.browser.get('/portal/nobody/sign-in'), 'a portal that is not there', 404);
      look(await maria.browser.get('/assets/nothing.css'), 'an asset that is not there', 404);
      look(await maria.browser.get('/nothing'), 'an address that is not there', 404);
      look(await maria.browser.post('/portal/acme/sign-in', 'x=1'), 'a malformed form', 400);
      look(await maria.browser.send('POST', '/portal/acme/sign-in', {}, '{}'), 'another content type', 415);
      look(await maria.browser.post('/portal/acme/sign-in', 'x'.repeat(20_000)), 'a large form', 413);
      const foreign = { 'sec-fetch-site': 'cross-site' };
      look(await maria.browser.send('POST', '/portal/acme/sign-in', foreign, ''), 'a foreign form', 403);
      look(await noor.browser.get('/portal/acme/enable-mfa/qr.svg'), 'the QR code', 200);
      look(await noor.browser.get('/portal/acme/enable-mfa/scan'), 'the setup key', 200);
      await noor.verifies();
      await noor.browser.post('/portal/acme/enable-mfa/enable');
      await noor.browser.post('/portal/acme/enable-mfa/backup-codes');
      look(await noor.browser.get('/portal/acme/enable-mfa/backup-codes'), 'the backup codes', 200);
      look(await noor.browser.post('/portal/acme/enable-mfa/backup-codes/download'), 'the download', 200);
      look(await ada.signsIn(), 'the console', 200);
      for (let at = 0; at < 10; at++) await maria.password('wrong');
      look(maria.browser.page, 'too many tries', 429);
      const failing = createApp(world.house(publicUrl), [route('GET', '/fault', anyone, () => assert.fail('secret'))]);
      const stranger = new Visitor(failing, publicUrl, {});
      look(await stranger.get('/fault'), 'a fault', 500);
      assert.doesNotMatch(stranger.page.text, /secret|AssertionError|\.ts/);
    });
  }

  test('but an asset is fresh from this server, and only an asset with its hash may be kept', async () => {
    await using world = await openWorld('sqlite');
    await stage(world);
    const maria = await world.visitor();
    const { text } = await maria.get('/portal/acme/sign-in');
    const assets = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    assert.ok(assets.length >= 3);
    for (const path of assets) {
      const page = await maria.get(path);
      assert.equal(page.status, 200, path);
      assert.equal(page.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      for (const [name, value] of Object.entries(ALWAYS)) assert.equal(page.headers.get(name), value, name);
      assert.equal(page.headers.get('set-cookie'), null);
    }
  });

  test('has no script or style of its own, so that the policy is no obstacle', async () => {
    await using world = await openWorld('sqlite');
    const { people, guest } = await stage(world);
    const noor = await guest(people.noor);
    await noor.password();
    await noor.browser.post('/portal/acme/enable-mfa');
    for (const path of ['sign-in', 'enable-mfa/scan', 'enable-mfa/verify']) {
      const { text } = await noor.browser.get(`/portal/acme/${path}`);
      assert.doesNotMatch(text, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:/i, path);
    }
  });
});

const COOKIES: [surface: 'portal' | 'admin', name: string, sameSite: string][] = [
  ['portal', 'sallyport', 'Lax'],
  ['portal', 'sallyport-challenge', 'Strict'],
  ['portal', 'sallyport-notice', 'Lax'],
  ['admin', 'sallyport-admin', 'Strict'],
  ['admin', 'sallyport-admin-challenge', 'Strict'],
  ['admin', 'sallyport-admin-notice', 'Strict'],
];

/** Every cookie line that a story sets, from enrolment over sign-in to sign-out, wrong turns included. */
async function cookieLines(world: World, { people, guest }: Stage): Promise<string[]> {
  const lines: string[] = [];
  for (const person of [people.maria, people.ada]) {
    const one = await guest(person);
    const send = one.browser.send.bind(one.browser);
    one.browser.send = async (...request_) => {
      const page = await send(...request_);
      lines.push(...page.headers.getSetCookie());
      return page;
    };
    await one.enrols();
    await one.signsIn();
    await one.browser.post(`${one.door}/sign-out`);
    await one.browser.follow();
    await one.password();
    world.clock.advance(11 * MINUTE_MS);
    await one.code('123456');
    await one.browser.follow();
  }
  return lines;
}

describe('a cookie', () => {
  test('under https is bound to the host, secure, and out of reach of scripts', async () => {
    await using world = await openWorld('sqlite');
    const lines = await cookieLines(world, await stage(world));
    for (const [, name, sameSite] of COOKIES) {
      const own = lines.filter((line) => line.startsWith(`__Host-${name}=`));
      const set = own.filter((line) => !/Max-Age=0/i.test(line));
      assert.ok(set.length > 0, `${name} was never set`);
      assert.ok(own.length > set.length, `${name} was never taken back`);
      for (const line of own) assert.match(line, /; Path=\/;.*HttpOnly.*Secure/, line);
      for (const line of set) assert.match(line, new RegExp(`; SameSite=${sameSite}$`), line);
      for (const line of own) assert.doesNotMatch(line, /Domain=/i, line);
    }
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('__Host-sallyport')),
      [],
    );
  });

  test('goes without https, prefix and Secure on localhost alone', async () => {
    await using world = await openWorld('sqlite', { publicUrl: 'http://localhost:3000' });
    const lines = await cookieLines(world, await stage(world));
    for (const [, name, sameSite] of COOKIES) {
      const set = lines.filter((line) => line.startsWith(`${name}=`) && !/Max-Age=0/i.test(line));
      assert.ok(set.length > 0, `${name} was never set`);
      for (const line of set) {
        assert.match(line, new RegExp(`; Path=/; HttpOnly; SameSite=${sameSite}$`), line);
        assert.doesNotMatch(line, /Secure/);
      }
    }
  });

  test('of a session is new at every sign-in, and the one before it is dead on the server', async () => {
    await using world = await openWorld('sqlite');
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    maria.browser.cookies.set('__Host-sallyport', 'planted.by-eve');
    await maria.signsIn();
    const first = maria.browser.cookies.get('__Host-sallyport') ?? '';
    assert.notEqual(first, 'planted.by-eve');
    await maria.signsIn();
    assert.notEqual(maria.browser.cookies.get('__Host-sallyport'), first);
    const thief = await maria.elsewhere();
    thief.browser.cookies.set('__Host-sallyport', first);
    assert.equal((await thief.browser.get('/portal/acme/home')).location, '/portal/acme/sign-in');
    const second = maria.browser.cookies.get('__Host-sallyport') ?? '';
    await maria.browser.post('/portal/acme/sign-out');
    thief.browser.cookies.set('__Host-sallyport', second);
    assert.equal((await thief.browser.get('/portal/acme/home')).location, '/portal/acme/sign-in');
  });

  test('of the half-signed-in state never stands beside a session that it became', async () => {
    await using world = await openWorld('sqlite');
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    assert.deepEqual([...maria.browser.cookies.keys()], ['__Host-sallyport-challenge']);
    await maria.code(maria.nextCode());
    assert.deepEqual([...maria.browser.cookies.keys()], ['__Host-sallyport']);
  });
});

/** A request with exactly these headers and a browser's cookies. */
async function post(world: World, path: string, headers: Record<string, string>, cookies: string, body: string) {
  const app = await world.app();
  return app.request(`${HTTPS}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: cookies, ...headers },
    body,
  });
}

function cookiesAt({ browser }: Guest): string {
  return [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}

const FOREIGN: [what: string, headers: Record<string, string>][] = [
  ['another site', { 'sec-fetch-site': 'cross-site', origin: HTTPS }],
  ['a sister site', { 'sec-fetch-site': 'same-site', origin: HTTPS }],
  ['no page at all', { 'sec-fetch-site': 'none', origin: HTTPS }],
  ['a site that a browser does not know', { 'sec-fetch-site': 'same-origin, cross-site', origin: HTTPS }],
  ['a foreign origin', { origin: 'https://evil.example' }],
  ['a sister origin', { origin: 'https://other.sallyport.test' }],
  ['the same host without https', { origin: 'http://sallyport.test' }],
  ['another port', { origin: 'https://sallyport.test:8443' }],
  ['an origin that begins like ours', { origin: 'https://sallyport.test.evil.example' }],
  ['an origin that is withheld', { origin: 'null' }],
  ['who knows where', {}],
  ['who knows where, with our address as referrer', { referer: `${HTTPS}/admin` }],
];

eachEngine('a form that another site sends', (engine) => {
  test('is refused at every address that takes forms, and changes nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    const noor = await guest(people.noor);
    await noor.password();
    await noor.configures();
    const contact = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}`;
    const code = maria.nextCode();
    const forms: [Guest, string, string][] = [
      [maria, '/portal/acme/verify', `code=${code}`],
      [maria, '/portal/acme/verify/backup-code', `code=${maria.codes[0]}`],
      [maria, '/portal/acme/sign-out', ''],
      [noor, '/portal/acme/enable-mfa/verify', `code=${world.codeFor(noor.secret)}`],
      [ada, GENERAL, 'mfa=&name=Evil&contactDetails=Evil'],
      [ada, `${contact}/reset-mfa`, 'check=met-in-person&note='],
      [ada, `${contact}/disable`, ''],
      [ada, '/admin/sign-out', ''],
      [noor, '/portal/acme/sign-in', `email=${people.noor.email}&password=${people.noor.password}`],
    ];
    const everywhere = ROUTES.filter(({ method }) => method === 'POST').map(({ path }) =>
      path.replace(':slug', 'acme'),
    );
    await unchanged(world, async () => {
      for (const [what, headers] of FOREIGN) {
        for (const [who, path, body] of forms) {
          const answer = await post(world, path, headers, cookiesAt(who), body);
          assert.equal(answer.status, 403, `${path} from ${what}`);
          assert.deepEqual(answer.headers.getSetCookie(), [], `${path} from ${what}`);
        }
        for (const path of everywhere) assert.equal((await post(world, path, headers, '', '')).status, 403, path);
      }
    });
    const own = { origin: HTTPS };
    const taken = await post(world, '/portal/acme/verify', own, cookiesAt(maria), `code=${code}`);
    assert.equal(taken.headers.get('location'), '/portal/acme/home', 'our own origin is enough for an old browser');
  });

  test('is told calmly that the page was open too long', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria, { headers: { 'sec-fetch-site': 'cross-site' } });
    refusedWith(await maria.password(), 403, /This page was open too long/);
  });
});

const LIES: Record<string, string> = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
  'x-original-url': '//evil.example/',
  'x-rewrite-url': '//evil.example/',
  forwarded: 'host=evil.example;proto=http',
};

eachEngine('a page', (engine) => {
  test('is made for our own address, whatever Host the request names', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada, { headers: { host: 'evil.example', ...LIES } }));
    const noor = await guest(people.noor, { headers: { host: 'evil.example', ...LIES } });
    const pages: Page[] = [];
    const see = async (page: Promise<Page>): Promise<void> => void pages.push(await page);
    await see(noor.browser.get('/portal/acme'));
    await see(noor.password());
    await noor.configures();
    await see(noor.browser.get('/portal/acme/enable-mfa/scan'));
    await noor.verifies();
    await noor.browser.post('/portal/acme/enable-mfa/enable');
    await see(noor.browser.post('/portal/acme/enable-mfa/backup-codes'));
    await see(noor.browser.post('/portal/acme/enable-mfa/backup-codes/download'));
    assert.match(noor.browser.page.text, /Sign in at: https:\/\/sallyport\.test\/portal\/acme/);
    for (const path of ['/admin', GENERAL, '/admin/customers']) await see(ada.browser.get(path));
    const ida = { name: 'Ida Invited', email: 'ida@globex.test', phone: '' };
    await ada.browser.post(`/admin/customers/${people.globex.id}/contacts/new`, ida);
    await see(ada.browser.follow());
    const [link = ''] = /\/admin\/customers\/[^"]+\/welcome-link/.exec(ada.browser.page.text) ?? [];
    await see(ada.browser.post(link));
    assert.match(ada.browser.page.text, /https:\/\/sallyport\.test\/portal\/acme\/welcome\/[\w-]{43}</);
    for (const { text, location } of pages) {
      assert.doesNotMatch(text, /evil/);
      if (location !== null) assert.match(location, /^\/[a-z]/);
    }
  });

  test('over a real socket takes no notice of Host either, and a Host that is none is no fault', async () => {
    await using world = await openWorld(engine);
    await stage(world);
    const url = await world.listen();
    for (const host of ['evil.example', 'evil.example:80', 'localhost@evil.example', '[', 'a b', '../..', '']) {
      const { status, text, location } = await getWithHost(`${url}/portal/acme/enable-mfa`, host);
      assert.ok([303, 400].includes(status), `Host: ${host} is answered with ${status}`);
      assert.ok(location === undefined || location === '/portal/acme/sign-in', String(location));
      assert.doesNotMatch(text, /evil/);
    }
  });

  test('never leads out of the house, whatever the address asks for', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const out = 'https%3A%2F%2Fevil.example';
    const query = ['next', 'redirect', 'return', 'returnTo', 'url', 'continue']
      .map((name) => `${name}=${out}`)
      .join('&');
    const led: (string | null)[] = [];
    const go = async (path: string, fields?: Record<string, string>): Promise<void> => {
      const page = fields ? await maria.browser.post(path, fields) : await maria.browser.get(path);
      led.push(page.location);
    };
    await go(`/portal/acme?${query}`);
    await go(`/portal/acme/home?${query}`);
    const { email, password } = maria.person;
    await go(`/portal/acme/sign-in?${query}`, { email, password });
    await go(`/portal/acme/verify?${query}`, { code: maria.nextCode() });
    await go(`/portal/acme/sign-in?${query}`);
    await go(`/portal/acme/sign-out?${query}`, {});
    await go(`/?${query}`);
    await go(`/.well-known/change-password?${query}`);
    assert.deepEqual(led, [
      '/portal/acme/sign-in',
      '/portal/acme/sign-in',
      '/portal/acme/verify',
      '/portal/acme/home',
      '/portal/acme/home',
      '/portal/acme/sign-in',
      '/portal/acme',
      '/portal/acme/security/password',
    ]);
    for (const path of [
      '//evil.example',
      '//evil.example/sign-in',
      '/%2f%2fevil.example',
      '/portal/%2f%2fevil.example/home',
    ]) {
      const page = await maria.browser.get(`${HTTPS}${path}`);
      assert.deepEqual([page.status, page.location], [404, null], path);
    }
  });
});

function getWithHost(
  url: string,
  host: string,
): Promise<{ status: number; text: string; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const get = request(url, { agent: false, setHost: false, headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, location: response.headers.location }),
      );
    });
    get.on('error', reject);
    get.end();
  });
}
