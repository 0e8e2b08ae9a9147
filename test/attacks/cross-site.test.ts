import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  confirmed,
  GENERAL,
  parkedBy,
  refusedWith,
  stage,
  unchanged,
  enrolled,
  inside,
} from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';
import { everyPost, FORM, lay, takes, type Siege } from './siege.ts';

const OWN = 'https://sallyport.test';

/** How a form arrives that no page of ours has sent. Undefined takes away what the browser would send by itself. */
const FOREIGN: [what: string, headers: Record<string, string>][] = [
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another site that claims our origin', { 'sec-fetch-site': 'cross-site', origin: OWN }],
  ['a sister site', { 'sec-fetch-site': 'same-site', origin: 'https://www.sallyport.test' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
  ['a word in capitals', { 'sec-fetch-site': 'SAME-ORIGIN' }],
  ['two words', { 'sec-fetch-site': 'same-origin, cross-site', origin: OWN }],
  ['an empty word', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
];

/** The same for a browser that does not say from where. */
const OLD_BROWSERS: [what: string, headers: Record<string, string>][] = [
  ['nowhere', {}],
  ['a withheld origin', { origin: 'null' }],
  ['a foreign origin', { origin: 'https://evil.example' }],
  ['an origin that ends like ours', { origin: 'https://evilsallyport.test' }],
  ['an origin with our name before it', { origin: `${OWN}.evil.example` }],
  ['our origin with a path', { origin: `${OWN}/` }],
  ['our host without https', { origin: 'http://sallyport.test' }],
  ['two origins', { origin: `${OWN}, https://evil.example` }],
  ['our address as referrer alone', { referer: `${OWN}/admin` }],
];

eachEngine('disabling, resetting and regenerating from another site (ASVS 3.5.1, 3.5.3)', (engine) => {
  let siege: Siege;
  before(async () => void (siege = await lay(engine)));
  after(() => siege[Symbol.asyncDispose]());

  test('is refused at every form, with the right cookies and the right fields, and takes no cookie away', async () => {
    for (const { name, world, browser, path, fields } of everyPost(siege)) {
      const app = await world.app();
      const cookie = [...browser.cookies].map((pair) => pair.join('=')).join('; ');
      await unchanged(world, async () => {
        for (const [what, headers] of [...FOREIGN, ...OLD_BROWSERS]) {
          const answer = await app.request(`${OWN}${path}`, {
            method: 'POST',
            headers: { 'content-type': FORM, cookie, ...headers },
            body: new URLSearchParams({ ...fields }).toString(),
          });
          assert.equal(answer.status, 403, `${name} from ${what}`);
          assert.deepEqual(answer.headers.getSetCookie(), [], `${name} from ${what}`);
        }
      });
    }
  });

  test('what was refused above was refused for where it came from: every form of ours is taken', async () => {
    for (const post of everyPost(siege)) await takes(post);
  });
});

eachEngine('disabling, resetting and regenerating without a fresh proof (ASVS 7.5.1, 7.5.3)', (engine) => {
  test('is asked for password and code after ten minutes, and neither a backup code nor an old code will do', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const ada = await inside(guest(people.ada));
    const used = world.codeFor(ada.secret);
    world.clock.advance(10 * MINUTE_MS + 1);
    const reset = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
    const policy = { policy: 'required', mfa: '', name: 'Acme', contactDetails: 'Call us' };
    const { password } = people.ada;
    const proofs = [
      { password: '', code: '' },
      { password, code: '' },
      { password: '', code: world.codeFor(ada.secret) },
      { password, code: used },
      { password, code: ada.codes[0] ?? '' },
      { password: people.maria.password, code: world.codeFor(ada.secret) },
      { password, code: world.codeFor(maria.secret) },
    ];
    const epoch = (await world.account(people.maria)).epoch;
    const asked = await ada.browser.post(reset, { check: 'met-in-person', note: '' });
    const other = await ada.browser.post(GENERAL, policy);
    for (const proof of proofs) {
      assert.equal((await confirmed(ada, asked, proof)).status, 422);
      assert.equal((await confirmed(ada, other, proof)).status, 422);
    }
    assert.equal((await world.account(people.maria)).epoch, epoch);
    assert.equal((await confirmed(ada, asked)).location, `/admin/customers/${people.globex.id}`);
    assert.equal((await world.account(people.maria)).epoch, epoch + 1);
  });

  test('every act on the team asks for the same: without it nobody is invited, promoted, reset or removed', async () => {
    await using siege = await lay(engine);
    const { world, ada, posts } = siege;
    world.clock.advance(10 * MINUTE_MS + 1);
    const acts = posts.filter(({ name }) => name.startsWith('POST /admin/team/'));
    assert.equal(acts.length, 6);
    await unchanged(world, async () => {
      for (const { browser, path, fields } of acts) parkedBy(await browser.post(path, fields));
    });
    for (const { name, browser, path, fields } of acts) {
      world.clock.advance(10 * MINUTE_MS + 1);
      const page = await confirmed(ada, await browser.post(path, fields));
      assert.ok([200, 303].includes(page.status), `${name}: ${page.status}`);
    }
  });

  test('a session that a backup code opened changes nothing at the console, however fresh', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await enrolled(guest(people.ada));
    await ada.password();
    await ada.backupCode(ada.codes[0] ?? '');
    const contact = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}`;
    await unchanged(world, async () => {
      for (const act of ['reset-mfa', 'disable', 'enable', 'unlock', 'welcome-link', 'edit'])
        refusedWith(await ada.browser.post(`${contact}/${act}`), 403, /signed in with a backup code/);
      for (const act of ['role', 'reset-mfa', 'sign-out', 'remove', 'invitation-link'])
        refusedWith(
          await ada.browser.post(`/admin/team/${people.otto.id}/${act}`),
          403,
          /signed in with a backup code/,
        );
      for (const path of [GENERAL, '/admin/team/invite'])
        refusedWith(await ada.browser.post(path), 403, /signed in with a backup code/);
    });
  });

  test('the ceremony’s own codes are drawn once: no second press, and no session, draws another five', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.enables();
    const codes = `${maria.door}/enable-mfa/backup-codes`;
    for (const again of [codes, `${codes}/download`]) await maria.browser.post(again);
    assert.equal((await world.rows('backup_codes')).length, 5);
    await maria.browser.post(`${maria.door}/enable-mfa/done`);
    await maria.signsIn();
    await unchanged(world, async () => {
      assert.equal((await maria.browser.post(codes)).location, `${maria.door}/sign-in`);
      assert.equal((await maria.browser.post(`${maria.door}/enable-mfa`)).location, `${maria.door}/sign-in`);
    });
  });
});
