import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCustomer } from '../../src/accounts/customers.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { addContact, signsIn, type Acme } from '../acme.ts';
import type { Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { confirmed, enrolled, refusedWith, stage, unchanged, type Guest, type Stage } from './front-door.ts';

const CUSTOMERS = '/admin/customers';

interface Scene {
  readonly people: Acme;
  readonly guest: Stage['guest'];
  readonly ada: Guest;
}

async function scene(world: World): Promise<Scene> {
  const { people, guest } = await stage(world);
  const ada = await guest(people.ada);
  await ada.enrols();
  await ada.signsIn();
  return { people, guest, ada };
}

/** The addresses in the rows of the list, in their order. */
function rows({ text }: Page): string[] {
  return [...text.matchAll(/<bdi dir="ltr">([^<]+)<\/bdi>/g)].map(([, email = '']) => email);
}

/** Where the link or button with these words leads. */
function way({ text }: Page, words: string): string {
  const [, href = ''] = new RegExp(`href="([^"]+)"[^>]*>\\s*${words}\\s*<`).exec(text) ?? [];
  assert.ok(href, `no way called ${words}`);
  return href.replaceAll('&amp;', '&');
}

function said({ text }: Page, role = 'status'): string {
  return new RegExp(`role="${role}"[^>]*>([^<]*)`).exec(text)?.[1] ?? '';
}

eachEngine('the page of customers', (engine) => {
  test('says how many there are, none match, or none are there yet', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    assert.equal(said(await ada.browser.get(CUSTOMERS)), '3 contacts');
    await createCustomer(world.installation, OPERATOR, people.organization.id, 'Hooli');
    assert.equal(said(await ada.browser.get(CUSTOMERS)), '3 contacts and 1 customer without contacts');
    const none = await ada.browser.get(`${CUSTOMERS}?q=nobody`);
    assert.equal(said(none), 'No customers match');
    assert.match(none.text, /Try fewer words/);
    assert.doesNotMatch(none.text, /No customers yet/);
  });

  test('is searched, filtered and sorted by its address alone, and each chip takes its own part back', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    const { browser } = ada;
    const narrowed = await browser.get(`${CUSTOMERS}?q=globex&mfa=none&sort=-email`);
    assert.deepEqual(rows(narrowed), [people.noor.email, people.maria.email]);
    assert.match(narrowed.text, /aria-sort="descending"[^>]*>\s*<a class="sort" href="[^"]*sort=email">Email/);
    assert.equal(way(narrowed, 'MFA: Not set up'), `${CUSTOMERS}?q=globex&sort=-email`);
    assert.equal(way(narrowed, '“globex”'), `${CUSTOMERS}?mfa=none&sort=-email`);
    assert.deepEqual(rows(await browser.get(way(narrowed, 'Email'))), [people.maria.email, people.noor.email]);
    assert.equal((await browser.get(`${CUSTOMERS}?mfa=what&portal=3&sort=x&size=7&after=%00&before=W10`)).status, 200);
  });

  test('has pages that lead on and back, and says where they stand', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    for (let n = 0; n < 50; n++) await addContact(world.installation, people.globex, `Kim${n} Doe`);
    const first = await ada.browser.get(CUSTOMERS);
    assert.match(first.text, /1–25 of 53/);
    const second = await ada.browser.get(way(first, 'Next'));
    assert.match(second.text, /26–50 of 53/);
    const third = await ada.browser.get(way(second, 'Next'));
    assert.match(third.text, /51–53 of 53/);
    assert.equal(new Set([first, second, third].flatMap(rows)).size, 53);
    assert.deepEqual(rows(await ada.browser.get(way(third, 'Previous'))), rows(second));
    assert.deepEqual(rows(await ada.browser.get(way(second, 'Previous'))), rows(first));
    assert.equal(rows(await ada.browser.get(way(first, '100'))).length, 53);
  });
});

