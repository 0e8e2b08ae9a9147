import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { importDocuments } from '../../src/accounts/documents.ts';
import { findAccount, findAccountByEmail } from '../../src/accounts/accounts.ts';
import { offer } from '../../src/auth/enrolment.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { sql } from '../../src/db/db.ts';
import { acme as anotherAcme, challenged, home } from '../acme.ts';
import { openChromium } from './somebody.ts';
import { Tour } from './tour.ts';
import * as ways from './ways.ts';
import { CODE, ENABLE, FIRST_CODE } from './ways.ts';

const SIGN_IN = 'Sign in to Acme Billing';
/** One password at a time, and nobody waits. */
const BUSY = { atOnce: 1, queue: 0, waitMs: 1 };

describe('every page that contacts see is fit for everybody: axe, light and dark, narrow and wide', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('at the first door', () => Tour.through(browser, firstDoor));
  test('while MFA is being enabled', () => Tour.through(browser, ceremony));
  test('at the second door', () => Tour.through(browser, secondDoor));
  test('when help is needed', () => Tour.through(browser, help));
  test('behind both doors', () => Tour.through(browser, inside));
  test('when something went wrong', () => Tour.through(browser, faults, { hashing: BUSY }));
});

async function firstDoor(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesTo('/sign-in', SIGN_IN);
  await tour.looks('sign-in');
  await guest.press('Help');
  await tour.looks('sign-in with Help open');
  await guest.press('Help');
  await guest.press('Sign in');
  await guest.sees('Enter your email');
  await tour.looksAtError('sign-in, empty');
  const stranger = { email: acme.maria.email, password: 'not hers at all' };
  await ways.givesPassword(guest, stranger);
  await guest.sees("That email or password isn't right. Check them and try again");
  await tour.looksAtError('sign-in, wrong');
  for (let tries = 1; tries < 11; tries++) {
    await ways.givesPassword(guest, stranger);
    await guest.page.waitForLoadState();
  }
  await guest.sees('Too many tries. You can try again at');
  await tour.looksAtError('sign-in, held back');
  await guest.press('I forgot my password');
  await guest.arrives('Ask Acme Billing to change your password');
  await tour.looks('forgotten password');
  const draft = { name: 'Ines Moreau', email: 'ines@globex.test', phone: null };
  await createContact(tour.world.installation, OPERATOR, acme.organization.id, acme.globex.id, draft);
  await tour.comesTo('/welcome/nothing', 'This link no longer works');
  await tour.looksAtError('dead welcome link');
  await tour.comesTo(`/welcome/${await welcomeToken(tour, draft.email)}`, 'Set up your Acme Billing account');
  await tour.looks('welcome');
  await guest.press('Create account');
  await guest.sees('Enter a new password');
  await tour.looksAtError('welcome, empty');
  await guest.write('Password', 'qwertyuiop12');
  await guest.press('Create account');
  await guest.sees('That password is too common.');
  await tour.looksAtError('welcome, common');
}

