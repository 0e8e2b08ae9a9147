import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setPolicy, type Acme, type Person } from '../acme.ts';
import type { Page, Visitor, VisitorOptions } from '../visitor.ts';
import type { World } from '../world.ts';

export const STEP_MS = 30_000;
export const GENERAL = '/admin/settings/customer-portal/general';
export const BRANDING = '/admin/settings/customer-portal/branding';
export const SIGN_IN = '/admin/settings/customer-portal/sign-in';

let addresses = 0;

/** An address that nobody else in this test file comes from. */
export function ownAddress(): string {
  addresses++;
  return `198.18.${addresses >> 8}.${addresses & 255}`;
}

/** Somebody at their door, doing what the pages ask for and nothing else: one method for each button. */
export class Guest {
  readonly world: World;
  readonly person: Person;
  readonly browser: Visitor;
  /** The path under which the pages of their door stand. */
  readonly door: string;
  /** What their authenticator app and their sheet of paper hold, once they have enrolled. */
  secret: Uint8Array = new Uint8Array();
  codes: string[] = [];

  constructor(world: World, person: Person, slug: string, browser: Visitor) {
    this.world = world;
    this.person = person;
    this.browser = browser;
    this.door = person.surface === 'admin' ? '/admin' : `/portal/${slug}`;
  }

  /** The same person with the same app at another browser. */
  async elsewhere(options: VisitorOptions = {}): Promise<Guest> {
    const browser = await this.world.visitor({ address: ownAddress(), ...options });
    const other = new Guest(this.world, this.person, this.door.split('/')[2] ?? '', browser);
    other.secret = this.secret;
    other.codes = this.codes;
    return other;
  }

  password(password = this.person.password, email = this.person.email): Promise<Page> {
    return this.browser.post(`${this.door}/sign-in`, { email, password });
  }

  code(code: string): Promise<Page> {
    return this.browser.post(`${this.door}/verify`, { code });
  }

  backupCode(code: string): Promise<Page> {
    return this.browser.post(`${this.door}/verify/backup-code`, { code });
  }

  /** What the app shows once it has moved on, so that it has not been used. */
  nextCode(): string {
    this.world.clock.advance(STEP_MS);
    return this.world.codeFor(this.secret);
  }

  /** Six digits that the app does not show, now or in the steps beside. */
  wrongCode(): string {
    const near = [-1, 0, 1].map((steps) => this.world.codeFor(this.secret, steps));
    return ['000000', '111111', '222222', '333333'].find((code) => !near.includes(code)) ?? '';
  }

  /** Password and code, up to the page inside. */
  async signsIn(): Promise<Page> {
    await this.password();
    assert.equal(this.browser.page.location, `${this.door}/verify`);
    await this.code(this.nextCode());
    assert.equal(this.browser.page.status, 303, this.browser.page.text);
    return this.browser.follow();
  }

  /** Configure, and the app reads what the page shows. */
  async configures(): Promise<void> {
    await this.browser.post(`${this.door}/enable-mfa`);
    await this.scans();
  }

