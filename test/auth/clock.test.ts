import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { raiseMark, seenAt } from '../../src/accounts/clock.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import { acceptClock } from '../../src/auth/clock.ts';
import { enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { proveAgain } from '../../src/auth/fresh-proof.ts';
import { CLOCK_SLACK_MS, waitAfterWrong } from '../../src/auth/limits.ts';
import { findSession, isFreshlyProven } from '../../src/auth/sessions.ts';
import { ticking } from '../../src/cli/clock.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import {
  answers,
  challenged,
  enrol,
  found,
  guesses,
  home,
  pendingOf,
  setPolicy,
  signsIn,
  type Acme,
  type Enrolled,
} from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, START, type Engine, type World } from '../world.ts';

const TEN_MINUTES = 10 * MINUTE_MS;

/** Acme with MFA on a server that has shown its time to the database a moment ago. */
async function running(engine: Engine): Promise<{ world: World; people: Acme & Enrolled }> {
  const world = await openWorld(engine);
  const people = await world.acmeWithMfa();
  await raiseMark(world.db, world.clock.now);
  return { world, people };
}

/** What an answer may spend or count: the account's row, the challenge's attempts, windows, the audit log. */
async function spent(world: World, { account }: Challenge): Promise<unknown> {
  return {
    accounts: await world.db.all(sql`SELECT totp_wrong, backup_wrong, window_wrong, totp_wait_until FROM accounts
      WHERE id = ${account.id}`),
    challenges: await world.db.all(sql`SELECT id, attempts_left, consumed_at FROM challenges ORDER BY id`),
    authenticators: await world.db.all(
      sql`SELECT id, last_step, tries_left, proven_step FROM authenticators ORDER BY id`,
    ),
    counters: await world.db.all(sql`SELECT name, subject, spent FROM counters WHERE spent > 0 ORDER BY name, subject`),
    audit: (await world.audit(account)).length,
  };
}

