import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parkForm, takeParked } from '../../src/auth/parked-forms.ts';
import { proveAgain } from '../../src/auth/fresh-proof.ts';
import { findSession, type Session } from '../../src/auth/sessions.ts';
import { addStaff, enrol, from, setPolicy, signsIn } from '../acme.ts';
import { MINUTE_MS } from '../world.ts';
import { enrolled, newcomer, openRace, recorded, rounds, staffCookie, times, type Race } from './racers.ts';

describe('one form that waits for a fresh proof, answered eight times at once', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('with one right code is done once, and recorded once', async () => {
    const { world, acme } = race;
    await rounds(4, async (round) => {
      const sam = await addStaff(world.installation, acme.organization, `Sam${round} Porter`, 'support');
      const phone = await enrol(world.installation, sam);
      const cookie = await staffCookie(race, sam, phone);
      const maria = await enrolled(race);
      world.clock.advance(11 * MINUTE_MS);
      const reset = `/admin/customers/${acme.globex.id}/contacts/${maria.id}/reset-mfa`;
      const asked = await race.servers.ask({ path: reset, fields: { check: 'met-in-person', note: '' }, cookie });
      const form = /\/admin\/confirm\?form=([\w-]+)$/.exec(asked.location ?? '')?.[1] ?? '';
      const code = world.codeFor(phone.secret);
      const fields = { form, password: sam.password, code };
      const { epoch } = await world.account(maria);
      const answers = await race.servers.atOnce(times(8, () => ({ path: '/admin/confirm', fields, cookie })));
      const led = answers.filter(({ location }) => location === `/admin/customers/${acme.globex.id}`);
      assert.equal(led.length, 1, JSON.stringify(answers.map(({ status, location }) => [status, location])));
      assert.equal((await world.account(maria)).epoch, epoch + 1);
      assert.equal((await world.audit(maria)).filter(({ action }) => action === 'mfa.reset').length, 1);
      assert.equal(await recorded(race, sam, 'proved-again', 'right'), 1);
      const session = led[0]?.cookies.find((line) => line.startsWith('__Host-sallyport-admin=')) ?? '';
      const inside = await race.servers.ask({ path: '/admin/customers', cookie: session.split(';')[0] ?? '' });
      assert.equal(inside.status, 200, 'and the one who was told so is signed in still');
    });
  });

  test('with the password alone is taken up by the one whose token lives', async () => {
    const { world, acme } = race;
    await setPolicy(world.installation, acme.organization, 'off');
    await rounds(4, async () => {
      const noor = await newcomer(race);
      const signedIn = await signsIn(world.installation, noor);
      assert.ok(signedIn.kind === 'signed-in');
      const find = (cookie: string): Promise<Session | undefined> =>
        findSession(world.db, 'portal', cookie, world.clock.now);
      const session = await find(signedIn.cookie);
      assert.ok(session);
      const id = (await parkForm(world.installation, session, { path: '/', body: '', about: 'do it' })) ?? '';
      const done = await Promise.all(
        times(8, async (turn) => {
          const proof = await proveAgain(world.installation, session, noor.password, undefined, from(`desk ${turn}`));
          if (proof.kind !== 'proven') return undefined;
          return { taken: await takeParked(world.installation, session, id), cookie: proof.cookie };
        }),
      );
      const proven = done.filter((one) => one !== undefined);
      assert.equal(proven.length, 1);
      assert.ok(proven[0]?.taken);
      assert.ok(await find(proven[0].cookie), 'its token was not taken away by another');
      assert.equal(await recorded(race, noor, 'proved-again', 'right'), 1);
    });
  });
});
