import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findOrganization } from '../../src/accounts/organizations.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { findJob, type Job } from '../../src/jobs/jobs.ts';
import {
  disableAndResetEverybody,
  RESET_EVERYBODY,
  whoHasMfa,
  type DisabledForAll,
} from '../../src/jobs/reset-everybody.ts';
import { JOB_LEASE_MS, openRunner } from '../../src/jobs/runner.ts';
import { sql } from '../../src/db/db.ts';
import { acme, addContact, enrol, setPolicy, signsIn, type Acme, type Person } from '../acme.ts';
import { eachEngine, openWorld, type Engine, type World } from '../world.ts';

const REASON = 'the app that we recommended is gone';

interface Scene {
  readonly world: World;
  readonly people: Acme;
  readonly enrolled: readonly Person[];
}

/** Acme with MFA required, which so many contacts have set up, Maria first. */
async function withMfa(engine: Engine, count: number): Promise<Scene> {
  const world = await openWorld(engine);
  const people = await world.acme();
  await setPolicy(world.installation, people.organization, 'required');
  const enrolled = [people.maria];
  while (enrolled.length < count)
    enrolled.push(await addContact(world.installation, people.globex, `Contact${enrolled.length} Silva`));
  for (const person of enrolled) await enrol(world.installation, person);
  return { world, people, enrolled };
}

function press({ world, people }: Scene, confirmed: number): Promise<DisabledForAll> {
  const { ada, organization } = people;
  const actor = { kind: 'account', id: ada.id, address: '192.0.2.1' } as const;
  return disableAndResetEverybody(world.installation, actor, organization, { confirmed, reason: REASON });
}

async function jobOf({ world, people }: Scene, outcome: DisabledForAll): Promise<Job> {
  assert.ok(outcome.kind === 'started');
  const job = await findJob(world.db, { organizationId: people.organization.id, id: outcome.jobId });
  assert.ok(job);
  return job;
}

async function resets(world: World): Promise<string[]> {
  const rows = (await world.rows('audit_rows')).filter(({ action }) => action === 'mfa.reset');
  return rows.map((row) => String(row['target_id'])).toSorted();
}

eachEngine('Disable and reset everybody', (engine) => {
  test('turns the policy off at once and resets each contact with MFA once, as one reset does, and nobody else', async () => {
    const scene = await withMfa(engine, 30);
    const { world, people, enrolled } = scene;
    await using _ = world;
    const others = await acme(world.installation, 'rival');
    await setPolicy(world.installation, others.organization, 'required');
    await enrol(world.installation, others.maria);
    await enrol(world.installation, people.ada);
    await setPortalAccess(world.installation, OPERATOR, await world.account(enrolled[3] ?? people.maria), false);
    const job = await jobOf(scene, await press(scene, 30));
    assert.equal((await findOrganization(world.db, people.organization.id))?.policy, 'off');
    assert.equal((await signsIn(world.installation, people.maria)).kind, 'challenge', 'not yet reset');
    const runner = openRunner(world.installation);
    while (await runner.turn());
    assert.deepEqual(await resets(world), enrolled.map(({ id }) => id).toSorted());
    assert.equal((await signsIn(world.installation, people.maria)).kind, 'signed-in');
    assert.equal((await signsIn(world.installation, people.ada)).kind, 'challenge', 'staff keep theirs');
    assert.equal((await signsIn(world.installation, others.maria)).kind, 'challenge', 'and so do others');
    assert.notEqual((await world.account(people.maria)).resetNoticeAt, null, 'she is told');
    const { state, done } = (await findJob(world.db, job)) ?? {};
    assert.deepEqual({ state, done }, { state: 'finished', done: 30 });
    const [reset] = (await world.audit(people.maria)).filter(({ action }) => action === 'mfa.reset');
    assert.deepEqual([reset?.actorId, reset?.reason], [people.ada.id, `Everybody: ${REASON}`]);
  });

  test('goes on after a kill where it was, and spares who has set MFA up since it was confirmed', async () => {
    const scene = await withMfa(engine, 28);
    const { world, people, enrolled } = scene;
    await using _ = world;
    const job = await jobOf(scene, await press(scene, 28));
    await setPolicy(world.installation, people.organization, 'required');
    world.clock.advance(60_000);
    await enrol(world.installation, people.noor);
    // What a process leaves behind that is killed after a bite.
    const bite = await world.db.transaction((tx) => RESET_EVERYBODY.bite(tx, world.installation, job));
    assert.deepEqual([bite.done, bite.ended], [25, false]);
    await world.change(sql`UPDATE jobs SET state = 'running', holder = 'killed', cursor = ${bite.cursor}, done = ${bite.done},
      held_until = ${world.clock.now + JOB_LEASE_MS}`);
    world.clock.advance(JOB_LEASE_MS);
    const next = openRunner(world.installation);
    while (await next.turn());
    assert.equal((await findJob(world.db, job))?.done, 28);
    assert.deepEqual(await resets(world), enrolled.map(({ id }) => id).toSorted());
    assert.equal((await signsIn(world.installation, people.noor)).kind, 'challenge');
  });

  test('is refused for another number than there are, and is started once however often it is pressed', async () => {
    const scene = await withMfa(engine, 2);
    const { world, people } = scene;
    await using _ = world;
    assert.deepEqual(await press(scene, 3), { kind: 'number-changed', contacts: 2 });
    assert.equal((await findOrganization(world.db, people.organization.id))?.policy, 'required');
    const pressed = await Promise.all(Array.from({ length: 8 }, () => press(scene, 2)));
    assert.deepEqual(pressed.map(({ kind }) => kind).toSorted(), [
      'started',
      ...Array.from({ length: 7 }, () => 'under-way'),
    ]);
    assert.equal((await world.rows('jobs')).length, 1);
    const { contacts, names } = await whoHasMfa(world.db, people.organization.id, 1);
    assert.deepEqual([contacts, names.map(({ email }) => email)], [2, ['contact1@globex.test']]);
  });
});
