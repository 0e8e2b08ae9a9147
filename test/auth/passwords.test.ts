import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { hashNewPassword, judgePassword, setPassword, storePassword } from '../../src/auth/passwords.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { open } from '../../src/crypto/seal.ts';
import { sql } from '../../src/db/db.ts';
import { found, from, setPolicy, signsIn, type Person } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const CONTEXT = ['Maria Silva', 'maria@globex.test', 'Acme Billing'];

describe('a new password', () => {
  test('of three random words, of another script or of a manager is accepted', async () => {
    for (const password of ['violet harbour engine', 'орёл читает тихую реку', 'x7#Qm!v2Lp$9']) {
      assert.equal(await judgePassword(password, CONTEXT), undefined, password);
    }
  });

  test('has 12 to 128 characters, and no other rule of composition', async () => {
    assert.equal(await judgePassword('', CONTEXT), 'empty');
    assert.equal(await judgePassword('vx7#Qm!2Lp$', CONTEXT), 'short');
    assert.equal(await judgePassword('vx7#Qm!2Lp$k', CONTEXT), undefined);
    assert.equal(await judgePassword('vx7#Qm!2'.repeat(16), CONTEXT), undefined);
    assert.equal(await judgePassword(`${'vx7#Qm!2'.repeat(16)}k`, CONTEXT), 'long');
    assert.equal(await judgePassword('а'.repeat(11), CONTEXT), 'short', 'characters, not bytes');
    assert.equal(await judgePassword('\u0301\u0316'.repeat(4_000), CONTEXT), 'long', 'and is not normalised first');
  });

  test('that everybody chooses is refused', async () => {
    for (const password of ['Passw0rd1234', '123456789012', 'aaaaaaaaaaaa']) {
      assert.equal(await judgePassword(password, []), 'common', password);
    }
  });

  test('made of what anybody knows of the person, the merchant or the product is refused', async () => {
    const passwords = ['MariaSilva2026', 'maria@globex.test', 'acme billing 24', 'sallyport portal'];
    for (const password of passwords) assert.equal(await judgePassword(password, CONTEXT), 'context', password);
  });

  test('that is hard to guess besides may hold a known word', async () => {
    assert.equal(await judgePassword('maria violet harbour engine', CONTEXT), undefined);
  });
});

async function choose(world: World, person: Person, password: string): Promise<void> {
  const argon2 = await hashNewPassword(world.installation, password);
  const account = await world.account(person);
  await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, account, argon2));
}

eachEngine('a changed password', (engine) => {
  test('takes the place of the old one, and voids sessions and half-finished sign-ins (I12)', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    const session = await signsIn(world.installation, maria);
    await setPolicy(world.installation, organization, 'required');
    const half = await signsIn(world.installation, maria);
    assert.ok(session.kind === 'signed-in' && half.kind === 'enrolment');
    const { epoch } = await world.account(maria);
    await choose(world, maria, 'violet harbour engine');
    assert.equal(await findSession(world.db, 'portal', session.cookie, world.clock.now), undefined);
    assert.equal((await found(world.installation, maria, half.cookie)).kind, 'dead');
    assert.equal((await world.account(maria)).epoch, epoch + 1);
    assert.ok(
      (await world.rows('sessions')).every((row) => row['ended_at'] !== null),
      'nor are they listed as open',
    );
    assert.ok((await world.rows('challenges')).every((row) => row['consumed_at'] !== null));
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    assert.equal((await signsIn(world.installation, maria, { password: 'violet harbour engine' })).kind, 'enrolment');
  });

  test('makes an outsider of whoever signed in with the old one', async () => {
    await using world = await openWorld(engine);
    const { maria, noor } = await world.acme();
    await signsIn(world.installation, maria, { visitor: from('a thief') });
    await signsIn(world.installation, noor, { visitor: from('a friend') });
    await choose(world, maria, 'violet harbour engine');
    const known = (await world.rows('known_addresses')).map((row) => row['address']);
    assert.deepEqual(known, ['a friend']);
  });

  test('is stored only for the account as it was read', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const account = await world.account(maria);
    const argon2 = await hashNewPassword(world.installation, 'violet harbour engine');
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1 WHERE id = ${maria.id}`);
    const stored = await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, account, argon2));
    assert.equal(stored, false);
    assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
  });

  test('from the shell is judged, and then set', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const set = async (password: string): Promise<unknown> =>
      setPassword(world.installation, OPERATOR, await world.account(maria), password, CONTEXT);
    assert.equal(await set('maria silva 12'), 'context');
    assert.equal(await set('violet harbour engine'), undefined);
    assert.equal((await signsIn(world.installation, maria, { password: 'violet harbour engine' })).kind, 'signed-in');
    const [row] = (await world.audit(maria))
      .filter(({ actorKind, action }) => actorKind === 'operator' && action === 'password.set')
      .slice(-1);
    assert.equal(row?.result, 'done');
  });

  test('is hashed, and its hash sealed for its own row', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const row = (await world.rows('accounts')).find(({ id }) => id === maria.id);
    const sealed = String(row?.['password']);
    assert.ok(!sealed.includes('argon2'));
    const place = ['accounts', 'password', maria.organizationId, maria.id];
    assert.match(open(world.installation.ring, place, sealed), /^\$argon2id\$/);
  });
});

eachEngine('a password hashed at another cost', (engine) => {
  test('is hashed again at the next sign-in, without signing anybody out', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acme();
    const stored = async (): Promise<unknown> =>
      (await world.rows('accounts')).find(({ id }) => id === maria.id)?.['password'];
    const first = await signsIn(world.installation, maria);
    assert.ok(first.kind === 'signed-in');
    const before = await stored();
    const dearer = { ...world.installation, passwordCost: { memoryKiB: 72, passes: 1 } };
    assert.equal((await signsIn(dearer, maria, { password: 'wrong password' })).kind, 'wrong');
    assert.equal(await stored(), before);
    assert.equal((await signsIn(dearer, maria)).kind, 'signed-in');
    const after = await stored();
    assert.notEqual(after, before);
    assert.equal((await signsIn(dearer, maria)).kind, 'signed-in');
    assert.equal(await stored(), after, 'once');
    assert.ok(await findSession(world.db, 'portal', first.cookie, world.clock.now));
  });
});
