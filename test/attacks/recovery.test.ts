import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bulkContacts } from '../../src/jobs/bulk-contacts.ts';
import { RESET_EVERYBODY } from '../../src/jobs/reset-everybody.ts';
import { findJob, type Job } from '../../src/jobs/jobs.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';
import { asks, queue, requestOf } from '../help.ts';
import { imports } from '../import/importing.ts';
import { queued } from '../queued.ts';
import { enrolled, GENERAL, Guest, inside, refusedWith, stage, unchanged, type Stage } from '../surface/front-door.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

const MET = { check: 'met-in-person', note: '' };
const ASKED = { why: 'lost-phone', story: '', phone: '' };

eachEngine('recovery used as a bypass (ASVS 6.4.3, 6.4.4)', (engine) => {
  test('opens nothing by itself: asked for, waited out and unanswered, the code is still asked', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const thief = await maria.elsewhere();
    await thief.password();
    await thief.browser.post(`${thief.door}/verify/ask-for-help`, ASKED);
    await thief.browser.follow();
    world.clock.advance(8 * DAY_MS);
    await thief.password();
    assert.equal(thief.browser.page.location, `${thief.door}/verify`);
    await thief.browser.get(`${thief.door}/home`);
    assert.equal(thief.browser.page.location, `${thief.door}/sign-in`);
    await thief.browser.get(`${thief.door}/enable-mfa`);
    assert.equal(thief.browser.page.location, `${thief.door}/verify`);
  });

  test('is cancelled by no scanner of mails, which looks at every link, and by whoever presses the button', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    world.clock.advance(MINUTE_MS);
    await asks(world, people.maria);
    const letter = (await queued(world, people.maria)).find(({ kind }) => kind === 'recovery-asked');
    const path = `/portal/acme/cancel-request/${String(letter?.facts['token'])}`;
    const scanner = await world.visitor();
    await unchanged(world, async () => {
      for (let times = 0; times < 3; times++) assert.equal((await scanner.get(path)).status, 200);
      assert.equal((await scanner.send('HEAD', path)).status, 200);
      assert.equal((await scanner.post('/portal/acme/cancel-request/guessed')).status, 422);
    });
    assert.equal((await scanner.post(path)).h1, 'Request cancelled');
    assert.deepEqual(await queue(world, people.maria), []);
    refusedWith(await unchanged(world, () => scanner.post(path)), 422, /There is nothing to cancel/);
  });

  test('of a code that was read out ends the old app with the new one, and opens nothing before', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const sam = await inside(guest(people.sam));
    const thief = await maria.elsewhere();
    await thief.password();
    const spoken = await readOut(sam, people);
    await thief.browser.post(`${thief.door}/verify/sign-in-code`, { code: spoken });
    assert.equal(thief.browser.page.location, `${thief.door}/enable-mfa`);
    assert.deepEqual(
      (await world.rows('sessions')).filter((row) => row['account_id'] === people.maria.id),
      [],
    );
    for (const page of ['/home', '/security', '/verify/backup-code'])
      assert.notEqual((await thief.browser.get(`${thief.door}${page}`)).status, 200, page);
    await thief.configures();
    await thief.verifies();
    await maria.signsIn();
    assert.equal(maria.browser.page.status, 200, 'the app still works until the new one is enabled');
    await thief.browser.post(`${thief.door}/enable-mfa/enable`);
    assert.equal(
      (await maria.browser.get(`${maria.door}/home`)).location,
      `${maria.door}/sign-in`,
      'and she is out then',
    );
    world.clock.advance(MINUTE_MS);
    await maria.password();
    refusedWith(await maria.code(maria.nextCode()), 422, /That code isn't right/);
    refusedWith(await maria.backupCode(maria.codes[0] ?? ''), 422, /We couldn't use that code/);
  });
});

