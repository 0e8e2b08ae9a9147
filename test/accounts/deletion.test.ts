import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listAudit, OPERATOR } from '../../src/accounts/audit.ts';
import { contactsOf, createContact, findContact, type Contact } from '../../src/accounts/contacts.ts';
import { findCustomer } from '../../src/accounts/customers.ts';
import { belongingsOf, deleteContact, deleteCustomer } from '../../src/accounts/deletion.ts';
import { importDocuments } from '../../src/accounts/documents.ts';
import { moveContact } from '../../src/accounts/moving.ts';
import { signEveryoneOut } from '../../src/accounts/organizations.ts';
import { openSessions, signedInNow } from '../../src/auth/sessions.ts';
import { sql } from '../../src/db/db.ts';
import { acme, answers, challenged, type Acme, type Person } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const WHY = 'left the company';
const MIGRATIONS = join(import.meta.dirname, '../../migrations');

/** The tables that refer to an account by its id. */
const OF_ACCOUNTS = readdirSync(MIGRATIONS)
  .flatMap((file) => [...readFileSync(join(MIGRATIONS, file), 'utf8').matchAll(/^CREATE TABLE (\w+) \(([^;]*)\)/gm)])
  .filter(([, , columns = '']) => /^ {2}account_id/m.test(columns))
  .map(([, table = '']) => table);

async function contactOf(
  world: World,
  customer: { organizationId: string; id: string },
  who: Person,
): Promise<Contact> {
  const contact = await findContact(world.db, customer.organizationId, customer.id, who.id);
  assert.ok(contact);
  return contact;
}

/** Maria with MFA, backup codes, a session and a wrong code behind her: something in every table. */
async function mariaInside(world: World): Promise<Acme> {
  const people = await world.acmeWithMfa();
  const { secret, codes, maria } = people;
  await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret));
  await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '');
  await challenged(world.installation, maria);
  return people;
}

eachEngine('a contact who is deleted', (engine) => {
  test('leaves nothing behind but the rows of the audit log, which lose the name', async () => {
    await using world = await openWorld(engine);
    const { globex, maria, noor, organization } = await mariaInside(world);
    const contact = await contactOf(world, globex, maria);
    const inside = { ...(await signedInNow(world.db, organization.id, world.clock.now, { contactId: maria.id })) };
    assert.deepEqual(inside, { contacts: 1, sessions: 2 });
    const rows = (await world.audit(maria)).length;
    assert.equal(await deleteContact(world.installation, OPERATOR, contact, WHY), true);
    assert.ok(OF_ACCOUNTS.includes('sessions') && OF_ACCOUNTS.includes('authenticators'));
    for (const table of [...OF_ACCOUNTS, 'backup_codes'])
      assert.deepEqual(
        (await world.rows(table)).filter((row) => row['account_id'] === maria.id),
        [],
        table,
      );
    assert.deepEqual(await world.rows('backup_codes'), []);
    assert.deepEqual(
      (await world.rows('search_words')).filter((row) => row['row_id'] === maria.id),
      [],
    );
    const log = await listAudit(world.db, organization.id, { targetId: maria.id, limit: 100 });
    assert.equal(log.length, rows + 1);
    assert.deepEqual([log[0]?.action, log[0]?.reason, log[0]?.targetName], ['contact.deleted', WHY, null]);
    const [next, ...more] = await contactsOf(world.db, organization.id, globex.id);
    assert.equal(next?.id, noor.id);
    assert.notEqual(next?.isPrimaryAt, null);
    assert.equal(more.length, 0);
    assert.equal(await deleteContact(world.installation, OPERATOR, contact, WHY), false);
  });

  test('frees the address, and a customer that has nobody left is found by its own name', async () => {
    await using world = await openWorld(engine);
    const { initech, eve, organization } = await world.acme();
    await deleteContact(world.installation, OPERATOR, await contactOf(world, initech, eve), WHY);
    const words = (await world.rows('search_words')).filter((row) => row['row_id'] === initech.id);
    assert.deepEqual(
      words.map(({ word }) => word),
      ['initech'],
    );
    const draft = { name: 'Eve Moreau', email: eve.email, phone: null };
    const made = await createContact(world.installation, OPERATOR, organization.id, initech.id, draft);
    assert.equal(made.kind, 'saved');
  });
});