async function ceremony(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const kept = await tour.enrolled(acme.maria);
  const maria = await findAccount(world.db, acme.organization.id, acme.maria.id);
  const reason = { check: 'met-in-person', note: '' } as const;
  if (maria) await resetMfa(world.installation, OPERATOR, 'operator', maria, reason);
  await tour.knocks(acme.maria);
  await guest.arrives(ENABLE);
  await guest.press("I don't have an authenticator app");
  await tour.looks('enable, after a reset');
  await guest.press('Configure');
  await guest.arrives('Scan the QR code');
  await tour.looks('scan');
  await guest.press("I can't scan the QR code");
  await tour.looks('scan, with the key');
  const secret = (await guest.page.locator('#key').innerText()).replaceAll(' ', '');
  await guest.press('Next');
  await guest.arrives(FIRST_CODE);
  await guest.press('Show the QR code again');
  await tour.looks('first code, with the QR code');
  await guest.press('Verify');
  await guest.sees('Enter the 6-digit code from your app');
  await tour.looksAtError('first code, empty');
  for (const _ of [1, 2, 3]) {
    await guest.write(FIRST_CODE, world.codeFor(kept.secret));
    await guest.press('Verify');
    await guest.sees("That code isn't right.");
  }
  await guest.sees('Still not working?');
  await tour.looksAtError('first code, wrong three times');
  const phone = new ways.Phone(world);
  phone.scan(`otpauth://totp/x?secret=${secret}`);
  const slow = phone.shows;
  tour.waits(4);
  await guest.write(FIRST_CODE, slow);
  await guest.press('Verify');
  await guest.sees("Your phone's clock is about 4 minutes slow.");
  await tour.looksAtError('first code, of a slow clock');
  await guest.write(FIRST_CODE, phone.next());
  await guest.press('Verify');
  await guest.arrives('Your authenticator app works');
  await tour.looks('enable, last step');
  await guest.press('Enable MFA');
  await guest.arrives('MFA is on');
  await tour.looks('backup codes, before');
  await guest.press('Generate Backup Codes');
  await guest.arrives('Save your backup codes');
  await tour.looks('backup codes');
  await guest.press('Continue to Sign In');
  await guest.sees('MFA is on. Sign in with your password and a code from your app.');
  await tour.looks('sign-in, after MFA was enabled');
  await tour.knocks(acme.noor);
  await guest.arrives(ENABLE);
  await guest.press('Configure');
  await guest.arrives('Scan the QR code');
  await offer(world.installation, await challenged(world.installation, acme.noor), home(acme.noor));
  await tour.comesTo('/enable-mfa', ENABLE);
  await guest.sees('You started this setup again somewhere else.');
  await tour.looks('enable, started again elsewhere');
}

async function secondDoor(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const { secret } = await tour.enrolled(acme.maria);
  await tour.knocks(acme.maria);
  await guest.arrives(CODE);
  await tour.looks('code');
  await guest.press("I can't get a code");
  await tour.looks('code, with other ways');
  await ways.givesCode(guest, '');
  await guest.sees('Enter the code');
  await tour.looksAtError('code, empty');
  await ways.givesCode(guest, '000000');
  await guest.sees("That code isn't right.");
  await tour.looksAtError('code, wrong');
  await ways.givesCode(guest, '000001');
  await guest.sees("Two codes in a row weren't right.");
  await tour.looksAtError('code, with the clock note');
  await ways.givesCode(guest, world.codeFor(secret));
  await guest.arrives('Documents');
  await guest.press('Sign out');
  await guest.sees('You have signed out.');
  await tour.looks('sign-in, after signing out');
  await tour.knocks(acme.maria);
  await ways.givesCode(guest, world.codeFor(secret));
  await guest.sees('That code has already been used.');
  await tour.looksAtError('code, used');
  for (const wrong of ['000000', '000001', '000002']) await ways.givesCode(guest, wrong);
  await guest.sees('You have 1 try left.');
  await tour.looksAtError('code, last try');
  await ways.givesCode(guest, '000003');
  await guest.sees("You've entered too many wrong codes. Sign in again.");
  await tour.looks('sign-in, out of tries');
  await tour.knocks(acme.maria);
  await ways.givesCode(guest, '000000');
  await tour.comesTo('/verify', "You've entered too many wrong codes");
  await tour.looksAtError('wait');
  tour.waits(11);
  await tour.comesTo('/verify', SIGN_IN);
  await guest.sees('You took too long. Sign in again.');
  await tour.looks('sign-in, too late');
}

