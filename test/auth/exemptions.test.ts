import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { endExemption, exempt, exemptionOf, exemptNow } from '../../src/auth/exemptions.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { sql } from '../../src/db/db.ts';
import { enrol, setPolicy, signsIn, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, openWorld, type World } from '../world.ts';

const REASON = 'their phone comes next week';
const EIGHTH = { reason: REASON, lastDay: '2026-12-08' };
/** The end of 8 December 2026 in UTC. */
const END = Date.UTC(2026, 11, 9);

eachEngine('an exemption', (engine) => {
  test('spares one contact the enrolment up to the end of its last day, and says who gave it and why', async () => {
    await using world = await openWorld(engine);
    const { organization, ada, noor, eve } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    const by = { kind: 'account', id: ada.id, address: '192.0.2.1' } as const;
    const account = await world.account(noor);
    const { epoch } = account;
    assert.deepEqual(await exempt(world.installation, by, organization, account, EIGHTH), {
      kind: 'granted',
      until: END,
    });
    assert.deepEqual(
      { ...(await exemptionOf(world.db, account, world.clock.now)) },
      {
        until: END,
        reason: REASON,
        by: 'Ada Owens (ada@acme.test)',
      },
    );
    assert.equal((await signsIn(world.installation, noor)).kind, 'signed-in');
    assert.equal((await signsIn(world.installation, eve)).kind, 'enrolment', 'her alone');
    assert.equal(await exemptNow(world.db, organization.id, world.clock.now), 1);
    assert.equal((await world.account(noor)).epoch, epoch, 'nothing ends by it');
    world.clock.now = END - 1;
    assert.equal((await signsIn(world.installation, noor)).kind, 'signed-in');
    world.clock.now = END;
    assert.equal((await signsIn(world.installation, noor)).kind, 'enrolment');
    assert.equal(await exemptionOf(world.db, account, world.clock.now), undefined);
    const granted = (await world.audit(noor)).filter(({ action }) => action === 'exemption.granted');
    assert.deepEqual(
      granted.map(({ reason, details }) => [reason, details]),
      [[REASON, JSON.stringify({ until: END })]],
    );
  });

  test('has a reason of ten characters and a last day from today to a year ahead, is given once, and to nobody with MFA', async () => {
    await using world = await openWorld(engine);
    const { organization, maria, noor } = await world.acmeWithMfa();
    const tryIt = async (person: Person, draft: Partial<typeof EIGHTH>): Promise<string> => {
      const account = await world.account(person);
      return (await exempt(world.installation, OPERATOR, organization, account, { ...EIGHTH, ...draft })).kind;
    };
    assert.equal(await tryIt(noor, { reason: ' too short ' }), 'reason-short');
    for (const lastDay of ['', '2026-11-23', '2027-11-25', '2026-02-30', '24 November', '2026-12-8', '+002026-12-08'])
      assert.equal(await tryIt(noor, { lastDay }), 'day-impossible', lastDay);
    assert.equal(await tryIt(maria, {}), 'has-mfa');
    assert.deepEqual(
      (await world.rows('accounts')).filter((row) => row['exempt_until'] !== null),
      [],
    );
    assert.equal(await tryIt(noor, { lastDay: '2027-11-24' }), 'granted');
    assert.equal(await tryIt(noor, {}), 'exempt-already');
    world.clock.advance(366 * DAY_MS);
    assert.equal(await tryIt(noor, { lastDay: '2027-12-08' }), 'granted', 'the one before is over');
  });

  test('asks nobody less who has set MFA up since: they are challenged (P3)', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    await enrol(world.installation, noor);
    await world.change(exemptedByHand(world, noor));
    assert.equal((await signsIn(world.installation, noor)).kind, 'challenge');
    assert.equal(await exemptNow(world.db, organization.id, world.clock.now), 0, 'nor is she counted as exempt');
  });

  test('that is ended early ends the sessions that a password alone has opened, while the policy asks for more', async () => {
    await using world = await openWorld(engine);
    const { organization, noor } = await world.acme();
    const account = await world.account(noor);
    const stays = async (): Promise<boolean> => {
      await exempt(world.installation, OPERATOR, organization, account, EIGHTH);
      const outcome = await signsIn(world.installation, noor);
      assert.ok(outcome.kind === 'signed-in');
      assert.equal(await endExemption(world.installation, OPERATOR, account), true);
      return (await findSession(world.db, 'portal', outcome.cookie, world.clock.now)) !== undefined;
    };
    assert.equal(await stays(), true, 'the policy asks for nothing more');
    await setPolicy(world.installation, organization, 'required');
    assert.equal(await stays(), false);
    assert.equal(await endExemption(world.installation, OPERATOR, account), false, 'there is none any more');
    assert.equal((await world.audit(noor)).filter(({ action }) => action === 'exemption.ended').length, 2);
  });
});

function exemptedByHand({ clock }: World, { id }: Person): ReturnType<typeof sql> {
  return sql`UPDATE accounts SET exempt_until = ${clock.now + DAY_MS} WHERE id = ${id}`;
}
