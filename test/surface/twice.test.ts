import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOrganization } from '../../src/accounts/organizations.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { addStaff } from '../acme.ts';
import type { Page, Visitor } from '../visitor.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';
import { GENERAL, type Guest, ownAddress, refusedWith, stage, unchanged, enrolled, inside } from './front-door.ts';

const AT = '/portal/acme';

/** A browser that presses Back and then the same button again: the same form with the same cookies as then. */
async function twice(browser: Visitor, path: string, fields: Record<string, string> = {}): Promise<[Page, Page]> {
  const cookies = [...browser.cookies];
  const first = await browser.post(path, fields);
  const later = [...browser.cookies];
  for (const [name, value] of cookies) browser.cookies.set(name, value);
  const second = await browser.post(path, fields);
  browser.cookies.clear();
  for (const [name, value] of later) browser.cookies.set(name, value);
  return [first, second];
}

eachEngine('a button pressed twice', (engine) => {
  test('at the door signs in once, and leaves nobody outside', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const { email, password } = maria.person;
    const [, again] = await twice(maria.browser, `${AT}/sign-in`, { email, password });
    assert.equal(again.location, `${AT}/verify`);
    const code = maria.nextCode();
    const [first, second] = await twice(maria.browser, `${AT}/verify`, { code });
    assert.deepEqual([first.location, second.location], [`${AT}/home`, `${AT}/sign-in`]);
    assert.equal((await world.rows('sessions')).length, 1);
    assert.equal((await maria.browser.get(`${AT}/sign-in`)).location, `${AT}/home`, 'she is inside all the same');
    const [out, outAgain] = await twice(maria.browser, `${AT}/sign-out`);
    assert.deepEqual([out.location, outAgain.location], [`${AT}/sign-in`, `${AT}/sign-in`]);
  });

  test('with a backup code spends one code and opens one session', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    const [first, second] = await twice(maria.browser, `${AT}/verify/backup-code`, { code: maria.codes[0] ?? '' });
    assert.deepEqual([first.location, second.location], [`${AT}/backup-code-used`, `${AT}/sign-in`]);
    assert.equal((await world.rows('backup_codes')).filter((row) => row['used_at'] !== null).length, 1);
    assert.match((await maria.browser.get(`${AT}/backup-code-used`)).h1, /You have 4 backup codes left/);
  });

  test('in the ceremony makes one secret, one authenticator and one set of codes', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    const [first, second] = await twice(maria.browser, `${AT}/enable-mfa`);
    assert.deepEqual([first.location, second.location], [`${AT}/enable-mfa/scan`, `${AT}/enable-mfa/scan`]);
    assert.equal((await world.rows('authenticators')).length, 1);
    await maria.configures();
    const code = world.codeFor(maria.secret);
    for (const page of await twice(maria.browser, `${AT}/enable-mfa/verify`, { code }))
      assert.equal(page.location, `${AT}/enable-mfa/enable`);
    for (const page of await twice(maria.browser, `${AT}/enable-mfa/enable`))
      assert.equal(page.location, `${AT}/enable-mfa/backup-codes`);
    await twice(maria.browser, `${AT}/enable-mfa/backup-codes`);
    assert.equal((await world.rows('backup_codes')).length, 5);
    const shown = await maria.browser.get(`${AT}/enable-mfa/backup-codes`);
    const file = await maria.browser.post(`${AT}/enable-mfa/backup-codes/download`);
    for (const [, line = ''] of shown.text.matchAll(/<code dir="ltr">([\d-]+)</g)) assert.ok(file.text.includes(line));
    const [done, doneAgain] = await twice(maria.browser, `${AT}/enable-mfa/done`);
    assert.deepEqual([done.location, doneAgain.location], [`${AT}/sign-in`, `${AT}/sign-in`]);
    assert.match((await maria.browser.get(`${AT}/sign-in`)).text, /MFA is on\. Sign in with your password/);
  });

  test('at the console changes once what it changes', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const ada = await inside(guest(people.ada));
    await maria.password();
    for (let at = 0; at < 5; at++) await maria.code(maria.wrongCode());
    const { browser } = ada;
    const contact = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}`;
    const rows = async (action: string): Promise<number> =>
      (await world.rows('audit_rows')).filter((row) => row['action'] === action).length;
    const settings = { policy: 'required', mfa: '', name: 'Acme', contactDetails: 'Call us' };
    const hooli = { customer: 'Hooli', name: 'Gavin', email: 'gavin@hooli.test', phone: '' };
    const lines: [path: string, fields: Record<string, string>, action: string, again: number][] = [
      [GENERAL, settings, 'policy.changed', 303],
      ['/admin/customers/new', hooli, 'customer.created', 422],
      [`/admin/customers/${people.globex.id}/edit`, { customer: 'Globex Ltd' }, 'customer.changed', 303],
      [`${contact}/edit`, { name: 'Maria S.', email: people.maria.email, phone: '' }, 'contact.changed', 303],
      [`${contact}/unlock`, {}, 'account.unlocked', 303],
      [`${contact}/reset-mfa`, { check: 'met-in-person', note: '' }, 'mfa.reset', 422],
      [`${contact}/disable`, {}, 'portal-access.disabled', 303],
      [`${contact}/enable`, {}, 'portal-access.enabled', 303],
    ];
    for (const [path, fields, action, again] of lines) {
      const before = await rows(action);
      const [first, second] = await twice(browser, path, fields);
      assert.deepEqual([first.status, second.status], [303, again], path);
      assert.equal((await rows(action)) - before, 1, action);
    }
  });

  test('made for yesterday’s policy undoes nobody’s change: the page is shown again with the numbers of today', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const today = await findOrganization(world.db, people.organization.id);
    const shown = today?.policy === 'off' ? 'required' : 'off';
    const save = { policy: shown, mfa: shown === 'off' ? '' : 'on', name: 'Acme', contactDetails: 'Call us' };
    const page = await ada.browser.post(GENERAL, save);
    assert.equal(page.status, 422);
    assert.match(page.text, /Somebody else has turned MFA on or off meanwhile/);
    assert.deepEqual(await findOrganization(world.db, people.organization.id), today);
  });

  test('on a one-time link works once: the second link of staff ends the first, and a link is spent by its password', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    const ida = { name: 'Ida Invited', email: 'ida@globex.test', phone: '' };
    await ada.browser.post(`/admin/customers/${people.globex.id}/contacts/new`, ida);
    const { text } = await ada.browser.follow();
    const [act = ''] = /\/admin\/customers\/[^"]+\/welcome-link/.exec(text) ?? [];
    const links = (await twice(ada.browser, act)).map(
      (page) => /\/portal\/acme\/welcome\/[\w-]{43}/.exec(page.text)?.[0],
    );
    const stranger = await world.visitor({ address: ownAddress() });
    refusedWith(await stranger.get(links[0] ?? ''), 404, /This link no longer works/);
    assert.equal((await stranger.get(links[1] ?? '')).status, 200);
    const form = { email: ida.email, password: 'seven quiet llamas knit' };
    await unchanged(world, async () => {
      refusedWith(await stranger.post(links[1] ?? '', { ...form, password: '' }), 422, /Enter a new password/);
      refusedWith(await stranger.post(links[1] ?? '', { ...form, password: 'short' }), 422, /12 characters or more/);
      refusedWith(
        await stranger.post(links[1] ?? '', { ...form, password: 'x'.repeat(10_000) }),
        422,
        /128 characters/,
      );
      refusedWith(await stranger.post(links[1] ?? '', { ...form, password: 'passwordpassword' }), 422, /too common/);
      refusedWith(
        await stranger.post(links[1] ?? '', { ...form, password: 'ida@globex.test1' }),
        422,
        /Don't use your name/,
      );
    });
    const [first, second] = await twice(stranger, links[1] ?? '', form);
    assert.deepEqual([first.location, second.status], [`${AT}/sign-in`, 422]);
    refusedWith(second, 422, /This link no longer works/);
    refusedWith(await stranger.get(links[1] ?? ''), 404, /This link no longer works/);
    assert.equal((await stranger.post(`${AT}/sign-in`, form)).location, `${AT}/enable-mfa`);
  });

  test('on the set-up link makes one owner', async () => {
    await using world = await openWorld(engine);
    const token = await offerSetup(world.installation);
    const browser = await world.visitor();
    const form = {
      name: 'Ada Owens',
      email: 'ada@acme.test',
      password: 'seven quiet llamas knit',
      organization: 'Acme Billing',
      contactDetails: 'Call us',
      timeZone: 'UTC',
    };
    await unchanged(world, async () => {
      const path = `/setup/${token}`;
      refusedWith(await browser.post(path, { ...form, timeZone: 'Nowhere/Here' }), 422, /Choose a time zone/);
      refusedWith(await browser.post(path, { ...form, email: 'ada' }), 422, /in the right format/);
      refusedWith(await browser.post(path, {}), 422, /Enter your name/);
      refusedWith(await browser.post(`/setup/${'x'.repeat(43)}`, form), 404, /This link no longer works/);
    });
    const [first, second] = await twice(browser, `/setup/${token}`, form);
    assert.deepEqual([first.location, second.status], ['/admin/enable-mfa', 404]);
    assert.equal((await world.rows('accounts')).length, 1);
    assert.equal((await browser.get('/admin/enable-mfa')).status, 200);
  });
});

eachEngine('Back', (engine) => {
  test('through the ceremony leads to the furthest page that it has reached, and changes nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    const pages = ['', '/scan', '/qr.svg', '/verify', '/enable', '/backup-codes'];
    const furthest = async (): Promise<(string | null)[]> => {
      const all: (string | null)[] = [];
      await unchanged(world, async () => {
        for (const page of pages) {
          const { status, location } = await maria.browser.get(`${AT}/enable-mfa${page}`);
          all.push(status === 200 ? page : (location?.replace(`${AT}/enable-mfa`, '') ?? `${status}`));
        }
      });
      return all;
    };
    await maria.password();
    assert.deepEqual(await furthest(), ['', '', '', '', '', '']);
    await maria.configures();
    assert.deepEqual(await furthest(), ['/scan', '/scan', '/qr.svg', '/verify', '/scan', '/scan']);
    await maria.verifies();
    assert.deepEqual(await furthest(), ['/enable', '/enable', '/enable', '/enable', '/enable', '/enable']);
    await maria.browser.post(`${AT}/enable-mfa/enable`);
    assert.deepEqual(await furthest(), Array(6).fill('/backup-codes'));
    await maria.browser.post(`${AT}/enable-mfa/backup-codes`);
    assert.deepEqual(await furthest(), Array(6).fill('/backup-codes'));
    const kept = [...maria.browser.cookies];
    await maria.browser.post(`${AT}/enable-mfa/done`);
    for (const [name, value] of kept) maria.browser.cookies.set(name, value);
    for (const page of pages)
      assert.equal((await maria.browser.get(`${AT}/enable-mfa${page}`)).location, `${AT}/sign-in`);
  });

  test('to a form of a step not yet reached skips nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    const acts = ['verify', 'enable', 'backup-codes', 'backup-codes/download', 'done'];
    await unchanged(world, async () => {
      for (const act of acts) {
        const page = await maria.browser.post(`${AT}/enable-mfa/${act}`, act === 'verify' ? { code: '123456' } : {});
        assert.equal(page.location, `${AT}/enable-mfa`, act);
      }
    });
    await maria.configures();
    await unchanged(world, async () => {
      for (const act of acts.slice(1))
        assert.equal((await maria.browser.post(`${AT}/enable-mfa/${act}`)).location, `${AT}/enable-mfa/scan`, act);
    });
    await maria.verifies();
    await unchanged(world, async () => {
      for (const act of acts.slice(2))
        assert.equal((await maria.browser.post(`${AT}/enable-mfa/${act}`)).location, `${AT}/enable-mfa/enable`, act);
    });
  });
});

eachEngine('two tabs', (engine) => {
  test('of one browser share the ceremony that was begun last; a code of the first secret enables nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    await maria.configures();
    const firstSecret = maria.secret;
    await maria.password();
    await maria.configures();
    assert.notDeepEqual(maria.secret, firstSecret);
    refusedWith(await maria.verifies(world.codeFor(firstSecret)), 422, /That code isn't right/);
    assert.equal((await maria.verifies()).location, `${AT}/enable-mfa/enable`);
  });

  test('of two browsers never see each other’s secret, and the one begun last is the one', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    await maria.configures();
    await maria.verifies();
    const thief = await maria.elsewhere();
    await thief.password();
    assert.equal((await thief.browser.get(`${AT}/enable-mfa`)).h1, 'Enable MFA for your account');
    await thief.configures();
    assert.notDeepEqual(thief.secret, maria.secret);
    assert.equal((await maria.browser.post(`${AT}/enable-mfa/enable`)).location, `${AT}/enable-mfa`);
    assert.match((await maria.browser.follow()).text, /started this setup again somewhere else/);
    assert.equal((await thief.verifies(world.codeFor(maria.secret))).status, 422);
    await thief.verifies();
    await thief.browser.post(`${AT}/enable-mfa/enable`);
    assert.equal((await maria.browser.post(`${AT}/enable-mfa`)).location, `${AT}/sign-in`, 'enrolled meanwhile');
  });

  test('with two challenges each open; a code opens one of them, and the other says why it is over', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const other = await maria.elsewhere();
    await maria.password();
    await other.password();
    const code = maria.nextCode();
    assert.equal((await maria.code(code)).location, `${AT}/home`);
    refusedWith(await other.code(code), 422, /already been used/);
    assert.equal((await other.code(maria.nextCode())).location, `${AT}/home`);
    assert.equal((await maria.browser.get(`${AT}/home`)).status, 200, 'neither ends the other’s session');
  });

  test('more than three open challenges leave the three begun last', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    const all: Guest[] = [];
    for (let at = 0; at < 4; at++) {
      const one = await maria.elsewhere();
      await one.password();
      all.push(one);
    }
    const states = await Promise.all(all.map(async (one) => (await one.browser.get(`${AT}/verify`)).status));
    assert.deepEqual(states, [303, 200, 200, 200]);
    assert.match((await all[0]?.browser.follow())?.text ?? '', /You signed in somewhere else after this/);
  });
});

eachEngine('a challenge that is dead', (engine) => {
  test('leads back to sign-in, with the reason and the email, and takes no code', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    for (const path of ['verify', 'verify/backup-code']) {
      await maria.password();
      world.clock.advance(10 * MINUTE_MS);
      const code = path === 'verify' ? world.codeFor(maria.secret) : (maria.codes[0] ?? '');
      await unchanged(world, async () => {
        assert.equal((await maria.browser.post(`${AT}/${path}`, { code })).location, `${AT}/sign-in`);
      });
      await maria.browser.follow();
      assert.match(maria.browser.page.text, /You took too long\. Sign in again\./);
      assert.match(maria.browser.page.text, /value="maria@globex\.test"/);
      assert.doesNotMatch((await maria.browser.get(`${AT}/sign-in`)).text, /You took too long/, 'said once');
    }
    await maria.password();
    await maria.browser.post(`${AT}/sign-out`);
    await unchanged(world, async () => {
      assert.equal((await maria.code(maria.nextCode())).location, `${AT}/sign-in`);
    });
  });

  test('by time in the middle of the ceremony leads back too, and MFA stays off', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    await maria.configures();
    await maria.verifies();
    world.clock.advance(30 * MINUTE_MS);
    await unchanged(world, async () => {
      assert.equal((await maria.browser.post(`${AT}/enable-mfa/enable`)).location, `${AT}/sign-in`);
    });
    await maria.browser.follow();
    assert.equal((await maria.password()).location, `${AT}/enable-mfa`);
  });

  test('and was somebody else’s, at another portal or of another purpose, is nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    const [name = '', value = ''] = [...maria.browser.cookies][0] ?? [];
    const eve = await guest(people.eve);
    await eve.password();
    eve.browser.cookies.set(
      name,
      value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    );
    await unchanged(world, async () => {
      assert.equal((await eve.code(maria.nextCode())).location, `${AT}/sign-in`);
      eve.browser.cookies.set(name, value);
      assert.equal(
        (await eve.browser.post('/admin/verify', { code: world.codeFor(maria.secret) })).location,
        '/admin/sign-in',
      );
      eve.browser.cookies.set(name.replace('sallyport', 'sallyport-admin'), value);
      assert.equal(
        (await eve.browser.post('/admin/verify', { code: world.codeFor(maria.secret) })).location,
        '/admin/sign-in',
      );
      const ceremony = await eve.browser.post(`${AT}/enable-mfa`);
      assert.equal(ceremony.location, `${AT}/verify`, 'an enrolled account cannot enrol over its authenticator');
    });
    const sam = await guest(await addStaff(world.installation, people.organization, 'Sue Stone', 'support'));
    await sam.password();
    assert.equal((await sam.browser.get('/admin/verify')).location, '/admin/enable-mfa');
  });
});
