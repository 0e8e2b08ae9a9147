import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { deliver, openMailbox, senderOf } from '../mailbox.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, START } from '../world.ts';
import { outcomes, writes } from './sending.ts';

const MAIL = { mailIsOn: true };

eachEngine('letters on their way', (engine) => {
  test('go out in order, once, and leave nothing of what they said in the database', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, noor } = await world.acme();
    for (const kind of ['mfa-on', 'new-codes', 'app-added'] as const) await writes(world, maria, kind);
    await writes(world, noor, 'test');
    await deliver(world, mailbox);
    await deliver(world, mailbox);
    assert.deepEqual(
      mailbox.to(maria).map(({ subject }) => subject),
      [
        'MFA is now on for your Acme Billing account',
        'You have new backup codes for Acme Billing',
        'An authenticator app was added to your Acme Billing account',
      ],
    );
    assert.equal(mailbox.to(noor).length, 1);
    assert.deepEqual(
      (await world.rows('mails')).map(({ sealed, outcome }) => [sealed, outcome]),
      [
        [null, 'sent'],
        [null, 'sent'],
        [null, 'sent'],
        [null, 'sent'],
      ],
    );
  });

  test('wait for an hour in which the mail server is down, then all go out in the order of each person', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, noor } = await world.acme();
    const sender = senderOf(world, mailbox);
    await mailbox.down();
    const kinds = ['mfa-on', 'new-codes', 'app-added', 'app-removed', 'mfa-off'] as const;
    for (let minute = 0; minute < 60; minute++) {
      if (minute % 12 === 0) {
        await writes(world, maria, kinds[minute / 12] ?? 'test', { at: world.clock.now });
        await writes(world, noor, 'new-device', { at: world.clock.now });
      }
      await sender.turn();
      world.clock.advance(MINUTE_MS);
    }
    assert.deepEqual(mailbox.letters, []);
    await mailbox.up();
    world.clock.advance(5 * MINUTE_MS);
    for (let turn = 0; turn < 20; turn++) await sender.turn();
    await sender.finish();
    assert.deepEqual(
      mailbox.to(maria).map(({ text }) => /on (\d+:\d+)|at (\d+:\d+)/.exec(text)?.[2]),
      ['09:00', '09:12', '09:24', '09:36', '09:48'],
    );
    assert.equal(mailbox.to(noor).length, 5);
    assert.deepEqual(
      world.log.lines.filter(({ message }) => message.startsWith('the mail server')).map(({ level }) => level),
      ['error', 'info'],
      'an outage is one line when it begins and one when it is over',
    );
  });

  test('that were written three days ago, in an outage that long, were never at fault and go out', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    await writes(world, maria, 'test');
    await mailbox.down();
    const sender = senderOf(world, mailbox);
    for (; world.clock.now < START + 4 * DAY_MS; world.clock.advance(HOUR_MS)) await sender.turn();
    await mailbox.up();
    await deliver(world, mailbox);
    assert.equal(mailbox.to(maria).length, 1);
  });

  test('that the server does not take now come again later and later, and after three days no more', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    await writes(world, maria, 'test');
    mailbox.mode = 'later';
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      await deliver(world, mailbox);
      const due = Number((await world.rows('mails'))[0]?.['due_at']);
      pauses.push(due - world.clock.now);
      world.clock.now = due;
    }
    assert.deepEqual(pauses, [30_000, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, HOUR_MS]);
    await world.change(sql`UPDATE mails SET attempts = ${4 + 72}`);
    await deliver(world, mailbox);
    assert.deepEqual(await outcomes(world), [{ kind: 'test', outcome: 'given-up', answer: '451 come back later' }]);
    assert.ok(world.log.lines.some(({ message }) => message === 'a letter was given up'));
  });

  test('that the server never takes are given up at once, with its answer, and hold nobody up', async () => {
    for (const [mode, answer] of [
      ['no-such-mailbox', '550 no such mailbox'],
      ['refusing-letters', '554 looks like spam'],
    ] as const) {
      await using world = await openWorld(engine, MAIL);
      await using mailbox = await openMailbox();
      const { maria } = await world.acme();
      await writes(world, maria, 'test');
      mailbox.mode = mode;
      await deliver(world, mailbox);
      mailbox.mode = 'normal';
      await writes(world, maria, 'mfa-on');
      await deliver(world, mailbox);
      assert.deepEqual(
        (await outcomes(world)).map((one) => [one.outcome, one.outcome === 'sent' ? '' : one.answer]),
        [
          ['given-up', answer],
          ['sent', ''],
        ],
      );
    }
  });

  test('all wait where the server refuses the sender: that is the settings’ fault and no letter’s', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, noor } = await world.acme();
    for (const person of [maria, noor]) await writes(world, person, 'test');
    mailbox.mode = 'refusing-sender';
    await deliver(world, mailbox);
    mailbox.mode = 'normal';
    await deliver(world, mailbox);
    assert.equal(mailbox.letters.length, 2);
  });

  test('over which the server hangs up or falls silent come again', async () => {
    for (const mode of ['dropping', 'silent'] as const) {
      await using world = await openWorld(engine, MAIL);
      await using mailbox = await openMailbox();
      const { maria } = await world.acme();
      await writes(world, maria, 'test');
      mailbox.mode = mode;
      await deliver(world, mailbox, { patienceMs: 300 });
      assert.deepEqual(mailbox.letters, []);
      mailbox.mode = 'normal';
      world.clock.advance(30_000);
      await deliver(world, mailbox);
      assert.equal(mailbox.letters.length, 1);
    }
  });

  test('that were accepted without a word come twice, as one letter for whoever looks at its id', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    await writes(world, maria, 'test');
    mailbox.mode = 'accepting-unsaid';
    await deliver(world, mailbox);
    mailbox.mode = 'normal';
    world.clock.advance(30_000);
    await deliver(world, mailbox);
    const [first, second] = mailbox.letters;
    assert.equal(mailbox.letters.length, 2);
    assert.equal(first?.messageId, second?.messageId);
    assert.match(first?.messageId ?? '', /^<[0-9a-f-]{36}@acme\.test>$/);
  });

  test('are not held while the database waits: a silent server keeps no transaction open', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, noor } = await world.acme();
    await writes(world, maria, 'test');
    mailbox.mode = 'silent';
    const sender = senderOf(world, mailbox, { patienceMs: 1_000 });
    const turning = sender.turn();
    await mailbox.began();
    await writes(world, noor, 'test');
    assert.deepEqual(
      (await outcomes(world)).map(({ outcome }) => outcome),
      [null, null],
    );
    await turning;
    await sender.finish();
  });

  test('stop with the one that is under way when the server stops', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    for (let n = 0; n < 5; n++) await writes(world, maria, 'mfa-on');
    mailbox.mode = 'slow';
    const sender = senderOf(world, mailbox);
    const turning = sender.turn();
    await mailbox.began();
    const finished = sender.finish();
    mailbox.goOn();
    await finished;
    assert.equal(await turning, 1);
    assert.equal(await sender.turn(), 0);
    assert.equal(mailbox.letters.length, 1);
    await deliver(world, mailbox);
    assert.equal(mailbox.letters.length, 5);
  });
});

