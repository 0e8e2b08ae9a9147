import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stage } from '../surface/front-door.ts';
import { ROUTES } from '../../src/app.ts';
import { eachEngine, openWorld } from '../world.ts';
import { lay } from './siege.ts';

eachEngine('a logout that only clears the cookie (ASVS 7.4.1)', (engine) => {
  test('is none: session, challenge and ceremony are dead on the server, at both doors and every route', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    for (const person of [people.maria, people.ada]) {
      const one = await guest(person);
      await one.password();
      await one.configures();
      const ceremony = [...one.browser.cookies];
      await one.browser.post(`${one.door}/sign-out`);
      for (const [name, value] of ceremony) one.browser.cookies.set(name, value);
      assert.equal((await one.browser.get(`${one.door}/enable-mfa/scan`)).location, `${one.door}/sign-in`);
      await one.enrols();
      await one.password();
      const half = [...one.browser.cookies];
      await one.browser.post(`${one.door}/sign-out`);
      for (const [name, value] of half) one.browser.cookies.set(name, value);
      assert.equal((await one.code(one.nextCode())).location, `${one.door}/sign-in`);
      await one.signsIn();
      const inside = [...one.browser.cookies];
      await one.browser.post(`${one.door}/sign-out`);
      assert.deepEqual(
        [...one.browser.cookies.keys()].filter((name) => !name.endsWith('notice')),
        [],
      );
      for (const [name, value] of inside) one.browser.cookies.set(name, value);
      assert.equal((await one.browser.get(one.door)).location, `${one.door}/sign-in`);
    }
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
  });
});

test('a logout stands on every page behind both doors (ASVS 7.4.4)', async () => {
  await using siege = await lay('sqlite');
  const { maria, ada, fill } = siege;
  let pages = 0;
  for (const { path } of ROUTES.filter(({ method, who }) => method === 'GET' && /^(contact|staff)/.test(who))) {
    const one = path.startsWith('/admin') ? ada : maria;
    const { status, text, headers } = await one.browser.get(fill(path));
    if (status !== 200 || !headers.get('content-type')?.startsWith('text/html')) continue;
    pages++;
    assert.ok(text.includes(`action="${one.door}/sign-out"`), path);
  }
  assert.ok(pages >= 15, `${pages} pages`);
});