eachEngine('a clock that was set back', (engine) => {
  test('ten minutes makes the server refuse every code of the app, and nothing is spent or counted (I22)', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const challenge = await challenged(world.installation, people.maria);
    world.clock.advance(-TEN_MINUTES);
    const before = await spent(world, challenge);
    for (const code of [world.codeFor(people.secret), world.wrongCode(people.secret)])
      assert.deepEqual(await answers(world.installation, challenge, code), { kind: 'clock-behind' });
    assert.deepEqual(await spent(world, challenge), before);
    world.clock.advance(TEN_MINUTES);
    const right = await answers(world.installation, challenge, world.codeFor(people.secret));
    assert.equal(right.kind, 'right', 'the clock is right again, and the challenge is still good');
  });

  test('never accepts again what was accepted: not at 9:50, and not when it is 10:00 once more (I1, I22)', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const [early, late] = [
      await challenged(world.installation, people.maria),
      await challenged(world.installation, people.maria),
    ];
    const code = world.codeFor(people.secret);
    assert.equal((await answers(world.installation, early, code)).kind, 'right');
    const codeOfThen = world.codeFor(people.secret, -20);
    world.clock.advance(-TEN_MINUTES);
    for (const typed of [code, codeOfThen])
      assert.equal((await answers(world.installation, late, typed)).kind, 'clock-behind');
    await world.change(sql`DELETE FROM clock`);
    assert.equal(
      (await answers(world.installation, late, codeOfThen)).kind,
      'already-used',
      'not even without the mark',
    );
    world.clock.advance(TEN_MINUTES);
    assert.equal((await answers(world.installation, late, code)).kind, 'already-used');
  });

  test('or runs half a minute behind another goes on, and a millisecond more is too much', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const challenge = await challenged(world.installation, people.maria);
    await raiseMark(world.db, world.clock.now + CLOCK_SLACK_MS + 1);
    const code = world.codeFor(people.secret);
    assert.equal((await answers(world.installation, challenge, code)).kind, 'clock-behind');
    world.clock.advance(1);
    assert.equal((await answers(world.installation, challenge, code)).kind, 'right');
  });

  test('while an answer is under way is noticed by the statement that would count it', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const challenge = await challenged(world.installation, people.maria);
    world.clock.advance(-TEN_MINUTES);
    const before = await spent(world, challenge);
    const codeOfThen = world.codeFor(people.secret);
    // Right for the first look, and set back before the transaction begins.
    let looks = 0;
    const now = (): number => (looks++ === 0 ? world.clock.now + TEN_MINUTES : world.clock.now);
    const outcome = await answers({ ...world.installation, now }, challenge, codeOfThen);
    assert.deepEqual(outcome, { kind: 'clock-behind' });
    assert.deepEqual(await spent(world, challenge), before);
  });

  test('stops neither passwords nor backup codes', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    world.clock.advance(-TEN_MINUTES);
    const challenge = await challenged(world.installation, people.maria);
    const [code = ''] = people.codes;
    assert.equal((await answers(world.installation, challenge, code)).kind, 'right');
    await setPolicy(world.installation, people.organization, 'off');
    assert.equal((await signsIn(world.installation, people.noor)).kind, 'signed-in');
  });

  test('makes a wait hold for so much longer, and says of the app that it must wait too', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    await guesses(world, people.maria, people.secret, 5);
    const wait = waitAfterWrong(5);
    await raiseMark(world.db, world.clock.now);
    world.clock.advance(wait - TEN_MINUTES);
    const challenge = await challenged(world.installation, people.maria);
    const [code = ''] = people.codes;
    await world.change(
      sql`UPDATE accounts SET backup_wait_until = ${world.clock.now + 1} WHERE id = ${people.maria.id}`,
    );
    const held = await answers(world.installation, challenge, code);
    assert.deepEqual(held, { kind: 'wait', until: world.clock.now + 1, otherWaits: true });
    await world.change(sql`DELETE FROM clock`);
    const typed = await answers(world.installation, challenge, world.codeFor(people.secret));
    assert.equal(typed.kind, 'wait', 'a wait that was over in ten minutes is not');
  });

  test('refuses to prove an enrolment, keeps its tries, and goes on with it when it is right', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const { noor } = people;
    const challenge = await challenged(world.installation, noor);
    await offer(world.installation, challenge, home(noor));
    const { secret } = await pendingOf(world.installation, challenge);
    const before = await spent(world, challenge);
    world.clock.advance(-TEN_MINUTES);
    const verify = (): ReturnType<typeof verifyEnrolment> =>
      verifyEnrolment(world.installation, challenge, world.codeFor(secret), home(noor));
    assert.deepEqual(await verify(), { kind: 'clock-behind' });
    assert.deepEqual(await spent(world, challenge), before);
    assert.equal(await enable(world.installation, challenge, home(noor)), false);
    world.clock.advance(TEN_MINUTES);
    assert.deepEqual(await verify(), { kind: 'proven' });
  });

  test('gives no fresh proof, nor counts one from the future as fresh (I14)', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const { sam } = people;
    const { secret } = await enrol(world.installation, sam);
    world.clock.advance(STEP_MS);
    const answered = await answers(
      world.installation,
      await challenged(world.installation, sam),
      world.codeFor(secret),
    );
    assert.ok(answered.kind === 'right');
    await raiseMark(world.db, world.clock.now);
    world.clock.advance(-TEN_MINUTES);
    const session = await findSession(world.db, 'admin', answered.bought.cookie, world.clock.now);
    assert.ok(session, 'the session lives on, for ten minutes longer');
    assert.equal(isFreshlyProven(session, world.clock.now), false);
    const code = { kind: 'totp', code: world.codeFor(secret) } as const;
    const proof = await proveAgain(world.installation, session, sam.password, code, home(sam));
    assert.deepEqual(proof, { kind: 'clock-behind' });
    // Rows are told in the order of the clock, which was set back: this one is not the last.
    const rows = (await world.audit(sam)).filter(({ action }) => action === 'proved-again');
    assert.deepEqual(
      rows.map(({ result }) => result),
      ['clock-behind'],
    );
  });
});

