import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { acme } from '../acme.ts';
import {
  codeFromStaff,
  confirming,
  confirmingStage,
  hasActive,
  linksMailed,
  mailedLink,
  proves,
} from '../confirmation.ts';
import { inside, refusedWith, unchanged, type Guest } from '../surface/front-door.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';

eachEngine('a thief who has only the password and enrols first (NIST SP 800-63B-4 §4.1.2)', (engine) => {
  test('enables nothing: what his app has proven waits for a link that goes to Noor', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const thief = await guest(people.noor);
    await proves(thief);
    await enablesNothing(thief);
    assert.match(thief.browser.page.text, /noor@globex\.test/);
    assert.equal(await linksMailed(world, people.noor), 1);
    const [mail] = (await world.rows('authenticators')).map((row) => row['link_hash']);
    assert.ok(!(await mailedLink(world, people.noor)).includes(String(mail)), 'only the hash is stored');
  });

  test('gains nothing by Noor’s own click, in a mail program, a scanner or her browser: it spends and confirms nothing', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const thief = await guest(people.noor);
    await proves(thief);
    const link = await mailedLink(world, people.noor);
    const scanner = await world.visitor();
    const noor = await guest(people.noor);
    await unchanged(world, async () => {
      for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await scanner.send(method, link)).status, 200);
      for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PROPFIND'])
        assert.ok((await scanner.send(method, link)).status >= 400, method);
      refusedWith(await scanner.post(link), 422, /Open this link where you began/);
      assert.match((await noor.browser.get(link)).text, /If you didn&#39;t begin it, don&#39;t confirm/);
      refusedWith(await noor.browser.post(link), 422, /Someone knows your password/);
    });
    await enablesNothing(thief);
  });

  test('gains nothing by her click while she is in a ceremony of her own: each link is for one browser', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const noor = await guest(people.noor);
    await proves(noor);
    const hers = await mailedLink(world, people.noor);
    const thief = await guest(people.noor);
    await proves(thief);
    const his = await mailedLink(world, people.noor);
    refusedWith(await noor.browser.post(his), 422, /Open this link where you began/);
    refusedWith(await noor.browser.post(hers), 404, /This link no longer works/);
    refusedWith(await thief.browser.post(hers), 404, /This link no longer works/);
    await enablesNothing(thief);
    await enablesNothing(noor, '');
  });

  test('gains nothing from a page of his own that sends her browser to the link: only the portal’s own form is taken', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const noor = await guest(people.noor);
    await proves(noor);
    const link = await mailedLink(world, people.noor);
    await unchanged(world, async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' };
      assert.equal((await noor.browser.send('POST', link, headers, '')).status, 403);
    });
  });

  test('cannot use the link of another contact, another organization or an earlier ceremony', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const other = await acme(world.installation, 'other');
    const eve = await guest(people.eve);
    await proves(eve);
    const evesLink = await mailedLink(world, people.eve);
    const thief = await guest(people.noor);
    await proves(thief);
    const first = await mailedLink(world, people.noor);
    refusedWith(await thief.browser.post(evesLink), 422, /where you began/);
    refusedWith(await thief.browser.get(first.replace('/acme/', `/${other.organization.slug}/`)), 404, /no longer/);
    refusedWith(await thief.browser.post(first.replace('/acme/', `/${other.organization.slug}/`)), 404, /no longer/);
    await proves(thief);
    refusedWith(await thief.browser.post(first), 404, /no longer works/);
    for (const token of ['', 'x', 'a'.repeat(43), 'a'.repeat(9_000)])
      assert.equal((await thief.browser.post(`/portal/acme/confirm-enrolment/${token}`)).status, 404, token);
    await enablesNothing(thief);
  });

  test('is not let through by what was confirmed before: after a reset, and with a fresh secret, it is asked again', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const noor = await guest(people.noor);
    await proves(noor);
    await noor.browser.post(await mailedLink(world, people.noor));
    const thief = await guest(people.noor);
    await proves(thief);
    await enablesNothing(thief);
    world.clock.advance(MINUTE_MS);
    await proves(noor);
    assert.equal((await noor.browser.post(await mailedLink(world, people.noor))).location, enablePage(noor));
    await noor.browser.post(enablePage(noor));
    assert.equal(await hasActive(world, people.noor), true);
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(people.noor), {
      check: 'met-in-person',
      note: '',
    });
    await proves(thief);
    await enablesNothing(thief);
  });

  test('guesses no code of staff: ten tries end it, over however many ceremonies, and the right one comes too late', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const sam = await inside(guest(people.sam));
    const code = await codeFromStaff(sam, people.noor, people.globex.id);
    for (let guessed = 0; guessed < 10; guessed += 5) {
      const thief = await guest(people.noor);
      await proves(thief);
      for (let n = 0; n < 5; n++) refusedWith(await enters(thief, wrong(code, guessed + n)), 422, /isn't right/);
    }
    const late = await guest(people.noor);
    await proves(late);
    refusedWith(await enters(late, code), 422, /isn't right/);
    await enablesNothing(late);
  });

  test('is told the same of a wrong code whether staff have made one or not, and is held back by his address', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const thief = await guest(people.noor);
    await proves(thief);
    for (let n = 0; n < 20; n++) refusedWith(await enters(thief, String(n).padStart(16, '1')), 422, /isn't right/);
    refusedWith(await enters(thief, '1'.repeat(16)), 429, /Too many tries/);
  });

  test('cannot use a code that staff made for another, an old one, or one twice', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const sam = await inside(guest(people.sam));
    const evesCode = await codeFromStaff(sam, people.eve, people.initech.id);
    const old = await codeFromStaff(sam, people.noor, people.globex.id);
    const newer = await codeFromStaff(sam, people.noor, people.globex.id);
    const thief = await guest(people.noor);
    await proves(thief);
    for (const code of [evesCode, old]) refusedWith(await enters(thief, code), 422, /isn't right/);
    assert.equal((await enters(thief, newer)).location, enablePage(thief));
    await proves(thief);
    refusedWith(await enters(thief, newer), 422, /isn't right/);
    const late = await codeFromStaff(sam, people.noor, people.globex.id);
    world.clock.advance(10 * MINUTE_MS);
    refusedWith(await enters(thief, late), 422, /isn't right/);
    await enablesNothing(thief);
  });

  test('floods nobody with mail: one link a minute, five an hour, over all ceremonies', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    const thief = await guest(people.noor);
    for (let turn = 0; turn < 8; turn++) await proves(thief);
    assert.equal(await linksMailed(world, people.noor), 5);
    const send = `${thief.door}/enable-mfa/confirm/send`;
    refusedWith(await thief.browser.post(send), 429, /You can have it sent|Email me|We can email/);
    assert.equal(await linksMailed(world, people.noor), 5);
    world.clock.advance(61 * MINUTE_MS);
    await proves(thief);
    assert.equal(await linksMailed(world, people.noor), 6);
    refusedWith(await thief.browser.post(send), 429, /sent again at/);
    world.clock.advance(MINUTE_MS);
    assert.equal((await thief.browser.post(send)).status, 303);
    assert.equal(await linksMailed(world, people.noor), 7);
  });

  test('is stopped in the middle of his ceremony by an organization that begins to ask', async () => {
    await using world = await openWorld(engine, { mailIsOn: true });
    const { people, guest } = await confirmingStage(world);
    await confirming(world, people.organization, 'none');
    const thief = await guest(people.noor);
    await thief.password();
    await thief.configures();
    assert.equal((await thief.verifies()).location, enablePage(thief));
    await confirming(world, people.organization);
    await enablesNothing(thief);
    assert.equal(await linksMailed(world, people.noor), 0);
    assert.equal((await thief.browser.post(`${thief.door}/enable-mfa/confirm/send`)).status, 303);
    assert.equal(await linksMailed(world, people.noor), 1);
  });
});

async function enablesNothing(thief: Guest, stands = '/confirm'): Promise<void> {
  const { world, door, browser, person } = thief;
  if (stands === '') {
    assert.equal((await browser.post(`${door}/enable-mfa/enable`)).location, `${door}/enable-mfa`);
  } else {
    assert.equal((await browser.post(`${door}/enable-mfa/enable`)).location, `${door}/enable-mfa${stands}`);
    assert.equal((await browser.get(`${door}/enable-mfa/enable`)).location, `${door}/enable-mfa${stands}`);
    await browser.post(`${door}/enable-mfa/backup-codes`);
    assert.equal((await browser.get(`${door}/enable-mfa${stands}`)).status, 200);
  }
  assert.equal(await hasActive(world, person), false);
}

function enters(one: Guest, code: string): ReturnType<Guest['code']> {
  return one.browser.post(`${one.door}/enable-mfa/confirm`, { code });
}

function enablePage({ door }: Guest): string {
  return `${door}/enable-mfa/enable`;
}

function wrong(code: string, turn: number): string {
  const digits = BigInt(code.replaceAll('-', '')) + BigInt(turn + 1);
  return String(digits % 10n ** 16n).padStart(16, '0');
}
