import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { openWatch } from '../../src/accounts/audit-watch.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { createOrganization } from '../../src/accounts/organizations.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { sql } from '../../src/db/db.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { addStaff, answers, challenged, guesses, type Person } from '../acme.ts';
import { openChromium } from './somebody.ts';
import { Tour } from './tour.ts';
import * as ways from './ways.ts';
import { CODE, ENABLE, FIRST_CODE } from './ways.ts';

const SALLYPORT = 'Sign in to Sallyport';
const GENERAL = '/settings/customer-portal/general';

describe('every page that staff see is fit for everybody: axe, light and dark, narrow and wide', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('at the first set-up and at the console’s doors', () => Tour.through(browser, doors));
  test('at the overview and the settings', () => Tour.through(browser, settings));
  test('among the customers', () => Tour.through(browser, customers));
  test('while customers and contacts are written down', () => Tour.through(browser, forms));
  test('at the audit log', () => Tour.through(browser, log));
  test('while a contact’s MFA is reset', () => Tour.through(browser, reset));
  test('while portal access is given and taken', () => Tour.through(browser, access));
});

async function doors(tour: Tour): Promise<void> {
  const { guest, acme, world, origin } = tour;
  await tour.worksAt('/sign-in', SALLYPORT);
  await tour.looks('console sign-in', { merchant: 'Sallyport' });
  await guest.press('Sign in');
  await guest.sees('Enter your email');
  await tour.looksAtError('console sign-in, empty', 'Sallyport');
  await guest.press('I forgot my password');
  await guest.arrives('Ask for a new password');
  await tour.looks('console, forgotten password', { merchant: 'Sallyport' });
  await tour.knocks(acme.ada);
  await guest.arrives(ENABLE);
  await tour.looks('console, enable');
  await guest.press('Configure');
  await guest.arrives('Scan the QR code');
  await tour.looks('console, scan');
  await guest.press('Next');
  await guest.arrives(FIRST_CODE);
  await guest.press('Verify');
  await guest.sees('Enter the 6-digit code from your app');
  await tour.looksAtError('console, first code');
  const { codes } = await tour.enrolled(acme.ada);
  await tour.knocks(acme.ada);
  await guest.arrives(CODE);
  await tour.looks('console, code');
  await guest.press("I can't get a code");
  await guest.press("I don't have my backup codes");
  await guest.arrives('Ask for help');
  await tour.looks('console, ask for help');
  await guest.press('Back to the code');
  await ways.givesCode(guest, codes[0] ?? '');
  await guest.arrives('You have 4 backup codes left');
  await tour.looks('console, backup code used');
  await guest.press('Continue');
  await guest.arrives('Overview');
  await tour.worksAt('/customers/new', "You can't see this page");
  await tour.looksAtError('403', 'Sallyport');
  await guest.go(`${origin}/setup/nothing`);
  await guest.arrives('This link no longer works');
  await tour.looksAtError('dead set-up link', 'Sallyport');
  // As if nobody had come before: the set-up is open until there is an owner.
  await world.change(sql`UPDATE accounts SET role = 'admin' WHERE role = 'owner'`);
  await guest.go(`${origin}/setup/${await offerSetup(world.installation)}`);
  await guest.arrives('Set up Sallyport');
  await tour.looks('set-up', { merchant: 'Sallyport' });
  await guest.press('Set up');
  await guest.sees('Enter your name');
  await tour.looksAtError('set-up, empty', 'Sallyport');
}

async function settings(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  const ada = await tour.enrolled(acme.ada);
  const otto = await tour.enrolled(acme.otto);
  await tour.comesIn(acme.otto, otto);
  await tour.worksAt(GENERAL, 'General');
  await tour.looks('general, to read');
  await tour.comesIn(acme.ada, ada);
  await tour.looks('overview, to do');
  await guest.press('Settings');
  await guest.arrives('Customer Portal');
  await tour.looks('settings');
  await guest.press('General');
  await guest.arrives('General');
  await tour.looks('general');
  await guest.write('Display name', '');
  await guest.write('How can customers reach you?', '');
  await guest.press('Save');
  await guest.sees('Enter a display name');
  await tour.looksAtError('general, empty');
  tour.waits(11);
  await tour.worksAt(GENERAL, 'General');
  await guest.mark('Enable multi-factor authentication (MFA)');
  await guest.press('Save');
  await guest.arrives("Confirm it's you");
  await guest.sees("You're about to turn MFA on for all customers.");
  await ways.confirms(guest, acme.ada.password, tour.world.codeFor(ada.secret));
  await guest.sees('MFA is on for all customers.');
  await tour.looks('general, saved');
}

