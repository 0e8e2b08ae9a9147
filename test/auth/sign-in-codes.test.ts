import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { generateCodes } from '../../src/auth/ceremony-codes.ts';
import { enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { RESETS_BY_AGENT } from '../../src/auth/limits.ts';
import { answerWithSignInCode, makeSignInCode, type MadeCode } from '../../src/auth/sign-in-codes.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, home, pendingOf, refound, type Acme, type Person } from '../acme.ts';
import { actorFor, asks } from '../help.ts';
import { queued } from '../queued.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

const CALLED = { check: 'called-number-on-file', note: '' } as const;

async function makes(world: World, agent: Person, target: Person): Promise<MadeCode> {
  return makeSignInCode(
    world.installation,
    actorFor(agent),
    await world.account(agent),
    await world.account(target),
    CALLED,
  );
}

async function codeFor(world: World, { sam, maria }: Acme): Promise<string> {
  const made = await makes(world, sam, maria);
  assert.ok(made.kind === 'made', made.kind);
  return made.code;
}

async function types(
  world: World,
  person: Person,
  code: string,
  challenge?: Challenge,
): ReturnType<typeof answerWithSignInCode> {
  return answerWithSignInCode(
    world.installation,
    challenge ?? (await challenged(world.installation, person)),
    code,
    home(person),
  );
}

function wrong(code: string): string {
  return `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;
}

eachEngine('a one-time sign-in code', (engine) => {
  test('opens no session: it opens the ceremony, and the new authenticator ends the old one and its backup codes', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const people = await world.acmeWithMfa();
    const { installation } = world;
    const { maria } = people;
    const code = await codeFor(world, people);
    assert.match(code, /^\d{15}$/);
    assert.ok((await queued(world, maria)).some(({ kind }) => kind === 'sign-in-code-made'));
    const answered = await types(world, maria, code);
    assert.ok(answered.kind === 'right', answered.kind);
    assert.deepEqual(await world.rows('sessions'), []);
    const challenge = await refound(installation, maria, answered.bought.cookie);
    assert.equal(challenge.purpose, 'recovery');
    await offer(installation, challenge, home(maria));
    const { secret } = await pendingOf(installation, challenge);
    assert.equal((await verifyEnrolment(installation, challenge, world.codeFor(secret), home(maria))).kind, 'proven');
    const old = await challenged(installation, maria);
    assert.equal(await enable(installation, challenge, home(maria)), true);
    assert.equal(await enable(installation, challenge, home(maria)), false);
    assert.equal((await answers(installation, old, world.codeFor(people.secret, 1))).kind, 'over');
    assert.ok(
      await generateCodes(installation, await refound(installation, maria, answered.bought.cookie), home(maria)),
    );
    world.clock.advance(MINUTE_MS);
    for (const dead of [world.codeFor(people.secret), people.codes[0] ?? ''])
      assert.equal((await answers(installation, await challenged(installation, maria), dead)).kind, 'wrong');
    assert.equal(
      (await answers(installation, await challenged(installation, maria), world.codeFor(secret))).kind,
      'right',
    );
    const active = (await world.rows('authenticators')).filter(
      (row) => row['enabled_at'] !== null && row['revoked_at'] === null,
    );
    assert.equal(active.length, 1);
    const acts = (await world.audit(maria)).map(({ action, result }) => `${action} ${result}`);
    for (const act of ['sign-in-code.made done', 'sign-in-code.used right']) assert.ok(acts.includes(act), act);
    assert.ok((await queued(world, maria)).some(({ kind }) => kind === 'app-replaced'));
  });

  test('works once', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const code = await codeFor(world, people);
    assert.equal((await types(world, people.maria, code)).kind, 'right');
    assert.equal((await types(world, people.maria, code)).kind, 'wrong');
  });

  test('works for fifteen minutes', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const code = await codeFor(world, people);
    world.clock.advance(15 * MINUTE_MS - 1);
    const challenge = await challenged(world.installation, people.maria);
    world.clock.advance(1);
    assert.equal((await types(world, people.maria, code, challenge)).kind, 'wrong');
    const next = await codeFor(world, people);
    world.clock.advance(15 * MINUTE_MS - 1);
    assert.equal((await types(world, people.maria, next)).kind, 'right');
  });

  test('is one at a time: a new one ends the one before', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const [first, second] = [await codeFor(world, people), await codeFor(world, people)];
    assert.equal((await types(world, people.maria, first)).kind, 'wrong');
    assert.equal((await types(world, people.maria, second)).kind, 'right');
  });

  test('is the account’s as it was when it was made: a closed portal, opened again, ends it', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const code = await codeFor(world, people);
    for (const open of [false, true])
      await setPortalAccess(world.installation, OPERATOR, await world.account(people.maria), open);
    assert.equal((await types(world, people.maria, code)).kind, 'wrong');
    const next = await codeFor(world, people);
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${people.maria.id}`);
    assert.equal((await types(world, people.maria, next)).kind, 'wrong', 'even if nobody has ended it');
  });

  test('is nobody else’s code', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await enrol(world.installation, people.noor);
    const code = await codeFor(world, people);
    assert.equal((await types(world, people.noor, code)).kind, 'wrong');
    assert.equal((await types(world, people.maria, code)).kind, 'right');
  });

  test('is counted like a wrong backup code when it is wrong: five, then the wait of both', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const { installation } = world;
    const code = await codeFor(world, people);
    const challenge = await challenged(installation, people.maria);
    for (let tries = 4; tries >= 0; tries--) {
      const answered = await types(world, people.maria, wrong(code), challenge);
      assert.ok(answered.kind === 'wrong');
      assert.equal(answered.attemptsLeft, tries);
    }
    const next = await challenged(installation, people.maria);
    assert.equal((await types(world, people.maria, code, next)).kind, 'wait', 'not even the right one is looked at');
    assert.equal((await answers(installation, next, people.codes[0] ?? '')).kind, 'wait');
    assert.equal(
      (await answers(installation, next, world.codeFor(people.secret))).kind,
      'right',
      'the app has a wait of its own',
    );
  });

  test('is never made for staff, by auditors, for another merchant, without MFA or behind a closed portal', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await enrol(world.installation, people.sam);
    assert.equal((await makes(world, people.ada, people.sam)).kind, 'not-allowed');
    assert.equal((await makes(world, people.otto, people.maria)).kind, 'not-allowed');
    assert.equal((await makes(world, people.sam, people.noor)).kind, 'no-mfa');
    await setPortalAccess(world.installation, OPERATOR, await world.account(people.maria), false);
    assert.equal((await makes(world, people.sam, people.maria)).kind, 'no-access');
  });

  test('is made as often as an hour allows resets, and not while a request for help waits', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    for (let made = 0; made < RESETS_BY_AGENT.allows; made++) await codeFor(world, people);
    assert.equal((await makes(world, people.sam, people.maria)).kind, 'limited');
    await asks(world, people.maria);
    assert.equal((await makes(world, people.ada, people.maria)).kind, 'help-waits');
    world.clock.advance(DAY_MS);
    assert.equal((await makes(world, people.ada, people.maria)).kind, 'made');
  });
});
