import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { stage, enrolled } from '../surface/front-door.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

/** What an act asks of the database and of the hashing guard, in order: nothing that a clock could tell apart else. */
async function work(world: World, act: () => Promise<unknown>): Promise<string[]> {
  const { installation } = world;
  const done: string[] = [];
  const { db } = installation;
  const spied = ['one', 'all', 'relaxed', 'transaction'] as const;
  const originals = spied.map((name) => [name, db[name]] as const);
  const { hashing } = installation;
  for (const [name, original] of originals)
    Object.assign(db, {
      [name]: (...given: unknown[]) => (done.push(name), Reflect.apply(original, db, given) as unknown),
    });
  Object.assign(installation, { hashing: (...given: [never]) => (done.push('hash'), hashing(...given)) });
  try {
    await act();
  } finally {
    for (const [name, original] of originals) Object.assign(db, { [name]: original });
    Object.assign(installation, { hashing });
  }
  return done;
}

eachEngine('time and size as oracles (ASVS 6.3.8, 11.2.4)', (engine) => {
  test('a refused password costs the same reads, writes and hashes through the page, whoever it was for', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await world.change(sql`UPDATE accounts SET disabled_at = 1 WHERE id IN (${people.noor.id}, ${people.otto.id})`);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${people.eve.id}`);
    const costs = async (door: typeof people.maria, email: string, password: string): Promise<string[]> => {
      const one = await guest(door);
      return work(world, () => one.password(password, email));
    };
    const wrong = 'a wrong password';
    for (const [door, closed, empty] of [
      [people.maria, people.noor, people.eve.email],
      [people.ada, people.otto, people.eve.email],
    ] as const) {
      const known = await costs(door, door.email, wrong);
      assert.ok(known.includes('hash') && known.length > 4, known.join(' '));
      assert.deepEqual(await costs(door, 'nobody@globex.test', wrong), known, 'unknown');
      assert.deepEqual(await costs(door, closed.email, wrong), known, 'closed, wrong');
      assert.deepEqual(await costs(door, closed.email, closed.password), known, 'closed, right');
      assert.deepEqual(await costs(door, empty, wrong), known, 'without a password, or of the other door');
    }
  });

  test('a wrong code costs the same wherever it is wrong, and its page is as long', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const sizes: number[] = [];
    const costs: string[][] = [];
    for (const distance of [0, 1]) {
      await maria.password();
      const later = world.codeFor(maria.secret, 5);
      const near = `${later.slice(0, 5)}${(Number(later[5]) + 1) % 10}`;
      const code = distance === 0 ? maria.wrongCode() : near;
      costs.push(await work(world, () => maria.code(code)));
      sizes.push(maria.browser.page.text.length);
      await maria.code(maria.nextCode());
    }
    assert.deepEqual(costs[1], costs[0]);
    assert.equal(sizes[1], sizes[0]);
  });
});
