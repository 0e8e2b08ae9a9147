import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPostgres } from '../postgres.ts';
import { ask, TOLD_WITHIN_MS } from './ask.ts';
import { until, within } from './deadline.ts';
import { postgresAt } from './places.ts';
import { PORTAL, Scene } from './scene.ts';
import { Traffic } from './traffic.ts';

const CUSTOMERS = 120;
const PER_SECOND = 30;
const STOPS = 2;

test('PostgreSQL, stopped hard and started again under sign-ins, is told as 503 within two seconds, and nothing is lost', async (t) => {
  const postgres = await startPostgres();
  try {
    await using scene = await Scene.open('postgres', await postgresAt(postgres.url));
    const customers = (await scene.members(CUSTOMERS)).map((member) => ({ ...member, portal: PORTAL }));
    scene.clock.now = Date.now();
    const server = await scene.server({ ticks: true });
    const traffic = new Traffic(() => server.port, customers, scene.ledger);
    const stop = new AbortController();
    const flowing = traffic.steadily(PER_SECOND, stop.signal);
    const ready = async (): Promise<number> => (await ask(server.port, { path: '/readyz' })).status;
    try {
      for (let n = 1; n <= STOPS; n++) {
        const letIn = traffic.letIn;
        await until(60_000, 'Traffic', async () => traffic.letIn >= letIn + PER_SECOND);
        await postgres.crash();
        assert.equal(await ready(), 503, 'it says that it is not ready');
        const failed = traffic.failures.length;
        await until(30_000, 'Ten failures', async () => traffic.failures.length >= failed + 10);
        await within(30_000, 'The restart of PostgreSQL', postgres.restart());
        const ms = await until(30_000, 'Being ready again', async () => (await ready()) === 200);
        t.diagnostic(`ready ${Math.round(ms)} ms after PostgreSQL`);
      }
    } finally {
      stop.abort();
      await within(30_000, 'The end of the traffic', flowing);
    }
    const failures = traffic.failures.map(({ what, status, retryAfter }) => `${what} ${status} ${retryAfter}`);
    assert.deepEqual(
      [...new Set(failures)].filter((failure) => !/ 503 \d+$/.test(failure)),
      [],
    );
    const slowest = Math.max(...traffic.failures.map(({ ms }) => ms));
    assert.ok(slowest <= TOLD_WITHIN_MS, `one was told after ${Math.round(slowest)} ms`);
    t.diagnostic(`${traffic.letIn} sign-ins, ${failures.length} told 503, the slowest after ${Math.round(slowest)} ms`);
    const letIn = traffic.letIn;
    await traffic.again(8);
    assert.equal(traffic.letIn, letIn, 'no code worked twice');
    await server.stop();
    scene.clock.now = Date.now();
    assert.deepEqual(await scene.findings(), []);
  } finally {
    await postgres.stop();
  }
});
