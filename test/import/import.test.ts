import assert from 'node:assert/strict';
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { test } from 'node:test';
import { hash as argon2 } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { byBytes, columnOf, wordsIn, wordsOf } from '../../src/accounts/findable.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { answerChallenge } from '../../src/auth/sign-in.ts';
import { findChallenge } from '../../src/auth/challenges.ts';
import { makeWelcomeLink } from '../../src/auth/welcome.ts';
import { encodeBase32 } from '../../src/crypto/base32.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { startExport } from '../../src/jobs/export-customers.ts';
import { lastImportOf, startImport } from '../../src/jobs/import-customers.ts';
import { findJob } from '../../src/jobs/jobs.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { home, signsIn, type Acme, type Person } from '../acme.ts';
import { eachEngine, oathtool, openWorld, type World } from '../world.ts';
import { madeFile } from './made.ts';
import { checked, contact, fileOf, imported, imports, told } from './importing.ts';

/** As Zoho Books exports contacts, with what another portal knew about how they sign in. */
const ZOHO = [
  'Display Name',
  'Contact ID',
  'Contact Person ID',
  'Primary Contact ID',
  'First Name',
  'Last Name',
  'EmailID',
];
const WITH_KEYS = [...ZOHO, 'Portal Enabled', 'totp_secret', 'password_hash'];

const PASSWORD = 'seven quiet llamas';
const SALT = Buffer.from('a salt that is one');

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

async function hashes(): Promise<Record<string, string>> {
  const scrypt = unpadded(scryptSync(PASSWORD, SALT, 32, { N: 2 ** 10, r: 8, p: 1 }));
  const pbkdf2 = (algorithm: string, bytes: number): Buffer => pbkdf2Sync(PASSWORD, SALT, 1_000, bytes, algorithm);
  return {
    argon2id: await argon2(PASSWORD, { memoryCost: 1_024, timeCost: 2, parallelism: 2 }),
    argon2i: await argon2(PASSWORD, { algorithm: 1, memoryCost: 64, timeCost: 3, parallelism: 1 }),
    argon2d: await argon2(PASSWORD, { algorithm: 0, memoryCost: 64, timeCost: 3, parallelism: 1 }),
    bcrypta: await bcrypt(PASSWORD, { cost: 4, version: '2a' }),
    bcryptb: await bcrypt(PASSWORD, { cost: 5, version: '2b' }),
    bcrypty: await bcrypt(PASSWORD, { cost: 4, version: '2y' }),
    scrypt: `$scrypt$ln=10,r=8,p=1$${unpadded(SALT)}$${scrypt}`,
    sha1: `$pbkdf2$1000$${unpadded(SALT)}$${unpadded(pbkdf2('sha1', 20))}`.replaceAll('+', '.'),
    sha256: `$pbkdf2-sha256$i=1000,l=32$${unpadded(SALT)}$${unpadded(pbkdf2('sha256', 32))}`,
    sha512: `$pbkdf2-sha512$1000$${unpadded(SALT)}$${unpadded(pbkdf2('sha512', 64))}`,
    django: `pbkdf2_sha256$1000$${SALT.toString('base64url')}$${pbkdf2Sync(PASSWORD, SALT.toString('base64url'), 1_000, 32, 'sha256').toString('base64')}`,
  };
}

async function person(world: World, { organization }: Acme, email: string, password = PASSWORD): Promise<Person> {
  const { organizationId, id, name } = await contact(world, organization, email);
  return { organizationId, id, name, email, password, surface: 'portal' };
}

/** Password, then the code that oathtool makes of the secret. */
async function comesIn(world: World, one: Person, secret: Uint8Array): Promise<string> {
  const outcome = await signsIn(world.installation, one);
  if (outcome.kind !== 'challenge') return outcome.kind;
  const found = await findChallenge(world.db, 'portal', outcome.cookie, world.clock.now);
  assert.ok(found?.kind === 'open');
  const code = oathtool(secret, world.clock.now);
  const answer = await answerChallenge(
    world.installation,
    found.challenge,
    { kind: 'totp', code },
    home(one),
    undefined,
  );
  return answer.kind;
}

