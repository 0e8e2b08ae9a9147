import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedAt, lastCount, type Count } from '../../src/accounts/figures.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { countStandings } from '../../src/auth/standing.ts';
import { sql } from '../../src/db/db.ts';
import { acme, addContact, answers, challenged, enrol, guesses, type Acme } from '../acme.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, START, type World } from '../world.ts';

eachEngine('where the contacts stand', (engine) => {
  test('is counted of those with portal access, and of no staff', async () => {
    await using world = await openWorld(engine);
    const { organization, ada, eve } = await world.acmeWithMfa();
    await enrol(world.installation, ada);
    await setPortalAccess(world.installation, OPERATOR, await world.account(eve), false);
    assert.deepEqual(await counted(world, organization), { on: 1, none: 1, low: 0, locked: 0, reset: 0 });
  });

  test('tells who is low on backup codes, who is locked and who was reset', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, codes, noor } = await world.acmeWithMfa();
    for (const code of codes.slice(0, 3))
      await answers(world.installation, await challenged(world.installation, maria), code);
    assert.deepEqual(await counted(world, organization), { on: 1, none: 2, low: 1, locked: 0, reset: 0 });
    const { secret } = await enrol(world.installation, noor);
    await guesses(world, noor, secret, 5);
    world.clock.advance(1);
    assert.deepEqual(await counted(world, organization), { on: 2, none: 1, low: 1, locked: 1, reset: 0 });
    const reason = { check: 'other', note: 'At the shell, by telephone' } as const;
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria), reason);
    world.clock.advance(MINUTE_MS);
    assert.deepEqual(await counted(world, organization), { on: 1, none: 2, low: 0, locked: 0, reset: 1 });
  });

  test('is counted once each, over more accounts than one statement looks at', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acmeWithMfa();
    await world.change(sql`INSERT INTO accounts (organization_id, id, kind, customer_id, name, sort_key, email, email_key, created_at)
      WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
      SELECT ${organization.id}, 'crowd ' || n, 'contact', ${globex.id}, 'C', 'c', 'c' || n, 'c' || n, 1 FROM n`);
    assert.deepEqual(await counted(world, organization), { on: 1, none: 5_002, low: 0, locked: 0, reset: 0 });
  });

  test('is counted again after ten minutes, and at once on a new day of the organization', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    await world.change(sql`UPDATE organizations SET time_zone = 'Asia/Tokyo'`);
    await countStandings(world.installation);
    await addContact(world.installation, globex, 'Lena Novak');
    world.clock.advance(10 * MINUTE_MS - 1);
    await countStandings(world.installation);
    assert.equal((await at(world, organization, '2026-11-24'))?.['mfa-none'], 3);
    world.clock.advance(1);
    await countStandings(world.installation);
    assert.equal((await at(world, organization, '2026-11-24'))?.['mfa-none'], 4);
    world.clock.now = Date.UTC(2026, 10, 24, 14, 59);
    await countStandings(world.installation);
    await addContact(world.installation, globex, 'Tom Novak');
    world.clock.advance(MINUTE_MS);
    await countStandings(world.installation);
    assert.equal((await at(world, organization, '2026-11-25'))?.['mfa-none'], 5);
    assert.equal((await at(world, organization, '2026-11-24'))?.['mfa-none'], 4, 'and yesterday keeps its last');
    assert.equal(await countedAt(world.db, organization.id), world.clock.now);
  });

  test('is counted again where the clock of before was ahead', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    world.clock.advance(DAY_MS);
    await countStandings(world.installation);
    world.clock.now = START;
    await addContact(world.installation, globex, 'Lena Novak');
    await countStandings(world.installation);
    assert.equal((await at(world, organization, '2026-11-24'))?.['mfa-none'], 4);
  });

  test('is nobody’s business but the merchant’s own', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acmeWithMfa();
    const rival = await acme(world.installation, 'rival');
    assert.deepEqual(await counted(world, organization), { on: 1, none: 2, low: 0, locked: 0, reset: 0 });
    assert.deepEqual(await counted(world, rival.organization), { on: 0, none: 3, low: 0, locked: 0, reset: 0 });
  });
});

async function counted(world: World, organization: Acme['organization']): Promise<Record<string, number>> {
  await world.change(sql`UPDATE figure_cursors SET counted_at = NULL`);
  await countStandings(world.installation);
  const count = await at(world, organization, '2026-11-24');
  assert.ok(count);
  const { 'mfa-on': on, 'mfa-none': none, 'mfa-low': low, 'mfa-locked': locked, 'mfa-reset': reset } = count;
  return { on, none, low, locked, reset };
}

function at(world: World, { id }: Acme['organization'], day: string): Promise<Count | undefined> {
  return lastCount(world.db, id, { from: day, to: day });
}
