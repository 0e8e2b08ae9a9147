import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { countContacts, customerPage, type ListPage } from '../../src/accounts/customer-list.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { byBytes, fits, searchedWords, wordsIn } from '../../src/accounts/findable.ts';
import { BOUNDS, type Bounds, type Place } from '../../src/accounts/list-walk.ts';
import { LAST_SIGN_IN_FILTERS, MFA_FILTERS, PORTAL_FILTERS, SORTS, type View } from '../../src/accounts/list-view.ts';
import { sql } from '../../src/db/db.ts';
import { acme, addContact, type Acme } from '../acme.ts';
import { DAY_MS, eachEngine, openWorld, START, type Engine, type World } from '../world.ts';

const EVERYBODY: View = { search: '', mfa: null, portal: null, lastSignIn: null, sort: 'name', descending: false };

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
  '🔑 Keys',
];

/** The rows of a page as somebody reads them. */
function read({ rows }: ListPage): string[] {
  return rows.map(({ customer, contact }) => contact?.email ?? customer.name);
}

async function found(world: World, { organization }: Acme, view: Partial<View>): Promise<string[]> {
  const wanted = { place: null, size: 100, now: world.clock.now };
  return read(await customerPage(world.db, organization.id, { ...EVERYBODY, ...view }, wanted));
}

eachEngine('the list of customers', (engine) => {
  test('has a row for each contact, the customer first, and one for a customer without contacts', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    await createCustomer(world.installation, OPERATOR, people.organization.id, 'Hooli');
    assert.deepEqual(await found(world, people, {}), [
      people.maria.email,
      people.noor.email,
      'Hooli',
      people.eve.email,
    ]);
    assert.deepEqual(await found(world, people, { mfa: 'none' }), [
      people.maria.email,
      people.noor.email,
      people.eve.email,
    ]);
  });

  test('is searched by the beginnings of words in names and addresses, all of them, and by a whole id', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { maria, noor, eve, globex, organization } = people;
    for (const name of NAMES) await createCustomer(world.installation, OPERATOR, organization.id, name);
    const sought: Record<string, string[]> = {
      glo: [maria.email, noor.email],
      ' GLOBEX ': [maria.email, noor.email],
      lobex: [],
      silva: [maria.email],
      'maria@globex': [maria.email],
      'globex.test': [maria.email, noor.email],
      'mar sil': [maria.email],
      'maria haddad': [],
      test: [],
      'eve m': [eve.email],
      söh: ['Beta & Söhne'],
      Ä: ['älpha'],
      '%': [],
      _: ['_under'],
      '50%': ['50% off'],
      '\\': [],
      "'": [],
      beta_: ['beta_2'],
      ベー: ['ベータ'],
      [noor.id]: [noor.email],
      [globex.id]: [maria.email, noor.email],
      [organization.id]: [],
    };
    for (const [search, rows] of Object.entries(sought))
      assert.deepEqual(await found(world, people, { search }), rows, search);
  });

  test('holds nobody of another merchant', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const other = await acme(world.installation, 'rival');
    const hooli = await createCustomer(world.installation, OPERATOR, other.organization.id, 'Hooli');
    const mallory = await addContact(world.installation, hooli, 'Mallory Hooli');
    for (const search of ['hooli', 'mallory', mallory.id, hooli.id])
      assert.deepEqual(await found(world, people, { search }), [], search);
    assert.deepEqual(await found(world, other, { search: 'hooli' }), [mallory.email]);
  });

  test('begins at the start for a place that was never handed out', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    for (const sort of SORTS)
      for (const key of [[], [1], ['x', 'y', 'z', 4], ['\u{10FFFF}'], [-1, '']] as Place['key'][])
        for (const towards of ['next', 'previous'] as const) {
          const wanted = { place: { towards, at: 3, key }, size: 25, now: world.clock.now };
          await customerPage(world.db, organization.id, { ...EVERYBODY, sort }, wanted);
        }
  });
});

