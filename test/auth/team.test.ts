import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../../src/accounts/accounts.ts';
import { OPERATOR, type Actor } from '../../src/accounts/audit.ts';
import { findStaff, mayGive, mayManage, resets, ROLES, teamOf } from '../../src/accounts/staff.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { setPassword } from '../../src/auth/passwords.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import {
  changeRole,
  inviteAgain,
  inviteStaff,
  removeStaff,
  signOutStaff,
  type Invited,
  type Removed,
  type RoleChanged,
} from '../../src/auth/team.ts';
import { choosePassword, findWelcome } from '../../src/auth/welcome.ts';
import { acme, addStaff, answers, challenged, enrol, home, signsIn, type Acme, type Person } from '../acme.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

const PASSWORD = 'violet harbour engine 47';

/** What somebody does to the team, as their session would know them now. */
function by(world: World, person: Person) {
  const { installation } = world;
  const actor: Actor = { kind: 'account', id: person.id, address: home(person).address };
  return {
    invites: async (name: string, role: Role, email = `${name.toLowerCase()}@acme.test`): Promise<Invited> =>
      inviteStaff(installation, actor, await world.account(person), { name, email, role }),
    changes: async (target: Person, role: Role): Promise<RoleChanged> =>
      changeRole(installation, actor, await world.account(person), await world.account(target), role),
    removes: async (target: Person): Promise<Removed> =>
      removeStaff(installation, actor, await world.account(person), await world.account(target)),
    signsOut: async (target: Person) =>
      signOutStaff(installation, actor, await world.account(person), await world.account(target)),
    invitesAgain: async (target: Person) =>
      inviteAgain(installation, actor, await world.account(person), await world.account(target)),
  };
}

async function linkFor(invited: Promise<Invited>): Promise<string> {
  const outcome = await invited;
  assert.ok(outcome.kind === 'invited', outcome.kind);
  return outcome.link;
}

/** Whom a link of the console is for, as the person they become. */
async function invitedBy(world: World, link: string): Promise<Person> {
  const account = await findWelcome(world.installation, null, link);
  assert.ok(account, 'the link does not work');
  const { organizationId, id, name, email } = account;
  return { organizationId, id, name, email, surface: 'admin', password: PASSWORD };
}

const chooses = (world: World, link: string) =>
  choosePassword(world.installation, null, link, PASSWORD, ['Acme Billing'], '203.0.113.1');

/** Signed in through both doors. */
async function comesIn(world: World, person: Person): Promise<string> {
  const { secret } = await enrol(world.installation, person);
  world.clock.advance(MINUTE_MS);
  const answered = await answers(
    world.installation,
    await challenged(world.installation, person),
    world.codeFor(secret),
  );
  assert.ok(answered.kind === 'right');
  return answered.bought.cookie;
}

const session = (world: World, cookie: string) => findSession(world.db, 'admin', cookie, world.clock.now);

async function withAbe(world: World): Promise<Acme & { abe: Person }> {
  const people = await world.acme();
  return { ...people, abe: await addStaff(world.installation, people.organization, 'Abe Adler', 'admin') };
}

const table = (allowed: (role: Role, whose: Role) => boolean) =>
  ROLES.map((role) => ROLES.filter((whose) => allowed(role, whose)));

test('who manages whom is a table: owners everybody, admins support and auditors, nobody themselves', () => {
  const organizationId = 'acme';
  const one = (id: string, role: Role) => ({ organizationId, id, role });
  const managed = table((role, whose) => mayManage(one('a', role), one('b', whose)));
  assert.deepEqual(managed, [['owner', 'admin', 'support', 'auditor'], ['support', 'auditor'], [], []]);
  const given = table(mayGive);
  assert.deepEqual(given, [['owner', 'admin', 'support', 'auditor'], ['admin', 'support', 'auditor'], [], []]);
  const reset = table(resets);
  assert.deepEqual(reset, [['admin', 'support', 'auditor'], ['support', 'auditor'], [], []]);
  assert.equal(mayManage(one('a', 'owner'), one('a', 'owner')), false, 'themselves');
  assert.equal(mayManage(one('a', 'owner'), { ...one('b', 'support'), organizationId: 'rival' }), false, 'elsewhere');
});

