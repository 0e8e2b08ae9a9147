import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import type { Installation } from '../../src/accounts/installation.ts';
import type { Challenge } from '../../src/auth/challenges.ts';
import { generateCodes } from '../../src/auth/ceremony-codes.ts';
import { ceremony, enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { otpauthUri, setupKey } from '../../src/auth/otpauth.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { leaveChallenge } from '../../src/auth/sign-in.ts';
import { encodeBase32 } from '../../src/crypto/base32.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, found, home, pendingOf, refound, setPolicy, signsIn, type Person } from '../acme.ts';
import { eachEngine, MINUTE_MS, oathtool, openWorld, type World } from '../world.ts';

/** One person in the ceremony, with what they can press. */
class Ceremony {
  readonly world: World;
  readonly person: Person;
  readonly cookie: string;

  constructor(world: World, person: Person, cookie: string) {
    this.world = world;
    this.person = person;
    this.cookie = cookie;
  }

  challenge(): Promise<Challenge> {
    return refound(this.world.installation, this.person, this.cookie);
  }

  async state(): Promise<Awaited<ReturnType<typeof ceremony>>> {
    return ceremony(this.world.installation, await this.challenge());
  }

  async step(): Promise<string> {
    return (await this.state()).step;
  }

  async secret(): Promise<Uint8Array> {
    return (await pendingOf(this.world.installation, await this.challenge())).secret;
  }

  async configure(): Promise<void> {
    await offer(this.world.installation, await this.challenge(), home(this.person));
  }

  async verify(code: string): ReturnType<typeof verifyEnrolment> {
    return verifyEnrolment(this.world.installation, await this.challenge(), code, home(this.person));
  }

  async enable(): Promise<boolean> {
    return enable(this.world.installation, await this.challenge(), home(this.person));
  }

  async generate(): Promise<readonly string[] | undefined> {
    return generateCodes(this.world.installation, await this.challenge(), home(this.person));
  }

  async proveAndEnable(): Promise<Uint8Array> {
    await this.configure();
    const secret = await this.secret();
    assert.deepEqual(await this.verify(this.world.codeFor(secret)), { kind: 'proven' });
    assert.equal(await this.enable(), true);
    return secret;
  }
}

async function begun(world: World, person: Person): Promise<Ceremony> {
  const outcome = await signsIn(world.installation, person);
  assert.ok(outcome.kind === 'enrolment', `signing in led to ${outcome.kind}`);
  return new Ceremony(world, person, outcome.cookie);
}

async function mariaBegins(world: World): Promise<Ceremony> {
  const { organization, maria } = await world.acme();
  await setPolicy(world.installation, organization, 'required');
  return begun(world, maria);
}

eachEngine('enabling MFA', (engine) => {
  test('goes from step to step, and looking at a step changes nothing', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    assert.deepEqual(await maria.state(), { step: 'start', ended: null });
    await maria.configure();
    assert.equal(await maria.step(), 'offered');
    const secret = await maria.secret();
    assert.equal(secret.length, 20);
    await maria.verify(oathtool(secret, world.clock.now));
    assert.equal(await maria.step(), 'proven');
    assert.equal((await signsIn(world.installation, maria.person)).kind, 'enrolment', 'until Enable nothing changes');
    assert.equal(await maria.enable(), true);
    assert.deepEqual(await maria.state(), { step: 'enabled', codes: null });
    const codes = await maria.generate();
    assert.deepEqual(await maria.state(), { step: 'enabled', codes });
    assert.equal((await signsIn(world.installation, maria.person)).kind, 'challenge');
  });

  test('out of turn does nothing: no Verify before Configure, no Enable before Verify, no codes before Enable', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    assert.deepEqual(await maria.verify('123456'), { kind: 'out-of-turn' });
    assert.equal(await maria.enable(), false);
    assert.equal(await maria.generate(), undefined);
    await maria.configure();
    assert.equal(await maria.enable(), false);
    assert.equal(await maria.generate(), undefined);
    await maria.verify(world.codeFor(await maria.secret()));
    assert.equal(await maria.generate(), undefined);
    assert.deepEqual(
      await maria.verify(world.codeFor(await maria.secret(), 1)),
      { kind: 'out-of-turn' },
      'proven once',
    );
    assert.deepEqual(await world.rows('backup_codes'), []);
  });

  test('with a wrong code activates nothing and keeps the same QR code (E3)', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const secret = await maria.secret();
    for (const triesUsed of [1, 2, 3]) {
      assert.deepEqual(await maria.verify(farFrom(world, secret)), { kind: 'wrong', triesUsed });
    }
    assert.equal(await maria.step(), 'offered');
    assert.deepEqual(await maria.secret(), secret);
    await maria.configure();
    assert.deepEqual(await maria.secret(), secret, 'Configure again shows the same too');
    assert.deepEqual(await maria.verify(world.codeFor(secret)), { kind: 'proven' });
  });

  test('accepts the code of the step before and after, and ends what came before it', async () => {
    for (const steps of [-1, 1]) {
      await using world = await openWorld(engine);
      const maria = await mariaBegins(world);
      await maria.configure();
      assert.deepEqual(await maria.verify(world.codeFor(await maria.secret(), steps)), { kind: 'proven' });
    }
  });

  test('tells by how many minutes the clock of the phone is off, and which way', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const secret = await maria.secret();
    const said = [
      [-2, 1, 'slow'],
      [-6, 3, 'slow'],
      [-20, 10, 'slow'],
      [2, 1, 'fast'],
      [10, 5, 'fast'],
      [20, 10, 'fast'],
    ] as const;
    for (const [steps, minutes, direction] of said) {
      assert.deepEqual(await maria.verify(world.codeFor(secret, steps)), { kind: 'clock', minutes, direction });
    }
    assert.equal((await maria.verify(world.codeFor(secret, 21))).kind, 'wrong');
    assert.equal(await maria.step(), 'offered', 'none of them proved anything');
  });

  test('has twenty tries, and then begins again with a new secret', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const secret = await maria.secret();
    for (let n = 1; n <= 20; n++)
      assert.deepEqual(await maria.verify(farFrom(world, secret)), { kind: 'wrong', triesUsed: n });
    assert.deepEqual(await maria.verify(world.codeFor(secret)), { kind: 'out-of-turn' });
    assert.deepEqual(await maria.state(), { step: 'start', ended: 'tries' });
    await maria.configure();
    assert.notDeepEqual(await maria.secret(), secret);
    assert.equal((await maria.verify(world.codeFor(secret))).kind, 'wrong');
  });

  test('proves with the twentieth try too', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const secret = await maria.secret();
    for (let n = 1; n < 20; n++) await maria.verify(farFrom(world, secret));
    assert.deepEqual(await maria.verify(world.codeFor(secret)), { kind: 'proven' });
    assert.equal(await maria.enable(), true);
  });

  test('costs the account no attempt, whatever is typed', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    for (let n = 0; n < 8; n++) await maria.verify(farFrom(world, await maria.secret()));
    const row = (await world.rows('accounts')).find(({ id }) => id === maria.person.id);
    assert.deepEqual([row?.['totp_wrong'], row?.['window_wrong'], row?.['totp_wait_until']], [0, 0, 0]);
  });

  test('in a second sign-in shows a fresh secret, never the one that the first was shown (I10)', async () => {
    await using world = await openWorld(engine);
    const first = await mariaBegins(world);
    await first.configure();
    const secret = await first.secret();
    await first.verify(world.codeFor(secret));
    const second = await begun(world, first.person);
    assert.deepEqual(await second.state(), { step: 'start', ended: null });
    await second.configure();
    assert.notDeepEqual(await second.secret(), secret);
    assert.deepEqual(await first.state(), { step: 'start', ended: 'replaced' });
    assert.equal(await first.enable(), false, 'what was proven in the first can no longer be enabled');
    assert.equal((await second.verify(world.codeFor(secret))).kind, 'wrong');
    const pending = (await world.rows('authenticators')).filter((row) => row['revoked_at'] === null);
    assert.equal(pending.length, 1);
  });

  test('enables what was proven in the same ceremony and no other', async () => {
    await using world = await openWorld(engine);
    const first = await mariaBegins(world);
    const second = await begun(world, first.person);
    await first.configure();
    assert.deepEqual(await second.verify(world.codeFor(await first.secret())), { kind: 'out-of-turn' });
    await first.verify(world.codeFor(await first.secret()));
    assert.equal(await second.enable(), false);
    assert.equal(await first.enable(), true);
  });

  test('runs out of time after thirty minutes, with the secret gone from what is shown', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    world.clock.advance(MINUTE_MS);
    await maria.configure();
    const secret = await maria.secret();
    await maria.verify(world.codeFor(secret));
    const challenge = await maria.challenge();
    world.clock.advance(29 * MINUTE_MS);
    assert.equal(await enable(world.installation, challenge, home(maria.person)), false);
    assert.deepEqual(await ceremony(world.installation, challenge), { step: 'start', ended: null });
    assert.equal((await found(world.installation, maria.person, maria.cookie)).kind, 'dead');
    const verified = await verifyEnrolment(world.installation, challenge, world.codeFor(secret), home(maria.person));
    assert.deepEqual(verified, { kind: 'out-of-turn' });
  });

  test('runs out of time after thirty minutes before Verify too', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const secret = await maria.secret();
    const challenge = await maria.challenge();
    world.clock.advance(30 * MINUTE_MS);
    const verified = await verifyEnrolment(world.installation, challenge, world.codeFor(secret), home(maria.person));
    assert.deepEqual(verified, { kind: 'out-of-turn' });
  });

  test('stops where it is when the account changes meanwhile, even if nobody put it away (I12)', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const secret = await maria.secret();
    const challenge = await maria.challenge();
    await maria.verify(world.codeFor(secret));
    for (const change of [sql`epoch = epoch + 1`, sql`epoch = ${challenge.epoch}, disabled_at = 1`]) {
      await world.change(sql`UPDATE accounts SET ${change} WHERE id = ${maria.person.id}`);
      assert.equal(await enable(world.installation, challenge, home(maria.person)), false);
      const again = await verifyEnrolment(world.installation, challenge, world.codeFor(secret, 1), home(maria.person));
      assert.deepEqual(again, { kind: 'out-of-turn' });
    }
  });

  test('twice enables once', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    await maria.verify(world.codeFor(await maria.secret()));
    const challenge = await maria.challenge();
    assert.equal(await enable(world.installation, challenge, home(maria.person)), true);
    assert.equal(
      await enable(world.installation, challenge, home(maria.person)),
      false,
      'the second press of the same page',
    );
    assert.equal(await maria.enable(), false, 'and of the next one');
    const enabled = (await world.audit(maria.person)).filter(({ action }) => action === 'mfa.enabled');
    assert.equal(enabled.length, 1);
  });

  test('voids every session, challenge and enrolment of the account but its own ceremony (I12)', async () => {
    await using world = await openWorld(engine);
    const { organization, maria } = await world.acme();
    const signedIn = await signsIn(world.installation, maria);
    assert.ok(signedIn.kind === 'signed-in');
    await setPolicy(world.installation, organization, 'required');
    const [other, own] = [await begun(world, maria), await begun(world, maria)];
    await own.proveAndEnable();
    assert.equal(await findSession(world.db, 'portal', signedIn.cookie, world.clock.now), undefined);
    assert.equal((await found(world.installation, maria, other.cookie)).kind, 'dead');
    assert.equal(await own.step(), 'enabled');
    assert.ok((await world.rows('sessions')).every((row) => row['ended_at'] !== null));
  });

  test('ends in no session: Maria signs in with password and code (E6)', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    await maria.generate();
    await leaveChallenge(world.installation, await maria.challenge());
    assert.deepEqual(await world.rows('sessions'), []);
    assert.equal((await found(world.installation, maria.person, maria.cookie)).kind, 'dead');
  });

  test('opens no sign-in with the ceremony that is left for the backup codes', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    const secret = await maria.proveAndEnable();
    world.clock.advance(STEP_MS);
    const challenge = await maria.challenge();
    assert.equal(challenge.purpose, 'backup-codes');
    const asSignIn = { ...challenge, purpose: 'sign-in' } as const;
    assert.equal((await answers(world.installation, asSignIn, world.codeFor(secret))).kind, 'over');
  });
});

