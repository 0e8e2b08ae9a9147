import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, CDPSession } from 'playwright-core';
import { passkeysOf } from '../../src/auth/passkeys.ts';
import { sql } from '../../src/db/db.ts';
import type { Enrolled } from '../acme.ts';
import { takePasskeys } from '../authenticator.ts';
import { openChromium, type Seat } from './somebody.ts';
import { Tour } from './tour.ts';
import { CODE, givesPassword } from './ways.ts';

describe('passkeys, in a browser', { concurrency: 2 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  const at = (seat: Seat, walk: (tour: Tour) => Promise<void>) => () => Tour.through(browser, walk, {}, seat);
  test('Maria adds one, uses it in place of the code, signs in with it alone and removes it', at({}, comesAndGoes));
  test('the same with the keyboard alone', at({ hand: 'keyboard' }, comesAndGoes));
  test('who cancels is told that nothing was added, and may try again', at({}, cancels));
  test('a device that has one already is told so', at({}, hasOneAlready));
  test('the list of addresses offers it too, where the browser can', at({}, offersInTheList));
  test(
    'without JavaScript the pages say that this browser cannot, and the other ways are there',
    at({ script: false }, withoutScript),
  );
  test('in a browser that cannot the pages say so', at({}, inAnOldBrowser));
  test('every page of it is fit for everybody: axe, light and dark, narrow and wide', () =>
    Tour.through(browser, everyPage));
});

/** Chromium's own authenticator, without a finger: what its user does is said here. */
class Device {
  readonly #session: CDPSession;
  readonly #id: string;

  private constructor(session: CDPSession, id: string) {
    this.#session = session;
    this.#id = id;
  }

  static async in({ guest }: Tour): Promise<Device> {
    const session = await guest.context.newCDPSession(guest.page);
    await session.send('WebAuthn.enable');
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new Device(session, authenticatorId);
  }

  /** Whether its user shows the right finger. */
  async knows(isUserVerified: boolean): Promise<void> {
    await this.#session.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified });
  }

  async credentials(): Promise<number> {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', { authenticatorId: this.#id });
    return credentials.length;
  }
}

// Chromium's authenticator takes what is offered in the list by itself, which would open every sign-in page at once.
const ASKS_FIRST = 'PublicKeyCredential.isConditionalMediationAvailable = async () => false';

async function mariaInside(tour: Tour, { byItself = false } = {}): Promise<Enrolled> {
  await tour.requiresMfa();
  if (!byItself) await tour.guest.context.addInitScript(ASKS_FIRST);
  await takePasskeys(tour.world, tour.acme.organization, 'sign-in');
  const kept = await tour.enrolled(tour.acme.maria);
  await tour.comesIn(tour.acme.maria, kept);
  return kept;
}

async function adds({ guest }: Tour, name: string): Promise<void> {
  await guest.press('Add a passkey');
  await guest.arrives('Add a passkey');
  await guest.seesNot("This browser can't make passkeys.");
  await guest.write('Name', name);
  await guest.press('Add passkey');
}

async function comesAndGoes(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await mariaInside(tour);
  const device = await Device.in(tour);
  await tour.comesTo('/security', 'Account security');
  await adds(tour, 'My laptop');
  await guest.sees('Your passkey was added.', 'My laptop');
  assert.equal(await device.credentials(), 1);
  await tour.knocks(acme.maria);
  await guest.arrives(CODE);
  await guest.press('Use a passkey');
  await guest.arrives('Documents');
  await guest.context.clearCookies();
  await tour.comesTo('/sign-in', 'Sign in to Acme Billing');
  await guest.press('Sign in with a passkey');
  await guest.arrives('Documents');
  tour.waits(11);
  await tour.comesTo('/security', 'Account security');
  await guest.press('Remove My laptop');
  await guest.arrives('Remove this passkey?');
  await guest.sees('It is your only passkey.');
  await guest.press('Remove passkey');
  await guest.arrives("Confirm it's you");
  await guest.press('Use a passkey');
  await guest.arrives('Sign in to Acme Billing');
  await guest.sees('Your passkey was removed. Delete it on your device too, then sign in again.');
  assert.deepEqual(await passkeysOf(world.db, acme.maria), []);
  await guest.press('Sign in with a passkey');
  await guest.sees("We couldn't use that passkey. Sign in with your email and password");
}

async function cancels(tour: Tour): Promise<void> {
  const { guest, acme } = tour;
  await mariaInside(tour);
  const device = await Device.in(tour);
  await tour.comesTo('/security', 'Account security');
  await device.knows(false);
  await adds(tour, 'My laptop');
  await guest.sees("Nothing was added. Try again when you're ready.");
  await device.knows(true);
  await guest.press('Add passkey');
  await guest.sees('Your passkey was added.');
  await device.knows(false);
  await tour.knocks(acme.maria);
  await guest.press('Use a passkey');
  await guest.sees("No passkey was used. Try again when you're ready.");
}

