import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MINUTE_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  openRace,
  PORTAL,
  rounds,
  sessionsIn,
  sessionsOf,
  times,
  type Race,
} from './racers.ts';

describe('of two servers, one whose clock was set back ten minutes', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('refuses every code, and the other goes on: one code, sent 16 times, opens one session (I1, I22)', async () => {
    const { servers, world } = race;
    await rounds(4, async () => {
      const maria = await enrolled(race);
      const cookies = await challengesOf(race, maria, 2);
      // Both have shown the database the right time before.
      await servers.ask({ path: '/readyz' });
      servers.behindMs[1] = 10 * MINUTE_MS;
      const code = world.codeFor(maria.secret);
      // By turns to one and the other, so each challenge is tried on both.
      const given = await servers.atOnce(
        times(16, (turn) => ({ path: `${PORTAL}/verify`, fields: { code }, cookie: cookies[turn % 4 < 2 ? 0 : 1]! })),
      );
      const [right, behind] = [0, 1].map((server) => given.filter((_, n) => n % 2 === server));
      assert.equal(sessionsIn(right!).length, 1);
      assert.ok(behind!.some(({ status }) => status === 503));
      // Where the challenge was used up at the other meanwhile, the guard says so first.
      for (const { status, location } of behind!)
        assert.ok(status === 503 || location === `${PORTAL}/sign-in`, `the one behind answered ${status}`);
      assert.equal(await sessionsOf(race, maria), 1);
      servers.behindMs[1] = 0;
      const late = await servers.ask({ path: `${PORTAL}/verify`, fields: { code }, cookie: cookies[1]! }, 1);
      assert.notEqual(late.status, 503);
      assert.equal(await sessionsOf(race, maria), 1, 'set right, it does not take it once more');
    });
  });
});
