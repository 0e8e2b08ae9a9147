import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Download } from 'playwright-core';
import { oathtool, type World } from '../world.ts';
import type { Somebody } from './somebody.ts';

export const CODE = 'Enter the 6-digit code from your authenticator app';
export const FIRST_CODE = 'Enter the 6-digit code from the app';
export const ENABLE = 'Enable MFA for your account';
export const STEP_MS = 30_000;

/** The authenticator app on somebody's phone: oathtool with the key that the phone has read, on the world's clock. */
export class Phone {
  readonly #world: World;
  #key = '';

  constructor(world: World) {
    this.#world = world;
  }

  /** Takes an account over, as an app does that has scanned this address. */
  scan(uri: string): void {
    this.#key = new URL(uri).searchParams.get('secret') ?? '';
  }

  get key(): string {
    return this.#key;
  }

  get shows(): string {
    return oathtool(this.#key, this.#world.clock.now);
  }

  /** Waits for the next code. */
  next(): string {
    this.#world.clock.advance(STEP_MS);
    return this.shows;
  }
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Types e-mail and password, at the sign-in page. */
export async function givesPassword(somebody: Somebody, { email, password }: Credentials): Promise<void> {
  await somebody.write('Email', email);
  await somebody.write('Password', password);
  await somebody.press('Sign in');
}

/** Types a code where one is asked for, at the sign-in. */
export async function givesCode(somebody: Somebody, code: string): Promise<void> {
  await somebody.arrives(CODE);
  await somebody.write(CODE, code);
  await somebody.press('Continue');
}

/** Proves again who they are, where an act asks for it. */
export async function confirms(somebody: Somebody, password: string, code: string): Promise<void> {
  await somebody.arrives("Confirm it's you");
  await somebody.write('Password', password);
  await somebody.write('Code from your authenticator app', code);
  await somebody.press('Continue');
}

/** From "Enable MFA for your account" to the heading "MFA is on", with a phone that scans the screen. */
export async function enablesMfa(somebody: Somebody, phone: Phone): Promise<void> {
  await somebody.arrives(ENABLE);
  await somebody.press('Configure');
  await somebody.arrives('Scan the QR code');
  phone.scan(await somebody.scansTheScreen());
  await somebody.press('Next');
  await somebody.arrives(FIRST_CODE);
  await somebody.write(FIRST_CODE, phone.next());
  await somebody.press('Verify');
  await somebody.arrives('Your authenticator app works');
  await somebody.press('Enable MFA');
  await somebody.arrives('MFA is on');
}

/** The five backup codes on the screen. */
export async function codesOnScreen(somebody: Somebody): Promise<string[]> {
  await somebody.arrives('Save your backup codes');
  const codes = await somebody.page
    .getByRole('list', { name: 'Your backup codes' })
    .getByRole('listitem')
    .allInnerTexts();
  assert.equal(codes.length, 5);
  for (const code of codes) assert.match(code, /^\d{4}-\d{4}-\d{4}$/);
  return codes;
}

/** From "MFA is on" back to the sign-in page, with five backup codes in hand. */
export async function generatesCodes(somebody: Somebody): Promise<string[]> {
  await somebody.press('Generate Backup Codes');
  const codes = await codesOnScreen(somebody);
  await somebody.press('Continue to Sign In');
  await somebody.sees('MFA is on. Sign in with your password and a code from your app.');
  return codes;
}

/** What is in the file behind a button. */
export async function downloads(somebody: Somebody, words: string): Promise<{ name: string; text: string }> {
  const [download] = await Promise.all([somebody.page.waitForEvent('download'), somebody.press(words)]);
  return { name: download.suggestedFilename(), text: await contentOf(download) };
}

async function contentOf(download: Download): Promise<string> {
  return readFileSync(await download.path(), 'utf8');
}