eachEngine('the mark of what the database has seen', (engine) => {
  test('rises with any clock and falls with none', async () => {
    await using world = await openWorld(engine);
    assert.equal(await seenAt(world.db), 0);
    assert.equal(await raiseMark(world.db, START), START);
    assert.equal(await raiseMark(world.db, START - TEN_MINUTES), START);
    assert.equal(await raiseMark(world.db, START + 1), START + 1);
    assert.equal(await seenAt(world.db), START + 1);
  });

  test('makes the server tell its operator once, with both times and how to mend it, and once that it is mended', async () => {
    await using world = await openWorld(engine);
    const tick = ticking(world.installation);
    const told = (): unknown[] =>
      world.log.lines.map(({ level, message, fields }) => [level, message, fields['clock'], fields['seen']]);
    await tick();
    world.clock.advance(-CLOCK_SLACK_MS);
    await tick();
    assert.deepEqual(told(), []);
    world.clock.advance(CLOCK_SLACK_MS - TEN_MINUTES);
    for (let ticks = 0; ticks < 3; ticks++) await tick();
    const behind = [
      'error',
      'the clock is behind what the database has seen',
      '2026-11-24T08:50:10.000Z',
      '2026-11-24T09:00:10.000Z',
    ];
    assert.deepEqual(told(), [behind]);
    assert.match(String(world.log.lines[0]?.fields['mend']), /timedatectl set-ntp true; .*sallyport clock accept/);
    world.clock.advance(TEN_MINUTES);
    await tick();
    assert.deepEqual(told(), [behind, ['info', 'the clock is right again', '2026-11-24T09:00:10.000Z', undefined]]);
  });
});

eachEngine('a clock that was years ahead for a moment', (engine) => {
  const YEARS = 1_500 * DAY_MS;

  test('is told apart by the operator, who takes the right one: codes are checked again, and it is recorded', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const used = world.codeFor(people.secret);
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, people.maria), used)).kind,
      'right',
    );
    await raiseMark(world.db, world.clock.now + YEARS);
    const challenge = await challenged(world.installation, people.maria);
    assert.equal((await answers(world.installation, challenge, used)).kind, 'clock-behind');
    assert.deepEqual(await acceptClock(world.installation, OPERATOR), { seenAt: world.clock.now + YEARS, ahead: 0 });
    assert.equal(await seenAt(world.db), world.clock.now);
    assert.equal(
      (await answers(world.installation, challenge, used)).kind,
      'already-used',
      'no code works twice for it',
    );
    world.clock.advance(STEP_MS);
    assert.equal((await answers(world.installation, challenge, world.codeFor(people.secret))).kind, 'right');
    const rows = await world.db.all(
      sql`SELECT actor_kind, organization_id FROM audit_rows WHERE action = 'clock.accepted'`,
    );
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ actor_kind: 'operator', organization_id: people.organization.id }],
    );
    assert.equal(await acceptClock(world.installation, OPERATOR), undefined, 'there is nothing more to accept');
  });

  test('leaves nothing behind that would last for years', async () => {
    const { world, people } = await running(engine);
    await using _ = world;
    const today = await challenged(world.installation, people.maria);
    world.clock.advance(YEARS);
    await raiseMark(world.db, world.clock.now);
    await guesses(world, people.maria, people.secret, 6);
    await setPolicy(world.installation, people.organization, 'off');
    const session = await signsIn(world.installation, people.noor);
    assert.ok(session.kind === 'signed-in');
    const challenge = await signsIn(world.installation, people.maria);
    assert.ok(challenge.kind === 'challenge');
    world.clock.now = today.expiresAt - TEN_MINUTES;
    assert.ok(await findSession(world.db, 'portal', session.cookie, world.clock.now), 'or the sentence shows nothing');
    assert.ok(await acceptClock(world.installation, OPERATOR));
    assert.equal(await findSession(world.db, 'portal', session.cookie, world.clock.now), undefined);
    assert.equal((await found(world.installation, people.maria, challenge.cookie)).kind, 'dead');
    const held = await answers(world.installation, today, world.codeFor(people.secret, 1));
    assert.ok(held.kind === 'wait' && held.until <= world.clock.now + HOUR_MS, 'no wait is longer than the longest');
    const counters = await world.db.all(sql`SELECT name FROM counters WHERE started_at > ${world.clock.now}`);
    assert.deepEqual(counters, []);
  });
});
