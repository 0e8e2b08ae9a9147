import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createStaff } from '../../src/accounts/staff.ts';
import { sql } from '../../src/db/db.ts';
import { addStaff } from '../acme.ts';
import { openChromium, Somebody, type Seat } from './somebody.ts';
import { Tour } from './tour.ts';
import { confirms, enablesMfa, generatesCodes, givesCode, givesPassword, Phone } from './ways.ts';

const BEA = { email: 'bea@acme.test', password: 'violet harbour engine 47' };

describe('the team, in a browser', { concurrency: 2 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  const story = (seat: Seat) => () => Tour.through(browser, (tour) => comesAndGoes(browser, tour, seat), {}, seat);
  test('Ada invites Bea, who comes in, is promoted and is removed, with JavaScript', story({}));
  test('the same with JavaScript switched off', story({ script: false }));
  test('the same with the keyboard alone', story({ hand: 'keyboard' }));

  test('every page of it is fit for everybody: axe, light and dark, narrow and wide', () =>
    Tour.through(browser, everyPage));
});

async function comesAndGoes(browser: Browser, tour: Tour, seat: Seat): Promise<void> {
  const { guest: ada, acme, world } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await ada.press('Settings');
  await ada.arrives('Customer Portal');
  await ada.press('Team');
  await ada.arrives('Team');
  await ada.press('Invite');
  await ada.arrives('Invite somebody');
  await ada.write('Name', 'Bea Berg');
  await ada.write('Email', BEA.email);
  await ada.mark('Support');
  await ada.press('Invite');
  await ada.arrives('Invitation link for Bea Berg');
  await ada.sees('Send them this link yourself');
  const link = (await ada.page.locator('#link').innerText()).trim();
  const bea = await Somebody.at(browser, seat);
  await bea.go(link);
  await bea.arrives('Set up your Acme Billing account');
  await bea.write('Password', BEA.password);
  await bea.press('Create account');
  await bea.sees('Your account is ready. Sign in with your new password.');
  await givesPassword(bea, BEA);
  const phone = new Phone(world);
  await enablesMfa(bea, phone);
  await generatesCodes(bea);
  await givesPassword(bea, BEA);
  await givesCode(bea, phone.next());
  await bea.arrives('Overview');
  await bea.go(`${tour.origin}/admin/team`);
  await bea.sees('Invite: Ask an owner or admin');
  await ada.press('Back to the team');
  await ada.press(`Actions for ${BEA.email}`);
  await ada.press('Change role');
  await ada.arrives('Change the role of Bea Berg?');
  await ada.sees('They are signed out now, in 1 browser');
  await ada.mark('Admin');
  await ada.press('Change role');
  await ada.sees('Bea Berg is Admin now, and signed out everywhere.');
  await bea.go(`${tour.origin}/admin/team`);
  await bea.arrives('Sign in to Sallyport');
  await ada.press(`Actions for ${BEA.email}`);
  await ada.press('Remove');
  await ada.arrives('Remove Bea Berg from the team?');
  await ada.press('Remove');
  await ada.sees('Bea Berg is no longer on the team.');
  await givesPassword(bea, BEA);
  await bea.sees("That email or password isn't right");
  await bea.leaves();
}

async function everyPage(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  const { installation } = world;
  const abe = await addStaff(installation, acme.organization, 'Abe Adler', 'admin');
  const draft = { name: 'Bea Berg', email: BEA.email, role: 'support' } as const;
  const bea = await world.db.transaction((tx) => createStaff(tx, installation, OPERATOR, acme.organization.id, draft));
  await tour.enrolled(abe);
  const until = world.clock.now + 3 * 86_400_000;
  await world.change(sql`UPDATE accounts SET totp_wait_until = ${until} WHERE id = ${acme.otto.id}`);
  await tour.comesIn(acme.sam, await tour.enrolled(acme.sam));
  await tour.worksAt('/team', 'Team');
  await tour.looks('team, to read');
  const ada = await tour.enrolled(acme.ada);
  await tour.comesIn(acme.ada, ada);
  await tour.worksAt('/settings', 'Customer Portal');
  await tour.looks('settings, with the team');
  await tour.worksAt('/team', 'Team');
  await tour.looks('team');
  await guest.press('Actions for sam@acme.test');
  await tour.looks('team, gear open');
  await tour.worksAt('/team/invite', 'Invite somebody');
  await tour.looks('invite');
  await guest.press('Invite');
  await guest.sees('Enter their name');
  await tour.looksAtError('invite, empty');
  await guest.write('Name', 'Nina Novak');
  await guest.write('Email', 'nina@acme.test');
  await guest.mark('Auditor');
  await guest.press('Invite');
  await guest.arrives('Invitation link for Nina Novak');
  await tour.looks('invitation link');
  const link = (await guest.page.locator('#link').innerText()).trim();
  await tour.worksAt(`/team/${bea?.id}/invitation-link`, 'Make a new invitation link for Bea Berg?');
  await tour.looks('new invitation link');
  await tour.worksAt(`/team/${acme.sam.id}/invitation-link`, 'Make a new invitation link for Sam Porter?');
  await tour.looks('no invitation link');
  await tour.worksAt(`/team/${acme.sam.id}/role`, 'Change the role of Sam Porter?');
  await tour.looks('change role');
  await tour.worksAt(`/team/${acme.sam.id}/sign-out`, 'Sign Sam Porter out everywhere?');
  await tour.looks('sign out everywhere');
  await tour.worksAt(`/team/${acme.ada.id}/remove`, "You can't see this page");
  await tour.looksAtError('remove oneself', 'Sallyport');
  tour.waits(11);
  await tour.worksAt(`/team/${abe.id}/reset-mfa`, 'Reset MFA for Abe Adler?');
  await tour.looks('reset of staff');
  await tour.worksAt(`/team/${abe.id}/remove`, 'Remove Abe Adler from the team?');
  await guest.press('Remove');
  await confirms(guest, acme.ada.password, world.codeFor(ada.secret));
  await guest.sees('Abe Adler is no longer on the team.');
  await guest.context.clearCookies();
  await guest.go(link);
  await guest.arrives('Set up your Acme Billing account');
  await tour.looks('invited');
  await guest.press('Create account');
  await guest.sees('Enter a new password');
  await tour.looksAtError('invited, empty');
  await guest.go(`${link}x`);
  await guest.arrives('This link no longer works');
  await tour.looksAtError('invitation that is gone', 'Sallyport');
}
