import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Installation } from '../../src/accounts/installation.ts';
import { setPortalAccess, unlock } from '../../src/auth/access.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { askForNewPassword, chooseNewPassword, findNewPassword } from '../../src/auth/new-password.ts';
import { hashToken } from '../../src/crypto/tokens.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import { acme as anotherAcme, answers, challenged, from, guesses, home, signsIn, type Person } from '../acme.ts';
import { queued } from '../queued.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';
import { insideByCode } from './inside.ts';

const NEW = 'violet harbour engine 47';

const asks = (world: World, person: Person, email = person.email, visitor = home(person)) =>
  askForNewPassword(world.installation, person.organizationId, email, visitor);

const chooses = (world: World, person: Person, token: string, password = NEW) =>
  chooseNewPassword(world.installation, person.organizationId, token, password, ['Acme Billing'], '203.0.113.1');

/** The tokens of the links that wait to be mailed to somebody. */
async function mailed(world: World, person: Person): Promise<string[]> {
  const letters = await queued(world, person);
  return letters.filter(({ kind }) => kind === 'new-password').map(({ facts }) => String(facts['token']));
}

/** Asks, and reads the mail. */
async function linkFor(world: World, person: Person): Promise<string> {
  await asks(world, person);
  return (await mailed(world, person)).at(-1) ?? assert.fail('nothing was mailed');
}