eachEngine('somebody who is invited to the staff', (engine) => {
  test('chooses a password by the link, once, and comes in by an enrolment that cannot be put off', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    const link = await linkFor(by(world, ada).invites('Bea', 'support'));
    const bea = await invitedBy(world, link);
    assert.equal((await signsIn(world.installation, bea)).kind, 'wrong', 'there is no password yet');
    assert.deepEqual(await chooses(world, link), { kind: 'set' });
    assert.deepEqual(await world.rows('sessions'), []);
    assert.deepEqual(await chooses(world, link), { kind: 'link-over' });
    assert.equal((await signsIn(world.installation, bea)).kind, 'enrolment', 'whatever the policy for customers says');
    const { role } = (await session(world, await comesIn(world, bea)))?.account ?? {};
    assert.equal(role, 'support');
    assert.ok(!JSON.stringify(await world.rows('welcome_links')).includes(link.split('.')[1] ?? ''));
  });

  test('leaves one row in the log for the act, with the role', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    const bea = await invitedBy(world, await linkFor(by(world, ada).invites('Bea', 'auditor')));
    const rows = await world.audit(bea);
    assert.deepEqual(
      rows.map(({ action, actorId, details }) => [action, actorId, details]),
      [['staff.created', ada.id, '{"role":"auditor"}']],
    );
  });

  test('has a link for 24 hours, and one only: a new one replaces it, a password ends it', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    const old = await linkFor(by(world, ada).invites('Bea', 'support'));
    const bea = await invitedBy(world, old);
    const again = await by(world, ada).invitesAgain(bea);
    assert.ok(again.kind === 'invited');
    assert.deepEqual(await chooses(world, old), { kind: 'link-over' });
    world.clock.advance(DAY_MS);
    assert.deepEqual(await chooses(world, again.link), { kind: 'link-over' });
    const last = await by(world, ada).invitesAgain(bea);
    assert.ok(last.kind === 'invited');
    assert.deepEqual(await chooses(world, last.link), { kind: 'set' });
    assert.deepEqual(await by(world, ada).invitesAgain(bea), { kind: 'has-password' });
  });

  test('cannot use the link at a portal, nor a contact theirs at the console', async () => {
    await using world = await openWorld(engine);
    const { ada, organization } = await world.acme();
    const link = await linkFor(by(world, ada).invites('Bea', 'support'));
    assert.equal(await findWelcome(world.installation, organization.id, link.split('.')[1] ?? ''), undefined);
    const rival = await acme(world.installation, 'rival');
    const elsewhere = `${rival.organization.id}.${link.split('.')[1]}`;
    assert.equal(await findWelcome(world.installation, null, elsewhere), undefined);
  });

  test('is somebody new: an address of any staff of the installation is taken', async () => {
    await using world = await openWorld(engine);
    const { ada, sam } = await world.acme();
    const rival = await acme(world.installation, 'rival');
    const before = await world.rows('accounts');
    for (const email of [sam.email, rival.sam.email.toUpperCase()])
      assert.deepEqual(await by(world, ada).invites('Sam', 'support', email), { kind: 'email-taken' });
    assert.deepEqual(await by(world, ada).invites('Sam', 'support', 'sam'), { kind: 'email-shape' });
    assert.deepEqual(await world.rows('accounts'), before);
  });

  test('is made owner by owners only, and invited by nobody below admin', async () => {
    await using world = await openWorld(engine);
    const { abe, sam, otto } = await withAbe(world);
    const before = await world.rows('accounts');
    assert.deepEqual(await by(world, abe).invites('Bea', 'owner'), { kind: 'not-allowed' });
    for (const one of [sam, otto])
      assert.deepEqual(await by(world, one).invites('Bea', 'auditor'), { kind: 'not-allowed' });
    assert.deepEqual(await world.rows('accounts'), before);
    for (const role of ['admin', 'support', 'auditor'] as const)
      assert.equal((await by(world, abe).invites(`Bea${role}`, role)).kind, 'invited');
  });
});

