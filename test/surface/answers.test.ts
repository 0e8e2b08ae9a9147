import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { sql } from '../../src/db/db.ts';
import { acme, setPolicy, type Person } from '../acme.ts';
import type { Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { confirmed, dump, GENERAL, Guest, refusedWith, stage, type Stage, enrolled, inside } from './front-door.ts';

type Policy = 'off' | 'optional' | 'required';

/** What follows a right password, as the product's table P3 says it. */
const NEXT: Record<Policy, Record<'never set up' | 'begun, not enabled' | 'on' | 'reset', string>> = {
  off: { 'never set up': 'home', 'begun, not enabled': 'home', on: 'verify', reset: 'home' },
  optional: { 'never set up': 'home', 'begun, not enabled': 'home', on: 'verify', reset: 'home' },
  required: { 'never set up': 'enable-mfa', 'begun, not enabled': 'enable-mfa', on: 'verify', reset: 'enable-mfa' },
};

/** Brings Maria's MFA into a state, by what she and staff do. */
async function bring(maria: Guest, state: string, ada: Guest, people: Stage['people']): Promise<void> {
  if (state === 'never set up') return;
  if (state === 'begun, not enabled') {
    await maria.password();
    await maria.configures();
    assert.equal((await maria.verifies()).status, 303);
    return;
  }
  await maria.enrols();
  if (state !== 'reset') return;
  await ada.enrols();
  await ada.signsIn();
  const path = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
  assert.equal((await ada.browser.post(path, { check: 'met-in-person', note: '' })).status, 303);
}

eachEngine('what follows a right password', (engine) => {
  for (const [policy, states] of Object.entries(NEXT))
    for (const [state, next] of Object.entries(states))
      test(`is ${next} for a contact whose MFA is ${state}, where the policy is ${policy}`, async () => {
        await using world = await openWorld(engine);
        const { people, guest } = await stage(world);
        const maria = await guest(people.maria);
        await bring(maria, state, await guest(people.ada), people);
        await setPolicy(world.installation, people.organization, policy as Policy);
        const fresh = await maria.elsewhere();
        await fresh.password();
        assert.equal(fresh.browser.page.location, `/portal/acme/${next}`);
        const hasSession = fresh.browser.cookies.has('__Host-sallyport');
        assert.equal(hasSession, next === 'home', 'a session, and only where nothing more is owed');
        const home = await fresh.browser.get('/portal/acme/home');
        assert.equal(home.status, next === 'home' ? 200 : 303);
      });

  for (const policy of ['off', 'optional', 'required'] as const)
    test(`is never a session for staff, even where the policy for customers is ${policy}`, async () => {
      await using world = await openWorld(engine);
      const { people, guest } = await stage(world);
      await setPolicy(world.installation, people.organization, policy);
      for (const person of [people.ada, people.sam, people.otto]) {
        const one = await guest(person);
        assert.equal((await one.password()).location, '/admin/enable-mfa');
        assert.equal((await one.browser.get('/admin')).location, '/admin/sign-in');
        await one.enrols();
        assert.equal((await one.browser.get('/admin')).location, '/admin/sign-in');
        assert.equal((await one.password()).location, '/admin/verify');
        assert.equal((await one.browser.get('/admin')).location, '/admin/sign-in');
      }
    });

  test('changes with Save, for all customers at once and for no other merchant’s', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const noor = await guest(people.noor);
    const maria = await enrolled(guest(people.maria));
    const secret = maria.secret;
    const saves = (mfa: string) => ada.browser.post(GENERAL, { mfa, name: 'Acme Billing', contactDetails: 'Call us' });
    const others = await acme(world.installation, 'rival');
    const otherNoor = new Guest(world, others.noor, 'rival', await world.visitor());
    assert.equal((await saves('')).location, GENERAL);
    assert.deepEqual([await leads(noor), await leads(maria)], ['/portal/acme/home', '/portal/acme/verify']);
    assert.equal((await saves('on')).location, GENERAL);
    assert.deepEqual([await leads(noor), await leads(maria)], ['/portal/acme/enable-mfa', '/portal/acme/verify']);
    assert.equal(await leads(otherNoor), '/portal/rival/home');
    assert.deepEqual(maria.secret, secret);
    await maria.signsIn();
    assert.equal(maria.browser.page.h1, 'Documents', 'the same secret as before');
  });
});