eachEngine('an address that much happens to', (engine) => {
  test('gets twenty notices an hour, then one letter that tells of the others; what takes an account away is not held', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria, noor } = await world.acme();
    for (let n = 0; n < 30; n++) await writes(world, maria, 'wrong-codes', { inARow: 3, at: world.clock.now });
    for (let n = 0; n < 5; n++) await writes(world, maria, 'new-device', { at: world.clock.now });
    await writes(world, maria, 'mfa-reset', { by: 'operator' });
    await writes(world, maria, 'new-password', { token: 'abc' });
    await writes(world, noor, 'new-device', { at: world.clock.now });
    await deliver(world, mailbox);
    const subjects = mailbox.to(maria).map(({ subject }) => subject);
    assert.equal(subjects.length, 22);
    assert.equal(subjects.filter((subject) => subject === 'Someone may know your Acme Billing password').length, 20);
    assert.deepEqual(subjects.slice(20), [
      'Acme Billing has reset MFA on your account',
      'Choose a new password for Acme Billing',
    ]);
    assert.equal(mailbox.to(noor).length, 1);

    world.clock.advance(30 * MINUTE_MS);
    await writes(world, maria, 'code-used', { left: 2 });
    assert.deepEqual(await deliver(world, mailbox), []);
    world.clock.advance(30 * MINUTE_MS);
    const [digest, ...more] = await deliver(world, mailbox);
    assert.deepEqual(more, []);
    assert.equal(digest?.subject, 'More news about your Acme Billing account');
    assert.match(
      digest?.text ?? '',
      /^Someone may know your Acme Billing password: 10 times, the last time on 24 Nov/m,
    );
    assert.match(digest?.text ?? '', /^New sign-in to Acme Billing: 5 times/m);
    assert.match(digest?.text ?? '', /^A backup code was used to sign in to Acme Billing: once/m);

    await writes(world, maria, 'new-device');
    assert.equal((await deliver(world, mailbox)).length, 1, 'after the hour there is room again');
  });
});

eachEngine('the way to the mail server', (engine) => {
  test('is refused where its certificate is not trusted, by STARTTLS and by smtps, and the letters wait', async () => {
    for (const tls of ['starttls', 'smtps'] as const) {
      await using world = await openWorld(engine, MAIL);
      await using mailbox = await openMailbox({ tls, login: { user: 'acme', password: 's3cret:@/' } });
      const { maria } = await world.acme();
      await writes(world, maria, 'test');
      await deliver(world, mailbox, { ca: '' });
      assert.deepEqual(mailbox.letters, []);
      const [row] = await outcomes(world);
      assert.match(String(row?.answer), /self-signed certificate/);
      await deliver(world, mailbox);
      assert.equal(mailbox.letters.length, 1);
    }
  });

  test('hands no password over without TLS, and none to the log or the database', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox({ login: { user: 'acme', password: 'Tr0ub4dor' } });
    const { maria } = await world.acme();
    await writes(world, maria, 'test');
    await deliver(world, mailbox);
    assert.deepEqual(mailbox.letters, []);
    const told = JSON.stringify([world.log.lines, await outcomes(world)]);
    assert.ok(!told.includes('Tr0ub4dor'));
    assert.match(told, /TLS|Command not recognized|502/i, told);
  });
});
