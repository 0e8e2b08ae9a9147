import assert from 'node:assert/strict';
import fc, { type AsyncCommand } from 'fast-check';
import { sweep } from '../../src/auth/housekeeping.ts';
import type { Browser, Contact, Policy } from './model.ts';
import { stateOf, type Product } from './product.ts';

/** Something that happens to one account, in the model and in the product; both must tell the same of it. */
export class Act implements AsyncCommand<Contact, Product> {
  readonly #words: string;
  readonly #act: (model: Contact, product: Product) => Promise<void>;
  readonly #inTurn: (model: Contact) => boolean;

  constructor(words: string, act: Act['run'], inTurn: (model: Contact) => boolean = () => true) {
    this.#words = words;
    this.#act = act;
    this.#inTurn = inTurn;
  }

  check(model: Readonly<Contact>): boolean {
    return this.#inTurn(model as Contact);
  }

  async run(model: Contact, product: Product): Promise<void> {
    await this.#act(model, product);
  }

  toString(): string {
    return `\n  ${this.#words}`;
  }
}

/** Compares what was answered, and then everything that the tables say. */
async function same(model: Contact, product: Product, told: string, answered: Promise<string>): Promise<void> {
  product.told(told);
  assert.equal(await answered, told, 'the answer of the product, and what the model tells');
  assert.deepEqual(await product.state(), stateOf(model), 'the tables, and what the model tells');
}

const OFFSETS = fc.constantFrom(0, 0, 0, 1, -1, 2, -2);
const browsers = fc.constantFrom<Browser>('phone', 'phone', 'phone', 'laptop');
// Some of all acts come out of turn, where nothing may come of them; most in turn, or no story would get far.
const outOfTurn = fc.nat(9).map((n) => n === 0);

const stands =
  (at: Browser, purpose: 'sign-in' | 'enrolment' | 'backup-codes', anyhow: boolean) =>
  (model: Contact): boolean => {
    const { challenge } = model.browsers[at];
    return anyhow || (challenge?.purpose === purpose && model.death(challenge) === undefined);
  };

const signsIn = fc.tuple(browsers, fc.nat(9)).map(([at, n]) => {
  const right = n > 0;
  const words = `signs in on the ${at} with ${right ? 'the right' : 'a wrong'} password`;
  return new Act(words, (model, product) => same(model, product, model.signIn(at, right), product.signIn(at, right)));
});

const answersWithCode = fc.tuple(browsers, OFFSETS, fc.nat(19), fc.boolean(), outOfTurn).map(
  ([at, offset, n, trusting, anyhow]) =>
    new Act(
      `answers on the ${at} with the code of ${n === 0 ? 'the app before' : `the app, ${offset} steps from now`}${andTicks(trusting)}`,
      (model, product) => {
        const code = product.code(offset, n === 0);
        const told = model.answerWithCode(at, product.stepsOf(code), trusting);
        return same(model, product, told, product.answer(at, code, trusting));
      },
      stands(at, 'sign-in', anyhow),
    ),
);

function andTicks(trusting: boolean): string {
  return trusting ? ', and ticks the box' : '';
}

const deviceIsCopied = fc.constant(
  new Act(
    "Eve copies the phone's device cookie into the laptop",
    (model, product) => {
      model.copyDevice();
      return same(model, product, '', product.copyDevice());
    },
    (model) => model.browsers.phone.carried !== undefined,
  ),
);

const comesBackOften = fc.array(browsers, { minLength: 2, maxLength: 5 }).map(
  (turns) =>
    new Act(
      `signs in with the password alone, an hour apart, on the ${turns.join(', the ')}`,
      async (model, product) => {
        for (const at of turns) {
          advance(model, product, 3_600_000);
          await same(model, product, model.signIn(at, true), product.signIn(at, true));
        }
      },
      (model) => model.trusted > 0 && model.hasPassword && model.hasAccess,
    ),
);

const answersWrong = fc
  .tuple(browsers, outOfTurn)
  .map(
    ([at, anyhow]) =>
      new Act(
        `answers on the ${at} with a wrong code`,
        (model, product) => same(model, product, model.answerWithCode(at, []), product.answer(at, product.wrongCode())),
        stands(at, 'sign-in', anyhow),
      ),
  );

