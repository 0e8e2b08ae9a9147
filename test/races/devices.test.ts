import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { answerChallenge } from '../../src/auth/sign-in.ts';
import { sql } from '../../src/db/db.ts';
import { challenged, home, type Person } from '../acme.ts';
import { HOUR_MS, MINUTE_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  openRace,
  PORTAL,
  recorded,
  rounds,
  sessionsIn,
  signingIn,
  times,
  type Race,
  type Racer,
} from './racers.ts';
import type { Answer, Asked } from './servers.ts';

describe('one browser that is trusted, on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
    await allow(race, 30);
  });
  after(() => race.servers.close());

  test('16 sign-ins at once with one value open one session, and the browser stays trusted', async () => {
    await rounds(6, async () => {
      const maria = await enrolled(race);
      const device = await trusts(race, maria);
      const given = await race.servers.atOnce(times(16, () => coming(maria, device)));
      assert.equal(sessionsIn(given).length, 1);
      assert.equal(given.filter(({ location }) => location === `${PORTAL}/verify`).length, 15);
      assert.equal(await openedBy(race, maria), 1);
      assert.equal(await recorded(race, maria, 'device.replayed', 'done'), 0);
      const [next, ...others] = devicesIn(given);
      assert.ok(next !== undefined && others.length === 0);
      assert.equal((await race.servers.ask(coming(maria, next))).location, `${PORTAL}/home`);
    });
  });

  test('of an old value and the newest one, eight times each at once, nothing is left open, and it is told once', async () => {
    await rounds(6, async () => {
      const maria = await enrolled(race);
      const old = await trusts(race, maria);
      const [device = ''] = devicesIn([await race.servers.ask(coming(maria, old))]);
      race.world.clock.advance(HOUR_MS);
      await race.servers.atOnce(times(16, (turn) => coming(maria, turn % 2 === 0 ? old : device)));
      assert.equal(await openedBy(race, maria), 0);
      assert.equal(await recorded(race, maria, 'device.replayed', 'done'), 1);
      assert.equal((await race.servers.ask(coming(maria, device))).location, `${PORTAL}/verify`);
    });
  });

  test('ticking the box in three sign-ins while the organization switches it off leaves nothing that opens later', async () => {
    await rounds(6, async () => {
      await allow(race, 30);
      const maria = await enrolled(race);
      const cookies = await challengesOf(race, maria, 3);
      const ticking = times(9, (turn): Asked => {
        const code = race.world.codeFor(maria.secret, (turn % 3) - 1);
        return { path: `${PORTAL}/verify`, fields: { code, trust: 'on' }, cookie: cookies[turn % 3] ?? '' };
      });
      const [given] = await Promise.all([race.servers.atOnce(ticking), allow(race, null)]);
      for (const device of devicesIn(given))
        assert.equal((await race.servers.ask(coming(maria, device))).location, `${PORTAL}/verify`);
      race.world.clock.advance(MINUTE_MS);
      await allow(race, 30);
    });
  });
});

async function allow({ world, acme }: Race, trustedDeviceDays: number | null): Promise<void> {
  const choices = { ...acme.organization, trustedDeviceDays };
  await saveChoices(world.installation, OPERATOR, acme.organization.id, choices);
}

/** Password, code and the box; answers the cookie. */
async function trusts({ world: { installation, clock }, world }: Race, person: Racer): Promise<string> {
  clock.advance(2 * MINUTE_MS);
  const challenge = await challenged(installation, person);
  const code = { kind: 'totp', code: world.codeFor(person.secret) } as const;
  const answered = await answerChallenge(installation, challenge, code, home(person), undefined, {
    carried: undefined,
  });
  assert.ok(answered.kind === 'right' && answered.bought.trust);
  return `__Host-sallyport-device=${answered.bought.trust.cookie}`;
}

function coming(person: Person, device: string): Asked {
  return { ...signingIn(person), cookie: device };
}

function devicesIn(given: readonly Answer[]): string[] {
  const all = given.flatMap(({ cookies }) => cookies.filter((cookie) => /^__Host-sallyport-device=./.test(cookie)));
  return all.map((cookie) => cookie.split(';')[0] ?? '');
}

/** How many sessions that a device has opened are still open. */
async function openedBy({ world }: Race, { id }: Person): Promise<number> {
  const open = sql`SELECT id FROM sessions WHERE account_id = ${id} AND factor = 'trusted-device' AND ended_at IS NULL`;
  return (await world.db.all(open)).length;
}
