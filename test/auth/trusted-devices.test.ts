import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { saveChoices } from '../../src/accounts/choices.ts';
import { findSession, isFreshlyProven, type Session } from '../../src/auth/sessions.ts';
import { answerByPasskey } from '../../src/auth/passkey-sign-in.ts';
import { beginUse } from '../../src/auth/passkeys.ts';
import { answerChallenge } from '../../src/auth/sign-in.ts';
import { trustedDevices } from '../../src/auth/trusted-devices.ts';
import { hashToken } from '../../src/crypto/tokens.ts';
import { sql } from '../../src/db/db.ts';
import { acme, challenged, enrol, home, setPolicy } from '../acme.ts';
import { Authenticator, challengeOf, freshSession, kept, rpOf, takePasskeys } from '../authenticator.ts';
import { acmeWithDevices, allows, comesBack, isAsked, isLetIn, nextCode, opens, timesOf, trusts } from '../devices.ts';
import { queued } from '../queued.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, type World } from '../world.ts';

eachEngine('a device that Maria has chosen not to be asked on', (engine) => {
  test('opens with her password alone, as what it is: no factor, and never a fresh proof', async () => {
    await using scene = await acmeWithDevices(engine);
    const outcome = await isLetIn(scene, await trusts(scene));
    const session = await sessionOf(scene.world, outcome.cookie);
    assert.equal(session.provenBy, 'trusted-device');
    assert.equal(session.provedAt, null);
    assert.equal(isFreshlyProven(session, scene.world.clock.now), false);
    const row = (await scene.world.audit(scene.people.maria)).at(-1);
    assert.equal(row?.action, 'signed-in');
    assert.deepEqual(JSON.parse(row.details), { factor: 'trusted-device' });
  });

  test('is written down, told to her by mail, and keeps only hashes', async () => {
    await using scene = await acmeWithDevices(engine, { mailIsOn: true });
    const { cookie, until } = await trusts(scene);
    const [row] = await scene.world.rows('trusted_devices');
    const [organization = '', token = ''] = cookie.split('.');
    assert.equal(organization, scene.people.organization.id);
    assert.equal(token.length, 86);
    assert.equal(row?.['series_hash'], hashToken(token.slice(0, 43)));
    assert.equal(row?.['token_hash'], hashToken(token.slice(43)));
    assert.ok(!JSON.stringify(row).includes(token.slice(0, 43)));
    assert.equal(until, scene.world.clock.now + 30 * DAY_MS);
    const actions = (await scene.world.audit(scene.people.maria)).map(({ action }) => action);
    assert.deepEqual(actions.slice(-2), ['device.trusted', 'signed-in']);
    const letter = (await queued(scene.world, scene.people.maria)).at(-1);
    assert.equal(letter?.kind, 'device-trusted');
    assert.equal(letter.facts['untilAt'], until);
  });

  test('gets another value at every use, and its end does not move', async () => {
    await using scene = await acmeWithDevices(engine);
    const first = await trusts(scene);
    let value = first.cookie;
    const seen = new Set([value]);
    for (let day = 0; day < 3; day++) {
      scene.world.clock.advance(DAY_MS);
      const outcome = await isLetIn(scene, { cookie: value });
      assert.equal(outcome.trust.until, first.until);
      value = outcome.trust.cookie;
      seen.add(value);
    }
    assert.equal(seen.size, 4);
    scene.world.clock.advance(first.until - scene.world.clock.now - 1);
    const last = await isLetIn(scene, { cookie: value });
    scene.world.clock.advance(1);
    await isAsked(scene, last.trust);
    assert.equal(await timesOf(scene, 'device.replayed'), 0);
  });

  test('is none without her password', async () => {
    await using scene = await acmeWithDevices(engine);
    const trust = await trusts(scene);
    assert.equal((await comesBack(scene, trust, { password: 'not her password' })).kind, 'wrong');
    await isLetIn(scene, trust);
  });

  test('is none where nobody has ticked the box, nor after a backup code, ticked or not', async () => {
    await using scene = await acmeWithDevices(engine);
    const { installation } = scene.world;
    const [code = ''] = scene.people.codes;
    const trusting = { carried: undefined };
    const plain = await opens(scene, nextCode(scene));
    assert.equal(plain.trust, undefined);
    const challenge = await challenged(installation, scene.people.maria);
    const answer = { kind: 'backup-code', code: code.replaceAll('-', '') } as const;
    const by = await answerChallenge(installation, challenge, answer, home(scene.people.maria), undefined, trusting);
    assert.ok(by.kind === 'right');
    assert.equal(by.bought.trust, undefined);
    assert.deepEqual(await scene.world.rows('trusted_devices'), []);
  });

  test('may be one after a passkey in place of the code', async () => {
    await using scene = await acmeWithDevices(engine);
    const { world, people } = scene;
    await takePasskeys(world, people.organization, 'second-factor');
    await world.change(sql`UPDATE organizations SET trusted_device_days = 30`);
    world.clock.advance(MINUTE_MS);
    const session = await freshSession(world, people.maria, people);
    const { device } = await kept(world, people.maria, session, new Authenticator(world.publicUrl));
    const challenge = await challengeOf(world, people.maria);
    const options = await beginUse(world.installation, rpOf(world), { to: 'second-factor', challenge });
    const by = { rp: rpOf(world), visitor: home(people.maria), trusting: { carried: undefined } };
    const answered = await answerByPasskey(world.installation, challenge, { ...by, response: device.use(options!) });
    assert.ok(answered.kind === 'right' && answered.trust, answered.kind);
    await isLetIn(scene, answered.trust);
  });

  test('is none of staff, whatever they tick and whatever cookie they bring', async () => {
    await using scene = await acmeWithDevices(engine);
    const { installation } = scene.world;
    const { ada } = scene.people;
    const { secret } = await enrol(installation, ada);
    scene.world.clock.advance(MINUTE_MS);
    const challenge = await challenged(installation, ada);
    const answer = { kind: 'totp', code: scene.world.codeFor(secret) } as const;
    const by = await answerChallenge(installation, challenge, answer, home(ada), undefined, { carried: undefined });
    assert.ok(by.kind === 'right');
    assert.equal(by.bought.trust, undefined);
    const { cookie } = await trusts(scene);
    await scene.world.change(sql`UPDATE trusted_devices SET account_id = ${ada.id}, epoch =
      (SELECT epoch FROM accounts WHERE id = ${ada.id})`);
    await isAsked(scene, { cookie }, { person: ada });
  });

  test('is none where the organization allows none', async () => {
    await using scene = await acmeWithDevices(engine);
    const trust = await trusts(scene);
    await allows(scene, null);
    await isAsked(scene, trust);
    assert.equal((await opens(scene, nextCode(scene), { carried: undefined })).trust, undefined);
    await allows(scene, 30);
    await isAsked(scene, trust);
  });

  test('ends early where fewer days are allowed: at once, or when those are over', async () => {
    await using scene = await acmeWithDevices(engine);
    const { clock } = scene.world;
    const trust = await trusts(scene);
    clock.advance(7 * DAY_MS);
    await allows(scene, 10);
    const inside = await isLetIn(scene, trust);
    const [shown] = await trustedDevices(scene.world.db, scene.people.maria, clock.now);
    assert.ok(shown);
    assert.equal(shown.until, shown.createdAt + 10 * DAY_MS);
    clock.advance(shown.until - clock.now);
    await isAsked(scene, inside.trust);
    const second = await trusts(scene);
    clock.advance(7 * DAY_MS);
    await allows(scene, 7);
    await isAsked(scene, second);
  });

  test('does not come back, nor last longer than it was told, where more days are allowed later', async () => {
    await using scene = await acmeWithDevices(engine);
    const { clock } = scene.world;
    const trust = await trusts(scene);
    clock.advance(7 * DAY_MS);
    await allows(scene, 7);
    await allows(scene, 180);
    await isAsked(scene, trust);
    assert.deepEqual(await trustedDevices(scene.world.db, scene.people.maria, clock.now), []);
    await allows(scene, 7);
    const short = await trusts(scene);
    await allows(scene, 180);
    clock.advance(short.until - clock.now);
    await isAsked(scene, short);
  });

  test("is worth nothing at anybody else's account, and takes no harm there", async () => {
    await using scene = await acmeWithDevices(engine);
    const { installation } = scene.world;
    const { eve } = scene.people;
    const trust = await trusts(scene);
    await enrol(installation, eve);
    const rival = await acme(installation, 'rival');
    await setPolicy(installation, rival.organization, 'required');
    await enrol(installation, rival.maria);
    await saveChoices(installation, OPERATOR, rival.organization.id, { ...rival.organization, trustedDeviceDays: 30 });
    for (const person of [eve, rival.maria]) {
      await isAsked(scene, trust, { person });
      const planted = { cookie: trust.cookie.replace(scene.people.organization.id, person.organizationId) };
      await isAsked(scene, planted, { person });
    }
    await isLetIn(scene, trust);
  });

  test('is no device where the cookie is something else', async () => {
    await using scene = await acmeWithDevices(engine);
    const { cookie } = await trusts(scene);
    const [organization = '', token = ''] = cookie.split('.');
    for (const other of ['', '.', `${organization}.`, token, `${cookie}.${token}`, `${organization}.${'a'.repeat(86)}`])
      await isAsked(scene, { cookie: other });
    await isLetIn(scene, { cookie });
  });
});

