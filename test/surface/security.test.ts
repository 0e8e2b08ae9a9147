import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { activeApps } from '../../src/auth/authenticators.ts';
import { setPolicy } from '../acme.ts';
import type { Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';
import { enrolled, inside, refusedWith, stage, unchanged, type Guest } from './front-door.ts';

/** What a page says, without its tags. */
function said(page: Page): string {
  const main = page.text.slice(page.text.indexOf('<main'));
  return main
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ');
}

async function appOf(one: Guest): Promise<string> {
  return (await activeApps(one.world.db, one.person))[0]?.id ?? '';
}

const codesOn = (page: Page): string[] => page.text.match(/\b\d{4}-\d{4}-\d{4}(?=<)/g) ?? [];

eachEngine('Account security', (engine) => {
  test('shows how the account is guarded, with what can be done about it (C14)', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const page = await maria.browser.get(`${maria.door}/security`);
    assert.match(said(page), /Password Changed 24 November 2026 Change/);
    assert.match(said(page), /Authenticator app On since 24 November 2026 · Last used 24 November 2026 Replace Rename/);
    assert.match(said(page), /5 of 5 left Get new codes/);
    assert.match(said(page), /On this device only/);
    assert.match(said(page), /Acme Billing needs MFA to be on\./);
    assert.doesNotMatch(page.text, /turn-off-mfa|\/remove/, 'neither is offered here');
    await setPolicy(world.installation, people.organization, 'off');
    assert.match((await maria.browser.get(`${maria.door}/security`)).text, /\/security\/turn-off-mfa"/);
  });

  test('walks whoever replaces the app through the ceremony, and says that the old one works until its end (C16)', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const old = maria.secret;
    await maria.browser.post(`${maria.door}/security/authenticators/${await appOf(maria)}/replace`);
    const scan = await maria.browser.follow();
    assert.match(said(scan), /Your old app keeps working until you finish\./);
    assert.match(said(scan), /Replace your authenticator app Step 1 of 3 Scan the QR code/);
    await maria.scans();
    assert.equal((await maria.verifies()).location, `${maria.door}/enable-mfa/enable`);
    assert.match(said(await maria.browser.follow()), /the old one stops working\. Your backup codes stay the same\./);
    await maria.browser.post(`${maria.door}/enable-mfa/enable`);
    const end = await maria.browser.follow();
    assert.equal(end.h1, 'Sign in to Acme Billing');
    assert.match(end.notices.join(), /Your authenticator app was replaced\./);
    assert.match(end.text, /value="maria@globex\.test"/);
    await maria.password();
    assert.equal((await maria.code(world.codeFor(old))).status, 422);
    assert.equal((await maria.code(maria.nextCode())).location, `${maria.door}/home`);
  });

  test('lets a replacement be cancelled, and nothing is changed but that its secret is pending no more', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const old = maria.secret;
    await maria.browser.post(`${maria.door}/security/authenticators/${await appOf(maria)}/replace`);
    await maria.browser.post(`${maria.door}/enable-mfa/cancel`);
    assert.equal(maria.browser.page.location, `${maria.door}/security`);
    const back = await maria.browser.get(`${maria.door}/enable-mfa/scan`);
    assert.equal(back.location, `${maria.door}/sign-in`);
    maria.secret = old;
    const other = await maria.elsewhere();
    await other.signsIn();
    assert.equal(other.browser.page.h1, 'Documents');
  });

  test('brings whoever took too long over it back where they began, with the reason', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    await maria.browser.post(`${maria.door}/security/authenticators/new`, { name: 'Tablet' });
    for (let minutes = 0; minutes < 30; minutes += 10) {
      world.clock.advance(10 * MINUTE_MS);
      await maria.browser.get(`${maria.door}/home`);
    }
    assert.equal((await maria.browser.get(`${maria.door}/enable-mfa/scan`)).location, `${maria.door}/security`);
    const page = await maria.browser.follow();
    assert.match(page.notices.join(), /This setup is over\. Your apps are as they were\./);
  });

  test('names several apps, renames them and removes all but the last', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const first = await appOf(maria);
    const add = `${maria.door}/security/authenticators/new`;
    for (const [name, error] of [
      [' \t ', /Enter a name/],
      ['x'.repeat(61), /The name must be 60 characters or fewer/],
    ] as const)
      await unchanged(world, async () => refusedWith(await maria.browser.post(add, { name }), 422, error));
    await maria.addsApp('Work phone');
    await maria.signsIn();
    const rename = `${maria.door}/security/authenticators/${first}/rename`;
    refusedWith(await maria.browser.post(rename, { name: '' }), 422, /Enter a name/);
    await maria.browser.post(rename, { name: '  Old\nphone ' });
    assert.match(
      said(await maria.browser.follow()),
      /It is called Old phone now\. .* Old phone On since .* Work phone On/,
    );
    const remove = `${maria.door}/security/authenticators/${first}/remove`;
    const asks = await maria.browser.get(remove);
    assert.equal(asks.h1, 'Remove Old phone?');
    assert.match(said(asks), /You keep 1 other app, and your backup codes\. You are signed out everywhere, here too/);
    await maria.browser.post(remove);
    assert.match((await maria.browser.follow()).notices.join(), /The app was removed\./);
    await maria.signsIn();
    const last = `${maria.door}/security/authenticators/${await appOf(maria)}/remove`;
    assert.match(said(await maria.browser.get(last)), /This is your only app\. To sign in without one, turn MFA off\./);
    await unchanged(world, () => maria.browser.post(last));
  });

  test('turns MFA off where the policy allows it, after saying what is left then', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const path = `${maria.door}/security/turn-off-mfa`;
    assert.match(said(await maria.browser.get(path)), /Acme Billing needs MFA to be on\. Keep it on/);
    await unchanged(world, () => maria.browser.post(path));
    await setPolicy(world.installation, people.organization, 'optional');
    const page = said(await maria.browser.get(path));
    assert.match(page, /Turn off MFA\? Your account will be protected by your password only\./);
    assert.match(page, /Your authenticator app stops working\. So do your 5 backup codes\./);
    await maria.browser.post(path);
    assert.match((await maria.browser.follow()).notices.join(), /MFA is off\. Sign in with your password\./);
    await maria.password();
    assert.match(said(await maria.browser.follow()), /MFA is off Enable MFA · Security/);
  });
});

