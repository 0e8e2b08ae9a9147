import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raiseMark } from '../../src/accounts/clock.ts';
import { sql } from '../../src/db/db.ts';
import { stage, STEP_MS, type Guest } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

interface Call {
  readonly world: World;
  readonly maria: Guest;
  readonly noor: Guest;
  /** What Sam reads to Maria, who is on the phone. */
  readonly reads: () => Promise<string>;
}

async function call(engine: Engine): Promise<Call & AsyncDisposable> {
  const world = await openWorld(engine);
  const { people, guest } = await stage(world);
  const [maria, noor, sam] = [await guest(people.maria), await guest(people.noor), await guest(people.sam)];
  for (const one of [maria, noor, sam]) await one.enrols();
  await sam.signsIn();
  return {
    world,
    maria,
    noor,
    reads: async () => {
      const { text } = await sam.browser.get(`/admin/customers/${people.globex.id}`);
      const [, list = ''] = /Refused in the last 24 hours<\/summary>([\s\S]*?)<\/details>/.exec(text) ?? [];
      return list
        .replaceAll('</li>', ' ')
        .replace(/<[^>]*>/g, '')
        .replace(/&#39;/g, "'")
        .replace(/\s+/g, ' ')
        .trim();
    },
    [Symbol.asyncDispose]: () => world.close(),
  };
}

eachEngine('an agent whom a contact calls', (engine) => {
  test('reads nothing where nothing was refused', async () => {
    await using line = await call(engine);
    assert.equal(await line.reads(), '');
    await line.maria.signsIn();
    assert.equal(await line.reads(), '');
  });

  test('reads by how many minutes the phone is wrong', async () => {
    await using line = await call(engine);
    const { world, maria } = line;
    world.clock.advance(12 * MINUTE_MS);
    await maria.password();
    await maria.code(world.codeFor(maria.secret, -8));
    assert.match(
      await line.reads(),
      /^At \d\d:\d\d they entered a code that would have been right 4 minutes earlier\. The phone's clock is about 4 minutes slow: set its date and time to automatic\.$/,
    );
    await maria.code(world.codeFor(maria.secret, 2));
    assert.match(
      await line.reads(),
      /^At \S+ they entered a code that would have been right 1 minute later\. .* 1 minute fast:/,
    );
  });

  test('reads that a code was used, and whose code it was', async () => {
    await using line = await call(engine);
    const { world, maria, noor } = line;
    world.clock.advance(12 * MINUTE_MS);
    await maria.signsIn();
    const again = await maria.elsewhere();
    await again.password();
    await again.code(world.codeFor(maria.secret));
    assert.match(
      await line.reads(),
      /a code that had already been used\. The app shows the next one within 30 seconds\.$/,
    );
    await again.code(world.codeFor(noor.secret));
    assert.match(
      await line.reads(),
      /it belongs to Noor Haddad \(noor@globex\.test\) of this customer\. In the app, choose the entry for maria@globex\.test\./,
    );
    await again.code(again.wrongCode());
    assert.match(
      await line.reads(),
      /^At \S+ they entered a wrong code\. In the app, choose the entry for Acme Billing/,
    );
    await again.backupCode('000000000000');
    assert.match(await line.reads(), /^At \S+ they entered a wrong backup code\./);
  });

  test('reads that the password was wrong, that there is a wait, that Unlock is due', async () => {
    await using line = await call(engine);
    const { world, maria } = line;
    await maria.password('a wrong password');
    assert.match(await line.reads(), /they entered a wrong password\.$/);
    await maria.password();
    for (let guess = 0; guess < 5; guess++) await maria.code(maria.wrongCode());
    assert.match(await line.reads(), /^Too many wrong codes: they can try again at 09:\d\d UTC\. At/);
    await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${maria.person.id}`);
    await maria.password();
    assert.match(
      await line.reads(),
      /^Their password may be known to someone else and opens nothing: choose Unlock\. At \S+ they entered the right password/,
    );
  });

  test('reads that it is the server, whose clock is wrong', async () => {
    await using line = await call(engine);
    await raiseMark(line.world.db, line.world.clock.now + 10 * MINUTE_MS);
    assert.match(await line.reads(), /^This server's clock is wrong, and no code of an app is accepted\./);
  });

  test('reads nothing that is older than a day, and never more than five', async () => {
    await using line = await call(engine);
    const { maria, world } = line;
    for (let time = 0; time < 7; time++) {
      await maria.password('a wrong password');
      world.clock.advance(STEP_MS);
    }
    assert.equal((await line.reads()).match(/wrong password/g)?.length, 5);
    await world.change(
      sql`UPDATE sessions SET last_used_at = last_used_at + 86400000, expires_at = expires_at + 86400000`,
    );
    world.clock.advance(24 * 60 * MINUTE_MS);
    assert.equal(await line.reads(), '');
  });
});
