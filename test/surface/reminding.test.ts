import assert from 'node:assert/strict';
import type { Page } from '../visitor.ts';
import { test } from 'node:test';
import { openRunner } from '../../src/jobs/runner.ts';
import { findJob } from '../../src/jobs/jobs.ts';
import { sql } from '../../src/db/db.ts';
import { setPolicy } from '../acme.ts';
import { queued } from '../queued.ts';
import { inside, refusedWith, stage, unchanged, type Guest } from './front-door.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

eachEngine('Send reminder, in a contact’s gear', (engine) => {
  test('sends one a day at most, and says why it cannot', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    const sam = await inside(guest(people.sam));
    const otto = await inside(guest(people.otto));
    const path = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/remind`;
    assert.equal((await otto.browser.post(path)).status, 403);
    await sam.browser.post(path);
    assert.match((await sam.browser.follow()).text, /noor@globex\.test gets an email that asks them to set up MFA/);
    refusedWith(await unchanged(world, () => sam.browser.post(path)), 422, /was reminded within a day already/);
    assert.equal((await queued(world, people.noor)).filter(({ kind }) => kind === 'set-up-by').length, 1);
    await (await guest(people.noor)).enrols();
    refusedWith(await unchanged(world, () => sam.browser.post(path)), 422, /They have set up MFA/);
    await setPolicy(world.installation, people.organization, 'off');
    refusedWith(
      await sam.browser.post(path.replace(people.noor.id, people.maria.id)),
      422,
      /MFA is off in your settings/,
    );
  });

  test('keeps its place where mail is off, and says what would turn it on', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const page = await ada.browser.get(`/admin/customers/${people.globex.id}`);
    assert.match(page.text, /Send reminder[\s\S]{0,300}SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM/);
    assert.doesNotMatch((await ada.browser.get('/admin/customers')).text, /value="remind"/);
  });

  test('is an act on many, too: each of them once, without those whom it does not concern', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    await (await guest(people.maria)).enrols();
    const marked = { view: '', act: 'remind', who1: people.noor.id, who2: people.maria.id, who3: people.eve.id };
    const { location } = await ada.browser.post('/admin/customers/many', marked);
    const page = await ada.browser.get(location ?? '');
    assert.equal(page.h1, 'Send a reminder to 3 contacts?');
    await ada.browser.post(location ?? '', { reason: 'the grace ends on Friday', number: '3' });
    const key = { organizationId: people.organization.id, id: location?.split('/').at(-1) ?? '' };
    const job = await findJob(world.db, key);
    assert.ok(job);
    await openRunner(world.installation).toEnd(job, () => undefined);
    const told = (await queued(world)).filter(({ kind }) => kind === 'set-up-by').map(({ to }) => to);
    assert.deepEqual(told.toSorted(), ['eve@initech.test', 'noor@globex.test']);
    const row = (await world.audit(people.noor)).findLast(({ action }) => action === 'reminder.sent');
    assert.equal(row?.reason, 'the grace ends on Friday');
  });
});

eachEngine('Does your authenticator app still work?', (engine) => {
  test('is asked on home when no code was needed for four weeks, and is quiet after a right one', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    assert.doesNotMatch((await maria.browser.get('/portal/acme/home')).text, /still work/);
    await fourWeeksLater(world, maria);
    const home = await maria.browser.get('/portal/acme/home');
    assert.match(home.text, /Does your authenticator app still work\?/);
    refusedWith(
      await unchanged(world, () => maria.browser.post('/portal/acme/check-app', { code: '12' })),
      422,
      /has 6/,
    );
    refusedWith(
      await unchanged(world, () => maria.browser.post('/portal/acme/check-app', { code: '1'.repeat(12) })),
      422,
      /backup code/,
    );
    refusedWith(await maria.browser.post('/portal/acme/check-app', { code: maria.wrongCode() }), 422, /isn't right/);
    assert.equal((await maria.browser.get('/portal/acme/home')).status, 200, 'it holds nobody up');
    await maria.browser.post('/portal/acme/check-app', { code: maria.nextCode() });
    const after = await maria.browser.follow();
    assert.match(after.text, /Your authenticator app works/);
    assert.doesNotMatch(after.text, /still work/);
    const rows = (await world.audit(people.maria)).filter(({ action }) => action === 'app.checked');
    assert.deepEqual(
      rows.map(({ result }) => result),
      ['wrong', 'right'],
    );
  });

  test('takes no code that opens the door after it, and asks nobody else than it is for', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const checks = (typed: string): Promise<Page> => maria.browser.post('/portal/acme/check-app', { code: typed });
    const unasked = await unchanged(world, () => checks(maria.nextCode()));
    assert.equal(unasked.location, '/portal/acme/home');
    await fourWeeksLater(world, maria);
    const code = maria.nextCode();
    await checks(code);
    const other = await maria.elsewhere();
    await other.password();
    await other.code(code);
    refusedWith(other.browser.page, 422, /already been used/);
  });

  test('asks nothing more after three wrong codes: a session left open makes nobody wait', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    await fourWeeksLater(world, maria);
    const checks = (typed: string): Promise<Page> => maria.browser.post('/portal/acme/check-app', { code: typed });
    for (let n = 0; n < 3; n++) refusedWith(await checks(maria.wrongCode()), 422, /isn't right/);
    for (let n = 0; n < 30; n++) {
      assert.equal((await checks(maria.wrongCode())).location, '/portal/acme/home');
      world.clock.advance(MINUTE_MS / 2);
    }
    assert.doesNotMatch((await maria.browser.get('/portal/acme/home')).text, /still work/);
    const again = await maria.elsewhere();
    await again.signsIn();
    assert.equal((await again.browser.get('/portal/acme/home')).status, 200, 'her own code is not held up');
  });
});

// As though a trusted device or a passkey had opened the door meanwhile.
async function fourWeeksLater(world: World, { person }: Guest): Promise<void> {
  await world.change(sql`UPDATE authenticators SET enabled_at = enabled_at - ${28 * DAY_MS},
    last_used_at = last_used_at - ${28 * DAY_MS} WHERE account_id = ${person.id}`);
}
