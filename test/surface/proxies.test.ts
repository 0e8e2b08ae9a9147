import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachEngine, HOUR_MS, openWorld } from '../world.ts';
import { stage, type Guest, enrolled } from './front-door.ts';

const PROXY = '10.0.0.7';

/** The same person at a browser behind a proxy of the network fd00::/8, which passes this on. */
const behind = (one: Guest, claim: string): Promise<Guest> =>
  one.elsewhere({ address: 'fd00::7', headers: { 'x-forwarded-for': claim } });

eachEngine('an address that a request claims', (engine) => {
  test('is believed from a listed proxy, as far as that proxy wrote it', async () => {
    await using world = await openWorld(engine, { trustedProxies: ['10.0.0.0/24'] });
    const { people, guest } = await stage(world);
    const via = async (claim: string): Promise<Guest> =>
      guest(people.eve, { address: PROXY, headers: { 'x-forwarded-for': claim } });
    for (let at = 0; at < 10; at++) await (await via(`198.51.100.${at}, 203.0.113.9`)).password('wrong');
    assert.equal((await (await via('203.0.113.9')).password()).status, 429, 'one client behind the proxy');
    assert.equal((await (await via('1.2.3.4, 203.0.113.9, 10.0.0.8')).password()).status, 429, 'and behind two');
    assert.equal((await (await via('203.0.113.9, 203.0.113.10')).password()).status, 303, 'another client is free');
    const rows = await world.audit(people.eve);
    assert.equal(rows.at(-1)?.address, '203.0.113.10');
  });

  test('is not believed from anybody else', async () => {
    await using world = await openWorld(engine, { trustedProxies: ['10.0.0.7'] });
    const { people, guest } = await stage(world);
    const from = async (address: string, claim: string): Promise<Guest> =>
      guest(people.eve, {
        address,
        headers: { 'x-forwarded-for': claim, 'x-real-ip': claim, forwarded: `for=${claim}` },
      });
    for (let at = 0; at < 10; at++) await (await from('203.0.113.50', `198.51.100.${at}`)).password('wrong');
    const last = await from('203.0.113.50', '198.51.100.99');
    assert.equal((await last.password()).status, 429);
    assert.equal((await world.audit(people.eve)).at(-1)?.address, '203.0.113.50');
    assert.equal((await (await from('203.0.113.51', '203.0.113.50')).password()).status, 303);
  });

  test('is one client for a whole network of IPv6, and for IPv4 written as IPv6', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const from = (address: string): Promise<Guest> => guest(people.eve, { address });
    for (let at = 0; at < 5; at++) {
      await (await from(`2001:db8:1:2::${at + 1}`)).password('wrong');
      await (await from(`2001:db8:1:2:ffff::${at + 1}`)).password('wrong');
    }
    assert.equal((await (await from('2001:db8:1:2:abcd::1')).password()).status, 429);
    world.clock.advance(HOUR_MS);
    for (let at = 0; at < 10; at++) await (await from('::ffff:203.0.113.60')).password('wrong');
    assert.equal((await (await from('203.0.113.60')).password()).status, 429);
    assert.equal((await (await from('203.0.113.61')).password()).status, 303);
  });

  test('cannot be written by a client behind a proxy so as to pass for somebody whom the account knows', async () => {
    await using world = await openWorld(engine, { trustedProxies: [PROXY] });
    const { people, guest } = await stage(world);
    const at = (claim: string): Promise<Guest> =>
      guest(people.maria, { address: PROXY, headers: { 'x-forwarded-for': claim } });
    const maria = await at('203.0.113.20');
    await maria.enrols();
    await maria.signsIn();
    for (let n = 0; n < 10; n++) await (await at(`198.51.100.${n}`)).password('wrong');
    const eve = await at('203.0.113.20, 198.51.100.77');
    assert.equal((await eve.password('wrong')).status, 422);
    assert.equal((await eve.password('wrong')).status, 429, 'an outsider waits, whatever it wrote in front');
    const home = await at('203.0.113.20');
    for (let n = 0; n < 3; n++) assert.equal((await home.password('wrong')).status, 422, 'Maria at home does not');
  });

  test('holds codes up as it holds passwords up, and only the client that a listed proxy saw', async () => {
    await using world = await openWorld(engine, { trustedProxies: ['fd00::/8'] });
    const { people, guest } = await stage(world);
    const everybody = [people.maria, people.noor, people.eve, people.ada, people.sam];
    const seated: Guest[] = [];
    for (const person of everybody) {
      const one = await enrolled(guest(person));
      seated.push(one);
    }
    for (const [n, one] of seated.entries()) {
      const here = await behind(one, `192.0.2.${n}, 2001:db8:1:2::${n + 1}`);
      await here.password();
      for (let wrong = 0; wrong < 4; wrong++) assert.equal((await here.code(here.wrongCode())).status, 422);
    }
    const answered = async (claim: string): Promise<number> => {
      const here = await behind(seated[0]!, claim);
      await here.password();
      return (await here.code(here.nextCode())).status;
    };
    assert.equal(await answered('2001:db8:1:2:aaaa::1'), 429, 'the same network');
    assert.equal(await answered('2001:db8:9:9::1, 2001:db8:1:2::1'), 429, 'another one is only claimed');
    assert.equal(await answered('2001:db8:1:2::1, 2001:db8:1:3::1'), 303, 'the neighbour is free');
  });

  test('is believed from a proxy that is written as IPv4 inside IPv6, and from no other', async () => {
    await using world = await openWorld(engine, { trustedProxies: [PROXY] });
    const { people, guest } = await stage(world);
    const via = (address: string, claim: string): Promise<Guest> =>
      guest(people.eve, { address, headers: { 'x-forwarded-for': claim } });
    for (let n = 0; n < 10; n++) await (await via(`::ffff:${PROXY}`, '203.0.113.70')).password('wrong');
    assert.equal((await (await via(PROXY, '::ffff:203.0.113.70')).password()).status, 429, 'one client, two spellings');
    assert.equal((await (await via('::ffff:10.0.0.8', '203.0.113.70')).password()).status, 303, 'not that proxy');
    assert.equal((await world.audit(people.eve)).at(-1)?.address, '10.0.0.8');
  });

  test('that nobody can read is the proxy itself: all who come so are counted as one', async () => {
    await using world = await openWorld(engine, { trustedProxies: [PROXY] });
    const { people, guest } = await stage(world);
    const via = (claim: string): Promise<Guest> =>
      guest(people.eve, { address: PROXY, headers: { 'x-forwarded-for': claim } });
    for (let n = 0; n < 10; n++) await (await via(`198.51.100.${n}, hidden${n}`)).password('wrong');
    assert.equal((await (await via('203.0.113.1, unknown')).password()).status, 429);
    assert.equal((await (await via('203.0.113.1')).password()).status, 303);
  });
});