async function customers(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  const una = await ownerOfNothing(tour);
  await tour.comesIn(una, await tour.enrolled(una));
  await tour.worksAt('/customers', 'Customers');
  await guest.sees('No customers yet.');
  await tour.looks('customers, none yet', { merchant: 'Umbra' });
  await tour.requiresMfa();
  const sam = await tour.enrolled(acme.sam);
  const { secret } = await tour.enrolled(acme.maria);
  await createCustomer(world.installation, OPERATOR, acme.organization.id, 'Hooli');
  await guesses(world, acme.maria, secret, 8);
  await tour.comesIn(acme.sam, sam);
  await tour.worksAt('/customers', 'Customers');
  await tour.looks('customers');
  await guest.press('Actions for maria@globex.test');
  await tour.looks('customers, gear open');
  await guest.page.keyboard.press('Escape');
  await tour.worksAt('/customers?q=nobody', 'Customers');
  await guest.sees('No customers match.');
  await tour.looks('customers, none match');
  await tour.worksAt('/customers', 'Customers');
  await guest.press('Hooli');
  await guest.arrives('Hooli');
  await tour.looks('customer without contacts');
  await tour.worksAt('/customers', 'Customers');
  await guest.press('Initech');
  await guest.arrives('Initech');
  await tour.looks('customer without documents');
  await tour.worksAt(`/customers/${acme.globex.id}`, 'Globex');
  await guest.sees('Waiting until');
  await tour.looks('customer, a contact waiting');
  await guest.page.locator('summary', { hasText: 'Recent activity' }).first().click();
  await guest.press('Actions for maria@globex.test');
  await tour.looks('customer, gear and activity open');
}

async function log(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const maria = await tour.enrolled(acme.maria);
  const noor = await tour.enrolled(acme.noor);
  const otto = await tour.enrolled(acme.otto);
  await guesses(world, acme.maria, maria.secret, 2);
  for (const code of [world.codeFor(maria.secret, -8), world.codeFor(noor.secret)])
    await answers(world.installation, await challenged(world.installation, acme.maria), code);
  await tour.comesIn(acme.otto, otto);
  await tour.worksAt(`/customers/${acme.globex.id}`, 'Globex');
  await guest.sees('about 4 minutes slow');
  await tour.looks('customer, why codes were refused');
  await guest.press('Audit log');
  await guest.arrives('Audit log');
  await guest.sees('The log has not been checked yet.');
  const watch = openWatch(world.installation);
  await appendLinks(world.installation);
  await watch.turn();
  await tour.worksAt('/audit', 'Audit log');
  await guest.sees('complete, no gaps');
  await guest.page.locator('summary', { hasText: 'Details' }).nth(1).click();
  await guest.sees('Place in the chain');
  await tour.looks('audit log, details open');
  await guest.write('Whom', acme.noor.email);
  await guest.press('Filter');
  await guest.sees('Noor Haddad turned MFA on');
  await guest.write('From', '2031-01-01');
  await guest.press('Filter');
  await guest.sees('No entries match.');
  await tour.looks('audit log, none match');
  await guest.press('Clear filters');
  await guest.sees('Otto Lind signed in');
  await world.change(sql`UPDATE audit_rows SET result = 'wrong' WHERE action = 'organization.created'`);
  await world.change(sql`DELETE FROM audit_checks`);
  await watch.finish();
  await openWatch(world.installation).turn();
  await guest.press('Export CSV');
  await guest.arrives('Export of the audit log, CSV');
  await openRunner(world.installation).turn();
  await tour.worksAt('/jobs', 'Jobs');
  await guest.press('Export of the audit log, CSV');
  await guest.sees('Download');
  await tour.looks('audit log, exported');
  await tour.worksAt('/audit', 'Audit log');
  await guest.sees('Entry 1 has been changed.');
  await tour.looks('audit log, changed');
}

