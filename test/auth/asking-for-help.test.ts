import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { deleteContact } from '../../src/accounts/deletion.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import {
  cancelByLink,
  cancelOwn,
  findCancellable,
  lastRefusalOf,
  openRequestOf,
} from '../../src/auth/asking-for-help.ts';
import { sweep } from '../../src/auth/housekeeping.ts';
import { storePassword, hashNewPassword } from '../../src/auth/passwords.ts';
import { approve, countOpenRequests, findRequest, refuse } from '../../src/auth/recovery-requests.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, from, home, setPolicy, signsIn, type Acme, type Enrolled } from '../acme.ts';
import { actorFor, asks, LOST, queue, requestOf } from '../help.ts';
import { queued } from '../queued.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

const MET = { check: 'met-in-person', note: '' } as const;

type People = Acme & Enrolled;

async function opened(engine: Engine): Promise<{ world: World; people: People }> {
  const world = await openWorld(engine, { mailIsOn: true });
  return { world, people: await world.acmeWithMfa() };
}

eachEngine('asking for help (R30)', (engine) => {
  test('is told to the address on file at once, with a link that cancels it and nothing else', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    assert.equal((await asks(world, people.maria)).kind, 'asked');
    const letter = (await queued(world, people.maria)).find(({ kind }) => kind === 'recovery-asked');
    assert.equal(letter?.to, people.maria.email);
    const token = String(letter?.facts['token']);
    const found = await findCancellable(world.db, people.organization.id, token, world.clock.now);
    assert.equal(found?.account.id, people.maria.id);
    assert.equal((await queue(world, people.maria)).length, 1, 'looking has cancelled nothing');
    assert.equal(await findCancellable(world.db, 'another', token, world.clock.now), undefined);
    assert.equal(await cancelByLink(world.installation, 'another', token, from('the mail')), false);
    assert.equal(await cancelByLink(world.installation, people.organization.id, token, from('the mail')), true);
    assert.equal(await cancelByLink(world.installation, people.organization.id, token, from('the mail')), false);
    assert.deepEqual(await queue(world, people.maria), []);
    const [row] = (await world.audit(people.maria)).slice(-1);
    assert.deepEqual([row?.action, row?.result], ['recovery.cancelled', 'link']);
  });

  test('leaves a link that is too old after seven days', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    await asks(world, people.maria);
    const letter = (await queued(world, people.maria)).find(({ kind }) => kind === 'recovery-asked');
    world.clock.advance(7 * DAY_MS);
    const token = String(letter?.facts['token']);
    assert.equal(await cancelByLink(world.installation, people.organization.id, token, from('the mail')), false);
    assert.equal((await queue(world, people.maria)).length, 1);
  });

  test('works without mail, and writes no letter', async () => {
    await using world = await openWorld(engine);
    const { maria } = await world.acmeWithMfa();
    assert.equal((await asks(world, maria)).kind, 'asked');
    assert.deepEqual(await queued(world), []);
  });

  test('is open once per account, and asked for three times a day at most', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    for (let times = 1; times <= 3; times++) {
      assert.equal((await asks(world, people.maria)).kind, 'asked', `${times}`);
      assert.equal((await asks(world, people.maria)).kind, 'open-already');
      const challenge = await challenged(world.installation, people.maria);
      assert.equal(await cancelOwn(world.installation, challenge, home(people.maria)), true);
      world.clock.advance(HOUR_MS);
    }
    const limited = await asks(world, people.maria);
    assert.ok(limited.kind === 'limited');
    world.clock.advance(limited.until - world.clock.now - 1);
    assert.equal((await asks(world, people.maria)).kind, 'limited');
    world.clock.advance(1);
    assert.equal((await asks(world, people.maria)).kind, 'asked');
  });

  test('is over as soon as a code of the app or a backup code works, and so is its wait', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    for (const code of [(): string => world.codeFor(people.secret), (): string => people.codes[0] ?? '']) {
      await asks(world, people.maria);
      const challenge = await challenged(world.installation, people.maria);
      assert.equal((await answers(world.installation, challenge, code())).kind, 'right');
      assert.deepEqual(await queue(world, people.maria), []);
      const acts = (await world.audit(people.maria)).map(({ action, result }) => `${action} ${result}`);
      assert.ok(acts.includes('recovery.cancelled factor'));
      world.clock.advance(MINUTE_MS);
    }
    assert.equal((await resetAs(world, people)).kind, 'reset', 'no wait holds the reset up');
  });

  test('goes on through a right password, a wrong code and a policy that lets a password in', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    await asks(world, people.maria);
    const challenge = await challenged(world.installation, people.maria);
    assert.equal((await answers(world.installation, challenge, world.wrongCode(people.secret))).kind, 'wrong');
    await setPolicy(world.installation, people.organization, 'off');
    await signsIn(world.installation, people.maria);
    assert.equal((await queue(world, people.maria)).length, 1);
  });

  test('is over when the account changes: a new password, a closed portal; and its wait runs on all the same', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const { installation } = world;
    await asks(world, people.maria);
    const argon2 = await hashNewPassword(installation, people.maria.password);
    const account = await world.account(people.maria);
    await installation.db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
    assert.deepEqual(await queue(world, people.maria), []);
    assert.equal((await resetAs(world, people)).kind, 'help-waits');
    await asks(world, people.maria);
    for (const open of [false, true])
      await setPortalAccess(installation, OPERATOR, await world.account(people.maria), open);
    assert.deepEqual(await queue(world, people.maria), []);
    assert.equal((await resetAs(world, people)).kind, 'help-waits');
    world.clock.advance(DAY_MS);
    assert.equal((await resetAs(world, people)).kind, 'reset');
  });

  test('runs out when nobody answers, and is forgotten after a year', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const request = await requestOf(world, people.maria);
    world.clock.advance(37 * DAY_MS);
    assert.deepEqual(await queue(world, people.maria), []);
    assert.equal(
      (await approve(world.installation, actorFor(people.sam), await world.account(people.sam), request, MET)).kind,
      'over',
    );
    await sweep(world.installation);
    assert.deepEqual(
      (await world.rows('recovery_requests')).map((row) => row['state']),
      ['expired'],
    );
    world.clock.advance(365 * DAY_MS);
    await sweep(world.installation);
    assert.deepEqual(await world.rows('recovery_requests'), []);
  });

  test('goes with the contact', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    await asks(world, people.maria);
    const contact = await findContact(world.db, people.organization.id, people.globex.id, people.maria.id);
    assert.ok(contact && (await deleteContact(world.installation, OPERATOR, contact, 'left the company')));
    assert.deepEqual(await world.rows('recovery_requests'), []);
  });
});

