import fc from 'fast-check';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import type { Engine } from '../database.ts';
import { openWorld } from '../world.ts';
import { ACTS } from './acts.ts';
import { Contact, type Policy } from './model.ts';
import { PROXY, Product, type House } from './product.ts';

export interface Bound {
  /** How many stories are told. */
  readonly runs: number;
  /** How many acts each is dealt at most. Those that are out of turn are mostly passed over: about half. */
  readonly acts?: number;
  /** The seed that a failure printed, to see it again. */
  readonly seed?: number | undefined;
  /** Hears after each story how many have been told. */
  readonly progress?: (done: number) => void;
}

export interface Told {
  readonly stories: number;
  /** How often each answer was given, by the model and the product alike. */
  readonly told: Readonly<Record<string, number>>;
}

/**
 * Lets random stories happen to one account after another, in the model and in the product, and compares after every
 * act. Throws what fast-check says: the seed, and the shortest story it found that still ends differently. Answers how
 * much was compared.
 */
export async function runModel(engine: Engine, bound: Bound): Promise<Told> {
  const world = await openWorld(engine, { trustedProxies: [PROXY] });
  const house: House = { world, people: await world.acme(), told: {} };
  const { organization } = house.people;
  await saveChoices(world.installation, OPERATOR, organization.id, { ...organization, trustedDeviceDays: 30 });
  let [begun, stories] = [0, 0];
  const story = fc.commands<Contact, Product, false>([ACTS], { maxCommands: bound.acts ?? 80, size: 'max' });
  const policies = fc.constantFrom<Policy>('required', 'required', 'required', 'optional', 'off');
  const property = fc.asyncProperty(policies, story, async (policy, acts) => {
    const product = await Product.open(house, `Maria${begun++} Silva`);
    const model = new Contact();
    model.now = house.world.clock.now;
    model.policy = policy;
    await product.setPolicy(policy);
    await fc.asyncModelRun(() => ({ model, real: product }), acts);
    stories++;
    bound.progress?.(stories);
  });
  try {
    await fc.assert(property, { numRuns: bound.runs, ...(bound.seed === undefined ? {} : { seed: bound.seed }) });
    return { stories, told: house.told };
  } finally {
    await house.world.close();
  }
}
