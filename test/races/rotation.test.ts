import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openInstallation, type Installation } from '../../src/accounts/installation.ts';
import { keysInUse, letRingGo } from '../../src/accounts/keys.ts';
import { countSealed, rotate } from '../../src/auth/rotation.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { MINUTE_MS, ringOf } from '../world.ts';
import { enrolled, openRace, PORTAL, sessionsIn, signingIn, times, type Race, type Racer } from './racers.ts';
import type { Answer } from './servers.ts';

const PEOPLE = 16;

describe('keys that are rotated beside two servers', () => {
  let race: Race;
  const racers: Racer[] = [];
  before(async () => {
    // The people are sealed with the old key; the servers have been restarted with the new one in front of it.
    race = await openRace({ ring: ['old', 'new'], serversRing: ['new', 'old'] });
    for (let n = 0; n < PEOPLE; n++) racers.push(await enrolled(race));
  });
  after(() => race.servers.close());

  test('16 people sign in at once, again and again, and not one of them fails', async () => {
    const { world, servers } = race;
    const db = openPostgres(world.place, { patient: true });
    const rotating = { over: false, turns: 0 };
    const toAndFro = (async () => {
      while (!rotating.over) await rotated(race, db, rotating.turns++ % 2 === 0 ? ['new', 'old'] : ['old', 'new']);
    })();
    for (let round = 0; round < 4 || rotating.turns < 3; round++) {
      world.clock.advance(2 * MINUTE_MS);
      const passwords = await servers.atOnce(racers.map(signingIn));
      const answers = await servers.atOnce(
        racers.map(({ secret }, n) => {
          assert.equal(passwords[n]?.location, `${PORTAL}/verify`);
          return {
            path: `${PORTAL}/verify`,
            fields: { code: world.codeFor(secret) },
            cookie: challengeIn(passwords[n]),
          };
        }),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        times(PEOPLE, () => 303),
      );
      assert.equal(sessionsIn(answers).length, PEOPLE);
    }
    rotating.over = true;
    await toAndFro;

    await letRingGo(world.installation);
    await rotated(race, db, ['new', 'old']);
    assert.deepEqual(
      (await keysInUse(db, world.clock.now)).map(({ keyId }) => keyId),
      ['new'],
    );
    assert.ok((await countSealed(db, 'old')).every(({ count }) => count === 0));
    await db.close();
  });
});

async function rotated(
  { world }: Race,
  db: Installation['db'],
  ids: readonly [string, string],
): ReturnType<typeof rotate> {
  const { now, log } = world.installation;
  const hashing = { atOnce: 1, queue: 64, waitMs: 2_000 };
  const passwordCost = { memoryKiB: 64, passes: 1 };
  const installation = await openInstallation(db, ringOf(...ids), { now, log, hashing, passwordCost });
  const rotation = await rotate(installation, () => undefined);
  await letRingGo(installation);
  return rotation;
}

function challengeIn(answer: Answer | undefined): string {
  return answer?.cookies.find((cookie) => cookie.startsWith('__Host-sallyport-challenge=')) ?? '';
}
