import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { verifyEnrolment, offer } from '../../src/auth/enrolment.ts';
import { sealSecret } from '../../src/auth/factors/totp.ts';
import { COLLEAGUES_LOOKED_AT, NO_COUNTS } from '../../src/auth/limits.ts';
import { sql } from '../../src/db/db.ts';
import {
  acme,
  addContact,
  answers,
  challenged,
  enrol,
  from,
  home,
  pendingOf,
  refound,
  setPolicy,
  signsIn,
  type Acme,
  type Enrolled,
  type Person,
} from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

/** What the answer's audit row says of why the last code was wrong. */
async function why(world: World, person: Person): Promise<Record<string, unknown>> {
  const row = (await world.audit(person)).at(-1);
  const { why: reason, minutes, account } = JSON.parse(row?.details ?? '{}') as Record<string, unknown>;
  return JSON.parse(JSON.stringify({ why: reason, minutes, account })) as Record<string, unknown>;
}

/** Enrols somebody, and puts a secret into the app that is the same in every run: no code is two people's by chance. */
async function enrolled(world: World, person: Person): Promise<Enrolled> {
  const { codes } = await enrol(world.installation, person);
  const secret = Buffer.from(person.email.padEnd(20).slice(0, 20));
  for (const { id, account_id: accountId } of await world.rows('authenticators')) {
    if (accountId !== person.id) continue;
    const sealed = sealSecret(world.installation, person.organizationId, person.id, String(id), secret);
    await world.change(sql`UPDATE authenticators SET secret = ${sealed} WHERE id = ${String(id)}`);
  }
  return { secret, codes };
}

async function mariaWithMfa(world: World): Promise<Acme & Enrolled> {
  const people = await world.acme();
  await setPolicy(world.installation, people.organization, 'required');
  const app = await enrolled(world, people.maria);
  world.clock.advance(MINUTE_MS);
  return { ...people, ...app };
}

/** Enters a code at a challenge that is new, from an address that nobody came from before. */
async function enters(world: World, person: Person, code: string): Promise<unknown> {
  const challenge = await challenged(world.installation, person);
  return answers(world.installation, challenge, code, from(`at ${crypto.randomUUID()}`));
}

eachEngine('staff are told why a code was wrong', (engine) => {
  for (const [steps, minutes] of [
    [-20, -10],
    [-8, -4],
    [-2, -1],
    [2, 1],
    [9, 5],
    [20, 10],
  ] as const)
    test(`by a clock that is ${minutes} minutes off`, async () => {
      await using world = await openWorld(engine);
      const { maria, secret } = await mariaWithMfa(world);
      world.clock.advance(30 * MINUTE_MS);
      await enters(world, maria, world.codeFor(secret, steps));
      assert.deepEqual(await why(world, maria), { why: 'clock', minutes });
    });

  test('by having been used, long ago for an app', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await mariaWithMfa(world);
    const code = world.codeFor(secret);
    await enters(world, maria, code);
    world.clock.advance(3 * MINUTE_MS);
    await enters(world, maria, code);
    assert.deepEqual(await why(world, maria), { why: 'used' });
    await enters(world, maria, codes[0] ?? '');
    await enters(world, maria, codes[0] ?? '');
    assert.deepEqual(await why(world, maria), { why: 'used' });
  });

  test('by being of a colleague’s app, and never whose it is at another customer or merchant', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, eve, ada } = await mariaWithMfa(world);
    const rival = await acme(world.installation, 'rival');
    await setPolicy(world.installation, rival.organization, 'required');
    const colleague = await enrolled(world, noor);
    const stranger = await enrolled(world, eve);
    const foreign = await enrolled(world, await addContact(world.installation, rival.globex, 'Rita Foreign'));
    const staff = await enrolled(world, ada);
    world.clock.advance(MINUTE_MS);
    await enters(world, maria, world.codeFor(colleague.secret));
    assert.deepEqual(await why(world, maria), { why: 'other-account', account: noor.id });
    for (const { secret } of [stranger, foreign, staff]) {
      await enters(world, maria, world.codeFor(secret));
      assert.deepEqual(await why(world, maria), { why: 'unknown' });
    }
    await enters(world, ada, world.codeFor(colleague.secret));
    assert.deepEqual(await why(world, ada), { why: 'unknown' }, 'staff have no customer, and so no colleagues');
  });

  test('by nothing where it is the code of no moment and of nobody', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await mariaWithMfa(world);
    await enters(world, maria, nobodys(world, secret));
    assert.deepEqual(await why(world, maria), { why: 'unknown' });
    await enters(world, maria, '000000000000');
    assert.deepEqual(await why(world, maria), { why: 'unknown' });
  });

  test('while MFA is being set up too', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const outcome = await signsIn(world.installation, maria);
    assert.ok(outcome.kind === 'enrolment');
    const challenge = await refound(world.installation, maria, outcome.cookie);
    await offer(world.installation, challenge, home(maria));
    const { secret } = await pendingOf(world.installation, challenge);
    await verifyEnrolment(world.installation, challenge, world.codeFor(secret, -8), home(maria));
    assert.deepEqual(await why(world, maria), { why: 'clock', minutes: -4 });
  });

  test('although a colleague’s secret does not open: that is the colleague’s trouble', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, secret } = await mariaWithMfa(world);
    await enrolled(world, noor);
    await world.change(sql`UPDATE authenticators SET secret = 'test.AAAA' WHERE account_id = ${noor.id}`);
    world.clock.advance(MINUTE_MS);
    await enters(world, maria, nobodys(world, secret));
    assert.deepEqual(await why(world, maria), { why: 'unknown' });
  });
});

