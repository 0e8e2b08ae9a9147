import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import type { Page, Visitor } from '../visitor.ts';
import { unchanged } from '../surface/front-door.ts';
import { everyPost, FORM, lay, nameOf, takes, type Siege } from './siege.ts';
import { plainCookies, write } from './wire.ts';

/** Other spellings of an address that a proxy or a router might take for it. */
const SPELLINGS: [what: string, spell: (path: string) => string][] = [
  ['two slashes in front', (path) => `/${path}`],
  ['two slashes inside', (path) => path.replace(/\/(?=[^/]*$)/, '//')],
  ['a slash at the end', (path) => `${path}/`],
  ['a dot at the end', (path) => `${path}.`],
  ['a suffix', (path) => `${path}.css`],
  ['a space at the end', (path) => `${path}%20`],
  ['NUL at the end', (path) => `${path}%00`],
  ['a semicolon at the end', (path) => `${path};x=.css`],
  ['a dot as a folder', (path) => path.replace(/\/(?=[^/]*$)/, '/./')],
  ['a way up and down', (path) => `/assets/..${path}`],
  ['the same, encoded', (path) => `/assets/%2e%2e${path}`],
  ['a way up behind a semicolon', (path) => `/healthz/..;${path}`],
  ['an encoded slash', (path) => path.replace(/\/(?=[^/]*$)/, '%2f')],
  ['a backslash', (path) => path.replace(/\/(?=[^/]*$)/, '\\')],
  ['capitals', (path) => path.toUpperCase()],
  [
    'an encoded letter',
    (path) => path.replace(/^\/(.)/, (_, first: string) => `/%${first.charCodeAt(0).toString(16)}`),
  ],
  ['a whole address', (path) => `http://localhost${path}`],
  ['a query', (path) => `${path}?admin=1&signedIn=true&token=x`],
  ['a path behind a question mark', (path) => `/healthz?${path}`],
  ['a matrix parameter in front', (path) => path.replace(/^\/[^/]+/, '$&;jsessionid=1')],
];

const CLAIMS: Record<string, string> = {
  authorization: `Basic ${Buffer.from('maria@globex.test:maria keeps a long secret').toString('base64')}`,
  'x-original-url': '/admin',
  'x-rewrite-url': '/admin',
  'x-forwarded-user': 'ada@acme.test',
  'x-remote-user': 'ada@acme.test',
  'remote-user': 'ada@acme.test',
  'x-authenticated-user': 'ada@acme.test',
  'x-custom-ip-authorization': '127.0.0.1',
  'x-forwarded-for': '127.0.0.1',
  'x-middleware-subrequest': 'middleware:middleware',
  'x-amzn-oidc-identity': 'ada@acme.test',
};

const GUARDED = ROUTES.filter(({ who }) => who !== 'anyone');

/** Somewhere before the end of the way in: nobody, owing a code, in the middle of the ceremony. */
async function outsiders({ half, noor, world }: Siege): Promise<[who: string, browser: Visitor][]> {
  return [
    ['a stranger', await world.visitor()],
    ['Maria, who owes a code', half.browser],
    ['Noor, who is looking at her QR code', noor.browser],
  ];
}

/** The same request twice, with and without something; cookies stay as they were. */
async function bothWays(browser: Visitor, ask: (headers: Record<string, string>) => Promise<Page>): Promise<Page[]> {
  const pages: Page[] = [];
  const cookies = [...browser.cookies];
  for (const headers of [{}, CLAIMS]) {
    pages.push(await ask(headers));
    browser.cookies.clear();
    for (const [name, value] of cookies) browser.cookies.set(name, value);
  }
  return pages;
}