const answersWithBackupCode = fc.tuple(browsers, fc.nat(5), fc.nat(4), outOfTurn).map(([at, code, older, anyhow]) => {
  const which =
    code === 5 ? 'a wrong backup code' : `backup code ${code} of ${older === 0 ? 'an older' : 'the newest'} set`;
  return new Act(
    `answers on the ${at} with ${which}`,
    (model, product) => {
      const set = model.setsMade - (older === 0 ? 2 : 1);
      const told = model.answerWithBackupCode(at, set, code === 5 ? undefined : code);
      return same(model, product, told, product.answerWithBackupCode(at, product.backupCode(set, code)));
    },
    stands(at, 'sign-in', anyhow),
  );
});

const guesses = fc.tuple(browsers, fc.integer({ min: 4, max: 21 }), fc.boolean()).map(
  ([at, times, backup]) =>
    new Act(
      `somebody guesses ${times} ${backup ? 'backup codes' : 'codes'} on the ${at}, waiting out each wait`,
      async (model, product) => {
        for (let n = 0; n < times && model.authenticator && !model.suspected; n++) {
          if (!stands(at, 'sign-in', false)(model))
            await same(model, product, model.signIn(at, true), product.signIn(at, true));
          const typed = backup ? 'backup-code' : 'totp';
          advance(model, product, Math.max(0, model.waitUntil[typed] - model.now));
          const guess = backup ? '000000000000' : product.wrongCode();
          const told = backup ? model.answerWithBackupCode(at, -1, undefined) : model.answerWithCode(at, []);
          await same(model, product, told, product.answer(at, guess));
        }
      },
      (model) => model.authenticator !== null && model.hasPassword && model.hasAccess,
    ),
);

const configures = fc
  .tuple(browsers, outOfTurn)
  .map(
    ([at, anyhow]) =>
      new Act(
        `presses Configure on the ${at}`,
        (model, product) => same(model, product, model.configure(at), product.configure(at)),
        stands(at, 'enrolment', anyhow),
      ),
  );

const verifies = fc.tuple(browsers, OFFSETS, outOfTurn).map(
  ([at, offset, anyhow]) =>
    new Act(
      `presses Verify on the ${at} with the code ${offset} steps from now`,
      (model, product) => {
        const { code, steps } = product.offeredCode(at, offset);
        return same(model, product, model.verify(at, steps), product.verify(at, code));
      },
      stands(at, 'enrolment', anyhow),
    ),
);

const enables = fc.tuple(browsers, outOfTurn).map(
  ([at, anyhow]) =>
    new Act(
      `presses Enable MFA on the ${at}`,
      (model, product) => {
        const before = model.epoch;
        const told = model.enable(at);
        return same(model, product, told, product.enable(at, model.epoch > before));
      },
      stands(at, 'enrolment', anyhow),
    ),
);

const generates = fc.tuple(browsers, outOfTurn).map(
  ([at, anyhow]) =>
    new Act(
      `presses Generate Backup Codes on the ${at}`,
      (model, product) => {
        const told = model.generateCodes(at);
        return same(model, product, told, product.generateCodes(at, model.setsMade - 1));
      },
      stands(at, 'backup-codes', anyhow),
    ),
);

const continues = fc
  .tuple(browsers, outOfTurn)
  .map(
    ([at, anyhow]) =>
      new Act(
        `presses Continue to Sign In on the ${at}`,
        (model, product) => same(model, product, model.continueToSignIn(at), product.continueToSignIn(at)),
        stands(at, 'backup-codes', anyhow),
      ),
  );

const signsInWithMfa = fc.tuple(browsers, fc.boolean()).map(
  ([at, trusting]) =>
    new Act(
      `signs in on the ${at} through both doors, with the code of the next step${andTicks(trusting)}`,
      async (model, product) => {
        await same(model, product, model.signIn(at, true), product.signIn(at, true));
        advance(model, product, 30_000);
        const code = product.code(0);
        const told = model.answerWithCode(at, product.stepsOf(code), trusting);
        await same(model, product, told, product.answer(at, code, trusting));
      },
      (model) => model.authenticator !== null && model.hasPassword && model.hasAccess,
    ),
);

