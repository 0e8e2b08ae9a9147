import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Account } from '../../src/accounts/accounts.ts';
import { OPERATOR, type Actor } from '../../src/accounts/audit.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { offer } from '../../src/auth/enrolment.ts';
import { mayReset, resetMfa, type ResetOutcome, type ResetReason, toldOfReset } from '../../src/auth/recovery.ts';
import { findSession } from '../../src/auth/sessions.ts';
import {
  addContact,
  answers,
  challenged,
  enrol,
  found,
  guesses,
  home,
  setPolicy,
  signsIn,
  type Person,
} from '../acme.ts';
import { DAY_MS, eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

const MET: ResetReason = { check: 'met-in-person', note: '' };

async function resets(world: World, agent: Person, target: Person, reason: ResetReason = MET): Promise<ResetOutcome> {
  const account = await world.account(agent);
  const actor: Actor = { kind: 'account', id: account.id, address: home(agent).address };
  return resetMfa(world.installation, actor, account, await world.account(target), reason);
}

async function operatorResets(world: World, target: Person): Promise<ResetOutcome> {
  return resetMfa(world.installation, OPERATOR, 'operator', await world.account(target), MET);
}

const organizationId = 'acme';
const target = (kind: Account['kind'], id = 'target'): Account => ({ organizationId, kind, id }) as Account;

describe('whom somebody may reset', () => {
  test('a contact: owner, admin and support may, an auditor and a contact may not', () => {
    const roles = ['owner', 'admin', 'support', 'auditor', null] as const;
    const may = roles.filter((role) => mayReset({ organizationId, id: 'agent', role }, target('contact')));
    assert.deepEqual(may, ['owner', 'admin', 'support']);
  });

  test("staff: a higher role may, never an equal, whose reset is the operator's part (R2)", () => {
    const roles = ['owner', 'admin', 'support', 'auditor'] as const;
    const whom = (role: Account['role']): Account['role'][] =>
      roles.filter((whose) => mayReset({ organizationId, id: 'agent', role }, { ...target('staff'), role: whose }));
    assert.deepEqual(whom('owner'), ['admin', 'support', 'auditor']);
    assert.deepEqual(whom('admin'), ['support', 'auditor']);
    for (const role of ['support', 'auditor', null] as const) assert.deepEqual(whom(role), [], `${role}`);
  });

  test("another merchant's contact: nobody may (I15)", () => {
    const owner = { organizationId: 'rival', id: 'agent', role: 'owner' } as const;
    assert.equal(mayReset(owner, target('contact')), false);
  });

  test('oneself: nobody may', () => {
    assert.equal(mayReset({ organizationId, id: 'self', role: 'owner' }, target('contact', 'self')), false);
    assert.equal(mayReset({ organizationId, id: 'self', role: 'owner' }, target('staff', 'self')), false);
  });
});

eachEngine('Reset Portal MFA', (engine) => {
  test('in one act ends authenticator, backup codes, half-finished sign-ins and every session (R2)', async () => {
    await using world = await openWorld(engine);
    const { sam, maria, secret, codes } = await world.acmeWithMfa();
    const session = await answers(
      world.installation,
      await challenged(world.installation, maria),
      world.codeFor(secret),
    );
    assert.ok(session.kind === 'right');
    const half = await signsIn(world.installation, maria);
    assert.ok(half.kind === 'challenge');
    const challenge = await challenged(world.installation, maria);
    await offer(world.installation, challenge, home(maria));

    const { epoch } = await world.account(maria);
    assert.deepEqual(await resets(world, sam, maria), { kind: 'reset' });
    assert.equal(await findSession(world.db, 'portal', session.bought.cookie, world.clock.now), undefined);
    assert.equal((await found(world.installation, maria, half.cookie)).kind, 'dead');
    for (const typed of [world.codeFor(secret, 1), codes[0] ?? '']) {
      assert.equal((await answers(world.installation, challenge, typed)).kind, 'over');
    }
    assert.equal((await world.account(maria)).epoch, epoch + 1, 'whatever else carries the old epoch is void');
    const alive = async (table: string, column: string): Promise<number> =>
      (await world.rows(table)).filter((row) => row[column] === null).length;
    assert.equal(await alive('authenticators', 'revoked_at'), 0, 'the pending one is gone too');
    assert.equal(await alive('backup_code_sets', 'revoked_at'), 0);
    assert.equal(await alive('challenges', 'consumed_at'), 0);
    assert.equal(await alive('sessions', 'ended_at'), 0);
    assert.ok((await world.rows('authenticators')).every((row) => row['secret'] === null));
  });

  test('leaves every other account as it was', async () => {
    await using world = await openWorld(engine);
    const { sam, maria, noor } = await world.acmeWithMfa();
    const { secret } = await enrol(world.installation, noor);
    world.clock.advance(30_000);
    const challenge = await challenged(world.installation, noor);
    await resets(world, sam, maria);
    assert.equal((await answers(world.installation, challenge, world.codeFor(secret))).kind, 'right');
  });

  test('leads to a new enrolment where MFA is required, and to the password alone where it is off (R3)', async () => {
    await using world = await openWorld(engine);
    const { organization, sam, maria, secret, codes } = await world.acmeWithMfa();
    await resets(world, sam, maria);
    assert.equal((await signsIn(world.installation, maria)).kind, 'enrolment');
    const again = await enrol(world.installation, maria);
    assert.notDeepEqual(again.secret, secret);
    world.clock.advance(30_000);
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), world.codeFor(secret))).kind,
      'wrong',
    );
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, maria), codes[0] ?? '')).kind,
      'wrong',
    );
    await setPolicy(world.installation, organization, 'off');
    await resets(world, sam, maria);
    assert.equal((await signsIn(world.installation, maria)).kind, 'signed-in');
  });

  test('ends the waits for wrong codes, and lifts no stolen-password state', async () => {
    await using world = await openWorld(engine);
    const { organization, sam, maria, noor, secret } = await world.acmeWithMfa();
    const noors = await enrol(world.installation, noor);
    await setPolicy(world.installation, organization, 'off');
    await guesses(world, noor, noors.secret, 7);
    await resets(world, sam, noor);
    const row = (await world.rows('accounts')).find(({ id }) => id === noor.id);
    assert.deepEqual([row?.['totp_wrong'], row?.['totp_wait_until'], row?.['window_wrong']], [0, 0, 7]);

    await guesses(world, maria, secret, 20);
    await resets(world, sam, maria);
    assert.equal((await signsIn(world.installation, maria)).kind, 'suspected');
  });

  test('keeps the thirty-day window: whoever resets a thief gives them no new budget', async () => {
    await using world = await openWorld(engine);
    const { sam, maria, secret } = await world.acmeWithMfa();
    let current = secret;
    for (let n = 0; n < 49; n += 7) {
      await guesses(world, maria, current, 7);
      await resets(world, sam, maria);
      current = (await enrol(world.installation, maria)).secret;
    }
    assert.equal((await world.account(maria)).suspectedAt, null);
    world.clock.advance(30_000);
    await guesses(world, maria, current, 1);
    assert.notEqual((await world.account(maria)).suspectedAt, null);
  });

  test('is told after every right password for a week, because who signs in first may be a thief', async () => {
    await using world = await openWorld(engine);
    const { organization, sam, maria } = await world.acmeWithMfa();
    await setPolicy(world.installation, organization, 'off');
    const at = world.clock.now;
    await resets(world, sam, maria);
    const told: unknown[] = [];
    for (const days of [0, 6, 1]) {
      world.clock.advance(days * DAY_MS);
      const outcome = await signsIn(world.installation, maria);
      assert.ok(outcome.kind === 'signed-in');
      const session = await findSession(world.db, 'portal', outcome.cookie, world.clock.now);
      assert.ok(session);
      told.push(toldOfReset(session.account, world.clock.now));
    }
    assert.deepEqual(told, [at, at, null]);
  });

  test('of somebody without MFA changes nothing, and says so', async () => {
    await using world = await openWorld(engine);
    const { sam, noor } = await world.acme();
    const before = await world.account(noor);
    const signedIn = await signsIn(world.installation, noor);
    assert.ok(signedIn.kind === 'signed-in');
    assert.deepEqual(await resets(world, sam, noor), { kind: 'no-mfa' });
    assert.ok(await findSession(world.db, 'portal', signedIn.cookie, world.clock.now));
    assert.equal((await world.account(noor)).epoch, before.epoch);
    assert.ok(!(await world.audit(noor)).some(({ action }) => action === 'mfa.reset'));
  });

  test('by an auditor, of an equal or of oneself changes nothing', async () => {
    await using world = await openWorld(engine);
    const { ada, sam, otto, maria } = await world.acmeWithMfa();
    const adas = await enrol(world.installation, ada);
    const notAllowed = { kind: 'not-allowed' };
    assert.deepEqual(await resets(world, otto, maria), notAllowed);
    assert.deepEqual(await resets(world, maria, maria), notAllowed);
    assert.deepEqual(await resets(world, sam, ada), notAllowed);
    assert.deepEqual(await resets(world, ada, ada), notAllowed);
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
    world.clock.advance(30_000);
    const answered = await answers(
      world.installation,
      await challenged(world.installation, ada),
      world.codeFor(adas.secret),
    );
    assert.equal(answered.kind, 'right');
  });

  test('at the shell also serves the only owner who lost a phone (R5)', async () => {
    await using world = await openWorld(engine);
    const { ada } = await world.acme();
    await enrol(world.installation, ada);
    assert.deepEqual(await operatorResets(world, ada), { kind: 'reset' });
    assert.equal((await signsIn(world.installation, ada)).kind, 'enrolment');
    const row = (await world.audit(ada)).find(({ action }) => action === 'mfa.reset');
    assert.deepEqual([row?.actorKind, row?.actorId], ['operator', null]);
  });

  test('asks for a note of ten characters when the check was something else', async () => {
    await using world = await openWorld(engine);
    const { sam, maria } = await world.acmeWithMfa();
    for (const note of ['', '123456789', '  12345678  ']) {
      assert.deepEqual(await resets(world, sam, maria, { check: 'other', note }), { kind: 'note-missing' });
    }
    assert.deepEqual(await resets(world, sam, maria, { check: 'other', note: ' 1234567890 ' }), { kind: 'reset' });
    const [row] = (await world.audit(maria)).filter(({ action }) => action === 'mfa.reset');
    assert.equal(row?.reason, 'Other: 1234567890');
    assert.equal(row.actorId, sam.id);
  });

  test('is done at most twenty times an hour by one agent, and more in the next hour', async () => {
    await using world = await openWorld(engine);
    const { organization, ada, sam, maria } = await world.acmeWithMfa();
    const hooli = await createCustomer(world.installation, OPERATOR, organization.id, 'Hooli');
    const began = world.clock.now;
    for (let n = 0; n < 20; n++) {
      const contact = await addContact(world.installation, hooli, `Contact${n}`);
      await enrol(world.installation, contact);
      assert.equal((await resets(world, sam, contact)).kind, 'reset');
      assert.equal((await resets(world, sam, contact)).kind, 'no-mfa', 'which counts for nothing');
    }
    assert.deepEqual(await resets(world, sam, maria), { kind: 'limited', until: began + HOUR_MS });
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge', 'she is as she was');
    assert.equal((await resets(world, ada, maria)).kind, 'reset', 'others may still');
    await enrol(world.installation, maria);
    world.clock.now = began + HOUR_MS;
    assert.equal((await resets(world, sam, maria)).kind, 'reset');
  });

  test('of a contact of another merchant finds nobody under the own one (I15)', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acmeWithMfa();
    const stranger = { ...(await world.account(maria)), organizationId: `not ${organization.id}` };
    assert.deepEqual(await resetMfa(world.installation, OPERATOR, 'operator', stranger, MET), { kind: 'no-mfa' });
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
  });
});
