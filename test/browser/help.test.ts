import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { sql } from '../../src/db/db.ts';
import { asks } from '../help.ts';
import { queued } from '../queued.ts';
import { DAY_MS } from '../world.ts';
import { openChromium, Somebody, type Seat } from './somebody.ts';
import { Tour } from './tour.ts';
import { ENABLE, enablesMfa, generatesCodes, givesCode, givesPassword, Phone } from './ways.ts';

const MAIL = { mailIsOn: true };

describe('help when everything is lost, in a browser', { concurrency: 2 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  const story = (seat: Seat) => () => Tour.through(browser, (tour) => asksAndIsHelped(browser, tour, seat), MAIL, seat);
  test('Maria asks, Sam approves after the wait, and Maria sets up again, with JavaScript', story({}));
  test('the same with JavaScript switched off', story({ script: false }));

  const spoken = (seat: Seat) => () => Tour.through(browser, (tour) => isReadACode(browser, tour, seat), MAIL, seat);
  test('Sam reads a code out, and Maria sets up a new app with it, with JavaScript', spoken({}));
  test('the same with JavaScript switched off', spoken({ script: false }));

  test('whoever did not ask cancels by the link in the mail', () => Tour.through(browser, cancels, MAIL));
  test('every page of it is fit for everybody: axe, light and dark, narrow and wide', () =>
    Tour.through(browser, everyPage));
});

async function asksAndIsHelped(browser: Browser, tour: Tour, seat: Seat): Promise<void> {
  const { guest: maria, acme, world } = tour;
  const sam = await samAtTheConsole(browser, tour, seat);
  await tour.knocks(acme.maria);
  await asksForHelp(maria, 'My phone is in the sea.');
  await maria.sees('Request sent. We have emailed maria@globex.test.', "Acme Billing hasn't answered yet");
  assert.ok((await queued(world, acme.maria)).some(({ kind }) => kind === 'recovery-asked'));
  await sam.page.reload();
  await sam.press('Recovery requests (1)');
  await sam.arrives('Recovery requests');
  await sam.press('Maria Silva');
  await sam.arrives('Maria Silva asks for help');
  await sam.sees('Nobody can approve it before', 'My phone is in the sea.', 'Do not call this number');
  world.clock.advance(DAY_MS);
  await comesBack(sam, tour);
  await sam.press('Recovery requests (1)');
  await sam.press('Maria Silva');
  await sam.arrives('Maria Silva asks for help');
  await sam.press('Approve and reset');
  await sam.sees('Choose how you checked');
  await sam.mark('Called the number on file');
  await sam.press('Approve and reset');
  await sam.arrives('Recovery requests');
  await sam.sees('MFA reset for maria@globex.test. They are told at their next sign-in and by email.', 'No requests');
  await tour.knocks(acme.maria);
  await setsUpAgain(tour);
  await sam.leaves();
}

async function isReadACode(browser: Browser, tour: Tour, seat: Seat): Promise<void> {
  const { guest: maria, acme, world } = tour;
  const sam = await samAtTheConsole(browser, tour, seat);
  await sam.go(`${tour.origin}/admin/customers/${acme.globex.id}`);
  await sam.press('Actions for maria@globex.test');
  await sam.press('Make sign-in code');
  await sam.arrives('Make a sign-in code for Maria Silva?');
  await sam.mark('Met in person');
  await sam.press('Make sign-in code');
  await sam.arrives('Sign-in code for Maria Silva');
  const code = await sam.page.locator('#code').innerText();
  assert.ok((await queued(world, acme.maria)).some(({ kind }) => kind === 'sign-in-code-made'));
  await tour.knocks(acme.maria);
  await maria.press("I can't get a code");
  await maria.press('Use a code from Acme Billing');
  await maria.arrives('Enter the code from Acme Billing');
  await maria.write('Enter the code from Acme Billing', code);
  await maria.press('Continue');
  await maria.arrives(ENABLE);
  await setsUpAgain(tour);
  await sam.leaves();
}

async function cancels(tour: Tour): Promise<void> {
  const { acme, world, guest } = tour;
  await tour.requiresMfa();
  await tour.enrolled(acme.maria);
  await asks(world, acme.maria);
  const letter = (await queued(world, acme.maria)).find(({ kind }) => kind === 'recovery-asked');
  await tour.comesTo(`/cancel-request/${String(letter?.facts['token'])}`, 'Cancel the request for help?');
  await tour.looks('cancel a request');
  await guest.press("This wasn't me: cancel");
  await guest.arrives('Request cancelled');
  await tour.looks('request cancelled');
  await tour.comesTo('/cancel-request/gone', 'There is nothing to cancel');
  await tour.looksAtError('nothing to cancel');
}

