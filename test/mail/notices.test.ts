import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { exportCustomers } from '../../src/jobs/export-customers.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { encodeBase32 } from '../../src/crypto/base32.ts';
import { sql } from '../../src/db/db.ts';
import { answers, challenged, enrol, from, home, setPolicy, signsIn, waitingJob, type Person } from '../acme.ts';
import { deliver, openMailbox } from '../mailbox.ts';
import { queued } from '../queued.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

const MAIL = { mailIsOn: true };

const kinds = async (world: World, whose: Person): Promise<string[]> =>
  (await queued(world, whose)).map(({ kind }) => kind);

eachEngine('whom the notices tell what', (engine) => {
  test('enabling MFA is one letter, with its first backup codes; a first password is none, another one is', async () => {
    await using world = await openWorld(engine, MAIL);
    const { maria, noor, organization } = await world.acme();
    await setPolicy(world.installation, organization, 'required');
    await enrol(world.installation, maria);
    assert.deepEqual(await kinds(world, maria), ['mfa-on']);
    assert.deepEqual(await kinds(world, noor), []);
    const argon2 = await hashNewPassword(world.installation, 'another long secret');
    const account = await world.account(noor);
    await world.db.transaction((tx) => storePassword(tx, world.installation, OPERATOR, account, argon2));
    assert.deepEqual(await kinds(world, noor), ['password-changed']);
  });

  test('a backup code says how many are left, and three and ten wrong codes in a row that the password may be known', async () => {
    await using world = await openWorld(engine, MAIL);
    const { maria, codes, secret } = await world.acmeWithMfa();
    const { installation } = world;
    assert.equal((await answers(installation, await challenged(installation, maria), codes[0] ?? '')).kind, 'right');
    const used = (await queued(world, maria)).find(({ kind }) => kind === 'code-used');
    assert.equal(used?.facts['left'], 4);
    for (let wrong = 1; wrong <= 10; wrong++) {
      world.clock.advance(61 * MINUTE_MS);
      await answers(installation, await challenged(installation, maria), world.wrongCode(secret));
    }
    const told = (await queued(world, maria)).filter(({ kind }) => kind === 'wrong-codes');
    assert.deepEqual(
      told.map(({ facts }) => facts['inARow']),
      [3, 10],
    );
  });

  test('a sign-in from another network or browser is told, the very first one and one from the usual place are not', async () => {
    await using world = await openWorld(engine, MAIL);
    const { noor } = await world.acme();
    const signsInFrom = async (visitor: ReturnType<typeof from>): Promise<number> => {
      const before = (await kinds(world, noor)).length;
      assert.equal((await signsIn(world.installation, noor, { visitor })).kind, 'signed-in');
      return (await kinds(world, noor)).length - before;
    };
    assert.equal(await signsInFrom(home(noor)), 0, 'the very first');
    assert.equal(await signsInFrom(home(noor)), 0, 'the same again');
    assert.equal(await signsInFrom({ ...home(noor), userAgent: 'Mozilla/6.1 (test)' }), 0, 'an update');
    assert.equal(await signsInFrom({ ...home(noor), userAgent: 'curl/8' }), 1, 'another browser');
    assert.equal(await signsInFrom(from('198.51.100.7')), 1, 'another network');
    assert.equal(await signsInFrom(from('198.51.100.7')), 0, 'known since');
    world.clock.advance(60 * DAY_MS);
    assert.equal(await signsInFrom(from('203.0.113.9')), 1, 'networks are remembered for a year');
    assert.deepEqual(new Set(await kinds(world, noor)), new Set(['new-device']));
  });

  test('whatever staff do names them, and a new address is told to both', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, sam, organization } = await world.acme();
    const contact = await findContact(
      world.db,
      organization.id,
      (await world.account(maria)).customerId ?? '',
      maria.id,
    );
    assert.ok(contact);
    const actor = { kind: 'account', id: sam.id, address: '192.0.2.1' } as const;
    const draft = { name: maria.name, email: 'maria@new.test', phone: null };
    await changeContact(world.installation, actor, contact, draft);
    const [before, after] = await deliver(world, mailbox);
    assert.deepEqual([before?.to, after?.to], [maria.email, 'maria@new.test']);
    for (const letter of [before, after]) {
      assert.match(letter?.text ?? '', /Done by: Sam Porter, Acme Billing staff/);
      assert.equal(letter?.subject, 'The email address of your Acme Billing account was changed');
    }
    assert.ok(!before?.raw.includes('maria@new.test'), 'the mailbox of before is not told the new address');
  });

  test('staff are told that a job of theirs which took over a minute is over', async () => {
    await using world = await openWorld(engine, MAIL);
    const { ada, organization } = await world.acme();
    for (const took of [MINUTE_MS, MINUTE_MS + 1]) {
      const id = await waitingJob(world.installation, organization);
      await world.change(sql`UPDATE jobs SET actor_kind = 'account', actor_id = ${ada.id}, actor_address = '192.0.2.1',
        started_at = ${world.clock.now}, stop_asked_at = ${world.clock.now}, kind = ${exportCustomers.name} WHERE id = ${id}`);
      world.clock.advance(took);
      const runner = openRunner(world.installation);
      while (await runner.turn());
      await runner.finish();
    }
    const [told, ...more] = await queued(world, ada);
    assert.deepEqual([told?.kind, told?.facts['state'], more], ['job-ended', 'stopped', []]);
  });

  test('no letter holds a secret, a code or a password, and what waits lies sealed (I19)', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, codes, secret } = await world.acmeWithMfa();
    const { installation } = world;
    const code = world.codeFor(secret);
    await answers(installation, await challenged(installation, maria), code);
    await answers(installation, await challenged(installation, maria), codes[0] ?? '', from('198.51.100.7'));
    for (let wrong = 0; wrong < 3; wrong++)
      await answers(installation, await challenged(installation, maria), world.wrongCode(secret));
    const waiting = JSON.stringify(await world.rows('mails'));
    assert.doesNotMatch(waiting, /@globex|198\.51/, 'neither address nor facts stand there in the clear');
    const letters = await deliver(world, mailbox);
    assert.equal(new Set(letters.map(({ subject }) => subject)).size, 4, 'or there would be little to look at');
    const secrets = [encodeBase32(secret), maria.password, code, world.wrongCode(secret), ...codes];
    const said = letters.map(({ subject, text, html }) => `${subject}${text}${html}`).join('\n');
    for (const one of secrets) assert.ok(!said.includes(one) && !said.includes(one.replace(/\W/g, '')), one);
  });
});
