import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { sql } from '../../src/db/db.ts';
import { setPolicy } from '../acme.ts';
import { HOUR_MS, MINUTE_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  newcomer,
  openRace,
  PORTAL,
  recorded,
  sessionsOf,
  signingIn,
  times,
  wrongCode,
  type Race,
  type Racer,
} from './racers.ts';

describe('limits that two servers count together', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  /** How many of so many wrong passwords at once, from these addresses, were looked at. */
  async function lookedAt(count: number, email: (turn: number) => string, address: (turn: number) => string) {
    const fields = (turn: number) => ({ email: email(turn), password: 'not what anybody chose' });
    const given = await race.servers.atOnce(
      times(count, (turn) => ({ path: `${PORTAL}/sign-in`, fields: fields(turn), address: address(turn) })),
    );
    for (const { status } of given) assert.ok(status === 422 || status === 429, `${status}`);
    return given.filter(({ status }) => status === 422).length;
  }

  /** 40 wrong codes at once, each for the next of these people, who have signed in with the password. */
  async function guess(racers: readonly Racer[], address?: string): Promise<void> {
    const cookies: string[] = [];
    for (const racer of racers) cookies.push(...(await challengesOf(race, racer, 1)));
    await race.servers.atOnce(
      times(40, (turn) => ({
        path: `${PORTAL}/verify`,
        fields: { code: wrongCode(race, racers[turn % racers.length]!, turn) },
        cookie: cookies[turn % racers.length]!,
        ...(address === undefined ? {} : { address }),
      })),
    );
  }

  test('of 40 wrong passwords every ten minutes from one address, 50 are looked at in an hour, and 50 in the next', async () => {
    for (const hour of ['first', 'second']) {
      const counts: number[] = [];
      for (let wave = 0; wave < 6; wave++) {
        counts.push(
          await lookedAt(
            40,
            (turn) => `eve${wave}-${turn}@${hour}.test`,
            () => '203.0.113.30',
          ),
        );
        race.world.clock.advance(10 * MINUTE_MS);
      }
      assert.deepEqual(counts, [10, 10, 10, 10, 10, 0], `${hour} hour`);
    }
  });

  test('of 40 wrong passwords at once for one account, an outsider who comes after has one looked at in 30 s', async () => {
    const { email } = await newcomer(race);
    const flood = await lookedAt(
      40,
      () => email,
      (turn) => `203.0.114.${turn}`,
    );
    assert.equal(flood, 40, 'each of them came from somewhere else, and once');
    for (const window of ['first', 'second']) {
      const looked = await lookedAt(
        16,
        () => email,
        () => '203.0.113.31',
      );
      assert.equal(looked, 1, `${window} window`);
      race.world.clock.advance(30_000);
    }
  });

  test('of 40 wrong codes at once from one address, 20 are looked at in ten minutes, and 20 in the next', async () => {
    const racers: Racer[] = [];
    for (let n = 0; n < 10; n++) racers.push(await enrolled(race));
    for (const looked of [20, 40]) {
      // Their own counts begin again, so that only the address is held.
      await race.world.change(sql`UPDATE accounts SET totp_wrong = 0, totp_wait_until = 0`);
      await guess(racers, '203.0.113.32');
      let all = 0;
      for (const racer of racers) all += await recorded(race, racer, 'signed-in', 'wrong');
      assert.equal(all, looked);
      race.world.clock.advance(10 * MINUTE_MS);
    }
  });

  test('of 40 wrong codes at once after 15 in a row, the account looks at one for each wait, up to the twentieth', async () => {
    const maria = await enrolled(race);
    await race.world.change(sql`UPDATE accounts SET totp_wrong = 15, window_wrong = 15,
      window_started_at = ${race.world.clock.now} WHERE id = ${maria.id}`);
    for (let looked = 1; looked <= 5; looked++) {
      await guess([maria, maria, maria]);
      assert.equal(await recorded(race, maria, 'signed-in', 'wrong'), looked);
      race.world.clock.advance(HOUR_MS);
    }
    assert.notEqual((await race.world.account(maria)).suspectedAt, null);
    const given = await race.servers.atOnce(times(16, () => signingIn(maria)));
    assert.ok(given.every(({ status }) => status === 403));
  });

  test('of 40 weak passwords at once with one welcome link, 20 are judged in an hour, and 20 in the next', async () => {
    const { world, acme } = race;
    const draft = { name: 'Wanda Okoye', email: 'wanda@globex.test', phone: null };
    const made = await createContact(world.installation, OPERATOR, acme.organization.id, acme.globex.id, draft);
    assert.ok(made.kind === 'saved');
    const account = await world.account({ organizationId: acme.organization.id, id: made.id });
    const token = await makeWelcomeLink(world.installation, OPERATOR, account);
    for (const hour of ['first', 'second']) {
      const fields = { email: draft.email, password: 'too short' };
      const given = await race.servers.atOnce(times(40, () => ({ path: `${PORTAL}/welcome/${token}`, fields })));
      assert.equal(given.filter(({ status }) => status === 422).length, 20, `${hour} hour`);
      assert.equal(given.filter(({ status }) => status === 429).length, 20, `${hour} hour`);
      world.clock.advance(HOUR_MS);
    }
  });

  test('48 sign-ins at once where MFA is off leave 20 sessions open', async () => {
    const { world, acme } = race;
    await setPolicy(world.installation, acme.organization, 'off');
    const noor = await newcomer(race);
    await race.servers.atOnce(times(48, () => signingIn(noor)));
    assert.equal(await sessionsOf(race, noor), 48);
    const open = await world.db.all(sql`SELECT id FROM sessions WHERE account_id = ${noor.id} AND ended_at IS NULL`);
    assert.equal(open.length, 20);
  });
});
