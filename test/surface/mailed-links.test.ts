import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MailKind } from '../../src/accounts/outbox.ts';
import { sql } from '../../src/db/db.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import type { Person } from '../acme.ts';
import { queued } from '../queued.ts';
import type { Page, Visitor } from '../visitor.ts';
import { MINUTE_MS, openWorld, type World } from '../world.ts';
import { enrolled, inside, refusedWith, stage, type Guest, type Stage } from './front-door.ts';

const PORTAL = '/portal/acme';
const NEW = 'violet harbour engine 47';

interface Scene extends Stage, AsyncDisposable {
  readonly world: World;
}

async function scene(mailIsOn = true): Promise<Scene> {
  const world = await openWorld('sqlite', { mailIsOn });
  return { world, ...(await stage(world)), [Symbol.asyncDispose]: () => world.close() };
}

/** The token in the newest letter of a kind to somebody. */
async function mailed(world: World, whose: Pick<Person, 'id'>, kind: MailKind, fact = 'token'): Promise<string> {
  const letter = (await queued(world, whose)).findLast((one) => one.kind === kind);
  return String(letter?.facts[fact] ?? assert.fail(`no ${kind} was mailed`));
}

function words({ text }: Page): string {
  return text
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ');
}

/** Password and code at /confirm, and on with what was begun. */
async function confirms(guest: Guest): Promise<Page> {
  const { browser } = guest;
  assert.match(browser.page.location ?? '', /\/confirm\?form=/);
  const asked = await browser.follow();
  assert.equal(asked.h1, "Confirm it's you");
  const form = /name="form" value="([^"]*)"/.exec(asked.text)?.[1] ?? '';
  return browser.post(`${guest.door}/confirm`, { form, password: guest.person.password, code: guest.nextCode() });
}

/** Whoever was invited chooses a password with the link in the mail. */
async function welcomes(world: World, browser: Visitor, email: string): Promise<void> {
  const [row] = await world.db.all<{ id: string }>(sql`SELECT id FROM accounts WHERE email = ${email}`);
  const token = await mailed(world, { id: row?.id ?? '' }, 'invitation');
  const page = await browser.get(`${PORTAL}/welcome/${token}`);
  assert.equal(page.h1, 'Set up your Acme Billing account');
  await browser.post(`${PORTAL}/welcome/${token}`, { email, password: NEW });
  assert.equal(browser.page.location, `${PORTAL}/sign-in`);
}