eachEngine('generating backup codes', (engine) => {
  test('hashes five codes once, however often the button is pressed at once and after', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    const challenge = await maria.challenge();
    let hashes = 0;
    const counting: Installation = {
      ...world.installation,
      hashing: (work) => {
        hashes++;
        return world.installation.hashing(work);
      },
    };
    const press = (): ReturnType<typeof generateCodes> => generateCodes(counting, challenge, home(maria.person));
    const shown = await Promise.all(Array.from({ length: 16 }, press));
    shown.push(await press());
    assert.equal(new Set(shown.map((codes) => codes?.join())).size, 1);
    assert.equal(hashes, 5);
  });

  test('gives the same five until Continue, and nothing ever after (E5, I19)', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    const codes = await maria.generate();
    assert.equal(codes?.length, 5);
    assert.deepEqual(await maria.generate(), codes, 'a second press');
    assert.deepEqual(await maria.state(), { step: 'enabled', codes }, 'a reload');
    assert.equal((await world.rows('backup_code_sets')).length, 1);
    const challenge = await maria.challenge();
    await leaveChallenge(world.installation, challenge);
    assert.ok((await world.rows('challenges')).every((row) => row['sealed_codes'] === null));
    assert.equal(await generateCodes(world.installation, challenge, home(maria.person)), undefined);
    assert.deepEqual(await ceremony(world.installation, challenge), { step: 'enabled', codes: null });
  });

  test('lies sealed on the ceremony until then, never in the clear', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    const codes = (await maria.generate()) ?? [];
    const text = JSON.stringify(await world.rows('challenges'));
    for (const code of codes) assert.ok(!text.includes(code));
  });

  test('is over ten minutes after Enable, and no new set is made then', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    const challenge = await maria.challenge();
    world.clock.advance(10 * MINUTE_MS);
    assert.equal((await found(world.installation, maria.person, maria.cookie)).kind, 'dead');
    assert.equal(await generateCodes(world.installation, challenge, home(maria.person)), undefined);
    assert.deepEqual(await world.rows('backup_codes'), []);
  });

  test('is over when the account is reset meanwhile, and the codes are gone from the ceremony', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    await maria.generate();
    const challenge = await maria.challenge();
    const reason = { check: 'met-in-person', note: '' } as const;
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria.person), reason);
    assert.equal(await generateCodes(world.installation, challenge, home(maria.person)), undefined);
    assert.ok((await world.rows('challenges')).every((row) => row['sealed_codes'] === null));
  });

  test('raises no epoch', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.proveAndEnable();
    const { epoch } = await world.account(maria.person);
    await maria.generate();
    assert.equal((await world.account(maria.person)).epoch, epoch);
  });
});

