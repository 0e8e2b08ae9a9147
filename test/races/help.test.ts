import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { enrol, type Enrolled } from '../acme.ts';
import { requestOf } from '../help.ts';
import { DAY_MS } from '../world.ts';
import {
  challengesOf,
  enrolled,
  openRace,
  PORTAL,
  recorded,
  rightCodes,
  rounds,
  sessionsIn,
  staffCookie,
  times,
  type Race,
  type Racer,
} from './racers.ts';
import type { Asked } from './servers.ts';

const MET = { check: 'met-in-person', note: '' };

describe('a request for help, on two servers', () => {
  let race: Race;
  let sams: Enrolled;
  before(async () => {
    race = await openRace();
    sams = await enrol(race.world.installation, race.acme.sam);
  });
  after(() => race.servers.close());

  test('asked for eight times at once, is one', async () => {
    await rounds(6, async () => {
      const maria = await enrolled(race);
      const cookies = await challengesOf(race, maria, 2);
      const asking = (turn: number): Asked => ({
        path: `${PORTAL}/verify/ask-for-help`,
        fields: { why: 'other', story: '', phone: '' },
        cookie: cookies[turn % 2]!,
      });
      await race.servers.atOnce(times(8, asking));
      assert.equal(await recorded(race, maria, 'recovery.asked', 'done'), 1);
      assert.equal(
        (await race.world.db.all(sql`SELECT id FROM recovery_requests WHERE account_id = ${maria.id}`)).length,
        1,
      );
    });
  });

  test('is either approved or overtaken by a working code, never both', async () => {
    await rounds(16, async (turn) => {
      const { maria, approving } = await waitedOut();
      const cookies = await challengesOf(race, maria, 2);
      const asked: Asked[] = rightCodes(race, maria)
        .slice(0, 6)
        .map((code, at) => ({ path: `${PORTAL}/verify`, fields: { code }, cookie: cookies[at % 2]! }));
      asked.splice(turn % 7, 0, approving, approving);
      const given = await race.servers.atOnce(asked);
      const approved = await recorded(race, maria, 'recovery.approved', 'done');
      const overtaken = await recorded(race, maria, 'recovery.cancelled', 'factor');
      assert.equal(approved + overtaken, 1, 'one of them came first');
      assert.equal(await recorded(race, maria, 'mfa.reset', 'done'), approved);
      if (approved === 1) assert.equal(sessionsIn(given).length, 0, 'no code works after the reset');
      const rows = await race.world.db.all<{ state: string }>(
        sql`SELECT state FROM recovery_requests WHERE account_id = ${maria.id}`,
      );
      assert.deepEqual(rows, [{ state: approved === 1 ? 'approved' : 'cancelled' }]);
    });
  });

  test('approved and refused eight times at once, is answered once', async () => {
    await rounds(8, async () => {
      const { maria, approving, refusing } = await waitedOut();
      await race.servers.atOnce(times(8, (turn) => (turn % 2 === 0 ? approving : refusing)));
      const approved = await recorded(race, maria, 'recovery.approved', 'done');
      const refused = await recorded(race, maria, 'recovery.refused', 'done');
      assert.equal(approved + refused, 1);
      assert.equal(await recorded(race, maria, 'mfa.reset', 'done'), approved);
    });
  });

  test('a code that was read out, typed eight times at once, opens one ceremony and no session', async () => {
    await rounds(8, async () => {
      const maria = await enrolled(race);
      const sam = await staffCookie(race, race.acme.sam, sams);
      const path = `/admin/customers/${race.acme.globex.id}/contacts/${maria.id}/sign-in-code`;
      const { text } = await race.servers.ask({ path, fields: MET, cookie: sam });
      const [, code = ''] = /<code class="key" id="code" dir="ltr">([\d ]+)</.exec(text) ?? [];
      const cookies = await challengesOf(race, maria, 2);
      const typed = (turn: number): Asked => ({
        path: `${PORTAL}/verify/sign-in-code`,
        fields: { code },
        cookie: cookies[turn % 2]!,
      });
      const given = await race.servers.atOnce(times(8, typed));
      assert.equal(given.filter(({ location }) => location === `${PORTAL}/enable-mfa`).length, 1);
      assert.equal(sessionsIn(given).length, 0);
      assert.equal(await recorded(race, maria, 'sign-in-code.used', 'right'), 1);
    });
  });

  /** A contact whose request has waited long enough, and Sam, who is about to answer it. */
  async function waitedOut(): Promise<{ maria: Racer; approving: Asked; refusing: Asked }> {
    const maria = await enrolled(race);
    const { id } = await requestOf(race.world, maria);
    race.world.clock.advance(DAY_MS);
    const cookie = await staffCookie(race, race.acme.sam, sams);
    return {
      maria,
      approving: { path: `/admin/recovery/${id}/approve`, fields: MET, cookie },
      refusing: { path: `/admin/recovery/${id}/refuse`, fields: { reason: 'we could not reach you' }, cookie },
    };
  }
});
