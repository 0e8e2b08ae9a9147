import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { policyReach } from '../../src/accounts/organizations.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { closeRestored } from '../../src/auth/restored.ts';
import { FEW_CODES } from '../../src/auth/limits.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, setPolicy, type Person } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, START, type World } from '../world.ts';

/** What the account's own row says, beside what the tables of authenticators and backup codes say. */
async function listed({ db }: World, { organizationId, id }: Person): Promise<object> {
  const row = await db.one<
    Record<string, number | null>
  >(sql`SELECT a.mfa_since AS since, a.backup_codes_left AS "left",
      (SELECT MIN(m.enabled_at) FROM authenticators m WHERE m.account_id = a.id AND m.enabled_at IS NOT NULL
        AND m.revoked_at IS NULL) AS "trueSince",
      (SELECT COUNT(*) FROM backup_code_sets s JOIN backup_codes c ON c.set_id = s.id
        WHERE s.account_id = a.id AND s.revoked_at IS NULL AND c.used_at IS NULL) AS unused
    FROM accounts a WHERE a.organization_id = ${organizationId} AND a.id = ${id}`);
  assert.ok(row);
  assert.equal(row['since'], row['trueSince']);
  assert.equal(row['left'] ?? 0, row['unused']);
  return { since: row['since'], left: row['left'] };
}

eachEngine('what the list knows of a contact’s MFA', (engine) => {
  test('is what the tables say, after every act: Maria sets up, uses a code, and is reset', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    assert.deepEqual(await listed(world, maria), { since: null, left: null });
    const { codes } = await enrol(world.installation, maria);
    assert.deepEqual(await listed(world, maria), { since: START, left: 5 });
    world.clock.advance(MINUTE_MS);
    await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '');
    assert.deepEqual(await listed(world, maria), { since: START, left: 4 });
    await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '');
    assert.deepEqual(await listed(world, maria), { since: START, left: 4 });
    const reason = { check: 'met-in-person', note: '' } as const;
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria), reason);
    assert.deepEqual(await listed(world, maria), { since: null, left: null });
  });

  test('follows a restore that ends all backup codes', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acmeWithMfa();
    await closeRestored(world.installation, OPERATOR, { revokeBackupCodes: true });
    assert.deepEqual(await listed(world, maria), { since: START, left: null });
  });

  test('is what the policy’s reach counts: those with portal access, with and without', async () => {
    await using world = await openWorld(engine);
    const { organization, eve } = await world.acmeWithMfa();
    assert.deepEqual(await policyReach(world.db, organization.id), { enrolled: 1, notEnrolled: 2 });
    await world.change(sql`UPDATE accounts SET disabled_at = 1 WHERE id = ${eve.id}`);
    assert.deepEqual(await policyReach(world.db, organization.id), { enrolled: 1, notEnrolled: 1 });
  });
});

test('few backup codes are as few in the index of the list as on the pages', () => {
  assert.equal(FEW_CODES, 2);
});
