import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openRunner } from '../../src/jobs/runner.ts';
import { addContact, type Enrolled, type Person } from '../acme.ts';
import { openChromium } from './somebody.ts';
import { Tour } from './tour.ts';

describe('Ada finds contacts, marks them and acts on them', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('with script: the bar comes with the first mark and says how many there are', () =>
    Tour.through(browser, (tour) => story(tour, true)));
  test('without script: the bar is always there, and everything works', () =>
    Tour.through(browser, (tour) => story(tour, false), {}, { script: false }));
  test('and every page on the way is fit for everybody', () => Tour.through(browser, everyPage));
  test('with a keyboard alone: the gear is a menu with arrows, first letters and Escape', () =>
    Tour.through(browser, keys, {}, { hand: 'keyboard' }));
});

async function adaAtTheList(tour: Tour, ...signedIn: Person[]): Promise<void> {
  const { acme, world } = tour;
  for (let n = 0; n < 26; n++) await addContact(world.installation, acme.globex, `Kim${n} Doe`);
  const enrolled = new Map<Person, Enrolled>();
  for (const person of [...signedIn, acme.ada]) enrolled.set(person, await tour.enrolled(person));
  for (const [person, secrets] of enrolled) await tour.comesIn(person, secrets);
  await tour.worksAt('/customers', 'Customers');
}

async function story(tour: Tour, script: boolean): Promise<void> {
  const { guest, acme, world } = tour;
  await adaAtTheList(tour);
  const bar = guest.page.locator('#many');
  await guest.write('Search', 'doe');
  await guest.page.getByLabel('MFA', { exact: true }).selectOption('Not set up');
  await guest.press('Search');
  await guest.sees('26 contacts', '1–25 of 26');
  assert.equal(await bar.getByRole('button', { name: 'Sign out' }).isVisible(), !script);
  await guest.page.getByLabel('Select kim0@globex.test').check();
  await guest.page.getByLabel('Select kim3@globex.test').check();
  assert.equal(await bar.getByText('2 selected on this page').isVisible(), script);
  if (script) {
    await guest.press('Clear');
    assert.equal(await bar.getByRole('button', { name: 'Sign out' }).isVisible(), false);
  }
  await guest.page.getByLabel('Select all 26 that match').check();
  await bar.getByRole('button', { name: 'Disable portal access' }).click();
  await guest.arrives('Disable portal access for 26 contacts?');
  await guest.sees('Kim0 Doe, kim0@globex.test', 'and 16 more');
  await guest.write('Why?', 'The contract has ended');
  await guest.write('Type 26 to confirm', '26');
  await guest.page.getByRole('button', { name: 'Disable portal access for 26 contacts' }).click();
  await guest.arrives('Disable portal access for 26 contacts');
  const runner = openRunner(world.installation);
  while (await runner.turn());
  const closed = (await world.rows('accounts')).filter((row) => row['disabled_at'] !== null);
  assert.equal(closed.length, 26);
  assert.equal((await world.account(acme.maria)).disabledAt, null);
}

async function everyPage(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.requiresMfa();
  await adaAtTheList(tour, acme.maria);
  await tour.looks('customers, a page of several');
  await guest.page.getByLabel('Select kim3@globex.test').check();
  await tour.looks('customers, one marked');
  await guest.page.locator('#many').getByRole('button', { name: 'Sign out' }).click();
  await guest.arrives('Sign out 1 contact?');
  await tour.looks('many, to confirm');
  await guest.page.getByRole('button', { name: 'Sign out 1 contact' }).click();
  await guest.sees('Type 1 to confirm');
  await tour.looksAtError('many, not confirmed');
  await tour.worksAt('/customers?q=doe&mfa=none&portal=on&last=never&sort=-email&size=50', 'Customers');
  await tour.looks('customers, filtered');
  const at = `/customers/${acme.globex.id}`;
  await tour.worksAt(at, 'Globex');
  await guest.sees('Where Maria Silva is signed in');
  await tour.looks('customer, signed in');
  await tour.worksAt(`${at}/contacts/${acme.maria.id}/sign-out`, 'Sign Maria Silva out everywhere?');
  await tour.looks('sign out everywhere');
  await tour.worksAt(`${at}/contacts/${acme.maria.id}/move?q=init`, 'Move Maria Silva to another customer');
  await tour.looks('move');
  await guest.press('Move contact');
  await guest.sees('Choose the customer to move them to');
  await tour.looksAtError('move, nowhere');
  await tour.worksAt(`${at}/contacts/${acme.maria.id}/delete`, 'Delete Maria Silva?');
  await tour.looks('delete a contact');
  tour.waits(11);
  await tour.worksAt(`${at}/delete`, 'Delete Globex?');
  await tour.looks('delete a customer');
  await guest.press('Delete customer');
  await guest.sees('Say why, in 10 characters or more');
  await tour.looksAtError('delete a customer, empty');
}

async function keys(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await adaAtTheList(tour);
  const { keyboard } = guest.page;
  const focusIsOn = (item: string): Promise<void> =>
    guest.page.locator('[role=menuitem]:focus', { hasText: item }).waitFor();
  const gear = guest.page.getByRole('button', { name: `Actions for ${acme.eve.email}` });
  await guest.write('Search', 'eve');
  await guest.press('Search');
  await gear.focus();
  await keyboard.press('ArrowDown');
  await focusIsOn("MFA isn't set up");
  await keyboard.press('End');
  await focusIsOn('Delete');
  await keyboard.press('m');
  await focusIsOn('Make sign-in code');
  await keyboard.press('m');
  await focusIsOn('Move to another customer');
  await keyboard.press('Home');
  await keyboard.press('ArrowUp');
  await focusIsOn('Delete');
  await keyboard.press('Escape');
  await guest.page.locator(`[aria-label="Actions for ${acme.eve.email}"]:focus`).waitFor();
  await keyboard.press('ArrowUp');
  await focusIsOn('Delete');
  await keyboard.press('Enter');
  await guest.arrives('Delete Eve Moreau?');
}