async function everyPage(tour: Tour): Promise<void> {
  const { acme, guest, world } = tour;
  await tour.requiresMfa();
  await tour.enrolled(acme.maria);
  const kept = await tour.enrolled(acme.sam);
  await tour.knocks(acme.maria);
  await guest.press("I can't get a code");
  await guest.press('Use a code from Acme Billing');
  await guest.arrives('Enter the code from Acme Billing');
  await tour.looks('code that was read out');
  await guest.press('Continue');
  await guest.sees('Enter the code');
  await tour.looksAtError('code that was read out, empty');
  await guest.press("I don't have my backup codes");
  await guest.arrives('Ask Acme Billing for help');
  await guest.press('Send request');
  await guest.sees('Choose what happened');
  await tour.looksAtError('ask for help, empty');
  await guest.mark('Something else');
  await guest.press('Send request');
  await guest.sees("Acme Billing hasn't answered yet");
  await tour.looks('asked for help');
  await guest.press('Cancel request');
  await guest.sees('Your request is cancelled.');
  await tour.comesIn(acme.sam, kept);
  await tour.worksAt('/recovery', 'Recovery requests');
  await tour.looks('no recovery requests');
  await asks(world, acme.maria);
  await tour.worksAt('/recovery', 'Recovery requests');
  await tour.looks('recovery requests');
  await guest.press('Maria Silva');
  await guest.arrives('Maria Silva asks for help');
  await tour.looks('recovery request, waiting');
  await world.change(sql`UPDATE recovery_requests SET wait_ends_at = ${world.clock.now}`);
  await world.change(sql`UPDATE accounts SET help_wait_until = NULL`);
  await guest.page.reload();
  await tour.looks('recovery request');
  await guest.press('Refuse');
  await guest.sees('Say why, in 10 characters or more');
  await tour.looks('recovery request, refused without a reason', { error: true });
  const contact = `/customers/${acme.globex.id}/contacts/${acme.maria.id}`;
  await tour.worksAt(`${contact}/sign-in-code`, 'Make a sign-in code for Maria Silva?');
  await tour.looks('make a sign-in code');
  await guest.mark('Met in person');
  await guest.press('Make sign-in code');
  await guest.arrives('Sign-in code for Maria Silva');
  await tour.looks('sign-in code');
}

async function samAtTheConsole(browser: Browser, tour: Tour, seat: Seat): Promise<Somebody> {
  const { acme, world, origin } = tour;
  await tour.requiresMfa();
  await tour.enrolled(acme.maria);
  const kept = await tour.enrolled(acme.sam);
  secrets.set(tour, kept.secret);
  const sam = await Somebody.at(browser, seat);
  await sam.go(`${origin}/admin/sign-in`);
  await givesPassword(sam, acme.sam);
  await givesCode(sam, world.codeFor(kept.secret));
  await sam.arrives('Overview');
  return sam;
}

const secrets = new WeakMap<Tour, Uint8Array>();

async function comesBack(sam: Somebody, tour: Tour): Promise<void> {
  await sam.go(`${tour.origin}/admin/sign-in`);
  await givesPassword(sam, tour.acme.sam);
  await givesCode(sam, tour.world.codeFor(secrets.get(tour) ?? new Uint8Array()));
  await sam.arrives('Overview');
}

async function asksForHelp(maria: Somebody, story: string): Promise<void> {
  await maria.press("I can't get a code");
  await maria.press("I don't have my backup codes");
  await maria.arrives('Ask Acme Billing for help');
  await maria.mark('I lost or changed my phone');
  await maria.write('Anything that helps (optional)', story);
  await maria.write('How can Acme Billing reach you? (optional)', '+1 555 0199');
  await maria.press('Send request');
}

async function setsUpAgain({ guest: maria, acme, world }: Tour): Promise<void> {
  const phone = new Phone(world);
  await enablesMfa(maria, phone);
  await generatesCodes(maria);
  await givesPassword(maria, acme.maria);
  await givesCode(maria, phone.next());
  await maria.arrives('Documents');
}
