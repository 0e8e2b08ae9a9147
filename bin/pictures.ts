// The pictures in docs/pictures, taken off the running demo while somebody follows its guide.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { start } from '../test/browser/program.ts';
import { openChromium, Somebody } from '../test/browser/somebody.ts';
import { CODE, ENABLE, FIRST_CODE, givesCode, givesPassword } from '../test/browser/ways.ts';

const FOLDER = join(import.meta.dirname, '../docs/pictures');
const PASSWORD = 'harbour lantern copper';

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const browser = await openChromium();
try {
  await using demo = await start('demo');
  await ofTheConsole(browser, demo.origin);
  await ofThePortal(browser, demo.origin);
} finally {
  await browser.close();
}

async function ofTheConsole(in_: Browser, origin: string): Promise<void> {
  const ada = await Somebody.at(in_);
  await ada.go(`${origin}/admin/sign-in`);
  await givesPassword(ada, { email: 'ada@acme.test', password: PASSWORD });
  await givesCode(ada, await pocket(ada.page));
  await ada.arrives('Overview');
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

async function ofThePortal(in_: Browser, origin: string): Promise<void> {
  const noor = await Somebody.at(in_, { scale: 2 });
  await noor.go(`${origin}/portal/acme`);
  await givesPassword(noor, { email: 'noor@initech.test', password: PASSWORD });
  await noor.arrives(ENABLE);
  await noor.press('Configure');
  await noor.arrives('Scan the QR code');
  await take(noor.page, 'scan');
  await noor.press('Next');
  await noor.arrives(FIRST_CODE);
  await noor.leaves();
  const maria = await Somebody.at(in_, { scale: 2 });
  await maria.go(`${origin}/portal/acme`);
  await givesPassword(maria, { email: 'maria@globex.test', password: PASSWORD });
  await maria.arrives(CODE);
  await take(maria.page, 'code');
  await maria.leaves();
}

async function take(page: Page, name: string): Promise<void> {
  // The demo's own help is no part of the product.
  await page.locator('[data-pocket]').evaluateAll((all: { remove(): void }[]) => all.forEach((it) => it.remove()));
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

async function pocket(page: Page): Promise<string> {
  const code = page.getByRole('complementary', { name: 'Pocket authenticator' }).locator('code');
  return (await code.innerText()).replace(' ', '');
}
