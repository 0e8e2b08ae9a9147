import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { MINUTE_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  newcomer,
  openRace,
  PORTAL,
  recorded,
  rounds,
  signingIn,
  times,
  wrongCode,
  type Race,
  type Racer,
} from './racers.ts';

describe('sign-ins that race on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('16 right passwords at once leave three challenges open', async () => {
    await rounds(6, async () => {
      const maria = await enrolled(race);
      const given = await race.servers.atOnce(times(16, () => signingIn(maria)));
      assert.ok(
        given.every(({ location }) => location === `${PORTAL}/verify`),
        'every password was right',
      );
      const open = await race.world.db.all(sql`SELECT id FROM challenges WHERE account_id = ${maria.id}
        AND consumed_at IS NULL AND expires_at > ${race.world.clock.now}`);
      assert.equal(open.length, 3);
    });
  });

  test('of 40 wrong passwords at once from one address, ten are looked at in ten minutes, whoever they are for', async () => {
    await rounds(4, async () => {
      // Somebody else each time, so that the limit of an account never comes before the one of the address.
      const { email } = await newcomer(race);
      race.world.clock.advance(10 * MINUTE_MS);
      const given = await race.servers.atOnce(
        times(40, (turn) => ({
          path: `${PORTAL}/sign-in`,
          fields: { email: turn % 4 === 0 ? email : `eve${turn}@nowhere.test`, password: 'not what anybody chose' },
          address: '203.0.113.9',
        })),
      );
      assert.equal(given.filter(({ status }) => status === 422).length, 10);
      assert.equal(given.filter(({ status }) => status === 429).length, 30);
    });
  });

  test('of 40 wrong codes at once from one address, 20 are looked at, whoever they are for', async () => {
    const racers: Racer[] = [];
    for (let n = 0; n < 10; n++) racers.push(await enrolled(race));
    const cookies: string[] = [];
    for (const racer of racers) cookies.push(...(await challengesOf(race, racer, 1)));
    await race.servers.atOnce(
      times(40, (turn) => ({
        path: `${PORTAL}/verify`,
        fields: { code: wrongCode(race, racers[turn % 10]!, turn) },
        cookie: cookies[turn % 10]!,
        address: '203.0.113.10',
      })),
    );
    let lookedAt = 0;
    for (const racer of racers) lookedAt += await recorded(race, racer, 'signed-in', 'wrong');
    assert.equal(lookedAt, 20);
  });
});
