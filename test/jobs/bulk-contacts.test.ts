import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { View } from '../../src/accounts/list-view.ts';
import { bulkContacts, findPrepared, prepareBulk, startBulk, type BulkAct } from '../../src/jobs/bulk-contacts.ts';
import { findJob, type Job } from '../../src/jobs/jobs.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { OPERATOR, type Actor } from '../../src/accounts/audit.ts';
import { sql } from '../../src/db/db.ts';
import { addContact, enrol, signsIn, type Acme, type Person } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const ALL: View = { search: '', mfa: null, portal: null, lastSignIn: null, sort: 'name', descending: false };
const WHY = 'a stolen laptop';

async function confirmed(
  world: World,
  { organization, ada }: Acme,
  act: BulkAct,
  selection: { ids: string[] } | { view: View },
): Promise<Job> {
  const { installation } = world;
  const actor: Actor = { kind: 'account', id: ada.id, address: '203.0.113.1' };
  const id = await prepareBulk(installation, actor, organization.id, act, selection);
  assert.ok(id);
  const key = { organizationId: organization.id, id };
  assert.equal(await startBulk(installation, actor, key, WHY), true);
  assert.equal(await startBulk(installation, actor, key, WHY), false);
  const job = await findJob(world.db, key);
  assert.ok(job);
  return job;
}

async function finished(world: World, job: Job): Promise<Job> {
  const done = await openRunner(world.installation).toEnd(job, () => undefined);
  assert.equal(done?.state, 'finished');
  return done;
}

function actions(rows: Awaited<ReturnType<World['audit']>>, action: string): number {
  return rows.filter((row) => row.action === action).length;
}

eachEngine('an act on many contacts', (engine) => {
  test('is done to each of the marked ones once, with a row in the log each, and says whom it did not concern', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const { maria, noor, eve } = people;
    const job = await confirmed(world, people, 'reset-mfa', { ids: [maria.id, noor.id] });
    assert.equal(job.total, 2);
    const done = await finished(world, job);
    assert.deepEqual([done.done, bulkContacts.remark?.(done)], [2, '1 had no MFA.']);
    const rows = await world.audit(maria);
    assert.equal(actions(rows, 'mfa.reset'), 1);
    assert.equal(rows.at(-1)?.reason, WHY);
    for (const other of [noor, eve]) assert.equal(actions(await world.audit(other), 'mfa.reset'), 0);
  });

  test('is done to everybody whom the view showed when it was confirmed, and to nobody who came later', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const many: Person[] = [];
    for (let n = 0; n < 30; n++) many.push(await addContact(world.installation, people.globex, `Kim${n} Doe`));
    const job = await confirmed(world, people, 'disable', { view: { ...ALL, search: 'doe' } });
    assert.equal(job.total, 30);
    world.clock.advance(1_000);
    const late = await addContact(world.installation, people.globex, 'Late Doe');
    assert.equal((await finished(world, job)).done, 30);
    for (const person of many) assert.notEqual((await world.account(person)).disabledAt, null, person.email);
    for (const person of [late, people.maria]) assert.equal((await world.account(person)).disabledAt, null);
  });

  test('goes on where it was stopped in the middle, and does nobody twice', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const many: Person[] = [];
    for (let n = 0; n < 60; n++) many.push(await addContact(world.installation, people.globex, `Kim${n} Doe`));
    const job = await confirmed(world, people, 'disable', { ids: many.map(({ id }) => id) });
    for (let bites = 0; bites < 2; bites++) {
      // What a runner does that is killed right after its second bite: the bite is committed, its turn is not ended.
      await world.installation.db.transaction(async (tx) => {
        const now = await findJob(tx, job);
        assert.ok(now);
        const bite = await bulkContacts.bite(tx, world.installation, now);
        await tx.run(sql`UPDATE jobs SET cursor = ${bite.cursor}, done = done + ${bite.done} WHERE id = ${job.id}`);
      });
    }
    assert.equal((await finished(world, job)).done, 60);
    for (const person of many)
      assert.equal(actions(await world.audit(person), 'portal-access.disabled'), 1, person.email);
  });

  test('signs out whoever is signed in, and leaves everything else as it was', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    await signsIn(world.installation, people.maria);
    const { epoch } = await world.account(people.maria);
    const job = await confirmed(world, people, 'sign-out', { view: ALL });
    const done = await finished(world, job);
    assert.equal(bulkContacts.remark?.(done), '2 were not signed in.');
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
    assert.equal((await world.account(people.maria)).epoch, epoch);
    assert.equal(actions(await world.audit(people.maria), 'sessions.ended'), 1);
  });

  test('is for nobody of another merchant, whatever ids were sent', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const prepared = await prepareBulk(world.installation, OPERATOR, 'another', 'disable', { ids: [people.maria.id] });
    assert.equal(prepared, undefined);
    const id = await prepareBulk(world.installation, OPERATOR, people.organization.id, 'disable', {
      ids: [people.maria.id, people.ada.id, 'nobody'],
    });
    const key = { organizationId: people.organization.id, id: id ?? '' };
    assert.equal((await findPrepared(world.installation, key))?.contacts, 1);
    assert.equal(await findPrepared(world.installation, { ...key, organizationId: 'another' }), undefined);
  });

  test('is for contacts alone, each of them once: an admin who sends the ids of staff along resets no owner', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await enrol(world.installation, people.ada);
    const { maria, ada } = people;
    for (const act of ['sign-out', 'reset-mfa'] as const) {
      const before = (await world.rows('accounts')).find(({ id }) => id === ada.id);
      const job = await confirmed(world, people, act, { ids: [maria.id, ada.id, maria.id, 'nobody'] });
      assert.deepEqual([job.total, (await finished(world, job)).done], [1, 1]);
      assert.deepEqual(
        (await world.rows('accounts')).find(({ id }) => id === ada.id),
        before,
      );
    }
    assert.equal(actions(await world.audit(ada), 'mfa.reset'), 0);
    assert.equal(actions(await world.audit(maria), 'mfa.reset'), 1);
  });

  test('spares whom it no longer concerns by then', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await enrol(world.installation, people.noor);
    const job = await confirmed(world, people, 'disable', { ids: [people.maria.id, people.noor.id] });
    await setPortalAccess(world.installation, OPERATOR, await world.account(people.noor), false);
    const done = await finished(world, job);
    assert.deepEqual([done.done, bulkContacts.remark?.(done)], [2, '1 had no portal access.']);
    assert.equal(actions(await world.audit(people.noor), 'portal-access.disabled'), 1);
  });
});
