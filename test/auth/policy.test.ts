import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Policy } from '../../src/accounts/organizations.ts';
import { afterPassword, type Next } from '../../src/auth/policy.ts';
import { sql } from '../../src/db/db.ts';
import { enrol, setPolicy, signsIn } from '../acme.ts';
import { DAY_MS, eachEngine, openWorld, START } from '../world.ts';

const [DAY_BEFORE, NOW, DAY_AFTER] = [START - DAY_MS, START, START + DAY_MS];
const CHALLENGE: Next = { kind: 'challenge' };
const ENROLMENT: Next = { kind: 'enrolment', laterUntil: null };
const LATER: Next = { kind: 'enrolment', laterUntil: DAY_AFTER };
const SESSION: Next = { kind: 'session', until: null };
const EXEMPT: Next = { kind: 'session', until: DAY_AFTER };

/** Table P3: what comes after the right password of a contact without MFA, who has an exemption and a grace until then. */
const WITHOUT_MFA: [policy: Policy, exemptUntil: number | null, graceUntil: number | null, next: Next][] = [
  ['off', null, null, SESSION],
  ['off', DAY_AFTER, DAY_AFTER, SESSION],
  ['optional', null, null, SESSION],
  ['optional', DAY_AFTER, DAY_AFTER, SESSION],
  ['required', null, null, ENROLMENT],
  ['required', null, DAY_BEFORE, ENROLMENT],
  ['required', null, NOW, ENROLMENT],
  ['required', null, DAY_AFTER, LATER],
  ['required', DAY_BEFORE, null, ENROLMENT],
  ['required', NOW, null, ENROLMENT],
  ['required', DAY_AFTER, null, EXEMPT],
  ['required', DAY_AFTER, DAY_BEFORE, EXEMPT],
  ['required', DAY_AFTER, DAY_AFTER, EXEMPT],
  ['required', DAY_BEFORE, DAY_AFTER, LATER],
];

describe('the table of what comes after a right password', () => {
  for (const [policy, exemptUntil, graceUntil, next] of WITHOUT_MFA) {
    const more = `exempt until ${moment(exemptUntil)}, grace until ${moment(graceUntil)}`;
    const asked = { policy, exemptUntil, graceUntil };
    test(`${policy}, a contact without MFA, ${more}: ${next.kind}`, () => {
      assert.deepEqual(afterPassword({ ...asked, kind: 'contact', hasMfa: false }, NOW), next);
    });
    test(`${policy}, a contact with MFA, ${more}: challenge`, () => {
      assert.deepEqual(afterPassword({ ...asked, kind: 'contact', hasMfa: true }, NOW), CHALLENGE);
    });
    test(`${policy}, staff, ${more}: challenge with MFA, and enrolment without, which nothing puts off`, () => {
      assert.deepEqual(afterPassword({ ...asked, kind: 'staff', hasMfa: true }, NOW), CHALLENGE);
      assert.deepEqual(afterPassword({ ...asked, kind: 'staff', hasMfa: false }, NOW), ENROLMENT);
    });
  }
});

function moment(until: number | null): string {
  if (until === null) return 'never';
  return until === NOW ? 'this moment' : until < NOW ? 'yesterday' : 'tomorrow';
}

const OUTCOMES = { challenge: 'challenge', enrolment: 'enrolment', session: 'signed-in' };

eachEngine('after the right password', (engine) => {
  test('comes what the table says, for contacts and for staff', async () => {
    await using world = await openWorld(engine);
    const { installation } = world;
    const { organization, ...people } = await world.acme();
    await setPolicy(installation, organization, 'required');
    await enrol(installation, people.maria);
    await enrol(installation, people.ada);
    for (const [policy, exemptUntil, graceUntil, next] of WITHOUT_MFA) {
      await setPolicy(installation, organization, policy, graceUntil === null ? null : 1);
      await world.change(sql`UPDATE accounts SET exempt_until = ${exemptUntil}, grace_until = ${graceUntil},
        grace_policy_at = (SELECT policy_changed_at FROM organizations o WHERE o.id = accounts.organization_id)`);
      assert.equal((await signsIn(installation, people.noor)).kind, OUTCOMES[next.kind], `${policy}, Noor`);
      assert.equal((await signsIn(installation, people.maria)).kind, 'challenge', `${policy}, Maria`);
      assert.equal((await signsIn(installation, people.sam)).kind, 'enrolment', `${policy}, Sam`);
      assert.equal((await signsIn(installation, people.ada)).kind, 'challenge', `${policy}, Ada`);
    }
  });

  test('no session of any kind exists before both doors are passed (I11, S1)', async () => {
    await using world = await openWorld(engine);
    const { maria, noor } = await world.acmeWithMfa();
    await signsIn(world.installation, maria);
    await signsIn(world.installation, noor);
    assert.deepEqual(await world.rows('sessions'), []);
  });

  test('turning the policy off frees nobody who has set MFA up, and on again asks for the same secret (P4)', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acmeWithMfa();
    const before = await world.rows('authenticators');
    await setPolicy(world.installation, organization, 'off');
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
    await setPolicy(world.installation, organization, 'required');
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
    assert.deepEqual(await world.rows('authenticators'), before);
  });
});
