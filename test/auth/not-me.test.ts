import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { notMeToken } from '../../src/accounts/mailed-links.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { askToChangeEmail, confirmEmailChange } from '../../src/auth/change-email.ts';
import { changePassword } from '../../src/auth/change-password.ts';
import { askForNewPassword, chooseNewPassword } from '../../src/auth/new-password.ts';
import { disownByLink, disownBySession, findNotMe, type Disowned } from '../../src/auth/not-me.ts';
import { setPassword } from '../../src/auth/passwords.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { challenged, from, home, signsIn, type Person } from '../acme.ts';
import { queued, type Queued } from '../queued.ts';
import { DAY_MS, eachEngine, openWorld, type World } from '../world.ts';
import { insideByCode, insideByPassword, sessionOf } from './inside.ts';

const THIEF = from('198.51.100.66');

const disowns = (world: World, person: Person, token: string): Promise<Disowned> =>
  disownByLink(world.installation, person.organizationId, token, home(person));

function lettersOf(world: World, person: Person, wanted: Queued['kind']): Promise<Queued[]> {
  return queued(world, person).then((all) => all.filter(({ kind }) => kind === wanted));
}

/** The way to disown that stands in the newest letter of a kind. */
async function tokenIn(world: World, person: Person, kind: Queued['kind']): Promise<string> {
  return String((await lettersOf(world, person, kind)).at(-1)?.facts['notMeToken'] ?? assert.fail(`no ${kind}`));
}

/** A link of somebody's, without the letter. */
async function linkOf({ db, installation }: World, person: Person): Promise<string> {
  return (await db.transaction((tx) => notMeToken(tx, installation, person))) ?? assert.fail('no link');
}

