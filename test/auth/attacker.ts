// The attacks that the figures of docs/sign-in.md are about, played against the real sign-in, answer and limits on a
// virtual clock. bench/attacker.ts prints what comes of them, attacker.test.ts holds them to their bounds.
import assert from 'node:assert/strict';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { unlock } from '../../src/auth/access.ts';
import type { Answered } from '../../src/auth/answer.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import type { Typed } from '../../src/auth/limits.ts';
import type { Visitor } from '../../src/auth/sessions.ts';
import type { Opened } from '../../src/auth/sign-in.ts';
import { answers, challenged, from, signsIn, type Acme, type Enrolled } from '../acme.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';

export const YEAR_MS = 365 * DAY_MS;
const WINDOW_MS = 30 * DAY_MS;
/** So many windows of thirty days can begin within 365 days. */
const WINDOWS_A_YEAR = 13;
const HALF_MINUTE_MS = 30_000;

/** Three steps of the app are accepted, each with one code of a million. */
export const CHANCE_OF_TOTP = 3 / 10 ** 6;
/** Five backup codes of twelve digits. */
export const CHANCE_OF_BACKUP_CODE = 5 / 10 ** 12;

/** What an attack came to: how many guesses the server looked at, and in what time. */
export interface Result {
  readonly totp: number;
  readonly backupCodes: number;
  /** From the first guess to the last. */
  readonly lastedMs: number;
  /** The most that were looked at within any 365 days. */
  readonly inWorstYear: number;
}

/** The chance that one of so many guesses was right, each drawn anew. */
export function chanceOf(totp: number, backupCodes = 0): number {
  return 1 - (1 - CHANCE_OF_TOTP) ** totp * (1 - CHANCE_OF_BACKUP_CODE) ** backupCodes;
}

/** Somebody who knows Maria's password, and nothing else of hers. Every guess is wrong, so that the attack goes on. */
export class Thief {
  readonly world: World;
  readonly people: Acme & Enrolled;
  #guesses = 0;

  constructor(world: World, people: Acme & Enrolled) {
    this.world = world;
    this.people = people;
  }

  /** One guess; by default in a new sign-in and from an address of its own. */
  async guess(typed: Typed = 'totp', challenge?: Challenge, visitor = this.elsewhere()): Promise<Answered<Opened>> {
    const { installation } = this.world;
    const wrong = typed === 'totp' ? this.world.wrongCode(this.people.secret) : '000000000000';
    return answers(installation, challenge ?? (await challenged(installation, this.people.maria)), wrong, visitor);
  }

  /** Guesses so many times, and waits out every wait. */
  async guesses(times: number): Promise<void> {
    for (let n = 0; n < times;) {
      const answered = await this.guess();
      if (answered.kind === 'wait') this.world.clock.now = answered.until;
      else n++;
    }
  }

  /** An address of another IPv6 network each time, of which one rented server has thousands. */
  elsewhere(): Visitor {
    return from(`2001:db8:0:${(this.#guesses++).toString(16)}::/64`);
  }

  async isShutOut(): Promise<boolean> {
    return (
      (await signsIn(this.world.installation, this.people.maria, { visitor: this.elsewhere() })).kind === 'suspected'
    );
  }

  /** Maria signs in herself, which ends the row of wrong codes. */
  async mariaSignsIn(): Promise<void> {
    this.world.clock.advance(HALF_MINUTE_MS);
    const { installation } = this.world;
    const code = this.world.codeFor(this.people.secret);
    const answered = await answers(installation, await challenged(installation, this.people.maria), code);
    assert.equal(answered.kind, 'right');
  }

  /** So many guesses with a Maria who signs in after every fourth: no wait ever holds and no row grows long. */
  async guessesBetween(times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      if (n % 4 === 0) await this.mariaSignsIn();
      await this.guess();
    }
  }
}

/** What a thief of the password does. Ends when the thief is shut out, or a year is over. */
export const STRATEGIES = {
  'as fast as the waits allow': async (thief) => {
    while (!(await thief.isShutOut())) await thief.guesses(1);
  },
  'codes of the app and backup codes by turns': async (thief) => {
    for (let n = 0; !(await thief.isShutOut()); n++) {
      const answered = await thief.guess(n % 2 === 0 ? 'totp' : 'backup-code');
      if (answered.kind === 'wait' && answered.otherWaits) thief.world.clock.advance(HALF_MINUTE_MS);
    }
  },
  'three challenges at once, 15 codes in parallel': async (thief) => {
    const { world, people } = thief;
    while (!(await thief.isShutOut())) {
      const open: Challenge[] = [];
      for (let n = 0; n < 3; n++) open.push(await challenged(world.installation, people.maria));
      await Promise.all(Array.from({ length: 15 }, (_, n) => thief.guess('totp', open[n % 3])));
      world.clock.advance(5 * MINUTE_MS);
    }
  },
  'all from one address': async (thief) => {
    const here = thief.elsewhere();
    while (!(await thief.isShutOut())) {
      const answered = await thief.guess('totp', undefined, here);
      if (answered.kind === 'wait') thief.world.clock.now = answered.until;
    }
  },
  'while support ends every wait': async (thief) => {
    const { world, people } = thief;
    while (!(await thief.isShutOut())) {
      const answered = await thief.guess();
      if (answered.kind === 'wait') await unlock(world.installation, OPERATOR, await world.account(people.maria));
    }
  },
  'while Maria signs in all the time': async (thief) => {
    await thief.guessesBetween(50);
    assert.ok(await thief.isShutOut());
  },
  'for a year, just under the cap of each window': async (thief) => {
    for (let window = 1; window <= WINDOWS_A_YEAR; window++) {
      const first = thief.world.clock.now + HALF_MINUTE_MS;
      await thief.guessesBetween(window < WINDOWS_A_YEAR ? 49 : 50);
      thief.world.clock.now = first + WINDOW_MS;
    }
  },
  'the same, with one more window saved up before': async (thief) => {
    const edge = thief.world.clock.now + WINDOW_MS;
    await thief.guess();
    thief.world.clock.now = edge - 15 * MINUTE_MS;
    await thief.guessesBetween(48);
    for (let window = 0; window < WINDOWS_A_YEAR; window++) {
      thief.world.clock.now = edge + window * (WINDOW_MS + MINUTE_MS);
      await thief.guessesBetween(49);
    }
    await thief.guess();
  },
} satisfies Record<string, (thief: Thief) => Promise<void>>;

