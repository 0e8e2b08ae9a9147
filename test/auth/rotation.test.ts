import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { openInstallation, type Installation } from '../../src/accounts/installation.ts';
import { appendPart } from '../../src/accounts/job-parts.ts';
import { keepRing, letRingGo } from '../../src/accounts/keys.ts';
import { queueMail } from '../../src/accounts/outbox.ts';
import { generateCodes } from '../../src/auth/ceremony-codes.ts';
import { ceremony, enable, offer, verifyEnrolment } from '../../src/auth/enrolment.ts';
import { parkForm } from '../../src/auth/parked-forms.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { makeSignInCode } from '../../src/auth/sign-in-codes.ts';
import { countSealed, rotate, SEALED_COLUMNS, type Rotation, type Watch } from '../../src/auth/rotation.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import {
  addContact,
  answers,
  challenged,
  enrol,
  home,
  pendingOf,
  refound,
  signsIn,
  type Acme,
  type Enrolled,
  type Person,
  waitingJob,
} from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, ringOf, type Engine, type World } from '../world.ts';

const unwatched: Watch = () => undefined;

/** A process that starts now with such a ring, on the connections of the world. */
function startedWith(world: World, ...ids: readonly [string, ...string[]]): Promise<Installation> {
  const { db, now, log, passwordCost, backupCodeCost } = world.installation;
  const hashing = { atOnce: 3, queue: 64, waitMs: 2_000 };
  return openInstallation(db, ringOf(...ids), { now, log, passwordCost, backupCodeCost, hashing });
}

/** The server of a world is restarted with "new" in front of "old". */
async function restarted(world: World): Promise<Installation> {
  await letRingGo(world.installation);
  return startedWith(world, 'new', 'old');
}

interface Everybody extends Acme, Enrolled {
  readonly adasCookie: string;
}

/** Acme, whose people stand at every point at which something of theirs lies sealed. */
async function everybody(world: World): Promise<Everybody> {
  const acme = await world.acmeWithMfa();
  const { installation } = world;
  const used = await answers(installation, await challenged(installation, acme.maria), acme.codes[0] ?? '');
  assert.equal(used.kind, 'right');
  await offer(installation, await challenged(installation, acme.noor), home(acme.noor));
  await proves(world, acme.eve);
  await enrol(installation, acme.sam);
  const reason = { check: 'other', note: 'he lost his phone' } as const;
  await resetMfa(installation, OPERATOR, 'operator', await world.account(acme.sam), reason);
  const adasCookie = await proves(world, acme.ada);
  await enable(installation, await refound(installation, acme.ada, adasCookie), home(acme.ada));
  await generateCodes(installation, await refound(installation, acme.ada, adasCookie), home(acme.ada));
  const code = await makeSignInCode(
    installation,
    OPERATOR,
    await world.account(acme.ada),
    await world.account(acme.maria),
    reason,
  );
  assert.equal(code.kind, 'made');
  const job = { organizationId: acme.organization.id, id: await waitingJob(installation, acme.organization) };
  await installation.db.transaction((tx) => appendPart(tx, installation, job, 'upload', 'a file'));
  const { organizationId, id: accountId } = acme.maria;
  await installation.db.transaction((tx) =>
    queueMail(tx, { ...installation, mailIsOn: true }, { organizationId, accountId, kind: 'test' }),
  );
  assert.ok(used.kind === 'right');
  const lost = { check: 'other', note: 'she lost her phone too' } as const;
  const made = await makeSignInCode(
    installation,
    OPERATOR,
    await world.account(acme.ada),
    await world.account(acme.maria),
    lost,
  );
  assert.equal(made.kind, 'made');
  const session = await findSession(world.db, 'portal', used.bought.cookie, world.clock.now);
  assert.ok(session);
  await parkForm(installation, session, { path: '/portal/acme/security', body: 'a=b', about: 'change something' });
  return { ...acme, adasCookie };
}

/** The ceremony as far as a proven secret; answers its cookie. */
async function proves(world: World, person: Person): Promise<string> {
  const { installation } = world;
  const outcome = await signsIn(installation, person);
  assert.ok(outcome.kind === 'enrolment');
  const challenge = await refound(installation, person, outcome.cookie);
  await offer(installation, challenge, home(person));
  const code = world.codeFor((await pendingOf(installation, challenge)).secret);
  assert.deepEqual(await verifyEnrolment(installation, challenge, code, home(person)), { kind: 'proven' });
  return outcome.cookie;
}