eachEngine('answering a request for help', (engine) => {
  test('waits as long as the organization has set when it was asked, and resets then, whoever approves', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const request = await requestOf(world, people.maria);
    await chooseWait(world, people, 0);
    for (const agent of [people.sam, people.ada]) {
      const account = await world.account(agent);
      assert.deepEqual(await approve(world.installation, actorFor(agent), account, request, MET), {
        kind: 'waits',
        until: request.waitEndsAt,
      });
    }
    world.clock.advance(DAY_MS - 1);
    assert.equal((await approveAs(world, people, request)).kind, 'waits');
    world.clock.advance(1);
    assert.equal((await approveAs(world, people, request)).kind, 'done');
    assert.equal((await approveAs(world, people, request)).kind, 'over');
    const acts = (await world.audit(people.maria)).map(({ action }) => action);
    assert.equal(acts.filter((action) => action === 'recovery.approved').length, 1);
    assert.equal(acts.filter((action) => action === 'mfa.reset').length, 1);
    assert.ok((await queued(world, people.maria)).some(({ kind }) => kind === 'mfa-reset'));
    assert.equal((await signsIn(world.installation, people.maria)).kind, 'enrolment');
    const found = await findRequest(world.db, people.organization.id, request.id, world.clock.now);
    assert.deepEqual([found?.state, found?.reason], ['approved', 'Met in person']);
  });

  test('waits by the request itself too, and is of its own epoch, even if nobody has ended it (I12)', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const request = await requestOf(world, people.maria);
    await world.change(sql`UPDATE accounts SET help_wait_until = NULL`);
    assert.equal((await approveAs(world, people, request)).kind, 'waits');
    world.clock.advance(DAY_MS);
    await world.change(sql`UPDATE accounts SET epoch = epoch + 1`);
    assert.deepEqual(await queue(world, people.maria), []);
    assert.equal((await approveAs(world, people, request)).kind, 'over');
    assert.equal(
      (await findRequest(world.db, people.organization.id, request.id, world.clock.now))?.state,
      'cancelled',
    );
  });

  test('may come at once where the organization sets no wait', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    await chooseWait(world, people, 0);
    assert.equal((await approveAs(world, people, await requestOf(world, people.maria))).kind, 'done');
  });

  test('by a refusal tells why by mail and at the next try, and shortens no wait', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const request = await requestOf(world, people.maria);
    const agent = await world.account(people.sam);
    const refusing = (reason: string): ReturnType<typeof refuse> =>
      refuse(world.installation, actorFor(people.sam), agent, request, reason);
    assert.equal((await refusing('no')).kind, 'note-missing');
    assert.equal((await refusing('We could not reach you.')).kind, 'done');
    assert.equal((await refusing('We could not reach you.')).kind, 'over');
    const letter = (await queued(world, people.maria)).find(({ kind }) => kind === 'recovery-refused');
    assert.equal(letter?.facts['reason'], 'We could not reach you.');
    assert.equal((await lastRefusalOf(world.db, await world.account(people.maria)))?.reason, 'We could not reach you.');
    assert.equal((await resetAs(world, people)).kind, 'help-waits');
    await asks(world, people.maria);
    assert.equal(await lastRefusalOf(world.db, await world.account(people.maria)), undefined);
  });

  test('is no auditor’s, no contact’s and no other merchant’s work (I15)', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const request = await requestOf(world, people.maria);
    world.clock.advance(DAY_MS);
    for (const agent of [people.otto, people.eve]) {
      const account = await world.account(agent);
      const { installation } = world;
      assert.equal((await approve(installation, actorFor(agent), account, request, MET)).kind, 'not-allowed');
      assert.equal(
        (await refuse(installation, actorFor(agent), account, request, 'no reason at all')).kind,
        'not-allowed',
      );
    }
    assert.equal((await queue(world, people.maria)).length, 1);
    assert.equal(await findRequest(world.db, 'another', request.id, world.clock.now), undefined);
  });

  test('needs the checks of a reset', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const request = await requestOf(world, people.maria);
    world.clock.advance(DAY_MS);
    const agent = await world.account(people.sam);
    const reason = { check: 'other', note: 'too short' } as const;
    assert.equal(
      (await approve(world.installation, actorFor(people.sam), agent, request, reason)).kind,
      'note-missing',
    );
  });

  test('shows what looks like somebody else: a strange network, a new password, one network for many, many tries', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    const { installation } = world;
    const challenge = await challenged(installation, people.maria);
    assert.equal((await answers(installation, challenge, world.codeFor(people.secret))).kind, 'right');
    world.clock.advance(2 * DAY_MS);
    await asks(world, people.maria);
    const calm = { isStrange: false, passwordIsNew: false, othersFromThere: 0, timesAsked: 1 };
    assert.deepEqual((await queue(world, people.maria))[0]?.hints, calm);
    await cancelOwn(installation, await challenged(installation, people.maria), home(people.maria));
    const argon2 = await hashNewPassword(installation, people.maria.password);
    const account = await world.account(people.maria);
    await installation.db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
    await asks(world, people.maria, LOST, from('a cafe'));
    await enrol(installation, people.noor);
    world.clock.advance(MINUTE_MS);
    await asks(world, people.noor, LOST, from('a cafe'));
    const [marias, noors] = await queue(world, people.maria);
    assert.deepEqual(marias?.hints, { isStrange: true, passwordIsNew: true, othersFromThere: 1, timesAsked: 2 });
    assert.deepEqual([noors?.name, noors?.hints.timesAsked], [people.noor.name, 1]);
    assert.equal(await countOpenRequests(world.db, people.organization.id, world.clock.now, 100), 2);
    assert.equal(await countOpenRequests(world.db, people.organization.id, world.clock.now, 1), 1);
  });

  test('finds the address as it was: it does not change while the wait runs', async () => {
    const { world, people } = await opened(engine);
    await using _ = world;
    await asks(world, people.maria);
    const contact = await findContact(world.db, people.organization.id, people.globex.id, people.maria.id);
    assert.ok(contact);
    const draft = { name: contact.name, email: 'eve@elsewhere.test', phone: null };
    assert.equal((await changeContact(world.installation, OPERATOR, contact, draft)).kind, 'help-waits');
    assert.equal((await world.account(people.maria)).email, people.maria.email);
    assert.ok(await openRequestOf(world.db, contact, world.clock.now), 'and the request is open still');
    world.clock.advance(DAY_MS);
    assert.equal((await changeContact(world.installation, OPERATOR, contact, draft)).kind, 'saved');
  });
});

async function chooseWait(world: World, { organization }: Acme, recoveryWaitHours: number): Promise<void> {
  const { trustedDeviceDays, passkeys, enrolmentConfirmation } = organization;
  const choices = { trustedDeviceDays, passkeys, enrolmentConfirmation, recoveryWaitHours };
  await saveChoices(world.installation, OPERATOR, organization.id, choices);
}

async function approveAs(
  world: World,
  { sam }: Acme,
  request: Parameters<typeof approve>[3],
): ReturnType<typeof approve> {
  return approve(world.installation, actorFor(sam), await world.account(sam), request, MET);
}

async function resetAs(world: World, { sam, maria }: Acme): ReturnType<typeof resetMfa> {
  return resetMfa(world.installation, actorFor(sam), await world.account(sam), await world.account(maria), MET);
}