eachEngine('a change of role', (engine) => {
  test('ends the sessions that were opened in the old one, raises the epoch, and is one row in the log', async () => {
    await using world = await openWorld(engine);
    const { ada, sam } = await world.acme();
    const cookie = await comesIn(world, sam);
    const { epoch } = await world.account(sam);
    assert.deepEqual(await by(world, ada).changes(sam, 'admin'), { kind: 'changed' });
    assert.equal(await session(world, cookie), undefined);
    const { role, epoch: raised } = await world.account(sam);
    assert.deepEqual([role, raised], ['admin', epoch + 1]);
    const last = (await world.audit(sam)).at(-1);
    assert.deepEqual(
      [last?.action, last?.result, last?.details, last?.actorId],
      ['staff.role-changed', 'admin', '{"from":"support","to":"admin"}', ada.id],
    );
    assert.deepEqual(await by(world, ada).changes(sam, 'admin'), { kind: 'same' });
    assert.equal((await world.account(sam)).epoch, epoch + 1, 'to the same role is none');
  });

  test('voids a link that was made for a smaller one', async () => {
    await using world = await openWorld(engine);
    const { ada, abe } = await withAbe(world);
    const link = await linkFor(by(world, abe).invites('Bea', 'support'));
    assert.deepEqual(await by(world, ada).changes(await invitedBy(world, link), 'owner'), { kind: 'changed' });
    assert.deepEqual(await chooses(world, link), { kind: 'link-over' });
  });

  test('an admin changes neither owners, nor other admins, nor anybody to an owner', async () => {
    await using world = await openWorld(engine);
    const { ada, abe, sam, organization } = await withAbe(world);
    const ben = await addStaff(world.installation, organization, 'Ben Berg', 'admin');
    const before = await world.rows('accounts');
    for (const [target, role] of [
      [ada, 'auditor'],
      [ben, 'auditor'],
      [abe, 'owner'],
      [sam, 'owner'],
    ] as const)
      assert.deepEqual(await by(world, abe).changes(target, role), { kind: 'not-allowed' });
    assert.deepEqual(await world.rows('accounts'), before);
    assert.deepEqual(await by(world, abe).changes(sam, 'admin'), { kind: 'changed' });
  });

  test('an owner changes another owner and never themselves; the operator changes all but the last', async () => {
    await using world = await openWorld(engine);
    const { ada, organization } = await world.acme();
    const olga = await addStaff(world.installation, organization, 'Olga Owens', 'owner');
    assert.deepEqual(await by(world, ada).changes(ada, 'admin'), { kind: 'not-allowed' });
    assert.deepEqual(await by(world, ada).changes(olga, 'admin'), { kind: 'changed' });
    const operator = async (target: Person, role: Role) =>
      changeRole(world.installation, OPERATOR, 'operator', await world.account(target), role);
    assert.deepEqual(await operator(ada, 'auditor'), { kind: 'last-owner' });
    assert.equal((await world.account(ada)).role, 'owner');
    assert.deepEqual(await operator(olga, 'owner'), { kind: 'changed' });
    assert.deepEqual(await operator(ada, 'auditor'), { kind: 'changed' });
  });

  test('does not count an owner who has not chosen a password yet as one who is left', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    const link = await linkFor(by(world, ada).invites('Olga', 'owner'));
    const remove = async (target: Person) =>
      removeStaff(world.installation, OPERATOR, 'operator', await world.account(target));
    assert.deepEqual(await remove(ada), { kind: 'last-owner' });
    await chooses(world, link);
    assert.deepEqual(await remove(ada), { kind: 'removed' });
  });

  test('is refused to somebody who is no longer what their session says', async () => {
    await using world = await openWorld(engine);
    const { ada, abe, sam } = await withAbe(world);
    const then = await world.account(abe);
    await by(world, ada).changes(abe, 'support');
    const actor: Actor = { kind: 'account', id: abe.id, address: '203.0.113.1' };
    const target = await world.account(sam);
    const { installation } = world;
    assert.deepEqual(await changeRole(installation, actor, then, target, 'auditor'), { kind: 'not-allowed' });
    assert.deepEqual(await removeStaff(installation, actor, then, target), { kind: 'not-allowed' });
    const draft = { name: 'Eve', email: 'eve@acme.test', role: 'admin' } as const;
    assert.deepEqual(await inviteStaff(installation, actor, then, draft), { kind: 'not-allowed' });
  });
});

eachEngine('somebody who is signed out everywhere', (engine) => {
  test('loses every session and half-finished sign-in, and keeps password and MFA', async () => {
    await using world = await openWorld(engine);
    const { ada, sam } = await world.acme();
    const cookie = await comesIn(world, sam);
    const { epoch } = await world.account(sam);
    assert.deepEqual(await by(world, ada).signsOut(sam), { kind: 'signed-out' });
    assert.equal(await session(world, cookie), undefined);
    assert.equal((await world.account(sam)).epoch, epoch + 1, 'whatever else carries the old one is void too');
    assert.equal((await signsIn(world.installation, sam)).kind, 'challenge');
    assert.deepEqual(await by(world, sam).signsOut(ada), { kind: 'not-allowed' });
    assert.equal((await world.audit(sam)).filter(({ action }) => action === 'staff.signed-out').length, 1);
  });
});

