import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';
import { addsPasskey, Authenticator, optionsAt, takePasskeys, type Fault } from '../authenticator.ts';
import type { Page } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { inside, refusedWith, stage, type Guest, type Stage } from './front-door.ts';

const SIGN_IN = '/portal/acme/sign-in';
const SECURITY = '/portal/acme/security';

const offered = (page: Page): boolean[] => [
  page.text.includes('Sign in with a passkey'),
  page.text.includes('autocomplete="username webauthn"'),
];

eachEngine('the pages of passkeys', (engine) => {
  let world: World;
  let people: Stage['people'];
  let guest: Stage['guest'];
  let maria: Guest;
  let device: Authenticator;
  let passkey: string;
  before(async () => {
    world = await openWorld(engine);
    ({ people, guest } = await stage(world));
    await takePasskeys(world, people.organization, 'sign-in');
    maria = await inside(guest(people.maria));
    device = new Authenticator(world.publicUrl);
    passkey = await addsPasskey(maria, device);
  });
  after(() => world.close());

  /** Password, then the passkey in place of the code. */
  const verifies = async (one: Guest, fault: Fault = {}): Promise<Page> => {
    const response = device.use(await optionsAt(one.browser, `${one.door}/verify/passkey-options`), fault);
    return one.browser.post(`${one.door}/verify/passkey`, { response });
  };

  test('the sign-in page offers one where the organization takes it alone, and only there', async () => {
    const browser = await world.visitor();
    assert.deepEqual(offered(await browser.get(SIGN_IN)), [true, true]);
    assert.deepEqual(offered(await browser.get('/admin/sign-in')), [false, false]);
    await takePasskeys(world, people.organization, 'second-factor');
    assert.deepEqual(offered(await browser.get(SIGN_IN)), [false, false]);
    assert.equal((await browser.post(`${SIGN_IN}/passkey-options`)).status, 404);
    await takePasskeys(world, people.organization, 'sign-in');
  });

  test('Maria signs in with it alone, and programs behind the door are told so', async () => {
    const other = await maria.elsewhere();
    const response = device.use(await optionsAt(other.browser, `${SIGN_IN}/passkey-options`));
    const page = await other.browser.post(`${SIGN_IN}/passkey`, { response });
    assert.equal(page.location, '/portal/acme/home');
    assert.deepEqual([...other.browser.cookies.keys()].toSorted(), ['__Host-sallyport', '__Host-sallyport-passkey']);
    const told = JSON.parse((await other.browser.get('/portal/acme/session')).text) as Record<string, unknown>;
    assert.equal(told['provedBy'], 'passkey');
    assert.equal(told['provedAt'], told['signedInAt']);
  });

  test('one that is not right says the same whatever was wrong, and leads on to the password', async () => {
    const other = await maria.elsewhere();
    const stranger = new Authenticator(world.publicUrl);
    stranger.make({ challenge: '', user: { id: Buffer.from(people.maria.id).toString('base64url') } });
    const texts: string[] = [];
    for (const [with_, fault] of [
      [device, { clear: 4 }],
      [stranger, {}],
      [device, { client: { origin: 'https://evil.test' } }],
    ] as [Authenticator, Fault][]) {
      const response = with_.use(await optionsAt(other.browser, `${SIGN_IN}/passkey-options`), fault);
      const page = await other.browser.post(`${SIGN_IN}/passkey`, { response });
      refusedWith(page, 422, /We couldn't use that passkey\. Sign in with your email and password/);
      texts.push(page.text);
    }
    for (const response of ['', '{}', '[]', 'null'])
      texts.push((await other.browser.post(`${SIGN_IN}/passkey`, { response })).text);
    assert.equal(new Set(texts).size, 1);
  });

  test('the code page offers it to whoever has one, in its place among the other ways (R29)', async () => {
    const other = await maria.elsewhere();
    await other.password();
    const page = await other.browser.get('/portal/acme/verify');
    const ways = ['Use a backup code', '>Use a passkey</a>', "I don't have my backup codes"];
    const places = ways.map((words) => page.text.replaceAll('&#39;', "'").indexOf(words));
    assert.deepEqual(
      places,
      places.toSorted((one, next) => one - next),
    );
    assert.ok(places.every((place) => place > 0));
    const noor = await guest(people.noor);
    await noor.enrols();
    await noor.password();
    assert.doesNotMatch((await noor.browser.get('/portal/acme/verify')).text, /passkey/);
  });

  test('without script its page says so, and leads to the other ways', async () => {
    const other = await maria.elsewhere();
    await other.password();
    const page = await other.browser.get('/portal/acme/verify/passkey');
    assert.equal(page.h1, 'Use a passkey');
    assert.match(page.text, /<p data-unable>This browser can(&#39;|')t use passkeys\.<\/p>/);
    assert.match(page.text, /<form[^>]*hidden[^>]*data-passkey="get"/);
    assert.match(page.text, /Use my authenticator app instead/);
  });

  test('Maria uses it in place of the code, also while she has to wait for wrong ones', async () => {
    const other = await maria.elsewhere();
    await other.password();
    for (let n = 0; n < 5; n++) await other.code(other.wrongCode());
    await other.password();
    const waiting = await other.browser.get('/portal/acme/verify');
    refusedWith(waiting, 429, /You've entered too many wrong codes/);
    assert.match(waiting.text, /verify\/passkey">Use a passkey/);
    assert.equal((await verifies(other)).location, '/portal/acme/home');
  });

  test('one that is refused costs a try of the sign-in, and the last one leads back to the password', async () => {
    const other = await maria.elsewhere();
    await other.password();
    const fault = { rpId: 'evil.test' };
    for (let n = 0; n < 3; n++)
      refusedWith(await verifies(other, fault), 422, /We couldn't use that passkey\. Try again/);
    refusedWith(await verifies(other, fault), 422, /You have 1 try left/);
    assert.equal((await verifies(other, fault)).location, SIGN_IN);
    assert.match((await other.browser.follow()).notices.join(), /too many wrong codes/);
  });

  test('adding one asks for a fresh proof first, then goes on; the page says so where there is no script (C18)', async () => {
    const other = await maria.elsewhere();
    await other.signsIn();
    world.clock.advance(11 * MINUTE_MS);
    const path = `${SECURITY}/passkeys/add`;
    assert.match((await other.browser.get(path)).location ?? '', /^\/portal\/acme\/confirm\?form=/);
    const asked = await other.browser.follow();
    assert.match(asked.text, /You(&#39;|')re about to add a passkey\./);
    assert.match(asked.text, /data-passkey="get"/);
    assert.equal((await other.browser.post(`${path}/options`)).status, 401);
    const form = /name="form" value="([\w-]+)"/.exec(asked.text)?.[1] ?? '';
    const response = device.use(await optionsAt(other.browser, '/portal/acme/confirm/passkey-options'));
    assert.equal((await other.browser.post('/portal/acme/confirm/passkey', { form, response })).location, path);
    const page = await other.browser.follow();
    assert.equal(page.h1, 'Add a passkey');
    assert.match(page.text, /Sign in with your fingerprint, face or screen lock\. No code needed\./);
    assert.match(page.text, /<p data-unable>This browser can(&#39;|')t make passkeys\.<\/p>/);
    assert.match(page.text, /data-cancelled="Nothing was added\. Try again when you(&#39;|')re ready\."/);
    assert.match(page.text, /value="Firefox on Linux"/);
  });

  test('a passkey needs a name of 1 to 50 characters, and what was typed stays', async () => {
    const other = await maria.elsewhere();
    await other.signsIn();
    const path = `${SECURITY}/passkeys/add`;
    refusedWith(await other.browser.post(path, { name: ' ', response: 'x' }), 422, /Enter a name for this passkey/);
    const long = 'é'.repeat(51);
    const page = await other.browser.post(path, { name: long, response: 'x' });
    refusedWith(page, 422, /The name must be 50 characters or fewer/);
    assert.match(page.text, new RegExp(`value="${long}"`));
    for (const response of ['', '{"id":7}'])
      refusedWith(await other.browser.post(path, { name: 'Key', response }), 422, /Nothing was added/);
    const held = await addsPasskey(other, new Authenticator(world.publicUrl), '<b>Ma’s</b> “key”');
    assert.ok(held);
    assert.match(other.browser.page.text, /&lt;b&gt;Ma’s&lt;\/b&gt; “key”/);
    assert.match(other.browser.page.notices.join(), /Your passkey was added/);
  });

  test('Maria renames it', async () => {
    const path = `${SECURITY}/passkeys/${passkey}/rename`;
    const other = await maria.elsewhere();
    await other.signsIn();
    assert.equal((await other.browser.get(path)).h1, 'Rename a passkey');
    refusedWith(await other.browser.post(path, { name: '' }), 422, /Enter a name/);
    assert.equal((await other.browser.post(path, { name: 'Old laptop' })).location, SECURITY);
    assert.match((await other.browser.follow()).text, /<dt>Old laptop<\/dt>/);
  });

  test('removing one says in numbers what it does, asks for a fresh proof, and ends every session', async () => {
    const other = await maria.elsewhere();
    await other.signsIn();
    const gone = await addsPasskey(other, new Authenticator(world.publicUrl), 'Lost key');
    const path = `${SECURITY}/passkeys/${gone}/remove`;
    const page = await other.browser.get(path);
    assert.equal(page.h1, 'Remove this passkey?');
    assert.match(page.text, /<bdi>Lost key<\/bdi> will no longer sign you in\.\s+2 others stay\./);
    assert.match(page.text, /You are signed out everywhere, in \d+ browsers, and sign in again\./);
    world.clock.advance(11 * MINUTE_MS);
    assert.match((await other.browser.post(path)).location ?? '', /\/confirm\?form=/);
    const form = (other.browser.page.location ?? '').split('form=')[1] ?? '';
    await other.browser.follow();
    const response = device.use(await optionsAt(other.browser, '/portal/acme/confirm/passkey-options'));
    const done = await other.browser.post('/portal/acme/confirm/passkey', { form, response });
    assert.equal(done.location, SIGN_IN);
    assert.match((await other.browser.follow()).notices.join(), /Your passkey was removed/);
    assert.equal((await maria.browser.get('/portal/acme/home')).location, SIGN_IN);
    await maria.signsIn();
    assert.doesNotMatch((await maria.browser.get(SECURITY)).text, /Lost key/);
  });

  test('where the organization takes none any more they stay in the list, and none can be added', async () => {
    await takePasskeys(world, people.organization, 'off');
    const page = await maria.browser.get(SECURITY);
    assert.match(page.text, /<dt>Old laptop<\/dt>/);
    assert.match(page.text, /Acme Billing does not accept passkeys at the moment\./);
    assert.doesNotMatch(page.text, /passkeys\/add/);
    assert.equal((await maria.browser.get(`${SECURITY}/passkeys/add`)).location, SECURITY);
    assert.match((await maria.browser.follow()).notices.join(), /does not accept passkeys/);
    await takePasskeys(world, people.organization, 'sign-in');
  });

  test('a copy of one is shown to its owner', async () => {
    await world.change(sql`UPDATE passkeys SET copied_at = ${world.clock.now} WHERE id = ${passkey}`);
    assert.match((await maria.browser.get(SECURITY)).text, /May have been copied/);
  });

  test('whoever came in by one although the password is held to be stolen is told so', async () => {
    await world.change(sql`UPDATE accounts SET suspected_at = ${world.clock.now} WHERE id = ${people.maria.id}`);
    const other = await maria.elsewhere();
    const response = device.use(await optionsAt(other.browser, `${SIGN_IN}/passkey-options`));
    await other.browser.post(`${SIGN_IN}/passkey`, { response });
    const page = await other.browser.follow();
    assert.match(page.notices.join(), /Your password may be known to someone else, so it no longer signs you in/);
    await world.change(sql`UPDATE accounts SET suspected_at = NULL WHERE id = ${people.maria.id}`);
  });

  test('password managers find the pages at the well-known address, where there is one portal that takes them (R38)', async () => {
    const browser = await world.visitor();
    const page = await browser.get('/.well-known/passkey-endpoints');
    assert.match(page.headers.get('content-type') ?? '', /^application\/json/);
    const security = `${world.publicUrl}${SECURITY}`;
    assert.deepEqual(JSON.parse(page.text), { enroll: `${security}/passkeys/add`, manage: security });
    await takePasskeys(world, people.organization, 'off');
    assert.equal((await browser.get('/.well-known/passkey-endpoints')).status, 404);
    await takePasskeys(world, people.organization, 'sign-in');
    await acme(world.installation, 'other');
    assert.equal((await browser.get('/.well-known/passkey-endpoints')).status, 404);
  });
});
