import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { setPolicy } from '../acme.ts';
import { openChromium } from './somebody.ts';
import { Tour } from './tour.ts';
import * as ways from './ways.ts';
import { FIRST_CODE } from './ways.ts';

const SIGN_IN = 'Sign in to Acme Billing';

describe('a contact who changes how their account is guarded', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('does so with the mouse, on pages that are fit for everybody', () => Tour.through(browser, everyPage));
  test('needs no script', () => Tour.through(browser, story, {}, { script: false }));
  test('needs no mouse', () => Tour.through(browser, story, {}, { hand: 'keyboard' }));
});

/** Proves again who they are, where that is asked. */
async function confirms(tour: Tour, password: string, code: string): Promise<void> {
  const { guest } = tour;
  await guest.arrives("Confirm it's you");
  await guest.write('Password', password);
  await guest.write('Code from your authenticator app', code);
  await guest.press('Continue');
}

/** From the QR code to the last step, with a phone that scans the screen. */
async function scans(tour: Tour, phone: ways.Phone): Promise<void> {
  const { guest } = tour;
  await guest.arrives('Scan the QR code');
  phone.scan(await guest.scansTheScreen());
  await guest.press('Next');
  await guest.arrives(FIRST_CODE);
  await guest.write(FIRST_CODE, phone.next());
  await guest.press('Verify');
  await guest.arrives('Your authenticator app works');
}

async function story(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const kept = await tour.enrolled(acme.maria);
  await setPolicy(world.installation, acme.organization, 'optional');
  await tour.comesIn(acme.maria, kept);
  await guest.press('Security');
  await guest.arrives('Account security');
  tour.waits(11);
  await guest.press('Replace Authenticator app');
  await guest.sees("You're about to replace an authenticator app.");
  await confirms(tour, acme.maria.password, world.codeFor(kept.secret));
  const phone = new ways.Phone(world);
  await scans(tour, phone);
  await guest.press('Use this app');
  await guest.arrives(SIGN_IN);
  await guest.sees('Your authenticator app was replaced.');
  await guest.write('Password', acme.maria.password);
  await guest.press('Sign in');
  await ways.givesCode(guest, phone.next());
  await guest.arrives('Documents');
  await guest.press('Security');
  await guest.press('Get new codes');
  await guest.arrives('Get new backup codes?');
  await guest.sees('Your 5 old codes will stop working straight away.');
  await guest.press('Get new codes');
  await guest.arrives('Save your new backup codes');
  const shown = await guest.page.getByRole('list', { name: 'Your backup codes' }).getByRole('listitem').count();
  assert.equal(shown, 5);
  await guest.press('Continue');
  await guest.sees('You have 5 new backup codes.');
  await guest.press('Turn off MFA');
  await guest.arrives('Turn off MFA?');
  await guest.press('Turn off');
  await guest.arrives(SIGN_IN);
  await guest.sees('MFA is off. Sign in with your password.');
  await guest.write('Password', acme.maria.password);
  await guest.press('Sign in');
  await guest.arrives('Documents');
  await guest.sees('MFA is off');
}

async function everyPage(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const kept = await tour.enrolled(acme.maria);
  await tour.comesIn(acme.maria, kept);
  await tour.comesTo('/security', 'Account security');
  await tour.looks('security, one app');
  await tour.comesTo('/security/turn-off-mfa', 'Turn off MFA?');
  await tour.looks('turn off MFA, not allowed');
  await setPolicy(world.installation, acme.organization, 'optional');
  await guest.press('Keep it on');
  await guest.arrives('Account security');
  await guest.press('Add another app');
  await guest.arrives('Add an authenticator app');
  await tour.looks('add an app');
  await guest.press('Add');
  await guest.sees('Enter a name');
  await tour.looksAtError('add an app, no name');
  await guest.write('Name', 'Work phone');
  await guest.press('Add');
  await guest.arrives('Scan the QR code');
  await guest.sees('The apps that you have keep working.');
  await tour.looks('add an app, scan');
  const phone = new ways.Phone(world);
  await scans(tour, phone);
  await tour.looks('add an app, last step');
  await guest.press('Add this app');
  await guest.sees('Your new authenticator app is on.');
  await tour.looks('sign-in, after an app was added');
  await guest.write('Password', acme.maria.password);
  await guest.press('Sign in');
  await ways.givesCode(guest, phone.next());
  await guest.press('Security');
  await tour.looks('security, two apps');
  await guest.press('Rename Work phone');
  await guest.arrives('Rename Work phone');
  await tour.looks('rename an app');
  await guest.write('Name', 'Tablet');
  await guest.press('Save');
  await guest.sees('It is called Tablet now.');
  await guest.press('Remove Tablet');
  await guest.arrives('Remove Tablet?');
  await tour.looks('remove an app');
  await guest.press('Cancel');
  await guest.press('Get new codes');
  await guest.arrives('Get new backup codes?');
  await tour.looks('new codes, asked');
  await guest.press('Get new codes');
  await guest.arrives('Save your new backup codes');
  await tour.looks('new codes');
  const [code = ''] = await guest.page
    .getByRole('list', { name: 'Your backup codes' })
    .getByRole('listitem')
    .allInnerTexts();
  await guest.press('Continue');
  await guest.press('Turn off MFA');
  await guest.arrives('Turn off MFA?');
  await tour.looks('turn off MFA');
  await sessions(tour, kept.secret);
  await usedCode(tour, code);
}

async function sessions(tour: Tour, secret: Uint8Array): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.maria, { secret, codes: [] });
  await tour.comesTo('/security/sessions', "Where you're signed in");
  await tour.looks('sessions, two');
  await guest.press('Sign out everywhere else');
  await guest.sees("You've been signed out everywhere else. 1 session ended.");
  await tour.looks('sessions, this one alone');
  await guest.press('Back to account security');
  await guest.press('See all recent activity');
  await guest.arrives('Recent activity');
  await tour.looks('activity');
}

async function usedCode(tour: Tour, code: string): Promise<void> {
  const { guest, acme } = tour;
  await tour.knocks(acme.maria);
  await ways.givesCode(guest, code);
  await guest.arrives('You have 4 backup codes left');
  await guest.press('Set up a new authenticator app');
  await guest.arrives('Account security');
}