describe('a forgotten password', () => {
  test('is mended by a mail, and the code is still asked for', async () => {
    await using at = await scene();
    const maria = await enrolled(at.guest(at.people.maria));
    const { browser } = await maria.elsewhere();
    assert.equal((await browser.get(`${PORTAL}/forgot-password`)).h1, 'Change your password');
    await browser.post(`${PORTAL}/forgot-password`, { email: maria.person.email });
    assert.equal(browser.page.location, `${PORTAL}/forgot-password/sent`);
    const sent = await browser.follow();
    assert.equal(sent.h1, 'Check your email');
    assert.match(words(sent), /If maria@globex\.test has an account here, a link is on its way\./);
    assert.match(words(sent), /Send it again/);
    assert.equal((await browser.get(`${PORTAL}/forgot-password/sent`)).location, `${PORTAL}/forgot-password`);
    const path = `${PORTAL}/new-password/${await mailed(at.world, maria.person, 'new-password')}`;
    const page = await browser.get(path);
    assert.equal(page.h1, 'Choose a new password');
    assert.match(
      page.text,
      /autocomplete="username"[^>]*value="maria@globex\.test"|value="maria@globex\.test"[^>]*autocomplete="username"/,
    );
    assert.match(page.text, /readonly/);
    refusedWith(await browser.post(path, { email: '', password: '' }), 422, /Enter a new password/);
    refusedWith(await browser.post(path, { email: '', password: 'Maria Silva Globex' }), 422, /Don't use your name/);
    await browser.post(path, { email: maria.person.email, password: NEW });
    assert.equal(browser.page.location, `${PORTAL}/sign-in`);
    const door = await browser.follow();
    assert.deepEqual(door.notices, ['Your password has changed. Sign in with the new one.']);
    assert.match(door.text, /value="maria@globex\.test"/);
    await browser.post(`${PORTAL}/sign-in`, { email: maria.person.email, password: NEW });
    assert.equal(browser.page.location, `${PORTAL}/verify`);
    refusedWith(await browser.post(path, { email: '', password: NEW }), 422, /already been used/);
    refusedWith(await browser.get(path), 404, /already been used/);
    refusedWith(await browser.get(`${PORTAL}/new-password/none`), 404, /has run out\. Ask for a new one/);
  });

  test('wants an address, and too many of one visitor wait', async () => {
    await using at = await scene();
    const visitor = await at.world.visitor();
    const asks = (email: string): Promise<Page> => visitor.post(`${PORTAL}/forgot-password`, { email });
    refusedWith(await asks(''), 422, /Enter your email/);
    refusedWith(await asks('maria'), 422, /in the right format/);
    for (let times = 0; times < 10; times++) assert.equal((await asks(`m${times}@globex.test`)).status, 303);
    refusedWith(await asks('m10@globex.test'), 429, /Too many tries\. You can try again at/);
    assert.equal(visitor.page.headers.get('retry-after'), '3600');
  });

  test('is the organization’s to mend where no mail is sent, and the operator’s for staff', async () => {
    await using at = await scene(false);
    const visitor = await at.world.visitor();
    const page = await visitor.get(`${PORTAL}/forgot-password`);
    assert.equal(page.h1, 'Ask Acme Billing to change your password');
    const sent = await visitor.post(`${PORTAL}/forgot-password`, { email: at.people.maria.email });
    assert.equal(sent.text, page.text);
    assert.deepEqual(await at.world.rows('mailed_links'), []);
    await using other = await scene();
    const staff = await other.world.visitor();
    assert.equal((await staff.get('/admin/forgot-password')).h1, 'Ask for a new password');
    assert.equal((await staff.post('/admin/forgot-password', { email: other.people.ada.email })).status, 404);
  });

  test('is offered where a password may be known to somebody else, and where too many were wrong', async () => {
    await using at = await scene();
    const maria = await at.guest(at.people.maria);
    for (let times = 0; times < 11; times++) await maria.password('not hers at all');
    refusedWith(
      maria.browser.page,
      429,
      /You can also\s+<a href="\/portal\/acme\/forgot-password">change your password now/,
    );
    await at.world.change(sql`UPDATE accounts SET suspected_at = 1 WHERE id = ${maria.person.id}`);
    at.world.clock.advance(60 * MINUTE_MS);
    refusedWith(await maria.password(), 403, /<a href="\/portal\/acme\/forgot-password">change your password now/);
  });
});

describe('a password from inside', () => {
  test('is changed after password and code, and this browser alone goes on', async () => {
    await using at = await scene();
    const maria = await inside(at.guest(at.people.maria));
    const other = await maria.elsewhere();
    await other.signsIn();
    at.world.clock.advance(11 * MINUTE_MS);
    const before = maria.browser.cookies.get('__Host-sallyport');
    const { browser } = maria;
    assert.match((await browser.get(`${PORTAL}/security`)).text, /href="\/portal\/acme\/security\/password"/);
    await browser.get(`${PORTAL}/security/password`);
    await confirms(maria);
    assert.equal(browser.page.location, `${PORTAL}/security/password`);
    assert.equal((await browser.follow()).h1, 'Change password');
    refusedWith(
      await browser.post(`${PORTAL}/security/password`, { email: '', password: 'short' }),
      422,
      /12 characters/,
    );
    await browser.post(`${PORTAL}/security/password`, { email: '', password: NEW });
    assert.equal(browser.page.location, `${PORTAL}/security`);
    assert.deepEqual((await browser.follow()).notices, [
      'Your password has changed. You have been signed out everywhere else.',
    ]);
    assert.notEqual(browser.cookies.get('__Host-sallyport'), before);
    assert.equal((await other.browser.get(`${PORTAL}/home`)).location, `${PORTAL}/sign-in`);
  });

  test('that was typed before the proof ran out waits, and is saved once the proof is there', async () => {
    await using at = await scene();
    const maria = await inside(at.guest(at.people.maria));
    await maria.browser.get(`${PORTAL}/security/password`);
    at.world.clock.advance(11 * MINUTE_MS);
    await maria.browser.post(`${PORTAL}/security/password`, { email: '', password: NEW });
    await confirms(maria);
    assert.equal(maria.browser.page.location, `${PORTAL}/security`);
    assert.match((await maria.browser.follow()).notices.join(), /Your password has changed/);
    const other = await maria.elsewhere();
    await other.password(NEW);
    assert.equal(other.browser.page.location, `${PORTAL}/verify`);
  });

  test('is where password managers look for the page to change it on', async () => {
    await using at = await scene();
    const visitor = await at.world.visitor();
    assert.equal((await visitor.get('/.well-known/change-password')).location, `${PORTAL}/security/password`);
  });
});

describe('an email address', () => {
  test('is changed by the link that goes to the new one, in any browser', async () => {
    await using at = await scene();
    const maria = await inside(at.guest(at.people.maria));
    const { browser } = maria;
    assert.equal((await browser.get(`${PORTAL}/security/email`)).h1, 'Change your email');
    refusedWith(await browser.post(`${PORTAL}/security/email`, { email: 'no' }), 422, /in the right format/);
    const { email } = maria.person;
    refusedWith(await browser.post(`${PORTAL}/security/email`, { email }), 422, /the email you have now/);
    await browser.post(`${PORTAL}/security/email`, { email: 'silva@globex.test' });
    const page = await browser.follow();
    assert.match(page.notices.join(), /We've sent a link to silva@globex\.test/);
    assert.match(words(page), /Waiting for you to open the link we sent to silva@globex\.test/);
    const elsewhere = await at.world.visitor();
    const path = `${PORTAL}/confirm-email/${await mailed(at.world, maria.person, 'confirm-email')}`;
    const asked = await elsewhere.get(path);
    assert.equal(asked.h1, 'Use this email from now on?');
    assert.match(words(asked), /silva@globex\.test/);
    await elsewhere.post(path);
    assert.equal(elsewhere.page.location, `${PORTAL}/sign-in`);
    assert.deepEqual((await elsewhere.follow()).notices, ['Your email has changed. Sign in with the new one.']);
    assert.equal((await browser.get(`${PORTAL}/home`)).location, `${PORTAL}/sign-in`, 'signed out everywhere');
    refusedWith(await elsewhere.get(path), 404, /already been used/);
  });

  test('is the organization’s to change where no mail is sent', async () => {
    await using at = await scene(false);
    const maria = await inside(at.guest(at.people.maria));
    for (const page of [
      await maria.browser.get(`${PORTAL}/security/email`),
      await maria.browser.post(`${PORTAL}/security/email`, { email: 'silva@globex.test' }),
    ]) {
      assert.equal(page.status, 200);
      assert.match(words(page), /no mail is sent from this portal\. Ask Acme Billing to change it for you/);
    }
  });
});

describe('"This wasn’t me"', () => {
  test('from a mail says what it will do, needs no sign-in, and does it once', async () => {
    await using at = await scene();
    const maria = await inside(at.guest(at.people.maria));
    await maria.browser.post(`${PORTAL}/security/password`, { email: '', password: NEW });
    const owner = await at.world.visitor();
    const path = `${PORTAL}/not-me/${await mailed(at.world, maria.person, 'password-changed', 'notMeToken')}`;
    const asked = await owner.get(path);
    assert.equal(asked.h1, 'Was someone else in your account?');
    assert.match(words(asked), /Everyone is signed out, on every device, you too/);
    await owner.post(path);
    assert.match((await owner.follow()).notices.join(), /We've emailed you a link to choose a new one/);
    assert.equal((await maria.browser.get(`${PORTAL}/home`)).location, `${PORTAL}/sign-in`);
    refusedWith(await owner.get(path), 404, /has been used, or is more than 7 days old/);
    refusedWith(await owner.post(path), 422, /has been used/);
  });

  test('from Account security signs this browser out too', async () => {
    await using at = await scene();
    const maria = await inside(at.guest(at.people.maria));
    const { browser } = maria;
    assert.match((await browser.get(`${PORTAL}/security`)).text, /href="\/portal\/acme\/security\/not-me"/);
    assert.equal((await browser.get(`${PORTAL}/security/not-me`)).h1, 'Was someone else in your account?');
    await browser.post(`${PORTAL}/security/not-me`);
    assert.equal(browser.page.location, `${PORTAL}/sign-in`);
    assert.equal(browser.cookies.has('__Host-sallyport'), false);
    assert.match(await mailed(at.world, maria.person, 'new-password'), /^[\w-]{43}$/);
  });
});

describe('an invitation', () => {
  const FILE = 'email,name,customer\niva@umbra.test,Iva,Umbra\nmaria@globex.test,Maria,Globex\n';

  test('goes out when Ada adds somebody and says so, and again when she presses the button', async () => {
    await using at = await scene();
    const ada = await inside(at.guest(at.people.ada));
    const customer = `/admin/customers/${at.people.globex.id}`;
    assert.match(
      (await ada.browser.get(`${customer}/contacts/new`)).text,
      /name="invite"[^>]*checked|checked[^>]*name="invite"/,
    );
    const nina = { name: 'Nina', email: 'nina@globex.test', phone: '' };
    await ada.browser.post(`${customer}/contacts/new`, { ...nina, invite: 'on' });
    assert.deepEqual((await ada.browser.follow()).notices, ['Nina was added. An invitation is on its way.']);
    const [row] = await at.world.db.all<{ id: string }>(sql`SELECT id FROM accounts WHERE name = 'Nina'`);
    const contact = `${customer}/contacts/${row?.id}`;
    const page = await ada.browser.get(`${contact}/welcome-link`);
    assert.equal(page.h1, 'Invite Nina?');
    assert.match(words(page), /Show the link instead/);
    await ada.browser.post(`${contact}/invitation`);
    const done = await ada.browser.follow();
    assert.deepEqual(done.notices, ['An invitation is on its way to nina@globex.test. It works for 24 hours.']);
    await welcomes(at.world, await at.world.visitor(), 'nina@globex.test');
    refusedWith(await ada.browser.post(`${contact}/invitation`), 422, /Nina has a password already/);
  });

  test('does not go out for support, who may not make links, nor unasked', async () => {
    await using at = await scene();
    const sam = await inside(at.guest(at.people.sam));
    const path = `/admin/customers/${at.people.globex.id}/contacts/new`;
    assert.doesNotMatch((await sam.browser.get(path)).text, /name="invite"/);
    await sam.browser.post(path, { name: 'Nina', email: 'nina@globex.test', phone: '', invite: 'on' });
    assert.deepEqual((await sam.browser.follow()).notices, ['Nina was added.']);
    const ada = await inside(at.guest(at.people.ada));
    await ada.browser.post(path, { name: 'Nils', email: 'nils@globex.test', phone: '' });
    assert.deepEqual(
      (await queued(at.world)).filter(({ kind }) => kind === 'invitation'),
      [],
    );
  });

  test('goes out to everybody who is new in an import, where that is asked for', async () => {
    await using at = await scene();
    const ada = await inside(at.guest(at.people.ada));
    const file = { field: 'file', name: 'people.csv', bytes: new TextEncoder().encode(FILE) };
    await ada.browser.upload('/admin/customers/import', { updates: '', invites: 'on' }, file);
    const path = ada.browser.page.location ?? '';
    await ada.browser.post(path, { which: 'good' });
    const key = { organizationId: at.people.organization.id, id: path.split('/').at(-1) ?? '' };
    await openRunner(at.world.installation).toEnd(key, () => undefined);
    assert.match(words(await ada.browser.get(`/admin/jobs/${key.id}`)), /1 added, 0 changed, 1 invited\./);
    await welcomes(at.world, await at.world.visitor(), 'iva@umbra.test');
    const kinds = (await queued(at.world, at.people.maria)).map(({ kind }) => kind);
    assert.ok(!kinds.includes('invitation'), 'Maria has a password');
  });

  test('is a link to hand over where no mail is sent, and the pages say how to turn it on', async () => {
    await using at = await scene(false);
    const ada = await inside(at.guest(at.people.ada));
    const customer = `/admin/customers/${at.people.globex.id}`;
    await ada.browser.post(`${customer}/contacts/new`, { name: 'Nina', email: 'nina@globex.test', phone: '' });
    const [row] = await at.world.db.all<{ id: string }>(sql`SELECT id FROM accounts WHERE name = 'Nina'`);
    const contact = `${customer}/contacts/${row?.id}`;
    for (const path of [`${contact}/welcome-link`, '/admin/customers/import'])
      assert.match(words(await ada.browser.get(path)), /set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM/i, path);
    refusedWith(await ada.browser.post(`${contact}/invitation`), 422, /No mail is sent\. Set SALLYPORT_SMTP_URL/);
    assert.match((await ada.browser.post(`${contact}/welcome-link`)).text, /\/portal\/acme\/welcome\/[\w-]{43}/);
  });
});
