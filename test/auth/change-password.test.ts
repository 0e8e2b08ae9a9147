import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changePassword } from '../../src/auth/change-password.ts';
import { endOneSession } from '../../src/auth/end-sessions.ts';
import { findSession, type Session } from '../../src/auth/sessions.ts';
import { home, signsIn } from '../acme.ts';
import { queued } from '../queued.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { insideByCode, insideByPassword, sessionOf } from './inside.ts';

const NEW = 'violet harbour engine 47';

const changes = (world: World, session: Session, password = NEW) =>
  changePassword(world.installation, session, password, ['Acme Billing'], home(session.account));

eachEngine('a password that is changed from inside', (engine) => {
  test('ends every session but goes on in this browser, with a new token and nothing gained (I11, I23)', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret } = await world.acmeWithMfa();
    const other = await insideByCode(world, maria, secret);
    const own = await insideByCode(world, maria, secret);
    world.clock.advance(MINUTE_MS);
    const changed = await changes(world, own);
    assert.ok(changed.kind === 'changed');
    const open = (await world.rows('sessions')).filter((row) => row['ended_at'] === null);
    assert.equal(open.length, 1);
    const { id, account, lastUsedAt, ...after } = await sessionOf(world, changed.cookie);
    assert.notEqual(id, own.id);
    assert.notEqual(id, other.id);
    assert.equal(lastUsedAt, world.clock.now);
    assert.equal(account.epoch, own.account.epoch + 1);
    const { provenBy, provedAt, signedInAt, expiresAt, surface } = own;
    assert.deepEqual(after, { provenBy, provedAt, signedInAt, expiresAt, surface });
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    assert.equal((await signsIn(world.installation, { ...maria, password: NEW })).kind, 'challenge');
    const told = (await queued(world, maria)).filter(({ kind }) => kind === 'password-changed').at(-1);
    assert.equal(typeof told?.facts['notMeToken'], 'string');
    assert.equal((await world.audit(maria)).filter(({ action }) => action === 'password.set').length, 2);
  });

  test('of a contact without MFA leaves them inside as who they were', async () => {
    await using world = await openWorld(engine);
    const { noor } = await world.acme();
    const own = await insideByPassword(world, noor);
    const changed = await changes(world, own);
    assert.ok(changed.kind === 'changed');
    const { provenBy, provedAt } = await sessionOf(world, changed.cookie);
    assert.deepEqual({ provenBy, provedAt }, { provenBy: 'password', provedAt: own.provedAt });
  });

  test('needs a proof of the last ten minutes, whoever calls (I14)', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const own = await insideByCode(world, maria, secret);
    world.clock.advance(10 * MINUTE_MS + 1);
    await assert.rejects(changes(world, own), /no fresh proof/);
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
  });

  test('is refused with a reason where it is weak, and changes nothing in a session that has ended', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const own = await insideByCode(world, maria, secret);
    assert.deepEqual(await changes(world, own, 'Maria Silva Globex'), { kind: 'refused', problem: 'context' });
    const actor = { kind: 'account', id: maria.id, address: '203.0.113.1' } as const;
    await endOneSession(world.installation, actor, own.account, own.id);
    assert.deepEqual(await changes(world, own), { kind: 'over' });
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge');
    assert.equal(await findSession(world.db, 'portal', 'none', world.clock.now), undefined);
  });
});