  /** The app reads what the page shows; from then on it is the app whose codes are typed. */
  async scans(): Promise<void> {
    const page = await this.browser.get(`${this.door}/enable-mfa/scan`);
    this.secret = decodeBase32(/otpauth:[^"]*[?&]secret=([A-Z2-7]+)/.exec(page.text)?.[1] ?? '');
    assert.equal(this.secret.length, 20);
  }

  /** Verify, with the code that the app shows. */
  verifies(code = this.world.codeFor(this.secret)): Promise<Page> {
    return this.browser.post(`${this.door}/enable-mfa/verify`, { code });
  }

  /** From inside, with a fresh proof: one more app, up to the sign-in page. */
  async addsApp(name = 'Tablet'): Promise<Page> {
    await this.browser.post(`${this.door}/security/authenticators/new`, { name });
    await this.scans();
    await this.verifies();
    return this.browser.post(`${this.door}/enable-mfa/enable`);
  }

  /** From the password to Generate Backup Codes, whose page stays open. */
  async enables(): Promise<void> {
    await this.password();
    assert.equal(this.browser.page.location, `${this.door}/enable-mfa`, this.browser.page.text);
    await this.configures();
    await this.verifies();
    await this.browser.post(`${this.door}/enable-mfa/enable`);
    await this.browser.post(`${this.door}/enable-mfa/backup-codes`);
    const page = await this.browser.follow();
    this.codes = [...page.text.matchAll(/<code dir="ltr">([\d-]+)<\/code>/g)].map(([, code = '']) => code);
    assert.equal(this.codes.length, 5);
  }

  /** The whole ceremony. */
  async enrols(): Promise<void> {
    await this.enables();
    await this.browser.post(`${this.door}/enable-mfa/done`);
    await this.browser.follow();
  }
}

/** Somebody who has been through the whole ceremony. */
export async function enrolled(arriving: Promise<Guest>): Promise<Guest> {
  const guest = await arriving;
  await guest.enrols();
  return guest;
}

/** The same, who has signed in since. */
export async function inside(arriving: Promise<Guest>): Promise<Guest> {
  const guest = await enrolled(arriving);
  await guest.signsIn();
  return guest;
}

/** The form that waits at /confirm, where an act was answered by asking for a fresh proof. */
export function parkedBy({ status, location, text }: Page): string {
  const [, form = ''] = /^\/(?:admin|portal\/[a-z-]+)\/confirm\?form=([\w-]{36})$/.exec(location ?? '') ?? [];
  assert.ok(status === 303 && form, `expected to be asked who it is: ${status} ${location ?? text}`);
  return form;
}

/** Proves who they are where an act has asked for it, and is where the act leads. */
export function confirmed(
  guest: Guest,
  asked: Page,
  { password = guest.person.password, code = guest.nextCode() } = {},
): Promise<Page> {
  return guest.browser.post(`${guest.door}/confirm`, { form: parkedBy(asked), password, code });
}

/** Acme Billing with MFA required, and a way to seat anybody of it at a browser. */
export interface Stage {
  readonly people: Acme;
  readonly guest: (person: Person, options?: VisitorOptions) => Promise<Guest>;
}

export async function stage(world: World): Promise<Stage> {
  const people = await world.acme();
  await setPolicy(world.installation, people.organization, 'required');
  return {
    people,
    guest: async (person, options = {}) =>
      new Guest(world, person, people.organization.slug, await world.visitor({ address: ownAddress(), ...options })),
  };
}

const MIGRATIONS = join(import.meta.dirname, '../../migrations');
const TABLES = readdirSync(MIGRATIONS)
  .flatMap((file) => [...readFileSync(join(MIGRATIONS, file), 'utf8').matchAll(/^CREATE TABLE (\w+)/gm)])
  .map(([, table = '']) => table);

/** Every row of every table as text. */
export async function dump(world: World, leaveOut: readonly string[] = []): Promise<Record<string, string[]>> {
  const tables = TABLES.filter((table) => !leaveOut.includes(table));
  const all = tables.map(async (table) => {
    const rows = await world.rows(table);
    return [table, rows.map((row) => JSON.stringify({ ...row, last_used_at: null })).toSorted()] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

/** Does something, and holds that nothing in the database is different afterwards but what limits count and what waits. */
export async function unchanged<T>(world: World, act: () => Promise<T>, but: readonly string[] = []): Promise<T> {
  const before = await dump(world, ['counters', 'parked_forms', ...but]);
  const done = await act();
  assert.deepEqual(await dump(world, ['counters', 'parked_forms', ...but]), before);
  return done;
}

/** RFC 4648 §6, read back. */
export function decodeBase32(text: string): Uint8Array {
  const bits = text
    .split('')
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}

/** An answer that says what is wrong and changed nothing: the status, and a sentence beside the field or in the page. */
export function refusedWith(page: Page, status: number, says: RegExp): void {
  assert.equal(page.status, status, `${page.status} ${page.h1}`);
  assert.match(`${page.h1} ${page.errors.join(' ')} ${page.text}`.replaceAll('&#39;', "'"), says);
}