const view = fc.record({
  search: fc.constantFrom('', '', 'ma', 'acme', 'mia zeta', 'x.test', 'z', 'beta ma', 'nobody'),
  mfa: fc.constantFrom(null, null, ...MFA_FILTERS),
  portal: fc.constantFrom(null, null, ...PORTAL_FILTERS),
  lastSignIn: fc.constantFrom(null, null, ...LAST_SIGN_IN_FILTERS),
  sort: fc.constantFrom(...SORTS),
  descending: fc.boolean(),
});

const HOW: Record<string, Bounds> = {
  'where few match': BOUNDS,
  'where many match': { narrow: 0, count: 5, parts: [4, 9, 100] },
  'where too many match to look at all of them': { narrow: 2, count: 5, parts: [4, 7] },
};

for (const [how, bounds] of Object.entries(HOW))
  eachEngine(`any view of the list, ${how},`, (engine) => {
    test('shows on its pages exactly whom it asks for, once and in order, and the same on the way back', async () => {
      const { world, organizationId } = await crowd(engine);
      try {
        await fc.assert(
          fc.asyncProperty(view, fc.integer({ min: 1, max: 4 }), (asked, size) =>
            walksThrough(world, organizationId, asked, size, bounds),
          ),
          { numRuns: 150 },
        );
      } finally {
        await world.close();
      }
    });
  });

async function walksThrough(world: World, id: string, asked: View, size: number, bounds: Bounds): Promise<void> {
  const expected = await expectedRows(world, id, asked);
  const page = (place: Place | null): Promise<ListPage> =>
    customerPage(world.db, id, asked, { place, size, now: world.clock.now, bounds });
  const pages: ListPage[] = [];
  for (let place: Place | null | undefined; place !== null; place = pages.at(-1)?.next ?? null) {
    pages.push(await page(place ?? null));
    assert.ok(pages.length < 60, 'the pages never end');
  }
  const shown = pages.flatMap(read);
  const sorted = pages.every((one) => one.sorted);
  assert.deepEqual(sorted ? shown : shown.toSorted(), sorted ? expected : expected.toSorted());
  assert.deepEqual(
    pages.map(({ at }) => at),
    pages.map((_, at) => pages.slice(0, at).flatMap(read).length),
  );
  for (const { count } of pages) if (count.kind === 'exact') assert.equal(count.contacts + count.lone, expected.length);
  const contacts = (await expectedRows(world, id, { ...asked, sort: 'email' })).length;
  assert.equal(await countContacts(world.db, id, asked, world.clock.now), contacts);
  if (pages.length < 2) return;
  // The way back meets the same people; where pages were cut short for looking at too many, in other portions.
  const back: ListPage[] = [];
  for (let place = pages.at(-1)?.previous ?? null; place !== null; place = back.at(-1)?.previous ?? null) {
    back.push(await page(place));
    assert.ok(back.length < 60, 'the way back never ends');
  }
  const behind = shown.slice(0, shown.length - read(pages.at(-1) ?? assert.fail()).length);
  const met = back.toReversed().flatMap(read);
  assert.deepEqual([...new Set(met)].toSorted().slice(0, behind.length), behind.toSorted());
}

interface Plain {
  readonly email: string | null;
  readonly name: string;
  readonly key: readonly (string | number)[];
}

