import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { enrol, setPolicy, signsIn } from '../acme.ts';
import { GENERAL } from '../surface/front-door.ts';
import { MINUTE_MS } from '../world.ts';
import { openRace, recorded, rounds, staffCookie, times, type Race } from '../races/racers.ts';

describe('races of a fresh proof (ASVS 2.3.4, 6.5.1)', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('one code of Ada’s app, sent at once to eight sign-ins and eight acts, is taken once', async () => {
    const { world, acme } = race;
    const { ada } = acme;
    const enrolled = await enrol(world.installation, ada);
    await rounds(4, async () => {
      await setPolicy(world.installation, acme.organization, 'required');
      const session = await staffCookie(race, ada, enrolled);
      world.clock.advance(11 * MINUTE_MS);
      const signedIn = await signsIn(world.installation, ada);
      assert.ok(signedIn.kind === 'challenge');
      const half = `__Host-sallyport-admin-challenge=${signedIn.cookie}`;
      const signedInBefore = await recorded(race, ada, 'signed-in', 'right');
      const provedBefore = await recorded(race, ada, 'proved-again', 'right');
      const code = world.codeFor(enrolled.secret);
      const act = { policy: 'required', mfa: '', name: 'Acme Billing', contactDetails: 'Call us' };
      const { location } = await race.servers.ask({ path: GENERAL, fields: act, cookie: session });
      const form = /form=([\w-]+)$/.exec(location ?? '')?.[1] ?? '';
      const proof = { form, password: ada.password, code };
      await race.servers.atOnce(
        times(16, (turn) =>
          turn % 2 === 0
            ? { path: '/admin/verify', fields: { code }, cookie: half }
            : { path: '/admin/confirm', fields: proof, cookie: session },
        ),
      );
      const taken =
        (await recorded(race, ada, 'signed-in', 'right')) -
        signedInBefore +
        (await recorded(race, ada, 'proved-again', 'right')) -
        provedBefore;
      assert.equal(taken, 1);
      world.clock.advance(24 * 60 * MINUTE_MS);
    });
  });
});