/** Where the right password leads at a browser that is new. */
async function leads(one: Guest): Promise<string | null> {
  return (await (await one.elsewhere()).password()).location;
}

/** What a wrong try looks like, without what it typed itself. */
function face(page: Page, email: string): object {
  const headers = [...page.headers].filter(([name]) => name !== 'date' && name !== 'set-cookie');
  return { status: page.status, headers, cookies: page.headers.getSetCookie(), text: page.text.replaceAll(email, '…') };
}

eachEngine('the sign-in page', (engine) => {
  test('does not tell an unknown email from a wrong password, a closed access or an account without password', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const { installation } = world;
    const maria = await enrolled(guest(people.maria));
    const ada = await inside(guest(people.ada));
    await ada.browser.post(`/admin/customers/${people.initech.id}/contacts/${people.eve.id}/disable`);
    const draft = { name: 'Ida Invited', email: 'ida@globex.test', phone: null };
    await createContact(installation, OPERATOR, people.organization.id, people.globex.id, draft);
    const tries: [who: string, email: string, password: string][] = [
      ['nobody', 'nobody@globex.test', 'a wrong password'],
      ['Maria, who has MFA', people.maria.email, 'a wrong password'],
      ['Noor, who has none', people.noor.email, 'a wrong password'],
      ['Eve, whose access is closed, with her right password', people.eve.email, people.eve.password],
      ['Eve, whose access is closed, with a wrong one', people.eve.email, 'a wrong password'],
      ['Ida, who has no password', draft.email, 'a wrong password'],
      ['Ada, who is staff, at the portal', people.ada.email, people.ada.password],
      ['Maria with a password that is too long', people.maria.email, 'x'.repeat(200)],
    ];
    const faces: object[] = [];
    for (const [, email, password] of tries) {
      const stranger = await maria.elsewhere();
      faces.push(face(await stranger.password(password, email), email));
    }
    for (const [at, [who]] of tries.entries()) assert.deepEqual(faces[at], faces[0], who);
    assert.match(JSON.stringify(faces[0]), /That email or password isn't right|That email or password isn&#39;t right/);
    const atConsole = await ada.elsewhere();
    const contact = face(await atConsole.password(people.maria.password, people.maria.email), people.maria.email);
    const nobody = face(await atConsole.password('a wrong password', 'nobody@acme.test'), 'nobody@acme.test');
    const wrong = face(await atConsole.password('a wrong password'), people.ada.email);
    assert.deepEqual([contact, wrong], [nobody, nobody]);
  });

  test('slows a stranger alike, whether or not the email is known', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    const faces: object[][] = [];
    for (const email of [people.maria.email, 'nobody@globex.test']) {
      const seen: object[] = [];
      for (let at = 0; at < 12; at++) {
        const stranger = await maria.elsewhere();
        seen.push(face(await stranger.password('a wrong password', email), email));
        seen.push(face(await stranger.password('a wrong password', email), email));
      }
      faces.push(seen);
    }
    assert.deepEqual(faces[0], faces[1]);
    assert.deepEqual(new Set(faces[0]?.map((one) => (one as { status: number }).status)), new Set([422, 429]));
  });
});

/** How many audit rows an act leaves, and how the last reads. */
async function left(world: World, person: Person, act: () => Promise<unknown>): Promise<string[]> {
  const before = (await world.audit(person)).length;
  await act();
  return (await world.audit(person)).slice(before).map(({ action, result }) => `${action} ${result}`);
}

