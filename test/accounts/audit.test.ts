import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listAudit, nameForAudit, type AuditFilter } from '../../src/accounts/audit.ts';
import { actionsOf } from '../../src/accounts/audit-groups.ts';
import { Sql, sql, type Database } from '../../src/db/db.ts';
import { acme, signsIn } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

eachEngine('the audit log', (engine) => {
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

  test('knows Maria by her id alone once her name was erased', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await signsIn(world.installation, maria);
    assert.equal(await world.change(sql`DELETE FROM audit_names WHERE subject_id = ${maria.id}`), 1);
    const [newest] = await listAudit(world.db, organization.id, { targetId: maria.id, limit: 1 });
    assert.deepEqual([newest?.actorName, newest?.targetName, newest?.targetId], [null, null, maria.id]);
  });
});

/** What each filter is followed by; the figures for a million rows, of both engines, are in bench/README.md. */
const FOLLOWED: readonly [what: string, filter: AuditFilter, index: string][] = [
  ['of everything', {}, 'sqlite_autoindex_audit_rows_1'],
  ['of a day', { from: 1, to: 2 }, 'sqlite_autoindex_audit_rows_1'],
  ['by somebody', { actorIds: ['ada', 'otto'] }, 'audit_rows_by_actor'],
  ['of a group of actions', { actions: actionsOf('sign-ins'), from: 1 }, 'audit_rows_by_action'],
  ['about somebody', { targetId: 'maria', actions: actionsOf('mfa') }, 'audit_rows_by_target'],
  ['about a customer', { customerId: 'globex', before: 'a' }, 'audit_rows_by_target'],
  ['from an address', { address: '203.0.113.1' }, 'audit_rows_by_address'],
  ['of a group of actions by somebody', { actorIds: ['ada'], actions: actionsOf('resets') }, 'audit_rows_by_actor'],
];

describe('a page of a long audit log (sqlite)', () => {
  for (const [what, filter, index] of FOLLOWED)
    test(`${what} is found by an index, and then looked up row by row`, async () => {
      await using world = await openWorld('sqlite');
      const plan = await planOf(world, filter);
      const rows = plan.filter((step) => / r( |$)/.test(step));
      assert.equal(rows.pop(), 'SEARCH r USING INDEX sqlite_autoindex_audit_rows_1 (organization_id=? AND id=?)');
      assert.ok(rows.length > 0);
      for (const step of rows)
        assert.ok(step.replace(' COVERING', '').startsWith(`SEARCH r USING INDEX ${index} (`), step);
    });
});

async function planOf({ db }: World, filter: AuditFilter): Promise<string[]> {
  let asked = sql``;
  const all: Database['all'] = async (statement) => {
    asked = statement;
    return [];
  };
  await listAudit({ all }, 'acme', { ...filter, limit: 51 });
  const [first = '', ...rest] = asked.strings;
  const steps = await db.all(new Sql([`EXPLAIN QUERY PLAN ${first}`, ...rest], asked.values));
  return steps.map((step) => String(step['detail']));
}
