import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPERATOR, type Actor } from '../../src/accounts/audit.ts';
import { appendPart, partsOf } from '../../src/accounts/job-parts.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { rotate } from '../../src/auth/rotation.ts';
import { sql } from '../../src/db/db.ts';
import {
  FILES_KEPT_MS,
  findJob,
  JOB_KEPT_MS,
  prepareJob,
  resumeJob,
  startJob,
  stopJob,
  sweepJobs,
  type Job,
  type JobKind,
} from '../../src/jobs/jobs.ts';
import { JOB_LEASE_MS, openRunner } from '../../src/jobs/runner.ts';
import { uuidv7 } from '../../src/crypto/tokens.ts';
import type { Acme } from '../acme.ts';
import { eachEngine, openWorld, ringOf, type World } from '../world.ts';

/** Adds a customer a bite, named by its number. `trouble` may make a bite fail after it has written. */
function adding(trouble: (number: number) => void = () => undefined): JobKind {
  return {
    name: 'adding',
    permission: 'edit customers',
    unit: ['customer', 'customers'],
    title: (job) => `Add ${job.total} customers`,
    bite: async (tx, installation, job) => {
      const number = Number(job.cursor) + 1;
      const id = uuidv7(installation.now());
      await tx.run(sql`INSERT INTO customers (organization_id, id, name, sort_key, created_at)
        VALUES (${job.organizationId}, ${id}, ${`New ${number}`}, ${`new ${number}`}, ${installation.now()})`);
      trouble(number);
      return { cursor: String(number), done: 1, result: { last: number }, ended: number === job.total };
    },
  };
}

async function started(world: World, acme: Acme, total: number, actor: Actor = OPERATOR): Promise<Job> {
  const organizationId = acme.organization.id;
  const id = await world.db.transaction((tx) =>
    startJob(tx, world.installation, { organizationId, actor, kind: 'adding', plan: {}, total }),
  );
  return reread(world, { organizationId, id });
}

async function reread(world: World, key: Pick<Job, 'organizationId' | 'id'>): Promise<Job> {
  const job = await findJob(world.db, key);
  assert.ok(job);
  return job;
}

async function added(world: World): Promise<string[]> {
  const rows = await world.db.all<{ name: string }>(
    sql`SELECT name FROM customers WHERE name LIKE 'New %' ORDER BY id, name`,
  );
  return rows.map(({ name }) => name).toSorted();
}

const upTo = (n: number): string[] => Array.from({ length: n }, (_, at) => `New ${at + 1}`).toSorted();

