import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openChromium, type Seat } from './somebody.ts';
import { Tour } from './tour.ts';
import * as ways from './ways.ts';
import { CODE, STEP_MS } from './ways.ts';

const SETTINGS = '/settings/customer-portal/sign-in';
const SIGN_IN = 'Sign in to Acme Billing';
const BOX = "Don't ask again on this device for 14 days";

describe('trusted devices', () => {
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
    test(`Ada allows them, Maria is not asked again, and removes hers, ${how}`, at(story, seat));

  test('every page of them is fit for everybody', at(pages));
});

async function story(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const maria = await tour.enrolled(acme.maria);
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await allows(tour);
  await tour.knocks(acme.maria);
  await guest.arrives(CODE);
  assert.equal(await guest.page.getByRole('checkbox').isChecked(), false);
  await guest.mark(BOX);
  world.clock.advance(STEP_MS);
  await ways.givesCode(guest, world.codeFor(maria.secret));
  await guest.arrives('Documents');
  for (let day = 0; day < 2; day++) {
    await guest.press('Sign out');
    await guest.arrives(SIGN_IN);
    tour.waits(24 * 60);
    await ways.givesPassword(guest, acme.maria);
    await guest.arrives('Documents');
  }
  await guest.press('Security');
  await guest.sees("Devices we don't ask for a code on", 'Chrome on Linux');
  await guest.press('Remove: Chrome on Linux, 127.0.0.1');
  await guest.sees('Removed. You are asked for a code there the next time.');
  await tour.comesTo('/home', 'Documents');
  await guest.press('Sign out');
  await ways.givesPassword(guest, acme.maria);
  await guest.arrives(CODE);
}

async function allows(tour: Tour): Promise<void> {
  const { guest } = tour;
  await tour.worksAt('/settings', 'Customer Portal');
  await guest.press('Sign-in');
  await guest.arrives('Sign-in');
  await guest.sees('No device skips the code today.');
  await guest.mark('Let customers skip the code on their own devices for');
  await guest.write('days', '14');
  await guest.press('Save');
  await guest.sees('Saved.');
}

async function pages(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const ada = await tour.enrolled(acme.ada);
  const maria = await tour.enrolled(acme.maria);
  const otto = await tour.enrolled(acme.otto);
  await tour.comesIn(acme.ada, ada);
  await allows(tour);
  await tour.looks('choices');
  await guest.write('days', '200');
  await guest.press('Save');
  await guest.sees('Enter a number of days from 1 to 180');
  await tour.looksAtError('choices, wrong');
  await tour.knocks(acme.maria);
  await guest.arrives(CODE);
  await tour.looks('code, with the box');
  await guest.mark(BOX);
  world.clock.advance(STEP_MS);
  await ways.givesCode(guest, world.codeFor(maria.secret));
  await guest.arrives('Documents');
  await guest.press('Security');
  await guest.sees('Chrome on Linux');
  await tour.looks('security, with a device');
  await guest.press('Remove: Chrome on Linux, 127.0.0.1');
  await guest.sees('None. You can tick a box');
  await tour.looks('security, without one');
  await tour.knocks(acme.maria);
  await guest.mark(BOX);
  world.clock.advance(STEP_MS);
  await ways.givesCode(guest, world.codeFor(maria.secret));
  await guest.arrives('Documents');
  await tour.comesIn(acme.otto, otto);
  await tour.worksAt(SETTINGS, 'Sign-in');
  await guest.sees('1 device skips the code today.');
  await tour.looks('choices, to read');
  await tour.comesIn(acme.ada, ada);
  await tour.worksAt(SETTINGS, 'Sign-in');
  await tour.looks('choices, with a device');
  await tour.worksAt(`/customers/${acme.globex.id}`, 'Globex');
  await guest.sees('Asked for no code, only for the password, on:');
  await tour.looks('customer, with a device');
}
