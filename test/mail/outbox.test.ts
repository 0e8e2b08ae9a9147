import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import { openPost } from '../../src/mail/post.ts';
import { openSender } from '../../src/mail/sender.ts';
import { acme } from '../acme.ts';
import { deliver, MAILBOX_CA, openMailbox, PEM } from '../mailbox.ts';
import { writes } from './sending.ts';
import { eachEngine, HOUR_MS, openWorld, type World } from '../world.ts';

const MAIL = { mailIsOn: true };

/** Lets the clock go on by itself, as a real one does: no two looks at it are alike. */
function goesOn({ clock }: World): void {
  let at = clock.now;
  Object.defineProperty(clock, 'now', {
    get: () => at++,
    set: (to: number) => {
      at = to;
    },
  });
}

eachEngine('the outbox', (engine) => {
  test('tells whoever much happens to of every letter that was held back, also of the first, whose hold began the hour', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    for (let n = 0; n < 25; n++) await writes(world, maria, 'wrong-codes', { inARow: 3, at: world.clock.now });
    goesOn(world);
    await deliver(world, mailbox);
    assert.equal(mailbox.to(maria).length, 20);
    world.clock.advance(HOUR_MS);
    const [digest] = await deliver(world, mailbox);
    assert.match(digest?.text ?? '', /^Someone may know your Acme Billing password: 5 times/m);
  });

  test('of one organization is held up by no letter of another’s to the same address', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    const { maria } = await world.acme();
    const elsewhere = await acme(world.installation, 'umbra');
    assert.equal(elsewhere.maria.email, maria.email);
    await writes(world, maria, 'test');
    mailbox.mode = 'later';
    await deliver(world, mailbox);
    mailbox.mode = 'normal';
    await writes(world, elsewhere.maria, 'mfa-reset', { by: 'operator' });
    const [letter] = await deliver(world, mailbox);
    assert.equal(letter?.subject, 'Acme Billing has reset MFA on your account');
  });

  test('begins no letter where the server stops while it waits for the mail server', async () => {
    await using world = await openWorld(engine, MAIL);
    await using mailbox = await openMailbox();
    await writes(world, (await world.acme()).maria, 'test');
    const answer = Promise.withResolvers<void>();
    const post = openPost(mailbox.config);
    const sender = openSender(world.installation, {
      publicUrl: world.publicUrl,
      from: mailbox.config.from,
      open: () => ({ ...post, reach: () => answer.promise.then(post.reach) }),
    });
    const turn = sender.turn();
    const finished = sender.finish();
    answer.resolve();
    await finished;
    assert.deepEqual([await turn, mailbox.letters], [0, []]);
    assert.equal((await deliver(world, mailbox)).length, 1);
  });
});

test('a mail server that says back what it was told puts no password into an answer', async () => {
  const server = createServer({ key: PEM, cert: PEM }, (socket) => {
    socket.on('error', () => undefined).write('220 echo\r\n');
    createInterface({ input: socket }).on('line', (line) =>
      socket.write(
        line.startsWith('EHLO') ? '250-echo\r\n250 AUTH PLAIN\r\n' : `500 5.5.1 Command unrecognized: "${line}"\r\n`,
      ),
    );
  }).listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const smtpUrl = `smtps://acme:Tr0ub4dor@localhost:${port}`;
  const post = openPost({ smtpUrl, from: 'portal@acme.test' }, { ca: MAILBOX_CA });
  const reached = await post.reach();
  post.close();
  server.close();
  assert.equal(reached.kind, 'unreachable');
  assert.match(reached.answer, /Command unrecognized: "AUTH PLAIN …"/);
});
