import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createApp } from '../../src/app.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { encodeBase32 } from '../../src/crypto/base32.ts';
import { sql } from '../../src/db/db.ts';
import { anyone } from '../../src/web/guards.ts';
import { route } from '../../src/web/routes.ts';
import type { Person } from '../acme.ts';
import { Visitor, type Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { confirmed, dump, GENERAL, Guest, ownAddress } from './front-door.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly page: Page;
}

/** A browser that remembers what it asked for, what it typed and what it was handed. */
class Witness extends Visitor {
  readonly asked: Asked[];
  readonly secrets: Secrets;

  constructor(app: ConstructorParameters<typeof Visitor>[0], origin: string, asked: Asked[], secrets: Secrets) {
    super(app, origin, { address: ownAddress() });
    this.asked = asked;
    this.secrets = secrets;
  }

  override async send(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Page> {
    for (const [name, value] of new URLSearchParams(body ?? '')) this.#typed(name, value);
    const page = await super.send(method, path, headers, body);
    this.asked.push({ method, path, page });
    for (const [name, value] of this.cookies)
      if (!name.endsWith('notice')) this.secrets.tokens.add(value.split('.').at(-1) ?? '');
    return page;
  }

  #typed(name: string, value: string): void {
    if (name === 'password' && value !== '') this.secrets.passwords.add(value);
    const digits = value.replace(/\D/g, '');
    if (name === 'code' && digits.length === 6) this.secrets.codes.add(digits);
    if (name === 'code' && digits.length === 12) this.secrets.backupCodes.add(digits);
  }
}

/** Everything that nobody may read later, as it was used in the story. */
class Secrets {
  readonly keys = new Set<Uint8Array>();
  readonly uris = new Set<string>();
  readonly codes = new Set<string>();
  readonly backupCodes = new Set<string>();
  readonly passwords = new Set<string>();
  readonly tokens = new Set<string>();
  /** Tokens of one-time links, which stand in the address of the link itself. */
  readonly links = new Set<string>();

  /** As bytes that must stand nowhere, each with what it is. */
  needles(): [what: string, bytes: Buffer][] {
    const all: [string, Buffer][] = [];
    const add = (what: string, ...texts: string[]): void => {
      for (const text of texts) all.push([`${what} ${text}`, Buffer.from(text)]);
    };
    for (const key of this.keys) {
      const bytes = Buffer.from(key);
      all.push(['the bytes of a key', bytes]);
      add('a key', encodeBase32(key), encodeBase32(key).toLowerCase(), grouped(encodeBase32(key)));
      add('a key', bytes.toString('hex'), bytes.toString('hex').toUpperCase());
      add('a key', bytes.toString('base64url'), bytes.toString('base64'));
    }
    for (const uri of this.uris) add('an otpauth URI', uri, uri.replaceAll('&', '&amp;'));
    for (const code of this.backupCodes) add('a backup code', code, ...['-', ' '].map((by) => grouped(code, by)));
    for (const password of this.passwords) add('a password', password, encodeURIComponent(password));
    for (const token of [...this.tokens, ...this.links]) {
      add('a token', token);
      all.push(['the bytes of a token', Buffer.from(token, 'base64url')]);
    }
    return all.filter(([, bytes]) => bytes.length >= 6);
  }

  /** What of all this stands in some bytes; six digits count where they stand alone. */
  in(text: string | Buffer, allowed: readonly string[] = []): string[] {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const found = this.needles().filter(
      ([what, needle]) => !allowed.some((one) => what.includes(one)) && bytes.includes(needle),
    );
    const alone = typeof text === 'string' ? [...text.matchAll(/(?<![\w-])\d{6}(?![\w-])/g)].map(([code]) => code) : [];
    return [
      ...found.map(([what]) => what),
      ...alone.filter((code) => this.codes.has(code)).map((code) => `a code ${code}`),
    ];
  }
}

function grouped(text: string, by = ' '): string {
  return text.match(/.{1,4}/g)?.join(by) ?? text;
}

/** What a page is there to show: the key while it is set up, the codes while they are saved, a link once. */
function shownOn({ path }: Asked, secrets: Secrets): string[] {
  if (path.endsWith('/enable-mfa/scan')) return ['a key', 'an otpauth URI'];
  // Verify shows the QR code again, and so the key beside it (C5).
  if (path.endsWith('/enable-mfa/verify')) return ['a key'];
  if (/\/enable-mfa\/backup-codes(\/download)?$/.test(path)) return ['a backup code'];
  if (path.endsWith('/welcome-link')) return [...secrets.links];
  // The form of a one-time link's own page is sent to the address that it stands at.
  return [...secrets.links].filter((token) => path.endsWith(`/${token}`));
}

const STRONG = { ada: 'seven quiet llamas knit', maria: 'eleven green kettles hum' };

interface Told {
  readonly asked: Asked[];
  readonly secrets: Secrets;
}

