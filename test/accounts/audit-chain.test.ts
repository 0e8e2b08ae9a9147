import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendLinks, HEAD_MESSAGE, openChainer, type Head } from '../../src/accounts/audit-chain.ts';
import { verifyChain } from '../../src/accounts/audit-verify.ts';
import { OPERATOR, record, type Action } from '../../src/accounts/audit.ts';
import type { Organization } from '../../src/accounts/organizations.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { sql } from '../../src/db/db.ts';
import { acme, setPolicy } from '../acme.ts';
import { eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

eachEngine('the chain of the audit log', (engine) => {
  test('holds each row of each merchant exactly once, numbered from 1', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const rival = await acme(world.installation, 'rival');
    await appendLinks(world.installation);
    for (const { organization } of [people, rival]) await assertWhole(world, organization);
  });

  test('grows by several batches at once', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await happens(world, organization, 'customer.changed', 2_345);
    await appendLinks(world.installation);
    await assertWhole(world, organization);
  });

  test('takes in a row that commits long after newer ones were linked, or by a clock that is hours behind', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await appendLinks(world.installation);
    world.clock.advance(-5 * HOUR_MS);
    await happens(world, organization, 'settings.changed');
    await appendLinks(world.installation);
    await assertWhole(world, organization);
    const newest = sql`SELECT r.action FROM audit_links l JOIN audit_rows r ON r.id = l.row_id ORDER BY l.sequence DESC`;
    assert.equal((await world.db.one(newest))?.['action'], 'settings.changed');
  });

  test('does not change with the names in it, which can be erased', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await appendLinks(world.installation);
    assert.ok((await world.change(sql`DELETE FROM audit_names`)) > 0);
    await assertWhole(world, organization);
  });

  test('neither takes a row in twice nor stops at it when somebody takes its mark away', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await appendLinks(world.installation);
    await world.change(sql`UPDATE audit_rows SET linked_at = NULL`);
    world.clock.advance(1);
    await happens(world, organization, 'settings.changed');
    await appendLinks(world.installation);
    await assertWhole(world, organization);
    const unmarked = await world.db.all(sql`SELECT id FROM audit_rows WHERE linked_at IS NULL`);
    assert.deepEqual(unmarked, [], 'and the marks are back');
  });

  test('is one, whoever appends to it at once', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const rival = await acme(world.installation, 'rival');
    for (let round = 0; round < 5; round++) {
      await happens(world, people.organization, 'customer.changed', 30);
      await happens(world, rival.organization, 'customer.changed', 30);
      await Promise.all(Array.from({ length: 6 }, () => appendLinks(world.installation)));
    }
    for (const { organization } of [people, rival]) await assertWhole(world, organization);
  });
});

eachEngine('whoever chains', (engine) => {
  test('leaves it to another that has done it within five seconds', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const [one, other] = [openChainer(world.installation), openChainer(world.installation)];
    await one.turn();
    await assertWhole(world, organization);
    await happens(world, organization, 'settings.changed');
    await other.turn();
    assert.equal(await waiting(world), 1);
    world.clock.advance(5_000);
    await other.turn();
    await assertWhole(world, organization);
    await happens(world, organization, 'settings.changed');
    await one.turn();
    assert.equal(await waiting(world), 1, 'and now it is the other’s');
  });

  test('goes on from turn to turn', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const chainer = openChainer(world.installation);
    for (let turn = 0; turn < 3; turn++) {
      await happens(world, organization, 'settings.changed');
      await chainer.turn();
      await assertWhole(world, organization);
    }
  });

  test('writes nothing where nothing waits', async () => {
    await using world = await openWorld(engine);
    await openChainer(world.installation).turn();
    assert.deepEqual(await world.rows('leases'), []);
  });

  test('is not kept waiting by a server that ended while its clock was ahead', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    world.clock.advance(HOUR_MS);
    await openChainer(world.installation).turn();
    world.clock.advance(-HOUR_MS);
    await happens(world, organization, 'settings.changed');
    await openChainer(world.installation).turn();
    await assertWhole(world, organization);
  });

  test('leaves no row behind when it stops, whoever’s turn it is, and frees its place', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const [one, other] = [openChainer(world.installation), openChainer(world.installation)];
    await one.turn();
    await happens(world, organization, 'settings.changed');
    await other.finish();
    await assertWhole(world, organization);
    await one.finish();
    assert.deepEqual(await world.rows('leases'), []);
  });
});

