import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql, type Sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';
import { stage, enrolled } from '../surface/front-door.ts';
import type { Page } from '../visitor.ts';
import { DAY_MS, eachEngine, openWorld } from '../world.ts';
import { invite, inviteStaff, lay } from './siege.ts';

/** All that can be seen of an answer; what was asked for itself is taken out. */
function face(page: Page, asked = '\0'): object {
  const headers = [...page.headers].filter(([name]) => name !== 'date' && name !== 'set-cookie');
  return {
    status: page.status,
    headers,
    cookies: page.headers.getSetCookie().length,
    text: page.text.replaceAll(asked, '…'),
  };
}

const idOf = (name: string): Sql => sql`(SELECT id FROM accounts WHERE name = ${name})`;

eachEngine('enumeration by text, status or size (ASVS 6.3.8)', (engine) => {
  test('every link that does not work looks alike: never made, spent, old, cut short or of a closed access', async () => {
    await using siege = await lay(engine);
    const { world, people, ada, fill } = siege;
    const at = async (name: string): Promise<[id: string, token: string]> => {
      const id = await invite(world, people, name);
      const page = await ada.browser.post(`/admin/customers/${people.globex.id}/contacts/${id}/welcome-link`);
      return [id, /\/welcome\/([\w-]{43})/.exec(page.text)?.[1] ?? ''];
    };
    const [[, old], [closed, shut], [taken, spent]] = [
      await at('Ola One'),
      await at('Cleo Two'),
      await at('Tess Three'),
    ];
    await ada.browser.post(`/admin/customers/${people.globex.id}/contacts/${closed}/disable`);
    await world.change(sql`UPDATE welcome_links SET spent_at = 1 WHERE account_id = ${taken}`);
    const living = fill(':token');
    const stranger = await world.visitor();
    const faces = async (path: (token: string) => string, tokens: string[]): Promise<object[]> => {
      const all: object[] = [];
      for (const token of tokens) all.push(face(await stranger.get(path(token)), token));
      for (const token of tokens)
        all.push(face(await stranger.post(path(token), { email: '', password: 'seven quiet llamas knit' }), token));
      return all;
    };
    world.clock.advance(DAY_MS);
    const tokens = ['x'.repeat(43), old, shut, spent, 'a-short-token', living];
    const seen = await faces((token) => `/portal/acme/welcome/${token}`, tokens);
    for (let index = 1; index < tokens.length; index++) {
      assert.deepEqual(seen[index], seen[0], `link ${index}`);
      assert.deepEqual(seen[tokens.length + index], seen[tokens.length], `link ${index}`);
    }
  });

  test('every invitation that does not work looks alike: never made, spent, old, cut short or of somebody removed', async () => {
    await using siege = await lay(engine);
    const { world, ada } = siege;
    const [old, removed, spent] = [
      await inviteStaff(ada, 'Ola One'),
      await inviteStaff(ada, 'Rita Two'),
      await inviteStaff(ada, 'Tess Three'),
    ];
    await world.change(sql`UPDATE accounts SET disabled_at = 1 WHERE id = ${idOf('Rita Two')}`);
    await world.change(sql`UPDATE welcome_links SET spent_at = 1 WHERE account_id = ${idOf('Tess Three')}`);
    world.clock.advance(DAY_MS);
    const stranger = await world.visitor();
    const form = { email: '', password: 'seven quiet llamas knit' };
    const never = `${old.slice(0, old.indexOf('.'))}.${'x'.repeat(43)}`;
    const faces: object[][] = [];
    for (const path of [never, old, removed, spent, old.slice(0, -1), '/admin/welcome/x', `${old}.more`])
      faces.push([face(await stranger.get(path), path), face(await stranger.post(path, form), path)]);
    for (const one of faces) assert.deepEqual(one, faces[0]);
  });

  test('an account, a customer or a contact of another merchant is as little there as one that never was', async () => {
    await using siege = await lay(engine);
    const { world, ada, people } = siege;
    const rival = await acme(world.installation, 'rival');
    const nobody = '00000000-0000-7000-8000-000000000000';
    const pairs: [path: string, there: string, nowhere: string][] = [
      ['/admin/customers/ID', rival.globex.id, nobody],
      ['/admin/customers/ID/edit', rival.globex.id, nobody],
      [`/admin/customers/${people.globex.id}/contacts/ID/edit`, rival.maria.id, nobody],
      [`/admin/customers/${people.globex.id}/contacts/ID/reset-mfa`, people.ada.id, nobody],
      ['/admin/team/ID/remove', rival.sam.id, nobody],
      ['/admin/team/ID/role', people.maria.id, nobody],
    ];
    for (const [path, there, nowhere] of pairs) {
      const one = face(await ada.browser.get(path.replace('ID', there)), there);
      assert.deepEqual(one, face(await ada.browser.get(path.replace('ID', nowhere)), nowhere), path);
    }
  });

  test('nobody’s session, an ended one and one of another door are refused alike', async () => {
    await using siege = await lay(engine);
    const { world, maria, ada } = siege;
    const live = maria.browser.cookies.get('__Host-sallyport') ?? '';
    const staff = ada.browser.cookies.get('__Host-sallyport-admin') ?? '';
    await maria.browser.post('/portal/acme/sign-out');
    const faces: object[] = [];
    for (const cookie of [undefined, live, staff, `${live.split('.')[0]}.${'x'.repeat(43)}`]) {
      const one = await world.visitor();
      if (cookie !== undefined) one.cookies.set('__Host-sallyport', cookie);
      faces.push(face(await one.get('/portal/acme/session')), face(await one.get('/portal/acme/home')));
    }
    for (let at = 2; at < faces.length; at++) assert.deepEqual(faces[at], faces[at % 2], String(at));
  });

  test('what comes before a right password says nothing of MFA: the pages behind it are shut alike for everybody', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    const faces: object[] = [];
    for (const email of [people.maria.email, people.noor.email, 'nobody@globex.test']) {
      const one = await guest(people.eve);
      const typed = face(await one.password('a wrong password', email), email);
      const shut = [await one.browser.get('/portal/acme/verify'), await one.browser.get('/portal/acme/enable-mfa')];
      faces.push([typed, ...shut.map((page) => face(page, email))]);
    }
    assert.deepEqual(faces[1], faces[0]);
    assert.deepEqual(faces[2], faces[0]);
  });
});