/** The whole story, from the set-up link to a reset, with wrong turns, refusals and faults on the way. */
async function tell(world: World): Promise<Told> {
  const asked: Asked[] = [];
  const secrets = new Secrets();
  const app = await world.app();
  const browser = (): Witness => new Witness(app, world.publicUrl, asked, secrets);
  const guestOf = (person: Omit<Person, 'organizationId' | 'id'>): Guest =>
    new Guest(world, { ...person, organizationId: '', id: '' }, 'acme-billing', browser());
  const ada = await setsUp(
    guestOf({ surface: 'admin', name: 'Ada', email: 'ada@acme.test', password: STRONG.ada }),
    secrets,
  );
  const customer = await invites(ada, secrets);
  const link = customer.link;
  const maria = guestOf({ surface: 'portal', name: 'Maria', email: 'maria@globex.test', password: STRONG.maria });
  await maria.browser.get(link);
  await maria.browser.post(link, { email: maria.person.email, password: 'passwordpassword' });
  await maria.browser.post(link, { email: maria.person.email, password: STRONG.maria, extra: 'x' });
  await maria.browser.post(link, { email: maria.person.email, password: STRONG.maria });
  await maria.browser.get(link);
  await comesAndGoes(maria, secrets);
  await isReset(ada, maria, customer.contact);
  await goesWrong(world, maria, asked, secrets);
  return { asked, secrets };
}

async function setsUp(ada: Guest, secrets: Secrets): Promise<Guest> {
  const token = (await offerSetup(ada.world.installation)) ?? '';
  secrets.links.add(token);
  const form = { name: 'Ada Owens', email: ada.person.email, organization: 'Acme Billing', contactDetails: 'Call us' };
  await ada.browser.get(`/setup/${token}`);
  await ada.browser.post(`/setup/${token}`, { ...form, timeZone: 'UTC', password: 'acme' });
  await ada.browser.post(`/setup/${token}`, { ...form, timeZone: 'UTC', password: STRONG.ada });
  await ada.browser.get(`/setup/${token}`);
  await isEnrolled(ada, secrets);
  await ada.signsIn();
  await ada.browser.post(GENERAL, {
    mfa: 'on',
    name: 'Acme Billing',
    contactDetails: 'Call us',
  });
  await ada.browser.follow();
  return ada;
}

/** The ceremony page by page, so that each one is seen; a wrong code on the way. */
async function isEnrolled(one: Guest, secrets: Secrets): Promise<void> {
  const at = `${one.door}/enable-mfa`;
  await one.browser.get(at);
  await one.configures();
  secrets.keys.add(one.secret);
  const uri = /href="(otpauth:[^"]+)"/.exec(one.browser.page.text)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(uri);
  secrets.uris.add(uri);
  await one.browser.get(`${at}/qr.svg`);
  await one.browser.get(`${at}/verify`);
  await one.verifies(one.wrongCode());
  await one.verifies();
  await one.browser.get(`${at}/enable`);
  await one.browser.post(`${at}/enable`);
  await one.browser.get(`${at}/backup-codes`);
  await one.browser.post(`${at}/backup-codes`);
  const { text } = await one.browser.get(`${at}/backup-codes`);
  one.codes = [...text.matchAll(/<code dir="ltr">([\d-]+)<\/code>/g)].map(([, code = '']) => code);
  for (const code of one.codes) secrets.backupCodes.add(code.replaceAll('-', ''));
  assert.equal(one.codes.length, 5);
  await one.browser.post(`${at}/backup-codes/download`);
  await one.browser.post(`${at}/done`);
  await one.browser.follow();
}

async function invites(ada: Guest, secrets: Secrets): Promise<{ contact: string; link: string }> {
  const form = { customer: 'Globex', name: 'Maria Silva', email: 'maria@globex.test', phone: '+1 555 0100' };
  await ada.browser.post('/admin/customers/new', { ...form, name: '' });
  await ada.browser.post('/admin/customers/new', form);
  const page = await ada.browser.follow();
  const [, contact = ''] = /(\/admin\/customers\/[^"/]+\/contacts\/[^"/]+)\/welcome-link/.exec(page.text) ?? [];
  await ada.browser.post(`${contact}/welcome-link`);
  const first = /\/welcome\/([\w-]{43})/.exec(ada.browser.page.text)?.[1] ?? '';
  await ada.browser.post(`${contact}/welcome-link`);
  const token = /\/welcome\/([\w-]{43})/.exec(ada.browser.page.text)?.[1] ?? '';
  for (const one of [first, token]) secrets.links.add(one);
  await ada.browser.get(contact.replace(/\/contacts.*/, ''));
  return { contact, link: `/portal/acme-billing/welcome/${token}` };
}

async function comesAndGoes(maria: Guest, secrets: Secrets): Promise<void> {
  await maria.password('a password of long ago');
  await maria.password();
  await isEnrolled(maria, secrets);
  await maria.password();
  await maria.code(maria.world.codeFor(maria.secret));
  await maria.code(maria.wrongCode());
  await maria.code(maria.nextCode());
  for (const page of ['home', 'security', 'session']) await maria.browser.get(`${maria.door}/${page}`);
  await maria.browser.post(`${maria.door}/sign-out`);
  await maria.password();
  await maria.backupCode('123456789012');
  await maria.backupCode(maria.codes[0] ?? '');
  await maria.browser.follow();
  await maria.password();
  await maria.code(maria.codes[0] ?? '');
  await maria.code(maria.codes[1] ?? '');
  await maria.browser.follow();
}

