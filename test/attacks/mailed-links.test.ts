import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMailedLink, type Purpose } from '../../src/accounts/mailed-links.ts';
import { setPortalAccess } from '../../src/auth/access.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { sql } from '../../src/db/db.ts';
import type { Person } from '../acme.ts';
import { queued } from '../queued.ts';
import type { Page } from '../visitor.ts';
import { enrolled, ownAddress, stage, unchanged } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';
import { plainCookies, write } from './wire.ts';

const PORTAL = '/portal/acme';
const NEW = 'violet harbour engine 47';

const FIELDS: Readonly<Record<Purpose, Readonly<Record<string, string>>>> = {
  'new-password': { email: '', password: NEW },
  'confirm-email': {},
  'not-me': {},
};
const PURPOSES = Object.keys(FIELDS) as Purpose[];

async function linkOf({ db, installation }: World, purpose: Purpose, person: Person, to?: string): Promise<string> {
  return (await db.transaction((tx) => makeMailedLink(tx, installation, purpose, person, to))) ?? assert.fail();
}

/** What a page looks like to whoever compares, without what they have typed themselves. */
function face({ status, location, text, headers }: Page, typed: string): object {
  return { status, location, text: text.replaceAll(typed, '…'), cookies: headers.getSetCookie().length };
}

eachEngine('mailed links', (engine) => {
  test('link prefetch: a scanner that opens every link, with GET, HEAD and OPTIONS and all their parts, changes nothing', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people } = await stage(world);
    const scanner = await world.visitor({ headers: { 'sec-fetch-site': 'cross-site', purpose: 'prefetch' } });
    for (const purpose of PURPOSES) {
      const token = await linkOf(world, purpose, people.maria, 'new@globex.test');
      const path = `${PORTAL}/${purpose}/${token}`;
      await unchanged(world, async () => {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT']) await scanner.send(method, path);
        assert.equal((await scanner.get(`${path}?utm_source=mail`)).status, 200);
        assert.equal((await scanner.post(path, FIELDS[purpose])).status, 403, 'a form of another site is refused');
      });
      const own = await world.visitor();
      assert.equal((await own.post(path, FIELDS[purpose])).status, 303, `${purpose} works all the same`);
    }
  });

  test('token reuse: a link works once, for its own purpose, and no part of it for anything', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people } = await stage(world);
    const visitor = await world.visitor();
    for (const purpose of PURPOSES) {
      const token = await linkOf(world, purpose, people.eve, 'moreau@initech.test');
      await unchanged(world, async () => {
        for (const other of [...PURPOSES.filter((one) => one !== purpose), 'welcome' as const])
          for (const page of [
            await visitor.get(`${PORTAL}/${other}/${token}`),
            await visitor.post(
              `${PORTAL}/${other}/${token}`,
              other === 'welcome' ? FIELDS['new-password'] : FIELDS[other],
            ),
          ])
            assert.ok([404, 422].includes(page.status), `${purpose} at ${other}: ${page.status}`);
        for (const part of [token.slice(0, -1), `${token}.`, token.toUpperCase(), `${people.organization.id}.${token}`])
          assert.equal((await visitor.post(`${PORTAL}/${purpose}/${part}`, FIELDS[purpose])).status, 422, part);
      });
      assert.equal((await visitor.post(`${PORTAL}/${purpose}/${token}`, FIELDS[purpose])).status, 303);
      await unchanged(world, async () => {
        assert.equal((await visitor.post(`${PORTAL}/${purpose}/${token}`, FIELDS[purpose])).status, 422);
      });
    }
  });

  test('enumeration: asking for a new password looks alike for everybody, nobody, a closed access and no password', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people } = await stage(world);
    await setPortalAccess(world.installation, OPERATOR, await world.account(people.noor), false);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL WHERE id = ${people.eve.id}`);
    const faces: object[][] = [];
    for (const { email } of [people.maria, people.noor, people.eve, people.ada, { email: 'nobody@globex.test' }]) {
      const visitor = await world.visitor({ address: ownAddress() });
      const seen: object[] = [];
      for (let times = 0; times < 5; times++) {
        seen.push(face(await visitor.post(`${PORTAL}/forgot-password`, { email }), email));
        seen.push(face(await visitor.follow(), email));
        world.clock.advance(MINUTE_MS);
      }
      faces.push(seen);
    }
    for (const one of faces) assert.deepEqual(one, faces[0]);
  });

  test('a mailbox alone is no way round MFA: a new password by mail opens no session, and the code is asked for', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const eve = await maria.elsewhere();
    for (const purpose of ['not-me', 'new-password'] as const) {
      const path = `${PORTAL}/${purpose}/${await linkOf(world, purpose, people.maria)}`;
      await eve.browser.post(path, FIELDS[purpose]);
      assert.ok(!eve.browser.cookies.has('__Host-sallyport'));
      assert.equal((await eve.browser.get(`${PORTAL}/home`)).location, `${PORTAL}/sign-in`);
    }
    await eve.password(NEW);
    assert.equal(eve.browser.page.location, `${PORTAL}/verify`);
    assert.equal((await eve.browser.get(`${PORTAL}/enable-mfa`)).location, `${PORTAL}/verify`);
    assert.equal((await eve.browser.get(`${PORTAL}/home`)).location, `${PORTAL}/sign-in`);
    const active = (await world.rows('authenticators')).filter((row) => row['revoked_at'] === null);
    assert.equal(active.length, 1, 'her app is what it was');
  });
});

test('header injection and host header: a letter holds a token, its end and the address on file, and nothing of the request', async () => {
  await using world = await openWorld('sqlite', { mailIsOn: true });
  const { people } = await stage(world);
  const url = await world.listen();
  const stranger = await world.visitor();
  const asks = (email: string): Promise<{ status: number }> => {
    const body = new URLSearchParams({ email }).toString();
    const headers = [
      plainCookies(stranger),
      ['Sec-Fetch-Site', 'same-origin'],
      ['Content-Type', 'application/x-www-form-urlencoded'],
      ['X-Forwarded-Host', 'evil.example'],
      ['Forwarded', 'host=evil.example'],
    ] as const;
    return write(url, { method: 'POST', target: `${PORTAL}/forgot-password`, headers, body });
  };
  for (const email of [
    `${people.maria.email}\r\nBcc: eve@evil.example`,
    `${people.maria.email},eve@evil.example`,
    `${people.maria.email}%0aeve@evil.example`,
    `"${people.maria.email}" <eve@evil.example>`,
  ])
    assert.ok([303, 422].includes((await asks(email)).status), email);
  assert.equal((await asks(people.maria.email)).status, 303);
  const letters = (await queued(world)).filter(({ kind }) => kind === 'new-password');
  assert.deepEqual(
    letters.map(({ to, facts }) => [to, Object.keys(facts)]),
    [[people.maria.email, ['token', 'until']]],
  );
});
