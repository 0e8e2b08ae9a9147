import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { enrol } from '../acme.ts';
import { confirming } from '../confirmation.ts';
import { deliver, linkIn, openMailbox, type Mailbox } from '../mailbox.ts';
import { openChromium, Somebody } from './somebody.ts';
import { Tour } from './tour.ts';
import * as ways from './ways.ts';
import { ENABLE, FIRST_CODE } from './ways.ts';

const CONFIRM = "Confirm that it's you";
const WORKS = 'Your authenticator app works';

describe('confirming a new authenticator, in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('by the mailed link, which helps in no other browser, with script', () =>
    Tour.through(browser, (tour) => byLink(tour, (state, sight) => tour.looks(state, sight)), { mailIsOn: true }));

  test('and without', () =>
    Tour.through(browser, (tour) => byLink(tour, nobodyLooks), { mailIsOn: true }, { script: false }));

  test('by a code that staff make, with the keyboard alone, where no mail can be sent', () =>
    Tour.through(browser, byCode, {}, { hand: 'keyboard' }));
});

async function comesToConfirm(tour: Tour): Promise<void> {
  const { acme, guest, world } = tour;
  await tour.requiresMfa();
  await confirming(world, acme.organization);
  await tour.knocks(acme.noor);
  await guest.arrives(ENABLE);
  await guest.press('Configure');
  await guest.arrives('Scan the QR code');
  const phone = new ways.Phone(world);
  phone.scan(await guest.scansTheScreen());
  await guest.press('Next');
  await guest.arrives(FIRST_CODE);
  await guest.write(FIRST_CODE, phone.next());
  await guest.press('Verify');
  await guest.arrives(CONFIRM);
}

// axe needs script, and the pages are the same.
const nobodyLooks = (): Promise<void> => Promise.resolve();

async function byLink(tour: Tour, looks: Tour['looks']): Promise<void> {
  await using mailbox = await openMailbox();
  const { guest, origin } = tour;
  await comesToConfirm(tour);
  await guest.sees("We've emailed a link to noor@globex.test.");
  await looks('confirm, mailed');
  await guest.press("I've opened the link");
  await guest.arrives(CONFIRM);
  const link = await newestLink(tour, mailbox);
  const elsewhere = await Somebody.at(browserOf(guest), { script: false });
  await elsewhere.go(link);
  await elsewhere.press('Confirm setup');
  await elsewhere.arrives('Open this link where you began');
  await elsewhere.leaves();
  await guest.press("I can't find the email");
  await guest.sees('You can have it sent again at');
  tour.waits(1);
  await guest.go(guest.page.url());
  await guest.press("I can't find the email");
  await looks('confirm, a minute later');
  await guest.press('Send it again');
  await guest.arrives(CONFIRM);
  await guest.go(link);
  await guest.arrives('This link no longer works');
  await looks('confirm, an old link', { error: true, merchant: 'Acme Billing' });
  const tab = await guest.context.newPage();
  // A mail program: another site, whose links bring no cookie that is Strict.
  const mail = `<a href="${await newestLink(tour, mailbox)}">Confirm</a>`;
  await tab.goto(`data:text/html,${encodeURIComponent(mail)}`);
  await tab.getByText('Confirm').click();
  await tab.getByRole('heading', { name: CONFIRM }).waitFor();
  await tab.getByRole('button', { name: 'Confirm setup' }).click();
  await tab.getByRole('heading', { name: WORKS }).waitFor();
  await tab.close();
  await guest.go(`${origin}/portal/acme/enable-mfa/confirm`);
  await guest.arrives(WORKS);
  await guest.press('Enable MFA');
  await guest.arrives('MFA is on');
}

/** What Noor reads in her newest mail. */
async function newestLink({ acme, world, origin }: Tour, mailbox: Mailbox): Promise<string> {
  await deliver(world, mailbox, { publicUrl: origin });
  const letter = mailbox.to(acme.noor).at(-1);
  assert.ok(letter);
  assert.equal(letter.subject, 'Confirm your authenticator app for Acme Billing');
  assert.match(letter.text, /This works once, and until 24 November 2026/);
  return linkIn(letter);
}

async function byCode(tour: Tour): Promise<void> {
  const { acme, guest, world, origin } = tour;
  const kept = await enrol(world.installation, acme.sam);
  await comesToConfirm(tour);
  await guest.sees("We can't send email just now.");
  await tour.looks('confirm, mail is off');
  const sam = await Somebody.at(browserOf(guest));
  world.clock.advance(ways.STEP_MS);
  await sam.go(`${origin}/admin/sign-in`);
  await ways.givesPassword(sam, acme.sam);
  await ways.givesCode(sam, world.codeFor(kept.secret));
  await sam.arrives('Overview');
  await sam.go(`${origin}/admin/customers/${acme.globex.id}`);
  await sam.press(`Actions for ${acme.noor.email}`);
  await sam.press('Setup code');
  await sam.arrives('Make a setup code for Noor Haddad?');
  await sam.mark('Called the number on file');
  await sam.press('Make setup code');
  await sam.arrives('Setup code for Noor Haddad');
  const code = await sam.page.locator('#setup-code').innerText();
  await sam.leaves();
  await guest.write(
    'Setup code',
    code.replace(/\d$/, (last) => String((Number(last) + 1) % 10)),
  );
  await guest.press('Confirm');
  await guest.sees("That setup code isn't right.");
  await tour.looksAtError('confirm, wrong code');
  await guest.write('Setup code', code);
  await guest.press('Confirm');
  await guest.arrives(WORKS);
  assert.equal(guest.path, '/portal/acme/enable-mfa/enable');
}

function browserOf({ context }: Somebody): Browser {
  const browser = context.browser();
  assert.ok(browser);
  return browser;
}
