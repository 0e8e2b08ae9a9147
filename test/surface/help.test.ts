import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { LOST, requestOf } from '../help.ts';
import { DAY_MS, eachEngine, openWorld } from '../world.ts';
import { enrolled, inside, refusedWith, stage, unchanged } from './front-door.ts';

const ASK = '/portal/acme/verify/ask-for-help';
const SPOKEN = '/portal/acme/verify/sign-in-code';
const ASKED = { why: 'lost-phone', story: '', phone: '' };

eachEngine('asking for help, on the page', (engine) => {
  test('is refused with what is wrong, and what was written stays', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    const { browser, ...maria } = await enrolled(guest(people.maria));
    await browser.post('/portal/acme/sign-in', { email: maria.person.email, password: maria.person.password });
    await unchanged(world, async () => {
      const page = await browser.post(ASK, { why: '', story: 'In the <sea>', phone: '+1 555' });
      refusedWith(page, 422, /Choose what happened/);
      assert.ok(page.text.includes('In the &lt;sea&gt;') && page.text.includes('value="+1 555"'));
      refusedWith(await browser.post(ASK, { ...ASKED, why: 'because' }), 422, /Choose what happened/);
      refusedWith(await browser.post(ASK, { ...ASKED, story: 'x'.repeat(301) }), 422, /300 characters or fewer/);
      refusedWith(await browser.post(ASK, { ...ASKED, phone: '1'.repeat(41) }), 422, /40 characters or fewer/);
    });
  });

  test('tells how long it takes, that it was sent, what it is called, and after a refusal why', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    assert.match((await maria.browser.get(ASK)).text, /It takes at least 1 day\./);
    await maria.browser.post(ASK, ASKED);
    assert.deepEqual((await maria.browser.follow()).notices, ['Request sent. We have emailed maria@globex.test.']);
    assert.match(maria.browser.page.text, /Reference [0-9A-F]{8}/);
    await maria.browser.post(ASK, ASKED);
    assert.match((await maria.browser.follow()).text, /You asked on .*24 November 2026/);
    const [row] = await world.rows('recovery_requests');
    const sam = await inside(guest(people.sam));
    await sam.browser.post(`/admin/recovery/${String(row?.['id'])}/refuse`, { reason: 'We could not <reach> you.' });
    const page = await maria.browser.get(ASK);
    assert.match(
      page.notices.join(),
      /Acme Billing could not reset your MFA on 24 November 2026.*We could not <reach> you\./,
    );
    for (let times = 2; times <= 3; times++) {
      await maria.browser.post(ASK, ASKED);
      await maria.browser.post(`${ASK}/cancel`);
      assert.match((await maria.browser.follow()).notices.join(), /Your request is cancelled/);
    }
    refusedWith(await maria.browser.post(ASK, ASKED), 429, /You can ask again after 25 November 2026/);
  });

  test('says without mail that nobody is told by mail, to the contact and to staff, who read how to turn it on', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    assert.match((await maria.browser.get(ASK)).text, /Acme Billing has no email set up here/);
    await maria.browser.post(ASK, ASKED);
    assert.deepEqual((await maria.browser.follow()).notices.slice(0, 1), ['Request sent.']);
    const sam = await inside(guest(people.sam));
    assert.match((await sam.browser.get('/admin/recovery')).text, /set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM/);
    const [row] = await world.rows('recovery_requests');
    assert.match((await sam.browser.get(`/admin/recovery/${String(row?.['id'])}`)).text, /Approval rests on your/);
  });
});

eachEngine('a recovery request, at the console', (engine) => {
  test('shows whom to call from the account, never from the form, and what was written as text', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    await world.change(sql`UPDATE accounts SET phone = '+1 555 0142' WHERE id = ${people.maria.id}`);
    const { id } = await requestOf(world, people.maria);
    const sam = await inside(guest(people.sam));
    assert.match((await sam.browser.get('/admin')).text, /Recovery requests \(1\)/);
    const page = await sam.browser.get(`/admin/recovery/${id}`);
    assert.match(page.text, /Call the number on file:<\/strong>\s*<bdi dir="ltr">\+1 555 0142/);
    assert.match(page.text, /They wrote\s*<bdi dir="ltr">\+1 555 0199<\/bdi>\. Do not call this number/);
    assert.ok(page.text.includes(LOST.story) && !page.text.includes('Approve and reset'));
    const otto = await inside(guest(people.otto));
    assert.doesNotMatch((await otto.browser.get(`/admin/recovery/${id}`)).text, /<form[^>]*(approve|refuse)/);
    assert.equal((await sam.browser.get('/admin/recovery/none')).status, 404);
    world.clock.advance(38 * DAY_MS);
    assert.doesNotMatch((await (await sam.elsewhere()).signsIn()).text, /Recovery requests \(/);
  });
});

eachEngine('a code that was read out, on the page', (engine) => {
  test('is told by its shape from all others, is worth an attempt only then, and the last try says so', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    const { browser } = maria;
    await unchanged(world, async () => {
      refusedWith(await browser.post(SPOKEN, { code: '' }), 422, /Enter the code/);
      refusedWith(await browser.post(SPOKEN, { code: 'abc' }), 422, /only numbers/);
      refusedWith(await browser.post(SPOKEN, { code: '1234 5678 9012' }), 422, /has 15 numbers. You've entered 12/);
    });
    for (let tries = 1; tries <= 3; tries++)
      refusedWith(await browser.post(SPOKEN, { code: '123 456 789 012 345' }), 422, /We couldn't use that code/);
    refusedWith(await browser.post(SPOKEN, { code: '123456789012345' }), 422, /You have 1 try left/);
    await browser.post(SPOKEN, { code: '123456789012345' });
    assert.equal(browser.page.location, '/portal/acme/sign-in');
    await maria.password();
    refusedWith(await browser.get(SPOKEN), 429, /too many wrong codes/);
    refusedWith(await browser.post(SPOKEN, { code: '123456789012345' }), 429, /Use my authenticator app/);
    const staff = await enrolled(guest(people.sam));
    await staff.password();
    assert.equal((await staff.browser.get('/admin/verify/sign-in-code')).status, 404);
    assert.doesNotMatch((await staff.browser.get('/admin/verify')).text, /Use a code from/);
  });
});
