import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { verifyChain } from '../../src/accounts/audit-verify.ts';
import { OPERATOR, record } from '../../src/accounts/audit.ts';
import type { Organization } from '../../src/accounts/organizations.ts';
import { sql, type Database, type Sql } from '../../src/db/db.ts';
import { setPolicy, acme as merchant, type Person } from '../acme.ts';
import { openWorld, type World } from '../world.ts';
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

describe('of two that chain at once', () => {
  test('the one that finds its numbers taken puts nothing down of what it had read, and looks again', async () => {
    await using world = await openWorld('postgres');
    const { organization } = await world.acme();
    await appendLinks(world.installation);
    const [winner, loser] = [reading(world), reading(world)];
    await happens(world, organization);
    let batches = 0;
    const won = appendLinks(winner.installation, () => Promise.resolve(batches++ === 0));
    await winner.hasRead;
    // One row that comes before what the winner has read, and one behind it.
    world.clock.advance(-1_000);
    await happens(world, organization);
    world.clock.advance(2_000);
    await happens(world, organization);
    const lost = appendLinks(loser.installation);
    await loser.hasRead;
    winner.goOn();
    await won;
    loser.goOn();
    await lost;
    const rows = await world.rows('audit_rows');
    assert.deepEqual(await verifyChain(world.installation, organization.id), {
      rows: rows.length,
      first: undefined,
      more: 0,
    });
  });
});

/** An installation whose first transaction waits, once it has read, until it is told to go on. */
function reading({ installation }: World) {
  const read = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const transaction: Database['transaction'] = (work) =>
    installation.db.transaction((tx) =>
      work({
        ...tx,
        all: async <T>(statement: Sql) => {
          const rows = await tx.all<T>(statement);
          read.resolve();
          await told.promise;
          return rows;
        },
      }),
    );
  return {
    installation: { ...installation, db: { ...installation.db, transaction } },
    hasRead: read.promise,
    goOn: told.resolve,
  };
}

async function happens(world: World, { id }: Organization): Promise<void> {
  const fact = { organizationId: id, actor: OPERATOR, action: 'settings.changed' } as const;
  await world.db.transaction((tx) => record(tx, world.installation, fact));
}