describe('skipping a step of the way in (ASVS 2.3.1, 6.3.4, 8.3.1)', () => {
  let siege: Siege;
  before(async () => void (siege = await lay('sqlite')));
  after(() => siege[Symbol.asyncDispose]());

  test('no other spelling of an address opens what the address itself does not', async () => {
    const { world, fill } = siege;
    const url = await world.listen();
    const opened: string[] = [];
    await unchanged(world, async () => {
      for (const [who, browser] of await outsiders(siege)) {
        for (const { method, path, who: guard } of GUARDED) {
          if (who !== 'a stranger' && /half signed in|enrolling/.test(guard)) continue;
          for (const [what, spell] of SPELLINGS) {
            const target = spell(fill(path));
            const headers = [plainCookies(browser), ['Sec-Fetch-Site', 'same-origin'], ['Content-Type', FORM]] as const;
            const { status, location } = await write(url, { method, target, headers });
            const refused = [303, 400, 401, 404].includes(status) || (status === 200 && target.startsWith('/healthz?'));
            if (
              !refused ||
              (location !== undefined && !/^\/(admin|portal\/acme)\/(sign-in|verify|enable-mfa)$/.test(location))
            )
              opened.push(`${method} ${target} (${what}) for ${who}: ${status} ${location}`);
          }
        }
      }
    });
    assert.deepEqual(opened, []);
  });

  test('no header of a proxy, of Basic authentication or of a framework says who somebody is', async () => {
    const { world, fill } = siege;
    await unchanged(world, async () => {
      for (const [who, browser] of await outsiders(siege)) {
        for (const { method, path } of GUARDED) {
          const type = { 'content-type': FORM };
          const body = method === 'POST' ? 'probe=1' : undefined;
          const [plain, claimed] = await bothWays(browser, (headers) =>
            browser.send(method, fill(path), { ...type, ...headers }, body),
          );
          assert.deepEqual(
            [claimed?.status, claimed?.location, claimed?.text],
            [plain?.status, plain?.location, plain?.text],
            `${method} ${path} for ${who}`,
          );
        }
      }
    });
  });

  test('no method but its own makes a form do anything, and no header or field makes one method of another', async () => {
    const { world } = siege;
    const url = await world.listen();
    const posts = everyPost(siege);
    for (const { name, browser, path, fields, world: own } of posts) {
      const body = new URLSearchParams(fields).toString();
      const cookies = [...browser.cookies];
      await unchanged(own, async () => {
        for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'GET']) {
          const sent = method === 'GET' || method === 'HEAD' ? undefined : body;
          const target = sent === undefined ? `${path}?${body}` : path;
          const override = { 'x-http-method-override': 'POST', 'x-method-override': 'POST', 'x-http-method': 'POST' };
          const page = await browser.send(method, target, { 'content-type': FORM, ...override }, sent);
          assert.ok(![500, 403].includes(page.status), `${method} for ${name}: ${page.status}`);
          assert.ok(sent === undefined || page.status === 404, `${method} for ${name}: ${page.status}`);
          browser.cookies.clear();
          for (const [cookie, value] of cookies) browser.cookies.set(cookie, value);
        }
        const page = await browser.post(path, `${body}${body === '' ? '' : '&'}_method=POST`);
        assert.ok([400, 404].includes(page.status), `_method at ${name}: ${page.status}`);
      });
      if (own !== world) continue;
      for (const method of ['TRACE', 'CONNECT']) {
        const { status, body: told } = await write(url, { method, target: path, headers: [plainCookies(browser)] });
        assert.ok(status !== 200 && !told.includes('Cookie'), `${method} for ${name}: ${status}`);
      }
    }
  });

  test('no session is made, and no cookie of one, by any request that was not the last step', async () => {
    const { world, maria } = siege;
    const sessions = (await world.rows('sessions')).length;
    for (const { method, path } of ROUTES.filter((route) => nameOf(route) !== 'POST /portal/:slug/verify')) {
      const half = await maria.elsewhere();
      await half.password();
      const fields = { 'content-type': FORM };
      await half.browser.send(method, siege.fill(path), fields, method === 'POST' ? 'code=' : undefined);
      assert.equal(half.browser.cookies.has('__Host-sallyport'), false, `${method} ${path}`);
      assert.equal(half.browser.cookies.has('__Host-sallyport-admin'), false, `${method} ${path}`);
    }
    assert.equal((await world.rows('sessions')).length, sessions);
  });

  test('what was refused above was refused for the way it was asked: every form is taken as it is', async () => {
    for (const post of everyPost(siege)) await takes(post);
  });
});
