import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import type { Person } from '../acme.ts';
import { MINUTE_MS } from '../world.ts';
import {
  CEREMONY,
  challengesOf,
  newcomer,
  offeredTo,
  openRace,
  pendingSecret,
  PORTAL,
  provenTo,
  recorded,
  rounds,
  sessionsIn,
  times,
  wrongCode,
  type Race,
} from './racers.ts';
import type { Answer } from './servers.ts';

describe('a ceremony of enabling MFA that races on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('Configure, pressed 16 times, begins one enrolment', async () => {
    await rounds(8, async () => {
      const noor = await newcomer(race);
      const [cookie = ''] = await challengesOf(race, noor, 1);
      const given = await pressAll(
        CEREMONY,
        times(16, () => cookie),
      );
      assert.deepEqual(places(given), [`${CEREMONY}/scan`]);
      assert.deepEqual(await enrolments(noor), { pending: 1, active: 0, ended: 0 });
      assert.equal(await recorded(race, noor, 'enrolment.offered', 'done'), 1);
    });
  });

  test('Configure, pressed in three sign-ins at once, leaves one enrolment pending and each sign-in had its own', async () => {
    await rounds(8, async () => {
      const noor = await newcomer(race);
      const cookies = await challengesOf(race, noor, 3);
      await pressAll(
        CEREMONY,
        times(18, (turn) => cookies[turn % 3]!),
      );
      const { pending, ended } = await enrolments(noor);
      assert.equal(pending, 1);
      assert.equal(pending + ended, await recorded(race, noor, 'enrolment.offered', 'done'));
    });
  });

  test('of 40 wrong codes at once, an enrolment looks at 20', async () => {
    await rounds(4, async () => {
      const noor = await newcomer(race);
      const cookie = await offeredTo(race, noor);
      const secret = await pendingSecret(race, noor, cookie);
      const wrong = (turn: number): string => wrongCode(race, { secret, codes: [] }, turn);
      await pressAll(
        `${CEREMONY}/verify`,
        times(40, () => cookie),
        (turn) => ({ code: wrong(turn) }),
      );
      assert.equal(await recorded(race, noor, 'enrolment.answered', 'wrong'), 20);
    });
  });

  test('Enable MFA, pressed 16 times, enables once', async () => {
    await rounds(8, async () => {
      const noor = await newcomer(race);
      const cookie = await provenTo(race, noor);
      const { epoch } = await race.world.account(noor);
      const given = await pressAll(
        `${CEREMONY}/enable`,
        times(16, () => cookie),
      );
      assert.ok(places(given).includes(`${CEREMONY}/backup-codes`));
      assert.deepEqual(await enrolments(noor), { pending: 0, active: 1, ended: 0 });
      assert.equal((await race.world.account(noor)).epoch, epoch + 1);
      assert.equal(await recorded(race, noor, 'mfa.enabled', 'done'), 1);
    });
  });

  test('Generate Backup Codes, pressed 16 times, makes one set of five, and everybody is shown the same', async () => {
    await rounds(8, async () => {
      const noor = await newcomer(race);
      const cookie = await provenTo(race, noor);
      await press(`${CEREMONY}/enable`, cookie);
      const page = `${CEREMONY}/backup-codes`;
      assert.deepEqual(
        places(
          await pressAll(
            page,
            times(16, () => cookie),
          ),
        ),
        [page],
      );
      const shown = await race.servers.atOnce(times(16, () => ({ path: page, cookie })));
      const sets = new Set(shown.map(({ text }) => [...new Set(text.match(/\b\d{4}-\d{4}-\d{4}\b/g))].join(' ')));
      assert.equal(sets.size, 1);
      const codes = [...sets][0]?.split(' ') ?? [];
      assert.equal(codes.length, 5);
      assert.equal(await recorded(race, noor, 'backup-codes.generated', 'done'), 1);
      await press(`${CEREMONY}/done`, cookie);
      for (const code of codes) assert.ok(await opensSession(noor, code), 'what was shown is what works');
    });
  });

  function pressAll(
    path: string,
    cookies: readonly string[],
    fields: (turn: number) => Record<string, string> = () => ({}),
  ): Promise<Answer[]> {
    return race.servers.atOnce(cookies.map((cookie, turn) => ({ path, fields: fields(turn), cookie })));
  }

  function press(path: string, cookie: string, fields = {}): Promise<Answer> {
    return race.servers.ask({ path, fields, cookie });
  }

  async function opensSession(noor: Person, code: string): Promise<boolean> {
    race.world.clock.advance(MINUTE_MS);
    const [cookie = ''] = await challengesOf(race, noor, 1);
    return sessionsIn([await press(`${PORTAL}/verify/backup-code`, cookie, { code })]).length === 1;
  }

  async function enrolments({ id }: Person): Promise<{ pending: number; active: number; ended: number }> {
    const rows = await race.world.db.all<{ enabledAt: number | null; revokedAt: number | null }>(
      sql`SELECT enabled_at AS "enabledAt", revoked_at AS "revokedAt" FROM authenticators WHERE account_id = ${id}`,
    );
    const ended = rows.filter(({ revokedAt }) => revokedAt !== null).length;
    const active = rows.filter(({ enabledAt, revokedAt }) => enabledAt !== null && revokedAt === null).length;
    return { pending: rows.length - ended - active, active, ended };
  }
});

function places(given: readonly Answer[]): string[] {
  return [...new Set(given.map(({ location = 'nowhere' }) => location))];
}
