import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findContact } from '../../src/accounts/contacts.ts';
import { sql } from '../../src/db/db.ts';
import { enrol, setPolicy, type Enrolled, type Person } from '../acme.ts';
import { HOUR_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  newcomer,
  openRace,
  PORTAL,
  recorded,
  rounds,
  sessionsIn,
  staffCookie,
  times,
  type Race,
  type Racer,
} from './racers.ts';
import type { Asked } from './two-servers.ts';

const RESET = { check: 'met-in-person', note: '', password: '', code: '' };

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
      const asked: Asked[] = [...(await rightAnswers(maria)), ...times(4, () => signsIn(maria))];
      asked.splice(turn % asked.length, 0, act(maria, 'reset-mfa', sam, RESET));
      await raceAndBeSignedOut(maria, asked);
      assert.equal(await recorded(race, maria, 'mfa.reset', 'done'), 1);
      assert.equal((await findContact(race.world.db, race.acme.organization.id, race.acme.globex.id, maria.id))?.mfaSince, null);
    });
  });

  test('no session outlives the closing of the portal that it raced', async () => {
    await rounds(12, async (turn) => {
      const maria = await enrolled(race);
      const ada = await staffCookie(race, race.acme.ada, adas);
      const asked: Asked[] = [...(await rightAnswers(maria)), ...times(4, () => signsIn(maria))];
      asked.splice(turn % asked.length, 0, act(maria, 'disable', ada));
      await raceAndBeSignedOut(maria, asked);
    });
  });

  test('a password alone opens nothing past the closing of the portal either', async () => {
    await setPolicy(race.world.installation, race.acme.organization, 'off');
    await rounds(12, async (turn) => {
      const noor = await newcomer(race);
      const ada = await staffCookie(race, race.acme.ada, adas);
      const asked: Asked[] = times(12, () => signsIn(noor));
      asked.splice(turn, 0, act(noor, 'disable', ada));
      await raceAndBeSignedOut(noor, asked);
    });
    await setPolicy(race.world.installation, race.acme.organization, 'required');
  });

  test('of 24 resets by one agent at once, 20 are done, and the rest an hour later', async () => {
    const racers: Racer[] = [];
    for (let n = 0; n < 24; n++) racers.push(await enrolled(race));
    for (const [expected, left] of [[20, 24], [4, 4]] as const) {
      race.world.clock.advance(HOUR_MS);
      const sam = await staffCookie(race, race.acme.sam, sams);
      const still: Racer[] = [];
      for (const racer of racers) if ((await recorded(race, racer, 'mfa.reset', 'done')) === 0) still.push(racer);
      assert.equal(still.length, left);
      const asked = times(24, (turn) => act(still[turn % left]!, 'reset-mfa', sam, RESET));
      const given = await race.servers.atOnce(asked);
      assert.equal(given.filter(({ status }) => status === 303).length, expected);
    }
  });

  function act(person: Person, name: string, cookie: string, fields: Record<string, string> = {}): Asked {
    return { path: `/admin/customers/${race.acme.globex.id}/contacts/${person.id}/${name}`, fields, cookie };
  }

  function signsIn({ email, password }: Person): Asked {
    return { path: `${PORTAL}/sign-in`, fields: { email, password } };
  }

  /** Eight different right codes over two challenges: more than one may get in, as long as nobody stays. */
  async function rightAnswers(maria: Racer): Promise<Asked[]> {
    const cookies = await challengesOf(race, maria, 2);
    const codes = [...[-1, 0, 1].map((steps) => race.world.codeFor(maria.secret, steps)), ...maria.codes];
    return codes.map((code, turn) => ({ path: `${PORTAL}/verify`, fields: { code }, cookie: cookies[turn % 2]! }));
  }

  async function raceAndBeSignedOut(person: Person, asked: readonly Asked[]): Promise<void> {
    const given = await race.servers.atOnce(asked);
    for (const cookie of sessionsIn(given)) {
      const { status, location } = await race.servers.ask({ path: `${PORTAL}/home`, cookie });
      assert.deepEqual([status, location], [303, `${PORTAL}/sign-in`], 'the session is void');
    }
    const open = await race.world.db.all(sql`SELECT id FROM sessions WHERE account_id = ${person.id} AND ended_at IS NULL`);
    assert.equal(open.length, 0, 'no session is left open');
  }
});