async function isReset(ada: Guest, maria: Guest, contact: string): Promise<void> {
  ada.world.clock.advance(11 * MINUTE_MS);
  const reset = `${contact}/reset-mfa`;
  const reason = { check: 'called-number-on-file', note: 'She lost her phone.' };
  await ada.browser.get(reset);
  const asked = await ada.browser.post(reset, reason);
  await confirmed(ada, asked, { password: 'not her password' });
  await confirmed(ada, asked, { password: STRONG.ada, code: ada.wrongCode() });
  await confirmed(ada, asked, { password: STRONG.ada });
  assert.equal((await ada.browser.follow()).status, 200);
  await maria.browser.get(`${maria.door}/home`);
  await maria.password();
  await maria.browser.get(`${maria.door}/enable-mfa`);
}

async function goesWrong(world: World, maria: Guest, asked: Asked[], secrets: Secrets): Promise<void> {
  await isEnrolled(maria, secrets);
  const { browser, door } = maria;
  await maria.password();
  const code = maria.nextCode();
  await browser.post(`${door}/verify`, `code=${code}&code=${code}`);
  await browser.send('POST', `${door}/verify`, { 'content-type': 'application/json' }, JSON.stringify({ code }));
  await browser.post(`${door}/verify`, { code, password: STRONG.maria });
  await browser.post(`${door}/nothing`, { code });
  await browser.post(`${door}/sign-in`, { email: maria.person.email, password: STRONG.maria.padEnd(20_000, '!') });
  const failing = createApp(world.house(), [route('GET', '/fault', anyone, () => assert.fail('a fault in a page'))]);
  await new Witness(failing, world.publicUrl, asked, secrets).get('/fault');
  await world.change(sql`UPDATE authenticators SET secret = 'v1.unreadable' WHERE secret IS NOT NULL`);
  await maria.code(code);
  for (let at = 0; at < 5; at++) await maria.backupCode(`00000000000${at}`);
  await maria.password();
  await maria.backupCode('111111111111');
  for (let at = 0; at < 12; at++) await maria.password('wrong passwords in a row');
}

eachEngine('nothing secret', (engine) => {
  let world: World;
  let asked: Asked[];
  let secrets: Secrets;
  before(async () => {
    world = await openWorld(engine);
    ({ asked, secrets } = await tell(world));
  });
  after(() => world.close());

  test('lies in the database, the log, an address or a page that is not there to show it', async () => {
    const statuses = new Set(asked.map(({ page }) => page.status));
    for (const status of [200, 303, 400, 404, 413, 415, 422, 429, 500])
      assert.ok(statuses.has(status), `the story has no ${status}`);
    assert.ok(secrets.keys.size === 3 && secrets.backupCodes.size > 15 && secrets.codes.size > 8);
    assert.ok(secrets.tokens.size > 10 && secrets.passwords.size > 6 && secrets.links.size === 3);

    const rows = await dump(world);
    for (const [table, texts] of Object.entries(rows)) assert.deepEqual(secrets.in(texts.join('\n')), [], table);
    assert.ok((rows['audit_rows'] ?? []).length > 40);
    if (engine === 'sqlite')
      for (const file of [world.place, `${world.place}-wal`])
        if (existsSync(file)) assert.deepEqual(secrets.in(readFileSync(file)), [], file);

    const faults = world.log.lines.filter(({ level }) => level === 'error');
    assert.ok(faults.length >= 2, 'the faults were logged');
    for (const line of world.log.lines) assert.deepEqual(secrets.in(JSON.stringify(line)), [], JSON.stringify(line));

    for (const one of asked) {
      const { method, path, page } = one;
      const links = [...secrets.links];
      assert.deepEqual(secrets.in(path, links), [], path);
      for (const token of links)
        assert.ok(!path.includes(token) || /^(\/setup|\/portal\/acme-billing\/welcome)\/[\w-]{43}$/.test(path), path);
      assert.deepEqual(secrets.in(page.location ?? ''), [], `Location of ${path}`);
      assert.deepEqual(secrets.in(page.text, shownOn(one, secrets)), [], `${method} ${path}: ${page.status}`);
    }
  });

  test('is missed by the search: it finds each where each is meant to be seen', () => {
    const all = asked.map(({ page }) => page.text).join('\n');
    const found = new Set(secrets.in(all).map((what) => what.split(' ').slice(0, 3).join(' ')));
    for (const what of ['a key', 'an otpauth URI', 'a backup code', 'a token'])
      assert.ok(
        [...found].some((one) => one.startsWith(what)),
        `${what} is not found`,
      );
    const code = [...secrets.codes][0] ?? '';
    assert.deepEqual(secrets.in(`{"note":"${code}"}`), [`a code ${code}`]);
    assert.deepEqual(secrets.in(`1${code}`), []);
    for (const bytes of [...secrets.keys].map((key) => Buffer.concat([Buffer.from('x'), key])))
      assert.deepEqual(secrets.in(bytes), ['the bytes of a key']);
  });
});