eachEngine('pressure on the help desk (ASVS 6.4.6)', (engine) => {
  test('skips its wait by none of the ways that staff have', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    await enrolled(guest(people.noor));
    const [ada, sam] = [await inside(guest(people.ada)), await inside(guest(people.sam))];
    await world.change(sql`UPDATE accounts SET external_id = 'M-1' WHERE id = ${people.maria.id}`);
    const request = await requestOf(world, people.maria);
    const contact = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}`;
    const holds = async (): Promise<void> => {
      for (const { browser } of [sam, ada])
        for (const act of ['reset-mfa', 'sign-in-code'])
          refusedWith(
            await browser.post(`${contact}/${act}`, MET),
            422,
            /has asked for help\. Before .* only a working code/,
          );
      const [row] = (await world.rows('accounts')).filter(({ id }) => id === people.maria.id);
      assert.deepEqual([row?.['mfa_since'] !== null, row?.['email']], [true, people.maria.email]);
    };
    await holds();
    for (const { browser } of [sam, ada]) {
      const page = await browser.post(`/admin/recovery/${request.id}/approve`, MET);
      refusedWith(page, 422, /Nobody can approve it before 25 November 2026/);
    }
    await world.change(sql`UPDATE organizations SET recovery_wait_hours = 0`);
    await holds();
    refusedWith(
      await ada.browser.post(`${contact}/edit`, { name: 'Maria', email: 'eve@elsewhere.test', phone: '' }),
      422,
      /The email stays as it is/,
    );
    const file = 'email,external_id\neve@elsewhere.test,M-1\n';
    await imports(world, people.organization, file, { updates: true });
    await holds();
    await ada.browser.post(`/admin/recovery/${request.id}/refuse`, { reason: 'we reset it right away' });
    assert.equal(ada.browser.page.location, '/admin/recovery');
    await ada.browser.follow();
    await holds();
    for (const act of ['disable', 'enable']) await sam.browser.post(`${contact}/${act}`);
    await sam.browser.get('/admin');
    await holds();
    assert.equal(bulkContacts.remark?.(await bulk(world, ada, people)), '1 asked for help and wait for an answer.');
    await holds();
    const everybody = await ada.browser.post(`${GENERAL}/reset-everybody`, {
      reason: 'we begin anew with other apps',
      number: '1',
    });
    const done = await finished(world, people, everybody.location);
    assert.deepEqual([done.done, RESET_EVERYBODY.remark?.(done)], [0, '1 asked for help and wait for an answer.']);
    await holds();
    world.clock.advance(DAY_MS);
    const later = await again(sam);
    assert.equal(
      (await later.browser.post(`${contact}/reset-mfa`, MET)).location,
      `/admin/customers/${people.globex.id}`,
    );
  });

  test('skips neither the checks, nor the proof, nor the notice', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    const request = await requestOf(world, people.maria);
    world.clock.advance(DAY_MS);
    const sam = await inside(guest(people.sam));
    const approve = `/admin/recovery/${request.id}/approve`;
    const code = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/sign-in-code`;
    await unchanged(world, async () => {
      for (const path of [approve, code]) {
        refusedWith(await sam.browser.post(path, { check: '', note: '' }), 422, /Choose how you checked/);
        refusedWith(await sam.browser.post(path, { check: 'other', note: 'short' }), 422, /in 10 characters or more/);
        assert.equal(
          (await sam.browser.post(path, { ...MET, wait: '0' })).status,
          400,
          'no field says that it is over',
        );
      }
      refusedWith(await sam.browser.post(`/admin/recovery/${request.id}/refuse`, { reason: 'no' }), 422, /Say why/);
    });
    world.clock.advance(11 * MINUTE_MS);
    await unchanged(world, async () => {
      for (const path of [approve, code])
        assert.match((await sam.browser.post(path, MET)).location ?? '', /^\/admin\/confirm\?form=/);
    }, ['parked_forms', 'sessions']);
    const late = await again(sam);
    assert.equal((await late.browser.post(code, MET)).h1, 'Sign-in code for Maria Silva');
    assert.equal((await late.browser.post(approve, MET)).location, '/admin/recovery');
    const told = (await queued(world, people.maria)).map(({ kind }) => kind);
    for (const kind of ['recovery-asked', 'sign-in-code-made', 'mfa-reset'] as const)
      assert.ok(told.includes(kind), kind);
  });

  test('of another merchant’s contact is not there, by whatever mixture of ids', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    const request = await requestOf(world, people.maria);
    world.clock.advance(DAY_MS);
    const rival = await acme(world.installation, 'rival');
    const ada = await inside(Promise.resolve(new Guest(world, rival.ada, 'rival', await world.visitor())));
    await unchanged(world, async () => {
      assert.equal((await ada.browser.get(`/admin/recovery/${request.id}`)).status, 404);
      assert.equal((await ada.browser.post(`/admin/recovery/${request.id}/approve`, MET)).status, 404);
      assert.equal(
        (await ada.browser.post(`/admin/recovery/${request.id}/refuse`, { reason: 'of another house' })).status,
        404,
      );
      for (const customer of [people.globex.id, rival.globex.id]) {
        const path = `/admin/customers/${customer}/contacts/${people.maria.id}/sign-in-code`;
        assert.equal((await ada.browser.post(path, MET)).status, 404);
      }
    });
    assert.doesNotMatch((await ada.browser.get('/admin/recovery')).text, /Maria/);
  });
});

async function readOut(agent: Guest, { globex, maria }: Stage['people']): Promise<string> {
  const page = await agent.browser.post(`/admin/customers/${globex.id}/contacts/${maria.id}/sign-in-code`, MET);
  const [, spoken = ''] = /<code class="key" id="code" dir="ltr">([\d ]+)</.exec(page.text) ?? [];
  assert.equal(spoken.replaceAll(' ', '').length, 15, page.text);
  return spoken;
}

/** The same person, who signs in again. */
async function again(one: Guest): Promise<Guest> {
  const other = await one.elsewhere();
  await other.signsIn();
  return other;
}

async function bulk(world: World, ada: Guest, people: Stage['people']): Promise<Job> {
  const chosen = await ada.browser.post('/admin/customers/many', {
    view: '',
    act: 'reset-mfa',
    who1: people.maria.id,
    who2: people.noor.id,
  });
  const fields = { reason: 'a stolen laptop', number: '2' };
  return finished(world, people, (await ada.browser.post(chosen.location ?? '', fields)).location);
}

async function finished(
  { installation, db }: World,
  { organization }: Stage['people'],
  at: string | null,
): Promise<Job> {
  const id = at?.split('/').at(-1) ?? '';
  const job = await findJob(db, { organizationId: organization.id, id });
  assert.ok(job, at ?? '');
  const done = await openRunner(installation).toEnd(job, () => undefined);
  assert.ok(done);
  return done;
}
