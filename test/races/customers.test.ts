import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { contactsOf, createContact, findContact, type Contact } from '../../src/accounts/contacts.ts';
import { renameCustomer, type Customer } from '../../src/accounts/customers.ts';
import { deleteContact } from '../../src/accounts/deletion.ts';
import { moveContact } from '../../src/accounts/moving.ts';
import { sql } from '../../src/db/db.ts';
import { addContact, from, signsIn } from '../acme.ts';
import { openWorld, type World } from '../world.ts';

async function at({ db }: World, { organizationId, id: customer }: Customer, id: string): Promise<Contact> {
  const contact = await findContact(db, organizationId, customer, id);
  assert.ok(contact);
  return contact;
}

/** What the customers' rows and the search say of who is there, beside who is. */
async function holdsTogether(world: World): Promise<void> {
  const counts = await world.db.all(sql`SELECT c.name, c.contacts,
    (SELECT COUNT(*) FROM accounts a WHERE a.customer_id = c.id) AS "there",
    (SELECT COUNT(*) FROM accounts a WHERE a.customer_id = c.id AND a.is_primary_at IS NOT NULL) AS "primary"
    FROM customers c`);
  for (const { name, contacts, there, primary } of counts) {
    assert.equal(contacts, there, String(name));
    assert.equal(primary, there === 0 ? 0 : 1, String(name));
  }
  const stray = await world.db.all(sql`SELECT a.email, a.customer_key, c.sort_key FROM accounts a
    JOIN customers c ON c.id = a.customer_id WHERE a.customer_key <> c.sort_key
      OR NOT EXISTS (SELECT 1 FROM search_words w WHERE w.row_id = a.id AND w.word = c.sort_key)`);
  assert.deepEqual(stray, []);
}

describe('at once, on PostgreSQL,', () => {
  test('eight delete Maria while eight others try to sign in as her: she goes once, and nobody is left inside', async () => {
    await using world = await openWorld('postgres');
    const { globex, maria } = await world.acme();
    const contact = await at(world, globex, maria.id);
    const deleting = Array.from({ length: 8 }, () =>
      deleteContact(world.installation, OPERATOR, contact, 'left the company'),
    );
    const coming = Array.from({ length: 8 }, (_, n) =>
      signsIn(world.installation, maria, { visitor: from(`192.0.2.${n}`) }),
    );
    const deleted = await Promise.all(deleting);
    await Promise.all(coming);
    assert.equal(deleted.filter(Boolean).length, 1);
    assert.deepEqual(await world.rows('sessions'), []);
    assert.equal((await world.audit(maria)).filter(({ action }) => action === 'contact.deleted').length, 1);
    await holdsTogether(world);
  });

  test('contacts change places, are added and deleted, and their customers renamed: every count, primary and word is right', async () => {
    await using world = await openWorld('postgres');
    const { globex, initech, organization } = await world.acme();
    for (let n = 0; n < 6; n++) {
      await addContact(world.installation, globex, `Gil${n} Doe`);
      await addContact(world.installation, initech, `Ian${n} Doe`);
    }
    const here = await contactsOf(world.db, organization.id, globex.id);
    const there = await contactsOf(world.db, organization.id, initech.id);
    const moves = [
      ...here.slice(0, 4).map((contact) => moveContact(world.installation, OPERATOR, contact, initech)),
      ...there.slice(0, 4).map((contact) => moveContact(world.installation, OPERATOR, contact, globex)),
    ];
    const others = [
      renameCustomer(world.installation, OPERATOR, globex, 'Globex2'),
      renameCustomer(world.installation, OPERATOR, initech, 'Initech2'),
      ...here.slice(4, 6).map((contact) => deleteContact(world.installation, OPERATOR, contact, 'left the company')),
      createContact(world.installation, OPERATOR, organization.id, globex.id, {
        name: 'New Doe',
        email: 'new@globex.test',
        phone: null,
      }),
    ];
    const [moved] = await Promise.all([Promise.all(moves), Promise.all<unknown>(others)]);
    assert.ok(moved.every(Boolean));
    await holdsTogether(world);
  });
});
