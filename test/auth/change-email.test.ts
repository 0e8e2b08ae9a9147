import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { addressToConfirm } from '../../src/accounts/mailed-links.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { askToChangeEmail, confirmEmailChange, findEmailChange } from '../../src/auth/change-email.ts';
import { endOneSession } from '../../src/auth/end-sessions.ts';
import type { Session } from '../../src/auth/sessions.ts';
import { addContact, home, signsIn, type Acme, type Enrolled, type Person } from '../acme.ts';
import { confirming } from '../confirmation.ts';
import { queued } from '../queued.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { insideByCode, insideByPassword } from './inside.ts';

const NEW = 'm.silva@globex.test';

const asks = (world: World, session: Session, email = NEW) =>
  askToChangeEmail(world.installation, session, email, home(session.account));

const confirms = (world: World, person: Person, token: string) =>
  confirmEmailChange(world.installation, person.organizationId, token, home(person));

async function linkTo(world: World, person: Person, email = NEW): Promise<string> {
  const letter = (await queued(world, person)).findLast(({ kind, to }) => kind === 'confirm-email' && to === email);
  return String(letter?.facts['token'] ?? assert.fail(`nothing was mailed to ${email}`));
}

async function scene(world: World): Promise<Acme & Enrolled & { session: Session }> {
  const people = await world.acmeWithMfa();
  return { ...people, session: await insideByCode(world, people.maria, people.secret) };
}

