import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claim, nextDue } from '../../src/mail/outgoing.ts';
import { addContact } from '../acme.ts';
import { deliver, openMailbox, senderOf } from '../mailbox.ts';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';
import { writes } from './sending.ts';

const MAIL = { mailIsOn: true };

test('eight servers that send at once hand each letter in once', async () => {
  await using world = await openWorld('postgres', MAIL);
  await using mailbox = await openMailbox();
  const { globex } = await world.acme();
  for (let n = 0; n < 24; n++) {
    const person = await addContact(world.installation, globex, `Contact${n} Silva`);
    for (const kind of ['mfa-on', 'mfa-off'] as const) await writes(world, person, kind);
  }
  const senders = Array.from({ length: 8 }, () => senderOf(world, mailbox));
  for (let round = 0; round < 3; round++) await Promise.all(senders.map((sender) => sender.turn()));
  for (const sender of senders) await sender.finish();
  await deliver(world, mailbox);
  const ids = mailbox.letters.map(({ messageId }) => messageId);
  assert.equal(ids.length, 48);
  assert.equal(new Set(ids).size, 48);
});

eachEngine('a letter that a server has taken up', (engine) => {
  test('is nobody else’s, eight at once or one after another, and is sent by another once that one is given up', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    await writes(world, maria, 'mfa-on');
    await writes(world, maria, 'mfa-off');
    const [letter, ...others] = await nextDue(world.db, world.clock.now);
    assert.ok(letter && others.length === 0, 'the second waits behind the first');
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => claim(world.installation, letter, world.clock.now)),
    );
    assert.equal(claims.filter(Boolean).length, 1);
    // The server dies here, with the letter in its hands.
    assert.deepEqual(await deliver(world, mailbox), [], 'and nothing overtakes it');
    world.clock.advance(5 * MINUTE_MS);
    assert.deepEqual(
      (await deliver(world, mailbox)).map(({ subject }) => subject),
      ['MFA is now on for your Acme Billing account', 'MFA was turned off for your Acme Billing account'],
    );
  });
});
