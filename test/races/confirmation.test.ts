import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { makeEnrolmentCode } from '../../src/auth/enrolment-codes.ts';
import { sql } from '../../src/db/db.ts';
import { anyLink, confirming, hasActive } from '../confirmation.ts';
import type { Person } from '../acme.ts';
import {
  CEREMONY,
  newcomer,
  offeredTo,
  openRace,
  pendingSecret,
  recorded,
  rounds,
  times,
  type Race,
} from './racers.ts';

describe('a confirmation that races on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
    await confirming(race.world, race.acme.organization);
  });
  after(() => race.servers.close());

  test('a link, followed 16 times at once in the browser that began, confirms once', async () => {
    await rounds(6, async () => {
      const { noor, cookie } = await waiting();
      const path = await anyLink(race.world, noor);
      const given = await race.servers.atOnce(times(16, () => ({ path, fields: {}, cookie })));
      assert.deepEqual([...new Set(given.map(({ location }) => location))], [`${CEREMONY}/enable`]);
      assert.equal(await recorded(race, noor, 'enrolment.confirmed', 'right'), 1);
    });
  });

  test('Enable MFA, pressed while the link is followed, enables once confirmed and never before', async () => {
    await rounds(8, async () => {
      const { noor, cookie } = await waiting();
      const link = { path: await anyLink(race.world, noor), fields: {}, cookie };
      const press = { path: `${CEREMONY}/enable`, fields: {}, cookie };
      await race.servers.atOnce(times(16, (turn) => (turn === 8 ? link : press)));
      const confirmed = await recorded(race, noor, 'enrolment.confirmed', 'right');
      const enabled = await recorded(race, noor, 'mfa.enabled', 'done');
      assert.ok(enabled <= confirmed, `confirmed ${confirmed} times, enabled ${enabled} times`);
      assert.equal(await hasActive(race.world, noor), enabled === 1);
    });
  });

  test('a code of staff, sent 16 times at once from two ceremonies, confirms one of them', async () => {
    await rounds(6, async () => {
      const { noor, cookie } = await waiting();
      const code = await made(noor);
      const path = `${CEREMONY}/confirm`;
      await race.servers.atOnce(times(16, () => ({ path, fields: { code }, cookie })));
      assert.equal(await recorded(race, noor, 'enrolment.confirmed', 'right'), 1);
      const left = await race.world.db.all(sql`SELECT 1 AS found FROM enrolment_codes WHERE account_id = ${noor.id}`);
      assert.equal(left.length, 0);
    });
  });

  test('of 40 wrong codes at once, each from an address of its own, ten are counted and the right one is dead', async () => {
    await rounds(3, async () => {
      const { noor, cookie } = await waiting();
      const code = await made(noor);
      const path = `${CEREMONY}/confirm`;
      const wrong = code.startsWith('1') ? `2${code.slice(1)}` : `1${code.slice(1)}`;
      await race.servers.atOnce(times(40, () => ({ path, fields: { code: wrong }, cookie })));
      const [row] = await race.world.db.all<{ left: number }>(
        sql`SELECT tries_left AS "left" FROM enrolment_codes WHERE account_id = ${noor.id}`,
      );
      assert.equal(row?.left, 0);
      await race.servers.ask({ path, fields: { code }, cookie });
      assert.equal(await recorded(race, noor, 'enrolment.confirmed', 'right'), 0);
    });
  });

  /** Somebody who stands at the page that asks for a confirmation. */
  async function waiting(): Promise<{ noor: Person; cookie: string }> {
    const noor = await newcomer(race);
    const cookie = await offeredTo(race, noor);
    const code = race.world.codeFor(await pendingSecret(race, noor, cookie));
    const { location } = await race.servers.ask({ path: `${CEREMONY}/verify`, fields: { code }, cookie });
    assert.equal(location, `${CEREMONY}/confirm`);
    return { noor, cookie };
  }

  async function made(noor: Person): Promise<string> {
    const { world, acme } = race;
    const agent = await world.account(acme.sam);
    const reason = { check: 'met-in-person', note: '' } as const;
    // A colleague of his each time would do as well: how many one agent may make an hour is told elsewhere.
    await world.change(sql`DELETE FROM counters`);
    const outcome = await makeEnrolmentCode(world.installation, OPERATOR, agent, await world.account(noor), reason);
    assert.ok(outcome.kind === 'made', outcome.kind);
    return outcome.code;
  }
});
