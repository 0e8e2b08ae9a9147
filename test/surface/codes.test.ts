import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachEngine, MINUTE_MS, openWorld } from '../world.ts';
import { confirmed, GENERAL, refusedWith, stage, STEP_MS, unchanged, enrolled, inside } from './front-door.ts';

/** Writes ASCII digits with those of another script, given its zero. */
function inDigitsFrom(zero: string) {
  return (code: string): string =>
    code.replace(/\d/g, (digit) => String.fromCodePoint((zero.codePointAt(0) ?? 0) + Number(digit)));
}

const WRITTEN: [as: string, write: (code: string) => string][] = [
  ['with a space in the middle', (code) => `${code.slice(0, 3)} ${code.slice(3)}`],
  ['with spaces around it', (code) => `  ${code} `],
  ['with a dash', (code) => `${code.slice(0, 3)}-${code.slice(3)}`],
  ['with a long dash', (code) => `${code.slice(0, 3)}–${code.slice(3)}`],
  ['with spaces that do not break', (code) => code.split('').join('\u00a0')],
  ['with a line break at its end', (code) => `${code}\r\n`],
  ['with marks of writing direction', (code) => `\u200f${code}\u200e`],
  ['in full-width digits', inDigitsFrom('\uff10')],
  ['in Arabic-Indic digits', inDigitsFrom('\u0660')],
  ['in Persian digits', inDigitsFrom('\u06f0')],
  ['in Devanagari digits', inDigitsFrom('\u0966')],
];

const SHAPELESS: [what: string, typed: string, atSignIn: RegExp, atSetUp: RegExp][] = [
  ['nothing', '', /Enter the code/, /Enter the 6-digit code from your app/],
  ['spaces', ' \u00a0 ', /Enter the code/, /Enter the 6-digit code from your app/],
  ['only dashes', '- –', /Enter the code/, /Enter the 6-digit code from your app/],
  ['five digits', '12345', /You've entered 5 numbers\. The code has 6/, /You've entered 5 numbers/],
  ['seven digits', '1234567', /too many numbers/, /too many numbers/],
  ['thirteen digits', '1234567890123', /too many numbers/, /too many numbers/],
  ['a thousand digits', '1'.repeat(1_000), /too many numbers/, /too many numbers/],
  ['letters', 'abcdef', /only numbers/, /only numbers/],
  ['a letter among digits', '12345O', /only numbers/, /only numbers/],
  ['a sign before the digits', '+12345', /only numbers/, /only numbers/],
  ['a number with a point', '123.456', /only numbers/, /only numbers/],
  ['a fraction', '½12345', /only numbers/, /only numbers/],
  ['a number in hexadecimal', '0x1e24', /only numbers/, /only numbers/],
];

eachEngine('a code', (engine) => {
  test('is taken as people write it, at sign-in', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    for (const [as, write] of WRITTEN) {
      await maria.password();
      const page = await maria.code(write(maria.nextCode()));
      assert.deepEqual([page.status, page.location], [303, '/portal/acme/home'], as);
      maria.browser.cookies.clear();
    }
  });

  test('is taken as people write it, at set-up and for a backup code', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    await maria.configures();
    const arabic = inDigitsFrom('\u0660')(world.codeFor(maria.secret));
    assert.equal((await maria.verifies(` ${arabic.slice(0, 3)} ${arabic.slice(3)}`)).status, 303);
    assert.equal((await maria.browser.get('/portal/acme/enable-mfa')).location, '/portal/acme/enable-mfa/enable');
    const noor = await enrolled(guest(people.noor));
    const spelled = [(code: string) => code, (code: string) => code.replaceAll('-', ' '), inDigitsFrom('\uff10')];
    for (const [at, write] of spelled.entries()) {
      await noor.password();
      const typed = write((noor.codes[at] ?? '').replaceAll('-', at === 0 ? '-' : ''));
      const page = at === 0 ? await noor.backupCode(typed) : await noor.code(typed);
      assert.equal(page.location, '/portal/acme/backup-code-used', page.text);
      noor.browser.cookies.clear();
    }
  });

  test('that has no code’s shape is told so at sign-in, and costs nothing', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    await unchanged(world, async () => {
      for (const [, typed, says] of SHAPELESS) refusedWith(await maria.code(typed), 422, says);
      refusedWith(await maria.backupCode(''), 422, /Enter a backup code/);
      refusedWith(await maria.backupCode('1234-5678-901'), 422, /has 12 numbers\. You've entered 11/);
      refusedWith(await maria.backupCode('1234-5678-9012-3'), 422, /has 12 numbers\. You've entered 13/);
      refusedWith(await maria.backupCode('ABCD-5678-9012'), 422, /only numbers/);
    });
    assert.equal((await maria.code(maria.nextCode())).location, '/portal/acme/home');
  });

  test('that has no code’s shape is told so at set-up, and leaves the same QR code', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await guest(people.maria);
    await maria.password();
    await maria.configures();
    await unchanged(world, async () => {
      for (const [, typed, , says] of SHAPELESS) refusedWith(await maria.verifies(typed), 422, says);
      refusedWith(await maria.verifies('1234-5678-9012'), 422, /looks like a backup code/);
    });
    const before = maria.secret;
    await maria.configures();
    assert.deepEqual(maria.secret, before);
    assert.equal((await maria.verifies()).location, '/portal/acme/enable-mfa/enable');
  });

  test('that has no code’s shape is told so where staff confirm who they are', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const ada = await inside(guest(people.ada));
    world.clock.advance(11 * MINUTE_MS);
    const asked = await ada.browser.post(GENERAL, { mfa: '', name: 'Acme Billing', contactDetails: 'Call us' });
    await unchanged(world, async () => {
      for (const [, code, says] of SHAPELESS) refusedWith(await confirmed(ada, asked, { code }), 422, says);
      const backupCode = ada.codes[0] ?? '';
      refusedWith(await confirmed(ada, asked, { code: backupCode }), 422, /looks like a backup code/);
      refusedWith(await confirmed(ada, asked, { password: '', code: '' }), 422, /Enter your password/);
    });
    assert.equal((await confirmed(ada, asked)).location, GENERAL);
  });

  test('that is wrong leaves the challenge open, until the fifth ends it', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    for (let at = 1; at <= 3; at++) refusedWith(await maria.code(maria.wrongCode()), 422, /That code isn't right/);
    refusedWith(await maria.code(maria.wrongCode()), 422, /You have 1 try left/);
    assert.equal((await maria.code(maria.wrongCode())).location, '/portal/acme/sign-in');
    assert.match((await maria.browser.follow()).text, /too many wrong codes/);
    await maria.password();
    refusedWith(await maria.code(world.codeFor(maria.secret)), 429, /You can try again at/);
    assert.equal(maria.browser.page.headers.get('retry-after'), '30');
    assert.equal((await maria.code(maria.nextCode())).location, '/portal/acme/home');
  });

  test('that was used is refused, and the customer is told when the next one comes', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await maria.password();
    refusedWith(
      await maria.code(world.codeFor(maria.secret)),
      422,
      /already been used. The next one comes in 20 seconds/,
    );
    world.clock.advance(STEP_MS);
    await maria.code(world.codeFor(maria.secret));
    assert.equal(maria.browser.page.location, '/portal/acme/home');
  });
});