/** Every value in the database that says it is sealed with a key, as `table.column`. */
async function sealedWith(world: World, keyId: string): Promise<string[]> {
  const tables =
    world.db.engine === 'sqlite'
      ? sql`SELECT name FROM sqlite_master WHERE type = 'table'`
      : sql`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  const found: string[] = [];
  for (const { name } of await world.db.all<{ name: string }>(tables)) {
    for (const row of await world.rows(name)) {
      const columns = Object.entries(row).filter(([, value]) => String(value).startsWith(`${keyId}.`));
      found.push(...columns.map(([column]) => `${name}.${column}`));
    }
  }
  return found.toSorted();
}

function counted(rotation: Rotation): number {
  return rotation.columns.reduce((sum, { resealed }) => sum + resealed, 0);
}

/** Everybody gets in, with what they had before: the secrets open and are the same. */
async function everybodyGetsIn(world: World, installation: Installation, people: Everybody): Promise<void> {
  world.clock.advance(STEP_MS);
  const byApp = await challenged(installation, people.maria);
  assert.equal((await answers(installation, byApp, world.codeFor(people.secret))).kind, 'right');
  const byBackupCode = await challenged(installation, people.maria);
  assert.equal((await answers(installation, byBackupCode, people.codes[1] ?? '')).kind, 'right');
  const usedBefore = await challenged(installation, people.maria);
  assert.equal((await answers(installation, usedBefore, people.codes[0] ?? '')).kind, 'wrong');
  const shown = await ceremony(installation, await refound(installation, people.ada, people.adasCookie));
  assert.ok(shown.step === 'enabled' && shown.codes?.length === 5, "Ada's codes are still on her screen");
}

eachEngine('the rotation of keys', (engine) => {
  test('seals everything again, wherever it lies, and releases the old key', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    const people = await everybody(world);
    const before = await sealedWith(world, 'old');
    const columns = [...SEALED_COLUMNS.map(({ name }) => name), 'key_uses.proof'].toSorted();
    assert.deepEqual(
      [...new Set(before)],
      columns,
      'somebody has something in each column that is rotated, and nowhere else',
    );

    const installation = await restarted(world);
    const rotation = await rotate(installation, unwatched);
    assert.deepEqual([rotation.released, rotation.kept], [['old'], []]);
    assert.equal(counted(rotation), before.length - 1);
    assert.deepEqual(await sealedWith(world, 'old'), []);
    assert.equal((await sealedWith(world, 'new')).length, before.length);

    await letRingGo(installation);
    await everybodyGetsIn(world, await startedWith(world, 'new'), people);
  });

  test('changes nothing else that a sign-in depends on: an answer that is under way is right', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old', 'new') });
    const { maria, secret } = await world.acmeWithMfa();
    const open = await challenged(world.installation, maria);
    const rest = async (): Promise<string[]> => {
      const tables = await Promise.all(
        ['authenticators', 'accounts', 'sessions', 'challenges'].map((name) => world.rows(name)),
      );
      return tables
        .flat()
        .map((row) => JSON.stringify({ ...row, secret: null, password: null }))
        .toSorted();
    };
    const before = await rest();
    await rotate(await restarted(world), unwatched);
    assert.deepEqual(await rest(), before);
    assert.equal((await answers(world.installation, open, world.codeFor(secret))).kind, 'right');
  });

  test('never overwrites a password that is set between its reading and its exchange', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    const { maria, noor } = await world.acmeWithMfa();
    const argon2 = await hashNewPassword(world.installation, 'another long secret');
    const installation = await restarted(world);
    const setsPassword = async (): Promise<void> => {
      const account = await world.account(noor);
      await world.db.transaction((tx) => storePassword(tx, installation, OPERATOR, account, argon2));
    };
    const { released } = await rotate(afterReading(installation, 'accounts', setsPassword), unwatched);
    assert.deepEqual(released, ['old']);
    assert.equal((await signsIn(installation, noor)).kind, 'wrong');
    assert.equal((await signsIn(installation, { ...noor, password: 'another long secret' })).kind, 'enrolment');
    assert.equal((await signsIn(installation, maria)).kind, 'challenge');
  });

  test('never brings back a secret that a reset takes between its reading and its exchange', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    const { maria } = await world.acmeWithMfa();
    const installation = await restarted(world);
    const resets = async (): Promise<void> => {
      const reason = { check: 'other', note: 'she lost her phone' } as const;
      await resetMfa(installation, OPERATOR, 'operator', await world.account(maria), reason);
    };
    // A value that came back would break the schema's word that what is revoked has no secret.
    await rotate(afterReading(installation, 'authenticators', resets), unwatched);
    const [authenticator] = await world.rows('authenticators');
    assert.deepEqual([authenticator?.['secret'], authenticator?.['revoked_at']], [null, world.clock.now]);
  });

  test('keeps a key that a running server seals with, names the server, and seals everything again all the same', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old', 'new') });
    const { maria } = await world.acmeWithMfa();
    const installation = await startedWith(world, 'new', 'old');
    const early = await rotate(installation, unwatched);
    const sealers = [world.installation.holder.name];
    assert.deepEqual([early.released, early.kept], [[], [{ key: 'old', sealers, stuck: 0 }]]);
    assert.deepEqual(await sealedWith(world, 'old'), ['key_uses.proof']);
    assert.deepEqual((await rotate(installation, unwatched)).released, [], 'it may seal something at any time');

    const account = await world.account(maria);
    const argon2 = await hashNewPassword(world.installation, 'sealed with the old key');
    await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, account, argon2));
    await letRingGo(world.installation);
    const late = await rotate(installation, unwatched);
    assert.deepEqual([late.released, late.kept, counted(late)], [['old'], [], 1]);
    assert.equal((await signsIn(installation, { ...maria, password: 'sealed with the old key' })).kind, 'challenge');
  });

  test('does not release a key that a process takes up, and lets go of again, after the rotation has looked', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old', 'new') });
    await world.acmeWithMfa();
    const installation = await startedWith(world, 'new', 'old');
    await rotate(installation, unwatched);
    await letRingGo(world.installation);
    // Nothing has the old key any more, and nobody seals with it: then somebody comes, seals perhaps, and goes.
    const comesAndGoes = async (): Promise<void> => letRingGo(await startedWith(world, 'old', 'new'));
    const late = await rotate(withEmptyPage(installation, comesAndGoes), unwatched);
    assert.deepEqual(late.released, []);
    assert.deepEqual(late.kept, [{ key: 'old', sealers: [], stuck: 0 }]);
    assert.deepEqual((await rotate(installation, unwatched)).released, ['old']);
  });

  test('is told to a server that was asleep: the key that it still seals with is in use again', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old', 'new') });
    await world.acmeWithMfa();
    world.clock.advance(3 * MINUTE_MS);
    const installation = await startedWith(world, 'new', 'old');
    assert.deepEqual((await rotate(installation, unwatched)).released, ['old']);
    await keepRing(world.installation);
    assert.ok(
      world.log.lines.some(({ level, message }) => level === 'warn' && message.startsWith('a key was released')),
    );
    await assert.rejects(startedWith(world, 'new'), { name: 'KeyRefused', message: /"old"/ });
  });

  test('leaves a value that does not open, with its key, and seals all others again', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    const { maria, noor } = await world.acmeWithMfa();
    const ofNoor = sql`(SELECT n.password FROM accounts n WHERE n.id = ${noor.id})`;
    await world.change(sql`UPDATE accounts SET password = ${ofNoor} WHERE id = ${maria.id}`);
    const { released, kept } = await rotate(await restarted(world), unwatched);
    assert.deepEqual([released, kept], [[], [{ key: 'old', sealers: [], stuck: 1 }]]);
    assert.deepEqual(await sealedWith(world, 'old'), ['accounts.password', 'key_uses.proof']);
  });

  test('tells how far it is, column by column, and what is left before and after', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    await everybody(world);
    const before = await countSealed(world.db, 'old');
    assert.deepEqual(
      await countSealed(world.db, 'o'),
      SEALED_COLUMNS.map(({ name: column }) => ({ column, count: 0 })),
    );
    const last = new Map<string, [number, number]>();
    await rotate(await restarted(world), (column, done, total) => last.set(column, [done, total]));
    assert.deepEqual(
      before.map(({ column, count }) => [column, [count, count]]),
      [...last],
    );
    assert.ok((await countSealed(world.db, 'old')).every(({ count }) => count === 0));
  });

  test('killed anywhere and run again, ends as if it had not been', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old', 'new') });
    const people = await everybody(world);
    const values = (await sealedWith(world, 'old')).length - 1;
    for (const killAfter of [1, 4, 9]) {
      const [code, signal] = (await once(rotating(world, engine, String(killAfter)), 'exit')) as [number, string];
      assert.deepEqual([code, signal], [null, 'SIGKILL']);
    }
    assert.equal((await sealedWith(world, 'old')).length - 1, values - 14, 'what was done before a kill stays done');
    const installation = await restarted(world);
    assert.equal(counted(await rotate(installation, unwatched)), values - 14);
    assert.deepEqual(await sealedWith(world, 'old'), []);
    await letRingGo(installation);
    world.clock.advance(3 * MINUTE_MS);
    await everybodyGetsIn(world, await startedWith(world, 'new'), people);
  });

  test('holds up and fails no sign-in of a running server, to and fro while 24 people come and go', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old', 'new') });
    const { globex } = await world.acmeWithMfa();
    const people: (Person & Enrolled)[] = [];
    for (let n = 0; n < 24; n++) {
      const person = await addContact(world.installation, globex, `Contact${n} Silva`);
      people.push({ ...person, ...(await enrol(world.installation, person)) });
    }
    const child = rotating(world, engine, 'never');
    const rotations = { done: 0 };
    child.on('message', (turns: number) => (rotations.done = turns));
    await once(child, 'message');
    for (let round = 0; round < 5 || rotations.done < 4; round++) {
      assert.ok(child.connected, 'the keys are still rotated');
      world.clock.advance(STEP_MS);
      const found = await Promise.all(
        people.map(async ({ secret, codes, ...person }) => {
          const challenge = await challenged(world.installation, person);
          const typed = round === 4 ? (codes[0] ?? '') : world.codeFor(secret);
          return (await answers(world.installation, challenge, typed)).kind;
        }),
      );
      assert.deepEqual(new Set(found), new Set(['right']));
    }
    child.send('enough');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    await rotate(await restarted(world), unwatched);
    assert.deepEqual(await sealedWith(world, 'old'), []);
    for (const person of people) assert.equal((await signsIn(world.installation, person)).kind, 'challenge');
  });

  test('run twice at once, does the work once and fails neither', async () => {
    await using world = await openWorld(engine, { ring: ringOf('old') });
    const people = await everybody(world);
    const values = (await sealedWith(world, 'old')).length - 1;
    const installations = [await restarted(world), await startedWith(world, 'new', 'old')];
    const rotations = await Promise.all(installations.map((installation) => rotate(installation, unwatched)));
    assert.equal(
      rotations.reduce((sum, rotation) => sum + counted(rotation), 0),
      values,
    );
    assert.deepEqual(await sealedWith(world, 'old'), []);
    assert.ok(rotations.some(({ released }) => released.includes('old')));
    for (const installation of installations) await letRingGo(installation);
    await everybodyGetsIn(world, await startedWith(world, 'new'), people);
  });
});

test('whoever seals something is known to the rotation, or has its reason not to be', () => {
  const SEALERS: Record<string, string> = {
    'accounts/installation.ts': 'SEALED_INSTALLATION_KEYS',
    'accounts/job-parts.ts': 'SEALED_PARTS',
    'accounts/keys.ts': 'proofs, which go with their key',
    'accounts/outbox.ts': 'SEALED_MAILS',
    'auth/ceremony-codes.ts': 'SEALED_SHOWN_CODES',
    'auth/factors/backup-codes.ts': 'SEALED_CODE_HASHES',
    'auth/factors/sign-in-code.ts': 'SEALED_SIGN_IN_CODES',
    'auth/factors/totp.ts': 'SEALED_SECRETS',
    'auth/parked-forms.ts': 'SEALED_PARKED_FORMS',
    'auth/passwords.ts': 'SEALED_PASSWORDS',
    'auth/rotation.ts': 'the rotation itself',
    'web/flash.ts': 'a cookie, which lasts five minutes',
  };
  const source = join(import.meta.dirname, '../../src');
  const sealing = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && /(?<!function )\bseal\(/.test(readFileSync(join(source, file), 'utf8')),
  );
  assert.deepEqual(sealing.toSorted(), Object.keys(SEALERS));
});

function rotating(world: World, engine: Engine, killAfter: string): ChildProcess {
  const args = [engine, world.place, String(world.clock.now), killAfter];
  return fork(join(import.meta.dirname, 'rotating.ts'), args, { execArgv: [] });
}

/** The same installation, on which something happens once, after the rotation has read a page of a table. */
function afterReading(installation: Installation, table: string, happens: () => Promise<void>): Installation {
  return afterPage(installation, (text, rows) => rows > 0 && text.includes(`FROM ${table}`), happens);
}

/** The same, after a page that had nothing to seal again. */
function withEmptyPage(installation: Installation, happens: () => Promise<void>): Installation {
  return afterPage(installation, (_text, rows) => rows === 0, happens);
}

function afterPage(
  installation: Installation,
  isMeant: (text: string, rows: number) => boolean,
  happens: () => Promise<void>,
): Installation {
  let due = true;
  const all = async <T>(statement: Sql): Promise<T[]> => {
    const rows = await installation.db.all<T>(statement);
    const text = statement.strings.join('?');
    if (due && text.startsWith('SELECT * FROM (') && isMeant(text, rows.length)) {
      due = false;
      await happens();
    }
    return rows;
  };
  return { ...installation, db: { ...installation.db, all } };
}
