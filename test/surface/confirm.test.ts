import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from 'hono/html';
import { createApp } from '../../src/app.ts';
import { proveFirst } from '../../src/door/confirm.ts';
import { HashingBusy } from '../../src/crypto/hashing-guard.ts';
import type { Html } from '../../src/web/components.ts';
import { contact, type SignedIn } from '../../src/web/guards.ts';
import { route, type Route } from '../../src/web/routes.ts';
import type { Visit } from '../../src/web/visit.ts';
import { setPolicy, type Acme, type Person } from '../acme.ts';
import { Visitor, type Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';
import {
  confirmed,
  enrolled,
  GENERAL,
  Guest,
  inside,
  ownAddress,
  parkedBy,
  refusedWith,
  stage,
  unchanged,
} from './front-door.ts';

const AT = '/portal/acme';
const NOTE = 'She read out invoice INV-2041: Zoë & Söhne + 7 %';

/** Ada, whose last proof is eleven minutes old, and Maria, who has MFA. */
async function idling(
  engine: Engine,
): Promise<{ world: World; people: Acme; ada: Guest; maria: Guest; reset: string }> {
  const world = await openWorld(engine);
  const { people, guest } = await stage(world);
  const maria = await enrolled(guest(people.maria));
  const ada = await inside(guest(people.ada));
  world.clock.advance(11 * MINUTE_MS);
  return { world, people, ada, maria, reset: resetOf(people, people.maria) };
}

function resetOf({ globex }: Acme, { id }: Person): string {
  return `/admin/customers/${globex.id}/contacts/${id}/reset-mfa`;
}

const REASON = { check: 'other', note: NOTE };

async function actions(world: World): Promise<string[]> {
  return (await world.rows('audit_rows')).map((row) => String(row['action']));
}

/** How often a browser is told to keep something under each name. */
function cookieNames({ headers }: Page): string[] {
  return headers
    .getSetCookie()
    .map((line) => line.slice(0, line.indexOf('=')))
    .toSorted();
}

eachEngine('staff whose last proof is over ten minutes old', (engine) => {
  test('are asked what they were about to do, and it is then done as it was sent, and once', async () => {
    const { world, people, ada, reset } = await idling(engine);
    await using _ = world;
    const asked = await unchanged(world, () => ada.browser.post(reset, REASON));
    const page = await ada.browser.get(asked.location ?? '');
    assert.equal(page.h1, "Confirm it's you");
    assert.match(page.text, /You&#39;re about to reset MFA for Maria Silva\./);
    assert.doesNotMatch(page.text, /INV-2041/, 'and nothing else of the form is shown');
    const before = await actions(world);
    const token = ada.browser.cookies.get('__Host-sallyport-admin');
    const done = await confirmed(ada, asked);
    assert.deepEqual([done.status, done.location], [303, `/admin/customers/${people.globex.id}`]);
    assert.deepEqual(cookieNames(done), [
      '__Host-sallyport-admin',
      '__Host-sallyport-admin-challenge',
      '__Host-sallyport-admin-notice',
    ]);
    assert.notEqual(ada.browser.cookies.get('__Host-sallyport-admin'), token);
    assert.match((await ada.browser.follow()).notices.join(), /MFA reset for maria@globex\.test\./);
    assert.deepEqual((await actions(world)).slice(before.length).toSorted(), ['mfa.reset', 'proved-again']);
    const row = (await world.audit(people.maria)).find(({ action }) => action === 'mfa.reset');
    assert.match(JSON.stringify(row), new RegExp(NOTE.replaceAll('+', '\\+')));
    assert.deepEqual(await world.rows('parked_forms'), []);
  });

  test('are not asked for the sake of a mistake: a form that is wrong says so first, and nothing waits', async () => {
    const { world, ada, reset } = await idling(engine);
    await using _ = world;
    refusedWith(await ada.browser.post(reset, { check: 'other', note: 'so' }), 422, /10 characters or more/);
    assert.deepEqual(await world.rows('parked_forms'), []);
  });

  test('confirm in each tab what that tab says, and nothing of the other', async () => {
    const { world, people, ada, maria, reset } = await idling(engine);
    await using _ = world;
    await maria.signsIn();
    const first = await ada.browser.post(reset, REASON);
    const disable = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/disable`;
    const second = await ada.browser.post(disable);
    await confirmed(ada, first);
    assert.equal((await world.account(people.noor)).disabledAt, null);
    assert.match(
      (await ada.browser.get(second.location ?? '')).text,
      /about to disable portal access for Noor Haddad\./,
    );
    const { epoch } = await world.account(people.maria);
    await confirmed(ada, second);
    assert.notEqual((await world.account(people.noor)).disabledAt, null);
    assert.equal((await world.account(people.maria)).epoch, epoch);
  });

  test('who press twice do it once, and are signed in still', async () => {
    const { world, people, ada, reset } = await idling(engine);
    await using _ = world;
    const asked = await ada.browser.post(reset, REASON);
    const code = ada.nextCode();
    const pressed = await Promise.all([confirmed(ada, asked, { code }), confirmed(ada, asked, { code })]);
    const led = pressed.filter(({ location }) => location === `/admin/customers/${people.globex.id}`);
    assert.equal(led.length, 1, JSON.stringify(pressed.map(({ status, location }) => [status, location])));
    assert.equal((await actions(world)).filter((action) => action === 'mfa.reset').length, 1);
    assert.equal((await ada.browser.get('/admin')).status, 200);
  });

  test('who come too late, twice, back, or with a form of somebody else are told that nothing waits', async () => {
    const { world, people, ada, reset } = await idling(engine);
    await using _ = world;
    const sam = await inside(Promise.resolve(new Guest(world, people.sam, 'acme', await world.visitor())));
    const asked = await ada.browser.post(reset, REASON);
    const gone = async (guest: Guest, form: string): Promise<void> => {
      await unchanged(world, async () => {
        const page = await guest.browser.get(`/admin/confirm?form=${encodeURIComponent(form)}`);
        assert.deepEqual([page.status, page.h1], [200, 'Nothing is waiting here']);
        const proof = { password: guest.person.password, code: guest.nextCode() };
        refusedWith(await guest.browser.post('/admin/confirm', { form, ...proof }), 422, /is no longer kept/);
      });
    };
    const form = parkedBy(asked);
    await gone(sam, form);
    for (const other of ['//evil.example', 'https://evil.example/', '/admin/team', `${form} `]) await gone(ada, other);
    await confirmed(ada, asked);
    await gone(ada, form);
    world.clock.advance(11 * MINUTE_MS);
    const late = parkedBy(await ada.browser.post(resetOf(people, people.noor).replace('reset-mfa', 'disable')));
    world.clock.advance(10 * MINUTE_MS);
    await gone(ada, late);
    assert.equal((await world.account(people.noor)).disabledAt, null);
  });

  test('who have signed out, or whose colleague has signed in since in that browser, confirm nothing', async () => {
    const { world, people, ada, reset } = await idling(engine);
    await using _ = world;
    const asked = await ada.browser.post(reset, REASON);
    const { epoch } = await world.account(people.maria);
    await ada.browser.post('/admin/sign-out');
    assert.equal((await confirmed(ada, asked)).location, '/admin/sign-in');
    const abe = await inside(Promise.resolve(new Guest(world, people.sam, 'acme', ada.browser)));
    assert.equal((await confirmed(abe, asked)).h1, 'Nothing is waiting here');
    await ada.signsIn();
    assert.equal((await confirmed(ada, asked)).h1, 'Nothing is waiting here', 'nor she herself in another session');
    assert.equal((await world.account(people.maria)).epoch, epoch);
  });

  test('are answered by the rules of the moment at which it goes on, with what they had typed', async () => {
    const { world, people, ada } = await idling(engine);
    await using _ = world;
    const save = { policy: 'required', mfa: '', name: 'Acme & Sons', contactDetails: 'Call us' };
    const asked = await ada.browser.post(GENERAL, save);
    await setPolicy(world.installation, people.organization, 'optional');
    const before = await actions(world);
    const lines = world.log.lines.length;
    const page = await confirmed(ada, asked);
    refusedWith(page, 422, /Somebody else has turned MFA on or off meanwhile/);
    assert.match(page.text, /value="Acme &amp; Sons"/);
    assert.deepEqual((await actions(world)).slice(before.length), ['proved-again']);
    assert.equal((await ada.browser.get('/admin')).status, 200, 'and she is signed in, under the new token');
    const told = world.log.lines.slice(lines).map((line) => JSON.stringify(line));
    assert.equal(told.filter((line) => line.includes(':422')).length, 1, 'one line in the log for one refusal');
    assert.match(told.join(), /"route":"\/admin\/settings\/customer-portal\/general"/);
  });
});

/** A part of the portal that asks for a fresh proof, as parts to come will, with every kind of answer. */
const VAULT: readonly Route[] = [
  route('GET', '/portal/:slug/vault', contact, async (visit, who) => {
    const first = await proveFirst(visit, who, 'open the vault');
    return first ?? visit.text(`the vault, ${visit.query('shelf')}`, 'text/plain');
  }),
  route('POST', '/portal/:slug/vault', contact, async (visit, who) => {
    const { answer } = await visit.form('answer');
    return (await proveFirst(visit, who, 'empty the vault')) ?? emptied(visit, who, answer);
  }),
];

async function emptied(visit: Visit, who: SignedIn, answer: string): Promise<Response> {
  switch (answer) {
    case 'download':
      return visit.text(`of ${who.session.account.name}`, 'text/plain; charset=utf-8', 'vault.txt');
    case 'stream':
      return visit.stream(parts(), 'text/csv', 'vault.csv');
    case 'sign out':
      visit.signOut('portal');
      return visit.see(`${AT}/sign-in`);
    case 'other session':
      visit.signIn('portal', 'another.token');
      visit.leave('portal', { kind: 'ok', text: 'Emptied.' });
      return visit.see(`${AT}/home`);
    case 'busy':
      throw new HashingBusy('too many at once');
    default:
      throw new Error('the vault is stuck');
  }
}

async function* parts(): AsyncIterable<string> {
  yield 'one\n';
  yield 'two\n';
}

async function pageExtra({ email }: { email: string }): Promise<Html> {
  return html`<p>the phone of ${email}</p>`;
}

/** Noor at the vault, signed in with her password alone, eleven minutes ago. */
async function atTheVault(engine: Engine): Promise<{ world: World; people: Acme; noor: Guest }> {
  const world = await openWorld(engine);
  const people = await world.acme();
  await setPolicy(world.installation, people.organization, 'off');
  const app = createApp(world.house(), VAULT);
  const browser = new Visitor(app, world.publicUrl, { address: ownAddress() });
  const noor = new Guest(world, people.noor, 'acme', browser);
  await noor.password();
  assert.equal(browser.page.location, `${AT}/home`);
  world.clock.advance(11 * MINUTE_MS);
  return { world, people, noor };
}

eachEngine('a contact whose last proof is over ten minutes old', (engine) => {
  test('comes back to the page that they asked for, with its query, and gives the password alone where it is all there is', async () => {
    const { world, noor } = await atTheVault(engine);
    await using _ = world;
    const path = `${AT}/vault?shelf=a%26b%2F..%2F&x=//evil.example`;
    const asked = await noor.browser.get(path);
    const page = await noor.browser.get(asked.location ?? '');
    assert.match(page.text, /You&#39;re about to open the vault\./);
    assert.doesNotMatch(page.text, /name="code"/);
    refusedWith(await noor.browser.post(`${AT}/confirm`, { form: parkedBy(asked) }), 422, /Enter your password/);
    refusedWith(await confirmed(noor, asked, { password: 'not hers', code: '' }), 422, /That password isn.*t right/);
    const back = await confirmed(noor, asked, { code: '' });
    assert.deepEqual([back.status, back.location], [303, path]);
    assert.equal((await noor.browser.follow()).text, 'the vault, a&b/../');
  });

  test('gets the answer of the form itself, whatever it is, with each header and each cookie once', async () => {
    const { world, noor } = await atTheVault(engine);
    await using _ = world;
    const sends = async (answer: string): Promise<Page> => {
      world.clock.advance(11 * MINUTE_MS);
      return confirmed(noor, await noor.browser.post(`${AT}/vault`, { answer }), { code: '' });
    };
    const usual = ['__Host-sallyport', '__Host-sallyport-challenge'];
    const file = await sends('download');
    assert.deepEqual(
      [file.status, file.text, file.headers.get('content-type'), file.headers.get('content-disposition')],
      [200, 'of Noor Haddad', 'text/plain; charset=utf-8', 'attachment; filename="vault.txt"'],
    );
    assert.deepEqual(cookieNames(file), usual);
    assert.equal(file.headers.get('cache-control'), 'no-store');
    const stream = await sends('stream');
    assert.deepEqual([stream.text, stream.headers.get('content-type')], ['one\ntwo\n', 'text/csv']);
    const busy = await sends('busy');
    assert.deepEqual([busy.status, busy.headers.get('retry-after')], [503, '2']);
    assert.deepEqual(cookieNames(busy), usual, 'and she is signed in still');
    const fault = await sends('fault');
    assert.equal(fault.status, 500);
    assert.equal((await noor.browser.get(`${AT}/home`)).status, 200, 'a fault signs nobody out');
    const renewed = await sends('other session');
    assert.deepEqual(cookieNames(renewed), [...usual, '__Host-sallyport-notice']);
    assert.equal(noor.browser.cookies.get('__Host-sallyport'), 'another.token', 'the act has the last word');
  });

  test('is signed out by an act that signs out', async () => {
    const { world, noor } = await atTheVault(engine);
    await using _ = world;
    const page = await confirmed(noor, await noor.browser.post(`${AT}/vault`, { answer: 'sign out' }), { code: '' });
    assert.equal(page.location, `${AT}/sign-in`);
    assert.deepEqual(cookieNames(page), ['__Host-sallyport', '__Host-sallyport-challenge']);
    assert.equal(noor.browser.cookies.has('__Host-sallyport'), false);
  });

  test('who has MFA gives the code too, and a password alone is no proof of theirs', async () => {
    await using world = await openWorld(engine, { pageExtra });
    const { people } = await stage(world);
    const browser = new Visitor(createApp(world.house(), VAULT), world.publicUrl, { address: ownAddress() });
    const maria = await inside(Promise.resolve(new Guest(world, people.maria, 'acme', browser)));
    world.clock.advance(11 * MINUTE_MS);
    const asked = await browser.get(`${AT}/vault`);
    const page = await browser.get(asked.location ?? '');
    assert.match(page.text, /name="code"/);
    assert.match(page.text, /the phone of maria@globex\.test/, 'which the demo has in its pocket');
    refusedWith(await confirmed(maria, asked, { code: '' }), 422, /Enter the code/);
    refusedWith(await confirmed(maria, asked, { code: maria.codes[0] ?? '' }), 422, /looks like a backup code/);
    assert.equal((await confirmed(maria, asked)).location, `${AT}/vault`);
  });

  test('who comes with nothing to do proves who they are, and is told what for', async () => {
    const { world, noor } = await atTheVault(engine);
    await using _ = world;
    const page = await noor.browser.get(`${AT}/confirm`);
    assert.deepEqual([page.status, page.h1], [200, "Confirm it's you"]);
    assert.match(page.text, /It counts for 10 minutes\./);
    await noor.browser.post(`${AT}/confirm`, { password: noor.person.password });
    assert.equal(noor.browser.page.location, `${AT}/home`);
    assert.match((await noor.browser.follow()).notices.join(), /You have confirmed that it is you\./);
    assert.equal((await noor.browser.get(`${AT}/vault`)).text, 'the vault, ', 'which counts');
  });
});
