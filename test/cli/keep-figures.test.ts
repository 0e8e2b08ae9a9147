import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { keepFigures } from '../../src/cli/keep-figures.ts';
import { DatabaseUnavailable } from '../../src/db/db.ts';
import { signsIn } from '../acme.ts';
import { MINUTE_MS, openWorld, type World } from '../world.ts';

describe('a server that keeps the figures', () => {
  test('adds up within a minute what happened, and counts where the contacts stand', async (t) => {
    await using world = await openWorld('sqlite');
    await mariaSignsIn(world);
    const { minutes, stop } = keeping(t, world);
    assert.deepEqual(await figures(world), []);
    await minutes(1);
    assert.deepEqual(await figures(world), [
      'mfa-locked 0',
      'mfa-low 0',
      'mfa-none 3',
      'mfa-on 0',
      'mfa-reset 0',
      'signed-in 1',
    ]);
    await stop();
  });

  test('leaves it to another that does it, and takes it over when that one has gone', async (t) => {
    await using world = await openWorld('sqlite');
    await mariaSignsIn(world);
    const one = keepFigures(world.installation);
    const { minutes, stop } = keeping(t, world);
    const leases = await world.rows('leases');
    await minutes(1);
    const [held] = await world.rows('leases');
    assert.deepEqual(leases, []);
    await one();
    await minutes(1);
    assert.deepEqual(
      (await world.rows('leases')).map(({ name, holder }) => [name, holder]),
      [['figures', held?.['holder']]],
    );
    await stop();
    assert.deepEqual(await world.rows('leases'), [], 'and frees its place');
  });

  test('adds up what is left when it stops', async (t) => {
    await using world = await openWorld('sqlite');
    const { stop } = keeping(t, world);
    await mariaSignsIn(world);
    await stop();
    assert.deepEqual(await figures(world), ['signed-in 1']);
  });

  test('logs an outage once, logs its end, and has lost nothing', async (t) => {
    await using world = await openWorld('sqlite');
    await mariaSignsIn(world);
    const { minutes, stop, outage } = keeping(t, world);
    outage(true);
    await minutes(3);
    outage(false);
    await minutes(1);
    assert.equal((await figures(world)).at(-1), 'signed-in 1');
    const said = world.log.lines.map(({ message }) => message).filter((message) => message.startsWith('the figures'));
    assert.deepEqual(said, [
      'the figures of the overview cannot be kept',
      'the figures of the overview are kept again',
    ]);
    await stop();
  });
});

async function mariaSignsIn(world: World): Promise<void> {
  const { maria } = await world.acme();
  assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
  await appendLinks(world.installation);
}

/** Keeps the figures of a world whose minutes pass by hand, on a database that can be out of reach. */
function keeping(t: TestContext, world: World) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let away = false;
  const all: World['db']['all'] = async (statement) => {
    if (away) throw new DatabaseUnavailable('gone');
    return world.db.all(statement);
  };
  const stop = keepFigures({ ...world.installation, db: { ...world.db, all } });
  return {
    stop,
    outage: (begins: boolean) => void (away = begins),
    minutes: async (count: number) => {
      for (let minute = 0; minute < count; minute++) {
        world.clock.advance(MINUTE_MS);
        t.mock.timers.tick(MINUTE_MS);
        // A turn on SQLite takes a breath after each bite; there are few here.
        for (let breath = 0; breath < 10; breath++) await setImmediate();
      }
    },
  };
}

async function figures(world: World): Promise<string[]> {
  return (await world.rows('daily_figures')).map(({ name, value }) => `${name} ${value}`).toSorted();
}