eachEngine('a forgotten password', (engine) => {
  test('is changed with a mailed link, once; the code is still asked for, and everything older is over', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret } = await world.acmeWithMfa();
    await insideByCode(world, maria, secret);
    const { epoch } = await world.account(maria);
    const token = await linkFor(world, maria);
    assert.equal((await world.account(maria)).epoch, epoch, 'asking ends nothing');
    for (let looks = 0; looks < 2; looks++)
      assert.equal((await findNewPassword(world.installation, maria.organizationId, token)).kind, 'open');
    assert.deepEqual(await chooses(world, maria, token), { kind: 'set' });
    assert.deepEqual(await chooses(world, maria, token, `${NEW} again`), { kind: 'used' });
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong', 'the old password is gone');
    const { kind } = await signsIn(world.installation, { ...maria, password: NEW });
    assert.equal(kind, 'challenge', 'a new password is never a way round MFA (ASVS 6.4.3)');
  });

  test('leaves of its link nothing but a hash, and its letter goes to the address on file', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    await asks(world, maria, ` ${maria.email.toUpperCase()} `);
    const [letter] = (await queued(world, maria)).filter(({ kind }) => kind === 'new-password');
    assert.equal(letter?.to, maria.email);
    const token = String(letter.facts['token']);
    assert.equal((await world.rows('mailed_links'))[0]?.['token_hash'], hashToken(token));
    for (const table of ['mailed_links', 'mails', 'audit_rows', 'counters'])
      assert.ok(!JSON.stringify(await world.rows(table)).includes(token), table);
  });

  test('is asked for by anybody about anybody, and costs the same statements whoever that is (I20)', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, noor, eve } = await world.acme();
    await setPortalAccess(world.installation, OPERATOR, await world.account(noor), false);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${eve.id}`);
    const costs: string[][] = [];
    for (const email of [maria.email, noor.email, eve.email, 'nobody@globex.test']) {
      const cost: string[] = [];
      const counting = counted(world.installation, cost);
      assert.deepEqual(await askForNewPassword(counting, maria.organizationId, email, from(email)), { kind: 'asked' });
      costs.push(cost);
    }
    assert.equal(costs[0]?.filter((one) => one === 'statement').length, 5);
    for (const cost of costs) assert.deepEqual(cost, costs[0]);
    assert.equal((await mailed(world, maria)).length, 1);
    assert.deepEqual(await mailed(world, noor), [], 'nothing to whom access is closed');
    assert.equal((await mailed(world, eve)).length, 1, 'who never had a password chooses the first one');
  });

  test('fills no mailbox: one letter a minute, two in half an hour, and the answer does not say so', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    for (let times = 0; times < 20; times++) {
      assert.deepEqual(await asks(world, maria, maria.email, from(`198.51.100.${times}`)), { kind: 'asked' });
      if (times < 2) assert.equal((await mailed(world, maria)).length, 1, 'twice in a minute');
      if (times > 0) world.clock.advance(MINUTE_MS);
    }
    assert.equal((await mailed(world, maria)).length, 2);
    assert.equal((await world.audit(maria)).filter(({ action }) => action === 'new-password.asked').length, 2);
    world.clock.advance(HOUR_MS);
    await asks(world, maria);
    assert.equal((await mailed(world, maria)).length, 3);
  });

  test('asked for by Eve over and over leaves Maria at no minute without a link that works, once she asks', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    for (let minute = 0; minute < 100; minute++) {
      await asks(world, maria, maria.email, from(`198.51.100.${minute}`));
      const links = await mailed(world, maria);
      const found = await Promise.all(
        links.map((token) => findNewPassword(world.installation, maria.organizationId, token)),
      );
      assert.ok(
        found.some(({ kind }) => kind === 'open'),
        `minute ${minute}`,
      );
      world.clock.advance(MINUTE_MS);
    }
  });

  test('is asked for ten times an hour from one address, whomever it is about', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    for (let times = 0; times < 10; times++)
      assert.equal((await asks(world, maria, `nobody${times}@globex.test`)).kind, 'asked');
    const held = await asks(world, maria);
    assert.deepEqual(held, { kind: 'limited', until: world.clock.now + HOUR_MS });
    assert.deepEqual(await mailed(world, maria), []);
  });

  test('is mended by a link for half an hour, at its own portal, until anything of the account changes', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    const rival = await anotherAcme(world.installation, 'rival');
    const kinds = async (token: string): Promise<string[]> => [
      (await findNewPassword(world.installation, maria.organizationId, token)).kind,
      (await chooses(world, maria, token)).kind,
    ];
    const first = await linkFor(world, maria);
    assert.equal((await findNewPassword(world.installation, rival.organization.id, first)).kind, 'over');
    world.clock.advance(30 * MINUTE_MS - 1);
    assert.equal((await findNewPassword(world.installation, maria.organizationId, first)).kind, 'open');
    world.clock.advance(1);
    assert.deepEqual(await kinds(first), ['over', 'link-over']);
    const second = await linkFor(world, maria);
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${maria.id}`);
    assert.deepEqual(await kinds(second), ['over', 'link-over']);
    world.clock.advance(MINUTE_MS);
    const third = await linkFor(world, maria);
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), false);
    assert.deepEqual(await kinds(third), ['over', 'link-over']);
    assert.deepEqual(await kinds('never-made'), ['over', 'link-over']);
  });

  test('of whom it is held to be stolen opens again once it is a new one', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 20);
    assert.equal((await signsIn(world.installation, maria)).kind, 'suspected');
    world.clock.advance(DAY_MS);
    assert.equal((await chooses(world, maria, await linkFor(world, maria))).kind, 'set');
    assert.equal((await signsIn(world.installation, { ...maria, password: NEW })).kind, 'challenge');
  });

  test('forgets no wrong code, so that whoever has the mailbox too cannot guess for ever (I6)', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret } = await world.acmeWithMfa();
    await guesses(world, maria, secret, 20);
    world.clock.advance(DAY_MS);
    assert.equal((await chooses(world, maria, await linkFor(world, maria))).kind, 'set');
    const renewed = { ...maria, password: NEW };
    const guessed = await answers(
      world.installation,
      await challenged(world.installation, renewed),
      world.wrongCode(secret),
    );
    assert.equal(guessed.kind, 'suspected', 'the twenty-first in a row is the last one of this password');
    await world.change(sql`UPDATE accounts SET totp_wrong = 100 WHERE id = ${maria.id}`);
    world.clock.advance(HOUR_MS);
    assert.equal((await chooses(world, maria, await linkFor(world, maria), `${NEW} two`)).kind, 'link-over');
    assert.deepEqual(await unlock(world.installation, OPERATOR, await world.account(maria)), {
      kind: 'password-removed',
    });
    world.clock.advance(HOUR_MS);
    assert.equal((await chooses(world, maria, await linkFor(world, maria), `${NEW} two`)).kind, 'set');
  });

  test('is refused with a reason where it is weak, and that spends no link', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    const token = await linkFor(world, maria);
    for (const [password, problem] of [
      ['', 'empty'],
      ['short', 'short'],
      ['qwertyuiop12', 'common'],
      ['Maria Silva Globex', 'context'],
      ['x'.repeat(129), 'long'],
    ] as const)
      assert.deepEqual(await chooses(world, maria, token, password), { kind: 'refused', problem });
    assert.equal((await chooses(world, maria, token)).kind, 'set');
  });
});

/** The installation, which notes every call of the database, and in a transaction every statement. */
function counted(installation: Installation, cost: string[]): Installation {
  const { db } = installation;
  const noted =
    <Answer>(name: string, call: (statement: Sql) => Answer) =>
    (statement: Sql): Answer => {
      cost.push(name);
      return call(statement);
    };
  return {
    ...installation,
    db: {
      ...db,
      one: noted('read', db.one) as typeof db.one,
      all: noted('read', db.all) as typeof db.all,
      relaxed: noted('count', db.relaxed) as typeof db.relaxed,
      transaction: (work, how) => {
        cost.push('commit');
        return db.transaction(
          (tx) =>
            work({
              ...tx,
              run: noted('statement', tx.run),
              one: noted('statement', tx.one) as typeof tx.one,
              all: noted('statement', tx.all) as typeof tx.all,
            }),
          how,
        );
      },
    },
  };
}
