import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { unchanged, enrolled } from '../surface/front-door.ts';
import { eachEngine } from '../world.ts';
import { everyPost, FORM, lay, nameOf, takes, type Siege } from './siege.ts';

/** Names under which other products have taken the subject from the request. */
const SUBJECTS = [
  'account',
  'accountId',
  'account_id',
  'user',
  'userId',
  'username',
  'contact',
  'contactId',
  'customer_id',
  'organization',
  'organizationId',
  'organization_id',
  'id',
  'sub',
  'surface',
  'challenge',
  'challenge_id',
  'session',
  'secret',
  'verified',
  'mfa_verified',
  'factor',
  'step',
  'purpose',
  'email',
  'slug',
];

eachEngine('a subject that the client chooses (ASVS 8.2.2, 8.2.3, 4.1.3)', (engine) => {
  let siege: Siege;
  before(async () => void (siege = await lay(engine)));
  after(() => siege[Symbol.asyncDispose]());

  test('is in no form: every form is refused as soon as it names anybody or anything beside its own fields', async () => {
    const { id } = siege.people.eve;
    for (const { name, world, browser, path, fields } of everyPost(siege)) {
      await unchanged(world, async () => {
        for (const subject of SUBJECTS.filter((one) => !(one in fields))) {
          const named = { ...fields, [subject]: id };
          if (isOwn(name, subject)) continue;
          assert.equal((await browser.post(path, named)).status, 400, `${subject} at ${name}`);
          const first = new URLSearchParams({ [subject]: id, ...fields }).toString();
          assert.equal((await browser.post(path, first)).status, 400, `${subject} first at ${name}`);
        }
      });
    }
  });

  test('is in no query, header or cookie: who owes a code is who gave the password', async () => {
    const { world, people, maria, guest } = siege;
    const eve = await enrolled(guest(people.eve));
    const { email, id } = people.maria;
    const query = new URLSearchParams(SUBJECTS.map((name) => [name, name === 'email' ? email : id])).toString();
    const headers = Object.fromEntries(
      ['x-user-id', 'x-account-id', 'x-organization-id', 'x-email', 'x-user', 'x-subject'].map((name) => [name, id]),
    );
    const other = await eve.elsewhere({ headers });
    for (const name of SUBJECTS) other.browser.cookies.set(name, id);
    await other.browser.post(`${other.door}/sign-in?${query}`, {
      email: people.eve.email,
      password: people.eve.password,
    });
    world.clock.advance(30_000);
    await unchanged(world, async () => {
      assert.equal((await other.browser.get(`${other.door}/verify?${query}`)).status, 200);
      assert.doesNotMatch(other.browser.page.text, /maria/i);
    });
    const wrong = await other.browser.post(`${other.door}/verify?${query}`, { code: world.codeFor(maria.secret) });
    assert.equal(wrong.status, 422, 'a code of her own phone opens nothing at the challenge of somebody else');
    await other.browser.post(`${other.door}/verify?${query}`, { code: world.codeFor(eve.secret) });
    const told = await other.browser.get(`${other.door}/session?${query}`);
    assert.equal((JSON.parse(told.text) as { contact: { id: string } }).contact.id, people.eve.id);
  });

  test('changes no page: a query that names somebody else is not read', async () => {
    const { people, maria, ada, fill } = siege;
    const query = new URLSearchParams(SUBJECTS.map((name) => [name, people.eve.id])).toString();
    for (const { path } of ROUTES.filter(({ method, who }) => method === 'GET' && /^(contact|staff)/.test(who))) {
      const { browser } = path.startsWith('/admin') ? ada : maria;
      const plain = await browser.get(fill(path));
      const named = await browser.get(`${fill(path)}?${query}`);
      // A page that waits for a fresh proof is kept under an id of its own each time.
      const [led, leads] = [named, plain].map(({ location }) => location?.replace(/form=[\w-]+$/, 'form='));
      assert.deepEqual([named.status, led, named.text], [plain.status, leads, plain.text], path);
    }
  });

  test('what was refused above was refused for the name in it: every form is taken without', async () => {
    for (const post of everyPost(siege)) await takes(post);
  });
});

// The settings carry the policy that their page was made for; every other field of a form is in what `siege` sends.
function isOwn(name: string, subject: string): boolean {
  return name.endsWith('/general') && subject === 'policy';
}

describe('a subject that is hidden in another encoding (ASVS 8.2.3)', () => {
  test('is refused with the whole form: JSON and text are no forms, nor is multipart where no file is asked for', async () => {
    await using siege = await lay('sqlite');
    for (const { name, world, browser, path, fields } of everyPost(siege)) {
      const named = { ...fields, accountId: siege.people.eve.id };
      const part = Object.entries(named).map(
        ([field, value]) => `--x\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
      );
      const bodies: [type: string, body: string][] = [
        ['application/json', JSON.stringify(named)],
        ['multipart/form-data; boundary=x', `${part.join('')}--x--`],
        ['text/plain', new URLSearchParams(named).toString()],
        [`${FORM}; charset=utf-7`, new URLSearchParams(named).toString()],
      ];
      await unchanged(world, async () => {
        for (const [type, body] of bodies) {
          const page = await browser.send('POST', path, { 'content-type': type }, body);
          // There the form is read, and refused for the name in it.
          const read = type.startsWith('multipart') && takesFile(name);
          assert.equal(page.status, read ? 400 : 415, `${type} at ${name}`);
        }
      });
    }
  });
});

function takesFile(name: string): boolean {
  return ROUTES.some((route) => nameOf(route) === name && route.bodyMax !== undefined);
}