eachEngine('a change of email', (engine) => {
  test('happens when the link is used that went to the new address, and both addresses are told', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, session } = await scene(world);
    assert.deepEqual(await asks(world, session), { kind: 'asked' });
    const token = await linkTo(world, maria);
    assert.equal((await findEmailChange(world.installation, maria.organizationId, token)).kind, 'open');
    assert.equal((await world.account(maria)).email, maria.email, 'asking and looking change nothing');
    assert.equal(await addressToConfirm(world.installation, await world.account(maria)), NEW);
    assert.deepEqual(await confirms(world, maria, token), { kind: 'changed', email: NEW });
    const now = await world.account(maria);
    assert.deepEqual([now.email, now.epoch], [NEW, session.account.epoch + 1]);
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    assert.equal((await signsIn(world.installation, { ...maria, email: NEW })).kind, 'challenge', 'with the code');
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
    assert.deepEqual(await confirms(world, maria, token), { kind: 'used' });
    const told = (await queued(world, maria)).filter(({ kind }) => kind === 'email-changed');
    assert.deepEqual(
      told.map(({ to, facts }) => [to, typeof facts['notMeToken']]),
      [
        [maria.email, 'string'],
        [NEW, 'undefined'],
      ],
    );
    assert.ok(!JSON.stringify(told[0]).includes(NEW), 'the old mailbox may be somebody else’s by now');
    const rows = (await world.audit(maria)).map(({ action }) => action);
    assert.deepEqual(rows.slice(-3), ['email-change.asked', 'email.changed', 'password.answered']);
  });

  test('to an address that somebody else has is answered alike, and tells neither of them anything', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, noor, session } = await scene(world);
    const before = await queued(world);
    assert.deepEqual(await asks(world, session, noor.email), { kind: 'asked' });
    assert.deepEqual(await queued(world), before);
    assert.equal(await addressToConfirm(world.installation, await world.account(maria)), noor.email);
  });

  test('is refused at the end where another contact has got the address meanwhile, and nothing has changed', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, globex, session } = await scene(world);
    await asks(world, session, 'late@globex.test');
    const token = await linkTo(world, maria, 'late@globex.test');
    await addContact(world.installation, globex, 'Late Comer');
    assert.deepEqual(await confirms(world, maria, token), { kind: 'taken' });
    assert.deepEqual((await world.account(maria)).epoch, session.account.epoch);
    assert.equal((await findEmailChange(world.installation, maria.organizationId, token)).kind, 'open');
  });

  test('that was asked for again makes the link before a dead one: it may have gone to a stranger', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, session } = await scene(world);
    await asks(world, session, 'mistyped@globex.test');
    const first = await linkTo(world, maria, 'mistyped@globex.test');
    await asks(world, session);
    assert.deepEqual(await confirms(world, maria, first), { kind: 'over' });
    assert.equal((await confirms(world, maria, await linkTo(world, maria))).kind, 'changed');
  });

  test('runs out after half an hour, and with whatever else changes', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret, globex, session } = await scene(world);
    await asks(world, session);
    const old = await linkTo(world, maria);
    world.clock.advance(30 * MINUTE_MS);
    assert.deepEqual(await confirms(world, maria, old), { kind: 'over' });
    await asks(world, await insideByCode(world, maria, secret));
    const contact = await findContact(world.db, maria.organizationId, globex.id, maria.id);
    assert.ok(contact);
    const draft = { name: maria.name, email: 'by-others@globex.test', phone: null };
    await changeContact(world.installation, OPERATOR, contact, draft);
    assert.deepEqual(await confirms(world, maria, await linkTo(world, maria)), { kind: 'over' });
    const told = (await queued(world, maria)).filter(({ kind }) => kind === 'email-changed');
    assert.deepEqual(
      told.map(({ to, facts }) => [to, facts['by'], facts['notMeToken']]),
      [
        [maria.email, 'operator', undefined],
        ['by-others@globex.test', 'operator', undefined],
      ],
    );
  });

  test('needs a proof of the last ten minutes, an address, and another one than today’s', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, session } = await scene(world);
    assert.deepEqual(await asks(world, session, 'no address'), { kind: 'email-shape' });
    assert.deepEqual(await asks(world, session, maria.email.toUpperCase()), { kind: 'same' });
    world.clock.advance(10 * MINUTE_MS + 1);
    await assert.rejects(asks(world, session), /no fresh proof/);
  });

  test('is over where the session that asks has been ended since it was looked up', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, session } = await scene(world);
    await endOneSession(world.installation, OPERATOR, maria, session.id);
    assert.deepEqual(await asks(world, session), { kind: 'over' });
    assert.equal(await addressToConfirm(world.installation, await world.account(maria)), undefined);
  });

  test('fills no stranger’s mailbox: five an hour of one contact, two in half an hour to one address', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { noor, eve } = await world.acme();
    const [one, other] = [await insideByPassword(world, noor), await insideByPassword(world, eve)];
    for (let times = 0; times < 5; times++) assert.equal((await asks(world, one, 'victim@umbra.test')).kind, 'asked');
    assert.equal((await asks(world, one, 'victim@umbra.test')).kind, 'limited');
    assert.equal((await asks(world, other, 'victim@umbra.test')).kind, 'asked');
    const letters = (await queued(world)).filter(({ kind }) => kind === 'confirm-email');
    assert.equal(letters.length, 2);
  });

  test('is not a thief’s to make who has the password alone, where setting MFA up is confirmed by email', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { organization, noor } = await world.acme();
    await confirming(world, organization);
    const thief = await insideByPassword(world, noor);
    const before = await queued(world);
    assert.deepEqual(await asks(world, thief, 'eve@umbra.test'), { kind: 'held' });
    assert.deepEqual(await queued(world), before, 'no link is mailed');
    await confirming(world, organization, 'none');
    assert.deepEqual(await asks(world, thief, 'eve@umbra.test'), { kind: 'asked' });
    const token = await linkTo(world, noor, 'eve@umbra.test');
    await confirming(world, organization);
    assert.deepEqual(await confirms(world, noor, token), { kind: 'over' }, 'nor one mailed before the setting');
    assert.equal((await world.account(noor)).email, noor.email);
  });

  test('stays open to a contact who has MFA, where setting it up is confirmed by email', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, organization, session } = await scene(world);
    await confirming(world, organization);
    assert.deepEqual(await asks(world, session), { kind: 'asked' });
    assert.deepEqual(await confirms(world, maria, await linkTo(world, maria)), { kind: 'changed', email: NEW });
  });
});