eachEngine('"This wasn’t me"', (engine) => {
  test('ends everything a thief has, leaves MFA alone, mails a link to a new password, and tells staff', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret, ada, sam, otto } = await world.acmeWithMfa();
    await insideByCode(world, maria, secret);
    await challenged(world.installation, maria);
    const token = await linkOf(world, maria);
    assert.equal((await findNotMe(world.installation, maria.organizationId, token)).kind, 'open');
    assert.equal((await signsIn(world.installation, maria)).kind, 'challenge', 'looking ends nothing');
    assert.deepEqual(await disowns(world, maria, token), { kind: 'done', next: 'link-mailed' });
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
    assert.ok((await world.rows('challenges')).every((row) => row['consumed_at'] !== null));
    assert.equal((await world.account(maria)).passwordSetAt, null);
    assert.equal((await signsIn(world.installation, maria)).kind, 'wrong');
    const way = String((await lettersOf(world, maria, 'new-password')).at(-1)?.facts['token']);
    const password = 'violet harbour engine 47';
    const chosen = await chooseNewPassword(world.installation, maria.organizationId, way, password, [], '203.0.113.1');
    assert.equal(chosen.kind, 'set');
    assert.equal((await signsIn(world.installation, { ...maria, password })).kind, 'challenge', 'MFA is what it was');
    const [told, ...more] = await lettersOf(world, maria, 'not-me');
    assert.deepEqual([told?.to, told?.facts['notMeToken'], more.length], [maria.email, undefined, 0]);
    for (const [person, letters] of [
      [ada, 1],
      [sam, 1],
      [otto, 0],
    ] as const)
      assert.equal((await lettersOf(world, person, 'not-me')).length, letters, person.name);
    const rows = (await world.audit(maria)).filter(({ action }) => action === 'account.not-me');
    assert.deepEqual(
      rows.map(({ result }) => result),
      ['link-mailed'],
    );
  });

  test('works once for all letters that a mailbox has, and for seven days', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    const [one, other] = [await linkOf(world, maria), await linkOf(world, maria)];
    world.clock.advance(7 * DAY_MS - 1);
    assert.equal((await disowns(world, maria, one)).kind, 'done');
    assert.deepEqual(await disowns(world, maria, one), { kind: 'used' });
    assert.deepEqual(await disowns(world, maria, other), { kind: 'used' }, 'or the next press took the new password');
    const late = await linkOf(world, maria);
    world.clock.advance(7 * DAY_MS);
    assert.deepEqual(await disowns(world, maria, late), { kind: 'over' });
  });

  test('answers for all letters of a mailbox, however staff have written its address since', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, globex } = await world.acme();
    const [one, other] = [await linkOf(world, maria), await linkOf(world, maria)];
    const contact = await findContact(world.db, maria.organizationId, globex.id, maria.id);
    assert.ok(contact);
    const draft = { name: maria.name, email: 'Maria@Globex.test', phone: null };
    assert.equal((await changeContact(world.installation, OPERATOR, contact, draft)).kind, 'saved');
    assert.deepEqual(await disowns(world, maria, one), { kind: 'done', next: 'link-mailed' });
    assert.deepEqual(await disowns(world, maria, other), { kind: 'used' });
  });

  test('outlives what the thief does next: he has changed the password, and changes it again', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria, secret } = await world.acmeWithMfa();
    let session = await insideByCode(world, maria, secret);
    const changes = async (password: string): Promise<void> => {
      const changed = await changePassword(world.installation, session, password, [], THIEF);
      assert.ok(changed.kind === 'changed');
      session = await sessionOf(world, changed.cookie);
    };
    await changes('violet harbour engine 47');
    const token = await tokenIn(world, maria, 'password-changed');
    for (let times = 0; times < 3; times++) await changes(`violet harbour engine 4${times}`);
    assert.deepEqual(await disowns(world, maria, token), { kind: 'done', next: 'link-mailed' });
  });

  test('from an address that is no longer on file hands the account to neither mailbox: access is closed, staff ask', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { noor, sam } = await world.acme();
    const session = await insideByPassword(world, noor);
    await askToChangeEmail(world.installation, session, 'thief@umbra.test', THIEF);
    const [letter] = await lettersOf(world, noor, 'confirm-email');
    const confirm = String(letter?.facts['token']);
    assert.equal((await confirmEmailChange(world.installation, noor.organizationId, confirm, THIEF)).kind, 'changed');
    const [old] = await lettersOf(world, noor, 'email-changed');
    const token = String(old?.facts['notMeToken']);
    const inside = await insideByPassword(world, { ...noor, email: 'thief@umbra.test' });
    assert.equal((await disownBySession(world.installation, inside, THIEF)).kind, 'done', 'the thief presses first');
    assert.deepEqual(await disowns(world, noor, token), { kind: 'done', next: 'closed' });
    const mailedBefore = (await lettersOf(world, noor, 'new-password')).length;
    for (const email of ['thief@umbra.test', noor.email])
      await askForNewPassword(world.installation, noor.organizationId, email, home(noor));
    const mailed = await lettersOf(world, noor, 'new-password');
    assert.equal(mailed.length, mailedBefore, 'nobody is mailed a way in');
    const way = String(mailed.at(-1)?.facts['token']);
    const { organizationId } = noor;
    const tried = await chooseNewPassword(
      world.installation,
      organizationId,
      way,
      'violet harbour 47',
      [],
      THIEF.address,
    );
    assert.equal(tried.kind, 'link-over', 'nor does the one work that the thief had');
    assert.notEqual((await world.account(noor)).disabledAt, null);
    assert.equal((await lettersOf(world, sam, 'not-me')).at(-1)?.facts['next'], 'closed');
    const rows = (await world.audit(noor)).filter(({ action }) => action === 'account.not-me');
    assert.deepEqual(
      rows.map(({ result }) => result),
      ['link-mailed', 'closed'],
    );
  });

  test('pressed by the thief from inside takes the link of the old mailbox away from nobody, nor does a heap of letters', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { maria } = await world.acme();
    const token = await linkOf(world, maria);
    for (let times = 0; times < 25; times++)
      await world.db.transaction((tx) => notMeToken(tx, world.installation, maria, 'thief@umbra.test'));
    assert.equal((await findNotMe(world.installation, maria.organizationId, token)).kind, 'open');
    assert.equal((await world.rows('mailed_links')).filter((row) => row['email'] === 'thief@umbra.test').length, 20);
  });

  test('from the page inside does the same, without a proof that its owner may not have any more', async () => {
    await using world = await openWorld(engine);
    const { noor, sam } = await world.acme();
    const outcome = await signsIn(world.installation, noor);
    assert.ok(outcome.kind === 'signed-in');
    const session = await sessionOf(world, outcome.cookie);
    assert.deepEqual(await disownBySession(world.installation, session, home(noor)), { kind: 'done', next: 'ask' });
    assert.equal(await findSession(world.db, 'portal', outcome.cookie, world.clock.now), undefined);
    assert.equal((await signsIn(world.installation, noor)).kind, 'wrong');
    assert.deepEqual(await disownBySession(world.installation, session, home(noor)), { kind: 'over' });
    assert.deepEqual(await queued(world, sam), [], 'no mail is sent here');
  });

  test('over and over is no way to new guesses at the code, and fills no mailbox of staff', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { noor, sam } = await world.acme();
    const { organizationId } = noor;
    const ways: unknown[] = [];
    for (let password = noor.password; ways.at(-1) !== 'ask'; password = `violet harbour engine 4${ways.length}`) {
      const session = await insideByPassword(world, { ...noor, password });
      const shut = await disownBySession(world.installation, session, THIEF);
      ways.push(shut.kind === 'done' ? shut.next : shut.kind);
      assert.ok(ways.length < 10, 'without end');
      const way = String((await lettersOf(world, noor, 'new-password')).at(-1)?.facts['token']);
      const next = `violet harbour engine 4${ways.length}`;
      const chosen = await chooseNewPassword(world.installation, organizationId, way, next, [], THIEF.address);
      assert.equal(chosen.kind, ways.at(-1) === 'ask' ? 'used' : 'set');
    }
    assert.deepEqual(ways, ['link-mailed', 'link-mailed', 'link-mailed', 'ask']);
    assert.equal((await lettersOf(world, sam, 'not-me')).length, 4);
    assert.equal((await signsIn(world.installation, noor)).kind, 'wrong', 'shut all the same');
  });

  test('stands in no letter to staff, and in none about what staff have done', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { ada, maria } = await world.acme();
    assert.equal(await world.db.transaction((tx) => notMeToken(tx, world.installation, ada)), undefined);
    await setPassword(world.installation, OPERATOR, await world.account(maria), 'violet harbour engine 47', []);
    const letters = await lettersOf(world, maria, 'password-changed');
    assert.ok(letters.length > 0 && letters.every(({ facts }) => facts['notMeToken'] === undefined));
    const token = await linkOf(world, maria);
    await setPortalAccess(world.installation, OPERATOR, await world.account(maria), false);
    assert.deepEqual(await disowns(world, maria, token), { kind: 'over' });
  });
});
