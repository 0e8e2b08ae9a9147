import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { check, sentences } from '../faults/checker.ts';
import { Ledger } from '../faults/ledger.ts';
import {
  challengesOf,
  enrolled,
  openRace,
  PORTAL,
  recorded,
  rounds,
  sessionsIn,
  sessionsOf,
  signingIn,
  times,
  wrongCode,
  type Race,
  type Racer,
} from './racers.ts';
import type { Answer, Asked } from './servers.ts';

const ACCOUNTS = 20;
const CHALLENGES = 3;
const SENDS = 5;

describe('answers that race on four servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace({ count: 4 });
  });
  after(() => race.servers.close());

  test('of 20 people with three sign-ins open and five sends of one code in each, 20 are signed in once', async () => {
    await everybodyOnce((racer) => race.world.codeFor(racer.secret));
  });

  test('the same with a backup code each: 20 are signed in once, and have four codes left', async () => {
    const racers = await everybodyOnce(({ codes }) => codes[0]!);
    for (const { id } of racers) {
      const used = await race.world.db.all(sql`SELECT c.id FROM backup_codes c JOIN backup_code_sets s
        ON s.organization_id = c.organization_id AND s.id = c.set_id WHERE s.account_id = ${id} AND used_at IS NOT NULL`);
      assert.equal(used.length, 1, 'one code is used up');
    }
  });

  test('of 1,000 wrong codes while new sign-ins open, five are looked at until the first wait ends', async () => {
    const maria = await enrolled(race);
    let cookies = await challengesOf(race, maria, CHALLENGES);
    await rounds(5, async (wave) => {
      const guesses = guessing(maria, 200, cookies, wave * 200);
      const given = await race.servers.atOnce([...guesses, ...times(SENDS, () => signingIn(maria))]);
      // The three of them that are open now are tried next, and two that are not.
      cookies = challengesIn(given);
      assert.equal(cookies.length, SENDS, 'new sign-ins opened meanwhile');
    });
    assert.equal(await recorded(race, maria, 'signed-in', 'wrong'), 5);
    race.world.clock.advance(29_999);
    await race.servers.atOnce(guessing(maria, 40, cookies));
    assert.equal(await recorded(race, maria, 'signed-in', 'wrong'), 5, 'a moment before the wait ends');
    race.world.clock.advance(1);
    cookies = await challengesOf(race, maria, CHALLENGES);
    await race.servers.atOnce(guessing(maria, 60, cookies));
    assert.equal(await recorded(race, maria, 'signed-in', 'wrong'), 6, 'one more, and then the next wait');
  });

  test('and the audit log replayed against the tables finds nothing amiss', async () => {
    assert.deepEqual(sentences(await check(race.world.installation, new Ledger())), []);
  });

  function guessing(maria: Racer, count: number, cookies: readonly string[], from = 0): Asked[] {
    return times(count, (n) => guess(wrongCode(race, maria, (from + n) % 900), cookies[n % cookies.length]!));
  }

  async function everybodyOnce(codeOf: (racer: Racer) => string): Promise<Racer[]> {
    const racers: Racer[] = [];
    for (let n = 0; n < ACCOUNTS; n++) racers.push(await enrolled(race));
    const asked: Asked[] = [];
    for (const racer of racers) {
      const cookies = await challengesOf(race, racer, CHALLENGES);
      for (const cookie of cookies) asked.push(...times(SENDS, () => guess(codeOf(racer), cookie)));
    }
    const given = await race.servers.atOnce(asked);
    assert.equal(asked.length, ACCOUNTS * CHALLENGES * SENDS);
    assert.equal(sessionsIn(given).length, ACCOUNTS, 'so many browsers were let in');
    for (const racer of racers) {
      assert.equal(await sessionsOf(race, racer), 1, 'one session was made');
      assert.equal(await recorded(race, racer, 'signed-in', 'right'), 1, 'one sign-in was recorded');
    }
    return racers;
  }
});

function guess(code: string, cookie: string): Asked {
  return { path: `${PORTAL}/verify`, fields: { code }, cookie };
}

function challengesIn(given: readonly Answer[]): string[] {
  return given.flatMap(({ cookies }) => cookies.filter((cookie) => /^__Host-sallyport-challenge=./.test(cookie)));
}
