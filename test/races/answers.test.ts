import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { backupCodesLeft } from '../../src/auth/sign-in.ts';
import { sql } from '../../src/db/db.ts';
import {
  challengesOf,
  enrolled,
  openRace,
  PORTAL,
  recorded,
  rightCodes,
  rounds,
  sessionsIn,
  sessionsOf,
  times,
  wrongCode,
  type Race,
  type Racer,
} from './racers.ts';
import type { Answer } from './servers.ts';

describe('answers that race on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('one code of her app, sent 16 times over three challenges, opens one session', async () => {
    await rounds(5, async () => {
      const maria = await enrolled(race);
      const cookies = await challengesOf(race, maria, 3);
      const code = race.world.codeFor(maria.secret);
      const given = await answerAll(times(16, (turn) => ({ code, cookie: cookies[turn % 3]! })));
      await oneSession(maria, given);
    });
  });

  test('one backup code, sent 16 times over three challenges, opens one session and four are left', async () => {
    await rounds(5, async () => {
      const maria = await enrolled(race);
      const cookies = await challengesOf(race, maria, 3);
      const given = await answerAll(times(16, (turn) => ({ code: maria.codes[0]!, cookie: cookies[turn % 3]! })));
      await oneSession(maria, given);
      const account = await race.world.account(maria);
      assert.equal(await backupCodesLeft(race.world.installation, account), 4);
    });
  });

  test('one challenge, answered 16 times with eight right codes, buys one session', async () => {
    await rounds(5, async () => {
      const maria = await enrolled(race);
      const [cookie = ''] = await challengesOf(race, maria, 1);
      const codes = rightCodes(race, maria);
      const given = await answerAll(times(16, (turn) => ({ code: codes[turn % codes.length]!, cookie })));
      await oneSession(maria, given);
    });
  });

  test('of 40 wrong codes of both kinds on one challenge, five are looked at', async () => {
    await rounds(4, async () => {
      const maria = await enrolled(race);
      const [cookie = ''] = await challengesOf(race, maria, 1);
      await answerAll(times(40, (turn) => ({ code: wrongOf(maria, turn), cookie })));
      assert.equal(await recorded(race, maria, 'signed-in', 'wrong'), 5);
      assert.equal(await wrongInARow(maria), 5, 'the account counts what was looked at');
    });
  });

  test('of 40 wrong codes over three challenges, five are looked at, and one more after each wait', async () => {
    await rounds(3, async () => {
      const maria = await enrolled(race);
      await wave(maria, 5);
      race.world.clock.advance(30_000);
      await wave(maria, 6);
      race.world.clock.advance(60_000);
      await wave(maria, 7);
    });
  });

  async function wave(maria: Racer, lookedAt: number): Promise<void> {
    const cookies = await challengesOf(race, maria, 3);
    await answerAll(times(40, (turn) => ({ code: wrongCode(race, maria, turn), cookie: cookies[turn % 3]! })));
    assert.equal(await recorded(race, maria, 'signed-in', 'wrong'), lookedAt);
    assert.equal(await wrongInARow(maria), lookedAt, 'the account counts what was looked at');
  }

  function answerAll(given: readonly { code: string; cookie: string }[]): Promise<Answer[]> {
    return race.servers.atOnce(
      given.map(({ code, cookie }) => ({ path: `${PORTAL}/verify`, fields: { code }, cookie })),
    );
  }

  async function oneSession(maria: Racer, given: readonly Answer[]): Promise<void> {
    assert.equal(sessionsIn(given).length, 1, 'one browser was let in');
    assert.equal(await sessionsOf(race, maria), 1, 'one session was made');
    assert.equal(await recorded(race, maria, 'signed-in', 'right'), 1, 'one sign-in was recorded');
  }

  // Each kind has a wait of its own, so that only the challenge's five attempts hold both together.
  function wrongOf(maria: Racer, turn: number): string {
    const code = wrongCode(race, maria, turn);
    return turn % 2 === 0 ? code : `${code}${code}`;
  }

  async function wrongInARow({ id }: Racer): Promise<number | undefined> {
    const row = await race.world.db.one<{ wrong: number }>(
      sql`SELECT totp_wrong + backup_wrong AS wrong FROM accounts WHERE id = ${id}`,
    );
    return row?.wrong;
  }
});
