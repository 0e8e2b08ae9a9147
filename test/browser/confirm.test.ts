import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openChromium } from './somebody.ts';
import { Tour } from './tour.ts';
import { confirms } from './ways.ts';

const NOTE = 'She read out invoice INV-2041';

describe('Ada, who has done nothing for eleven minutes, resets Maria’s MFA and is asked who she is', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('with JavaScript', () => Tour.through(browser, resets));
  test('with JavaScript switched off', () => Tour.through(browser, resets, {}, { script: false }));
  test('with the keyboard alone', () => Tour.through(browser, resets, {}, { hand: 'keyboard' }));
  test('and every state of that page is fit for everybody', () => Tour.through(browser, everyState));
});

async function asksForReset(tour: Tour): Promise<Uint8Array> {
  const { guest, acme } = tour;
  await tour.requiresMfa();
  await tour.enrolled(acme.maria);
  const { secret } = await tour.enrolled(acme.ada);
  await tour.comesIn(acme.ada, { secret, codes: [] });
  await tour.worksAt(`/customers/${acme.globex.id}/contacts/${acme.maria.id}/reset-mfa`, 'Reset MFA for Maria Silva?');
  tour.waits(11);
  await guest.mark('Other');
  await guest.write('Note', NOTE);
  await guest.press('Reset MFA');
  await guest.arrives("Confirm it's you");
  await guest.sees("You're about to reset MFA for Maria Silva.");
  return secret;
}

async function resets(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  const secret = await asksForReset(tour);
  const asked = guest.page.url();
  assert.equal((await world.audit(acme.maria)).filter(({ action }) => action === 'mfa.reset').length, 0);
  await confirms(guest, 'not her password', world.codeFor(secret));
  await guest.sees("That password isn't right.");
  await confirms(guest, acme.ada.password, world.codeFor(secret));
  await guest.arrives('Globex');
  await guest.sees('MFA reset for maria@globex.test.');
  const rows = (await world.audit(acme.maria)).filter(({ action }) => action === 'mfa.reset');
  assert.equal(rows.length, 1);
  assert.match(JSON.stringify(rows), new RegExp(NOTE));
  await guest.go(asked);
  await guest.arrives('Nothing is waiting here');
  await guest.press('Continue');
  await guest.arrives('Overview');
}

async function everyState(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  const secret = await asksForReset(tour);
  await tour.looks('confirm');
  await guest.press('Continue');
  await guest.sees('Enter your password', 'Enter the code');
  await tour.looksAtError('confirm, empty');
  await confirms(guest, acme.ada.password, world.codeFor(secret));
  await guest.arrives('Globex');
  await guest.go(`${tour.origin}/admin/confirm?form=${'x'.repeat(36)}`);
  await guest.arrives('Nothing is waiting here');
  await tour.looks('confirm, nothing waits');
  await tour.worksAt('/confirm', "Confirm it's you");
  await tour.looks('confirm, with nothing to do');
  await guest.press('Cancel');
  await guest.arrives('Overview');
}
