import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { eachEngine, HOUR_MS, MINUTE_MS, openWorld } from '../world.ts';
import { ownAddress, refusedWith, stage, inside } from './front-door.ts';

eachEngine('a stranger who hammers', (engine) => {
  test('wrong passwords cannot keep Maria out where she has been before, nor move her second-factor count', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    await maria.browser.post('/portal/acme/sign-out');
    const counts = async (): Promise<unknown> => {
      const row = (await world.rows('accounts')).find(({ id }) => id === people.maria.id);
      return Object.fromEntries(
        Object.entries(row ?? {}).filter(([name]) => /wrong|wait|window|suspected|epoch/.test(name)),
      );
    };
    const before = await counts();
    for (let address = 0; address < 8; address++) {
      const eve = await maria.elsewhere();
      for (let at = 0; at < 11; at++) await eve.password(`guess ${address} ${at}`);
      await eve.code('123456');
      await eve.backupCode('123456789012');
      assert.equal(eve.browser.page.location, '/portal/acme/sign-in');
    }
    assert.deepEqual(await counts(), before);
    assert.equal((await maria.password('a slip of the finger')).status, 422);
    await maria.signsIn();
    assert.equal(maria.browser.page.h1, 'Documents', 'not even after a slip she waits');
    const cafe = await maria.elsewhere();
    await cafe.password('my old password');
    refusedWith(await cafe.password(), 429, /You can try again at/);
    assert.equal(cafe.browser.page.headers.get('retry-after'), '30', 'from elsewhere she waits, and is told how long');
    world.clock.advance(30_000);
    assert.equal((await cafe.password()).location, '/portal/acme/verify');
  });

  test('from one address waits for the end of the window, in the first and in the second', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const eve = await guest(people.eve);
    for (const window of ['first', 'second']) {
      for (let at = 0; at < 10; at++) {
        assert.equal((await eve.password(`wrong ${at}`, `nobody${at}@globex.test`)).status, 422, `${window}, ${at}`);
        world.clock.advance(1_000);
      }
      refusedWith(await eve.password(), 429, /Too many tries\. You can try again at/);
      assert.equal(eve.browser.page.headers.get('retry-after'), '590', `${window} window`);
      world.clock.advance(589_999);
      assert.equal((await eve.password()).headers.get('retry-after'), '1', `${window} window`);
      world.clock.advance(1);
    }
    assert.equal((await eve.password()).status, 303, 'then the right password is looked at');
  });

  test('slowly is held by the hour, and told how long', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const eve = await guest(people.eve);
    for (let at = 0; at < 50; at++) {
      assert.equal((await eve.password('wrong', `nobody${at}@globex.test`)).status, 422, `try ${at}`);
      world.clock.advance(MINUTE_MS);
    }
    assert.equal((await eve.password()).status, 429);
    assert.equal(eve.browser.page.headers.get('retry-after'), '600');
    world.clock.advance(10 * MINUTE_MS);
    assert.equal((await eve.password()).status, 303);
  });

  test('is not set free by a right password of their own between the wrong ones', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const eve = await guest(people.eve);
    for (let at = 0; at < 10; at++) {
      assert.equal((await eve.password()).status, 303);
      assert.equal((await eve.password('wrong', people.maria.email)).status, 422);
    }
    assert.equal((await eve.password()).status, 429);
  });

  test('codes at challenges of their own is held by the address', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    const noor = await guest(people.noor);
    const sam = await guest(people.sam);
    const ada = await guest(people.ada);
    const otto = await guest(people.otto);
    const address = ownAddress();
    let wrong = 0;
    for (const one of [maria, noor, sam, ada, otto]) {
      await one.enrols();
      const here = await one.elsewhere({ address });
      await here.password();
      for (let at = 0; at < 4; at++) {
        assert.equal((await here.code(here.wrongCode())).status, 422);
        wrong++;
      }
    }
    assert.equal(wrong, 20);
    const last = await maria.elsewhere({ address });
    await last.password();
    assert.equal((await last.code(maria.nextCode())).status, 429);
    assert.ok(Number(last.browser.page.headers.get('retry-after')) <= 600);
    const home = await maria.elsewhere();
    await home.password();
    assert.equal((await home.code(maria.nextCode())).location, '/portal/acme/home');
  });
});

eachEngine('a welcome link', (engine) => {
  test('with which too many passwords were tried says when it goes on, and is not spent by it', async () => {
    await using world = await openWorld(engine);
    const { people } = await stage(world);
    const draft = { name: 'Wanda Okoye', email: 'wanda@globex.test', phone: null };
    const made = await createContact(world.installation, OPERATOR, people.organization.id, people.globex.id, draft);
    assert.ok(made.kind === 'saved');
    const account = await world.account({ organizationId: people.organization.id, id: made.id });
    const link = `/portal/acme/welcome/${await makeWelcomeLink(world.installation, OPERATOR, account)}`;
    const choose = async (password: string) => {
      const browser = await world.visitor({ address: ownAddress() });
      return browser.post(link, { email: draft.email, password });
    };
    for (let n = 0; n < 20; n++) assert.equal((await choose('too short')).status, 422);
    const held = await choose('violet harbour engine 47');
    refusedWith(held, 429, /Too many tries\. You can try again at/);
    assert.equal(held.headers.get('retry-after'), '3600');
    world.clock.advance(HOUR_MS);
    assert.equal((await choose('violet harbour engine 47')).location, '/portal/acme/sign-in');
  });
});
