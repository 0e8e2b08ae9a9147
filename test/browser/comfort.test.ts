import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { ENABLE, CODE, FIRST_CODE, Phone, codesOnScreen, givesPassword } from './ways.ts';
import { openChromium, type Seat, type Somebody } from './somebody.ts';
import { Tour } from './tour.ts';

const SIGN_IN = 'Sign in to Acme Billing';
const ONE_CODE_FIELD = {
  type: 'text',
  inputmode: 'numeric',
  autocomplete: 'one-time-code',
  autocapitalize: 'off',
  spellcheck: 'false',
  enterkeyhint: 'done',
  dir: 'ltr',
};

describe('what people do in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());
  const at = (walk: (tour: Tour) => Promise<void>, seat: Seat = {}) => Tour.through(browser, walk, {}, seat);

  test('Maria pastes the code with a space in it, and nothing is sent before she presses Continue', () =>
    at(async (tour) => {
      const { guest, acme, world } = tour;
      const { secret } = await enrolledMaria(tour);
      await tour.knocks(acme.maria);
      await guest.arrives(CODE);
      const sent = posts(guest);
      const code = world.codeFor(secret);
      await guest.page.evaluate(`navigator.clipboard.writeText('${code.slice(0, 3)} ${code.slice(3)}')`);
      await guest.page.keyboard.press('Control+V');
      await guest.page.waitForTimeout(300);
      assert.equal(await guest.page.getByLabel(CODE).inputValue(), `${code.slice(0, 3)} ${code.slice(3)}`);
      assert.deepEqual(sent, [], 'nothing is sent by itself');
      await guest.press('Continue');
      await guest.arrives('Documents');
    }));

  test('the code is one field, as phones and password managers know it', () =>
    at(async (tour) => {
      const { guest, acme } = tour;
      await enrolledMaria(tour);
      await tour.knocks(acme.maria);
      await guest.arrives(CODE);
      const fields = guest.page.locator('input');
      assert.equal(await fields.count(), 1);
      for (const [name, value] of Object.entries(ONE_CODE_FIELD))
        assert.equal(await fields.getAttribute(name), value, name);
      for (const name of ['maxlength', 'pattern', 'required'])
        assert.equal(await fields.getAttribute(name), null, name);
    }));

  test('Back never shows what was left, and sends nothing again', () =>
    at(async (tour) => {
      const { guest, acme } = tour;
      await tour.comesIn(acme.maria, await enrolledMaria(tour));
      const sent = posts(guest);
      await guest.page.goBack();
      await guest.arrives('Documents');
      await guest.press('Security');
      await guest.arrives('Account security');
      await guest.press('Sign out');
      await guest.arrives(SIGN_IN);
      for (const _ of ['security', 'documents']) {
        await guest.page.goBack();
        await guest.arrives(SIGN_IN);
        await guest.seesNot('Maria Silva');
      }
      assert.deepEqual(sent, ['/portal/acme/sign-out']);
    }));

  test('a page that was refused begins with what is wrong, without JavaScript too', () =>
    at(
      async (tour) => {
        const { guest } = tour;
        await tour.comesTo('/sign-in', SIGN_IN);
        await guest.press('Sign in');
        await guest.sees('There is a problem');
        assert.match(await guest.page.title(), /^Error: /);
        assert.equal(await guest.page.evaluate('document.activeElement.textContent'), 'Enter your email');
      },
      { script: false },
    ));

  test('a password can be looked at while it is typed', () =>
    at(async (tour) => {
      const { guest } = tour;
      await tour.comesTo('/sign-in', SIGN_IN);
      await guest.write('Password', 'wrong one');
      const field = guest.page.getByLabel('Password', { exact: true });
      await guest.press('Show password');
      assert.equal(await field.getAttribute('type'), 'text');
      await guest.press('Hide password');
      assert.equal(await field.getAttribute('type'), 'password');
    }));

  test('what is printed is the codes and what belongs to them, on one sheet, black on white', () =>
    at(
      async (tour) => {
        const { guest, acme, origin } = tour;
        const codes = await codesOf(tour);
        const { page } = guest;
        await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
        const lines = (await page.evaluate<string>('document.body.innerText'))
          .split('\n')
          .filter((line) => line !== '');
        assert.deepEqual(lines, [
          'Acme Billing – backup codes',
          `Account: ${acme.maria.email}`,
          'Made: 24 November 2026, 09:00 (UTC)',
          `Sign in at: ${origin}/portal/acme`,
          "Each code works once. We can't show them again.",
          ...codes,
          'Good places: a password manager, or paper in a safe place. Not good: only on the same phone, or in your email.',
          'New codes replace these. Lost your phone? Sign in, choose "I can\'t get a code", then "Use a backup code".',
        ]);
        const colours = '(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))';
        assert.deepEqual(await page.evaluate(colours), ['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
        const sheets = (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page\b/g);
        assert.equal(sheets?.length, 1);
      },
      { scheme: 'dark' },
    ));

  test('leaving the backup codes unsaved asks first, leaving them saved does not', () =>
    at(async (tour) => {
      const { guest } = tour;
      await codesOf(tour);
      const asked: string[] = [];
      guest.page.on('dialog', (dialog) => {
        asked.push(dialog.type());
        void dialog.dismiss();
      });
      await guest.page.getByRole('link', { name: 'Acme Billing' }).click();
      await guest.page.waitForTimeout(200);
      assert.deepEqual(asked, ['beforeunload']);
      await guest.press('Copy');
      await guest.sees('Copied 5 backup codes.');
      await guest.page.getByRole('link', { name: 'Acme Billing' }).click();
      await guest.arrives(SIGN_IN);
      assert.deepEqual(asked, ['beforeunload']);
    }));

  test('Sam walks the gear’s menu with the keys that menus have, and Esc brings him back', () =>
    at(async (tour) => {
      const { guest, acme } = tour;
      await tour.comesIn(acme.sam, await tour.enrolled(acme.sam));
      await tour.worksAt(`/customers/${acme.globex.id}`, 'Globex');
      const gear = guest.page.getByRole('button', { name: `Actions for ${acme.noor.email}` });
      await gear.focus();
      const walk: [key: string, comesTo: string][] = [
        ['ArrowDown', 'Reset Portal MFA'],
        ['ArrowDown', 'Make sign-in code'],
        ['End', 'Delete'],
        ['ArrowDown', 'Reset Portal MFA'],
        ['ArrowUp', 'Delete'],
        ['Home', 'Reset Portal MFA'],
        ['d', 'Disable portal access'],
        ['d', 'Delete'],
        ['Escape', `Actions for ${acme.noor.email}`],
      ];
      for (const [key, comesTo] of walk) {
        await guest.page.keyboard.press(key);
        const there = guest.page.getByRole(key === 'Escape' ? 'button' : 'menuitem', { name: comesTo });
        const focused = there.and(guest.page.locator(':focus'));
        await focused.waitFor().catch(() => assert.fail(`${key} does not come to "${comesTo}"`));
      }
      await gear.and(guest.page.getByRole('button', { expanded: false })).waitFor();
    }));

  test('a page weighs next to nothing', () =>
    at(async (tour) => {
      const { guest } = tour;
      const weights: Record<string, number> = {};
      guest.page.on('response', (response) => {
        const type = response.headers()['content-type'] ?? '';
        const kind = /css|javascript/.exec(type)?.[0];
        if (kind) void response.body().then((body) => (weights[kind] = (weights[kind] ?? 0) + gzipSync(body).length));
      });
      await guest.page.goto(`${tour.origin}/portal/acme/sign-in`, { waitUntil: 'networkidle' });
      assert.ok((weights['css'] ?? Infinity) <= 12_000, `${weights['css']} bytes of CSS`);
      assert.ok((weights['javascript'] ?? Infinity) <= 6_000, `${weights['javascript']} bytes of JavaScript`);
    }));
});

async function enrolledMaria(tour: Tour): ReturnType<Tour['enrolled']> {
  await tour.requiresMfa();
  return tour.enrolled(tour.acme.maria);
}

/** Brings Maria to her backup codes. */
async function codesOf(tour: Tour): Promise<string[]> {
  const { guest, acme, world } = tour;
  await tour.requiresMfa();
  const phone = new Phone(world);
  await tour.comesTo('/sign-in', SIGN_IN);
  await givesPassword(guest, acme.maria);
  await guest.arrives(ENABLE);
  await guest.press('Configure');
  await guest.arrives('Scan the QR code');
  phone.scan(await guest.scansTheScreen());
  await guest.press('Next');
  await guest.arrives(FIRST_CODE);
  await guest.write(FIRST_CODE, phone.shows);
  await guest.press('Verify');
  await guest.press('Enable MFA');
  await guest.press('Generate Backup Codes');
  return codesOnScreen(guest);
}

/** The paths that forms are sent to from now on. */
function posts({ page }: Somebody): string[] {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(new URL(request.url()).pathname);
  });
  return sent;
}