const setsUpMfa = browsers.map(
  (at) =>
    new Act(
      `sets up MFA on the ${at}, from the password to Continue to Sign In`,
      async (model, product) => {
        await same(model, product, model.signIn(at, true), product.signIn(at, true));
        await same(model, product, model.configure(at), product.configure(at));
        const { code, steps } = product.offeredCode(at, 0);
        await same(model, product, model.verify(at, steps), product.verify(at, code));
        await same(model, product, model.enable(at), product.enable(at, true));
        const told = model.generateCodes(at);
        await same(model, product, told, product.generateCodes(at, model.setsMade - 1));
        await same(model, product, model.continueToSignIn(at), product.continueToSignIn(at));
      },
      (model) =>
        model.policy === 'required' && !model.authenticator && !model.suspected && model.hasPassword && model.hasAccess,
    ),
);

const signsInOften = fc.constant(
  new Act('signs in on the laptop, and three times on the phone', async (model, product) => {
    for (const at of ['laptop', 'phone', 'phone', 'phone'] as const)
      await same(model, product, model.signIn(at, true), product.signIn(at, true));
  }),
);

const usesOneCodeTwice = fc.constant(
  new Act(
    'signs in on the phone, and on the laptop with the same code',
    async (model, product) => {
      for (const at of ['phone', 'laptop'] as const)
        await same(model, product, model.signIn(at, true), product.signIn(at, true));
      advance(model, product, 30_000);
      const code = product.code(0);
      for (const at of ['phone', 'laptop'] as const)
        await same(model, product, model.answerWithCode(at, product.stepsOf(code)), product.answer(at, code));
    },
    (model) => model.authenticator !== null && model.hasPassword && model.hasAccess,
  ),
);

const looksIn = browsers.map(
  (at) =>
    new Act(`looks in on the ${at}`, (model, product) => same(model, product, model.lookIn(at), product.lookIn(at))),
);

const signsOut = browsers.map(
  (at) =>
    new Act(`signs out on the ${at}`, (model, product) => same(model, product, model.signOut(at), product.signOut(at))),
);

const isInside =
  (at: Browser, anyhow: boolean) =>
  (model: Contact): boolean => {
    const { session } = model.browsers[at];
    return anyhow || (session !== undefined && session.by !== 'password' && model.isAlive(session));
  };

const replacesApp = fc.tuple(browsers, outOfTurn).map(
  ([at, anyhow]) =>
    new Act(
      `replaces the app on the ${at}, from Replace to the last button`,
      async (model, product) => {
        const { led, proven } = await product.replaceApp(at);
        await same(model, product, model.replaceApp(at, proven), Promise.resolve(led));
      },
      isInside(at, anyhow),
    ),
);

const getsNewCodes = fc.tuple(browsers, outOfTurn).map(
  ([at, anyhow]) =>
    new Act(
      `gets new codes on the ${at}, and presses Continue`,
      (model, product) => {
        const set = model.setsMade;
        return same(model, product, model.getNewCodes(at), product.getNewCodes(at, set));
      },
      isInside(at, anyhow),
    ),
);

const turnsMfaOff = fc
  .tuple(browsers, outOfTurn)
  .map(
    ([at, anyhow]) =>
      new Act(
        `turns MFA off on the ${at}`,
        (model, product) => same(model, product, model.turnMfaOff(at), product.turnMfaOff(at)),
        isInside(at, anyhow),
      ),
  );

const signsOutElsewhere = browsers.map(
  (at) =>
    new Act(`signs out everywhere else on the ${at}`, (model, product) =>
      same(model, product, model.signOutElsewhere(at), product.signOutElsewhere(at)),
    ),
);

const isReset = outOfTurn.map(
  (anyhow) =>
    new Act(
      'staff reset the MFA',
      (model, product) => same(model, product, model.reset(), product.reset()),
      (model) => anyhow || model.authenticator !== null,
    ),
);

const isUnlocked = outOfTurn.map(
  (anyhow) =>
    new Act(
      'staff unlock the account',
      (model, product) => same(model, product, model.unlock(), product.unlock()),
      ({ suspected, waitUntil, now }) => anyhow || suspected || Math.max(...Object.values(waitUntil)) > now,
    ),
);

