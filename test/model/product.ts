import assert from 'node:assert/strict';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPortalAccess, unlock } from '../../src/auth/access.ts';
import { activeApps } from '../../src/auth/authenticators.ts';
import { findChallenge } from '../../src/auth/challenges.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { sql } from '../../src/db/db.ts';
import { addContact, setPolicy, type Acme, type Person } from '../acme.ts';
import { decodeBase32 } from '../surface/front-door.ts';
import type { Page, Visitor } from '../visitor.ts';
import type { World } from '../world.ts';
import type { Browser, Contact, Policy } from './model.ts';

const PORTAL = '/portal/acme';
const COOKIE = '__Host-sallyport';
export const PROXY = '10.0.0.1';

/** The house in which one contact after another lives; a restart puts another world on the same database. */
export interface House {
  world: World;
  readonly people: Acme;
  /** How often each answer was compared: what the stories have come to. */
  readonly told: Record<string, number>;
}

/** The product as the model's contact meets it: two browsers at the portal, and staff at the shell. */
export class Product {
  readonly house: House;
  readonly person: Person;
  readonly #epochAtFirst: number;
  readonly #browsers: Record<Browser, Visitor>;
  #password: string;
  /** What the app shows for the pending enrolment of each browser, and what it shows since MFA was enabled. */
  readonly #offered = new Map<Browser, Uint8Array>();
  readonly #secrets: Uint8Array[] = [];
  readonly #sets: string[][] = [];

  constructor(house: House, person: Person, epoch: number, browsers: Record<Browser, Visitor>) {
    this.house = house;
    this.person = person;
    this.#password = person.password;
    this.#epochAtFirst = epoch;
    this.#browsers = browsers;
  }

  /** Another contact of Globex, whom nobody has seen yet, in an organization with MFA off. */
  static async open(house: House, name: string): Promise<Product> {
    const { world, people } = house;
    await setPolicy(world.installation, people.organization, 'off');
    const person = await addContact(world.installation, people.globex, name);
    const { epoch } = await world.account(person);
    const browser = (): Promise<Visitor> => world.visitor({ address: PROXY });
    return new Product(house, person, epoch, { phone: await browser(), laptop: await browser() });
  }

