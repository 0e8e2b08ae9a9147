import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { waitingJob, type Acme } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { refusedWith, stage, unchanged, type Guest } from './front-door.ts';

interface Scene {
  readonly people: Acme;
  readonly ada: Guest;
  readonly job: string;
  readonly path: string;
}

async function scene(world: World): Promise<Scene> {
  const { people, guest } = await stage(world);
  const ada = await guest(people.ada);
  await ada.enrols();
  await ada.signsIn();
  const job = await waitingJob(world.installation, people.organization);
  return { people, ada, job, path: `/admin/jobs/${job}` };
}

/** The job as it is after two and a half minutes of work. */
async function underWay(world: World, job: string): Promise<void> {
  const began = world.clock.now - 150_000;
  await world.change(
    sql`UPDATE jobs SET state = 'running', total = 1235, done = 612, started_at = ${began} WHERE id = ${job}`,
  );
}

eachEngine('the page of a job', (engine) => {
  test('says that there are none yet, and lists them once there are', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await guest(people.ada);
    await ada.enrols();
    await ada.signsIn();
    assert.match((await ada.browser.get('/admin/jobs')).text, /No jobs yet/);
    await waitingJob(world.installation, people.organization);
    assert.match((await ada.browser.get('/admin/jobs')).text, /of another version[\s\S]*Waiting/);
  });

  test('pages through many, each once', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    for (let more = 0; more < 30; more++) await waitingJob(world.installation, people.organization);
    const first = await ada.browser.get('/admin/jobs');
    const [, next = ''] = /href="(\/admin\/jobs\?before=[^"]+)"/.exec(first.text) ?? [];
    const second = await ada.browser.get(next);
    const ids = [first, second].flatMap(({ text }) =>
      [...text.matchAll(/\/admin\/jobs\/([\w-]+)"/g)].map(([, id]) => id),
    );
    assert.equal(ids.length, 31);
    assert.equal(new Set(ids).size, 31);
    assert.doesNotMatch(second.text, /\?before=/);
  });

  test('says how far it is and how long it may take, also to a browser without script', async () => {
    await using world = await openWorld(engine);
    const { ada, job, path } = await scene(world);
    assert.match((await ada.browser.get(path)).text, /Waiting for its turn\./);
    await underWay(world, job);
    const { text } = await ada.browser.get(path);
    assert.match(text, /612 of 1,235 \(49 %\)\. About 3 minutes left\./);
    assert.match(text, /<noscript><meta http-equiv="refresh" content="5"/);
    const { text: json } = await ada.browser.get(`${path}/progress`);
    assert.deepEqual(JSON.parse(json), {
      done: 612,
      total: 1235,
      ended: false,
      words: '612 of 1,235 (49 %). About 3 minutes left.',
    });
  });

  test('keeps nobody signed in by being looked at', async () => {
    await using world = await openWorld(engine);
    const { ada, path } = await scene(world);
    for (const look of [path, `${path}/progress`, path]) {
      world.clock.advance(4 * MINUTE_MS);
      assert.equal((await ada.browser.get(look)).status, 200);
    }
    world.clock.advance(4 * MINUTE_MS);
    assert.equal((await ada.browser.get(path)).location, '/admin/sign-in');
  });

  test('stops it once, says so, and lets it go on', async () => {
    await using world = await openWorld(engine);
    const { ada, job, path } = await scene(world);
    await underWay(world, job);
    assert.match((await ada.browser.get(path)).text, /Stops after the current part; 612 done stay done\./);
    for (let press = 0; press < 2; press++) assert.equal((await ada.browser.post(`${path}/stop`)).location, path);
    assert.match((await ada.browser.get(path)).text, /It stops after the current part/);
    assert.equal((await world.audit({ organizationId: await ofJob(world, job), id: job })).length, 2);
    await world.change(
      sql`UPDATE jobs SET state = 'stopped', why = 'asked', ended_at = ${world.clock.now} WHERE id = ${job}`,
    );
    const ended = await ada.browser.get(path);
    assert.match(ended.text, /Somebody stopped it/);
    assert.doesNotMatch(ended.text, /http-equiv="refresh"/);
    await ada.browser.post(`${path}/resume`);
    assert.match((await ada.browser.get(path)).text, /Waiting for its turn/);
  });

  test('shows what came of it: finished, with errors, or failed with a reference', async () => {
    await using world = await openWorld(engine);
    const { ada, job, path } = await scene(world);
    const ends = (state: string, errors: number, why: string | null): Promise<unknown> =>
      world.change(sql`UPDATE jobs SET state = ${state}, done = 3, errors = ${errors}, why = ${why},
        ended_at = ${world.clock.now} WHERE id = ${job}`);
    await ends('finished', 0, null);
    assert.match((await ada.browser.get(path)).text, /Finished[\s\S]*3 parts done/);
    await ends('finished', 1, null);
    assert.match((await ada.browser.get(path)).text, /Finished with 1 error[\s\S]*1 with errors/);
    await ends('failed', 0, 'f00d');
    assert.match((await ada.browser.get(path)).text, /Reference f00d/);
  });

  test('is for looking only where the role may not do what the job does', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const sam = await guest(people.sam);
    await sam.enrols();
    await sam.signsIn();
    const path = `/admin/jobs/${await waitingJob(world.installation, people.organization)}`;
    const page = await sam.browser.get(path);
    assert.equal(page.status, 200);
    assert.doesNotMatch(page.text, />Stop</);
    for (const act of ['stop', 'resume'])
      refusedWith(await unchanged(world, () => sam.browser.post(`${path}/${act}`)), 403, /You can't see this page/);
  });
});

async function ofJob(world: World, id: string): Promise<string> {
  const [row] = (await world.rows('jobs')).filter((one) => one['id'] === id);
  return String(row?.['organization_id']);
}
