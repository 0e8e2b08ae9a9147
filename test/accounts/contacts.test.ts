import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAccountByEmail, type Account } from '../../src/accounts/accounts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { changeContact, contactsOf, createContact, findContact, type Contact } from '../../src/accounts/contacts.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { createStaff } from '../../src/accounts/staff.ts';
import { findSession } from '../../src/auth/sessions.ts';
import {
  acme,
  addContact,
  answers,
  challenged,
  enrol,
  found,
  setPolicy,
  signsIn,
  type Acme,
  type Person,
} from '../acme.ts';
import { eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

async function contactOf(world: World, { organization, globex }: Acme, person: Person): Promise<Contact> {
  const contact = await findContact(world.db, organization.id, globex.id, person.id);
  assert.ok(contact);
  return contact;
}

const draftOf = ({ name, email }: Person): { name: string; email: string; phone: null } => ({
  name,
  email,
  phone: null,
});

eachEngine('a contact', (engine) => {
  test('is the primary one if it is the first of its customer, and no other is', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    const contacts = await contactsOf(world.db, organization.id, globex.id);
    assert.deepEqual(
      contacts.map(({ name, isPrimaryAt }) => [name, isPrimaryAt !== null]),
      [
        ['Maria Silva', true],
        ['Noor Haddad', false],
      ],
    );
  });

  test('is the only primary one even if two are added at once', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const hooli = await createCustomer(world.installation, OPERATOR, organization.id, 'Hooli');
    const names = ['Ann', 'Ben', 'Cid', 'Dee'];
    await Promise.all(names.map((name) => addContact(world.installation, hooli, name)));
    const contacts = await contactsOf(world.db, organization.id, hooli.id);
    assert.deepEqual(
      contacts.map(({ isPrimaryAt }) => isPrimaryAt !== null),
      [true, false, false, false],
    );
  });

  test('has an address of its own among all contacts of the merchant, however it is written', async () => {
    await using world = await openWorld(engine);
    const { organization, initech } = await world.acme();
    const draft = { name: 'Another Maria', email: ' MARIA@globex.test', phone: null };
    const made = await createContact(world.installation, OPERATOR, organization.id, initech.id, draft);
    assert.deepEqual(made, { kind: 'email-taken' });
    const other = await acme(world.installation, 'rival');
    assert.ok(other.maria, 'another merchant may bill the same person');
  });

  test('needs an address that has the shape of one', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const draft = { name: 'Nobody', email: 'nobody', phone: null };
    const { installation } = world;
    assert.deepEqual(await createContact(installation, OPERATOR, people.organization.id, people.globex.id, draft), {
      kind: 'email-shape',
    });
    const maria = await contactOf(world, people, people.maria);
    assert.deepEqual(await changeContact(installation, OPERATOR, maria, draft), { kind: 'email-shape' });
    assert.equal((await world.account(people.maria)).name, 'Maria Silva');
  });

  test('cannot be given an address that somebody else signs in with', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const maria = await contactOf(world, people, people.maria);
    const draft = { ...draftOf(people.maria), email: 'Eve@Initech.test' };
    assert.deepEqual(await changeContact(world.installation, OPERATOR, maria, draft), { kind: 'email-taken' });
    assert.equal((await world.account(people.maria)).email, people.maria.email);
  });

  test('whose address changes is signed out everywhere, and signs in with the new one', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { maria } = people;
    const signedIn = await signsIn(world.installation, maria);
    assert.ok(signedIn.kind === 'signed-in');
    const before = await contactOf(world, people, maria);
    const draft = { ...draftOf(maria), email: 'maria.silva@globex.test' };
    assert.equal((await changeContact(world.installation, OPERATOR, before, draft)).kind, 'saved');
    assert.equal(await findSession(world.db, 'portal', signedIn.cookie, world.clock.now), undefined);
    const { epoch } = await world.account(maria);
    assert.equal(epoch, before.epoch + 1);
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    assert.equal((await signsIn(world.installation, { ...maria, email: draft.email })).kind, 'signed-in');
  });

  test('whose name and phone change, or the capitals of the address, stays signed in', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { maria } = people;
    const signedIn = await signsIn(world.installation, maria);
    assert.ok(signedIn.kind === 'signed-in');
    const draft = { name: 'Maria Souza', email: 'Maria@Globex.test', phone: '+351 21 000' };
    await changeContact(world.installation, OPERATOR, await contactOf(world, people, maria), draft);
    assert.ok(await findSession(world.db, 'portal', signedIn.cookie, world.clock.now));
    const { name, email, phone } = await world.account(maria);
    assert.deepEqual({ name, email, phone }, draft);
  });

  test('whose address changes in the middle of signing in has to begin again', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    await setPolicy(world.installation, people.organization, 'required');
    const outcome = await signsIn(world.installation, people.maria);
    assert.ok(outcome.kind === 'enrolment');
    const draft = { ...draftOf(people.maria), email: 'maria.silva@globex.test' };
    await changeContact(world.installation, OPERATOR, await contactOf(world, people, people.maria), draft);
    assert.equal((await found(world.installation, people.maria, outcome.cookie)).kind, 'dead');
  });

  test('shows staff since when MFA is on, when it was used, how many codes are left, and nothing after a reset', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    await setPolicy(world.installation, people.organization, 'required');
    const fresh = await contactOf(world, people, people.maria);
    assert.deepEqual([fresh.mfaSince, fresh.mfaLastUsedAt, fresh.backupCodesLeft], [null, null, null]);
    const since = world.clock.now;
    const { codes } = await enrol(world.installation, people.maria);
    world.clock.advance(HOUR_MS);
    await answers(world.installation, await challenged(world.installation, people.maria), codes[0] ?? '');
    const enrolled = await contactOf(world, people, people.maria);
    assert.deepEqual([enrolled.mfaSince, enrolled.mfaLastUsedAt, enrolled.backupCodesLeft], [since, null, 4]);
  });
});

eachEngine('a staff member', (engine) => {
  test('has an address of its own in the whole installation, because the console asks for no merchant', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    const other = await acme(world.installation, 'rival');
    const draft = { name: 'Ada Twin', email: ada.email.toUpperCase(), role: 'admin' } as const;
    const made = await world.db.transaction((tx) =>
      createStaff(tx, world.installation, OPERATOR, other.organization.id, draft),
    );
    assert.equal(made, undefined);
  });

  test('added twice at once is there once', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const draft = { name: 'Bo Berg', email: 'bo@acme.test', role: 'admin' } as const;
    const add = (): Promise<Account | undefined> =>
      world.db.transaction((tx) => createStaff(tx, world.installation, OPERATOR, organization.id, draft));
    const made = await Promise.all([add(), add(), add(), add()]);
    assert.equal(made.filter((one) => one !== undefined).length, 1);
    assert.equal((await world.rows('accounts')).filter((row) => row['email'] === draft.email).length, 1);
  });

  test('may have the address of a contact, and each opens its own door', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    const draft = { name: 'Maria at work', email: maria.email, role: 'admin' } as const;
    await world.db.transaction((tx) => createStaff(tx, world.installation, OPERATOR, organization.id, draft));
    const [contact, staff] = [
      await findAccountByEmail(world.db, organization.id, 'contact', maria.email),
      await findAccountByEmail(world.db, organization.id, 'staff', maria.email),
    ];
    assert.equal(contact?.name, 'Maria Silva');
    assert.equal(staff?.name, 'Maria at work');
    const atConsole = await signsIn(world.installation, { ...maria, surface: 'admin' });
    assert.equal(atConsole.kind, 'wrong', "the contact's password does not open the console");
  });
});
