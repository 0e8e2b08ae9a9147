import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { verifyChain } from '../../src/accounts/audit-verify.ts';
import { sql } from '../../src/db/db.ts';
import { setPolicy, acme as merchant, type Person } from '../acme.ts';
import { newcomer, openRace, rounds, signingIn, times, type Race } from './racers.ts';

// An hour apart, so that none of them heeds the lease of another.
const CLOCKS_MS = [0, 3_600_000, -3_600_000];

describe('the audit log, written on two servers and chained by four processes at once', () => {
  let race: Race;
  let chainers: ChildProcess[];
  before(async () => {
    race = await openRace();
    await setPolicy(race.world.installation, race.acme.organization, 'off');
    const program = join(import.meta.dirname, 'chainer.ts');
    chainers = CLOCKS_MS.map((ahead) => fork(program, [race.world.place, 'race', String(ahead)], { execArgv: [] }));
    await Promise.all(chainers.map((chainer) => once(chainer, 'message')));
  });
  after(() => race.servers.close());

  test('is one chain for each merchant, which holds each row once, and nobody had a fault', async () => {
    const { world, acme, servers } = race;
    const people: Person[] = [];
    for (let n = 0; n < 16; n++) people.push(await newcomer(race));
    const rivals = times(3, (n) => merchant(world.installation, `rival${n}`));
    await rounds(4, async (turn) => {
      const asked = people.map((person, n) =>
        signingIn(n % 3 === turn % 3 ? { ...person, password: 'wrong' } : person),
      );
      await Promise.all([servers.atOnce(asked), ...times(3, () => appendLinks(world.installation))]);
    });
    const organizations = [acme, ...(await Promise.all(rivals))].map(({ organization }) => organization.id);
    const codes = await Promise.all(
      chainers.map(async (chainer) => {
        const gone = once(chainer, 'exit');
        chainer.disconnect();
        return ((await gone) as [number | null])[0];
      }),
    );
    assert.deepEqual(codes, [0, 0, 0]);
    for (const id of organizations) {
      const rows = await world.db.all(sql`SELECT id FROM audit_rows WHERE organization_id = ${id}`);
      assert.deepEqual(await verifyChain(world.installation, id), { rows: rows.length, first: undefined, more: 0 });
    }
    assert.ok((await world.rows('audit_links')).length > 16 * 4);
  });
});
