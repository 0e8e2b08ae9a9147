import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortKey } from '../../src/accounts/accounts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createCustomer, findCustomer, listCustomers, renameCustomer } from '../../src/accounts/customers.ts';
import { acme, addContact } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const NAMES = [
  'Zeta',
  'älpha',
  'Alpha',
  'alpha',
  'Ålpha',
  '_under',
  '50% off',
  'Beta & Söhne',
  'beta_2',
  'ベータ',
  '\u{1F511} Keys',
];

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(sortKey(a)), Buffer.from(sortKey(b)));
}

async function namesOf(world: World, organizationId: string, search: string): Promise<string[]> {
  return (await listCustomers(world.db, organizationId, { search })).customers.map(({ name }) => name);
}

eachEngine('the list of customers', (engine) => {
  test('comes in pages, each customer once, in the byte order of their names', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    for (const name of NAMES) await createCustomer(world.installation, OPERATOR, organization.id, name);
    const listed: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page = await listCustomers(world.db, organization.id, { after, limit: 3 });
      assert.ok(page.customers.length <= 3);
      listed.push(...page.customers.map(({ name }) => name));
      after = page.next;
    }
    const inOrder = [...NAMES, 'Globex', 'Initech'].toSorted(byBytes);
    assert.deepEqual(listed, inOrder);
  });

  test('ends where it ends: a page that is just full has no next one', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    assert.equal((await listCustomers(world.db, organization.id, { limit: 2 })).next, null);
    assert.notEqual((await listCustomers(world.db, organization.id, { limit: 1 })).next, null);
  });

  test('begins at the start for a page that was never handed out', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    for (const after of ['nonsense', 'eyJhIjoxfQ', 'WzEsMl0', 'bnVsbA']) {
      assert.equal((await listCustomers(world.db, organization.id, { after })).customers.length, 2, after);
    }
  });

  test('shows each customer with its contacts, the primary one first', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const { customers } = await listCustomers(world.db, organization.id);
    assert.deepEqual(
      customers.map(({ name, contacts }) => [name, ...contacts.map((contact) => contact.name)]),
      [
        ['Globex', 'Maria Silva', 'Noor Haddad'],
        ['Initech', 'Eve Moreau'],
      ],
    );
  });

  test('is searched by the beginnings of words in names, and of e-mail addresses', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    for (const name of NAMES) await createCustomer(world.installation, OPERATOR, organization.id, name);
    const found = {
      glo: ['Globex'],
      ' GLOBEX ': ['Globex'],
      lobex: [],
      maria: ['Globex'],
      silva: ['Globex'],
      'maria@globex': ['Globex'],
      'globex.test': [],
      'eve m': ['Initech'],
      söh: ['Beta & Söhne'],
      Ä: ['älpha'],
      '%': [],
      _: ['_under'],
      '50%': ['50% off'],
      '\\': [],
      "'": [],
      beta_: ['beta_2'],
      ベー: ['ベータ'],
    };
    for (const [search, names] of Object.entries(found)) {
      assert.deepEqual(await namesOf(world, organization.id, search), names, search);
    }
  });

  test('holds no customer of another merchant', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const other = await acme(world.installation, 'rival');
    const hooli = await createCustomer(world.installation, OPERATOR, other.organization.id, 'Hooli');
    await addContact(world.installation, hooli, 'Mallory Hooli');
    assert.deepEqual(await namesOf(world, organization.id, 'hooli'), []);
    assert.deepEqual(await namesOf(world, organization.id, 'mallory'), []);
    assert.deepEqual(await namesOf(world, other.organization.id, 'hooli'), ['Hooli']);
    assert.equal(await findCustomer(world.db, organization.id, hooli.id), undefined);
  });
});

eachEngine('a customer', (engine) => {
  test('is renamed once, and the log shows the new name', async () => {
    await using world = await openWorld(engine);
    const { organization, globex } = await world.acme();
    await renameCustomer(world.installation, OPERATOR, globex, 'Globex Corporation');
    await renameCustomer(world.installation, OPERATOR, globex, 'Globex Corporation');
    assert.equal((await findCustomer(world.db, organization.id, globex.id))?.name, 'Globex Corporation');
    assert.deepEqual(await namesOf(world, organization.id, 'corp'), ['Globex Corporation']);
    const actions = (await world.audit(globex)).map(({ action }) => action);
    assert.deepEqual(actions, ['customer.created', 'customer.changed']);
  });
});
