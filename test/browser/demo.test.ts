import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openWorld, START } from '../world.ts';
import { CLOCKED } from '../program.ts';
import { start, type Running } from './program.ts';
import { openChromium, Somebody, type Seat } from './somebody.ts';
import * as ways from './ways.ts';
import { CODE, ENABLE, FIRST_CODE } from './ways.ts';

const MFA = 'Enable multi-factor authentication (MFA)';
const SOURCE = join(import.meta.dirname, '../../src');

describe('the demo', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('its guide leads somebody without a phone through the whole help page', async () => {
    await using demo = await start('demo', {}, [CLOCKED, String(START)]);
    const guest = await Guest.at(browser, demo, {});
    await guest.enables();
    await guest.configures();
    await guest.resets();
    await guest.disables();
    await guest.somebody.leaves();
  });

  test('its mail page says that there is no letter yet', async () => {
    await using demo = await start('demo');
    const page = await (await fetch(`${demo.origin}/demo/mail`)).text();
    assert.match(page, /Everybody’s mail/);
    assert.match(page, /No letter yet/);
  });

  test('its pocket authenticator shows a code without JavaScript too', async () => {
    await using demo = await start('demo');
    const guest = await Guest.at(browser, demo, { script: false });
    await guest.signsInToTheConsole('ada@acme.test');
    await guest.somebody.leaves();
  });
});

