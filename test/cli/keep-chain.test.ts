import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { OPERATOR, record } from '../../src/accounts/audit.ts';
import type { Organization } from '../../src/accounts/organizations.ts';
import { keepChain } from '../../src/cli/keep-chain.ts';
import { DatabaseUnavailable } from '../../src/db/db.ts';
import { openWorld, type World } from '../world.ts';

const TROUBLE = 'the audit chain cannot be appended to';
const MENDED = 'the audit chain is appended to again';

describe('a server that keeps the chain', () => {
  test('links what happened within a second', async (t) => {
    await using world = await openWorld('sqlite');
    await world.acme();
    const { seconds, stop } = keeping(t, world);
    await seconds(1);
    assert.equal(await unlinked(world), 0);
    await stop();
  });

  test('logs an outage once, logs its end, and has lost nothing', async (t) => {
    await using world = await openWorld('sqlite');
    const { organization } = await world.acme();
    const { seconds, stop, outage } = keeping(t, world);
    for (let time = 1; time <= 2; time++) {
      outage(true);
      await seconds(3);
      assert.equal(logged(world, TROUBLE), time);
      outage(false);
      await happens(world, organization);
      await seconds(2);
      assert.equal(logged(world, MENDED), time);
      assert.equal(await unlinked(world), 0);
    }
    await stop();
    assert.deepEqual([logged(world, TROUBLE), logged(world, MENDED)], [2, 2]);
  });

  test('tells the heads after an outage that came in the very second when they were due', async (t) => {
    await using world = await openWorld('sqlite');
    await world.acme();
    const { seconds, stop, outage } = keeping(t, world);
    outage(true);
    await seconds(1);
    outage(false);
    await seconds(1);
    assert.equal(logged(world, 'audit chain head'), 1);
    await stop();
  });

  test('begins no turn while one is under way', async (t) => {
    await using world = await openWorld('sqlite');
    const { seconds, stop, reads, hold } = keeping(t, world);
    const release = hold();
    await seconds(3);
    assert.equal(reads(), 1);
    release();
    await seconds(2);
    assert.ok(reads() > 1);
    await stop();
  });

  test('links what is left when it stops, after the turn under way, and none after', async (t) => {
    await using world = await openWorld('sqlite');
    const { organization } = await world.acme();
    const { seconds, stop, hold, reads } = keeping(t, world);
    const release = hold();
    await seconds(1);
    const stopped = stop();
    await setImmediate();
    assert.equal(await unlinked(world), (await world.rows('audit_rows')).length);
    await happens(world, organization);
    release();
    await stopped;
    assert.equal(await unlinked(world), 0);
    const before = reads();
    await seconds(2);
    assert.equal(reads(), before);
  });

  test('stops without a fault while the database is out of reach', async (t) => {
    await using world = await openWorld('sqlite');
    const { stop, outage } = keeping(t, world);
    outage(true);
    await stop();
    assert.equal(logged(world, TROUBLE), 1);
  });

  test('keeps no process alive', async () => {
    await using world = await openWorld('sqlite');
    const before = timersThatHold();
    const stop = keepChain(world.installation);
    assert.equal(timersThatHold(), before);
    await stop();
  });
});

/** Keeps the chain of a world whose seconds pass by hand, on a database that can be out of reach, or slow. */
function keeping(t: TestContext, world: World) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let away = false;
  let gate = Promise.resolve();
  let reads = 0;
  const one: World['db']['one'] = async (statement) => {
    reads++;
    await gate;
    if (away) throw new DatabaseUnavailable('gone');
    return world.db.one(statement);
  };
  const stop = keepChain({ ...world.installation, db: { ...world.db, one } });
  return {
    stop,
    reads: () => reads,
    outage: (begins: boolean) => void (away = begins),
    hold: () => {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return held.resolve;
    },
    seconds: async (count: number) => {
      for (let second = 0; second < count; second++) {
        t.mock.timers.tick(1_000);
        // SQLite answers within the turn of the event loop, so this is the end of what the second began.
        await setImmediate();
      }
    },
  };
}

function timersThatHold(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

function logged(world: World, message: string): number {
  return world.log.lines.filter((line) => line.message === message).length;
}

async function unlinked(world: World): Promise<number> {
  return (await world.rows('audit_rows')).filter((row) => row['linked_at'] === null).length;
}

async function happens(world: World, { id }: Organization): Promise<void> {
  const fact = { organizationId: id, actor: OPERATOR, action: 'settings.changed' } as const;
  await world.db.transaction((tx) => record(tx, world.installation, fact));
}
