import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { everyPost, lay } from './siege.ts';
import { write } from './wire.ts';

const OUT = [
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '/%5cevil.example',
  '%2f%2fevil.example',
  'javascript:alert(1)',
  '/%0d%0aLocation:%20https://evil.example',
];
const NAMES = [
  'next',
  'return',
  'returnTo',
  'return_to',
  'redirect',
  'redirect_uri',
  'url',
  'continue',
  'to',
  'target',
  'RelayState',
  'service',
];

test('open redirects: no answer of any route leads out of the house, whatever its query or path names (ASVS 1.2.2, 4.1.3)', async () => {
  await using siege = await lay('sqlite');
  const { world, fill, maria, ada, half, noor } = siege;
  const led: string[] = [];
  const look = (what: string, location: string | null | undefined): void => {
    if (location && !/^\/(?:$|[a-z])/.test(location)) led.push(`${what}: ${location}`);
  };
  const query = OUT.flatMap((out) => NAMES.map((name) => `${name}=${out}`)).join('&');
  for (const { path } of ROUTES.filter(({ method }) => method === 'GET'))
    for (const { browser } of [maria, ada, half, noor])
      look(path, (await browser.get(`${fill(path)}?${query}`)).location);
  for (const { name, browser, path, fields } of everyPost(siege))
    look(name, (await browser.post(`${path}?${query}`, fields)).location);
  const url = await world.listen();
  for (const out of OUT)
    for (const target of [
      out.replace(/^[^/]/, '/$&'),
      `/portal/${out}`,
      `/portal/${out}/home`,
      `/admin/${out}`,
      `/setup/${out}`,
    ])
      look(target, (await write(url, { target: target.replaceAll('\\', '%5c').replaceAll(' ', '%20') })).location);
  assert.deepEqual(led, []);
});