eachEngine('somebody who is removed from the staff', (engine) => {
  test('is out at once, with nothing left to sign in with, and is on no list any more', async () => {
    await using world = await openWorld(engine);
    const { ada, sam, organization } = await world.acme();
    const cookie = await comesIn(world, sam);
    const { epoch } = await world.account(sam);
    assert.deepEqual(await by(world, ada).removes(sam), { kind: 'removed' });
    assert.equal(await session(world, cookie), undefined);
    assert.equal((await world.account(sam)).epoch, epoch + 1);
    assert.equal((await signsIn(world.installation, sam)).kind, 'wrong');
    assert.equal(await findStaff(world.db, organization.id, sam.id), undefined);
    assert.ok((await teamOf(world.db, organization.id)).every(({ id }) => id !== sam.id));
    const kept = (await world.rows('authenticators')).map(({ secret }) => secret);
    assert.deepEqual(kept, [null], 'the secret is gone');
    assert.deepEqual(await by(world, ada).removes(sam), { kind: 'gone' });
    assert.equal((await world.audit(sam)).filter(({ action }) => action === 'staff.removed').length, 1);
  });

  test('is not brought back by a password: only an invitation does that', async () => {
    await using world = await openWorld(engine);
    const { ada, sam } = await world.acme();
    await by(world, ada).removes(sam);
    await setPassword(world.installation, OPERATOR, await world.account(sam), PASSWORD, []);
    assert.equal((await signsIn(world.installation, { ...sam, password: PASSWORD })).kind, 'wrong');
  });

  test('comes back as the same account where the address is invited again, without the old password and MFA', async () => {
    await using world = await openWorld(engine);
    const { ada, sam } = await world.acme();
    await enrol(world.installation, sam);
    await by(world, ada).removes(sam);
    const link = await linkFor(by(world, ada).invites('Samuel', 'auditor', sam.email));
    const back = await invitedBy(world, link);
    assert.deepEqual([back.id, back.name, (await world.account(sam)).role], [sam.id, 'Samuel', 'auditor']);
    assert.equal((await signsIn(world.installation, sam)).kind, 'wrong', 'the old password is none');
    await chooses(world, link);
    assert.equal((await signsIn(world.installation, back)).kind, 'enrolment');
    const actions = (await world.audit(sam)).map(({ action }) => action);
    assert.deepEqual(
      actions.filter((action) => action.startsWith('staff.')),
      ['staff.created', 'staff.removed', 'staff.created'],
    );
  });

  test('can be invited by another merchant, whose account is another one; then the first one is told: taken', async () => {
    await using world = await openWorld(engine);
    const { ada, sam } = await world.acme();
    const rival = await acme(world.installation, 'rival');
    await by(world, ada).removes(sam);
    const there = await invitedBy(world, await linkFor(by(world, rival.ada).invites('Sam', 'support', sam.email)));
    assert.notEqual(there.id, sam.id);
    assert.deepEqual(await by(world, ada).invites('Sam', 'support', sam.email), { kind: 'email-taken' });
    assert.notEqual((await world.account(sam)).disabledAt, null, 'and nothing was brought back half-way');
  });

  test('an admin removes neither owners nor admins, and nobody removes themselves', async () => {
    await using world = await openWorld(engine);
    const { ada, abe, otto } = await withAbe(world);
    for (const [who, whom] of [
      [abe, ada],
      [abe, abe],
      [ada, ada],
      [otto, abe],
    ] as const)
      assert.deepEqual(await by(world, who).removes(whom), { kind: 'not-allowed' });
    assert.deepEqual(await by(world, abe).removes(otto), { kind: 'removed' });
    assert.deepEqual(await by(world, ada).removes(abe), { kind: 'removed' });
  });
});

eachEngine('staff who lost their phone', (engine) => {
  test('whose role was raised since the page was opened is not reset by an equal of today (R2)', async () => {
    await using world = await openWorld(engine);
    const { installation } = world;
    const { ada, sam, abe } = await withAbe(world);
    await enrol(installation, sam);
    const actor: Actor = { kind: 'account', id: abe.id, address: home(abe).address };
    const [agent, asSupport] = [await world.account(abe), await world.account(sam)];
    const met = { check: 'met-in-person', note: '' } as const;
    assert.deepEqual(await by(world, ada).changes(sam, 'admin'), { kind: 'changed' });
    assert.deepEqual(await resetMfa(installation, actor, agent, asSupport, met), { kind: 'not-allowed' });
    assert.deepEqual(await by(world, ada).changes(sam, 'support'), { kind: 'changed' });
    assert.deepEqual(await by(world, ada).changes(abe, 'auditor'), { kind: 'changed' });
    assert.deepEqual(await resetMfa(installation, actor, agent, asSupport, met), { kind: 'not-allowed' });
  });
});