  get #installation(): World['installation'] {
    return this.house.world.installation;
  }

  told(answer: string): void {
    this.house.told[answer] = (this.house.told[answer] ?? 0) + 1;
  }

  signIn(at: Browser, right: boolean): Promise<string> {
    return this.#post(at, '/sign-in', {
      email: this.person.email,
      password: right ? this.#password : 'not her password',
    });
  }

  /** What her app shows so many steps from now; `before` is the entry that she forgot to delete. */
  code(steps: number, before = false): string {
    const secret = this.#secrets.at(before ? -2 : -1) ?? new Uint8Array(20);
    return this.house.world.codeFor(secret, steps);
  }

  wrongCode(): string {
    return this.house.world.wrongCode(this.#secrets.at(-1) ?? new Uint8Array(20));
  }

  /** The time steps around now for which a code is right, as her app and clock have it. */
  stepsOf(code: string): number[] {
    const secret = this.#secrets.at(-1);
    return secret ? stepsOf(this.house.world, secret, code) : [];
  }

  answer(at: Browser, code: string, trusting = false): Promise<string> {
    return this.#post(at, '/verify', { code, ...(trusting ? { trust: 'on' } : {}) });
  }

  async copyDevice(): Promise<string> {
    const { phone, laptop } = this.#browsers;
    laptop.cookies.set(`${COOKIE}-device`, phone.cookies.get(`${COOKIE}-device`) ?? '');
    return '';
  }

  backupCode(set: number, code: number): string {
    return this.#sets[set]?.[code] ?? '000000000000';
  }

  answerWithBackupCode(at: Browser, code: string): Promise<string> {
    return this.#post(at, '/verify/backup-code', { code });
  }

  async configure(at: Browser): Promise<string> {
    const led = await this.#post(at, '/enable-mfa');
    if (led === '/enable-mfa/scan') await this.#scan(at);
    return led;
  }

  async #scan(at: Browser): Promise<void> {
    const { text } = await this.#get(at, '/enable-mfa/scan');
    this.#offered.set(at, decodeBase32(/otpauth:[^"]*[?&]secret=([A-Z2-7]+)/.exec(text)?.[1] ?? ''));
  }

  /** What the app that has read this browser's QR code shows, and the steps that it is right for. */
  offeredCode(at: Browser, steps: number): { code: string; steps: number[] } {
    const { world } = this.house;
    const secret = this.#offered.get(at) ?? new Uint8Array(20);
    const code = world.codeFor(secret, steps);
    return { code, steps: stepsOf(world, secret, code) };
  }

  async verify(at: Browser, code: string): Promise<string> {
    const led = await this.#post(at, '/enable-mfa/verify', { code });
    return led.startsWith('422') ? '422' : led;
  }

  async enable(at: Browser, enabled: boolean): Promise<string> {
    const led = await this.#post(at, '/enable-mfa/enable');
    if (enabled) this.#secrets.push(this.#offered.get(at)!);
    return led;
  }

  /** Generate Backup Codes; the page then shows a set that must be the one it showed before. */
  async generateCodes(at: Browser, set: number): Promise<string> {
    const led = await this.#post(at, '/enable-mfa/backup-codes');
    if (led !== '/enable-mfa/backup-codes') return led;
    const { text } = await this.#get(at, led);
    const codes = [...text.matchAll(/<code dir="ltr">([\d-]+)<\/code>/g)].map(([, code = '']) => code);
    assert.equal(codes.length, 5);
    this.#sets[set] ??= codes;
    assert.deepEqual(codes, this.#sets[set], 'the page shows another five');
    return led;
  }

  continueToSignIn(at: Browser): Promise<string> {
    return this.#post(at, '/enable-mfa/done');
  }

  async lookIn(at: Browser): Promise<string> {
    return outcome(await this.#get(at, '/home'));
  }

  signOut(at: Browser): Promise<string> {
    return this.#post(at, '/sign-out');
  }

  /** From Replace to the last button; answers where that led, and the step that proved the new app. */
  async replaceApp(at: Browser): Promise<{ led: string; proven?: number | undefined }> {
    const [app] = await activeApps(this.#installation.db, this.person);
    const begun = await this.#post(at, `/security/authenticators/${app?.id ?? 'none'}/replace`);
    if (begun !== '/enable-mfa/scan') return { led: begun };
    await this.#scan(at);
    const { code, steps } = this.offeredCode(at, 0);
    assert.equal(await this.verify(at, code), '/enable-mfa/enable');
    const led = await this.enable(at, true);
    return { led, proven: steps.at(-1) };
  }

  /** From Get new codes to Continue; the page must show a set that nobody has seen. */
  async getNewCodes(at: Browser, set: number): Promise<string> {
    const made = await this.#post(at, '/security/backup-codes');
    if (made !== '/enable-mfa/backup-codes') return made;
    const { text } = await this.#get(at, made);
    const codes = [...text.matchAll(/<code dir="ltr">([\d-]+)<\/code>/g)].map(([, code = '']) => code);
    assert.equal(codes.length, 5);
    this.#sets[set] = codes;
    return this.continueToSignIn(at);
  }

  turnMfaOff(at: Browser): Promise<string> {
    return this.#post(at, '/security/turn-off-mfa');
  }

  signOutElsewhere(at: Browser): Promise<string> {
    return this.#post(at, '/security/sessions/end-others');
  }

  forgetChallenge(at: Browser): void {
    this.#browsers[at].cookies.delete(`${COOKIE}-challenge`);
  }

  async reset(): Promise<string> {
    const reason = { check: 'other', note: 'they came to the office' } as const;
    return (await resetMfa(this.#installation, OPERATOR, 'operator', await this.#account(), reason)).kind;
  }

  async setPassword(password: string): Promise<void> {
    const argon2 = await hashNewPassword(this.#installation, password);
    const account = await this.#account();
    await this.#installation.db.transaction((tx) => storePassword(tx, this.#installation, OPERATOR, account, argon2));
    this.#password = password;
  }

  async unlock(): Promise<string> {
    return (await unlock(this.#installation, OPERATOR, await this.#account())).kind;
  }

  async setAccess(open: boolean): Promise<void> {
    await setPortalAccess(this.#installation, OPERATOR, await this.#account(), open);
  }

  setPolicy(policy: Policy): Promise<void> {
    return setPolicy(this.#installation, this.house.people.organization, policy);
  }

  async restart(): Promise<void> {
    this.house.world = await this.house.world.restarted();
    for (const at of ['phone', 'laptop'] as const) {
      const { cookies } = this.#browsers[at];
      this.#browsers[at] = await this.house.world.visitor({ address: PROXY });
      for (const [name, value] of cookies) this.#browsers[at].cookies.set(name, value);
    }
  }

  /** What the tables say of the account, in the model's words. */
  async state(): Promise<object> {
    const { db, now } = this.#installation;
    const row = await db.one<Record<string, number | null>>(sql`SELECT epoch, totp_wrong AS "totpWrong",
        backup_wrong AS "backupWrong", totp_wait_until AS "totpWait", backup_wait_until AS "backupWait",
        window_wrong AS "windowWrong", window_started_at AS "windowStart", suspected_at AS "suspectedAt",
        disabled_at AS "disabledAt", password_set_at AS "passwordSetAt",
        (SELECT last_step FROM authenticators m WHERE m.organization_id = a.organization_id AND m.account_id = a.id
          AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL) AS "lastStep",
        (SELECT COUNT(*) FROM authenticators m WHERE m.organization_id = a.organization_id AND m.account_id = a.id
          AND m.enabled_at IS NULL AND m.revoked_at IS NULL AND m.expires_at > ${now()}) AS pending,
        (SELECT COUNT(*) - COUNT(used_at) FROM backup_code_sets s JOIN backup_codes c
          ON c.organization_id = s.organization_id AND c.set_id = s.id
          WHERE s.organization_id = a.organization_id AND s.account_id = a.id AND s.revoked_at IS NULL
          HAVING COUNT(*) > 0) AS "codesLeft",
        (SELECT COUNT(*) FROM trusted_devices d WHERE d.organization_id = a.organization_id AND d.account_id = a.id
          AND d.epoch = a.epoch AND d.revoked_at IS NULL AND d.expires_at > ${now()}) AS trusted,
        CASE WHEN mfa_since IS NULL THEN 0 ELSE 1 END AS "listedOn", backup_codes_left AS "listedCodesLeft"
      FROM accounts a WHERE organization_id = ${this.person.organizationId} AND id = ${this.person.id}`);
    assert.ok(row);
    const { epoch, windowWrong, windowStart, suspectedAt, disabledAt, passwordSetAt, totpWait, backupWait } = row;
    const windowOver = windowStart === null || windowStart! <= now() - 30 * 86_400_000;
    return {
      epoch: epoch! - this.#epochAtFirst,
      lastStep: row['lastStep'],
      pending: row['pending'],
      codesLeft: row['codesLeft'],
      trusted: row['trusted'],
      listed: { on: row['listedOn'] === 1, codesLeft: row['listedCodesLeft'] },
      wrong: { totp: row['totpWrong'], 'backup-code': row['backupWrong'] },
      waitMs: { totp: Math.max(0, totpWait! - now()), 'backup-code': Math.max(0, backupWait! - now()) },
      wrongInWindow: windowOver ? 0 : windowWrong,
      suspected: suspectedAt !== null,
      hasAccess: disabledAt === null,
      hasPassword: passwordSetAt !== null,
      phone: await this.#browserState('phone'),
      laptop: await this.#browserState('laptop'),
    };
  }

  async #browserState(at: Browser): Promise<object> {
    const { db, now } = this.#installation;
    const { cookies } = this.#browsers[at];
    const session = await findSession(db, 'portal', cookies.get(COOKIE) ?? '', now());
    const found = await findChallenge(db, 'portal', cookies.get(`${COOKIE}-challenge`) ?? '', now());
    return {
      session: session !== undefined,
      challenge:
        found?.kind === 'open' ? `${found.challenge.purpose}, ${found.challenge.attemptsLeft} left` : found?.reason,
    };
  }

  #account(): ReturnType<World['account']> {
    return this.house.world.account(this.person);
  }

  #get(at: Browser, path: string): Promise<Page> {
    return this.#browsers[at].send('GET', PORTAL + path, { 'x-forwarded-for': ownNetwork() });
  }

  // Each from an address of its own, so that nothing but the account's own state holds an answer up.
  async #post(at: Browser, path: string, fields: Record<string, string> = {}): Promise<string> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': ownNetwork() };
    const body = new URLSearchParams(fields).toString();
    return outcome(await this.#browsers[at].send('POST', PORTAL + path, headers, body));
  }
}

/** The model's state as `Product.state` tells the product's. */
export function stateOf(model: Contact): object {
  const { now, window, codes, pending } = model;
  const wait = (until: number): number => Math.max(0, until - now);
  const browser = (at: Browser): object => {
    const { session, challenge } = model.browsers[at];
    const death = challenge && model.death(challenge);
    return {
      session: session !== undefined && model.isAlive(session),
      challenge: challenge && (death ?? `${challenge.purpose}, ${challenge.attemptsLeft} left`),
    };
  };
  return {
    epoch: model.epoch,
    lastStep: model.authenticator?.lastStep ?? null,
    pending: pending && pending.challenge.expiresAt > now ? 1 : 0,
    codesLeft: codes?.unused.size ?? null,
    trusted: model.trusted,
    listed: { on: model.authenticator !== null, codesLeft: codes?.unused.size ?? null },
    wrong: model.wrong,
    waitMs: { totp: wait(model.waitUntil.totp), 'backup-code': wait(model.waitUntil['backup-code']) },
    wrongInWindow: window.startedAt <= now - 30 * 86_400_000 ? 0 : window.wrong,
    suspected: model.suspected,
    hasAccess: model.hasAccess,
    hasPassword: model.hasPassword,
    phone: browser('phone'),
    laptop: browser('laptop'),
  };
}

let networks = 0;

// IPv4 has too few for a long run.
function ownNetwork(): string {
  networks++;
  return `2001:db8:${(networks >>> 16).toString(16)}:${(networks & 0xffff).toString(16)}::1`;
}

// Where a page leads, or its status; a refused code says besides whether it was wrong or used.
function outcome({ status, location, errors }: Page): string {
  if (location !== null) return location.slice(PORTAL.length).replace(/\?.*/, '');
  if (status !== 422) return String(status);
  const said = errors.join(' ');
  if (/already been used/.test(said)) return '422 used';
  return /That code isn.t right. Check|We couldn.t use that code/.test(said) ? '422 wrong' : '422';
}

function stepsOf(world: World, secret: Uint8Array, code: string): number[] {
  const now = Math.floor(world.clock.now / 30_000);
  return [-1, 0, 1].filter((steps) => world.codeFor(secret, steps) === code).map((steps) => now + steps);
}