export type Strategy = keyof typeof STRATEGIES;

/**
 * What the chance of each is promised not to pass: of a thief whom nobody sets free, of one whom right codes of Maria or
 * support set free until the window is full, and of one who stays under that cap for a year.
 */
export const BOUNDS: Readonly<Record<Strategy, number>> = {
  'as fast as the waits allow': 6e-5,
  'codes of the app and backup codes by turns': 6e-5,
  'three challenges at once, 15 codes in parallel': 6e-5,
  'all from one address': 6e-5,
  'while support ends every wait': 1.5e-4,
  'while Maria signs in all the time': 1.5e-4,
  'for a year, just under the cap of each window': 2e-3,
  'the same, with one more window saved up before': 2.1e-3,
};

/** Plays one of them on a fresh database, and counts in the audit trail what the server looked at. */
export async function play(strategy: Strategy): Promise<Result> {
  await using world = await openWorld('sqlite');
  const people = await world.acmeWithMfa();
  await STRATEGIES[strategy](new Thief(world, people));
  const wrong = (await world.audit(people.maria)).filter(
    ({ action, result }) => action === 'signed-in' && result === 'wrong',
  );
  const backupCodes = wrong.filter(({ details }) => details.includes('"backup-code"')).length;
  const times = wrong.map(({ at }) => at);
  return {
    totp: wrong.length - backupCodes,
    backupCodes,
    lastedMs: (times.at(-1) ?? 0) - (times[0] ?? 0),
    inWorstYear: Math.max(...times.map((first) => times.filter((at) => at >= first && at < first + YEAR_MS).length)),
  };
}

/** How many passwords somebody without any gets to try in so many hours from so many addresses, as fast as they may. */
export async function guessPasswords(
  addresses: number,
  hours: number,
): Promise<{ tried: number; codesCounted: number }> {
  await using world = await openWorld('sqlite');
  const { maria } = await world.acmeWithMfa();
  const end = world.clock.now + hours * HOUR_MS;
  const next = new Map(Array.from({ length: addresses }, (_, n) => [`guesser ${n}`, world.clock.now]));
  let tried = 0;
  while (world.clock.now < end) {
    for (const [address, at] of next) {
      if (at > world.clock.now) continue;
      const outcome = await signsIn(world.installation, maria, { password: `guess ${tried}`, visitor: from(address) });
      if (outcome.kind === 'wrong') tried++;
      if (outcome.kind === 'limited') next.set(address, outcome.until);
    }
    world.clock.now = Math.max(world.clock.now + 1, Math.min(...next.values()));
  }
  const row = (await world.rows('accounts')).find(({ id }) => id === maria.id);
  return { tried, codesCounted: Number(row?.['totp_wrong']) + Number(row?.['backup_wrong']) };
}

/** How long Maria's right password waits while strangers try theirs without a pause, by where she is; the longest of a day. */
export interface KeptOut {
  readonly atHomeMs: number;
  readonly elsewhereMs: number;
  readonly elsewhereAfterASlipMs: number;
  readonly atTheirAddressMs: number;
}

export async function lockOut(addresses: number): Promise<KeptOut> {
  await using world = await openWorld('sqlite');
  const { maria } = await world.acmeWithMfa();
  const wait = async (address?: string, password = maria.password): Promise<number> => {
    const visitor = address === undefined ? {} : { visitor: from(address) };
    const outcome = await signsIn(world.installation, maria, { password, ...visitor });
    return outcome.kind === 'limited' ? outcome.until - world.clock.now : 0;
  };
  const waits: KeptOut[] = [];
  for (let n = 0; n < 24; n++) {
    for (let address = 0; address < addresses; address++)
      for (let at = 0; at < 10; at++) await wait(`stranger ${address}`, 'wrong password');
    const there = `hotel ${n}`;
    const elsewhereMs = await wait(there);
    await wait(there, 'a slip');
    waits.push({
      atHomeMs: await wait(),
      elsewhereMs,
      elsewhereAfterASlipMs: await wait(there),
      atTheirAddressMs: await wait('stranger 0'),
    });
    world.clock.advance(HOUR_MS);
  }
  const longest = (where: keyof KeptOut): number => Math.max(...waits.map((one) => one[where]));
  return {
    atHomeMs: longest('atHomeMs'),
    elsewhereMs: longest('elsewhereMs'),
    elsewhereAfterASlipMs: longest('elsewhereAfterASlipMs'),
    atTheirAddressMs: longest('atTheirAddressMs'),
  };
}