async function help(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const { codes } = await tour.enrolled(acme.maria);
  await tour.knocks(acme.maria);
  await tour.comesTo('/verify/backup-code', 'Enter a backup code');
  await tour.looks('backup code');
  await guest.write('Enter a backup code', '1234');
  await guest.press('Continue');
  await guest.sees("A backup code has 12 numbers. You've entered 4");
  await tour.looksAtError('backup code, too short');
  await guest.write('Enter a backup code', '0000-0000-0000');
  await guest.press('Continue');
  await guest.sees("We couldn't use that code.");
  await tour.looksAtError('backup code, wrong');
  await guest.press("I don't have my backup codes");
  await guest.arrives('Ask Acme Billing for help');
  await tour.looks('ask for help');
  for (const [used, code] of codes.slice(0, 3).entries()) {
    await tour.knocks(acme.maria);
    await ways.givesCode(guest, code);
    await guest.arrives(`You have ${4 - used} backup codes left`);
    if (used !== 1) await tour.looks(`backup code used, ${4 - used} left`);
  }
  await guest.press('Continue');
  await guest.arrives('Documents');
  await guest.sees('You have 2 backup codes left.');
  await tour.looks('home, few codes left');
  await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${acme.maria.id}`);
  await tour.knocks(acme.maria);
  await guest.arrives('Your password may be known to someone else');
  await tour.looksAtError('password suspected');
}

async function inside(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.knocks(acme.noor);
  await guest.arrives('Documents');
  await tour.looks('home, empty');
  await guest.press('Security');
  await guest.arrives('Account security');
  await tour.looks('security, without MFA');
  await importDocuments(world.installation, OPERATOR, acme.organization.id, documents(acme.globex.id));
  await tour.requiresMfa();
  const maria = await tour.enrolled(acme.maria);
  await tour.comesIn(acme.maria, maria);
  await tour.looks('home, with documents');
  await guest.press('Security');
  await guest.arrives('Account security');
  await tour.looks('security');
  await world.change(sql`UPDATE accounts SET reset_notice_at = ${world.clock.now} WHERE id = ${acme.maria.id}`);
  await tour.comesTo('/home', 'Documents');
  await guest.sees('Acme Billing reset your MFA on 25 November 2026');
  await tour.looks('home, after a reset');
  tour.waits(31);
  await tour.comesTo('/home', SIGN_IN);
  await guest.sees('You were signed out because you did nothing for 30 minutes.');
  await tour.looks('sign-in, after doing nothing');
}

async function faults(tour: Tour): Promise<void> {
  const { guest, acme, world, origin } = tour;
  await tour.comesTo('/nowhere', 'Page not found');
  await tour.looksAtError('404', 'Sallyport');
  await tour.comesTo('/sign-in', SIGN_IN);
  await guest.page.evaluate(`document.querySelector('#email').name = 'name'`);
  await guest.press('Sign in');
  await guest.arrives("We couldn't read that");
  await tour.looksAtError('400', 'Sallyport');
  await guest.go('about:blank');
  await guest.page.setContent(
    `<form method="post" action="${origin}/portal/acme/sign-in"><button>Win a prize</button>`,
  );
  await guest.press('Win a prize');
  await guest.arrives('This page was open too long. Try again');
  await tour.looksAtError('403', 'Sallyport');
  await anotherAcme(world.installation, 'other');
  await guest.go(origin);
  await guest.arrives('Which portal?');
  await tour.looks('front page of several', { merchant: 'Sallyport' });
  await tour.knocks(acme.noor);
  await guest.arrives('Documents');
  await world.change(sql`ALTER TABLE documents RENAME TO papers`);
  await tour.comesTo('/home', 'Sorry, something went wrong');
  await tour.looksAtError('500', 'Sallyport');
  const slow = Promise.withResolvers<void>();
  const somebodyElse = world.installation.hashing(() => slow.promise);
  await tour.knocks(acme.noor);
  await guest.arrives('Sallyport is busy right now');
  await tour.looksAtError('503', 'Sallyport');
  slow.resolve();
  await somebodyElse;
}

async function welcomeToken({ world, acme }: Tour, email: string): Promise<string> {
  const account = await findAccountByEmail(world.db, acme.organization.id, 'contact', email);
  return (account && (await makeWelcomeLink(world.installation, OPERATOR, account))) ?? '';
}

function documents(customerId: string): Parameters<typeof importDocuments>[3] {
  const shared = { customerId, currency: 'GBP', date: '2026-11-18' };
  const url = 'https://billing.acme.test/invoices/INV-2045';
  return [
    {
      ...shared,
      kind: 'invoice',
      number: 'INV-2045',
      title: 'Hosting, this month',
      amount: '1240.00',
      status: 'Due',
      url,
    },
    {
      ...shared,
      kind: 'credit note',
      number: 'CN-7',
      title: 'An outage',
      amount: '-95.00',
      status: 'Applied',
      url: null,
    },
  ];
}
