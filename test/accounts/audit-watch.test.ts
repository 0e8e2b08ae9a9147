import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { checkOf, openWatch, type Check, type Watch } from '../../src/accounts/audit-watch.ts';
import { OPERATOR, record } from '../../src/accounts/audit.ts';
import { sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

interface Watched extends AsyncDisposable {
  readonly world: World;
  readonly id: string;
  readonly watch: Watch;
  /** How many entries there are. */
  readonly end: () => Promise<number>;
  /** Something happens, so many times, and is linked. */
  readonly happens: (times: number) => Promise<void>;
  /** A minute later the watch looks again; answers what the page of the audit log then says. */
  readonly minuteLater: () => Promise<Check | undefined>;
  readonly told: () => unknown[];
}

async function watched(engine: Engine): Promise<Watched> {
  const world = await openWorld(engine);
  const { organization } = await world.acme();
  const { id } = organization;
  const watch = openWatch(world.installation);
  const fact = { organizationId: id, actor: OPERATOR, action: 'settings.changed' } as const;
  const happens = async (times: number): Promise<void> => {
    await world.db.transaction(async (tx) => {
      for (let time = 0; time < times; time++) await record(tx, world.installation, fact);
    });
    await appendLinks(world.installation);
  };
  await happens(3);
  await watch.turn();
  return {
    world,
    id,
    watch,
    happens,
    end: async () => (await world.rows('audit_links')).filter((row) => row['organization_id'] === id).length,
    minuteLater: async () => {
      world.clock.advance(MINUTE_MS);
      await watch.turn();
      return checkOf(world.installation, id);
    },
    told: () =>
      world.log.lines
        .filter(({ message }) => message === 'the audit log is not as it was written')
        .map(({ level, fields: { slug, what, from, to } }) => ({ level, slug, what, from, to })),
    [Symbol.asyncDispose]: () => world.close(),
  };
}

/** Changes the rows of these numbers as somebody would who can write to the database. */
async function changes({ world, id }: Watched, from: number, to = from, result = 'right'): Promise<void> {
  await world.change(sql`UPDATE audit_rows SET result = ${result} WHERE organization_id = ${id} AND id IN
    (SELECT row_id FROM audit_links WHERE organization_id = ${id} AND sequence >= ${from} AND sequence <= ${to})`);
}

async function cuts({ world, id }: Watched, from: number, to: number): Promise<void> {
  const links = await world.rows('audit_links');
  for (const { sequence, row_id: rowId } of links.filter((link) => link['organization_id'] === id)) {
    if (Number(sequence) < from || Number(sequence) > to) continue;
    await world.change(sql`DELETE FROM audit_links WHERE organization_id = ${id} AND sequence = ${Number(sequence)}`);
    await world.change(sql`DELETE FROM audit_rows WHERE organization_id = ${id} AND id = ${String(rowId)}`);
  }
}

eachEngine('the servers, who look at the audit log by themselves', (engine) => {
  test('find it complete, minute for minute', async () => {
    await using log = await watched(engine);
    assert.deepEqual(await checkOf(log.world.installation, log.id).then((check) => check?.found), []);
    await log.happens(4);
    const check = await log.minuteLater();
    assert.equal(check?.checkedAt, log.world.clock.now);
    assert.deepEqual([check.found, log.told()], [[], []]);
  });

  test('find new entries that were changed, as one range, and tell the operator once', async () => {
    await using log = await watched(engine);
    const end = await log.end();
    await log.happens(6);
    await changes(log, end + 2, end + 4);
    const range = { what: 'changed', from: end + 2, to: end + 4 };
    const check = await log.minuteLater();
    assert.deepEqual(check?.found, [{ ...range, at: log.world.clock.now }]);
    await log.happens(2);
    assert.deepEqual((await log.minuteLater())?.found, check.found, 'and it stays said');
    assert.deepEqual(log.told(), [{ level: 'error', slug: 'acme', ...range }]);
  });

  test('find old entries that were changed within a day, and forget it a day after they were put right', async () => {
    await using log = await watched(engine);
    await changes(log, 2);
    assert.deepEqual((await log.minuteLater())?.found, [], 'a minute looks at what is new');
    log.world.clock.advance(DAY_MS);
    const found = (await log.minuteLater())?.found;
    assert.deepEqual(found, [{ what: 'changed', from: 2, to: 2, at: log.world.clock.now }]);
    await changes(log, 2, 2, 'done');
    log.world.clock.advance(DAY_MS);
    assert.deepEqual((await log.minuteLater())?.found, []);
    assert.equal(log.told().length, 1);
  });

  test('find entries that were cut out', async () => {
    await using log = await watched(engine);
    const end = await log.end();
    await log.happens(6);
    await cuts(log, end + 2, end + 3);
    assert.deepEqual((await log.minuteLater())?.found, [
      { what: 'missing', from: end + 2, to: end + 3, at: log.world.clock.now },
    ]);
  });

  test('find that the newest were cut off, and say so ever after, whatever is written on', async () => {
    await using log = await watched(engine);
    const end = await log.end();
    await cuts(log, end - 1, end);
    const found = [{ what: 'cut-off', from: end - 1, to: end, at: log.world.clock.now + MINUTE_MS }];
    assert.deepEqual((await log.minuteLater())?.found, found);
    await log.happens(5);
    assert.deepEqual((await log.minuteLater())?.found, found);
    await changes(log, end + 1);
    log.world.clock.advance(DAY_MS);
    const later = (await log.minuteLater())?.found;
    assert.deepEqual(later, [...found, { what: 'changed', from: end + 1, to: end + 1, at: log.world.clock.now }]);
  });

  test('find that their own word was changed', async () => {
    await using log = await watched(engine);
    await changes(log, 2);
    await log.world.change(sql`UPDATE audit_checks SET state = REPLACE(state, '"found":[]', '"found": []')`);
    assert.deepEqual(
      (await checkOf(log.world.installation, log.id))?.found.map(({ what }) => what),
      ['record'],
    );
    const found = (await log.minuteLater())?.found.map(({ what }) => what);
    assert.deepEqual(found, ['record', 'changed'], 'and begin from the beginning');
    await log.minuteLater();
    assert.deepEqual(log.told().length, 2);
  });

  test('look one at a time, and the next one when the first has left', async () => {
    await using log = await watched(engine);
    const other = openWatch(log.world.installation);
    log.world.clock.advance(MINUTE_MS);
    await log.watch.turn();
    const at = log.world.clock.now;
    log.world.clock.advance(1_000);
    await other.turn();
    assert.equal((await checkOf(log.world.installation, log.id))?.checkedAt, at);
    await log.watch.finish();
    log.world.clock.advance(MINUTE_MS);
    await other.turn();
    assert.equal((await checkOf(log.world.installation, log.id))?.checkedAt, log.world.clock.now);
  });

  test('look at each merchant’s by itself', async () => {
    await using log = await watched(engine);
    const rival = await acme(log.world.installation, 'rival');
    await appendLinks(log.world.installation);
    await changes(log, 1);
    log.world.clock.advance(DAY_MS);
    await log.minuteLater();
    assert.deepEqual((await checkOf(log.world.installation, rival.organization.id))?.found, []);
  });
});

describe('a long audit log (sqlite)', () => {
  test('is looked at in bites, second for second, and only then called complete', async () => {
    await using log = await watched('sqlite');
    await log.happens(4_500);
    const before = await checkOf(log.world.installation, log.id);
    log.world.clock.advance(MINUTE_MS);
    await log.watch.turn();
    assert.equal((await checkOf(log.world.installation, log.id))?.checkedAt, before?.checkedAt);
    log.world.clock.advance(1_000);
    await log.watch.turn();
    assert.equal((await checkOf(log.world.installation, log.id))?.checkedAt, log.world.clock.now);
  });
});
