import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import {
  createOrganization,
  findOrganization,
  findOrganizationBySlug,
  policyReach,
  saveGeneralSettings,
  type Policy,
  type Saved,
  someOrganizations,
} from '../../src/accounts/organizations.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { acme, enrol, setPolicy } from '../acme.ts';
import { eachEngine, openWorld } from '../world.ts';

eachEngine('an organization', (engine) => {
  test('begins with MFA off, under a slug of its own', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    assert.equal(organization.policy, 'off');
    const draft = { slug: 'acme', name: 'Another', contactDetails: '', timeZone: 'UTC' };
    const taken = await world.db.transaction((tx) => createOrganization(tx, world.installation, OPERATOR, draft));
    assert.equal(taken, undefined);
    assert.deepEqual({ ...(await findOrganizationBySlug(world.db, 'acme')) }, organization);
    assert.equal(await findOrganizationBySlug(world.db, 'ACME'), undefined);
  });

  test('none, one and several are told apart', async () => {
    await using world = await openWorld(engine);
    const count = async (): Promise<number> => (await someOrganizations(world.db, 2)).length;
    assert.equal(await count(), 0);
    await world.acme();
    assert.equal(await count(), 1);
    await acme(world.installation, 'rival');
    await acme(world.installation, 'third');
    assert.equal(await count(), 2);
  });

  test('turns MFA on for itself and no other (P2), and the log says whom it reached', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const other = await acme(world.installation, 'rival');
    await setPolicy(world.installation, organization, 'required');
    assert.equal((await findOrganization(world.db, organization.id))?.policy, 'required');
    assert.equal((await findOrganization(world.db, other.organization.id))?.policy, 'off');
    const rows = (await world.rows('audit_rows')).filter(({ action }) => action === 'policy.changed');
    assert.deepEqual(
      rows.map((row) => JSON.parse(String(row['details'])) as unknown),
      [{ policy: 'required', graceDays: null, enrolled: 0, notEnrolled: 3 }],
    );
  });

  test('is asked for MFA by nobody on staff who has none; the operator may, and turning it off may everybody', async () => {
    await using world = await openWorld(engine);
    const { organization, ada } = await world.acme();
    const actor = { kind: 'account', id: ada.id, address: '192.0.2.1' } as const;
    const save = async (policy: Policy): Promise<Saved['kind']> => {
      const today = await findOrganization(world.db, organization.id);
      assert.ok(today);
      return (await saveGeneralSettings(world.installation, actor, today, { policy })).kind;
    };
    assert.equal(await save('required'), 'own-mfa-first');
    assert.equal((await findOrganization(world.db, organization.id))?.policy, 'off');
    assert.equal(await save('optional'), 'saved');
    await enrol(world.installation, ada);
    assert.equal(await save('required'), 'saved');
  });

  test('changes the days of grace as it changes the policy: recorded, and not against somebody else’s change', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await setPolicy(world.installation, organization, 'required', 14);
    const today = await findOrganization(world.db, organization.id);
    assert.ok(today);
    await setPolicy(world.installation, organization, 'required', 30);
    const late = await saveGeneralSettings(world.installation, OPERATOR, today, { graceDays: 7 });
    assert.equal(late.kind, 'policy-changed-meanwhile');
    assert.equal((await findOrganization(world.db, organization.id))?.graceDays, 30);
    await setPolicy(world.installation, organization, 'off', 30);
    assert.equal(
      (await findOrganization(world.db, organization.id))?.graceDays,
      null,
      'nobody is asked within anything',
    );
    const changes = (await world.rows('audit_rows')).filter(({ action }) => action === 'policy.changed');
    assert.equal(changes.length, 3);
  });

  test('that saves the same settings twice has changed nothing, and the log is as long as before', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const settings = { name: 'Acme Bills', contactDetails: 'Write to us', policy: 'required' } as const;
    const save = async (): Promise<Saved> => {
      const today = await findOrganization(world.db, organization.id);
      assert.ok(today);
      return saveGeneralSettings(world.installation, OPERATOR, today, settings);
    };
    assert.deepEqual(await save(), { kind: 'saved', policyChanged: true });
    const before = (await world.rows('audit_rows')).length;
    assert.deepEqual(await save(), { kind: 'saved', policyChanged: false });
    assert.equal((await world.rows('audit_rows')).length, before);
  });

  test('is saved against the policy that was read: what somebody else did meanwhile is not undone unseen', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const renamed = { ...organization, name: 'Acme Bills' };
    await setPolicy(world.installation, organization, 'required');
    const stale = await saveGeneralSettings(world.installation, OPERATOR, organization, {
      policy: 'required',
      name: 'X',
    });
    assert.deepEqual(stale, { kind: 'policy-changed-meanwhile' });
    await saveGeneralSettings(world.installation, OPERATOR, organization, { name: renamed.name });
    const now = await findOrganization(world.db, organization.id);
    assert.deepEqual([now?.policy, now?.name], ['required', 'Acme Bills']);
  });

  test('counts who has MFA and who would be asked, without staff and without those who have no access', async () => {
    await using world = await openWorld(engine);
    const { organization, ada, maria, eve } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    await enrol(world.installation, maria);
    await enrol(world.installation, ada);
    await setPortalAccess(world.installation, OPERATOR, await world.account(eve), false);
    assert.deepEqual(await policyReach(world.db, organization.id), { enrolled: 1, notEnrolled: 1 });
  });
});
