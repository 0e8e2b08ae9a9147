import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openRunner } from '../../src/jobs/runner.ts';
import { openChromium, type Somebody } from './somebody.ts';
import { Tour } from './tour.ts';

const PEOPLE = [
  'Display Name,Contact ID,First Name,Last Name,EmailID,Phone,Portal Enabled,Language Code',
  'Umbra Studio,460001,Iva,Import,iva@umbra.test,+1 555 0100,true,en',
  'Umbra Studio,460001,Ida,Import,ida@umbra.test,,true,en',
  ',,,,,,,xx',
  'Globex,,Maria,Silva,maria@globex.test,,true,en',
  'Hooli Farms,460002,Gavin,Hooli,gavin@,,maybe,en',
  'Umbra Studio,460001,Iva,Again,iva@umbra.test,,true,en',
].join('\r\n');

async function chooses(guest: Somebody, file: string): Promise<void> {
  const buffer = Buffer.from(file);
  await guest.page
    .getByLabel('File', { exact: true })
    .setInputFiles({ name: 'contacts.csv', mimeType: 'text/csv', buffer });
}

describe('Ada imports a file of contacts in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('with every page fit for everybody', () => Tour.through(browser, looksAround));
  test('with scripts switched off', () => Tour.through(browser, imports, {}, { script: false }));
  test('with the keyboard alone', () => Tour.through(browser, imports, {}, { hand: 'keyboard' }));
  test('by dropping it on the page', () => Tour.through(browser, drops));
});

async function looksAround(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt('/customers/import', 'Import customers');
  await tour.looks('import, upload');
  await guest.press('Upload');
  await guest.sees('Choose a file');
  await tour.looksAtError('import, no file');
  await chooses(guest, PEOPLE);
  await guest.press('Upload');
  await guest.arrives('Check before importing');
  await guest.sees('2 new · 0 changed · 1 unchanged · 2 with errors · 1 repeated', 'Nothing has been saved yet.');
  await guest.press('Email is missing (1)');
  await guest.press('Which column is which');
  await tour.looks('import, check');
  tour.waits(11);
  await guest.press('Import 2 customers');
  await guest.arrives("Confirm it's you");
  await guest.sees("You're about to import");
  await tour.worksAt('/customers/export', 'Export customers');
  await tour.looks('export');
  await tour.worksAt('/customers/import-documents', 'Import documents');
  await guest.press('Import documents');
  await guest.sees('Choose a file');
  await tour.looksAtError('documents, no file');
  await openRunner(world.installation).turn();
}

async function imports(tour: Tour): Promise<void> {
  const { guest, acme, world, origin } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt('/customers/import', 'Import customers');
  await chooses(guest, PEOPLE);
  await guest.mark('Update customers that exist');
  await guest.press('Upload');
  await guest.arrives('Check before importing');
  await guest.press('Import 2 customers');
  await guest.arrives('Import 2 customers');
  await openRunner(world.installation).turn();
  await guest.go(`${origin}${guest.path}`);
  await guest.sees('Finished with 3 errors');
  await tour.worksAt('/customers', 'Customers');
  await guest.sees('Umbra Studio', 'Iva Import', 'ida@umbra.test');
}

/** Drops a file as a hand would that let it go over the page's frame for it. */
const DROP = `(text) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], 'contacts.csv', { type: 'text/csv' }));
  const frame = document.querySelector('[data-drop]');
  for (const type of ['dragover', 'drop'])
    frame.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}`;

async function drops(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt('/customers/import', 'Import customers');
  await guest.page.evaluate(`(${DROP})(${JSON.stringify(PEOPLE)})`);
  await guest.press('Upload');
  await guest.arrives('Check before importing');
  await guest.sees('contacts.csv');
}