const policyIsSet = fc.constantFrom<Policy>('required', 'required', 'required', 'optional', 'off').map(
  (policy) =>
    new Act(`the policy becomes ${policy}`, (model, product) => {
      model.policy = policy;
      return same(
        model,
        product,
        'set',
        product.setPolicy(policy).then(() => 'set'),
      );
    }),
);

const accessIsSet = fc.nat(2).map((n) => {
  const open = n > 0;
  return new Act(`portal access is ${open ? 'enabled' : 'disabled'}`, (model, product) => {
    model.setAccess(open);
    return same(
      model,
      product,
      'set',
      product.setAccess(open).then(() => 'set'),
    );
  });
});

const passwordIsSet = fc.nat(1_000_000).map(
  (n) =>
    new Act('the operator sets a new password', (model, product) => {
      model.setPassword();
      return same(
        model,
        product,
        'set',
        product.setPassword(`a long new secret ${n}`).then(() => 'set'),
      );
    }),
);

const MOVES: Record<string, number> = {
  'a second': 1_000,
  'half a minute': 30_000,
  'a minute': 60_000,
  'five minutes': 300_000,
  'ten minutes': 600_000,
  'half an hour': 1_800_000,
  'an hour': 3_600_000,
  'twelve hours': 43_200_000,
  'nine days': 777_600_000,
};
// Forward only: a row with a negative number here is all that a clock set back takes, once the model tells what then.
const timePasses = fc.constantFrom('half a minute', 'half a minute', 'half a minute', ...Object.keys(MOVES)).map(
  (move) =>
    new Act(`${move} passes`, (model, product) => {
      advance(model, product, MOVES[move] ?? 0);
      return same(model, product, '', Promise.resolve(''));
    }),
);

const restarts = fc.constant(
  new Act('the server is restarted', (model, product) =>
    same(
      model,
      product,
      '',
      product.restart().then(() => ''),
    ),
  ),
);

const houseIsKept = fc.constant(
  new Act('the house is swept', (model, product) =>
    same(
      model,
      product,
      '',
      sweep(product.house.world.installation).then(() => ''),
    ),
  ),
);

// No browser keeps the cookie of a challenge for an hour, and housekeeping forgets the row after a day.
function advance(model: Contact, product: Product, ms: number): void {
  product.house.world.clock.advance(ms);
  model.now += ms;
  for (const [at, browser] of Object.entries(model.browsers) as [Browser, Contact['browsers'][Browser]][]) {
    if (browser.challenge && model.now - browser.challenge.openedAt >= 3_600_000) {
      delete browser.challenge;
      product.forgetChallenge(at);
    }
  }
}

/** All that can happen, as often as it should. */
export const ACTS: fc.Arbitrary<Act> = fc.oneof(
  { weight: 10, arbitrary: signsIn },
  { weight: 10, arbitrary: answersWithCode },
  { weight: 5, arbitrary: answersWrong },
  { weight: 9, arbitrary: answersWithBackupCode },
  { weight: 2, arbitrary: guesses },
  { weight: 5, arbitrary: configures },
  { weight: 6, arbitrary: verifies },
  { weight: 6, arbitrary: enables },
  { weight: 5, arbitrary: generates },
  { weight: 4, arbitrary: continues },
  { weight: 8, arbitrary: setsUpMfa },
  { weight: 5, arbitrary: signsInWithMfa },
  { weight: 2, arbitrary: usesOneCodeTwice },
  { weight: 1, arbitrary: signsInOften },
  { weight: 2, arbitrary: comesBackOften },
  { weight: 2, arbitrary: deviceIsCopied },
  { weight: 5, arbitrary: looksIn },
  { weight: 1, arbitrary: signsOut },
  { weight: 3, arbitrary: replacesApp },
  { weight: 3, arbitrary: getsNewCodes },
  { weight: 1, arbitrary: turnsMfaOff },
  { weight: 1, arbitrary: signsOutElsewhere },
  { weight: 3, arbitrary: isReset },
  { weight: 4, arbitrary: isUnlocked },
  { weight: 2, arbitrary: policyIsSet },
  { weight: 1, arbitrary: accessIsSet },
  { weight: 1, arbitrary: passwordIsSet },
  { weight: 9, arbitrary: timePasses },
  { weight: 1, arbitrary: restarts },
  { weight: 1, arbitrary: houseIsKept },
);
