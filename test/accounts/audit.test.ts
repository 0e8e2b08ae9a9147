import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listAudit, nameForAudit } from '../../src/accounts/audit.ts';
import { sql } from '../../src/db/db.ts';
import { acme, signsIn } from '../acme.ts';
import { eachEngine, openWorld } from '../world.ts';

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
