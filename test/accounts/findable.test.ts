import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { changeContact, contactsOf } from '../../src/accounts/contacts.ts';
import { createCustomer, renameCustomer } from '../../src/accounts/customers.ts';
import { fits, makeFindable, searchedWords, wordsIn, wordsOf } from '../../src/accounts/findable.ts';
import { keepHouse } from '../../src/cli/serve.ts';
import { sql } from '../../src/db/db.ts';
import { addContact } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

/** Everybody's words: as their rows hold them, and as the search finds them. */
async function words({ db }: World): Promise<Record<string, string[]>> {
  const held = await db.all<{ id: string; words: string | null }>(sql`SELECT id, words FROM accounts
    WHERE kind = 'contact' UNION ALL SELECT id, words FROM customers`);
  const found = await db.all<{ id: string; word: string }>(
    sql`SELECT row_id AS id, word FROM search_words ORDER BY word`,
  );
  const of = Object.fromEntries(held.map(({ id, words: column }) => [id, wordsIn(column)]));
  for (const { id } of held) {
    assert.deepEqual(
      found.filter((row) => row.id === id).map(({ word }) => word),
      of[id],
      id,
    );
  }
  assert.ok(
    found.every(({ id }) => of[id]),
    'a word leads to nobody',
  );
  return of;
}

test('a contact is found by the beginnings of the words in names and address, and of what stands behind a sign in them', () => {
  const maria = wordsOf(['globex & sons', 'maria smith-jones'], 'maria.silva@mail.globex.test');
  assert.deepEqual(maria, [
    '&',
    'globex',
    'jones',
    'mail.globex.test',
    'maria',
    'maria.silva@mail.globex.test',
    'silva@mail.globex.test',
    'smith-jones',
    'sons',
  ]);
  for (const search of ['GLO', 'silva', 'Maria Jones', 'maria.silva@mail.globex.test', 'mail.globex', ' sons  maria '])
    assert.ok(fits(maria, searchedWords(search)), search);
  for (const search of ['lobex', 'ilva', 'maria noor', 'test', 'com', '%', '_'])
    assert.ok(!fits(maria, searchedWords(search)), search);
});

test('words of other scripts are not taken apart at their vowel signs', () => {
  assert.deepEqual(wordsOf(['हिन्दी 株式会社']), ['हिन्दी', '株式会社']);
});

eachEngine('the words that somebody is found by', (engine) => {
  test('follow every change of a name or an address, and leave nothing behind', async () => {
    await using world = await openWorld(engine);
    const { globex, organization } = await world.acme();
    const hooli = await createCustomer(world.installation, OPERATOR, organization.id, 'Hooli');
    assert.deepEqual((await words(world))[hooli.id], ['hooli']);
    const gavin = await addContact(world.installation, hooli, 'Gavin Belson');
    assert.deepEqual((await words(world))[hooli.id], []);
    await renameCustomer(world.installation, OPERATOR, hooli, 'Hooli XYZ');
    const [contact] = await contactsOf(world.db, organization.id, hooli.id);
    assert.ok(contact);
    const draft = { name: 'Gavin B.', email: 'gb@hooli.test', phone: null };
    await changeContact(world.installation, OPERATOR, contact, draft);
    assert.deepEqual((await words(world))[gavin.id], ['b.', 'gavin', 'gb@hooli.test', 'hooli', 'hooli.test', 'xyz']);
    assert.deepEqual((await words(world))[globex.id], []);
  });

  test('are made up for where rows came by another way than the product’s', async () => {
    await using world = await openWorld(engine);
    const { maria, initech } = await world.acme();
    const before = await words(world);
    await world.change(sql`DELETE FROM search_words`);
    await world.change(sql`UPDATE accounts SET words = NULL, customer_key = NULL`);
    await world.change(sql`UPDATE customers SET words = NULL`);
    assert.equal(await makeFindable(world.db), 5);
    assert.deepEqual(await words(world), before);
    assert.equal(await makeFindable(world.db), 0);
    const [row] = await world.db.all(sql`SELECT customer_key FROM accounts WHERE id = ${maria.id}`);
    assert.equal(row?.['customer_key'], 'globex');
    assert.deepEqual((await words(world))[initech.id], []);
  });

  test('wait for the next server where this one is to stop', async () => {
    await using world = await openWorld(engine);
    await world.acme();
    await world.change(sql`UPDATE accounts SET words = NULL`);
    const stop = keepHouse(world.installation);
    await stop();
    assert.equal(await makeFindable(world.db, () => false), 0);
    assert.equal(await makeFindable(world.db), 3);
  });
});