eachEngine('an old value of a trusted device', (engine) => {
  test('ends the device and what it has opened, and is written down', async () => {
    await using scene = await acmeWithDevices(engine);
    const stolen = await trusts(scene);
    const owner = await isLetIn(scene, stolen);
    scene.world.clock.advance(MINUTE_MS);
    await isAsked(scene, stolen);
    assert.equal(await findSession(scene.world.db, 'portal', owner.cookie, scene.world.clock.now), undefined);
    await isAsked(scene, owner.trust);
    const rows = await scene.world.audit(scene.people.maria);
    assert.equal(rows.filter(({ action }) => action === 'device.replayed').length, 1);
    const row = rows.find(({ action }) => action === 'device.replayed');
    assert.deepEqual(JSON.parse(row?.details ?? ''), { sessions: 1 });
  });

  test('from before the last one does so at once, however short ago', async () => {
    await using scene = await acmeWithDevices(engine);
    const stolen = await trusts(scene);
    const second = await isLetIn(scene, stolen);
    const third = await isLetIn(scene, second.trust);
    await isAsked(scene, stolen);
    await isAsked(scene, third.trust);
    assert.equal(await timesOf(scene, 'device.replayed'), 1);
  });

  test('that was the last one within a minute opens nothing and ends nothing: two tabs send one value at once', async () => {
    await using scene = await acmeWithDevices(engine);
    const trust = await trusts(scene);
    const first = await isLetIn(scene, trust);
    scene.world.clock.advance(MINUTE_MS - 1);
    await isAsked(scene, trust);
    assert.equal(await timesOf(scene, 'device.replayed'), 0);
    await isLetIn(scene, first.trust);
  });

  test('ends nothing without the password, so that no outsider can take the trust away', async () => {
    await using scene = await acmeWithDevices(engine);
    const old = await trusts(scene);
    const inside = await isLetIn(scene, old);
    scene.world.clock.advance(HOUR_MS);
    assert.equal((await comesBack(scene, old, { password: 'not her password' })).kind, 'wrong');
    await isLetIn(scene, inside.trust);
  });

  test('that is replaced by ticking the box again leaves no device behind it', async () => {
    await using scene = await acmeWithDevices(engine);
    const stolen = await trusts(scene);
    const thief = await isLetIn(scene, stolen);
    const again = await opens(scene, nextCode(scene), { carried: stolen.cookie });
    assert.ok(again.trust);
    await isAsked(scene, thief.trust);
    await isLetIn(scene, again.trust);
  });
});

async function sessionOf({ db, clock }: World, cookie: string): Promise<Session> {
  const session = await findSession(db, 'portal', cookie, clock.now);
  assert.ok(session);
  return session;
}
