import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { setPolicy, type Enrolled, type Person } from '../acme.ts';
import { openChromium, type Seat } from './somebody.ts';
import { Tour } from './tour.ts';
import * as ways from './ways.ts';
import { ENABLE } from './ways.ts';

const GENERAL = '/settings/customer-portal/general';
const BOX = 'Enable multi-factor authentication (MFA)';

describe('the policy with foresight', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());
  const at =
    (walk: (tour: Tour) => Promise<void>, seat: Seat = {}) =>
    () =>
      Tour.through(browser, walk, {}, seat);

  for (const [how, seat] of [
    ['with a mouse', {}],
    ['with the keyboard alone', { hand: 'keyboard' }],
    ['without script', { script: false }],
  ] as const)
    test(`Ada looks, gives days of grace, Noor puts it off and does it after all, ${how}`, at(story, seat));

  test('every page of it is fit for everybody: at the console', at(console));
  test('every page of it is fit for everybody: at the portal', at(portal));

  test('leaving the page with other days than are saved is asked about', at(unsaved));
});

async function story(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt(GENERAL, 'General');
  await guest.sees('On: 3 contacts will be asked to set it up at their next sign-in; 0 already use it.');
  await guest.press('See who is affected');
  await guest.arrives('See who is affected');
  await guest.press('With MFA on, within 14 days');
  await guest.sees('Asked within the grace: 3');
  await guest.page.goBack();
  await guest.page.goBack();
  await guest.arrives('General');
  await guest.mark(BOX);
  await guest.mark('Within');
  await guest.write('days', 'many');
  await guest.press('Save');
  await guest.sees('Enter a number of days from 1 to 90');
  assert.equal(await guest.page.getByLabel('days', { exact: true }).getAttribute('aria-invalid'), 'true');
  await guest.write('days', '14');
  await guest.press('Save');
  await guest.sees('MFA is on for all customers. They set it up within 14 days.');
  await tour.knocks(acme.noor);
  await guest.arrives(ENABLE);
  await guest.sees('You need to do this by 9 December 2026.');
  await guest.press('Set up later');
  await guest.arrives('Documents');
  await guest.sees('Set up MFA by 9 December 2026.');
  await guest.press('Enable MFA');
  await guest.arrives("Confirm it's you");
  await guest.write('Password', acme.noor.password);
  await guest.press('Continue');
  const phone = new ways.Phone(world);
  await ways.enablesMfa(guest, phone);
  await ways.generatesCodes(guest);
  await ways.givesPassword(guest, acme.noor);
  await ways.givesCode(guest, phone.next());
  await guest.arrives('Documents');
  await guest.sees('MFA is on');
}

async function console(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.requiresMfa();
  await tour.enrolled(acme.maria);
  const otto = await tour.enrolled(acme.otto);
  const ada = await tour.enrolled(acme.ada);
  await tour.comesIn(acme.otto, otto);
  await tour.worksAt(`${GENERAL}/preview`, 'See who is affected');
  await tour.looks('preview, to read');
  await tour.comesIn(acme.ada, ada);
  await tour.worksAt(GENERAL, 'General');
  await guest.press('More choices');
  await tour.looks('general, more choices');
  await guest.mark('Within');
  await guest.write('days', '0');
  await guest.mark('Sign everyone out now');
  await guest.press('Save');
  await guest.sees('Enter a number of days from 1 to 90');
  await tour.looksAtError('general, no such days');
  await tour.worksAt(`${GENERAL}/preview?policy=required&days=14`, 'See who is affected');
  await tour.looks('preview, within days');
  await tour.worksAt(`${GENERAL}/preview?policy=off`, 'See who is affected');
  await tour.looks('preview, off');
  await exemption(tour, ada);
  await everybody(tour);
}

