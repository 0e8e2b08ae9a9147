import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import { confirmByCode, confirmByLink, linkWorks, sendLink } from '../../src/auth/confirmed-enrolment.ts';
import { codeHash, makeEnrolmentCode } from '../../src/auth/enrolment-codes.ts';
import { ceremony, enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { signIn } from '../../src/auth/sign-in.ts';
import { acme as merchant, challenged, enrol, home, pendingOf, setPolicy, type Acme } from '../acme.ts';
import { confirming, hasActive } from '../confirmation.ts';
import { queued } from '../queued.ts';
import { unchanged } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

interface Waiting extends AsyncDisposable {
  readonly world: World;
  readonly acme: Acme;
  /** Noor's ceremony, with a proven authenticator that waits to be confirmed. */
  readonly challenge: Challenge;
  readonly token: string;
}

async function waiting(engine: Engine): Promise<Waiting> {
  const world = await openWorld(engine, { mailIsOn: true });
  const acme = await world.acme();
  await setPolicy(world.installation, acme.organization, 'required');
  await confirming(world, acme.organization);
  const challenge = await proven(world, acme);
  const [mail] = (await queued(world, acme.noor)).filter(({ kind }) => kind === 'confirm-enrolment');
  const token = String(mail?.facts['token']);
  return { world, acme, challenge, token, [Symbol.asyncDispose]: () => world.close() };
}

async function proven(world: World, { noor }: Acme): Promise<Challenge> {
  const { installation } = world;
  const challenge = await challenged(installation, noor);
  await offer(installation, challenge, home(noor));
  const { secret } = await pendingOf(installation, challenge);
  const code = world.codeFor(secret);
  assert.deepEqual(await verifyEnrolment(installation, challenge, code, home(noor)), { kind: 'proven' });
  return challenge;
}

eachEngine('an authenticator that waits to be confirmed', (engine) => {
  test('is enabled by nothing, and its ceremony stands there', async () => {
    await using at = await waiting(engine);
    const { world, acme, challenge } = at;
    assert.equal((await ceremony(world.installation, challenge)).step, 'unconfirmed');
    await unchanged(world, async () =>
      assert.equal(await enable(world.installation, challenge, home(acme.noor)), false),
    );
    assert.equal(await hasActive(world, acme.noor), false);
  });

  test('is confirmed by the link with its own challenge alone, and then enabled', async () => {
    await using at = await waiting(engine);
    const { world, acme, challenge, token } = at;
    const { installation } = world;
    const { id } = acme.organization;
    const maria = await challenged(installation, acme.maria);
    await unchanged(world, async () => {
      for (const other of [undefined, maria])
        assert.deepEqual(await confirmByLink(installation, id, token, other, home(acme.noor)), { kind: 'elsewhere' });
      assert.equal(await linkWorks(installation, id, token), true);
    });
    assert.deepEqual(await confirmByLink(installation, id, token, challenge, home(acme.noor)), { kind: 'confirmed' });
    assert.equal(await linkWorks(installation, id, token), false);
    assert.equal(await enable(installation, challenge, home(acme.noor)), true);
  });

  test('is confirmed by nothing of an older epoch: neither link nor code outlives a change of the account', async () => {
    await using at = await waiting(engine);
    const { world, acme, challenge, token } = at;
    const { installation } = world;
    const made = await makeEnrolmentCode(
      installation,
      OPERATOR,
      await world.account(acme.sam),
      await world.account(acme.noor),
      { check: 'met-in-person', note: '' },
    );
    assert.ok(made.kind === 'made');
    await setPortalAccess(installation, OPERATOR, await world.account(acme.noor), false);
    await setPortalAccess(installation, OPERATOR, await world.account(acme.noor), true);
    assert.equal(await linkWorks(installation, acme.organization.id, token), false);
    const told = await confirmByLink(installation, acme.organization.id, token, challenge, home(acme.noor));
    assert.equal(told.kind, 'link-over');
    assert.equal((await confirmByCode(installation, challenge, made.code, home(acme.noor))).kind, 'out-of-turn');
    assert.equal((await sendLink(installation, challenge, home(acme.noor))).kind, 'out-of-turn');
    const again = await proven(world, acme);
    assert.equal((await confirmByCode(installation, again, made.code, home(acme.noor))).kind, 'wrong');
  });

  test('is not what somebody has who replaces one: a second factor has been proven to get there', async () => {
    await using at = await waiting(engine);
    const { world, acme } = at;
    await confirming(world, acme.organization, 'none');
    await enrol(world.installation, acme.maria);
    await confirming(world, acme.organization);
    const outcome = await signIn(world.installation, 'portal', {
      organizationId: acme.organization.id,
      email: acme.maria.email,
      password: acme.maria.password,
      visitor: home(acme.maria),
      previous: undefined,
    });
    assert.equal(outcome.kind, 'challenge', 'the password alone leads to no ceremony');
  });
});

eachEngine('a code that staff hand over', (engine) => {
  test('has 53 bits, lies as a keyed hash that is nobody else’s, and is over after ten minutes', async () => {
    await using at = await waiting(engine);
    const { world, acme, challenge } = at;
    const { installation } = world;
    const [sam, noor] = [await world.account(acme.sam), await world.account(acme.noor)];
    const made = await makeEnrolmentCode(installation, OPERATOR, sam, noor, { check: 'met-in-person', note: '' });
    assert.ok(made.kind === 'made');
    assert.match(made.code, /^\d{16}$/);
    assert.notEqual(codeHash(installation, noor, made.code), codeHash(installation, acme.maria, made.code));
    world.clock.advance(10 * MINUTE_MS - 1);
    assert.equal(made.until, world.clock.now + 1);
    world.clock.advance(1);
    assert.deepEqual(await confirmByCode(installation, challenge, made.code, home(acme.noor)), { kind: 'wrong' });
  });

  test('is made by no agent of another house, by none without the role, and for nobody on the staff', async () => {
    await using at = await waiting(engine);
    const { world, acme } = at;
    const { installation } = world;
    const noor = await world.account(acme.noor);
    const reason = { check: 'met-in-person', note: '' } as const;
    const outcome = async (agent: { id: string; organizationId: string }, target = noor): Promise<string> => {
      const account = await world.account(agent);
      return (await makeEnrolmentCode(installation, OPERATOR, account, target, reason)).kind;
    };
    const other = await merchant(installation, 'other');
    assert.equal(await outcome(other.sam), 'not-allowed');
    assert.equal(await outcome(acme.otto), 'not-allowed');
    assert.equal(await outcome(acme.sam, await world.account(acme.otto)), 'not-allowed');
    assert.equal(await outcome(acme.ada, await world.account(acme.sam)), 'not-asked-for');
    assert.equal(await outcome(acme.sam), 'made');
  });
});
