import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { saveGeneralSettings, signEveryoneOut, findOrganization } from '../../src/accounts/organizations.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { signIn } from '../../src/auth/sign-in.ts';
import { setPolicy, type Person } from '../acme.ts';
import {
  CEREMONY,
  challengesOf,
  newcomer,
  openRace,
  PORTAL,
  rounds,
  sessionsIn,
  sessionsOf,
  signingIn,
  times,
  type Race,
} from './racers.ts';

describe('Set up later, on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
    await setPolicy(race.world.installation, race.acme.organization, 'required', 14);
  });
  after(() => race.servers.close());

  test('the grace is granted once, however many first sign-ins there are at once', async () => {
    // The clock moves with each look at it, so that two grants could not be alike.
    const { installation, clock } = race.world;
    const noor = await newcomer(race);
    const ticking = { ...installation, now: () => (clock.now += 86_400_000) };
    const { id: organizationId } = race.acme.organization;
    const given = { organizationId, email: noor.email, password: noor.password, previous: undefined };
    const visitor = { address: 'home', network: 'home', userAgent: '' };
    await Promise.all(times(8, () => signIn(ticking, 'portal', { ...given, visitor })));
    const until = (await race.world.rows('challenges'))
      .filter((row) => row['account_id'] === noor.id)
      .map((row) => row['later_until']);
    assert.equal(until.length, 8);
    const { grace_until: granted } = (await race.world.rows('accounts')).find((row) => row['id'] === noor.id) ?? {};
    assert.deepEqual(
      until,
      times(8, () => granted),
    );
  });

  test('pressed eight times at once, opens one session', async () => {
    await rounds(6, async () => {
      const noor = await newcomer(race);
      const [cookie = ''] = await challengesOf(race, noor, 1);
      const answers = await race.servers.atOnce(times(8, () => ({ path: `${CEREMONY}/later`, fields: {}, cookie })));
      assert.equal(sessionsIn(answers).length, 1);
      assert.equal(await sessionsOf(race, noor), 1);
    });
  });

  test('no session outlives the moment at which everyone is signed out, however it was won', async () => {
    await rounds(8, async (turn) => {
      const noor = await newcomer(race);
      const signOut = (): Promise<void> =>
        signEveryoneOut(race.world.installation, OPERATOR, noor.organizationId, { contacts: 1, sessions: 8 });
      await whileOff(async () => {
        const asked = times(8, () => signingIn(noor));
        const [given] = await Promise.all([race.servers.atOnce(asked), turn % 2 === 0 ? signOut() : undefined]);
        await signOut();
        await areOut(noor, sessionsIn(given));
      });
    });
  });

  test('two owners who change the policy at once: one has changed it, the other is told', async () => {
    await rounds(6, async (turn) => {
      const today = await findOrganization(race.world.db, race.acme.organization.id);
      assert.ok(today);
      // Other days than any before them, so that each is a change.
      const graceDays = 15 + turn * 8;
      const saved = await Promise.all(
        times(8, (n) => saveGeneralSettings(race.world.installation, OPERATOR, today, { graceDays: graceDays + n })),
      );
      assert.equal(saved.filter(({ kind }) => kind === 'saved').length, 1);
    });
  });

  async function areOut(person: Person, cookies: readonly string[]): Promise<void> {
    for (const cookie of cookies) {
      const { status, location } = await race.servers.ask({ path: `${PORTAL}/home`, cookie });
      assert.deepEqual([status, location], [303, `${PORTAL}/sign-in`], person.email);
    }
  }

  async function whileOff(work: () => Promise<void>): Promise<void> {
    const { installation } = race.world;
    await setPolicy(installation, race.acme.organization, 'off');
    await work();
    await setPolicy(installation, race.acme.organization, 'required', 14);
  }
});
