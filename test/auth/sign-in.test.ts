import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import type { Installation } from '../../src/accounts/installation.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { answerChallenge, leaveChallenge, signIn, signOut } from '../../src/auth/sign-in.ts';
import { HashingBusy } from '../../src/crypto/hashing-guard.ts';
import { hashToken } from '../../src/crypto/tokens.ts';
import { sql } from '../../src/db/db.ts';
import { acme, answers, challenged, found, home, signsIn, type Person } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

eachEngine('signing in', (engine) => {
  test('finds Maria by her address, however she types it', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    for (const email of [maria.email, ` ${maria.email.toUpperCase()} `]) {
      assert.equal((await signsIn(world.installation, { ...maria, email })).kind, 'signed-in');
    }
  });

  test('is refused in one and the same way whatever is wrong (I20)', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, eve } = await world.acme();
    const { installation } = world;
    await setPortalAccess(installation, OPERATOR, await world.account(noor), false);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${eve.id}`);
    const tries: Record<string, { person: Person; password?: string }> = {
      'wrong password': { person: maria, password: 'wrong password' },
      'empty password': { person: maria, password: '' },
      'unknown address': { person: { ...maria, email: 'nobody@globex.test' } },
      'no address at all': { person: { ...maria, email: 'nobody' } },
      'disabled, with the right password': { person: noor },
      'never had a password': { person: eve },
      'a password of 129 characters': { person: maria, password: 'x'.repeat(129) },
      'a contact at the console': { person: { ...maria, surface: 'admin' } },
    };
    for (const [how, { person, password = person.password }] of Object.entries(tries)) {
      assert.deepEqual(await signsIn(installation, person, { password }), { kind: 'wrong' }, how);
    }
    assert.deepEqual(await world.rows('sessions'), []);
    assert.deepEqual(await world.rows('challenges'), []);
  });

  test('costs the same hash and the same commits whatever is wrong (I20)', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, eve } = await world.acme();
    await setPortalAccess(world.installation, OPERATOR, await world.account(noor), false);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${eve.id}`);
    const wrong = { password: 'wrong password' };
    const known = await costOf(world, (installation) => signsIn(installation, maria, wrong));
    assert.ok(known.includes('hash'));
    for (const person of [{ ...maria, email: 'nobody@globex.test' }, { ...maria, email: 'nobody' }, noor, eve]) {
      assert.deepEqual(await costOf(world, (installation) => signsIn(installation, person)), known, person.email);
      assert.deepEqual(
        await costOf(world, (installation) => signsIn(installation, person, wrong)),
        known,
        person.email,
      );
    }
  });

  test('hashes no password of more than 128 characters', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const cost = await costOf(world, (installation) => signsIn(installation, maria, { password: 'x'.repeat(129) }));
    assert.ok(!cost.includes('hash'));
  });

  test("at another merchant's portal is refused (I15)", async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const other = await acme(world.installation, 'rival');
    const given = { ...maria, organizationId: other.organization.id, visitor: home(maria), previous: undefined };
    await world.change(sql`UPDATE accounts SET email_key = 'elsewhere' WHERE id = ${other.maria.id}`);
    assert.equal((await signIn(world.installation, 'portal', given)).kind, 'wrong');
  });

  test('when no hash could be computed in time spends nothing', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const busy: Installation = {
      ...world.installation,
      hashing: () => Promise.reject(new HashingBusy('queue is full')),
    };
    const before = (await world.rows('audit_rows')).length;
    for (let n = 0; n < 12; n++) await assert.rejects(signsIn(busy, maria), HashingBusy);
    assert.ok((await world.rows('counters')).every(({ spent }) => spent === 0));
    assert.equal((await world.rows('audit_rows')).length, before);
    assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
  });

  test('answers a password that changed while it was being hashed like a wrong one', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const raced: Installation = {
      ...world.installation,
      hashing: async (work) => {
        const result = await work();
        await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${maria.id}`);
        return result;
      },
    };
    const before = (await world.audit(maria)).length;
    assert.deepEqual(await signsIn(raced, maria), { kind: 'wrong' });
    assert.deepEqual(await world.rows('sessions'), []);
    assert.equal((await world.audit(maria)).length - before, 1, 'one audit row (I18)');
  });

  test('gives a session whose token stands nowhere, only its hash (I23)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const answered = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.codeFor(secret),
    );
    assert.ok(answered.kind === 'right');
    const [organizationId, token = ''] = answered.bought.cookie.split('.');
    assert.equal(organizationId, maria.organizationId);
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    const [session] = await world.rows('sessions');
    assert.equal(session?.['token_hash'], hashToken(token));
    assert.ok(!JSON.stringify(await world.rows('sessions')).includes(token));
  });

  test('ends the session that the browser had before, of whomever it was', async () => {
    await using world = await openWorld(engine);
    const { maria, noor, organization } = await world.acme();
    const first = await signsIn(world.installation, maria);
    assert.ok(first.kind === 'signed-in');
    const given = { ...noor, organizationId: organization.id, visitor: home(noor), previous: first.cookie };
    const second = await signIn(world.installation, 'portal', given);
    assert.ok(second.kind === 'signed-in');
    assert.equal(await findSession(world.db, 'portal', first.cookie, world.clock.now), undefined);
    assert.equal((await findSession(world.db, 'portal', second.cookie, world.clock.now))?.account.id, noor.id);
  });

  test('that fails leaves the session the browser had', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const first = await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
    assert.ok(first.kind === 'right');
    const challenge = await challenged(world.installation, maria);
    const wrong = { kind: 'totp', code: world.wrongCode(secret) } as const;
    await answerChallenge(world.installation, challenge, wrong, home(maria), first.bought.cookie);
    assert.ok(await findSession(world.db, 'portal', first.bought.cookie, world.clock.now));
  });

  test('and out again ends the session on the server', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const { cookie } = (await signsIn(world.installation, maria)) as { cookie: string };
    const session = await findSession(world.db, 'portal', cookie, world.clock.now);
    assert.ok(session);
    await signOut(world.installation, session, cookie, home(maria));
    assert.equal(await findSession(world.db, 'portal', cookie, world.clock.now), undefined);
  });

  test('as someone else drops the half-finished sign-in', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const challenge = await challenged(world.installation, maria);
    await leaveChallenge(world.installation, challenge);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'over');
  });

  test('a fault after the right code gives the code back and keeps the attempt spent', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const outcome = await signsIn(world.installation, maria);
    assert.ok(outcome.kind === 'challenge');
    const challenge = await challenged(world.installation, maria);
    const broken = failingOn(world.installation, 'INSERT INTO sessions');
    await assert.rejects(answers(broken, challenge, world.codeFor(secret)), /no disk/);
    assert.deepEqual(await world.rows('sessions'), []);
    const again = await answers(world.installation, challenge, world.wrongCode(secret));
    assert.equal(again.kind === 'wrong' && again.attemptsLeft, 3);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
    assert.equal((await found(world.installation, maria, outcome.cookie)).kind, 'open', 'the other one is untouched');
  });
});

/** What signing in costs: every hash and every call of the database, in their order. */
async function costOf(world: World, work: (installation: Installation) => Promise<unknown>): Promise<string[]> {
  const cost: string[] = [];
  const { db } = world;
  const noted = <F extends (...args: never[]) => unknown>(name: string, call: F): F =>
    ((...args: never[]) => {
      cost.push(name);
      return call(...args);
    }) as F;
  await work({
    ...world.installation,
    hashing: noted('hash', world.installation.hashing),
    db: {
      ...db,
      one: noted('read', db.one),
      transaction: (story) => {
        cost.push('commit');
        return db.transaction(story);
      },
      relaxed: noted('count', db.relaxed),
    },
  });
  return cost;
}

/** The installation on a database that fails at one statement. */
function failingOn(installation: Installation, beginning: string): Installation {
  const { db } = installation;
  return {
    ...installation,
    db: {
      ...db,
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            ...tx,
            run: (statement) =>
              statement.strings.join('').startsWith(beginning)
                ? Promise.reject(new Error('no disk'))
                : tx.run(statement),
          }),
        ),
    },
  };
}
