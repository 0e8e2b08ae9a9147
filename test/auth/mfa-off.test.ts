import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginReplacement, activeApps } from '../../src/auth/authenticators.ts';
import { turnMfaOff } from '../../src/auth/mfa-off.ts';
import { openSessions, type Session } from '../../src/auth/sessions.ts';
import { backupCodesLeft } from '../../src/auth/sign-in.ts';
import { found, home, insideBy, setPolicy, signsIn, type Acme, type Enrolled } from '../acme.ts';
import { queued } from '../queued.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

async function inside(world: World): Promise<Acme & Enrolled & { session: Session }> {
  const people = await world.acmeWithMfa();
  return { ...people, session: await insideBy(world.installation, people.maria, world.codeFor(people.secret)) };
}

eachEngine('turning MFA off', (engine) => {
  test('ends app, codes, sessions and ceremonies; from then on the password opens the door', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, session, organization } = await inside(world);
    await setPolicy(world.installation, organization, 'optional');
    const [app] = await activeApps(world.db, maria);
    const begun = await beginReplacement(world.installation, session, app?.id ?? '', home(maria));
    const { epoch } = await world.account(maria);
    assert.deepEqual(await turnMfaOff(world.installation, session, home(maria)), { kind: 'off' });
    const after = await world.account(maria);
    assert.equal(after.epoch, epoch + 1);
    assert.deepEqual(await activeApps(world.db, maria), []);
    assert.equal(await backupCodesLeft(world.installation, after), null);
    assert.deepEqual(await openSessions(world.db, 'portal', after, world.clock.now), []);
    assert.ok(begun.kind === 'begun');
    assert.equal((await found(world.installation, maria, begun.cookie)).kind, 'dead');
    assert.ok((await world.rows('authenticators')).every((row) => row['secret'] === null));
    assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
    assert.equal((await world.audit(maria)).filter(({ action }) => action === 'mfa.turned-off').length, 1);
    assert.ok((await queued(world, maria)).some(({ kind }) => kind === 'mfa-off'));
    await setPolicy(world.installation, organization, 'required');
    assert.equal((await signsIn(world.installation, maria)).kind, 'enrolment');
  });

  test('is refused where the policy asks for MFA, whatever it was when the page was shown', async () => {
    await using world = await openWorld(engine);
    const { maria, session, organization } = await inside(world);
    await setPolicy(world.installation, organization, 'optional');
    await setPolicy(world.installation, organization, 'required');
    assert.deepEqual(await turnMfaOff(world.installation, session, home(maria)), { kind: 'required' });
    assert.equal((await activeApps(world.db, maria)).length, 1);
    assert.equal((await world.account(maria)).epoch, session.account.epoch);
  });

  test('takes a proof by the app within ten minutes: a backup code is none (I14)', async () => {
    await using world = await openWorld(engine);
    const { maria, session, organization, codes } = await inside(world);
    await setPolicy(world.installation, organization, 'off');
    const byCode = await insideBy(world.installation, maria, codes[0] ?? '');
    assert.throws(() => void turnMfaOff(world.installation, byCode, home(maria)), /without a fresh proof/);
    world.clock.advance(10 * MINUTE_MS + 1);
    assert.throws(() => void turnMfaOff(world.installation, session, home(maria)), /without a fresh proof/);
  });

  test('of an account that has none, or has changed meanwhile, changes nothing', async () => {
    await using world = await openWorld(engine);
    const { maria, session, organization } = await inside(world);
    await setPolicy(world.installation, organization, 'optional');
    await turnMfaOff(world.installation, session, home(maria));
    const { epoch } = await world.account(maria);
    assert.deepEqual(await turnMfaOff(world.installation, session, home(maria)), { kind: 'nothing-to-do' });
    const now = { ...session, account: await world.account(maria) };
    assert.deepEqual(await turnMfaOff(world.installation, now, home(maria)), { kind: 'nothing-to-do' });
    assert.equal((await world.account(maria)).epoch, epoch);
  });
});