describe('outside the demo there is no pocket authenticator', () => {
  test('the server knows none of its addresses, whatever the environment says', async () => {
    const data = mkdtempSync(join(tmpdir(), 'sallyport-serve-'));
    try {
      const wishes = { SALLYPORT_DEMO: '1', SALLYPORT_POCKET: 'true', NODE_ENV: 'demo', DEMO: '1' };
      await using server = await start('serve', { ...wishes, SALLYPORT_DATA: data });
      for (const path of ['/demo', '/demo/pocket.js', '/demo/pocket/acme/maria', '/demo/mail']) {
        assert.equal((await fetch(server.origin + path)).status, 404, path);
      }
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  test('no page that asks for a code shows one', async () => {
    await using world = await openWorld('sqlite');
    const { ada } = await world.acme();
    const visitor = await world.visitor();
    await visitor.post('/admin/sign-in', { email: ada.email, password: ada.password });
    await visitor.post('/admin/enable-mfa');
    const page = await visitor.get('/admin/enable-mfa/verify');
    assert.equal(page.h1, FIRST_CODE);
    assert.doesNotMatch(page.text, /pocket|\/demo\//i);
  });

  test('main.ts is the only file that can load what the demo hands in', () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => /\.[jt]s$/.test(file));
    const loading = files.filter((file) => !file.startsWith('demo/') && /['"`][^'"`]*demo\//.test(read(file)));
    assert.deepEqual(loading, ['main.ts']);
    const handing = files.filter((file) => /\bpageExtra:/.test(read(file)));
    assert.deepEqual(handing.toSorted(), ['demo/demo.ts', 'demo/pocket.ts']);
  });
});

function read(file: string): string {
  return readFileSync(join(SOURCE, file), 'utf8');
}

/** Somebody who has just started the demo and does what its front page says, step by step. */
class Guest {
  readonly somebody: Somebody;
  readonly #demo: Running;
  #password = '';

  private constructor(somebody: Somebody, demo: Running) {
    this.somebody = somebody;
    this.#demo = demo;
  }

  static async at(browser: Browser, demo: Running, seat: Seat): Promise<Guest> {
    return new Guest(await Somebody.at(browser, seat), demo);
  }

  /** 1. Enable, as Ada, the owner */
  async enables(): Promise<void> {
    const ada = this.somebody;
    await this.signsInToTheConsole('ada@acme.test');
    await this.#opensGeneral();
    await ada.mark(MFA);
    await ada.press('Save');
    await ada.sees('MFA is on for all customers.');
    await ada.press('Sign out');
    await ada.sees('You have signed out.');
  }

  /** 2. Configure, as Noor, a customer */
  async configures(): Promise<void> {
    const noor = this.somebody;
    await this.#givesPassword('2.', 'Sign in to the portal', 'noor@initech.test');
    await noor.arrives(ENABLE);
    await noor.press('Configure');
    await noor.arrives('Scan the QR code');
    await noor.press('Next');
    await noor.arrives(FIRST_CODE);
    const used = await this.#pocket();
    await noor.write(FIRST_CODE, used);
    await noor.press('Verify');
    await noor.arrives('Your authenticator app works');
    await noor.press('Enable MFA');
    await noor.arrives('MFA is on');
    await ways.generatesCodes(noor);
    await noor.page.clock.install();
    await this.#givesPassword('2.', 'Sign in to the portal', 'noor@initech.test');
    await ways.givesCode(noor, used);
    await noor.sees('That code has already been used.');
    await ways.givesCode(noor, await this.#pocketAfter(used));
    await noor.arrives('Documents');
    await noor.sees('Signed in as Noor Haddad, Initech');
    assert.equal(await noor.page.getByRole('row').count(), 1 + 6, 'six documents');
    await noor.press('Sign out');
    await noor.sees('You have signed out.');
  }

  /** 3. Reset, as Sam, in support */
  async resets(): Promise<void> {
    const sam = this.somebody;
    await this.signsInToTheConsole('sam@acme.test', '3.');
    await sam.press('Customers');
    await sam.arrives('Customers');
    await sam.press('Initech');
    await sam.arrives('Initech');
    await sam.press('Actions for noor@initech.test');
    await sam.press('Reset Portal MFA');
    await sam.arrives('Reset MFA for Noor Haddad?');
    await sam.mark('Called the number on file');
    await sam.press('Reset MFA');
    await sam.sees('MFA reset for noor@initech.test.');
    await sam.press('Sign out');
    await sam.sees('You have signed out.');
  }

  /** 4. Disable, as Ada again */
  async disables(): Promise<void> {
    const somebody = this.somebody;
    await this.signsInToTheConsole('ada@acme.test', '4.');
    await this.#opensGeneral();
    await somebody.mark(MFA);
    await somebody.press('Save');
    await somebody.sees('MFA is off. 13 contacts still need their code.');
    await this.#givesPassword('4.', 'Sign in to the portal', 'maria@globex.test');
    await ways.givesCode(somebody, await this.#pocket());
    await somebody.arrives('Documents');
    await somebody.press('Sign out');
    await this.#givesPassword('4.', 'Sign in to the portal', 'noor@initech.test');
    await somebody.arrives('Documents');
  }

  async signsInToTheConsole(email: string, step = '1.'): Promise<void> {
    await this.#givesPassword(step, 'Sign in to the console', email);
    await ways.givesCode(this.somebody, await this.#pocket());
    await this.somebody.arrives('Overview');
  }

  async #opensGeneral(): Promise<void> {
    await this.somebody.press('Settings');
    await this.somebody.arrives('Customer Portal');
    await this.somebody.press('General');
    await this.somebody.arrives('General');
  }

  /** Reads the password off the guide and follows one of the links of a step. */
  async #givesPassword(step: string, link: string, email: string): Promise<void> {
    const { page } = this.somebody;
    await this.somebody.go(this.#demo.origin);
    await this.somebody.arrives('Follow the help page');
    this.#password ||= await page.getByText("Everybody's password is").locator('code').innerText();
    const part = page.locator('section').filter({ has: page.getByRole('heading', { name: new RegExp(`^${step}`) }) });
    await part.getByRole('link', { name: link, exact: true }).first().click();
    await ways.givesPassword(this.somebody, { email, password: this.#password });
  }

  /** The code that the banner shows half a minute later, which is another than the one that was used. */
  async #pocketAfter(used: string): Promise<string> {
    await this.somebody.arrives(CODE);
    await this.#demo.program.setClock(START + 30_000);
    await this.somebody.page.clock.runFor(30_000);
    const shown = this.#banner()
      .locator('code')
      .and(this.somebody.page.getByText(/^\d{3} \d{3}$/));
    await shown.filter({ hasNotText: `${used.slice(0, 3)} ${used.slice(3)}` }).waitFor();
    return this.#pocket();
  }

  async #pocket(): Promise<string> {
    return (await this.#banner().locator('code').innerText()).replace(' ', '');
  }

  #banner(): ReturnType<Somebody['page']['getByRole']> {
    return this.somebody.page.getByRole('complementary', { name: 'Pocket authenticator' });
  }
}
