import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachEngine } from '../world.ts';
import { until, within } from './deadline.ts';
import { PORTAL, Scene } from './scene.ts';
import { Traffic } from './traffic.ts';

const SIGN_INS = 200;
const AT_ONCE = 8;
/** After how many sign-ins the server is killed: never between two of them, always in the middle of some. */
const KILLED_AFTER = [40, 90, 140];

eachEngine('200 sign-ins in whose middle the server is killed', (engine) => {
  test('leave every acknowledged session, used code and audit row, and no code works twice', async (t) => {
    await using scene = await Scene.open(engine);
    const customers = (await scene.members(SIGN_INS)).map((member) => ({ ...member, portal: PORTAL }));
    scene.clock.now = Date.now();
    let server = await scene.server({ ticks: true });
    const traffic = new Traffic(() => server.port, customers, scene.ledger);
    const comingIn = traffic.everybody(AT_ONCE);
    for (const count of KILLED_AFTER) {
      const next = scene.load({ ticks: true });
      await until(30_000, `Sign-in ${count}`, async () => traffic.letIn >= count);
      await server.kill();
      scene.clock.now = Date.now();
      await scene.open(next);
      server = next;
    }
    await within(60_000, 'Letting everybody in', comingIn);
    assert.equal(traffic.letIn, SIGN_INS);
    const statuses = new Set(traffic.failures.map(({ status }) => status));
    assert.deepEqual([...statuses], [0], 'nothing but connections that broke');
    const entered = await traffic.again(AT_ONCE);
    assert.ok(entered >= SIGN_INS / 2, `only ${entered} codes were entered again in time`);
    assert.equal(traffic.letIn, SIGN_INS, 'no code worked a second time');
    t.diagnostic(`${traffic.failures.length} requests without an answer, ${entered} codes entered again`);
    await server.stop();
    scene.clock.now = Date.now();
    assert.deepEqual(await scene.findings(), []);
  });
});
