import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { beginSignIn } from '../../src/auth/passkey-sign-in.ts';
import { beginAdding, beginUse, passkeysOf } from '../../src/auth/passkeys.ts';
import type { Session } from '../../src/auth/sessions.ts';
import { answers, challenged, enrol, found, home, openOf, type Enrolled } from '../acme.ts';
import { Authenticator, kept, rpOf, sessionOf, takePasskeys } from '../authenticator.ts';
import {
  challengesOf,
  enrolled,
  openRace,
  PORTAL,
  pressing,
  recorded,
  rounds,
  sessionsIn,
  sessionsOf,
  staffCookie,
  times,
  type Race,
  type Racer,
} from './racers.ts';

interface WithPasskey extends Racer {
  readonly device: Authenticator;
  readonly session: Session;
  readonly cookie: string;
}

describe('passkeys that race on two servers', () => {
  let race: Race;
  let sams: Enrolled;
  before(async () => {
    race = await openRace();
    await takePasskeys(race.world, race.acme.organization, 'sign-in');
    sams = await enrol(race.world.installation, race.acme.sam);
  });
  after(() => race.servers.close());

  /** One more contact who is inside, and has a passkey; `count`: from what it counts. */
  async function withPasskey(count = 0): Promise<WithPasskey> {
    const { world } = race;
    const racer = await enrolled(race);
    const challenge = await challenged(world.installation, racer);
    const answered = await answers(world.installation, challenge, world.codeFor(racer.secret));
    assert.ok(answered.kind === 'right');
    const session = await sessionOf(world, answered.bought.cookie);
    const { device } = await kept(world, racer, session, new Authenticator(world.publicUrl, { count }));
    return { ...racer, device, session, cookie: `__Host-sallyport=${answered.bought.cookie}` };
  }

  /** What a half-finished sign-in's browser sends. */
  async function answerIn(
    maria: WithPasskey,
    cookie: string,
  ): Promise<{ path: string; fields: { response: string }; cookie: string }> {
    const { world } = race;
    const challenge = openOf(await found(world.installation, maria, cookie.slice(cookie.indexOf('=') + 1)));
    const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    return { path: `${PORTAL}/verify/passkey`, fields: { response: maria.device.use(options ?? {}) }, cookie };
  }

  test('one answer of her passkey, sent eight times at once, opens one session', async () => {
    await rounds(5, async () => {
      const maria = await withPasskey();
      const earlier = await sessionsOf(race, maria);
      const [cookie = ''] = await challengesOf(race, maria, 1);
      const asked = await answerIn(maria, cookie);
      const given = await race.servers.atOnce(times(8, () => asked));
      assert.equal(sessionsIn(given).length, 1);
      assert.equal(await sessionsOf(race, maria), earlier + 1);
      assert.equal(await recorded(race, maria, 'signed-in', 'passkey-refused'), 0, 'a used challenge counts nothing');
    });
  });

  test('a whole sign-in, sent eight times at once, opens one session', async () => {
    await rounds(5, async () => {
      const { world, acme } = race;
      const maria = await withPasskey();
      const earlier = await sessionsOf(race, maria);
      const begun = await beginSignIn(world.installation, rpOf(world), acme.organization.id, home(maria), undefined);
      assert.ok(begun.kind === 'begun');
      const asked = {
        path: `${PORTAL}/sign-in/passkey`,
        fields: { response: maria.device.use(begun.options) },
        cookie: `__Host-sallyport-passkey=${begun.browser}`,
      };
      const given = await race.servers.atOnce(times(8, () => asked));
      assert.equal(sessionsIn(given).length, 1);
      assert.equal(await sessionsOf(race, maria), earlier + 1);
      assert.equal(await recorded(race, maria, 'signed-in', 'passkey-refused'), 7);
    });
  });

  test('eight answers with one and the same count, each to a challenge of its own, open one session', async () => {
    await rounds(5, async () => {
      const { world, acme } = race;
      const maria = await withPasskey(7);
      const asked = await Promise.all(
        times(8, async () => {
          const begun = await beginSignIn(
            world.installation,
            rpOf(world),
            acme.organization.id,
            home(maria),
            undefined,
          );
          assert.ok(begun.kind === 'begun');
          const response = maria.device.use(begun.options, { count: 9 });
          const cookie = `__Host-sallyport-passkey=${begun.browser}`;
          return { path: `${PORTAL}/sign-in/passkey`, fields: { response }, cookie };
        }),
      );
      const given = await race.servers.atOnce(asked);
      assert.equal(sessionsIn(given).length, 1);
      assert.equal(await recorded(race, maria, 'signed-in', 'passkey-refused'), 7);
    });
  });

  test('one new passkey, sent eight times at once, is kept once', async () => {
    await rounds(5, async () => {
      const { world } = race;
      const maria = await withPasskey();
      const options = await beginAdding(world.installation, rpOf(world), maria.session);
      const response = new Authenticator(world.publicUrl).make(options ?? {});
      const path = `${PORTAL}/security/passkeys/add`;
      await race.servers.atOnce(times(8, () => ({ path, fields: { name: 'New', response }, cookie: maria.cookie })));
      assert.equal((await passkeysOf(world.db, maria)).length, 2);
      assert.equal(await recorded(race, maria, 'passkey.added', 'done'), 2);
    });
  });

  test('of sixteen new ones at once ten are kept', async () => {
    const { world } = race;
    const maria = await withPasskey();
    const path = `${PORTAL}/security/passkeys/add`;
    for (let n = 0; n < 4; n++) {
      const asked = [];
      for (let m = 0; m < 4; m++) {
        const options = await beginAdding(world.installation, rpOf(world), maria.session);
        const response = new Authenticator(world.publicUrl).make(options ?? {});
        asked.push({ path, fields: { name: 'New', response }, cookie: maria.cookie });
      }
      await race.servers.atOnce([...asked, ...asked]);
    }
    assert.equal((await passkeysOf(world.db, maria)).length, 10);
  });

  test('no session outlives the reset that it raced, and no passkey does', async () => {
    await rounds(5, async (turn) => {
      const { world } = race;
      const maria = await withPasskey();
      const sam = await staffCookie(race, race.acme.sam, sams);
      const cookies = await challengesOf(race, maria, 3);
      const asked = await Promise.all(cookies.map((cookie) => answerIn(maria, cookie)));
      const all = [...asked, ...asked, ...asked];
      const reset = pressing(race, maria, 'reset-mfa', sam);
      const given = await race.servers.atOnce([...all.slice(0, turn), reset, ...all.slice(turn)]);
      for (const cookie of sessionsIn(given)) {
        const page = await race.servers.ask({ path: `${PORTAL}/home`, cookie: cookie.split(';')[0] ?? '' });
        assert.equal(page.status, 303, 'somebody is still inside');
      }
      assert.equal((await passkeysOf(world.db, maria)).length, 0);
    });
  });
});
