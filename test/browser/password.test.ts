import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { enrol, setPolicy, type Acme, type Enrolled } from '../acme.ts';
import { deliver, openMailbox, type Mailbox } from '../mailbox.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { MINUTE_MS, openWorld, type World } from '../world.ts';
import { Eye } from './eye.ts';
import { openChromium, Somebody } from './somebody.ts';
import { CODE, givesCode, givesPassword } from './ways.ts';

describe('Maria, who has forgotten her password, and is then not the only one in her account', () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('with script, and every page fit for everybody', () => tell(browser, { script: true }, new Eye()));
  test('without script', () => tell(browser, { script: false }));
  test('with only a keyboard', () => tell(browser, { hand: 'keyboard' }));
});

interface Scene extends Acme {
  readonly world: World;
  readonly origin: string;
  readonly mailbox: Mailbox;
  readonly guest: Somebody;
  readonly app: Enrolled;
  readonly looks: (name: string, error?: boolean) => Promise<void>;
}

async function tell(browser: Browser, seat: Parameters<typeof Somebody.at>[1], eye?: Eye): Promise<void> {
  await using world = await openWorld('sqlite', { mailIsOn: true });
  const acme = await world.acme();
  await setPolicy(world.installation, acme.organization, 'required');
  const app = await enrol(world.installation, acme.maria);
  const origin = await world.listen();
  await using mailbox = await openMailbox();
  const guest = await Somebody.at(browser, seat);
  const looks = async (name: string, error = false): Promise<void> => eye?.looksAt(guest.page, name, { error });
  const scene = { ...acme, world, origin, mailbox, guest, app, looks };
  await forgets(scene);
  await changesIt(scene);
  await moves(scene);
  await findsSomebodyInside(scene);
  await guest.leaves();
  eye?.closes();
}

/** The link in the newest letter to a mailbox that leads to such a page. */
async function linkIn({ world, mailbox, origin }: Scene, email: string, page: string): Promise<string> {
  await deliver(world, mailbox, { publicUrl: origin });
  const links = mailbox.to({ email }).flatMap(({ text }) => text.match(/http:\/\/\S+/g) ?? []);
  return links.findLast((link) => link.startsWith(`${origin}/portal/acme/${page}/`)) ?? assert.fail(`no ${page}`);
}

function code({ world, app }: Scene): string {
  world.clock.advance(STEP_MS);
  return world.codeFor(app.secret);
}

async function forgets(scene: Scene): Promise<void> {
  const { guest, maria, origin, looks } = scene;
  await guest.go(`${origin}/portal/acme/sign-in`);
  await guest.press('I forgot my password');
  await guest.arrives('Change your password');
  await looks('forgotten password');
  await guest.press('Email me a link');
  await guest.sees('Enter your email');
  await looks('forgotten password, empty', true);
  await guest.write('Email', maria.email);
  await guest.press('Email me a link');
  await guest.arrives('Check your email');
  await guest.sees(`If ${maria.email} has an account here, a link is on its way.`);
  await looks('link on its way');
  await guest.press('Send it again');
  await guest.arrives('Check your email');
  await guest.go(await linkIn(scene, maria.email, 'new-password'));
  await guest.arrives('Choose a new password');
  await looks('new password');
  await guest.write('New password', 'Maria Silva Globex');
  await guest.press('Save password');
  await guest.sees("Don't use your name, email or Acme Billing in your password");
  await looks('new password, refused', true);
  await guest.write('New password', 'violet harbour engine 47');
  await guest.press('Save password');
  await guest.arrives('Sign in to Acme Billing');
  await guest.sees('Your password has changed. Sign in with the new one.');
  await givesPassword(guest, { email: maria.email, password: 'violet harbour engine 47' });
  await givesCode(guest, code(scene));
  await guest.arrives('Documents');
  await guest.go(await linkIn(scene, maria.email, 'new-password'));
  await guest.arrives('This link no longer works');
  await looks('dead link to a new password', true);
  await guest.press('Go to sign in');
  await guest.arrives('Documents');
}

async function changesIt(scene: Scene): Promise<void> {
  const { guest, world, looks } = scene;
  await guest.press('Security');
  await guest.arrives('Account security');
  await looks('account security');
  world.clock.advance(11 * MINUTE_MS);
  await guest.press('Change password');
  await guest.arrives("Confirm it's you");
  await guest.sees("You're about to change your password.");
  await guest.write('Password', 'violet harbour engine 47');
  await guest.write('Code from your authenticator app', code(scene));
  await guest.press('Continue');
  await guest.arrives('Change password');
  await looks('change password');
  await guest.write('New password', 'amber kettle railway 58');
  await guest.press('Save password');
  await guest.arrives('Account security');
  await guest.sees('You have been signed out everywhere else.');
}

async function moves(scene: Scene): Promise<void> {
  const { guest, looks } = scene;
  await guest.press('Change email');
  await guest.arrives('Change your email');
  await looks('change email');
  await guest.write('New email', 'silva@globex.test');
  await guest.press('Email me a link');
  await guest.arrives('Account security');
  await guest.sees('Waiting for you to open the link we sent to');
  await looks('account security, an address waits');
  await guest.takesAnotherTab();
  await guest.go(await linkIn(scene, 'silva@globex.test', 'confirm-email'));
  await guest.arrives('Use this email from now on?');
  await looks('confirm email');
  await guest.press('Change my email');
  await guest.sees('Your email has changed. Sign in with the new one.');
  await givesPassword(guest, { email: 'silva@globex.test', password: 'amber kettle railway 58' });
  await givesCode(guest, code(scene));
  await guest.arrives('Documents');
}

// From the mailbox that was hers before: then nobody knows whose the account is, and it is closed to both.
async function findsSomebodyInside(scene: Scene): Promise<void> {
  const { guest, looks, maria } = scene;
  await guest.press('Security');
  await guest.press("This wasn't me");
  await guest.arrives('Was someone else in your account?');
  await looks('this was not me, inside');
  await guest.press('Cancel');
  await guest.arrives('Account security');
  await guest.go(await linkIn(scene, maria.email, 'not-me'));
  await guest.arrives('Was someone else in your account?');
  await guest.press('Shut my account');
  await guest.arrives('Sign in to Acme Billing');
  await guest.sees('Everyone is signed out, and nobody can sign in.');
  await looks('sign-in, after everything was shut');
  await givesPassword(guest, { email: 'silva@globex.test', password: 'amber kettle railway 58' });
  await guest.sees("That email or password isn't right");
  await guest.seesNot(CODE);
}
