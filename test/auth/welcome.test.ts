import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from '../../src/accounts/accounts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import type { ByLink } from '../../src/auth/password-by-link.ts';
import { choosePassword, findWelcome, makeWelcomeLink } from '../../src/auth/welcome.ts';
import { hashToken } from '../../src/crypto/tokens.ts';
import { sql } from '../../src/db/db.ts';
import { acme, setPolicy, signsIn, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, openWorld, type World } from '../world.ts';

const PASSWORD = 'violet harbour engine 47';

/** Wanda of Globex, who was added a moment ago and has no password yet. */
async function wanda(
  world: World,
): Promise<Person & { link: () => Promise<string | undefined>; account: () => Promise<Account> }> {
  const { organization, globex } = await world.acme();
  const draft = { name: 'Wanda Okoye', email: 'wanda@globex.test', phone: null };
  const made = await createContact(world.installation, OPERATOR, organization.id, globex.id, draft);
  assert.ok(made.kind === 'saved');
  const person: Person = {
    organizationId: organization.id,
    id: made.id,
    surface: 'portal',
    password: PASSWORD,
    ...draft,
  };
  const account = (): Promise<Account> => world.account(person);
  return { ...person, account, link: async () => makeWelcomeLink(world.installation, OPERATOR, await account()) };
}

function chooses(world: World, person: Person, token: string, password = PASSWORD): Promise<ByLink> {
  return choosePassword(world.installation, person.organizationId, token, password, ['Acme Billing'], '203.0.113.1');
}

eachEngine('a welcome link', (engine) => {
  test('lets a contact choose the first password, once, and opens no session', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const token = (await person.link()) ?? '';
    const { epoch } = await person.account();
    assert.equal((await findWelcome(world.installation, person.organizationId, token))?.id, person.id);
    assert.equal(
      (await findWelcome(world.installation, person.organizationId, token))?.id,
      person.id,
      'looking spends nothing',
    );
    assert.deepEqual(await chooses(world, person, token), { kind: 'set' });
    assert.deepEqual(await world.rows('sessions'), []);
    assert.equal((await person.account()).epoch, epoch + 1);
    assert.deepEqual(await chooses(world, person, token, 'another harbour engine 48'), { kind: 'link-over' });
    assert.equal(await findWelcome(world.installation, person.organizationId, token), undefined);
    assert.equal((await signsIn(world.installation, person)).kind, 'signed-in');
  });

  test('leads into the same enrolment as any password where MFA is required', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const organization = await world.db.one<{ id: string; name: string }>(sql`SELECT id, name FROM organizations`);
    await setPolicy(
      world.installation,
      { id: organization?.id ?? '', name: 'Acme', contactDetails: '' } as never,
      'required',
    );
    await chooses(world, person, (await person.link()) ?? '');
    assert.equal((await signsIn(world.installation, person)).kind, 'enrolment');
  });

  test('is made only for somebody without a password (nobody can take an account over with one)', async () => {
    await using world = await openWorld(engine);
    const { maria, ada } = await world.acme();
    assert.equal(await makeWelcomeLink(world.installation, OPERATOR, await world.account(maria)), undefined);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${ada.id}`);
    assert.equal(
      await makeWelcomeLink(world.installation, OPERATOR, await world.account(ada)),
      undefined,
      'nor for staff',
    );
    assert.deepEqual(await world.rows('welcome_links'), []);
  });

  test('is dead once there is a password by another way, even if nobody spent it', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const token = (await person.link()) ?? '';
    await world.change(sql`UPDATE accounts SET password = 'sealed', password_set_at = 1 WHERE id = ${person.id}`);
    assert.equal(await findWelcome(world.installation, person.organizationId, token), undefined);
    assert.deepEqual(await chooses(world, person, token), { kind: 'link-over' });
  });

  test('works for 24 hours', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const token = (await person.link()) ?? '';
    world.clock.advance(DAY_MS - 1);
    assert.ok(await findWelcome(world.installation, person.organizationId, token));
    world.clock.advance(1);
    assert.equal(await findWelcome(world.installation, person.organizationId, token), undefined);
    assert.deepEqual(await chooses(world, person, token), { kind: 'link-over' });
    assert.equal((await signsIn(world.installation, person)).kind, 'wrong');
  });

  test('is replaced by a newer one', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const [old, fresh] = [(await person.link()) ?? '', (await person.link()) ?? ''];
    assert.deepEqual(await chooses(world, person, old), { kind: 'link-over' });
    assert.deepEqual(await chooses(world, person, fresh), { kind: 'set' });
  });

  test('is void once it is spent or the epoch has moved on, each by itself', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    for (const change of [sql`UPDATE welcome_links SET spent_at = 1`, sql`UPDATE accounts SET epoch = epoch + 1`]) {
      const token = (await person.link()) ?? '';
      assert.ok(await findWelcome(world.installation, person.organizationId, token));
      await world.change(change);
      assert.equal(await findWelcome(world.installation, person.organizationId, token), undefined);
      assert.deepEqual(await chooses(world, person, token), { kind: 'link-over' });
    }
  });

  test('is neither made nor good for somebody without access', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const token = (await person.link()) ?? '';
    await setPortalAccess(world.installation, OPERATOR, await person.account(), false);
    assert.equal(await person.link(), undefined);
    assert.deepEqual(await chooses(world, person, token), { kind: 'link-over' });
    await setPortalAccess(world.installation, OPERATOR, await person.account(), true);
    assert.deepEqual(await chooses(world, person, token), { kind: 'link-over' }, 'opening again revives no link');
  });

  test("is nothing at another merchant's portal, and nothing without its token", async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const other = await acme(world.installation, 'rival');
    const token = (await person.link()) ?? '';
    assert.equal(await findWelcome(world.installation, other.organization.id, token), undefined);
    for (const wrong of ['', token.slice(1), hashToken(token)]) {
      assert.equal(await findWelcome(world.installation, person.organizationId, wrong), undefined);
    }
    assert.ok(!JSON.stringify(await world.rows('welcome_links')).includes(token), 'only its hash is kept');
  });

  test('refuses a weak password and is not spent by it', async () => {
    await using world = await openWorld(engine);
    const person = await wanda(world);
    const token = (await person.link()) ?? '';
    assert.deepEqual(await chooses(world, person, token, 'short'), { kind: 'refused', problem: 'short' });
    assert.deepEqual(await chooses(world, person, token, 'wanda okoye globex'), {
      kind: 'refused',
      problem: 'context',
    });
    assert.deepEqual(await chooses(world, person, token), { kind: 'set' });
  });
});