async function exemption(tour: Tour, ada: Enrolled): Promise<void> {
  const { guest, acme } = tour;
  const noor = `/customers/${acme.globex.id}/contacts/${acme.noor.id}`;
  await tour.worksAt(`${noor}/exempt`, 'Exempt Noor Haddad from MFA?');
  await tour.looks('exempt');
  await guest.press('Exempt from MFA');
  await guest.sees('Say why, in 10 characters or more');
  await tour.looksAtError('exempt, empty');
  await guest.write('Reason', 'Their new phone comes next week');
  await guest.write('Last day', '2026-12-08');
  await guest.press('Exempt from MFA');
  await guest.arrives('Globex');
  await guest.sees('noor@globex.test is exempt from MFA up to 8 December 2026.');
  await tour.looks('customer, a contact exempt');
  tour.waits(11);
  await guest.press('End exemption');
  await guest.arrives('End the exemption of Noor Haddad?');
  await tour.looks('exemption, to end');
  await guest.press('End exemption');
  await guest.sees("You're about to end the exemption of Noor Haddad.");
  await tour.worksAt(`/customers/${acme.globex.id}/contacts/${acme.maria.id}/exempt`, 'Exempt Maria Silva from MFA?');
  await tour.looks('exempt, in vain');
  await tour.comesIn(acme.ada, ada);
}

async function everybody(tour: Tour): Promise<void> {
  const { guest } = tour;
  await tour.worksAt(`${GENERAL}/sign-everyone-out`, 'Sign everyone out?');
  await tour.looks('sign everyone out');
  tour.waits(11);
  await guest.press('Sign everyone out');
  await guest.sees("You're about to sign every contact out of the portal.");
  await tour.worksAt(`${GENERAL}/reset-everybody`, 'Disable MFA and reset 1 contact?');
  await tour.looks('reset everybody');
  await guest.press('Disable and reset everybody');
  await guest.sees('Say why, in 10 characters or more');
  await tour.looksAtError('reset everybody, empty');
}

async function portal(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  const policy = (...how: ['off' | 'optional' | 'required', number?]): Promise<void> =>
    setPolicy(world.installation, acme.organization, ...how);
  await tour.knocks(acme.noor);
  await guest.arrives('Documents');
  await policy('required', 14);
  await tour.comesTo('/home', 'Documents');
  await tour.looks('home, MFA soon');
  await policy('required');
  await tour.comesTo('/home', 'Documents');
  await tour.looks('home, MFA next');
  await policy('required', 14);
  await tour.knocks(acme.noor);
  await guest.arrives(ENABLE);
  await tour.looks('enable, with later');
  await guest.press('Configure');
  await guest.press('Next');
  const phone = new ways.Phone(world);
  await tour.comesTo('/enable-mfa/scan', 'Scan the QR code');
  phone.scan(await guest.scansTheScreen());
  await guest.press('Next');
  await guest.write(ways.FIRST_CODE, phone.next());
  await guest.press('Verify');
  await guest.arrives('Your authenticator app works');
  await tour.looks('enable, last step, with Not now');
  await guest.press('Not now');
  await guest.arrives('Documents');
  await tour.looks('home, MFA by');
  await guest.press('Enable MFA');
  await guest.arrives("Confirm it's you");
  await tour.looks('confirm');
  await guest.press('Continue');
  await guest.sees('Enter your password');
  await tour.looksAtError('confirm, empty');
  await offered(tour, acme.eve);
}

async function offered(tour: Tour, eve: Person): Promise<void> {
  const { guest, acme, world } = tour;
  await setPolicy(world.installation, acme.organization, 'optional');
  await tour.knocks(eve);
  await guest.arrives('Documents');
  await tour.looks('home, MFA offered');
  await guest.press('Enable MFA');
  await guest.write('Password', eve.password);
  await guest.press('Continue');
  await guest.arrives(ENABLE);
  await tour.looks('enable, offered');
  await guest.press('No thanks');
  await guest.arrives('Documents');
}

async function unsaved(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt(GENERAL, 'General');
  await guest.mark(BOX);
  await guest.write('days', '30');
  const asked = new Promise<string>((said) => {
    guest.page.once('dialog', (dialog) => {
      said(dialog.type());
      void dialog.dismiss();
    });
  });
  await guest.press('Customers');
  assert.equal(await asked, 'beforeunload');
  await guest.arrives('General');
  await guest.press('Save');
  await guest.sees('MFA is on for all customers.');
}
