import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy } from '../../src/accounts/organizations.ts';
import { afterPassword, type Next } from '../../src/auth/policy.ts';
import { enrol, setPolicy, signsIn } from '../acme.ts';
import { eachEngine, openWorld } from '../world.ts';

/** Table P3, line by line: policy, who, whether an authenticator is active, what comes after the right password. */
const TABLE: [policy: Policy, who: 'contact' | 'staff', hasMfa: boolean, next: Next][] = [
  ['required', 'contact', true, 'challenge'],
  ['required', 'contact', false, 'enrolment'],
  ['off', 'contact', true, 'challenge'],
  ['off', 'contact', false, 'session'],
  ['optional', 'contact', true, 'challenge'],
  ['optional', 'contact', false, 'session'],
  ['required', 'staff', true, 'challenge'],
  ['required', 'staff', false, 'enrolment'],
  ['off', 'staff', true, 'challenge'],
  ['off', 'staff', false, 'enrolment'],
  ['optional', 'staff', true, 'challenge'],
  ['optional', 'staff', false, 'enrolment'],
];

for (const [policy, who, hasMfa, next] of TABLE) {
  test(`${policy}, ${who} ${hasMfa ? 'with' : 'without'} MFA: ${next}`, () => {
    assert.equal(afterPassword(who, policy, hasMfa), next);
  });
}

eachEngine('after the right password', (engine) => {
  test('comes what the table says, for contacts and for staff', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    await setPolicy(world.installation, people.organization, 'required');
    await enrol(world.installation, people.maria);
    await enrol(world.installation, people.ada);
    const persons = {
      contact: { true: people.maria, false: people.noor },
      staff: { true: people.ada, false: people.sam },
    };
    for (const [policy, who, hasMfa, next] of TABLE) {
      await setPolicy(world.installation, people.organization, policy);
      const outcome = await signsIn(world.installation, persons[who][`${hasMfa}`]);
      assert.equal(outcome.kind, next === 'session' ? 'signed-in' : next, `${policy}, ${who}, ${hasMfa}`);
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
