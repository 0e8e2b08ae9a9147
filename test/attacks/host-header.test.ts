import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { openWorld } from '../world.ts';
import { lay, nameOf } from './siege.ts';
import { plainCookies, write } from './wire.ts';

test('host-header poisoning: no link, redirect or page is made from Host, X-Forwarded-Host or Forwarded, at any route (ASVS 4.1.3)', async () => {
  await using siege = await lay('sqlite');
  const { world, fill, maria, ada } = siege;
  const url = await world.listen();
  const stranger = await world.visitor();
  for (const route of ROUTES) {
    const { browser } = route.path.startsWith('/admin') ? ada : route.who === 'contact' ? maria : { browser: stranger };
    for (const poison of [
      [['Host', 'evil.example']],
      [
        ['X-Forwarded-Host', 'evil.example'],
        ['X-Forwarded-Proto', 'http'],
        ['X-Forwarded-Port', '81'],
      ],
      [
        ['Forwarded', 'host=evil.example;proto=http'],
        ['X-Host', 'evil.example'],
        ['X-Forwarded-Server', 'evil.example'],
      ],
    ] as [string, string][][]) {
      const headers = [plainCookies(browser), ['Sec-Fetch-Site', 'same-origin'] as const, ...poison];
      const { head, body } = await write(url, { method: route.method, target: fill(route.path), headers });
      assert.doesNotMatch(head + body, /evil\.example/, nameOf(route));
    }
  }
  const absolute = await write(url, { target: 'http://evil.example/portal/acme/enable-mfa' });
  assert.doesNotMatch(absolute.head + absolute.body, /evil\.example/);
});

test('host-header poisoning: two Hosts, an empty one and one with an account in it are no fault (ASVS 4.2.1)', async () => {
  await using world = await openWorld('sqlite');
  await world.acme();
  const url = await world.listen();
  for (const hosts of [
    ['localhost', 'evil.example'],
    [''],
    ['localhost@evil.example'],
    ['evil.example/x?'],
    ['[::1'],
  ]) {
    const headers = hosts.map((host) => ['Host', host] as const);
    const heard = await write(url, { target: '/portal/acme', headers });
    assert.ok([303, 400].includes(heard.status), `${hosts.join()}: ${heard.status}`);
    assert.doesNotMatch(heard.head + heard.body, /evil\.example/);
  }
});
