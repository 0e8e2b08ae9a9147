// The pictures in docs/pictures, taken off the running demo while somebody follows its guide.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { PASSWORD } from '../src/demo/seed.ts';
import { start } from '../test/browser/program.ts';
import { openChromium, Somebody } from '../test/browser/somebody.ts';
import { CODE, ENABLE, givesCode, givesPassword } from '../test/browser/ways.ts';

const FOLDER = join(import.meta.dirname, '../docs/pictures');

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const chromium = await openChromium();
try {
  await using demo = await start('demo');
  await ofTheConsole(chromium, demo.origin);
  await ofThePortal(chromium, demo.origin);
  await ofBoth(chromium, demo.origin);
} finally {
  await chromium.close();
}

async function ofTheConsole(browser: Browser, origin: string): Promise<void> {
  const ada = await Somebody.at(browser);
  await ada.go(`${origin}/admin/sign-in`);
  await givesPassword(ada, { email: 'ada@acme.test', password: PASSWORD });
  await givesCode(ada, await pocket(ada.page));
  await ada.arrives('Overview');
  await ada.page
    .getByText('of your customers use MFA')
    .first()
    .evaluate((it: { scrollIntoView(): void }) => it.scrollIntoView());
  await take(ada.page, 'overview');
  await ada.press('Customers');
  await ada.arrives('Customers');
  await ada.page.getByRole('link', { name: 'Globex' }).first().click();
  await ada.arrives('Globex');
  await ada.press('Actions for maria@globex.test');
  await take(ada.page, 'customer');
  await ada.page.keyboard.press('Escape');
  await ada.press('Settings');
  await ada.arrives('Customer Portal');
  await ada.press('General');
  await ada.arrives('General');
  await ada.mark('Enable multi-factor authentication (MFA)');
  await take(ada.page, 'settings');
  await ada.press('Save');
  await ada.sees('MFA is on for all customers.');
  await ada.leaves();
}

async function ofThePortal(browser: Browser, origin: string): Promise<void> {
  const noor = await Somebody.at(browser);
  await noor.go(`${origin}/portal/acme`);
  await givesPassword(noor, { email: 'noor@initech.test', password: PASSWORD });
  await noor.arrives(ENABLE);
  await noor.press('Configure');
  await noor.arrives('Scan the QR code');
  await take(noor.page, 'scan');
  await noor.leaves();
  const maria = await Somebody.at(browser);
  await maria.go(`${origin}/portal/acme`);
  await givesPassword(maria, { email: 'maria@globex.test', password: PASSWORD });
  await maria.arrives(CODE);
  await take(maria.page, 'code');
  await maria.leaves();
}

/** The QR step as a browser shows it, and the code asked for on a phone in the dark, side by side. */
async function ofBoth(browser: Browser, origin: string): Promise<void> {
  const noor = await Somebody.at(browser, { scale: 2, width: 960, height: 600 });
  await noor.go(`${origin}/portal/acme`);
  await givesPassword(noor, { email: 'noor@initech.test', password: PASSWORD });
  await noor.press('Configure');
  await noor.arrives('Scan the QR code');
  const desk = await shot(noor.page);
  await noor.leaves();
  const maria = await Somebody.at(browser, { scale: 2, width: 320, height: 600, scheme: 'dark' });
  await maria.go(`${origin}/portal/acme`);
  await givesPassword(maria, { email: 'maria@globex.test', password: PASSWORD });
  await maria.arrives(CODE);
  const phone = await shot(maria.page);
  await maria.leaves();
  const visitor = await Somebody.at(browser, { scale: 2, height: 720 });
  await visitor.page.setContent(wall(desk, phone));
  await visitor.page.screenshot({ path: join(FOLDER, 'hero.png') });
  await visitor.leaves();
}

function wall(desk: Buffer, phone: Buffer): string {
  return `<style>
  body { margin: 0; background: #dcd8cb }
  img { position: absolute }
  .desk { width: 960px; inset: 60px auto auto 60px; border: 1px solid #7a847f; border-radius: 10px }
  .phone { width: 320px; inset: 54px 60px auto auto; border: 6px solid #1c2422; border-radius: 22px }
</style>
<img class="desk" src="data:image/png;base64,${desk.toString('base64')}" />
<img class="phone" src="data:image/png;base64,${phone.toString('base64')}" />`;
}

async function take(page: Page, name: string): Promise<void> {
  writeFileSync(join(FOLDER, `${name}.png`), await shot(page));
}

async function shot(page: Page): Promise<Buffer> {
  // The demo's own help is no part of the product.
  await page.locator('[data-pocket]').evaluateAll((all: { remove(): void }[]) => all.forEach((it) => it.remove()));
  return page.screenshot();
}

async function pocket(page: Page): Promise<string> {
  const code = page.getByRole('complementary', { name: 'Pocket authenticator' }).locator('code');
  return (await code.innerText()).replace(' ', '');
}
