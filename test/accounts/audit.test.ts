import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listAudit, nameForAudit, OPERATOR, record, verifyAudit } from '../../src/accounts/audit.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import { acme, signsIn } from '../acme.ts';
import { eachEngine, openWorld } from '../world.ts';

/** What somebody with the database in their hands might change, each in one row. */
const FORGERIES: Record<string, Sql> = {
  time: sql`at = at + 1`,
  actor: sql`actor_id = 'somebody else'`,
  'kind of actor': sql`actor_kind = 'system'`,
  action: sql`action = 'signed-out'`,
  target: sql`target_id = NULL`,
  address: sql`address = '198.51.100.9'`,
  result: sql`result = 'right'`,
  reason: sql`reason = 'a better one'`,
  details: sql`details = '{"factor":"totp"}'`,
};

eachEngine('the audit log', (engine) => {
  test('verifies as it was written', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await signsIn(world.installation, maria, { password: 'wrong password' });
    const { rows, bad } = await verifyAudit(world.installation, organization.id);
    assert.deepEqual(bad, []);
    assert.equal(rows, (await world.rows('audit_rows')).length);
  });

  for (const [what, change] of Object.entries(FORGERIES)) {
    test(`shows a row whose ${what} was changed by hand`, async () => {
      await using world = await openWorld(engine);
      const { organization, maria } = await world.acme();
      await signsIn(world.installation, maria, { password: 'wrong password' });
      const [row] = (await world.audit(maria)).slice(-1);
      assert.equal(row?.result, 'wrong');
      assert.equal(await world.change(sql`UPDATE audit_rows SET ${change} WHERE id = ${row.id}`), 1);
      assert.deepEqual((await verifyAudit(world.installation, organization.id)).bad, [row.id]);
    });
  }

  test('shows a row that was moved to another merchant, also with its MAC', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    const other = await acme(world.installation, 'rival');
    const [row] = (await world.audit(maria)).slice(-1);
    await world.change(
      sql`UPDATE audit_rows SET organization_id = ${other.organization.id} WHERE id = ${row?.id ?? ''}`,
    );
    assert.deepEqual((await verifyAudit(world.installation, other.organization.id)).bad, [row?.id]);
    assert.deepEqual((await verifyAudit(world.installation, organization.id)).bad, []);
  });

  test('verifies beyond one batch, and finds the one bad row in the second', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    const fact = {
      organizationId: organization.id,
      actor: OPERATOR,
      action: 'customer.changed',
      targetId: globex.id,
    } as const;
    await world.db.transaction(async (tx) => {
      for (let n = 0; n < 1005; n++) await record(tx, world.installation, fact);
    });
    const last = (await world.audit(globex)).at(-1)?.id ?? '';
    await world.change(sql`UPDATE audit_rows SET result = 'right' WHERE id = ${last}`);
    const { rows, bad } = await verifyAudit(world.installation, organization.id);
    assert.ok(rows > 1005);
    assert.deepEqual(bad, [last]);
  });

  test('lists the newest first, page by page, under the names of today', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await signsIn(world.installation, maria);
    world.clock.advance(1000);
    await signsIn(world.installation, maria, { password: 'wrong password' });
    await world.db.transaction((tx) => nameForAudit(tx, organization.id, maria.id, 'Maria Souza'));
    const [newest] = await listAudit(world.db, organization.id, { targetId: maria.id, limit: 1 });
    assert.deepEqual(
      [newest?.action, newest?.result, newest?.actorName, newest?.targetName],
      ['password.answered', 'wrong', 'Maria Souza', 'Maria Souza'],
    );
    const filter = { targetId: maria.id, before: newest?.id ?? '', limit: 1 };
    assert.equal((await listAudit(world.db, organization.id, filter))[0]?.action, 'signed-in');
  });

  test('holds no row of another merchant', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    const other = await acme(world.installation, 'rival');
    assert.deepEqual(await listAudit(world.db, other.organization.id, { targetId: maria.id, limit: 10 }), []);
    const rows = await listAudit(world.db, organization.id, { limit: 1000 });
    assert.ok(rows.every((row) => row.organizationId === organization.id));
  });
});
