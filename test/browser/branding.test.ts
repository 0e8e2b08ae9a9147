import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openChromium, type Somebody } from './somebody.ts';
import { Tour } from './tour.ts';

const BRANDING = '/settings/customer-portal/branding';

describe('branding, in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('every state of its page, and the portal in a colour that is hard to read, are fit for everybody', () =>
    Tour.through(browser, branding));

  test('Ada brands the portal without script, and a customer finds it so', () =>
    Tour.through(browser, withoutScript, {}, { script: false }));

  test('the picker and the line of text hold one colour, whichever is changed', () => Tour.through(browser, picks));

  test('a logo that comes late moves nothing on the page', () => Tour.through(browser, late));
});

async function withoutScript(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt(BRANDING, 'Branding');
  await guest.page.getByLabel('Or pick it').fill('#a3124f');
  await guest.write('Display name', 'Acme Bills');
  await guest.page.getByLabel('Time zone').selectOption('Asia/Tokyo');
  await chooses(guest, 'x', Buffer.from(DOT, 'base64'));
  await guest.press('Save');
  await guest.sees('Saved.', 'We use #a3124f as it is on light');
  await tour.comesTo('/sign-in', 'Sign in to Acme Bills');
  const logo = guest.page.getByRole('img', { name: 'Acme Bills' });
  assert.deepEqual(await logo.boundingBox().then((box) => [box?.width, box?.height]), [1, 1]);
  const fill = `getComputedStyle(document.querySelector('button.main')).backgroundColor`;
  assert.equal(await guest.page.evaluate<string>(fill), 'rgb(163, 18, 79)');
}

// A PNG of one pixel.
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

async function picks(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt(BRANDING, 'Branding');
  const line = guest.page.getByLabel('Accent colour');
  const picker = guest.page.getByLabel('Or pick it');
  await picker.fill('#a3124f');
  assert.equal(await line.inputValue(), '#a3124f');
  await guest.write('Accent colour', '#FFD400');
  assert.equal(await picker.inputValue(), '#ffd400');
  await guest.write('Accent colour', '#ff');
  assert.equal(await picker.inputValue(), '#ffd400', 'half a colour is none');
  await guest.write('Accent colour', '#123456');
  await guest.press('Save');
  await guest.sees('We use #123456 as it is on light');
}

async function late(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await tour.comesIn(acme.ada, await tour.enrolled(acme.ada));
  await tour.worksAt(BRANDING, 'Branding');
  await chooses(guest, 'logo.png', await wordmark(guest));
  await guest.press('Save');
  await guest.sees('Saved.');
  let release: (() => void) | undefined;
  const held = new Promise<void>((done) => (release = done));
  await guest.page.route('**/portal/acme/logo*', async (route) => {
    await held;
    await route.continue();
  });
  await guest.page.goto(`${tour.origin}/portal/acme/sign-in`, { waitUntil: 'domcontentloaded' });
  await guest.arrives('Sign in to Acme Billing');
  const place = (): Promise<unknown> => guest.page.getByLabel('Email').boundingBox();
  const early = await place();
  const arrived = guest.page.waitForResponse(/portal\/acme\/logo/);
  release?.();
  await (await arrived).finished();
  await guest.page.locator('img.logo').evaluate((it: PageElement) => it.decode());
  assert.deepEqual(await place(), early);
}

/** What of an element in the page is asked for here: these files are compiled without a browser's own types. */
interface PageElement {
  decode(): Promise<void>;
}

async function branding(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  const ada = await tour.enrolled(acme.ada);
  const otto = await tour.enrolled(acme.otto);
  await tour.comesIn(acme.ada, ada);
  await guest.press('Settings');
  await guest.press('Branding');
  await guest.arrives('Branding');
  await tour.looks('branding');
  await guest.write('Display name', '');
  await guest.write('Accent colour', 'yellow');
  await chooses(guest, 'logo.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await guest.press('Save');
  await guest.sees('Enter a display name', 'an SVG can carry script');
  await tour.looksAtError('branding, refused');
  for (const [name, colour] of DIFFICULT) {
    await tour.worksAt(BRANDING, 'Branding');
    await guest.write('Accent colour', colour);
    await chooses(guest, 'logo.png', await wordmark(guest));
    await guest.press('Save');
    await guest.sees('Saved.', 'We use');
    await tour.looks(`branding, ${name}`);
    await tour.comesTo('/sign-in', 'Sign in to Acme Billing');
    await tour.looks(`portal, ${name}`);
  }
  await tour.comesIn(acme.otto, otto);
  await tour.worksAt(BRANDING, 'Branding');
  await guest.seesNot('Save');
  await tour.looks('branding, to read');
}

const DIFFICULT = [
  ['yellow', '#ffd400'],
  ['nearly white', '#fdfdf8'],
  ['nearly black', '#0a0a12'],
  ['mid grey', '#808080'],
] as const;

/** Chooses a file from the disk, whose name says nothing that counts. */
async function chooses({ page }: Somebody, name: string, content: string | Buffer): Promise<void> {
  const file = { name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) };
  await page.getByLabel('Logo', { exact: true }).setInputFiles(file);
}

/** A logo of words on nothing, as Chromium draws and writes it. */
async function wordmark({ page }: Somebody): Promise<Buffer> {
  const url = await page.evaluate<string>(`(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 160 });
    const pen = canvas.getContext('2d');
    pen.font = 'bold 110px serif';
    pen.fillStyle = '#1d2a57';
    pen.fillText('Acme ⬢ Bills', 10, 120);
    return canvas.toDataURL('image/png');
  })()`);
  return Buffer.from(url.split(',')[1] ?? '', 'base64');
}
