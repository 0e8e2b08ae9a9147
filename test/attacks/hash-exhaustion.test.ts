import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedWith, stage } from '../surface/front-door.ts';
import { openWorld, eachEngine } from '../world.ts';

eachEngine('hash exhaustion by parallel sign-ins (ASVS 6.3.1, 15.2.2)', (engine) => {
  test('hundred at once cost no more hashes than there is room for; the rest are told to come again, and nothing is spent', async () => {
    await using world = await openWorld(engine, { hashing: { atOnce: 1, queue: 3, waitMs: 60_000 } });
    const { people, guest } = await stage(world);
    const noor = await guest(people.noor);
    await world.installation.nobodysPassword;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const busy = world.installation.hashing(() => released);
    const crowd = await Promise.all(Array.from({ length: 100 }, () => noor.elsewhere()));
    const asked = crowd.map((one, at) => one.password('a guess', `nobody${at}@globex.test`));
    const turned: number[] = [];
    const all = asked.map(async (page) => void turned.push((await page).status));
    while (turned.length < 97) await new Promise((done) => setImmediate(done));
    assert.deepEqual(new Set(turned), new Set([503]));
    const inside = await world.visitor();
    assert.equal((await inside.get('/healthz')).status, 200, 'what needs no hash is answered meanwhile');
    assert.equal((await inside.get('/portal/acme/sign-in')).status, 200);
    release();
    await busy;
    await Promise.all(all);
    assert.equal(turned.filter((status) => status === 422).length, 3);
    const spent = (await world.rows('counters')).reduce((sum, row) => sum + Number(row['spent']), 0);
    assert.equal((await noor.password()).status, 303);
    assert.ok(spent <= 3 * 4, `${spent} are still counted after 97 were turned away`);
  });

  test('no hash is computed for what cannot be right: dead links, shapes, waits, old challenges and long passwords', async () => {
    await using world = await openWorld(engine, { hashing: { atOnce: 1, queue: 0, waitMs: 50 } });
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.enrols();
    await maria.password();
    const dead = await maria.elsewhere();
    await dead.password();
    const left = [...dead.browser.cookies];
    await dead.browser.post('/portal/acme/sign-out');
    for (const [name, value] of left) dead.browser.cookies.set(name, value);
    await world.installation.nobodysPassword;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const busy = world.installation.hashing(() => released);
    const strong = 'seven quiet llamas knit';
    const { browser } = maria;
    const statuses = [
      (await browser.post(`/portal/acme/welcome/${'x'.repeat(43)}`, { email: '', password: strong })).status,
      (await browser.post(`/setup/${'x'.repeat(43)}`, { name: 'x', password: strong })).status,
      (await maria.backupCode('12345678901')).status,
      (await dead.backupCode(maria.codes[0] ?? '')).status,
      (await (await maria.elsewhere()).password('x'.repeat(129))).status,
    ];
    assert.deepEqual(statuses, [422, 404, 422, 303, 422]);
    refusedWith(await maria.backupCode(maria.codes[0] ?? ''), 503, /busy right now/);
    release();
    await busy;
    assert.equal((await maria.backupCode(maria.codes[0] ?? '')).status, 303);
  });
});
