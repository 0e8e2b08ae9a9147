import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openInstallation, type Installation } from '../../src/accounts/installation.ts';
import { hasKeysInUse, keepRing, KeyRefused, letRingGo } from '../../src/accounts/keys.ts';
import type { KeyRing } from '../../src/crypto/seal.ts';
import { sql, type Database } from '../../src/db/db.ts';
import { signsIn } from '../acme.ts';
import { eachEngine, testDatabase } from '../database.ts';
import { MINUTE_MS, openWorld, ringOf, START } from '../world.ts';

function start(db: Database, ring: KeyRing, now = START): Promise<Installation> {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return openInstallation(db, ring, {
    now: () => now,
    log: silent,
    hashing: { atOnce: 3, queue: 64, waitMs: 2_000 },
    passwordCost: { memoryKiB: 64, passes: 1 },
  });
}

eachEngine('the installation', (engine) => {
  test('takes any key on an unused database and the same one ever after', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    assert.equal(await hasKeysInUse(db), false);
    await start(db, ringOf('first'));
    assert.equal(await hasKeysInUse(db), true);
    await start(db, ringOf('first'));
    await database.remove();
  });

  test('does not start without a key that has sealed something, and names it', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    await start(db, ringOf('first'));
    await assert.rejects(start(db, ringOf('second')), { name: 'KeyRefused', message: /"first".*missing/ });
    await database.remove();
  });

  test('does not start with other bytes under the same name', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    await start(db, ringOf('first'));
    const forged = { current: 'first', keys: new Map([['first', Buffer.alloc(32, 'forged')]]) };
    await assert.rejects(start(db, forged), { name: 'KeyRefused', message: /"first".*not the one/ });
    await database.remove();
  });

  test('takes a new key in front of the old one, and then asks for both', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    await letRingGo(await start(db, ringOf('first')));
    await letRingGo(await start(db, ringOf('second', 'first')));
    await assert.rejects(start(db, ringOf('first')), KeyRefused);
    await assert.rejects(start(db, ringOf('second')), KeyRefused);
    await start(db, ringOf('first', 'second'));
    await database.remove();
  });

  test('does not seal with a key that a running server lacks: it must first be known to all', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    const running = await start(db, ringOf('first'));
    const refusal = {
      name: 'KeyRefused',
      message: /"second" comes first .* runs without it .*process \d+, seen 0 s ago/,
    };
    await assert.rejects(start(db, ringOf('second', 'first')), refusal);
    await start(db, ringOf('first', 'second'));
    await assert.rejects(start(db, ringOf('second', 'first')), refusal, 'one of the two still runs without it');
    await letRingGo(running);
    await start(db, ringOf('second', 'first'));
    await database.remove();
  });

  test('forgets a server that was killed after three minutes, and none that says that it runs', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    const running = { ...(await start(db, ringOf('first'))), now: () => START + MINUTE_MS };
    await keepRing(running);
    const later = (now: number): Promise<Installation> => start(db, ringOf('second', 'first'), now);
    await assert.rejects(later(START + 4 * MINUTE_MS - 1), KeyRefused);
    await later(START + 4 * MINUTE_MS);
    await database.remove();
  });

  test('has the same keys for MACs and counters in every process, whoever started first', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    const started = await Promise.all(Array.from({ length: 4 }, () => start(db, ringOf('first'))));
    const keys = started.map(({ auditKey, counterKey }) => Buffer.concat([auditKey, counterKey]).toString('hex'));
    assert.equal(new Set(keys).size, 1);
    assert.notDeepEqual(started[0]?.auditKey, started[0]?.counterKey);
    await database.remove();
  });

  test('takes nothing that was sealed for another row for its own', async () => {
    await using world = await openWorld(engine);
    const { maria, eve } = await world.acme();
    const ofEve = sql`(SELECT e.password FROM accounts e WHERE e.id = ${eve.id})`;
    await world.change(sql`UPDATE accounts SET password = ${ofEve} WHERE id = ${maria.id}`);
    await assert.rejects(signsIn(world.installation, { ...maria, password: eve.password }), { name: 'SealError' });
  });
});
