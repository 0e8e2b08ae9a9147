import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endExemption, exempt } from '../../src/auth/exemptions.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { acme, setPolicy } from '../acme.ts';
import { stage, unchanged, type Guest } from '../surface/front-door.ts';
import type { Page } from '../visitor.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld } from '../world.ts';

const AT = '/portal/acme';
const later = ({ browser }: Guest): Promise<Page> => browser.post(`${AT}/enable-mfa/later`);

eachEngine('putting MFA off (ASVS 2.3.1, 6.3.4)', (engine) => {
  test('is impossible where nothing offers it: the form leads back into the ceremony, at every step of it', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const noor = await guest(people.noor);
    await noor.password();
    assert.doesNotMatch((await noor.browser.get(`${AT}/enable-mfa`)).text, /Set up later|Not now|No thanks/);
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa`);
    await noor.configures();
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa/scan`);
    await noor.verifies();
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa/enable`);
    assert.equal((await noor.browser.get(`${AT}/home`)).location, `${AT}/sign-in`);
  });

  test('ends with the grace: a page that was open before then opens nothing after it', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'required', 1);
    const noor = await guest(people.noor);
    await noor.password();
    await later(noor);
    const { expires_at: expires } = (await world.rows('sessions'))[0] ?? {};
    // 24 November, nine o'clock: the day after ends in 39 hours. Ten minutes before, she signs in once more.
    world.clock.advance(39 * 60 * MINUTE_MS - 10 * MINUTE_MS - 10_000);
    assert.ok(Number(expires) < world.clock.now, 'a working day is over before the grace is');
    await noor.password();
    assert.match((await noor.browser.get(`${AT}/enable-mfa`)).text, /Set up later/);
    world.clock.advance(10 * MINUTE_MS);
    assert.doesNotMatch((await noor.browser.get(`${AT}/enable-mfa`)).text, /Set up later/);
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa`);
  });

  test('opens one session, however often it is pressed, and the challenge is used up by it', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'required', 14);
    const noor = await guest(people.noor);
    await noor.password();
    const cookies = [...noor.browser.cookies];
    assert.equal((await later(noor)).location, `${AT}/home`);
    noor.browser.cookies.clear();
    for (const [name, value] of cookies) noor.browser.cookies.set(name, value);
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/sign-in`);
    assert.equal((await noor.browser.post(`${AT}/enable-mfa`)).location, `${AT}/sign-in`);
    assert.equal((await world.rows('sessions')).length, 1);
  });

  test('is impossible where the policy has become stricter since, and for whoever has MFA by now', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'required', 14);
    const noor = await guest(people.noor);
    await noor.password();
    await setPolicy(world.installation, people.organization, 'required');
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa`);
    await setPolicy(world.installation, people.organization, 'required', 14);
    await noor.enables();
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa/backup-codes`);
  });

  test('is impossible in a sign-in that began when nothing offered it, however mild the policy is by now (I11)', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const noor = await guest(people.noor);
    await noor.password();
    await setPolicy(world.installation, people.organization, 'off');
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa`);
    await setPolicy(world.installation, people.organization, 'required', 14);
    await (await guest(people.noor)).password();
    assert.equal((await unchanged(world, () => later(noor))).location, `${AT}/enable-mfa`);
    assert.equal((await noor.password()).location, `${AT}/enable-mfa`);
    assert.equal((await later(noor)).location, `${AT}/home`, 'another sign-in may');
  });

  test('gives a session that is no proof: it changes nothing, and enabling MFA from it asks for the password', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'required', 14);
    const noor = await guest(people.noor);
    await noor.password();
    await later(noor);
    const [session] = await world.rows('sessions');
    assert.deepEqual([session?.['factor'], session?.['proved_at']], ['password', null]);
    const { browser } = noor;
    assert.equal((await browser.get(`${AT}/enable-mfa`)).location, `${AT}/sign-in`, 'a session opens no ceremony');
    const refused = await browser.post(`${AT}/security/enable-mfa`, { password: 'not hers at all' });
    assert.equal(refused.status, 422);
    assert.equal((await browser.get(`${AT}/enable-mfa`)).location, `${AT}/sign-in`);
  });

  test('guessing the password from inside is counted as at the door', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'optional');
    const noor = await guest(people.noor);
    await noor.password();
    const statuses: number[] = [];
    for (let tries = 0; tries < 11; tries++)
      statuses.push((await noor.browser.post(`${AT}/security/enable-mfa`, { password: `guess ${tries}` })).status);
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 422), 429]);
  });

  test('is no part of the console, and of no other merchant', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await setPolicy(world.installation, people.organization, 'required', 14);
    const sam = await guest(people.sam);
    await sam.password();
    assert.equal((await sam.browser.post('/admin/enable-mfa/later')).status, 404);
    const others = await acme(world.installation, 'rival');
    const noor = await guest(people.noor);
    await noor.password();
    const elsewhere = `/portal/${others.organization.slug}`;
    const refused = await unchanged(world, () => noor.browser.post(`${elsewhere}/enable-mfa/later`));
    assert.equal(refused.location, `${elsewhere}/sign-in`);
  });
});

eachEngine('an exemption (ASVS 8.2.1, 8.2.2)', (engine) => {
  test('reaches nobody of another merchant, and no staff', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const others = await acme(world.installation, 'rival');
    const ada = await guest(people.ada);
    await ada.enrols();
    await ada.signsIn();
    const form = { reason: 'their phone comes next week', until: '2026-12-08' };
    await unchanged(world, async () => {
      for (const contact of [others.noor, people.sam, people.eve, people.ada]) {
        const path = `/admin/customers/${people.globex.id}/contacts/${contact.id}/exempt`;
        for (const page of [path, `${path}/end`])
          assert.equal((await ada.browser.post(page, page === path ? form : {})).status, 404, contact.email);
      }
    });
    const foreign = await exempt(world.installation, OPERATOR, people.organization, await world.account(people.sam), {
      reason: form.reason,
      lastDay: form.until,
    });
    assert.equal(foreign.kind, 'exempt-already', 'staff have none to get');
    assert.equal(await endExemption(world.installation, OPERATOR, await world.account(others.noor)), false);
  });

  test('that has ended lets in nobody by the session it gave', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const draft = { reason: 'their phone comes next week', lastDay: '2026-11-24' };
    const account = await world.account(people.noor);
    assert.equal((await exempt(world.installation, OPERATOR, people.organization, account, draft)).kind, 'granted');
    const noor = await guest(people.noor);
    world.clock.advance(14 * 60 * MINUTE_MS + 45 * MINUTE_MS);
    assert.equal((await noor.password()).location, `${AT}/home`);
    assert.equal((await noor.browser.get(`${AT}/home`)).status, 200);
    world.clock.advance(15 * MINUTE_MS);
    assert.equal((await noor.browser.get(`${AT}/home`)).location, `${AT}/sign-in`);
    assert.equal((await noor.password()).location, `${AT}/enable-mfa`);
    world.clock.advance(DAY_MS);
    assert.equal((await noor.password()).location, `${AT}/enable-mfa`);
  });
});