eachEngine('what an authenticator app is shown', (engine) => {
  test('is the Key URI that every app reads, with the key as people type it', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await maria.configure();
    const pending = await pendingOf(world.installation, await maria.challenge());
    const account = await world.account(maria.person);
    const key = setupKey(pending);
    assert.equal(key, encodeBase32(pending.secret));
    assert.match(key, /^[A-Z2-7]{32}$/);
    const uri = await otpauthUri(world.installation, account, pending);
    assert.equal(uri, `otpauth://totp/Acme%20Billing:maria%40globex.test?secret=${key}&issuer=Acme%20Billing`);
  });

  test('has no colon inside a part, and nothing that could end it early', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    await world.change(sql`UPDATE organizations SET name = 'A:B & C? #1/'`);
    await maria.configure();
    const pending = await pendingOf(world.installation, await maria.challenge());
    const uri = await otpauthUri(world.installation, await world.account(maria.person), pending);
    const issuer = 'A%20B%20%26%20C%3F%20%231%2F';
    assert.equal(uri, `otpauth://totp/${issuer}:maria%40globex.test?secret=${setupKey(pending)}&issuer=${issuer}`);
  });

  test('has at most 64 characters of the address, whole ones', async () => {
    await using world = await openWorld(engine);
    const maria = await mariaBegins(world);
    const email = `${'𝒎'.repeat(70)}@globex.test`;
    await maria.configure();
    const pending = await pendingOf(world.installation, await maria.challenge());
    const uri = await otpauthUri(world.installation, { ...(await world.account(maria.person)), email }, pending);
    assert.match(uri, new RegExp(`:${encodeURIComponent('𝒎'.repeat(64))}\\?`));
  });

  test('lies in the database sealed, and is gone from it when the account is reset', async () => {
    await using world = await openWorld(engine);
    const { maria, secret } = await world.acmeWithMfa();
    const text = JSON.stringify(await world.rows('authenticators'));
    const bytes = Buffer.from(secret);
    for (const form of [
      encodeBase32(secret),
      bytes.toString('base64url'),
      bytes.toString('base64'),
      bytes.toString('hex'),
    ]) {
      assert.ok(!text.includes(form));
    }
    const reason = { check: 'met-in-person', note: '' } as const;
    await resetMfa(world.installation, OPERATOR, 'operator', await world.account(maria), reason);
    assert.ok((await world.rows('authenticators')).every((row) => row['secret'] === null));
    await challenged(world.installation, maria);
  });
});

/** Six digits that are the code of no step for ten minutes either way. */
function farFrom(world: World, secret: Uint8Array): string {
  const near = new Set(Array.from({ length: 41 }, (_, n) => world.codeFor(secret, n - 20)));
  return ['000000', '111111', '222222', '333333'].find((code) => !near.has(code)) ?? '';
}
