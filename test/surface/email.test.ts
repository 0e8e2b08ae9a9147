import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliver, openMailbox, type Mailbox } from '../mailbox.ts';
import { eachEngine, openWorld, type World } from '../world.ts';
import { writes } from '../mail/sending.ts';
import { enrolled, refusedWith, stage, type Guest } from './front-door.ts';

const EMAIL = '/admin/settings/email';
const TEST = `${EMAIL}/test`;

/** Ada at the console of a world that sends by this mailbox. */
async function adaIn(world: World): Promise<Guest> {
  const { people, guest } = await stage(world);
  const ada = await enrolled(guest(people.ada));
  await ada.signsIn();
  return ada;
}

function sendingBy(mailbox: Mailbox, password = 'Tr0ub4dor'): { mailIsOn: true; mail: Mailbox['config'] } {
  const { smtpUrl, from } = mailbox.config;
  return {
    mailIsOn: true,
    mail: { from, smtpUrl: smtpUrl.replace('//', password === '' ? '//' : `//acme:${password}@`) },
  };
}

eachEngine('Settings › Email', (engine) => {
  test('says that mail is off and which variables turn it on', async () => {
    await using world = await openWorld(engine);
    const ada = await adaIn(world);
    const page = await ada.browser.get(EMAIL);
    assert.match(page.text, /Mail is off/);
    assert.match(page.text, /SALLYPORT_SMTP_URL=/);
    assert.match(page.text, /SALLYPORT_MAIL_FROM=/);
    assert.doesNotMatch(page.text, /Send a test email/);
  });

  test('shows where letters go and never the password', async () => {
    await using mailbox = await openMailbox();
    await using world = await openWorld(engine, sendingBy(mailbox));
    const ada = await adaIn(world);
    const page = await ada.browser.get(EMAIL);
    assert.match(page.text, /Mail is on/);
    assert.match(page.text, /portal@acme\.test/);
    assert.match(page.text, /localhost:\d+/);
    assert.doesNotMatch(page.text, /Tr0ub4dor/);
  });

  test('sends a test email to whoever presses the button, at once, and tells what the server said', async () => {
    await using mailbox = await openMailbox();
    await using world = await openWorld(engine, sendingBy(mailbox, ''));
    const ada = await adaIn(world);
    await deliver(world, mailbox);
    const sent = await ada.browser.post(TEST, {});
    assert.equal(sent.status, 200);
    assert.match(sent.text, /The mail server has taken the letter to ada@acme\.test/);
    assert.equal(mailbox.letters.at(-1)?.subject, 'A test email from Acme Billing');
    mailbox.mode = 'no-such-mailbox';
    refusedWith(
      await ada.browser.post(TEST, {}),
      422,
      /does not take a letter to ada@acme\.test.*550 no such mailbox/s,
    );
    await mailbox.down();
    refusedWith(await ada.browser.post(TEST, {}), 422, /did not answer, or hung up.*ECONNREFUSED/s);
    for (let more = 0; more < 7; more++) await ada.browser.post(TEST, {});
    refusedWith(await ada.browser.post(TEST, {}), 429, /That was enough for now/);
  });

  test('tells which letters wait and which were given up, with the server’s answer', async () => {
    await using mailbox = await openMailbox();
    await using world = await openWorld(engine, sendingBy(mailbox, ''));
    const { people, guest } = await stage(world);
    const ada = await enrolled(guest(people.ada));
    await ada.signsIn();
    await deliver(world, mailbox);
    await writes(world, people.maria, 'mfa-off');
    mailbox.mode = 'no-such-mailbox';
    await deliver(world, mailbox);
    mailbox.mode = 'later';
    await writes(world, people.noor, 'test');
    await deliver(world, mailbox);
    const page = await ada.browser.get(EMAIL);
    assert.match(page.text, /1 letter waits, the oldest since <time/);
    assert.match(page.text, /451 come back later/);
    assert.match(page.text, /MFA was turned off for your Acme Billing account.*550 no such mailbox/s);
  });
});
