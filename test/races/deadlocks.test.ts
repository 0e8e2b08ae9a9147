import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { sweep } from '../../src/auth/housekeeping.ts';
import { sql } from '../../src/db/db.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { enrol, type Person } from '../acme.ts';
import { MINUTE_MS, type World } from '../world.ts';
import {
  CEREMONY,
  challengesOf,
  enrolled,
  newcomer,
  openRace,
  PORTAL,
  pressing,
  provenTo,
  rightCodes,
  rounds,
  signingIn,
  staffCookie,
  times,
  wrongCode,
  type Race,
  type Racer,
} from './racers.ts';
import { racing, type Asked } from './servers.ts';

describe('everything at once on two servers', () => {
  test('resets, answers, enrolments and sign-ins of the same accounts never lock each other out', async () => {
    await using race = await openRace();
    const { world, acme } = race;
    const sams = await enrol(world.installation, acme.sam);
    const adas = await enrol(world.installation, acme.ada);
    const sweeper = openPostgres(racing(world.place), { patient: true });
    await rounds(15, async () => {
      const [maria, noor] = [await enrolled(race), await newcomer(race)];
      const [sam, ada] = [await staffCookie(race, acme.sam, sams), await staffCookie(race, acme.ada, adas)];
      const asked = inTurns(
        await answering(race, maria),
        await enrolling(race, noor),
        [maria, noor].flatMap((person) => times(3, () => signingIn(person))),
        times(2, () => pressing(race, maria, 'reset-mfa', sam)),
        [maria, noor].flatMap((person) =>
          (['disable', 'enable'] as const).map((act) => pressing(race, person, act, ada)),
        ),
      );
      const sweeping = Promise.all(times(3, () => sweep({ db: sweeper, now: world.installation.now })));
      await race.servers.atOnce(asked);
      await sweeping;
      world.clock.advance(31 * MINUTE_MS);
    });
    await Promise.all([sweeper.close(), race.servers.stop()]);
    assert.equal(await deadlocks(world), 0);
  });
});

/** Right and wrong codes of both kinds over three challenges of one account. */
async function answering(race: Race, maria: Racer): Promise<Asked[]> {
  const cookies = await challengesOf(race, maria, 3);
  const codes = [...rightCodes(race, maria), ...times(6, (turn) => wrongCode(race, maria, turn))];
  return codes.map((code, turn) => ({ path: `${PORTAL}/verify`, fields: { code }, cookie: cookies[turn % 3]! }));
}

/** Every step of the ceremony at once, in two sign-ins of one account, one of them before the last button. */
async function enrolling(race: Race, noor: Person): Promise<Asked[]> {
  const cookies = [...(await challengesOf(race, noor, 1)), await provenTo(race, noor)];
  const steps = ['/enable', '', '/verify', '/backup-codes', '/done'];
  return steps.flatMap((step) =>
    cookies.map((cookie) => ({
      path: `${CEREMONY}${step}`,
      fields: step === '/verify' ? { code: '000000' } : {},
      cookie,
    })),
  );
}

/** One of each, then the next of each: so that neither kind is through before another begins. */
function inTurns(...kinds: readonly (readonly Asked[])[]): Asked[] {
  const longest = Math.max(...kinds.map((kind) => kind.length));
  return times(longest, (turn) => kinds.flatMap((kind) => kind.slice(turn, turn + 1))).flat();
}

// A connection tells of its deadlocks when it ends, if not before: so wait until the racing ones are gone.
async function deadlocks({ db }: World): Promise<number> {
  const racers = sql`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'racing'`;
  for (let tries = 0; (await db.all(racers)).length > 0; tries++) {
    assert.ok(tries < 100, 'the connections of the servers stay');
    await setTimeout(50);
  }
  const row = await db.one<{ deadlocks: number }>(
    sql`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`,
  );
  return row?.deadlocks ?? -1;
}
