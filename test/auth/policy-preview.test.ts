import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { findOrganization, type AskedOfAll, type Organization } from '../../src/accounts/organizations.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { exempt } from '../../src/auth/exemptions.ts';
import { affectedContacts, countAffected, exportAffected, type Group } from '../../src/auth/policy-preview.ts';
import { acme, addContact, challenged, signsIn, setPolicy, type Acme } from '../acme.ts';
import { DAY_MS, eachEngine, openWorld, type Engine, type World } from '../world.ts';

const AT_ONCE: AskedOfAll = { policy: 'required', graceDays: null };
const IN_14_DAYS: AskedOfAll = { policy: 'required', graceDays: 14 };
const OFF: AskedOfAll = { policy: 'off', graceDays: null };

/** Maria with MFA; Noor and Eve without; Xena exempt; Iris, who has no password yet; Cleo, whose access is off. */
async function everyKind(engine: Engine): Promise<{ world: World; people: Acme }> {
  const world = await openWorld(engine);
  const people = await world.acmeWithMfa();
  const { installation } = world;
  const { organization, globex } = people;
  const xena = await world.account(await addContact(installation, globex, 'Xena Exempt'));
  const draft = { reason: 'their phone comes next week', lastDay: '2026-12-08' };
  assert.equal((await exempt(installation, OPERATOR, organization, xena, draft)).kind, 'granted');
  const iris = { name: 'Iris Invited', email: 'iris@globex.test', phone: null };
  await createContact(installation, OPERATOR, organization.id, globex.id, iris);
  const cleo = await world.account(await addContact(installation, globex, 'Cleo Closed'));
  await setPortalAccess(installation, OPERATOR, cleo, false);
  await acme(installation, 'rival');
  return { world, people };
}

async function today({ db }: World, { organization }: Acme): Promise<Organization> {
  const found = await findOrganization(db, organization.id);
  assert.ok(found);
  return found;
}

eachEngine('the preview of a policy', (engine) => {
  test('puts each contact into one group, by what the policy would ask, and leaves other merchants out', async () => {
    const { world, people } = await everyKind(engine);
    await using _ = world;
    const counts = async (plan: AskedOfAll): Promise<object> =>
      countAffected(world.db, await today(world, people), plan, world.clock.now);
    const none = { 'at-once': 0, 'within-grace': 0, exempt: 0, 'not-asked': 0 };
    const ever = { 'already-on': 1, 'out-of-reach': 2 };
    assert.deepEqual(await counts(AT_ONCE), { ...none, ...ever, 'at-once': 2, exempt: 1 });
    assert.deepEqual(await counts(IN_14_DAYS), { ...none, ...ever, 'within-grace': 2, exempt: 1 });
    assert.deepEqual(await counts(OFF), { ...none, ...ever, 'not-asked': 3 });
  });

  test('of the policy that holds counts whose grace has ended as asked at once; another one gives its own', async () => {
    const { world, people } = await everyKind(engine);
    await using _ = world;
    await setPolicy(world.installation, people.organization, 'off');
    world.clock.advance(1);
    await setPolicy(world.installation, people.organization, 'required', 14);
    await challenged(world.installation, people.noor);
    world.clock.advance(15 * DAY_MS);
    const count = async (): Promise<number[]> => {
      const counts = await countAffected(world.db, await today(world, people), IN_14_DAYS, world.clock.now);
      return [counts['at-once'], counts['within-grace']];
    };
    assert.deepEqual(await count(), [1, 2], 'Noor at once; Eve, and Xena after her exemption, have not been told yet');
    await setPolicy(world.installation, people.organization, 'off');
    assert.deepEqual(await count(), [0, 3]);
  });

  test('lists the first of a group by address, and who is signed in by their sessions', async () => {
    const { world, people } = await everyKind(engine);
    await using _ = world;
    const emails = async (group: Group | undefined, limit = 25, after = ''): Promise<string[]> => {
      const wanted = { ...(group && { group }), limit, after };
      const found = await affectedContacts(world.db, await today(world, people), AT_ONCE, wanted, world.clock.now);
      return found.map(({ email }) => email);
    };
    assert.deepEqual(await emails('at-once'), ['eve@initech.test', 'noor@globex.test']);
    assert.deepEqual(await emails('at-once', 1), ['eve@initech.test']);
    assert.deepEqual(await emails('at-once', 1, 'eve@initech.test'), ['noor@globex.test']);
    assert.deepEqual(await emails('out-of-reach'), ['cleo@globex.test', 'iris@globex.test']);
    assert.deepEqual(await emails('signed-in'), []);
    await setPolicy(world.installation, people.organization, 'off');
    await signsIn(world.installation, people.noor);
    await signsIn(world.installation, people.noor);
    assert.deepEqual(await emails('signed-in'), ['noor@globex.test']);
    assert.equal((await emails(undefined)).length, 6);
  });

  test('that leaves the house is recorded before the first contact does, with how many they are', async () => {
    const { world, people } = await everyKind(engine);
    await using _ = world;
    const organization = await today(world, people);
    const actor = { kind: 'account', id: people.ada.id, address: '192.0.2.1' } as const;
    const pages = exportAffected(world.installation, actor, organization, AT_ONCE, 'at-once');
    const first = await pages.next();
    assert.ok(!first.done);
    assert.deepEqual(
      first.value.map(({ email }) => email),
      ['eve@initech.test', 'noor@globex.test'],
    );
    await pages.return(undefined);
    const rows = (await world.rows('audit_rows')).filter((row) => row['action'] === 'customers.exported');
    assert.deepEqual(
      rows.map((row) => JSON.parse(String(row['details'])) as unknown),
      [{ contacts: 2, policy: 'required', graceDays: null, group: 'at-once' }],
    );
  });
});