async function forms(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt('/customers/new', 'Add customer');
  await tour.looks('add customer');
  await guest.press('Add customer');
  await guest.sees("Enter the customer's name");
  await tour.looksAtError('add customer, empty');
  const customer = `/customers/${acme.globex.id}`;
  await tour.worksAt(`${customer}/edit`, 'Edit customer');
  await tour.looks('edit customer');
  await guest.write('Customer name', '');
  await guest.press('Save');
  await guest.sees("Enter the customer's name");
  await tour.looksAtError('edit customer, empty');
  await tour.worksAt(`${customer}/contacts/new`, 'Add contact');
  await tour.looks('add contact');
  await guest.write('Name', 'Eve Moreau');
  await guest.write('Email', acme.eve.email);
  await guest.press('Add contact');
  await guest.sees('Another contact has this email already.');
  await tour.looksAtError('add contact, taken');
  await tour.worksAt(`${customer}/contacts/${acme.maria.id}/edit`, 'Edit contact');
  await tour.looks('edit contact');
  await guest.write('Email', 'maria');
  await guest.press('Save');
  await guest.sees('Enter an email address in the right format');
  await tour.looksAtError('edit contact, no address');
}

async function reset(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.requiresMfa();
  await tour.enrolled(acme.maria);
  await tour.comesIn(acme.sam, await tour.enrolled(acme.sam));
  const contact = (id: string): string => `/customers/${acme.globex.id}/contacts/${id}/reset-mfa`;
  await tour.worksAt(contact(acme.maria.id), 'Reset MFA for Maria Silva?');
  await tour.looks('reset');
  await guest.mark('Other');
  await guest.press('Reset MFA');
  await guest.sees('Say how you checked, in 10 characters or more');
  await tour.looksAtError('reset, without a note');
  tour.waits(11);
  await tour.worksAt(contact(acme.maria.id), 'Reset MFA for Maria Silva?');
  await guest.press('Reset MFA');
  await guest.sees('Choose how you checked');
  await tour.looksAtError('reset, empty');
  await tour.worksAt(contact(acme.noor.id), 'Reset MFA for Noor Haddad?');
  await guest.sees("There's nothing to reset.");
  await tour.looks('reset, nothing there');
}

async function access(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const { secret } = await tour.enrolled(acme.maria);
  const ada = await tour.enrolled(acme.ada);
  await guesses(world, acme.maria, secret, 6);
  await tour.comesIn(acme.ada, ada);
  const maria = `/customers/${acme.globex.id}/contacts/${acme.maria.id}`;
  await tour.worksAt(`${maria}/unlock`, 'Unlock Maria Silva?');
  await guest.sees('entered too many wrong codes');
  await tour.looks('unlock, waiting');
  await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${acme.maria.id}`);
  await tour.worksAt(`/customers/${acme.globex.id}`, 'Globex');
  await guest.sees('Password may be known to someone else');
  await tour.looks('customer, a password suspected');
  await tour.worksAt(`${maria}/unlock`, 'Unlock Maria Silva?');
  await tour.looks('unlock, password suspected');
  await guest.press('Unlock');
  await guest.arrives('Make a welcome link for Maria Silva?');
  await tour.looks('welcome link, to make');
  await guest.press('Make welcome link');
  await guest.arrives('Welcome link for Maria Silva');
  await tour.looks('welcome link');
  await tour.worksAt(`${maria}/disable`, 'Disable portal access for Maria Silva?');
  await tour.looks('disable');
  await guest.press('Disable portal access');
  await guest.arrives('Globex');
  await tour.looks('customer, portal access off');
  await tour.worksAt(`${maria}/unlock`, 'Unlock Maria Silva?');
  await guest.sees("Maria Silva isn't locked.");
  await tour.looks('unlock, not locked');
}

/** Owns a merchant that has no customers. */
async function ownerOfNothing({ world }: Tour): Promise<Person> {
  const { installation } = world;
  const draft = { slug: 'umbra', name: 'Umbra', contactDetails: 'By post', timeZone: 'UTC' };
  const umbra = await installation.db.transaction((tx) => createOrganization(tx, installation, OPERATOR, draft));
  if (!umbra) throw new Error('the slug is taken');
  return addStaff(installation, umbra, 'Una Falk', 'owner');
}
