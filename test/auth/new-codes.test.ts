import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ceremony } from '../../src/auth/enrolment.ts';
import { signOutElsewhere } from '../../src/auth/end-sessions.ts';
import { makeNewCodes } from '../../src/auth/new-codes.ts';
import { mayReplaceFactors, type Session } from '../../src/auth/sessions.ts';
import { leaveChallenge } from '../../src/auth/sign-in.ts';
import { answers, challenged, found, home, insideBy, refound, type Acme } from '../acme.ts';
import { queued } from '../queued.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

/** Makes new codes in a session; answers them and the cookie under which they are shown. */
async function makes(
  world: World,
  { maria }: Acme,
  session: Session,
): Promise<{ codes: readonly string[]; cookie: string }> {
  const made = await makeNewCodes(world.installation, session, home(maria));
  assert.ok(made.kind === 'made');
  const shown = await ceremony(world.installation, await refound(world.installation, maria, made.cookie));
  assert.ok(shown.step === 'enabled' && shown.codes);
  return { codes: shown.codes, cookie: made.cookie };
}

const works = async (world: World, { maria }: Acme, code: string): Promise<boolean> =>
  (await answers(world.installation, await challenged(world.installation, maria), code)).kind === 'right';

eachEngine('new backup codes', (engine) => {
  test('take the place of the old at once, and end nothing else (I4)', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const people = await world.acmeWithMfa();
    const session = await insideBy(world.installation, people.maria, world.codeFor(people.secret));
    const { epoch } = await world.account(people.maria);
    const { codes } = await makes(world, people, session);
    assert.equal(codes.length, 5);
    assert.equal(await works(world, people, people.codes[0] ?? ''), false);
    assert.equal(await works(world, people, codes[0] ?? ''), true);
    assert.equal((await world.account(people.maria)).epoch, epoch);
    const rows = (await world.audit(people.maria)).filter(({ action }) => action === 'backup-codes.generated');
    assert.equal(rows.length, 2, 'of the ceremony, and these');
    const told = (await queued(world, people.maria)).filter(({ kind }) => kind === 'new-codes');
    assert.equal(told.length, 1, 'the first set belongs to the ceremony, which has a letter of its own');
  });

  test('are the same five for whoever asks again while they are shown, and others after Continue (I19)', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const session = await insideBy(world.installation, people.maria, world.codeFor(people.secret));
    const first = await makes(world, people, session);
    const second = await makes(world, people, session);
    assert.deepEqual(second.codes, first.codes);
    await leaveChallenge(world.installation, await refound(world.installation, people.maria, second.cookie));
    for (const { cookie } of [first, second])
      assert.equal((await found(world.installation, people.maria, cookie)).kind, 'dead');
    assert.ok((await world.rows('challenges')).every((row) => row['sealed_codes'] === null));
    assert.notDeepEqual((await makes(world, people, session)).codes, first.codes);
  });

  test('are shown to nobody after the session that made them, nor after ten minutes', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const session = await insideBy(world.installation, people.maria, world.codeFor(people.secret));
    const { cookie, codes } = await makes(world, people, session);
    world.clock.advance(10 * MINUTE_MS);
    assert.equal((await found(world.installation, people.maria, cookie)).kind, 'dead');
    assert.notDeepEqual((await makes(world, people, session)).codes, codes);
    const other = await insideBy(world.installation, people.maria, world.codeFor(people.secret));
    const thief = await makes(world, people, other);
    await signOutElsewhere(world.installation, { kind: 'system' }, session);
    assert.equal((await found(world.installation, people.maria, thief.cookie)).kind, 'dead');
  });

  test('may be made by whoever has just signed in by a backup code, and for ten minutes (I14)', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const session = await insideBy(world.installation, people.maria, people.codes[0] ?? '');
    assert.equal(mayReplaceFactors(session, world.clock.now - 31_000), false, 'not by a clock that was set back');
    world.clock.advance(10 * MINUTE_MS);
    await makes(world, people, session);
    world.clock.advance(1);
    assert.throws(() => void makeNewCodes(world.installation, session, home(people.maria)), /without a fresh proof/);
  });
});
