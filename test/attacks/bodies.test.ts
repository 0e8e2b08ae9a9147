import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { listen, stopListening } from '../../src/cli/serve.ts';
import type { AddressInfo } from 'node:net';
import { unchanged } from '../surface/front-door.ts';
import { openWorld } from '../world.ts';
import { everyPost, FORM, lay } from './siege.ts';
import { plainCookies, write } from './wire.ts';

const SAME: readonly [string, string] = ['Sec-Fetch-Site', 'same-origin'];
const TYPE: readonly [string, string] = ['Content-Type', FORM];

test('huge bodies: every form refuses more than 16 KiB, whether or not it says how long it is (ASVS 4.2.1, 15.2.2)', async () => {
  await using siege = await lay('sqlite');
  const { world } = siege;
  const url = await world.listen();
  const long = 'x'.repeat(17 * 1024);
  await unchanged(world, async () => {
    for (const { name, browser, path, world: own } of everyPost(siege)) {
      if (own !== world) continue;
      const headers = [plainCookies(browser), SAME, TYPE];
      const told = await write(url, { method: 'POST', target: path, headers, body: long });
      assert.equal(told.status, 413, name);
      const chunked = `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
      const untold = await write(url, {
        method: 'POST',
        target: path,
        headers: [...headers, ['Transfer-Encoding', 'chunked']],
        body: chunked,
      });
      assert.equal(untold.status, 413, name);
    }
  });
});

const SMUGGLED: [what: string, headers: (readonly [string, string])[]][] = [
  [
    'two lengths',
    [
      ['Content-Length', '5'],
      ['Content-Length', '6'],
    ],
  ],
  [
    'a length and chunks',
    [
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
    ],
  ],
  ['chunks that are not', [['Transfer-Encoding', 'xchunked']]],
  ['two codings', [['Transfer-Encoding', 'chunked, identity']]],
  ['a length that is no number', [['Content-Length', '0x5']]],
  ['a negative length', [['Content-Length', '-5']]],
  ['a space before the colon', [['Transfer-Encoding ', 'chunked']]],
  ['a line break in a value', [['X-Evil', 'a\n b: c']]],
  ['a header of 20 KiB', [['X-Evil', 'x'.repeat(20_000)]]],
];

test('bodies that two servers would read differently are refused, and nothing after them is answered (ASVS 4.2.1–4.2.4)', async () => {
  await using siege = await lay('sqlite');
  const url = await siege.world.listen();
  await unchanged(siege.world, async () => {
    for (const [what, headers] of SMUGGLED) {
      const body = '0\r\n\r\nGET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const heard = await write(url, {
        method: 'POST',
        target: '/portal/acme/sign-in',
        headers: [SAME, TYPE, ...headers],
        body,
      });
      assert.ok(heard.status >= 400 && heard.status < 500, `${what}: ${heard.status}`);
      assert.doesNotMatch(heard.body, /HTTP\/1\.1/, what);
    }
  });
});

test('slow bodies: a request that stops half way holds no hash, no transaction and nobody up, and the server ends it (ASVS 15.2.2)', async () => {
  await using world = await openWorld('sqlite', { hashing: { atOnce: 1, queue: 0, waitMs: 50 } });
  const { maria } = await world.acme();
  await world.installation.nobodysPassword;
  const server = await listen(await world.app(), { port: 0, host: 'localhost' });
  const { port } = server.address() as AddressInfo;
  assert.deepEqual([server.headersTimeout, server.requestTimeout], [10_000, 120_000]);
  const slow = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = connect(port, 'localhost');
      await once(socket, 'connect');
      const head = [`POST /portal/acme/sign-in HTTP/1.1`, 'Host: localhost', SAME.join(': '), TYPE.join(': ')];
      socket.write(`${head.join('\r\n')}\r\nContent-Length: 60\r\n\r\nemail=maria`);
      return socket;
    }),
  );
  const visitor = await world.visitor();
  const signedIn = await visitor.post('/portal/acme/sign-in', { email: maria.email, password: maria.password });
  assert.equal(signedIn.location, '/portal/acme/home', 'the one permit for a hash is free');
  for (const socket of slow) socket.destroy();
  await stopListening(server);
});