async function storedHash(world: World, one: Person): Promise<string> {
  const row = await world.db.one<{ password: string }>(sql`SELECT password FROM accounts WHERE id = ${one.id}`);
  return row?.password ?? '';
}

eachEngine('an import', (engine) => {
  test('of contacts from Zoho lets them sign in with the password and the app that they had', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const all = Object.entries(await hashes());
    const secrets = all.map((_, at) => Buffer.from(String(at).padStart(20, '-')));
    const rows = all.map(([name, hash], at) => {
      const secret = encodeBase32(secrets[at]!);
      const app = at % 2 === 0 ? secret : `otpauth://totp/Old:${name}?secret=${secret}&issuer=Old`;
      return `Umbra Ltd,46001,${at},3,${name},Umbra,${name}@umbra.test,true,${app},"${hash}"`;
    });
    const job = await imports(world, people.organization, [WITH_KEYS.join(','), ...rows].join('\n'));
    assert.deepEqual(job.result, { created: all.length, changed: 0, unchanged: 0, left: 0 });
    world.clock.advance(STEP_MS);
    for (const [at, [name]] of all.entries()) {
      const one = await person(world, people, `${name}@umbra.test`);
      const before = await storedHash(world, one);
      assert.equal((await signsIn(world.installation, { ...one, password: 'another one' })).kind, 'wrong', name);
      assert.equal(await comesIn(world, one, secrets[at]!), 'right', name);
      assert.notEqual(await storedHash(world, one), before, `${name} has the hash that was brought`);
      world.clock.advance(STEP_MS);
      assert.equal(await comesIn(world, one, secrets[at]!), 'right', name);
      assert.deepEqual((await world.audit(one))[0]?.result, 'imported-both');
    }
    const customers = await world.db.all(
      sql`SELECT DISTINCT customer_id FROM accounts WHERE email LIKE '%@umbra.test'`,
    );
    assert.equal(customers.length, 1);
    const primary = await world.db.one(
      sql`SELECT email FROM accounts WHERE is_primary_at IS NOT NULL AND email LIKE '%@umbra.test'`,
    );
    assert.deepEqual({ ...primary }, { email: 'bcrypta@umbra.test' });
  });

  test('leaves no secret, no hash and no row of the file to be read in the database', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const secret = encodeBase32(Buffer.from('12345678901234567890'));
    const { sha512 = '' } = await hashes();
    const file = `email,totp_secret,password_hash\niva@umbra.test,${secret},${sha512}\nivo@,${secret},${sha512}\n`;
    const { key } = await checked(world, people.organization, file);
    const everything = async (): Promise<string> => {
      const tables = [
        'accounts',
        'authenticators',
        'challenges',
        'jobs',
        'job_parts',
        'audit_rows',
        'audit_names',
        'imported_files',
      ];
      return JSON.stringify(await Promise.all(tables.map((table) => world.rows(table))));
    };
    for (const when of ['while it waits', 'when it has ended']) {
      if (when !== 'while it waits') await imported(world, key);
      const seen = await everything();
      for (const text of [secret, sha512, Buffer.from('12345678901234567890').toString('base64url')])
        assert.ok(!seen.includes(text), `${text} ${when}`);
    }
    const left = await world.db.all(sql`SELECT DISTINCT file FROM job_parts`);
    assert.deepEqual(
      left.map((row) => ({ ...row })),
      [{ file: 'left' }],
    );
    const mended = await fileOf(world, key, 'left');
    assert.ok(!mended.includes(secret) && !mended.includes(sha512));
    assert.match(mended, /"ivo@",.*"Line 3: “ivo@” isn't an email address"/);
    const again = await checked(world, people.organization, mended.replace('ivo@', 'ivo@umbra.test'));
    assert.match(told(again.findings).join(), /totp_secret isn't base32.*password_hash is of a kind/);
  });

  test('accepts no code that the app showed before it', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const secret = Buffer.from('12345678901234567890');
    const { sha1 = '' } = await hashes();
    await imports(
      world,
      people.organization,
      `email,totp_secret,password_hash\niva@umbra.test,${encodeBase32(secret)},${sha1}\n`,
    );
    const iva = await person(world, people, 'iva@umbra.test');
    assert.equal(await comesIn(world, iva, secret), 'already-used');
    world.clock.advance(STEP_MS);
    assert.equal(await comesIn(world, iva, secret), 'right');
  });

  test('of the same file again finds everybody, and changes nobody', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const file = 'email,name,customer,external_id,phone\niva@umbra.test,Iva,Umbra,1,5\nida@umbra.test,Ida,Umbra,2,\n';
    assert.equal(await lastImportOf(world.db, people.organization.id, 'none'), undefined);
    const job = await imports(world, people.organization, file, { updates: true });
    assert.equal(await lastImportOf(world.db, people.organization.id, String(job.plan['fileHash'])), world.clock.now);
    const before = JSON.stringify([await world.rows('accounts'), await world.rows('customers')]);
    const { key, findings } = await checked(world, people.organization, file, { updates: true });
    assert.deepEqual(findings.totals, { fresh: 0, changed: 0, unchanged: 2, wrong: 0, repeated: 0 });
    const started = await startImport(world.installation, OPERATOR, key, { allOrNothing: false });
    assert.equal(started.kind, 'nothing-to-do');
    assert.equal(JSON.stringify([await world.rows('accounts'), await world.rows('customers')]), before);
  });

  test('changes whom it finds by external id only when it is told to, and an address signs them out', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { organization } = people;
    await imports(world, organization, 'email,name,customer_id,customer,external_id\niva@umbra.test,Iva,u1,Umbra,1\n');
    const moved = 'email,name,customer_id,customer,external_id,phone\niva@elsewhere.test,Iva I.,u1,Umbra AG,1,555\n';
    const { findings } = await checked(world, organization, moved);
    assert.equal(findings.totals.unchanged, 1);
    const iva = await contact(world, organization, 'iva@umbra.test');
    await makeWelcomeLink(world.installation, OPERATOR, iva);
    await imports(world, organization, moved, { updates: true });
    const now = await contact(world, organization, 'iva@elsewhere.test');
    assert.deepEqual([now.id, now.name, now.phone, now.epoch], [iva.id, 'Iva I.', '555', 3]);
    const links = await world.db.one(sql`SELECT COUNT(spent_at) AS spent FROM welcome_links`);
    assert.deepEqual({ ...links }, { spent: 1 });
    const customer = await world.db.one(sql`SELECT name FROM customers WHERE external_id = 'u1'`);
    assert.deepEqual({ ...customer }, { name: 'Umbra AG' });
    assert.deepEqual(
      (await world.audit(now)).map(({ action, result }) => `${action} ${result}`).at(-1),
      'contact.changed imported',
    );
  });

  test('brings a password and an app to a contact that never had any, and to nobody else', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const { organization } = people;
    const { bcryptb = '' } = await hashes();
    const secret = encodeBase32(Buffer.from('12345678901234567890'));
    await createContact(world.installation, OPERATOR, organization.id, people.globex.id, {
      name: 'Iva',
      email: 'iva@globex.test',
      phone: null,
    });
    const line = (email: string): string => `${email},Globex,${secret},${bcryptb}`;
    const file = [
      'email,customer,totp_secret,password_hash',
      ...['iva@globex.test', people.maria.email, people.noor.email].map(line),
    ].join('\n');
    const before = await Promise.all([people.maria, people.noor].map((one) => storedHash(world, one)));
    const { key, findings } = await checked(world, organization, file, { updates: true });
    assert.deepEqual(findings.brings, { secrets: 1, hashes: 1, kept: 2 });
    await imported(world, key);
    assert.deepEqual(await Promise.all([people.maria, people.noor].map((one) => storedHash(world, one))), before);
    world.clock.advance(STEP_MS);
    const iva = await person(world, people, 'iva@globex.test');
    assert.equal(await comesIn(world, iva, Buffer.from('12345678901234567890')), 'right');
    // Reset and removed since: an old file must not bring back what somebody else may hold.
    await world.change(sql`UPDATE authenticators SET revoked_at = 1, secret = NULL WHERE account_id = ${iva.id}`);
    await world.change(sql`UPDATE accounts SET password = NULL, password_set_at = NULL, mfa_since = NULL
      WHERE id = ${iva.id}`);
    const again = await checked(world, organization, file, { updates: true });
    assert.deepEqual(again.findings.brings, { secrets: 0, hashes: 0, kept: 3 });
  });

  test('keeps apart whom the billing system keeps apart, and says where it cannot tell', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { organization } = people;
    await imports(
      world,
      organization,
      'email,customer_id,customer,external_id\na@x.test,1,Smith,c1\nb@x.test,2,Smith,c2\n',
    );
    const { findings } = await checked(
      world,
      organization,
      [
        'email,customer,customer_id,external_id',
        'c@x.test,Smith,,',
        'a@x.test,Smith,2,c1',
        'a@x.test,Smith,1,c2',
        'b@x.test,Smith,2,c3',
        `${people.eve.email},Globex,,`,
        'd@x.test,SMITH,2,c4',
      ].join('\n'),
      { updates: true },
    );
    assert.deepEqual(told(findings), [
      'Line 2: several customers have this name; use a column with their ids',
      'Line 3: email belongs to another customer',
      'Line 4: same email as line 3',
      'Line 5: email belongs to a contact with another external_id',
      'Line 6: email belongs to another customer',
    ]);
    assert.equal(findings.totals.fresh, 1);
  });

  test('meets what somebody else has done meanwhile with the line, and goes on', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { organization } = people;
    const { key } = await checked(world, organization, 'email,customer\niva@umbra.test,Umbra\nida@umbra.test,Umbra\n');
    await createContact(world.installation, OPERATOR, organization.id, people.globex.id, {
      name: 'Iva',
      email: 'iva@umbra.test',
      phone: null,
    });
    const job = await imported(world, key);
    assert.deepEqual([job.done, job.errors, job.result], [2, 1, { created: 1, changed: 0, unchanged: 0, left: 1 }]);
    assert.match(
      await fileOf(world, job, 'left'),
      /"iva@umbra.test","Umbra","Line 2: email belongs to another customer"/,
    );
    assert.equal((await contact(world, organization, 'iva@umbra.test')).customerId, people.globex.id);
  });

  test('leaves whom it made and changed in the list, counted and with their words', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { organization } = people;
    await createCustomer(world.installation, OPERATOR, organization.id, 'Hooli Farms');
    const secret = encodeBase32(Buffer.from('12345678901234567890'));
    const header = 'email,name,customer_id,customer,external_id,totp_secret';
    await imports(world, organization, `${header}\na@x.test,Ann One,1,Umbra,c1,${secret}\nb@x.test,Bob,1,Umbra,c2,\n`);
    await imports(world, organization, `email,name,customer\nc@x.test,Cy,hooli farms\nd@x.test,Di,Globex\n`);
    await imports(world, organization, `${header}\nz@y.test,Zoe,1,Umbra AG,c1,\ne@x.test,Ed,1,Umbra AG,c3,\n`, {
      updates: true,
    });
    const contacts = await world.db.all<
      Record<string, string | null>
    >(sql`SELECT a.id, a.words, a.customer_key AS "customerKey",
      c.sort_key AS "ofCustomer", a.sort_key AS "sortKey", a.email_key AS "emailKey" FROM accounts a
      JOIN customers c ON c.id = a.customer_id`);
    const written = await world.db.all<{ word: string; id: string }>(sql`SELECT word, row_id AS id FROM search_words`);
    assert.equal(contacts.length, 8);
    for (const { id, words, customerKey, ofCustomer, sortKey, emailKey } of contacts) {
      assert.equal(customerKey, ofCustomer);
      const due = wordsOf([ofCustomer ?? '', sortKey ?? ''], emailKey ?? '');
      assert.equal(words, columnOf(due));
      assert.deepEqual(
        written
          .filter((row) => row.id === id)
          .map(({ word }) => word)
          .toSorted(byBytes),
        due,
      );
    }
    const customers = sql`SELECT c.id FROM customers c WHERE c.words <> '' OR c.contacts <>
      (SELECT COUNT(*) FROM accounts a WHERE a.customer_id = c.id)`;
    assert.deepEqual(await world.db.all(customers), []);
    assert.equal(written.length, contacts.flatMap(({ words }) => wordsIn(words ?? '')).length);
    const on = await world.db.all(sql`SELECT email_key FROM accounts WHERE mfa_since IS NOT NULL`);
    assert.deepEqual(
      on.map((row) => ({ ...row })),
      [{ email_key: 'z@y.test' }],
    );
  });

  test('that is to be all or nothing is nothing while one row is wrong', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { key } = await checked(world, people.organization, 'email\niva@umbra.test\nivo@\n');
    const started = await startImport(world.installation, OPERATOR, key, { allOrNothing: true });
    assert.deepEqual(started, { kind: 'wrong-rows', rows: 1 });
    assert.equal((await findJob(world.db, key))?.state, 'prepared');
  });

  test('and another of the same people at the same time make each of them once', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { organization } = people;
    const { bytes } = madeFile(600, 0);
    const files = [await checked(world, organization, bytes), await checked(world, organization, bytes)];
    const jobs = await Promise.all(files.map(({ key }) => imported(world, key)));
    const results = jobs.map(({ result }) => result);
    const sum = (name: string): number => results.reduce((before, result) => before + Number(result[name]), 0);
    assert.equal(sum('created'), 600);
    assert.equal(sum('created') + sum('unchanged') + sum('left'), 1_200);
    const rows = await world.db.one<{ n: number; customers: number }>(sql`SELECT COUNT(*) AS n,
      COUNT(DISTINCT customer_id) AS customers FROM accounts WHERE external_id IS NOT NULL`);
    assert.equal(rows?.n, 600);
    const alone = await world.db.all(sql`SELECT id FROM customers WHERE contacts = 0`);
    assert.deepEqual(alone, []);
    const counted = await world.db.all(sql`SELECT c.id FROM customers c WHERE c.contacts <>
      (SELECT COUNT(*) FROM accounts a WHERE a.customer_id = c.id)`);
    assert.deepEqual(counted, []);
  });

  test('starts once, however often Import is pressed at once', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const { key } = await checked(world, people.organization, 'email\niva@umbra.test\n');
    const pressed = await Promise.all(
      Array.from({ length: 8 }, () => startImport(world.installation, OPERATOR, key, { allOrNothing: false })),
    );
    assert.deepEqual(pressed.map(({ kind }) => kind).toSorted(), [
      'over',
      'over',
      'over',
      'over',
      'over',
      'over',
      'over',
      'started',
    ]);
  });

  test('comes out again as it went in, without anything to sign in with', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const { organization } = people;
    await imports(
      world,
      organization,
      'email,name,customer,external_id,phone,portal_access\niva@umbra.test,=Iva(),Umbra,1,+1 555,no\n',
    );
    const key = {
      organizationId: organization.id,
      id: await startExport(world.installation, OPERATOR, organization.id),
    };
    const job = await openRunner(world.installation).toEnd(key, () => undefined);
    assert.deepEqual([job?.state, job?.done, job?.total], ['finished', 4, 4]);
    const file = await fileOf(world, key, 'customers');
    assert.match(file, /"iva@umbra.test","'=Iva\(\)","Umbra","","1","'\+1 555","no","not set up","",""\r\n/);
    assert.match(file, /"maria@globex.test","Maria Silva","Globex","","","","yes","on","5",""\r\n/);
    assert.doesNotMatch(file, /argon2|\$|secret/);
    const { findings } = await checked(world, organization, file, { updates: true });
    assert.deepEqual(findings.totals, { fresh: 0, changed: 0, unchanged: 4, wrong: 0, repeated: 0 });
    const rows = await world.db.all(sql`SELECT action FROM audit_rows WHERE action = 'customers.exported'`);
    assert.equal(rows.length, 1);
  });
});