eachEngine('the heads in the log', (engine) => {
  test('come with the first turn, and each minute for the merchants of whom something was heard', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const rival = await acme(world.installation, 'rival');
    const chainer = openChainer(world.installation);
    await chainer.turn();
    assert.deepEqual(heads(world), [await head(world, people.organization), await head(world, rival.organization)]);
    await happens(world, people.organization, 'settings.changed');
    for (let second = 1; second < 60; second++) await chainer.turn();
    assert.equal(heads(world).length, 2);
    await chainer.turn();
    assert.deepEqual(heads(world).slice(2), [await head(world, people.organization)]);
    for (let second = 0; second < 60; second++) await chainer.turn();
    assert.equal(heads(world).length, 3);
  });

  test('come at once after MFA was reset', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acmeWithMfa();
    const chainer = openChainer(world.installation);
    await chainer.turn();
    const reset = { check: 'other', note: 'She called and knew her last invoice' } as const;
    assert.equal(
      (await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria), reset)).kind,
      'reset',
    );
    await chainer.turn();
    assert.deepEqual(heads(world).slice(1), [await head(world, organization)]);
  });

  test('come at once after the policy was changed', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const chainer = openChainer(world.installation);
    await chainer.turn();
    await setPolicy(world.installation, organization, 'required');
    await chainer.turn();
    assert.deepEqual(heads(world).slice(1), [await head(world, organization)]);
  });

  test('come last of all when the server stops', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const chainer = openChainer(world.installation);
    await chainer.turn();
    await happens(world, organization, 'settings.changed');
    await chainer.finish();
    assert.deepEqual(heads(world).slice(1), [await head(world, organization)]);
  });

  test('of another server’s links come from this one too, since the other may have ended without a word', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const chainer = openChainer(world.installation);
    await chainer.turn();
    await happens(world, organization, 'settings.changed');
    await appendLinks(world.installation);
    for (let second = 0; second < 60; second++) await chainer.turn();
    assert.deepEqual(heads(world).slice(1), [await head(world, organization)]);
  });
});

async function happens(world: World, { id }: Organization, action: Action, times = 1): Promise<void> {
  await world.db.transaction(async (tx) => {
    for (let n = 0; n < times; n++)
      await record(tx, world.installation, { organizationId: id, actor: OPERATOR, action });
  });
}

/** Every row of the organization has one link, and the links follow from each other. */
async function assertWhole(world: World, { id }: Organization): Promise<void> {
  const rows = await world.db.all(sql`SELECT id FROM audit_rows WHERE organization_id = ${id}`);
  assert.ok(rows.length > 0);
  assert.deepEqual(await verifyChain(world.installation, id), { rows: rows.length, first: undefined, more: 0 });
}

async function waiting(world: World): Promise<number> {
  return (await world.db.all(sql`SELECT id FROM audit_rows WHERE linked_at IS NULL`)).length;
}

function heads(world: World): Record<string, unknown>[] {
  return world.log.lines.filter(({ message }) => message === HEAD_MESSAGE).map(({ fields }) => fields);
}

async function head(world: World, { id, slug }: Organization): Promise<Head> {
  const last = await world.db.one<Pick<Head, 'sequence' | 'link'>>(sql`SELECT sequence, link FROM audit_links
    WHERE organization_id = ${id} ORDER BY sequence DESC LIMIT 1`);
  assert.ok(last);
  return { organization: id, slug, ...last };
}
