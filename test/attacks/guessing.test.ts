import assert from 'node:assert/strict';
import { test } from 'node:test';
import { confirmed, GENERAL, refusedWith, stage, enrolled, inside } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';
import { FORM } from './siege.ts';
import { write } from './wire.ts';

/** Other ways to write Maria's address, which must be one and the same account and one and the same count. */
const ALIASES = [
  'MARIA@GLOBEX.TEST',
  ' maria@globex.test\t',
  '\uff4daria@globex.test',
  'maria@\uff47lobex.test',
  'maria@globex\u3002test',
  'maria@GLOBEX.test',
];
/** And such as must be somebody else. */
const OTHERS = [
  'm.aria@globex.test',
  'maria+1@globex.test',
  'maria@globex.test.',
  'mar\u0456a@globex.test',
  'maria\u00ad@globex.test',
];

eachEngine('guessing (ASVS 6.3.1, RFC 4226 §7.3, NIST 800-63B-4 §3.2.2)', (engine) => {
  test('under other spellings of an address is guessing at one account', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    for (const alias of ALIASES) {
      const one = await maria.elsewhere();
      assert.equal((await one.password(people.maria.password, alias)).location, '/portal/acme/enable-mfa', alias);
    }
    for (const other of OTHERS) {
      const one = await maria.elsewhere();
      assert.equal((await one.password(people.maria.password, other)).status, 422, other);
    }
    for (let at = 0; at < 11; at++) {
      const one = await maria.elsewhere();
      await one.password('a guess', ALIASES[at % ALIASES.length]);
    }
    const stranger = await maria.elsewhere();
    await stranger.password('a guess', ALIASES[0]);
    assert.equal((await stranger.password('a guess', ALIASES[1])).status, 429, 'eleven spellings were one count');
  });

  test('codes over challenges, browsers, methods and doors shares five, and a new password step brings none', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    world.clock.advance(11 * MINUTE_MS);
    const form = { policy: 'required', mfa: '', name: 'Acme', contactDetails: 'Call us' };
    const asked = await ada.browser.post(GENERAL, form);
    for (let at = 0; at < 5; at++) {
      const thief = await ada.elsewhere();
      if (at % 2 === 0) {
        await thief.password();
        assert.equal((await thief.code(ada.wrongCode())).status, 422, `${at}`);
      } else assert.equal((await confirmed(ada, asked, { code: ada.wrongCode() })).status, 422, `${at}`);
    }
    const thief = await ada.elsewhere();
    await thief.password();
    refusedWith(await thief.code(world.codeFor(ada.secret)), 429, /You can try again at/);
    assert.equal((await confirmed(ada, asked, { code: world.codeFor(ada.secret) })).status, 429);
  });

  test('backup codes waits by itself, and what both have missed adds up to a stolen password', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    let tries = 0;
    for (let turn = 0; turn < 40 && maria.browser.page.status !== 403; turn++) {
      const one = await maria.elsewhere();
      if ((await one.password()).status === 403) break;
      await (turn % 2 === 0 ? one.code(maria.wrongCode()) : one.backupCode(String(turn).padStart(12, '0')));
      tries++;
      world.clock.advance(61 * MINUTE_MS);
    }
    assert.equal(tries, 20);
    refusedWith(await (await maria.elsewhere()).password(), 403, /may be known to someone else/);
  });

  test('from one peer counts once, whatever it says in however many headers', async () => {
    await using world = await openWorld(engine);
    await stage(world);
    const url = await world.listen();
    const tries = async (at: number): Promise<number> => {
      const body = new URLSearchParams({ email: `nobody${at}@globex.test`, password: 'a guess' }).toString();
      const headers: [string, string][] = [
        ['Content-Type', FORM],
        ['Sec-Fetch-Site', 'same-origin'],
        ['X-Forwarded-For', `198.51.100.${at}`],
        ['X-Forwarded-For', `2001:db8:${at}::1`],
        ['Forwarded', `for="[2001:db8:${at}::2]"`],
        ['X-Real-IP', `198.51.100.${at}`],
        ['CF-Connecting-IP', `198.51.100.${at}`],
        ['True-Client-IP', `198.51.100.${at}`],
        ['X-Client-IP', `198.51.100.${at}`],
      ];
      return (await write(url, { method: 'POST', target: '/portal/acme/sign-in', headers, body })).status;
    };
    for (let at = 0; at < 10; at++) assert.equal(await tries(at), 422);
    assert.equal(await tries(10), 429);
  });

  test('from behind a listed proxy counts the last hop that it wrote, over several headers too', async () => {
    await using world = await openWorld(engine, { trustedProxies: ['127.0.0.1', '::1'] });
    await stage(world);
    const url = await world.listen();
    const tries = async (...claims: string[]): Promise<number> => {
      const body = new URLSearchParams({ email: 'nobody@globex.test', password: 'a guess' }).toString();
      const headers: [string, string][] = [
        ['Content-Type', FORM],
        ['Sec-Fetch-Site', 'same-origin'],
        ...claims.map((claim) => ['X-Forwarded-For', claim] as [string, string]),
      ];
      return (await write(url, { method: 'POST', target: '/portal/acme/sign-in', headers, body })).status;
    };
    for (let at = 0; at < 10; at++) await tries(`198.51.100.${at}`, '127.0.0.1', '203.0.113.9');
    assert.equal(await tries('1.2.3.4', '203.0.113.9'), 429);
    assert.equal(await tries('1.2.3.4, 203.0.113.9, 127.0.0.1'), 429);
    assert.equal(await tries('203.0.113.9, 203.0.113.10'), 422);
  });

  test('codes from a whole network of IPv6 is guessing from one address', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const everybody = [people.maria, people.noor, people.eve, people.ada, people.sam];
    let host = 0;
    for (const person of everybody) {
      const one = await enrolled(guest(person));
      for (let at = 0; at < 4; at++) {
        const here = await one.elsewhere({ address: `2001:db8:7:7:${(host++).toString(16)}::1` });
        await here.password();
        assert.equal((await here.code(one.wrongCode())).status, 422);
      }
    }
    const last = await enrolled(guest(people.otto));
    const here = await last.elsewhere({ address: '2001:db8:7:7:ffff:ffff:ffff:ffff' });
    await here.password();
    assert.equal((await here.code(last.nextCode())).status, 429);
    const away = await last.elsewhere({ address: '2001:db8:7:8::1' });
    await away.password();
    assert.equal((await away.code(last.nextCode())).status, 303);
  });
});
