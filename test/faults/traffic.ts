import { setTimeout as sleep } from 'node:timers/promises';
import { timeStep, totpCode } from '../../src/crypto/totp.ts';
import { ask, cookieIn, valueOf, type Told } from './ask.ts';
import type { Ledger } from './ledger.ts';

/** Somebody who signs in, from an address of their own. */
export interface Customer {
  readonly id: string;
  readonly portal: string;
  readonly email: string;
  readonly password: string;
  readonly secret: Uint8Array;
}

/** A request that did not go as it should have. Status 0: no answer came. */
export interface Failure {
  readonly what: 'password' | 'code';
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly ms: number;
  readonly text: string;
}

const TRY_AGAIN_AFTER_MS = 50;
const PATIENCE_MS = 60_000;

/**
 * Customers who sign in with e-mail, password and the code of their app, and write down what they were told. Whoever is
 * not told how it ended begins anew and enters the same code again; it may work once in all. Each has the three codes of
 * the window, the oldest first, and whoever has used them up waits until the clock has gone on.
 */
export class Traffic {
  readonly failures: Failure[] = [];
  readonly #portOf: () => number;
  readonly #customers: readonly Customer[];
  readonly #ledger: Ledger;
  readonly #now: () => number;
  /** The step whose code each of them enters next. */
  readonly #steps = new Map<Customer, number>();
  #letIn = 0;
  #next = 0;

  constructor(portOf: () => number, customers: readonly Customer[], ledger: Ledger, now = (): number => Date.now()) {
    this.#portOf = portOf;
    this.#customers = customers;
    this.#ledger = ledger;
    this.#now = now;
  }

  /** How many sign-ins were acknowledged. */
  get letIn(): number {
    return this.#letIn;
  }

  /** Each of them comes in once, so many at a time, however often they must try. */
  everybody(atOnce: number): Promise<void> {
    return some(this.#customers, atOnce, (customer) => this.#comeIn(customer));
  }

  /** Each of them tries once. */
  everybodyTries(atOnce: number): Promise<void> {
    return some(this.#customers, atOnce, async (customer) => void (await this.#try(customer)));
  }

  /**
   * So many try each second, one after the other around the circle, until told to stop; then those under way finish. A
   * machine that is too slow for it is asked for less: no more are under way at once than begin in a second.
   */
  async steadily(perSecond: number, stop: AbortSignal): Promise<void> {
    const underWay = new Set<Promise<unknown>>();
    const began = performance.now();
    for (let beat = 0; !stop.aborted; beat++) {
      await sleep(Math.max(0, began + (beat * 1_000) / perSecond - performance.now()));
      const customer = underWay.size < perSecond ? this.#whoseTurn() : undefined;
      if (!customer) continue;
      const trying: Promise<unknown> = this.#try(customer).finally(() => underWay.delete(trying));
      underWay.add(trying);
    }
    await Promise.all(underWay);
  }

  /** Enters each acknowledged code of the last minute once more, in a sign-in of its own; answers how many that were. */
  async again(atOnce: number): Promise<number> {
    const now = timeStep(this.#now());
    const byId = new Map(this.#customers.map((customer) => [customer.id, customer]));
    const fresh = this.#ledger.sent.filter(({ outcome, code }) => outcome === 'right' && stepOf(code) >= now - 1);
    await some(fresh, atOnce, async ({ accountId, code }) => {
      const customer = byId.get(accountId)!;
      const challenge = await this.#password(customer);
      if (challenge !== undefined) await this.#code(customer, challenge, stepOf(code));
    });
    return fresh.length;
  }

  /** The next one around the circle who has a code; undefined where nobody has. */
  #whoseTurn(): Customer | undefined {
    for (let asked = 0; asked < this.#customers.length; asked++) {
      const customer = this.#customers[this.#next++ % this.#customers.length]!;
      if (this.#stepFor(customer) !== undefined) return customer;
    }
    return undefined;
  }

  /** The step whose code they enter next; undefined where they have used all that are good now. */
  #stepFor(customer: Customer): number | undefined {
    const oldest = timeStep(this.#now()) - 1;
    const step = Math.max(this.#steps.get(customer) ?? oldest, oldest);
    return step <= oldest + 2 ? step : undefined;
  }

  async #comeIn(customer: Customer): Promise<void> {
    const began = performance.now();
    while (!(await this.#try(customer))) {
      if (performance.now() - began > PATIENCE_MS) throw new Error(`${customer.email} was not let in within 60 s.`);
      await sleep(TRY_AGAIN_AFTER_MS);
    }
  }

  async #try(customer: Customer): Promise<boolean> {
    if (this.#stepFor(customer) === undefined) return false;
    const challenge = await this.#password(customer);
    const step = this.#stepFor(customer);
    if (challenge === undefined || step === undefined) return false;
    const outcome = await this.#code(customer, challenge, step);
    this.#steps.set(customer, outcome === 'unknown' ? step : step + 1);
    return outcome === 'right';
  }

  async #password(customer: Customer): Promise<string | undefined> {
    const { id, portal, email, password } = customer;
    const told = await ask(this.#portOf(), {
      path: `${portal}/sign-in`,
      fields: { email, password },
      address: this.#addressOf(customer),
    });
    const challenge = cookieIn(told, 'sallyport-challenge');
    if (told.status === 303 && challenge !== undefined) {
      this.#ledger.told(id, 'password.answered', 'right');
      return challenge;
    }
    this.#failed('password', told);
    return undefined;
  }

  async #code(customer: Customer, challenge: string, step: number): Promise<'right' | 'refused' | 'unknown'> {
    const { id: accountId, portal, secret } = customer;
    const told = await ask(this.#portOf(), {
      path: `${portal}/verify`,
      fields: { code: totpCode(secret, step) },
      cookie: challenge,
      address: this.#addressOf(customer),
    });
    const sent = { accountId, code: `step ${step}`, challenge: valueOf(challenge) };
    const session = cookieIn(told, 'sallyport');
    if (told.status === 303 && session !== undefined) {
      this.#letIn++;
      this.#ledger.answered({ ...sent, outcome: 'right', session: valueOf(session) });
      return 'right';
    }
    const outcome = told.status === 0 || told.status >= 500 ? 'unknown' : 'refused';
    this.#ledger.answered({ ...sent, outcome });
    // That a code was used already is no failure: whoever was not told of their session learns it so.
    if (told.status !== 422) this.#failed('code', told);
    return outcome;
  }

  #failed(what: Failure['what'], { status, retryAfter, ms, text }: Told): void {
    this.failures.push({ what, status, retryAfter, ms, text });
  }

  #addressOf(customer: Customer): string {
    const number = this.#customers.indexOf(customer);
    return `198.18.${number >> 8}.${number & 255}`;
  }
}

function stepOf(code: string): number {
  return Number(code.slice('step '.length));
}

async function some<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const waiting = all.values();
  const oneByOne = async (): Promise<void> => {
    for (const one of waiting) await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, oneByOne));
}
