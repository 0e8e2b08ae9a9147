import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { signsIn } from '../acme.ts';
import { testDatabase } from '../database.ts';
import type { ServerProcess } from '../races/servers.ts';
import { ask, cookieIn, TOLD_WITHIN_MS, valueOf, type Told } from './ask.ts';
import { until, within } from './deadline.ts';
import { Proxy, type Cut, type Trap } from './proxy.ts';
import { PORTAL, Scene, type Member } from './scene.ts';

/** Where the network is cut under a code that is answered. */
const TRAPS: readonly (readonly [where: string, trap: Trap])[] = [
  ['before its transaction begins', { text: 'BEGIN', lost: 'request' }],
  ['in the middle of its transaction', { text: 'SAVEPOINT kept', lost: 'answer' }],
  ['as its COMMIT is sent', { text: 'COMMIT', lost: 'request' }],
  ['as its COMMIT is answered', { text: 'COMMIT', lost: 'answer' }],
];

describe('a network that is cut under the answer to a code', () => {
  let scene: Scene;
  let proxy: Proxy;
  let server: ServerProcess;

  before(async () => {
    const database = await testDatabase('postgres');
    const { port } = new URL(database.place);
    proxy = await Proxy.open(() => Number(port));
    scene = await Scene.open('postgres', database);
    const place = new URL(database.place);
    place.port = String(proxy.port);
    server = await scene.server({ place: place.href });
  });
  after(async () => {
    await scene.close();
    await proxy.close();
  });

  for (const cut of ['torn', 'silent'] as const)
    for (const [where, trap] of TRAPS)
      test(`${where} (${cut}) is told 503, and the code opens one session when the network is back`, () =>
        cutUnder(trap, cut));

  async function cutUnder(trap: Trap, cut: Cut): Promise<void> {
    const [maria] = (await scene.members(1)) as [Member];
    await server.tell({ now: scene.clock.now });
    const cookie = await challengeOf(maria);
    const code = scene.codeFor(maria);
    const sprung = proxy.cutAt(trap, cut);
    try {
      assertUnavailable(await verify(cookie, code));
      await within(1_000, `The passing of ${trap.text}`, sprung);
      const ready = await ask(server.port, { path: '/readyz' });
      assert.equal(ready.status, 503);
      assert.ok(ready.ms <= TOLD_WITHIN_MS, `/readyz told after ${Math.round(ready.ms)} ms`);
    } finally {
      proxy.mend();
    }
    await until(5_000, 'Being ready again', async () => (await ask(server.port, { path: '/readyz' })).status === 200);
    await onceInAll(maria, cookie, code);
    assert.deepEqual(await scene.findings(), []);
  }

  /** The same code again, in the same sign-in and in a new one: one session has come of it, before or after. */
  async function onceInAll(maria: Member, cookie: string, code: string): Promise<void> {
    const again = await verify(cookie, code);
    assert.equal(again.status, 303, `the same sign-in goes on or is over, and was answered ${again.status}`);
    const session = cookieIn(again, 'sallyport');
    if (session !== undefined)
      scene.ledger.answered({
        accountId: maria.id,
        code,
        challenge: valueOf(cookie),
        outcome: 'right',
        session: valueOf(session),
      });
    const { status } = await verify(await challengeOf(maria), code);
    assert.equal(status, 422, 'the code works no more');
    const sessions = await scene.work(({ db }) => db.all(sql`SELECT id FROM sessions WHERE account_id = ${maria.id}`));
    assert.equal(sessions.length, 1);
  }

  async function challengeOf(maria: Member): Promise<string> {
    const outcome = await scene.work((installation) => signsIn(installation, maria));
    assert.ok(outcome.kind === 'challenge', `the password led to ${outcome.kind}`);
    return `__Host-sallyport-challenge=${outcome.cookie}`;
  }

  function verify(cookie: string, code: string): Promise<Told> {
    return ask(server.port, { path: `${PORTAL}/verify`, fields: { code }, cookie });
  }
});

function assertUnavailable({ status, retryAfter, ms, text }: Told): void {
  assert.equal(status, 503, text);
  assert.ok(retryAfter, 'it says when to come again');
  assert.ok(ms <= TOLD_WITHIN_MS, `it was told after ${Math.round(ms)} ms`);
}
