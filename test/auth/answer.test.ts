import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR, type AuditRow } from '../../src/accounts/audit.ts';
import { setPortalAccess, unlock } from '../../src/auth/access.ts';
import { generateCodes } from '../../src/auth/ceremony-codes.ts';
import { enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { proveAgain } from '../../src/auth/fresh-proof.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { signOut } from '../../src/auth/sign-in.ts';
import {
  answers,
  challenged,
  enrol,
  guesses,
  home,
  pendingOf,
  refound,
  setPolicy,
  signsIn,
  type Person,
} from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

/** The audit rows that some work left, of anybody. */
async function leaves(world: World, work: () => Promise<unknown>): Promise<string[]> {
  const before = new Set((await world.rows('audit_rows')).map(({ id }) => id));
  await work();
  const rows = (await world.rows('audit_rows')).filter(({ id }) => !before.has(id));
  return (rows as unknown as AuditRow[]).map(({ action, result }) => `${action} ${result}`);
}

eachEngine('exactly one audit row is left (I18)', (engine) => {
  test('by every answer to the question for the password, of a known account', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, noor } = await world.acme();
    const signIn =
      (person: Person, password = person.password) =>
      (): Promise<unknown> =>
        signsIn(world.installation, person, { password });
    assert.deepEqual(await leaves(world, signIn(maria, 'wrong password')), ['password.answered wrong']);
    assert.deepEqual(await leaves(world, signIn(maria)), ['signed-in right']);
    await setPolicy(world.installation, organization, 'required');
    assert.deepEqual(await leaves(world, signIn(maria)), ['password.answered right']);
    const { secret } = await enrol(world.installation, maria);
    assert.deepEqual(await leaves(world, signIn(maria)), ['password.answered right']);
    world.clock.advance(30_000);
    await guesses(world, maria, secret, 20);
    assert.deepEqual(await leaves(world, signIn(maria)), ['password.answered suspected']);
    await setPortalAccess(world.installation, OPERATOR, await world.account(noor), false);
    assert.deepEqual(await leaves(world, signIn(noor)), ['password.answered disabled']);
    assert.deepEqual(await leaves(world, signIn({ ...maria, email: 'nobody@globex.test' })), []);
    const [line] = world.log.lines.filter(({ message }) => message === 'sign-in with an unknown email');
    assert.ok(line, 'an unknown one goes to the log');
    assert.ok(!JSON.stringify(line).includes('nobody@'), 'which does not repeat what was typed');
  });

  test('by every answer to the question for a code', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    const answer = (typed: string) => (): Promise<unknown> => answers(world.installation, challenge, typed);
    assert.deepEqual(await leaves(world, answer(world.wrongCode(secret))), ['signed-in wrong']);
    assert.deepEqual(await leaves(world, answer('000000000000')), ['signed-in wrong']);
    assert.deepEqual(await leaves(world, answer(world.codeFor(secret, -1))), ['signed-in already-used']);
    assert.deepEqual(await leaves(world, answer(codes[0] ?? '')), ['signed-in right']);
    assert.deepEqual(
      await leaves(world, answer(world.codeFor(secret))),
      [],
      'nobody looked at an answer to what is over',
    );
  });

  test('by none that was not looked at because of a wait', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 5);
    const challenge = await challenged(world.installation, maria);
    assert.deepEqual(await leaves(world, () => answers(world.installation, challenge, world.codeFor(secret))), []);
  });

  test('by every step of enabling MFA that changes something, and by every code', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const outcome = await signsIn(world.installation, maria);
    assert.ok(outcome.kind === 'enrolment');
    const challenge = await refound(world.installation, maria, outcome.cookie);
    const configure = (): Promise<void> => offer(world.installation, challenge, home(maria));
    assert.deepEqual(await leaves(world, configure), ['enrolment.offered done']);
    assert.deepEqual(await leaves(world, configure), []);
    const { secret } = await pendingOf(world.installation, challenge);
    const verify = (code: string) => (): Promise<unknown> =>
      verifyEnrolment(world.installation, challenge, code, home(maria));
    assert.deepEqual(await leaves(world, verify(world.wrongCode(secret))), ['enrolment.answered wrong']);
    assert.deepEqual(await leaves(world, verify(world.codeFor(secret, 6))), ['enrolment.answered wrong']);
    assert.deepEqual(await leaves(world, verify(world.codeFor(secret))), ['enrolment.answered right']);
    assert.deepEqual(await leaves(world, verify(world.codeFor(secret))), []);
    const press = (): Promise<boolean> => enable(world.installation, challenge, home(maria));
    assert.deepEqual(await leaves(world, press), ['mfa.enabled done']);
    assert.deepEqual(await leaves(world, press), []);
    const last = await refound(world.installation, maria, outcome.cookie);
    const generate = (): Promise<unknown> => generateCodes(world.installation, last, home(maria));
    assert.deepEqual(await leaves(world, generate), ['backup-codes.generated done']);
    assert.deepEqual(await leaves(world, generate), []);
  });

  test('by a reset, an unlocking, a signing out and a proof given again', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, sam } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 5);
    const account = await world.account(maria);
    assert.deepEqual(await leaves(world, () => unlock(world.installation, OPERATOR, account)), [
      'account.unlocked waits-ended',
    ]);
    const reason = { check: 'met-in-person', note: '' } as const;
    const reset = (): Promise<unknown> => resetMfa(world.installation, OPERATOR, 'operator', account, reason);
    assert.deepEqual(await leaves(world, reset), ['mfa.reset done']);
    assert.deepEqual(await leaves(world, reset), []);

    const sams = await enrol(world.installation, sam);
    world.clock.advance(MINUTE_MS);
    const opened = await answers(
      world.installation,
      await challenged(world.installation, sam),
      world.codeFor(sams.secret),
    );
    assert.ok(opened.kind === 'right');
    const session = await findSession(world.db, 'admin', opened.bought.cookie, world.clock.now);
    assert.ok(session);
    const prove =
      (code: string, password = sam.password) =>
      (): Promise<unknown> =>
        proveAgain(world.installation, session, password, { kind: 'totp', code }, home(sam));
    assert.deepEqual(await leaves(world, prove('000000', 'wrong password')), ['password.answered wrong']);
    assert.deepEqual(await leaves(world, prove(world.wrongCode(sams.secret))), ['proved-again wrong']);
    assert.deepEqual(await leaves(world, prove(world.codeFor(sams.secret))), ['proved-again already-used']);
    assert.deepEqual(await leaves(world, prove(world.codeFor(sams.secret, 1))), ['proved-again right']);
    const out = (): Promise<void> => signOut(world.installation, session, opened.bought.cookie, home(sam));
    assert.deepEqual(await leaves(world, out), ['signed-out done']);
  });

  test('in the transaction of the fact: where the row cannot be written, nothing has happened', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    const { db } = world;
    const broken = {
      ...world.installation,
      db: {
        ...db,
        transaction: ((work) =>
          db.transaction((tx) =>
            work({
              ...tx,
              run: (statement) =>
                statement.strings[0]?.includes('INSERT INTO audit_rows')
                  ? Promise.reject(new Error('full'))
                  : tx.run(statement),
            }),
          )) as typeof db.transaction,
      },
    };
    await assert.rejects(answers(broken, challenge, world.codeFor(secret)), /full/);
    await assert.rejects(answers(broken, challenge, codes[0] ?? ''), /full/);
    await assert.rejects(signsIn(broken, maria), /full/);
    const reason = { check: 'met-in-person', note: '' } as const;
    await assert.rejects(resetMfa(broken, OPERATOR, 'operator', await world.account(maria), reason), /full/);
    assert.deepEqual(await world.rows('sessions'), []);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
  });

  test('that holds no secret, code, password or token (I19)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    const wrong = world.wrongCode(secret);
    const challenge = await challenged(world.installation, maria);
    const code = world.codeFor(secret);
    for (const typed of [wrong, codes[0] ?? '']) await answers(world.installation, challenge, typed);
    const opened = await answers(world.installation, await challenged(world.installation, maria), code);
    await signsIn(world.installation, maria, { password: 'hunter2hunter2' });
    assert.ok(opened.kind === 'right');
    const rows = await world.rows('audit_rows');
    const texts = rows.flatMap((row) => [
      row['actor_id'],
      row['target_id'],
      row['reason'],
      row['result'],
      row['details'],
    ]);
    const text = JSON.stringify([texts, world.log.lines]);
    const token = opened.bought.cookie.split('.')[1] ?? '';
    for (const secretText of [...codes, maria.password, 'hunter2', token, Buffer.from(secret).toString('base64url')]) {
      assert.ok(!text.includes(secretText));
    }
    for (const digits of [code, wrong]) assert.ok(!new RegExp(`(?<![0-9a-f])${digits}(?![0-9a-f])`).test(text));
  });
});