eachEngine('whoever types a wrong code', (engine) => {
  test('is not let in and not told why, and pays the same, whatever the reason', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, secret } = await mariaWithMfa(world);
    const colleague = await enrolled(world, noor);
    world.clock.advance(30 * MINUTE_MS);
    const steps = fc.integer({ min: -25, max: 25 }).filter((distance) => Math.abs(distance) > 1);
    const wrong = fc.oneof(
      steps.map((distance) => () => world.codeFor(secret, distance)),
      fc.integer({ min: -1, max: 1 }).map((distance) => () => world.codeFor(colleague.secret, distance)),
      fc.integer({ min: 0, max: 999_999 }).map((number) => () => String(number).padStart(6, '0')),
    );
    await fc.assert(
      fc.asyncProperty(wrong, async (typed) => {
        const code = typed();
        fc.pre(![-1, 0, 1].some((near) => world.codeFor(secret, near) === code));
        await world.change(sql`UPDATE accounts SET ${NO_COUNTS}`);
        const before = await world.rows('authenticators');
        assert.deepEqual(await enters(world, maria, code), { kind: 'wrong', attemptsLeft: 4, wrongInARow: 1 });
        assert.deepEqual(await world.rows('authenticators'), before);
        assert.deepEqual(await world.rows('sessions'), []);
        const account = (await world.rows('accounts')).find(({ id }) => id === maria.id);
        assert.deepEqual([account?.['totp_wrong'], account?.['window_wrong']], [1, 1]);
      }),
      { numRuns: 40 },
    );
  });

  test('keeps the server as busy whatever the code is and however many colleagues have MFA', async (t) => {
    await using world = await openWorld(engine);
    const { maria, secret, globex } = await mariaWithMfa(world);
    const cost = spied(t);
    const works: Record<string, number>[] = [];
    let colleague: Uint8Array = secret;
    for (let colleagues = 0; colleagues <= COLLEAGUES_LOOKED_AT + 1; colleagues++) {
      world.clock.advance(30 * MINUTE_MS);
      await world.change(sql`UPDATE accounts SET ${NO_COUNTS}`);
      const codes = [nobodys(world, secret), world.codeFor(secret, -8), world.codeFor(secret, 20)];
      if (colleagues > 0) codes.push(world.codeFor(colleague));
      for (const code of codes) {
        const challenge = await challenged(world.installation, maria);
        works.push(await cost(() => answers(world.installation, challenge, code)));
      }
      const person = await addContact(world.installation, globex, `Colleague${colleagues} Else`);
      colleague = (await enrolled(world, person)).secret;
    }
    const [first] = works;
    assert.ok(first && first['createHmac']! > 40 && first['createDecipheriv']! > COLLEAGUES_LOOKED_AT);
    for (const work of works) assert.deepEqual(work, first);
  });
});

/** Six digits that the app shows at no moment that anybody looks at. */
function nobodys(world: World, secret: Uint8Array): string {
  const near = Array.from({ length: 41 }, (_, at) => world.codeFor(secret, at - 20));
  return ['000000', '111111', '222222', '333333'].find((code) => !near.includes(code)) ?? '';
}

/** Counts what an act asks of the crypto library. */
function spied(t: TestContext): (act: () => Promise<unknown>) => Promise<Record<string, number>> {
  const functions = (['createHmac', 'createDecipheriv'] as const).map((name) => {
    return [name, t.mock.method(crypto, name).mock] as const;
  });
  syncBuiltinESMExports();
  t.after(() => {
    for (const [, mock] of functions) mock.restore();
    syncBuiltinESMExports();
  });
  return async (act) => {
    for (const [, mock] of functions) mock.resetCalls();
    await act();
    return Object.fromEntries(functions.map(([name, mock]) => [name, mock.callCount()]));
  };
}
