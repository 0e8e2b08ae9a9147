import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { sql } from '../../src/db/db.ts';
import { enrol, setPolicy, type Enrolled, type Person } from '../acme.ts';
import { HOUR_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  newcomer,
  openRace,
  PORTAL,
  pressing,
  recorded,
  rightCodes,
  rounds,
  sessionsIn,
  signingIn,
  staffCookie,
  times,
  type Race,
  type Racer,
} from './racers.ts';
import type { Asked } from './servers.ts';

describe('staff who act while sign-ins are under way on two servers', () => {
  let race: Race;
  let sams: Enrolled;
  let adas: Enrolled;
  before(async () => {
    race = await openRace();
    sams = await enrol(race.world.installation, race.acme.sam);
    adas = await enrol(race.world.installation, race.acme.ada);
  });
  after(() => race.servers.close());

  test('no session outlives the reset that it raced, however it was won', async () => {
    await rounds(12, async (turn) => {
      const maria = await enrolled(race);
      const sam = await staffCookie(race, race.acme.sam, sams);
      const asked: Asked[] = [...(await rightAnswers(maria)), ...times(4, () => signingIn(maria))];
      asked.splice(turn % asked.length, 0, pressing(race, maria, 'reset-mfa', sam));
      await raceAndBeSignedOut(maria, asked);
      assert.equal(await recorded(race, maria, 'mfa.reset', 'done'), 1);
    });
  });

  test('no session outlives the closing of the portal that it raced', async () => {
    await rounds(12, async (turn) => {
      const maria = await enrolled(race);
      const ada = await staffCookie(race, race.acme.ada, adas);
      const asked: Asked[] = [...(await rightAnswers(maria)), ...times(4, () => signingIn(maria))];
      asked.splice(turn % asked.length, 0, pressing(race, maria, 'disable', ada));
      await raceAndBeSignedOut(maria, asked);
    });
  });

  test('a password alone opens nothing past the closing of the portal either', async () => {
    await whileOff(12, async (turn) => {
      const noor = await newcomer(race);
      const ada = await staffCookie(race, race.acme.ada, adas);
      const asked: Asked[] = times(12, () => signingIn(noor));
      asked.splice(turn, 0, pressing(race, noor, 'disable', ada));
      await raceAndBeSignedOut(noor, asked);
    });
  });

  test('no session outlives the password that opened it', async () => {
    const { installation } = race.world;
    const argon2 = await hashNewPassword(installation, 'quiet lanterns over the harbour');
    await whileOff(12, async (turn) => {
      const noor = await newcomer(race);
      const account = await race.world.account(noor);
      const change = async (): Promise<void> => {
        await setTimeout(turn * 3);
        await installation.db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
      };
      const asked = times(12, () => signingIn(noor));
      await raceAndBeSignedOut(noor, asked, change);
    });
  });

  test('of 24 resets by one agent at once, 20 are done, and the rest an hour later', async () => {
    const racers: Racer[] = [];
    for (let n = 0; n < 24; n++) racers.push(await enrolled(race));
    race.world.clock.advance(HOUR_MS);
    assert.equal(await resetAll(racers), 20);
    const still: Racer[] = [];
    for (const racer of racers) if ((await recorded(race, racer, 'mfa.reset', 'done')) === 0) still.push(racer);
    assert.equal(still.length, 4);
    race.world.clock.advance(HOUR_MS);
    assert.equal(await resetAll([...still, ...still]), 4);
  });

  async function resetAll(racers: readonly Racer[]): Promise<number> {
    const sam = await staffCookie(race, race.acme.sam, sams);
    const given = await race.servers.atOnce(racers.map((racer) => pressing(race, racer, 'reset-mfa', sam)));
    return given.filter(({ status }) => status === 303).length;
  }

  /** Eight different right codes over two challenges: more than one may get in, as long as nobody stays. */
  async function rightAnswers(maria: Racer): Promise<Asked[]> {
    const cookies = await challengesOf(race, maria, 2);
    return rightCodes(race, maria).map((code, turn) => ({
      path: `${PORTAL}/verify`,
      fields: { code },
      cookie: cookies[turn % 2]!,
    }));
  }

  /** Whoever was let in is out again, and nothing is left that could still become a session. */
  async function raceAndBeSignedOut(person: Person, asked: readonly Asked[], also = async () => {}): Promise<void> {
    const { db } = race.world;
    const { epoch } = await race.world.account(person);
    const [given] = await Promise.all([race.servers.atOnce(asked), also()]);
    for (const cookie of sessionsIn(given)) {
      const { status, location } = await race.servers.ask({ path: `${PORTAL}/home`, cookie });
      assert.deepEqual([status, location], [303, `${PORTAL}/sign-in`], 'the session is void');
    }
    assert.equal((await race.world.account(person)).epoch, epoch + 1, 'the epoch was raised');
    const sessions = sql`SELECT id FROM sessions WHERE account_id = ${person.id} AND ended_at IS NULL`;
    assert.equal((await db.all(sessions)).length, 0, 'no session is left open');
    const challenges = sql`SELECT id FROM challenges WHERE account_id = ${person.id} AND consumed_at IS NULL
      AND epoch <= ${epoch}`;
    assert.equal((await db.all(challenges)).length, 0, 'no challenge of before is left open');
  }

  async function whileOff(count: number, round: (turn: number) => Promise<void>): Promise<void> {
    const { installation } = race.world;
    await setPolicy(installation, race.acme.organization, 'off');
    try {
      await rounds(count, round);
    } finally {
      await setPolicy(installation, race.acme.organization, 'required');
    }
  }
});
