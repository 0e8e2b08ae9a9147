import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasOwner } from '../../src/accounts/staff.ts';
import { someOrganizations } from '../../src/accounts/organizations.ts';
import { findChallenge } from '../../src/auth/challenges.ts';
import { isSetupOpen, offerSetup, setUp, type FirstOwner } from '../../src/auth/setup.ts';
import { signIn } from '../../src/auth/sign-in.ts';
import { from } from '../acme.ts';
import { DAY_MS, eachEngine, openWorld } from '../world.ts';

const FIRST: FirstOwner = {
  name: 'Ada Owens',
  email: 'ada@acme.test',
  password: 'violet harbour engine 47',
  organization: 'Acme Billing',
  contactDetails: 'Call us',
  timeZone: 'Europe/Berlin',
};

eachEngine('the set-up link', (engine) => {
  test('makes organization and owner at once, and leads into the enrolment of the owner', async () => {
    await using world = await openWorld(engine);
    const token = (await offerSetup(world.installation)) ?? '';
    assert.equal(await isSetupOpen(world.installation, token), true);
    const made = await setUp(world.installation, token, FIRST, '203.0.113.1');
    assert.ok(made.kind === 'made');
    const found = await findChallenge(world.db, 'admin', made.cookie, world.clock.now);
    assert.ok(found?.kind === 'open');
    assert.equal(found.challenge.purpose, 'enrolment');
    assert.deepEqual([found.challenge.account.email, found.challenge.account.role], ['ada@acme.test', 'owner']);
    const [organization] = await someOrganizations(world.db, 2);
    assert.deepEqual(
      [organization?.slug, organization?.name, organization?.policy],
      ['acme-billing', 'Acme Billing', 'off'],
    );
    assert.deepEqual(await world.rows('sessions'), [], 'no session before MFA');
    const { email, password } = FIRST;
    const claim = { organizationId: null, email, password, visitor: from('203.0.113.1'), previous: undefined };
    assert.equal((await signIn(world.installation, 'admin', claim)).kind, 'enrolment');
  });

  test('works once, and is offered to nobody once there is an owner', async () => {
    await using world = await openWorld(engine);
    const token = (await offerSetup(world.installation)) ?? '';
    await setUp(world.installation, token, FIRST, '203.0.113.1');
    assert.equal(await isSetupOpen(world.installation, token), false);
    const again = await setUp(world.installation, token, { ...FIRST, email: 'eve@evil.test' }, '203.0.113.1');
    assert.deepEqual(again, { kind: 'link-over' });
    assert.equal(await offerSetup(world.installation), undefined);
    assert.equal((await someOrganizations(world.db, 5)).length, 1);
  });

  test('is dead once there is an owner by another way', async () => {
    await using world = await openWorld(engine);
    const token = (await offerSetup(world.installation)) ?? '';
    await world.acme();
    assert.equal(await isSetupOpen(world.installation, token), false);
    assert.deepEqual(await setUp(world.installation, token, FIRST, '203.0.113.1'), { kind: 'link-over' });
  });

  test('works for 24 hours, and each start makes a new one in place of the old', async () => {
    await using world = await openWorld(engine);
    const old = (await offerSetup(world.installation)) ?? '';
    world.clock.advance(DAY_MS - 1);
    assert.equal(await isSetupOpen(world.installation, old), true);
    world.clock.advance(1);
    assert.equal(await isSetupOpen(world.installation, old), false);
    assert.deepEqual(await setUp(world.installation, old, FIRST, '203.0.113.1'), { kind: 'link-over' });
    const first = (await offerSetup(world.installation)) ?? '';
    const second = (await offerSetup(world.installation)) ?? '';
    assert.deepEqual(
      [await isSetupOpen(world.installation, first), await isSetupOpen(world.installation, second)],
      [false, true],
    );
    assert.ok(!JSON.stringify(await world.rows('setup_links')).includes(second), 'only its hash is kept');
  });

  test('refuses what cannot be an owner, makes nothing and is not spent by it', async () => {
    await using world = await openWorld(engine);
    const token = (await offerSetup(world.installation)) ?? '';
    const refused = async (change: Partial<FirstOwner>): Promise<unknown> =>
      setUp(world.installation, token, { ...FIRST, ...change }, '203.0.113.1');
    assert.deepEqual(await refused({ email: 'ada' }), { kind: 'refused', problem: 'email-shape' });
    assert.deepEqual(await refused({ password: 'short' }), { kind: 'refused', problem: 'short' });
    assert.deepEqual(await refused({ password: 'acme billing portal' }), { kind: 'refused', problem: 'context' });
    assert.deepEqual(await someOrganizations(world.db, 1), []);
    assert.equal(await hasOwner(world.db), false);
    assert.equal((await setUp(world.installation, token, FIRST, '203.0.113.1')).kind, 'made');
  });

  test('twice at once makes one owner', async () => {
    await using world = await openWorld(engine);
    const token = (await offerSetup(world.installation)) ?? '';
    const both = await Promise.all(
      ['ada@acme.test', 'eve@evil.test'].map((email) =>
        setUp(world.installation, token, { ...FIRST, email }, '203.0.113.1'),
      ),
    );
    assert.deepEqual(both.map(({ kind }) => kind).toSorted(), ['link-over', 'made']);
    assert.equal((await world.rows('staff_emails')).length, 1);
  });
});
