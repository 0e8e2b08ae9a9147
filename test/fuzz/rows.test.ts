import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { listAudit, record, verifyAudit, type Fact } from '../../src/accounts/audit.ts';
import { Sql, sql } from '../../src/db/db.ts';
import { schemaState } from '../../src/db/migrate.ts';
import { eachEngine } from '../database.ts';
import { openWorld } from '../world.ts';

const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '","', '{"a":1}', '\\u0000', "'; --"),
  )
  .map((one) => one.toWellFormed().replaceAll('\0', ''));
const details = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null)), { maxKeys: 4 });

eachEngine('an audit row', (engine) => {
  test('gives back whatever was written in it, and shows when any of it was changed', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const { db, installation } = world;
    const facts = fc.record({ targetId: text, reason: text, result: text, address: text, details });
    const columns = fc.constantFrom(
      'at',
      'actor_id',
      'action',
      'target_id',
      'address',
      'result',
      'reason',
      'details',
      'mac',
    );
    await fc.assert(
      fc.asyncProperty(facts, columns, async ({ address, ...given }, column) => {
        const fact: Fact = {
          ...given,
          organizationId: organization.id,
          actor: { kind: 'account', id: 'ada', address },
          action: 'signed-in',
        };
        await db.transaction((tx) => record(tx, installation, fact));
        const [row] = await listAudit(db, organization.id, { limit: 1 });
        assert.ok(row);
        assert.deepEqual(
          { targetId: row.targetId, reason: row.reason, result: row.result, address: row.address },
          { targetId: given.targetId, reason: given.reason, result: given.result, address },
        );
        assert.deepEqual(JSON.parse(row.details), JSON.parse(JSON.stringify(given.details)));
        assert.deepEqual((await verifyAudit(installation, organization.id)).bad, []);
        const change = column === 'at' ? 'at + 1' : `${column} || 'x'`;
        await world.change(new Sql([`UPDATE audit_rows SET ${column} = ${change} WHERE id = '${row.id}'`], []));
        assert.deepEqual((await verifyAudit(installation, organization.id)).bad, [row.id], column);
        await world.change(sql`DELETE FROM audit_rows WHERE id = ${row.id}`);
      }),
      { numRuns: 60 },
    );
  });
});

eachEngine('a schema', (engine) => {
  test('that has any name besides ours is newer, and one that lacks any of ours is older, never current', async () => {
    await using world = await openWorld(engine);
    const ours = (await world.rows('schema_migrations')).map(({ name }) => String(name));
    const others = fc.uniqueArray(text, { maxLength: 3 }).map((names) => names.filter((name) => !ours.includes(name)));
    await fc.assert(
      fc.asyncProperty(fc.subarray(ours), others, async (kept, added) => {
        await world.change(sql`DELETE FROM schema_migrations`);
        for (const name of [...kept, ...added])
          await world.change(sql`INSERT INTO schema_migrations (name, applied_at) VALUES (${name}, 0)`);
        const { kind } = await schemaState(world.db);
        const due = kept.length === ours.length ? 'current' : kept.length === 0 ? 'empty' : 'older';
        assert.equal(kind, added.length > 0 ? 'newer' : due);
      }),
      { numRuns: 50 },
    );
    await world.change(sql`DELETE FROM schema_migrations`);
    for (const name of ours)
      await world.change(sql`INSERT INTO schema_migrations (name, applied_at) VALUES (${name}, 0)`);
  });
});