async function hasOneAlready(tour: Tour): Promise<void> {
  const { guest } = tour;
  await mariaInside(tour);
  await Device.in(tour);
  await tour.comesTo('/security', 'Account security');
  await adds(tour, 'My laptop');
  await guest.sees('Your passkey was added.');
  await adds(tour, 'My laptop again');
  await guest.sees('This device already has a passkey for your account.');
}

async function offersInTheList(tour: Tour): Promise<void> {
  const { guest } = tour;
  await mariaInside(tour, { byItself: true });
  await Device.in(tour);
  await tour.comesTo('/security', 'Account security');
  await adds(tour, 'My laptop');
  await guest.sees('Your passkey was added.');
  await guest.context.clearCookies();
  await guest.go(`${tour.origin}/portal/acme/sign-in`);
  await guest.arrives('Documents');
}

async function withoutScript(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  await mariaInside(tour);
  await tour.comesTo('/security/passkeys/add', 'Add a passkey');
  await guest.sees("This browser can't make passkeys.");
  await guest.seesNot('Add passkey');
  const id = (await world.account(acme.maria)).id;
  await world.change(sql`INSERT INTO passkeys (organization_id, id, account_id, credential_id, public_key, sign_count,
    transports, backup, name, created_at)
    VALUES (${acme.organization.id}, 'elsewhere', ${id}, 'elsewhere', 'key', 0, '', 'none', 'My laptop', 1)`);
  await tour.knocks(acme.maria);
  await guest.arrives(CODE);
  await guest.seesNot('Use a passkey');
  await guest.press("I can't get a code");
  await guest.press('Use a passkey');
  await guest.arrives('Use a passkey');
  await guest.sees("This browser can't use passkeys.");
  await guest.press('Use my authenticator app instead');
  await guest.arrives(CODE);
  await guest.context.clearCookies();
  await tour.comesTo('/sign-in', 'Sign in to Acme Billing');
  await guest.seesNot('Sign in with a passkey');
  await givesPassword(guest, acme.maria);
  await guest.arrives(CODE);
}

async function inAnOldBrowser(tour: Tour): Promise<void> {
  const { guest } = tour;
  await mariaInside(tour);
  await guest.context.addInitScript('delete globalThis.PublicKeyCredential');
  await tour.comesTo('/security/passkeys/add', 'Add a passkey');
  await guest.sees("This browser can't make passkeys.");
  await guest.seesNot('Add passkey');
}

async function everyPage(tour: Tour): Promise<void> {
  const { guest, acme, world } = tour;
  const kept = await mariaInside(tour);
  await Device.in(tour);
  await tour.comesTo('/security', 'Account security');
  await tour.looks('security, no passkey yet');
  await guest.press('Add a passkey');
  await tour.looks('add a passkey');
  await guest.write('Name', ' ');
  await guest.press('Add passkey');
  await guest.sees('Enter a name for this passkey');
  await tour.looksAtError('add a passkey, without a name');
  await guest.write('Name', 'My laptop');
  await guest.press('Add passkey');
  await guest.sees('Your passkey was added.');
  await world.change(sql`UPDATE passkeys SET copied_at = 1`);
  await tour.comesTo('/security', 'Account security');
  await tour.looks('security, a passkey that may have been copied');
  await guest.press('Rename My laptop');
  await tour.looks('rename a passkey');
  await tour.comesTo('/security', 'Account security');
  await guest.press('Remove My laptop');
  await tour.looks('remove a passkey');
  tour.waits(11);
  await guest.press('Remove passkey');
  await guest.arrives("Confirm it's you");
  await tour.looks('confirm, by a passkey too');
  await tour.knocks(acme.maria);
  await guest.arrives(CODE);
  await tour.looks('code, with a passkey');
  await guest.press("I can't get a code");
  await tour.looks('code, other ways');
  await guest.go(`${tour.origin}/portal/acme/verify/passkey`);
  await guest.arrives('Use a passkey');
  await tour.looks('use a passkey');
  await guest.context.clearCookies();
  await tour.comesTo('/sign-in', 'Sign in to Acme Billing');
  await tour.looks('sign in, with a passkey');
  await takePasskeys(world, acme.organization, 'off');
  await tour.comesIn(acme.maria, kept);
  await tour.comesTo('/security', 'Account security');
  await tour.looks('security, passkeys not accepted');
  await world.change(sql`UPDATE accounts SET suspected_at = 1`);
  await tour.comesTo('/home', 'Documents');
  await tour.looks('home, with a stolen password');
}
