import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findOrganization, policyReach, saveGeneralSettings } from '../../src/accounts/organizations.ts';
import { listAudit, OPERATOR } from '../../src/accounts/audit.ts';
import { activeApps } from '../../src/auth/authenticators.ts';
import { answers, challenged, setPolicy } from '../acme.ts';
import {
  CEREMONY,
  enrolled,
  openRace,
  pendingSecret,
  PORTAL,
  recorded,
  rounds,
  times,
  type Race,
  type Racer,
} from './racers.ts';

const SECURITY = `${PORTAL}/security`;

describe('how an account is guarded, changed from inside on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('eight presses of the last button of a replacement replace once', async () => {
    await rounds(6, async () => {
      const maria = await enrolled(race);
      const [old] = await activeApps(race.world.db, maria);
      const { epoch } = await race.world.account(maria);
      const cookie = await proven(maria, `${SECURITY}/authenticators/${old?.id}/replace`);
      await race.servers.atOnce(times(8, () => ({ path: `${CEREMONY}/enable`, fields: {}, cookie })));
      const apps = await activeApps(race.world.db, maria);
      assert.equal(apps.length, 1);
      assert.notEqual(apps[0]?.id, old?.id);
      assert.equal((await race.world.account(maria)).epoch, epoch + 1);
      assert.equal(await recorded(race, maria, 'authenticator.replaced', 'done'), 1);
    });
  });

  test('the last two apps, removed at once, leave one', async () => {
    await rounds(8, async () => {
      const maria = await enrolled(race);
      const added = await proven(maria, `${SECURITY}/authenticators/new`, { name: 'Tablet' });
      await race.servers.ask({ path: `${CEREMONY}/enable`, fields: {}, cookie: added });
      const apps = await activeApps(race.world.db, maria);
      assert.equal(apps.length, 2);
      const sessions = [await sessionOf(maria), await sessionOf(maria)];
      await race.servers.atOnce(
        times(8, (turn) => ({
          path: `${SECURITY}/authenticators/${apps[turn % 2]?.id}/remove`,
          fields: {},
          cookie: sessions[Math.floor(turn / 2) % 2]!,
        })),
      );
      assert.equal((await activeApps(race.world.db, maria)).length, 1);
      assert.equal(await recorded(race, maria, 'authenticator.removed', 'done'), 1);
    });
  });

  test('MFA is off or asked for, never off under a policy that asks for it', async () => {
    const { installation } = race.world;
    await rounds(8, async () => {
      await setPolicy(installation, race.acme.organization, 'required');
      const maria = await enrolled(race);
      await setPolicy(installation, race.acme.organization, 'optional');
      const cookie = await sessionOf(maria);
      const today = await findOrganization(installation.db, race.acme.organization.id);
      assert.ok(today);
      const [, saved] = await Promise.all([
        race.servers.atOnce(times(8, () => ({ path: `${SECURITY}/turn-off-mfa`, fields: {}, cookie }))),
        saveGeneralSettings(installation, OPERATOR, today, { policy: 'required', graceDays: null }),
      ]);
      assert.equal(saved.kind, 'saved');
      const off = await recorded(race, maria, 'mfa.turned-off', 'done');
      assert.ok(off <= 1);
      assert.equal((await activeApps(race.world.db, maria)).length, 1 - off);
      // Whoever asked for it was told how many have it: what ended before was not among them, and nothing has since.
      const { organization } = race.acme;
      const [change] = await listAudit(race.world.db, organization.id, { actions: ['policy.changed'], limit: 1 });
      const { enrolled: told } = JSON.parse(change?.details ?? '{}') as { enrolled?: number };
      assert.equal(told, (await policyReach(race.world.db, organization.id)).enrolled);
    });
    await setPolicy(installation, race.acme.organization, 'required');
  });

  test('Get new codes, pressed eight times at once, makes one set, and everybody is shown the same', async () => {
    await rounds(6, async () => {
      const maria = await enrolled(race);
      const cookie = await sessionOf(maria);
      const path = `${SECURITY}/backup-codes`;
      const given = await race.servers.atOnce(times(8, () => ({ path, fields: {}, cookie })));
      const shown = new Set<string>();
      for (const one of given.flatMap(({ cookies }) => cookies.filter((name) => /-challenge=./.test(name)))) {
        const page = await race.servers.ask({ path: `${CEREMONY}/backup-codes`, cookie: one });
        if (page.status === 200) shown.add((page.text.match(/\b\d{4}-\d{4}-\d{4}\b/g) ?? []).join(' '));
      }
      assert.equal(shown.size, 1);
      assert.equal(await recorded(race, maria, 'backup-codes.generated', 'done'), 2, 'at first, and now');
      assert.match([...shown][0] ?? '', /^\d/);
    });
  });

  /** A session of somebody who has just proven both. */
  async function sessionOf(maria: Racer): Promise<string> {
    race.world.clock.advance(60_000);
    const challenge = await challenged(race.world.installation, maria);
    const answered = await answers(race.world.installation, challenge, race.world.codeFor(maria.secret));
    assert.ok(answered.kind === 'right', `the code was found ${answered.kind}`);
    return `__Host-sallyport=${answered.bought.cookie}`;
  }

  /** Begins a ceremony from inside, up to its last button; answers its cookie. */
  async function proven(maria: Racer, path: string, fields = {}): Promise<string> {
    const begun = await race.servers.ask({ path, fields, cookie: await sessionOf(maria) });
    assert.equal(begun.location, `${CEREMONY}/scan`);
    const cookie = begun.cookies.find((one) => /-challenge=./.test(one))?.split(';')[0] ?? '';
    const code = race.world.codeFor(await pendingSecret(race, maria, cookie));
    const { location } = await race.servers.ask({ path: `${CEREMONY}/verify`, fields: { code }, cookie });
    assert.equal(location, `${CEREMONY}/enable`);
    return cookie;
  }
});