eachEngine('a customer who is deleted', (engine) => {
  test('goes with its contacts and documents, and no other customer’s', async () => {
    await using world = await openWorld(engine);
    const { globex, initech, organization, eve } = await mariaInside(world);
    const bill = { kind: 'invoice', title: 'Hosting', date: '2026-11-18', amount: '1.00' } as const;
    const more = { currency: 'GBP', status: 'Due', url: null };
    await importDocuments(world.installation, OPERATOR, organization.id, [
      { ...bill, ...more, number: 'A', customerId: globex.id },
      { ...bill, ...more, number: 'B', customerId: initech.id },
    ]);
    assert.deepEqual({ ...(await belongingsOf(world.db, globex)) }, { contacts: 2, documents: 1 });
    const inside = async (customerId: string): Promise<number> =>
      (await signedInNow(world.db, organization.id, world.clock.now, { customerId })).sessions;
    assert.deepEqual([await inside(globex.id), await inside(initech.id)], [2, 0]);
    await signEveryoneOut(world.installation, OPERATOR, organization.id, { contacts: 1, sessions: 2 });
    assert.equal(await inside(globex.id), 0);
    assert.equal(await deleteCustomer(world.installation, OPERATOR, globex, WHY), true);
    assert.equal(await findCustomer(world.db, organization.id, globex.id), undefined);
    assert.deepEqual(
      (await world.rows('documents')).map((row) => row['number']),
      ['B'],
    );
    const contacts = (await world.rows('accounts')).filter((row) => row['kind'] === 'contact');
    assert.deepEqual(
      contacts.map((row) => row['id']),
      [eve.id],
    );
    assert.deepEqual(await world.rows('sessions'), []);
    const [row] = await listAudit(world.db, organization.id, { targetId: globex.id, limit: 1 });
    assert.deepEqual([row?.action, row?.details], ['customer.deleted', '{"contacts":2,"documents":1}']);
    assert.equal(await deleteCustomer(world.installation, OPERATOR, globex, WHY), false);
  });
});

eachEngine('a contact who is moved', (engine) => {
  test('is signed out, sees the other customer, and each customer has a primary contact', async () => {
    await using world = await openWorld(engine);
    const { globex, initech, maria, noor, eve, organization } = await mariaInside(world);
    const contact = await contactOf(world, globex, maria);
    assert.equal(await moveContact(world.installation, OPERATOR, contact, initech), true);
    const account = await world.account(maria);
    assert.equal(account.customerId, initech.id);
    assert.deepEqual(await openSessions(world.db, 'portal', account, world.clock.now), []);
    const primary = async (id: string): Promise<string[]> =>
      (await contactsOf(world.db, organization.id, id)).filter((one) => one.isPrimaryAt !== null).map((one) => one.id);
    assert.deepEqual([await primary(globex.id), await primary(initech.id)], [[noor.id], [eve.id]]);
    const counts = await world.db.all(sql`SELECT name, contacts FROM customers ORDER BY name`);
    assert.deepEqual(
      counts.map((row) => [row['name'], row['contacts']]),
      [
        ['Globex', 1],
        ['Initech', 2],
      ],
    );
    const words = (await world.rows('search_words'))
      .filter((row) => row['row_id'] === maria.id)
      .map((row) => row['word']);
    assert.ok(words.includes('initech') && !words.includes('globex'));
    assert.equal((await world.audit(maria)).at(-1)?.action, 'contact.moved');
    assert.equal(await moveContact(world.installation, OPERATOR, contact, initech), false);
  });

  test('never leaves the organization', async () => {
    await using world = await openWorld(engine);
    const { globex, maria } = await world.acme();
    const other = await acme(world.installation, 'rival');
    const contact = await contactOf(world, globex, maria);
    assert.equal(await moveContact(world.installation, OPERATOR, contact, other.initech), false);
    const disguised = { ...other.initech, organizationId: globex.organizationId };
    assert.equal(await moveContact(world.installation, OPERATOR, contact, disguised), false);
    assert.equal((await world.account(maria)).customerId, globex.id);
  });
});
