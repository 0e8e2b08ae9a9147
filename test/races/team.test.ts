import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OPERATOR, type Action } from '../../src/accounts/audit.ts';
import { teamOf, type StaffMember } from '../../src/accounts/staff.ts';
import { changeRole, removeStaff } from '../../src/auth/team.ts';
import { addStaff, enrol, type Person } from '../acme.ts';
import { openRace, rounds, staffCookie, times, type Race } from './racers.ts';
import type { Asked } from './servers.ts';

describe('owners who act on one another at once, on two servers', () => {
  let race: Race;
  before(async () => {
    race = await openRace();
  });
  after(() => race.servers.close());

  test('who all remove one another at once, one of them is left', async () => {
    await actOnOneAnother(race, 'staff.removed', ({ id }) => ({ path: `/admin/team/${id}/remove`, fields: {} }));
  });

  test('who all demote one another at once, one of them is left', async () => {
    const fields = { role: 'auditor' };
    await actOnOneAnother(race, 'staff.role-changed', ({ id }) => ({ path: `/admin/team/${id}/role`, fields }));
  });

  test('whom the operator removes all eight at once, one of them is left', async () => {
    const { installation } = race.world;
    await allAtOnce(race, (account) => removeStaff(installation, OPERATOR, 'operator', account));
  });

  test('whom the operator demotes all eight at once, one of them is left', async () => {
    const { installation } = race.world;
    await allAtOnce(race, (account) => changeRole(installation, OPERATOR, 'operator', account, 'admin'));
  });
});

/** Four owners, each of whom presses the button for the three others. */
async function actOnOneAnother(race: Race, action: Action, act: (whom: Person) => Asked): Promise<void> {
  const { world } = race;
  await rounds(2, async () => {
    const owners = await onlyOwners(race, 4);
    const cookies = new Map<Person, string>();
    for (const owner of owners)
      cookies.set(owner, await staffCookie(race, owner, await enrol(world.installation, owner)));
    const asked = owners.flatMap((owner) =>
      owners.filter((one) => one !== owner).map((one) => ({ ...act(one), cookie: cookies.get(owner) ?? '' })),
    );
    await race.servers.atOnce(asked);
    const acts = (await Promise.all(owners.map((owner) => world.audit(owner))))
      .flat()
      .filter((row) => row.action === action);
    const left = await ownersNow(race);
    assert.ok(left.length >= 1, 'an owner is left');
    assert.equal(left.length, owners.length - acts.length, 'each was acted on once at most');
    const mutual = acts.filter(({ actorId, targetId }) =>
      acts.some((other) => other.actorId === targetId && other.targetId === actorId),
    );
    assert.deepEqual(mutual, [], 'nobody acts once they are no owner any more');
  });
}

async function allAtOnce(race: Race, act: (account: StaffMember) => Promise<{ kind: string }>): Promise<void> {
  await rounds(2, async () => {
    await onlyOwners(race, 8);
    const outcomes = await Promise.all((await ownersNow(race)).map((account) => act(account)));
    assert.equal(outcomes.length, 8);
    assert.equal(outcomes.filter(({ kind }) => kind === 'last-owner').length, 1);
    assert.equal((await ownersNow(race)).length, 1);
  });
}

let made = 0;

/** So many new owners, beside whom nobody else owns the place. */
async function onlyOwners(race: Race, count: number): Promise<Person[]> {
  const { installation } = race.world;
  const others = await ownersNow(race);
  const owners = await Promise.all(
    times(count, () => addStaff(installation, race.acme.organization, `Owner${made++} Owens`, 'owner')),
  );
  for (const other of others)
    assert.deepEqual(await changeRole(installation, OPERATOR, 'operator', other, 'auditor'), { kind: 'changed' });
  return owners;
}

async function ownersNow({ world, acme }: Race): Promise<StaffMember[]> {
  return (await teamOf(world.db, acme.organization.id)).filter(({ role }) => role === 'owner');
}