eachEngine('an answer', (engine) => {
  test('by a known account leaves exactly one audit row, at the door and in the ceremony', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    const leaves = async (act: () => Promise<unknown>, ...rows: string[]): Promise<void> =>
      assert.deepEqual(await left(world, people.maria, act), rows);
    await leaves(() => maria.password('a wrong password'), 'password.answered wrong');
    await leaves(() => maria.password('x'.repeat(200)), 'password.answered wrong');
    await leaves(() => maria.password(), 'password.answered right');
    await leaves(() => maria.configures(), 'enrolment.offered done');
    await leaves(() => maria.verifies('12345'));
    await leaves(() => maria.verifies(maria.wrongCode()), 'enrolment.answered wrong');
    await leaves(() => maria.verifies(), 'enrolment.answered right');
    await leaves(() => maria.verifies());
    const { browser } = maria;
    await leaves(() => browser.post('/portal/acme/enable-mfa/enable'), 'mfa.enabled done');
    await leaves(() => browser.post('/portal/acme/enable-mfa/enable'));
    await leaves(() => browser.post('/portal/acme/enable-mfa/backup-codes'), 'backup-codes.generated done');
    await leaves(() => browser.post('/portal/acme/enable-mfa/backup-codes'));
    const codes = [...(await browser.follow()).text.matchAll(/<code dir="ltr">([\d-]+)</g)].map(
      ([, code = '']) => code,
    );
    await leaves(() => browser.post('/portal/acme/enable-mfa/done'));
    await leaves(() => maria.password(), 'password.answered right');
    await leaves(() => maria.code('abc'));
    await leaves(() => maria.code(world.codeFor(maria.secret)), 'signed-in already-used');
    await leaves(() => maria.code(maria.wrongCode()), 'signed-in wrong');
    await leaves(() => maria.backupCode('000000000000'), 'signed-in wrong');
    await leaves(() => maria.backupCode(codes[0] ?? ''), 'signed-in right');
    await leaves(() => browser.post('/portal/acme/sign-out'), 'signed-out done');
    await leaves(() => browser.post('/portal/acme/sign-out'));
    await maria.password();
    await leaves(() => maria.backupCode(codes[0] ?? ''), 'signed-in wrong');
    await leaves(() => maria.code(maria.nextCode()), 'signed-in right');
  });

  test('leaves exactly one where there is no second factor, and where access is closed', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'off');
    const noor = await guest(people.noor);
    assert.deepEqual(await left(world, people.noor, () => noor.password()), ['signed-in right']);
    await world.change(sql`UPDATE accounts SET disabled_at = 1`);
    assert.deepEqual(await left(world, people.noor, () => noor.password()), ['password.answered disabled']);
    assert.deepEqual(await left(world, people.noor, () => noor.password('wrong')), ['password.answered disabled']);
  });

  test('that confirms who staff are leaves exactly one, right or wrong', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    world.clock.advance(11 * MINUTE_MS);
    const form = { mfa: '', name: 'Acme Billing', contactDetails: 'Call us: +1 555 0100' };
    const saves = async (password: string, code: string) =>
      confirmed(ada, await ada.browser.post(GENERAL, form), { password, code });
    const leaves = async (act: () => Promise<unknown>, ...rows: string[]): Promise<void> =>
      assert.deepEqual(await left(world, people.ada, act), rows);
    const { password } = people.ada;
    await leaves(() => saves('a wrong password', ada.nextCode()), 'password.answered wrong');
    await leaves(() => saves(password, ada.wrongCode()), 'proved-again wrong');
    await leaves(() => saves(password, ada.nextCode()), 'proved-again right');
    form.mfa = 'on';
    world.clock.advance(11 * MINUTE_MS);
    await leaves(() => saves(password, ada.nextCode()), 'proved-again right');
    form.mfa = '';
    world.clock.advance(10 * MINUTE_MS + 1);
    await leaves(() => saves(password, world.codeFor(ada.secret, -20)), 'proved-again wrong');
  });

  test('of nobody we know leaves none, and goes to the log without the email', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const before = await dump(world);
    const stranger = await guest(people.maria);
    await stranger.password('a wrong password', 'nobody@globex.test');
    const afterwards = await dump(world);
    assert.deepEqual(afterwards['audit_rows'], before['audit_rows']);
    const lines = JSON.stringify(world.log.lines);
    assert.match(lines, /unknown email/);
    assert.doesNotMatch(JSON.stringify([lines, afterwards]), /nobody@globex|a wrong password/);
  });

  test('that a wait holds back, or that is behind a stolen password, is counted as the rules say', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    for (let at = 0; at < 5; at++) await maria.code(maria.wrongCode());
    await maria.password();
    assert.deepEqual(await left(world, people.maria, () => maria.code(maria.wrongCode())), [], 'nothing is looked at');
    await world.change(sql`UPDATE accounts SET suspected_at = 1, totp_wait_until = 0`);
    const fresh = await maria.elsewhere();
    assert.deepEqual(await left(world, people.maria, () => fresh.password()), ['password.answered suspected']);
    refusedWith(fresh.browser.page, 403, /may be known to someone else/);
    assert.deepEqual([...fresh.browser.cookies.keys()], []);
  });
});