/** The same by reading everybody and thinking about each. */
async function expectedRows(world: World, id: string, asked: View): Promise<string[]> {
  const { now } = world.clock;
  const accounts = await world.db.all<Record<string, string & number>>(sql`SELECT a.*, c.name AS customer
    FROM accounts a JOIN customers c ON c.id = a.customer_id WHERE a.organization_id = ${id}`);
  const words = searchedWords(asked.search);
  const holds: Record<string, (a: Record<string, string & number>) => boolean> = {
    on: (a) => a['mfa_since'] !== null,
    none: (a) => a['mfa_since'] === null,
    low: (a) => a['mfa_since'] !== null && (a['backup_codes_left'] ?? 0) <= 2,
    locked: (a) => a['suspected_at'] !== null || a['totp_wait_until']! > now || a['backup_wait_until']! > now,
    reset: (a) => a['reset_notice_at'] !== null && a['mfa_since'] === null,
    'portal on': (a) => a['disabled_at'] === null && a['password_set_at'] !== null,
    'portal invited': (a) => a['disabled_at'] === null && a['password_set_at'] === null,
    'portal off': (a) => a['disabled_at'] !== null,
    recent: (a) => (a['last_sign_in_at'] ?? 0) > now - 30 * DAY_MS,
    'long-ago': (a) => a['last_sign_in_at'] !== null && a['last_sign_in_at']! < now - 90 * DAY_MS,
    never: (a) => a['last_sign_in_at'] === null,
  };
  const filters = [asked.mfa, asked.portal && `portal ${asked.portal}`, asked.lastSignIn].filter((one) => one !== null);
  const rows: Plain[] = accounts
    .filter((a) => filters.every((name) => holds[name]?.(a)) && fits(wordsIn(a['words'] ?? null), words))
    .map((a) => ({
      email: a['email'] ?? '',
      name: a['customer'] ?? '',
      key: {
        name: [a['customer_key'] ?? '', a['customer_id'] ?? '', a['id'] ?? ''],
        email: [a['email_key'] ?? '', a['id'] ?? ''],
        'last-sign-in': [a['last_sign_in_at'] ?? 0, a['id'] ?? ''],
      }[asked.sort],
    }));
  if (filters.length === 0 && asked.sort === 'name') {
    const lone = await world.db.all<
      Record<string, string>
    >(sql`SELECT c.* FROM customers c WHERE c.organization_id = ${id}
      AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.customer_id = c.id)`);
    for (const c of lone)
      if (fits(wordsIn(c['words'] ?? null), words))
        rows.push({ email: null, name: c['name'] ?? '', key: [c['sort_key'] ?? '', c['id'] ?? '', ''] });
  }
  const sorted = rows.toSorted((a, b) => compare(a.key, b.key));
  return (asked.descending ? sorted.toReversed() : sorted).map(({ email, name }) => email ?? name);
}

function compare(a: Plain['key'], b: Plain['key']): number {
  for (const [at, one] of a.entries()) {
    const other = b[at] ?? '';
    const difference = typeof one === 'number' ? one - Number(other) : byBytes(one, String(other));
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Thirty contacts in every state, at customers of whom three have the same name and three have nobody. */
async function crowd(engine: Engine): Promise<{ world: World; organizationId: string }> {
  const world = await openWorld(engine);
  const { organization } = await world.acme();
  const { installation } = world;
  for (let n = 0; n < 3; n++) {
    for (const [at, name] of ['Acme', 'Beta', `Zeta ${n}`].entries()) {
      const customer = await createCustomer(installation, OPERATOR, organization.id, name);
      for (const [who, first] of ['Maria', 'Mia', 'Zoe'].entries()) {
        const made = await addContact(installation, { ...customer, name: `${n}${at}x` }, `${first} Mazur`);
        const seed = n * 9 + at * 3 + who;
        const some = (every: number, value: number): number | null => (seed % every === 0 ? value : null);
        await world.change(sql`UPDATE accounts SET mfa_since = ${some(2, START)}, backup_codes_left = ${some(3, seed % 6)},
          reset_notice_at = ${some(5, START)}, suspected_at = ${some(11, START)},
          totp_wait_until = ${seed % 7 === 0 ? START + (seed - 10) * 1000 : 0}, disabled_at = ${some(4, START)},
          last_sign_in_at = ${seed % 3 === 0 ? null : START - seed * 5 * DAY_MS},
          last_sign_in_key = ${seed % 3 === 0 ? 0 : START - seed * 5 * DAY_MS} WHERE id = ${made.id}`);
        if (seed % 6 === 5)
          await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${made.id}`);
      }
    }
    await createCustomer(installation, OPERATOR, organization.id, `Mango ${n}`);
  }
  return { world, organizationId: organization.id };
}
