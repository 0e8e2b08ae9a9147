import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sweep } from '../../src/auth/housekeeping.ts';
import { setPolicy } from '../acme.ts';
import {
  codeFromStaff,
  confirming,
  confirmingStage,
  hasActive,
  linksMailed,
  mailedLink,
  proves,
} from '../confirmation.ts';
import { queued } from '../queued.ts';
import { inside, refusedWith, stage, unchanged } from './front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';

const CONFIRM = '/portal/acme/enable-mfa/confirm';
const ENABLE = '/portal/acme/enable-mfa/enable';

eachEngine('confirming a new authenticator', (engine) => {
  test('by the mailed link, followed in the same browser: the mail program’s visit brings no cookie, the button does', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const noor = await guest(people.noor);
    await proves(noor);
    const page = await noor.browser.get(CONFIRM);
    assert.equal(page.h1, "Confirm that it's you");
    assert.match(page.text, /We&#39;ve emailed a link to <bdi dir="ltr">noor@globex\.test<\/bdi>/);
    const link = await mailedLink(world, people.noor);
    const kept = new Map(noor.browser.cookies);
    noor.browser.cookies.clear();
    const fromMail = await noor.browser.send('GET', link, { 'sec-fetch-site': 'cross-site' });
    assert.equal(fromMail.status, 200);
    assert.match(fromMail.text, /Confirm setup/);
    for (const [name, value] of kept) noor.browser.cookies.set(name, value);
    assert.equal((await noor.browser.post(link)).location, ENABLE);
    assert.equal((await noor.browser.follow()).h1, 'Your authenticator app works');
    assert.equal((await noor.browser.post(link)).location, ENABLE, 'pressed again, it says the same');
    refusedWith(await noor.browser.get(link), 404, /no longer works/);
    assert.equal((await noor.browser.post(ENABLE)).location, '/portal/acme/enable-mfa/backup-codes');
    assert.equal(await hasActive(world, people.noor), true);
    const told = (await world.audit(people.noor)).filter(({ action }) => action === 'enrolment.confirmed');
    assert.deepEqual(
      told.map(({ result, details }) => [result, details]),
      [['right', '{"by":"link"}']],
    );
  });

  test('is still to do after a restart, and the link works for as long as the ceremony does', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const noor = await guest(people.noor);
    await proves(noor);
    const link = await mailedLink(world, people.noor);
    const again = await world.restarted();
    const browser = await again.visitor();
    for (const [name, value] of noor.browser.cookies) browser.cookies.set(name, value);
    assert.equal((await browser.get(ENABLE)).location, CONFIRM);
    again.clock.advance(30 * MINUTE_MS);
    refusedWith(await browser.get(link), 404, /no longer works/);
    refusedWith(await browser.post(link), 404, /no longer works/);
    await again.close();
  });

  test('by another link, a minute later: the one before is dead', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const noor = await guest(people.noor);
    await proves(noor);
    const first = await mailedLink(world, people.noor);
    refusedWith(await noor.browser.post(`${CONFIRM}/send`), 429, /You can have it sent again at/);
    assert.equal(noor.browser.page.headers.get('retry-after'), '60');
    world.clock.advance(MINUTE_MS);
    assert.match((await noor.browser.get(CONFIRM)).text, /Send it again/);
    assert.equal((await noor.browser.post(`${CONFIRM}/send`)).location, CONFIRM);
    assert.equal(await linksMailed(world, people.noor), 2);
    refusedWith(await noor.browser.post(first), 404, /no longer works/);
    assert.equal((await noor.browser.post(await mailedLink(world, people.noor))).location, ENABLE);
  });

  test('by a code that Sam reads to her, with spaces and dashes as she likes, where no mail can be sent', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await confirmingStage(world);
    const sam = await inside(guest(people.sam));
    const noor = await guest(people.noor);
    await proves(noor);
    const page = await noor.browser.get(CONFIRM);
    assert.match(page.text, /We can&#39;t send email just now\. Ask Acme Billing for a setup code/);
    assert.match(page.text, /Call us: \+1 555 0100/);
    assert.doesNotMatch(page.text, /Send it again|Email me/);
    const ask = await sam.browser.get(`/admin/customers/${people.globex.id}/contacts/${people.noor.id}/setup-code`);
    assert.match(ask.text, /SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM/);
    const code = await codeFromStaff(sam, people.noor, people.globex.id);
    for (const typed of ['', '12', 'abcd', '1'.repeat(5_000)])
      refusedWith(await unchanged(world, () => noor.browser.post(CONFIRM, { code: typed })), 422, /has 16 numbers/);
    assert.equal((await noor.browser.post(CONFIRM, { code: ` ${code.replaceAll('-', ' – ')} ` })).location, ENABLE);
    await noor.browser.post(ENABLE);
    assert.equal(await hasActive(world, people.noor), true);
  });

  test('is asked of nobody on the staff, of no contact where it is not asked for, and no longer once it is not', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const sam = await guest(people.sam);
    await sam.enrols();
    const noor = await guest(people.noor);
    await proves(noor);
    await confirming(world, people.organization, 'none');
    assert.equal((await noor.browser.get(CONFIRM)).location, ENABLE);
    assert.equal((await noor.browser.post(ENABLE)).location, '/portal/acme/enable-mfa/backup-codes');
    await (await guest(people.maria)).enrols();
    assert.equal(await linksMailed(world, people.maria), 0);
  });

  test('is asked of who sets MFA up from inside, too', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'optional');
    await confirming(world, people.organization);
    const noor = await guest(people.noor);
    await noor.password();
    await noor.browser.post('/portal/acme/security/enable-mfa', { password: people.noor.password });
    await noor.configures();
    assert.equal((await noor.verifies()).location, CONFIRM);
    assert.match((await noor.browser.get(CONFIRM)).text, /Not now/);
  });
});