eachEngine('new backup codes', (engine) => {
  test('are asked for in numbers, shown once with all ways to keep them, and then never again (C15)', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const path = `${maria.door}/security/backup-codes`;
    assert.match(said(await maria.browser.get(path)), /Your 5 old codes will stop working straight away\./);
    await maria.browser.post(path);
    const page = await maria.browser.follow();
    assert.equal(page.h1, 'Save your new backup codes');
    assert.equal(page.headers.get('cache-control'), 'no-store');
    const codes = [...new Set(codesOn(page))];
    assert.equal(codes.length, 5);
    const file = await maria.browser.post(`${maria.door}/enable-mfa/backup-codes/download`);
    assert.match(file.headers.get('content-disposition') ?? '', /acme-backup-codes-2026-11-24\.txt/);
    for (const code of codes) assert.ok(file.text.includes(code));
    assert.equal((await maria.browser.post(`${maria.door}/enable-mfa/done`)).location, `${maria.door}/security`);
    assert.match((await maria.browser.follow()).notices.join(), /You have 5 new backup codes\./);
    await maria.browser.get(`${maria.door}/enable-mfa/backup-codes`);
    assert.doesNotMatch((await maria.browser.follow()).text, new RegExp(codes.join('|')));
    const other = await maria.elsewhere();
    await other.password();
    assert.equal((await other.backupCode(maria.codes[0] ?? '')).status, 422, 'the old ones are dead');
    assert.equal((await other.backupCode(codes[0] ?? '')).status, 303);
  });

  test('and a new app are a press away for whoever had to use a backup code (C10)', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    for (const left of [4, 3, 2, 1, 0]) {
      await maria.password();
      await maria.backupCode(maria.codes[left] ?? '');
      const page = said(await maria.browser.follow());
      assert.match(page, /Lost your phone or changed it\? Set up a new authenticator app/);
      assert.equal(page.includes('Get new backup codes'), left <= 2, `${left} left`);
      const codesFirst = page.indexOf('Get new backup codes') < page.indexOf('Lost your phone');
      if (left <= 2) assert.equal(codesFirst, left === 0, `${left} left`);
    }
    const [, action = ''] =
      /action="([^"]+\/replace)"/.exec((await maria.browser.get(`${maria.door}/backup-code-used`)).text) ?? [];
    await maria.browser.post(action);
    assert.equal((await maria.browser.follow()).h1, 'Scan the QR code');
    await maria.scans();
    await maria.verifies();
    await maria.browser.post(`${maria.door}/enable-mfa/enable`);
    await maria.signsIn();
    assert.match(said(maria.browser.page), /You have no backup codes left\. Get new backup codes/);
  });
});