eachEngine('a job', (engine) => {
  test('is done bite by bite, and leaves its beginning and its end in the audit log', async () => {
    await using world = await openWorld(engine);
    const job = await started(world, await world.acme(), 30);
    const runner = openRunner(world.installation, [adding()]);
    assert.equal(await runner.turn(), true);
    assert.equal((await reread(world, job)).done, 25, 'then others have their turn');
    assert.equal(await runner.turn(), true);
    assert.equal(await runner.turn(), false);
    const { state, done, result, why } = await reread(world, job);
    assert.deepEqual({ state, done, result, why }, { state: 'finished', done: 30, result: { last: 30 }, why: null });
    assert.deepEqual(await added(world), upTo(30));
    const told = (await world.audit(job)).map(({ action, result: how }) => `${action} ${how}`);
    assert.deepEqual(told, ['job.started done', 'job.ended finished']);
  });

  test('whose process was killed is taken up after its lease where it was, and does nothing twice', async () => {
    await using world = await openWorld(engine);
    const job = await started(world, await world.acme(), 30);
    const lost = new Error('the process is gone');
    // A bite that ends the process leaves what a killed one leaves: a held job, and the bite's transaction undone.
    const dying = adding((number) => {
      if (number === 8) throw lost;
    });
    const held = await world.db.transaction((tx) =>
      tx.run(sql`UPDATE jobs SET state = 'running', holder = 'killed', held_until = ${world.clock.now + JOB_LEASE_MS},
        cursor = '7', done = 7 WHERE id = ${job.id}`),
    );
    assert.equal(held, 1);
    assert.equal(await openRunner(world.installation, [dying]).turn(), false, 'another process has it');
    world.clock.advance(JOB_LEASE_MS);
    assert.equal(await openRunner(world.installation, [adding()]).turn(), true);
    const { state, done } = await reread(world, job);
    assert.deepEqual({ state, done }, { state: 'finished', done: 30 });
    assert.deepEqual(
      await added(world),
      upTo(30).filter((name) => Number(name.slice(4)) > 7),
    );
  });

  test('is given up after its bite by a server that stops, which takes up no other, and goes on elsewhere at once', async () => {
    await using world = await openWorld(engine);
    const job = await started(world, await world.acme(), 30);
    const stopping: (() => Promise<void>)[] = [];
    const runner = openRunner(world.installation, [
      adding((number) => {
        if (number === 3) void stopping[0]?.();
      }),
    ]);
    stopping.push(runner.finish);
    await runner.turn();
    assert.equal(await runner.turn(), false);
    assert.equal((await reread(world, job)).done, 3);
    assert.equal(await openRunner(world.installation, [adding()]).turn(), true);
    assert.equal((await reread(world, job)).done, 28);
  });

  test('that fails undoes the bite it failed in, says so, and can go on from there', async () => {
    await using world = await openWorld(engine);
    const job = await started(world, await world.acme(), 5);
    const failing = adding((number) => {
      if (number === 3) throw new Error('out of luck');
    });
    await openRunner(world.installation, [failing]).turn();
    const failed = await reread(world, job);
    assert.equal(failed.state, 'failed');
    assert.deepEqual(await added(world), upTo(2));
    const line = world.log.lines.find(({ message }) => message === 'a job has failed');
    assert.equal(line?.fields['reference'], failed.why);
    assert.equal(await resumeJob(world.installation, OPERATOR, job), true);
    await openRunner(world.installation, [adding()]).turn();
    assert.equal((await reread(world, job)).state, 'finished');
    assert.deepEqual(await added(world), upTo(5));
  });

  test('stops after its bite when it is asked to, once, and what is done stays done', async () => {
    await using world = await openWorld(engine);
    const acme = await world.acme();
    const job = await started(world, acme, 30);
    await openRunner(world.installation, [adding()]).turn();
    assert.equal(await stopJob(world.installation, OPERATOR, job), true);
    assert.equal(await stopJob(world.installation, OPERATOR, job), false);
    await openRunner(world.installation, [adding()]).turn();
    const { state, done, why } = await reread(world, job);
    assert.deepEqual({ state, done, why }, { state: 'stopped', done: 25, why: 'asked' });
    assert.equal((await added(world)).length, 25);
  });

  test('does nothing more for somebody who may no longer do it', async () => {
    await using world = await openWorld(engine);
    const acme = await world.acme();
    const job = await started(world, acme, 30, { kind: 'account', id: acme.ada.id, address: '192.0.2.1' });
    await openRunner(world.installation, [adding()]).turn();
    await world.db.transaction((tx) => tx.run(sql`UPDATE accounts SET role = 'support' WHERE id = ${acme.ada.id}`));
    await openRunner(world.installation, [adding()]).turn();
    const { state, done, why } = await reread(world, job);
    assert.deepEqual({ state, done, why }, { state: 'stopped', done: 25, why: 'not-allowed' });
  });

  test('of another merchant is neither found, stopped nor let go on', async () => {
    await using world = await openWorld(engine);
    const acme = await world.acme();
    const job = await started(world, acme, 3);
    const elsewhere = { organizationId: 'another', id: job.id };
    assert.equal(await findJob(world.db, elsewhere), undefined);
    assert.equal(await stopJob(world.installation, OPERATOR, elsewhere), false);
    assert.equal(await resumeJob(world.installation, OPERATOR, elsewhere), false);
  });

  test('keeps its files sealed and in order, under a new key too, for a day after its end', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    const job = await started(world, await world.acme(), 1);
    for (const text of ['one,', 'two,', 'three'])
      await world.db.transaction((tx) => appendPart(tx, world.installation, job, 'upload', text));
    const whole = async (ring = world.installation.ring): Promise<string> =>
      (await Array.fromAsync(partsOf(world.db, { ring }, job, 'upload'))).join('');
    assert.equal(await whole(), 'one,two,three');
    assert.doesNotMatch(JSON.stringify(await world.rows('job_parts')), /three/);
    const ring = ringOf('new', 'old');
    await rotate({ ...world.installation, ring }, () => undefined);
    assert.equal(await whole({ current: 'new', keys: new Map([...ring.keys].slice(0, 1)) }), 'one,two,three');

    await openRunner(world.installation, [adding()]).turn();
    world.clock.advance(FILES_KEPT_MS - 1);
    await sweepJobs(world.installation);
    assert.equal((await world.rows('job_parts')).length, 3);
    world.clock.advance(1);
    await sweepJobs(world.installation);
    assert.equal((await world.rows('job_parts')).length, 0);
    assert.equal((await world.rows('jobs')).length, 1);
    world.clock.advance(JOB_KEPT_MS);
    await sweepJobs(world.installation);
    assert.equal((await world.rows('jobs')).length, 0);
  });

  test('that was prepared and left is worked on by nobody, and is gone with its files after a day', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const draft = { organizationId: organization.id, actor: OPERATOR, kind: 'adding', plan: {}, total: 3 };
    await world.db.transaction(async (tx) => {
      const id = await prepareJob(tx, world.installation, draft);
      await appendPart(tx, world.installation, { organizationId: organization.id, id }, 'upload', 'secret');
    });
    assert.equal(await openRunner(world.installation, [adding()]).turn(), false);
    world.clock.advance(FILES_KEPT_MS);
    await sweepJobs(world.installation);
    assert.deepEqual([await world.rows('job_parts'), await world.rows('jobs')], [[], []]);
  });
});

describe('eight servers with three jobs', () => {
  test('do each bite once, and none is left', async () => {
    await using world = await openWorld('postgres');
    const acme = await world.acme();
    await createCustomer(world.installation, OPERATOR, acme.organization.id, 'Warm');
    const jobs = await Promise.all([1, 2, 3].map(() => started(world, acme, 40)));
    const runners = Array.from({ length: 8 }, () => openRunner(world.installation, [adding()]));
    const work = async (runner: (typeof runners)[number]): Promise<void> => {
      while (await runner.turn());
    };
    do await Promise.all(runners.map(work));
    while ((await Promise.all(jobs.map((job) => reread(world, job)))).some(({ endedAt }) => endedAt === null));
    assert.deepEqual(await added(world), [...upTo(40), ...upTo(40), ...upTo(40)].toSorted());
    for (const job of jobs) {
      assert.equal((await reread(world, job)).done, 40);
      assert.equal((await world.audit(job)).length, 2);
    }
  });
});
