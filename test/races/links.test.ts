import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { makeMailedLink } from '../../src/accounts/mailed-links.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { signsIn, type Person } from '../acme.ts';
import { newcomer, openRace, PORTAL, recorded, rounds, times, type Race } from './racers.ts';
import { Servers } from './servers.ts';

const PASSWORD = 'quiet lanterns over the harbour';

describe('one-time links that race on two servers', () => {
  test('a welcome link, spent eight times at once, sets one password', async () => {
    await using race = await openRace();
    await rounds(2, async (turn) => {
      const lena = await withoutPassword(race, `lena${turn}@globex.test`);
      const { installation } = race.world;
      const token = await makeWelcomeLink(installation, OPERATOR, await race.world.account(lena));
      const path = `${PORTAL}/welcome/${token}`;
      const passwords = times(8, (n) => `${PASSWORD}, ${n}`);
      const given = await race.servers.atOnce(
        passwords.map((password) => ({ path, fields: { email: lena.email, password } })),
      );
      const chosen = passwords.filter((_, n) => given[n]?.location === `${PORTAL}/sign-in`);
      assert.equal(chosen.length, 1);
      assert.equal(await recorded(race, lena, 'password.set', 'done'), 1);
      assert.equal((await signsIn(installation, { ...lena, password: chosen[0] ?? '' })).kind, 'enrolment');
    });
  });

  test('a link to a new password, spent eight times at once, sets one password and ends what was open', async () => {
    await using race = await openRace();
    await rounds(2, async () => {
      const { world } = race;
      const kim = await newcomer(race);
      const token = await world.db.transaction((tx) => makeMailedLink(tx, world.installation, 'new-password', kim));
      const path = `${PORTAL}/new-password/${token}`;
      const passwords = times(8, (n) => `${PASSWORD}, ${n}`);
      const given = await race.servers.atOnce(passwords.map((password) => ({ path, fields: { email: '', password } })));
      const chosen = passwords.filter((_, n) => given[n]?.location === `${PORTAL}/sign-in`);
      assert.equal(chosen.length, 1);
      assert.equal(await recorded(race, kim, 'password.set', 'done'), 2, 'the one before, and this one');
      assert.equal((await signsIn(world.installation, { ...kim, password: chosen[0] ?? '' })).kind, 'enrolment');
    });
  });

  test('a link that confirms an address, spent eight times at once, changes it once; two contacts never share one', async () => {
    await using race = await openRace();
    const { world } = race;
    const people = [await newcomer(race), await newcomer(race)];
    const tokens = await Promise.all(
      people.map((one) =>
        world.db.transaction((tx) => makeMailedLink(tx, world.installation, 'confirm-email', one, 'one@globex.test')),
      ),
    );
    const paths = times(8, (n) => `${PORTAL}/confirm-email/${tokens[n % 2]}`);
    const given = await race.servers.atOnce(paths.map((path) => ({ path, fields: {} })));
    assert.equal(given.filter(({ status }) => status === 303).length, 1);
    assert.equal(given.filter(({ status }) => status === 422).length, 7);
    const changed = await Promise.all(people.map((one) => recorded(race, one, 'email.changed', 'done')));
    assert.equal(changed[0]! + changed[1]!, 1);
  });

  test('"This wasn’t me", pressed eight times at once, shuts the account once', async () => {
    await using race = await openRace();
    const { world } = race;
    const kim = await newcomer(race);
    const token = await world.db.transaction((tx) => makeMailedLink(tx, world.installation, 'not-me', kim));
    const { epoch } = await world.account(kim);
    const given = await race.servers.atOnce(times(8, () => ({ path: `${PORTAL}/not-me/${token}`, fields: {} })));
    assert.equal(given.filter(({ location }) => location === `${PORTAL}/sign-in`).length, 1);
    assert.equal((await world.account(kim)).epoch, epoch + 1);
    assert.equal(await recorded(race, kim, 'account.not-me', 'ask'), 1);
  });

  test('a set-up link, spent eight times at once, makes one organization and one owner', async () => {
    await using servers = await Servers.open();
    const { world } = servers;
    const token = await offerSetup(world.installation);
    const given = await servers.atOnce(times(8, (n) => ({ path: `/setup/${token}`, fields: owner(n) })));
    assert.equal(given.filter(({ location }) => location === '/admin/enable-mfa').length, 1);
    for (const table of ['organizations', 'accounts', 'staff_emails', 'challenges']) {
      assert.equal((await world.rows(table)).length, 1, table);
    }
  });
});

async function withoutPassword({ world, acme }: Race, email: string): Promise<Person> {
  const { id: organizationId } = acme.organization;
  const draft = { name: 'Lena Berg', email, phone: null };
  const made = await createContact(world.installation, OPERATOR, organizationId, acme.globex.id, draft);
  assert.ok(made.kind === 'saved');
  return { organizationId, id: made.id, surface: 'portal', name: draft.name, email, password: '' };
}

function owner(n: number): Record<string, string> {
  return {
    name: 'Ada Owens',
    email: `ada${n}@acme.test`,
    password: PASSWORD,
    organization: `Acme ${n}`,
    contactDetails: 'Call us: +1 555 0100',
    timeZone: 'UTC',
  };
}