eachEngine('where Maria is signed in', (engine) => {
  test('lists this device first; each can be signed out, or all others at once, with no proof asked for (C17)', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria, { userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' }));
    const others: Guest[] = [];
    for (const _ of [1, 2, 3]) {
      const one = await maria.elsewhere({ userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/140.0' });
      await one.signsIn();
      others.push(one);
    }
    world.clock.advance(11 * MINUTE_MS);
    const path = `${maria.door}/security/sessions`;
    const page = await maria.browser.get(path);
    assert.match(said(page), /Firefox on Linux This device/);
    assert.ok(page.text.indexOf('Firefox') < page.text.indexOf('Chrome'));
    const ends = [...page.text.matchAll(/action="([^"]+\/end)"/g)].map(([, action = '']) => action);
    assert.equal(ends.length, 3);
    await maria.browser.post(ends[0] ?? '');
    assert.match((await maria.browser.follow()).notices.join(), /Signed out there\./);
    await unchanged(world, () => maria.browser.post(ends[0] ?? ''));
    assert.match(said(await maria.browser.get(path)), /2 other sessions end\. You stay signed in here\./);
    await maria.browser.post(`${path}/end-others`);
    const told = (await maria.browser.follow()).notices.join();
    assert.match(told, /You've been signed out everywhere else\. 2 sessions ended\./);
    for (const one of others) assert.equal((await one.browser.get(`${one.door}/home`)).status, 303);
    await unchanged(world, () => maria.browser.post(`${path}/end-others`));
    assert.equal((await maria.browser.get(`${maria.door}/home`)).status, 200);
  });
});

eachEngine('recent activity', (engine) => {
  test('tells what happened to the account in its owner’s words, the latest first, page by page', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    for (let n = 0; n < 60; n++) {
      const name = `Phone ${n}`;
      world.clock.advance(1_000);
      await maria.browser.post(`${maria.door}/security/authenticators/${await appOf(maria)}/rename`, { name });
    }
    const renamed = (page: Page): number => said(page).split('An authenticator app was renamed').length - 1;
    assert.equal(renamed(await maria.browser.get(`${maria.door}/security`)), 20);
    assert.equal(renamed(await maria.browser.get(`${maria.door}/security/activity`)), 50);
    const [, older = ''] = /href="([^"]+\?before=[^"]+)"/.exec(maria.browser.page.text) ?? [];
    const last = await maria.browser.get(older);
    assert.equal(renamed(last), 10);
    assert.match(
      said(last),
      /Signed in .* New backup codes were made .* MFA was turned on .* Acme Billing set your password/,
    );
    assert.doesNotMatch(last.text, /\?before=/);
  });

  test('tells what a thief would rather do unseen: a device trusted and used, another address, a new password asked for', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    await saveChoices(world.installation, OPERATOR, people.organization.id, {
      ...people.organization,
      trustedDeviceDays: 30,
    });
    const maria = await enrolled(guest(people.maria));
    const eve = await maria.elsewhere();
    await eve.password();
    await eve.browser.post(`${eve.door}/verify`, { code: eve.nextCode(), trust: 'on' });
    await eve.browser.post(`${eve.door}/security/email`, { email: 'eve@evil.test' });
    await eve.browser.post(`${eve.door}/sign-out`);
    await eve.password();
    await eve.browser.post(`${eve.door}/forgot-password`, { email: people.maria.email });
    await maria.signsIn();
    const activity = said(await maria.browser.get(`${maria.door}/security/activity`));
    for (const told of [
      'We were told not to ask for a code on a device',
      "Signed in on a device we don't ask for a code on",
      'A change of your email was asked for',
      'A link to choose a new password was asked for',
    ])
      assert.ok(activity.includes(told), told);
    assert.doesNotMatch(activity, /evil/, 'and not where to: whoever is inside may be the thief');
  });

  test('never tells who of the staff it was, from where, why, or what only staff are to know', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada, { address: '198.51.100.99' }));
    const maria = await enrolled(guest(people.maria));
    const at = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}`;
    const note = 'called back on the number of the contract';
    await ada.browser.post(`${at}/reset-mfa`, { check: 'other', note });
    const contact = await findContact(world.db, people.organization.id, people.globex.id, people.maria.id);
    assert.ok(contact);
    const draft = { name: 'Maria S.', email: contact.email, phone: null };
    await changeContact(world.installation, OPERATOR, contact, draft);
    await maria.enrols();
    await maria.signsIn();
    for (const path of ['/security', '/security/activity']) {
      const page = await maria.browser.get(`${maria.door}${path}`);
      assert.match(said(page), /Acme Billing reset your MFA –/);
      assert.match(said(page), /Acme Billing changed your name, email or phone –/);
      assert.doesNotMatch(page.text, /Ada|Owens|198\.51\.100\.99|contract|operator/);
    }
    const eve = await inside(guest(people.eve));
    const hers = await eve.browser.get(`${eve.door}/security/activity`);
    assert.doesNotMatch(said(hers), /reset your MFA/, 'and each reads of nobody else');
  });
});
