import type { Browser } from 'playwright-core';
import { setPolicy, enrol, type Acme, type Enrolled, type Person } from '../acme.ts';
import { DAY_MS, MINUTE_MS, openWorld, type World, type WorldOptions } from '../world.ts';
import { Eye, type Sight } from './eye.ts';
import { Somebody, type Seat } from './somebody.ts';
import * as ways from './ways.ts';
import { STEP_MS } from './ways.ts';

/** A walk through the pages of Acme Billing, with an eye on each of them. */
export class Tour {
  readonly world: World;
  readonly acme: Acme;
  readonly origin: string;
  readonly guest: Somebody;
  readonly #eye = new Eye();

  private constructor(world: World, acme: Acme, origin: string, guest: Somebody) {
    this.world = world;
    this.acme = acme;
    this.origin = origin;
    this.guest = guest;
  }

  /** Walks through a part of the house; what the eye has found wrong fails at the end. */
  static async through(
    browser: Browser,
    walk: (tour: Tour) => Promise<void>,
    options: WorldOptions = {},
    seat: Seat = {},
  ): Promise<void> {
    await using world = await openWorld('sqlite', options);
    const acme = await world.acme();
    const tour = new Tour(world, acme, await world.listen(), await Somebody.at(browser, seat));
    await walk(tour);
    tour.#eye.closes();
    await tour.guest.leaves();
  }

  /** Looks at the page where the guest stands, which is in this state. */
  async looks(state: string, sight: Sight = {}): Promise<void> {
    await this.#eye.looksAt(this.guest.page, state, sight);
  }

  /** The same for a page that tells of something wrong. */
  async looksAtError(state: string, merchant = 'Acme Billing'): Promise<void> {
    await this.looks(state, { error: true, merchant });
  }

  /** Goes to a path of the portal. */
  async comesTo(path: string, heading: string): Promise<void> {
    await this.guest.go(`${this.origin}/portal/acme${path}`);
    await this.guest.arrives(heading);
  }

  /** Goes to a path of the console. */
  async worksAt(path: string, heading: string): Promise<void> {
    await this.guest.go(`${this.origin}/admin${path}`);
    await this.guest.arrives(heading);
  }

  /** Somebody who went through the whole ceremony yesterday; contacts only where the policy is `required`. */
  async enrolled(person: Person): Promise<Enrolled> {
    const kept = await enrol(this.world.installation, person);
    this.world.clock.advance(DAY_MS);
    return kept;
  }

  async requiresMfa(): Promise<void> {
    await setPolicy(this.world.installation, this.acme.organization, 'required');
  }

  /** Gives the right password at the person's door, in a browser that knows nobody. */
  async knocks(person: Person): Promise<void> {
    await this.guest.context.clearCookies();
    const base = person.surface === 'admin' ? '/admin' : '/portal/acme';
    await this.guest.go(`${this.origin}${base}/sign-in`);
    await ways.givesPassword(this.guest, person);
  }

  /** Goes through both doors. */
  async comesIn(person: Person, { secret }: Enrolled): Promise<void> {
    this.world.clock.advance(STEP_MS);
    await this.knocks(person);
    await ways.givesCode(this.guest, this.world.codeFor(secret));
    await this.guest.arrives(person.surface === 'admin' ? 'Overview' : 'Documents');
  }

  /** Lets so many minutes pass. */
  waits(minutes: number): void {
    this.world.clock.advance(minutes * MINUTE_MS);
  }
}