eachEngine('contacts that Ada has marked', (engine) => {
  test('are told in number and name, and signed out once she has typed the number and said why', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    const { browser } = ada;
    await signsIn(world.installation, people.maria);
    const marked = { view: '', act: 'disable', who1: people.maria.id, who3: people.noor.id };
    const asked = await browser.post(`${CUSTOMERS}/many`, marked);
    assert.match(asked.location ?? '', /\/many\/[\w-]{36}$/);
    const path = asked.location ?? '';
    const page = await browser.get(path);
    assert.equal(page.h1, 'Disable portal access for 2 contacts?');
    assert.match(page.text, /Maria Silva[\s\S]*Noor Haddad/);
    const given = { reason: 'a stolen laptop', number: '2' };
    refusedWith(await browser.post(path, { ...given, number: '3' }), 422, /Type 2 to confirm/);
    refusedWith(await browser.post(path, { ...given, reason: 'so' }), 422, /Say why, in 10 characters or more/);
    assert.equal((await world.account(people.maria)).disabledAt, null);
    const started = await browser.post(path, given);
    assert.match(started.location ?? '', /^\/admin\/jobs\//);
    await openRunner(world.installation).turn();
    assert.notEqual((await world.account(people.maria)).disabledAt, null);
    assert.equal((await world.account(people.eve)).disabledAt, null);
    assert.equal((await browser.get(path)).status, 404);
  });

  test('ask for a fresh proof when the last is over ten minutes old', async () => {
    await using world = await openWorld(engine);
    const { ada } = await scene(world);
    world.clock.advance(11 * MINUTE_MS);
    const { location } = await ada.browser.post(`${CUSTOMERS}/many`, { view: 'q=globex', all: 'on', act: 'sign-out' });
    assert.equal((await ada.browser.get(location ?? '')).h1, 'Sign out 2 contacts?');
    const given = { reason: 'a stolen laptop', number: '2' };
    const asked = await unchanged(world, () => ada.browser.post(location ?? '', given));
    assert.match((await ada.browser.get(asked.location ?? '')).text, /about to sign out 2 contacts\./);
    assert.match((await confirmed(ada, asked)).location ?? '', /^\/admin\/jobs\//);
  });

  test('are nobody where no box is marked, and Sam in support has no boxes at all', async () => {
    await using world = await openWorld(engine);
    const { people, guest, ada } = await scene(world);
    const refused = await ada.browser.post(`${CUSTOMERS}/many`, { view: 'q=globex', act: 'sign-out' });
    refusedWith(refused, 422, /Select at least one contact first/);
    assert.deepEqual(rows(refused), [people.maria.email, people.noor.email]);
    const sam = await guest(people.sam);
    await sam.enrols();
    await sam.signsIn();
    assert.doesNotMatch((await sam.browser.get(CUSTOMERS)).text, /data-many|id="many"/);
    assert.equal((await sam.browser.post(`${CUSTOMERS}/many`, { view: '', all: 'on', act: 'sign-out' })).status, 403);
  });
});

eachEngine('the page of a customer', (engine) => {
  test('says where Maria is signed in, and signs her out there or everywhere', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await scene(world);
    const maria = await guest(people.maria);
    await maria.enrols();
    await maria.signsIn();
    const there = await maria.elsewhere({ userAgent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537.36' });
    await there.signsIn();
    const sam = await guest(people.sam);
    await sam.enrols();
    await sam.signsIn();
    const customer = `${CUSTOMERS}/${people.globex.id}`;
    const page = await sam.browser.get(customer);
    assert.match(page.text, /Firefox on Linux/);
    assert.match(page.text, /Chrome on Windows/);
    const [, end = ''] = /action="([^"]*\/sessions\/[^"]*\/end)"/.exec(page.text) ?? [];
    await sam.browser.post(end);
    assert.match((await sam.browser.follow()).notices.join(' '), /signed out there/);
    const everywhere = `${customer}/contacts/${people.maria.id}/sign-out`;
    assert.match((await sam.browser.get(everywhere)).text, /They are signed out in 1 browser now/);
    await sam.browser.post(everywhere);
    assert.match((await sam.browser.follow()).notices.join(' '), /signed out everywhere: 1 session ended/);
    assert.equal((await maria.browser.get('/portal/acme/home')).status, 303);
    assert.match((await sam.browser.get(everywhere)).text, /isn&#39;t signed in anywhere/);
  });

  test("asks Sam who he is before a contact's email changes, and not for a name", async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const sam = await enrolled(guest(people.sam));
    await sam.signsIn();
    world.clock.advance(11 * MINUTE_MS);
    const path = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/edit`;
    const asked = { name: 'Maria Silva', email: 'eve@elsewhere.test', phone: '' };
    const refused = await unchanged(world, () => sam.browser.post(path, asked));
    const confirm = await sam.browser.get(refused.location ?? '');
    assert.match(confirm.text, /about to change the email of Maria Silva to eve@elsewhere\.test\./);
    const renamed = await sam.browser.post(path, { ...asked, name: 'Maria S.', email: people.maria.email });
    assert.equal(renamed.status, 303);
    assert.equal((await confirmed(sam, refused)).location, `/admin/customers/${people.globex.id}`);
    assert.equal((await world.account(people.maria)).email, asked.email);
  });

  test('lets Ada move Maria to a customer she looks for, and says whose documents Maria will see', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    const path = `${CUSTOMERS}/${people.globex.id}/contacts/${people.maria.id}/move`;
    assert.match((await ada.browser.get(path)).text, /no longer those of Globex/);
    assert.match((await ada.browser.get(`${path}?q=globex`)).text, /No other customer matches/);
    assert.match((await ada.browser.get(`${path}?q=init`)).text, /Initech/);
    refusedWith(await ada.browser.post(path, { search: 'init', target: '' }), 422, /Choose the customer/);
    refusedWith(await ada.browser.post(path, { search: 'init', target: people.globex.id }), 422, /Choose the customer/);
    await ada.browser.post(path, { search: 'init', target: people.initech.id });
    assert.match((await ada.browser.follow()).notices.join(' '), /Maria Silva was moved to Initech/);
  });

  test('lets Ada delete a contact and the customer, in numbers and with a reason', async () => {
    await using world = await openWorld(engine);
    const { people, ada } = await scene(world);
    const customer = `${CUSTOMERS}/${people.globex.id}`;
    const contact = `${customer}/contacts/${people.maria.id}/delete`;
    assert.match((await ada.browser.get(contact)).text, /The documents of Globex stay/);
    refusedWith(await ada.browser.post(contact, { reason: 'so' }), 422, /Say why, in 10 characters or more/);
    await ada.browser.post(contact, { reason: 'left the company' });
    assert.match((await ada.browser.follow()).notices.join(' '), /Maria Silva was deleted/);
    assert.match((await ada.browser.get(`${customer}/delete`)).text, /1 contact is deleted, with passwords and MFA/);
    assert.equal(
      (await ada.browser.post(`${customer}/delete`, { reason: 'no customer any more' })).location,
      CUSTOMERS,
    );
    assert.deepEqual(rows(await ada.browser.get(CUSTOMERS)), [people.eve.email]);
  });
});