eachEngine('Setup code, in a contact’s gear', (engine) => {
  test('stands there where confirmation is asked for, and says why it cannot be made', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const sam = await inside(guest(people.sam));
    const customer = `/admin/customers/${people.globex.id}`;
    const path = `${customer}/contacts/${people.maria.id}/setup-code`;
    assert.doesNotMatch((await sam.browser.get(customer)).text, /Setup code/);
    assert.match((await sam.browser.get(path)).text, /Your settings don&#39;t ask to confirm a setup/);
    refusedWith(await unchanged(world, () => sam.browser.post(path, { check: 'other', note: '' })), 422, /don't ask/);
    await (await guest(people.maria)).enrols();
    await confirming(world, people.organization);
    assert.match((await sam.browser.get(customer)).text, /Setup code/);
    assert.match((await sam.browser.get(path)).text, /They have set up MFA/);
  });

  test('asks how the caller was checked and for a fresh proof, goes on where it was, is told to the contact and logged', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const sam = await inside(guest(people.sam));
    const path = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/setup-code`;
    refusedWith(await sam.browser.post(path, { check: '', note: '' }), 422, /Choose how you checked/);
    refusedWith(await sam.browser.post(path, { check: 'other', note: 'short' }), 422, /Say how you checked/);
    world.clock.advance(11 * MINUTE_MS);
    const parked = await sam.browser.post(path, { check: 'other', note: 'knew her last three invoices' });
    assert.match(parked.location ?? '', /^\/admin\/confirm\?form=/);
    const form = parked.location?.split('=')[1] ?? '';
    const proof = { form, password: people.sam.password, code: sam.nextCode() };
    const page = await sam.browser.post('/admin/confirm', proof);
    assert.match(page.text, /<code[^>]*>\d{4}-\d{4}-\d{4}-\d{4}<\/code>/);
    const row = (await world.audit(people.noor)).findLast(({ action }) => action === 'enrolment-code.made');
    assert.deepEqual([row?.actorId, row?.reason], [people.sam.id, 'Other: knew her last three invoices']);
    assert.ok((await queued(world, people.noor)).some(({ kind }) => kind === 'setup-code-made'));
    const code = /\d{4}-\d{4}-\d{4}-\d{4}/.exec(page.text)?.[0] ?? '';
    const rows = JSON.stringify([await world.rows('enrolment_codes'), await world.rows('audit_rows')]);
    assert.ok(!rows.includes(code) && !rows.includes(code.replaceAll('-', '')), 'it lies nowhere');
    world.clock.advance(11 * MINUTE_MS);
    await sweep(world.installation);
    assert.deepEqual(await world.rows('enrolment_codes'), []);
  });

  test('is made at most 20 times an hour by one agent, never by an auditor, and ends with the account’s epoch', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await confirmingStage(world);
    const [sam, otto] = [await inside(guest(people.sam)), await inside(guest(people.otto))];
    const path = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/setup-code`;
    const form = { check: 'met-in-person', note: '' };
    assert.equal((await otto.browser.post(path, form)).status, 403);
    for (let n = 0; n < 20; n++) await codeFromStaff(sam, people.noor, people.globex.id);
    refusedWith(await sam.browser.post(path, form), 429, /20 setup codes an hour/);
    const disable = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/disable`;
    await sam.browser.post(disable);
    assert.deepEqual(await world.rows('enrolment_codes'), []);
    refusedWith(await sam.browser.post(path, form), 422, /Portal access is off/);
  });
});
