import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raiseMark } from '../../src/accounts/clock.ts';
import { STEP_MS } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { enrol } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, START, type World } from '../world.ts';
import { decodeBase32, parkedBy } from './front-door.ts';

const TEN_MINUTES = 10 * MINUTE_MS;

async function setBack(world: World): Promise<void> {
  await raiseMark(world.db, world.clock.now);
  world.clock.advance(-TEN_MINUTES);
}

eachEngine('while the clock of the server is behind', (engine) => {
  test('Maria is told at the second door that it is not her fault, and gets in by a backup code on the same form', async () => {
    await using world = await openWorld(engine);
    const { maria, secret, codes } = await world.acmeWithMfa();
    const browser = await world.visitor();
    await setBack(world);
    await browser.post('/portal/acme/sign-in', { email: maria.email, password: maria.password });
    for (const ask of [
      () => browser.get('/portal/acme/verify'),
      () => browser.post('/portal/acme/verify', { code: world.codeFor(secret) }),
    ]) {
      const page = await ask();
      assert.equal(page.status, 503);
      assert.equal(page.headers.get('retry-after'), '60');
      assert.match(
        page.notices.join(),
        /our own clock is wrong. It isn't your fault, and no try was counted. .*ask Acme Billing/,
      );
      assert.match(page.text, /href="\/portal\/acme\/verify\/backup-code">Use a backup code</);
      assert.match(page.text, /<form[^>]* action="\/portal\/acme\/verify"/);
    }
    assert.equal((await browser.get('/portal/acme/verify/backup-code')).status, 200);
    const inside = await browser.post('/portal/acme/verify', { code: codes[0] ?? '' });
    assert.deepEqual([inside.status, inside.location], [303, '/portal/acme/backup-code-used']);
  });

  test('Noor proves no app, and goes on with the same QR code when it is right', async () => {
    await using world = await openWorld(engine);
    const { noor } = await world.acmeWithMfa();
    const browser = await world.visitor();
    await browser.post('/portal/acme/sign-in', { email: noor.email, password: noor.password });
    await browser.post('/portal/acme/enable-mfa');
    const { text } = await browser.get('/portal/acme/enable-mfa/scan');
    const key = /[?&]secret=([A-Z2-7]+)/.exec(text)?.[1] ?? '';
    await setBack(world);
    const code = (): string => world.codeFor(decodeBase32(key));
    const page = await browser.post('/portal/acme/enable-mfa/verify', { code: code() });
    assert.deepEqual([page.status, page.headers.get('retry-after')], [503, '60']);
    assert.match(page.errors.join(), /our own clock is wrong. It isn't your fault.*Ask Acme Billing/);
    world.clock.advance(TEN_MINUTES);
    const proven = await browser.post('/portal/acme/enable-mfa/verify', { code: code() });
    assert.equal(proven.location, '/portal/acme/enable-mfa/enable');
  });

  test('Ada can neither sign in to the console by her app nor prove again that she is there, and nothing is saved', async () => {
    await using world = await openWorld(engine);
    const { ada, organization } = await world.acme();
    const { secret } = await enrol(world.installation, ada);
    world.clock.advance(STEP_MS);
    const [inside, outside] = [await world.visitor(), await world.visitor()];
    for (const browser of [inside, outside])
      await browser.post('/admin/sign-in', { email: ada.email, password: ada.password });
    await inside.post('/admin/verify', { code: world.codeFor(secret) });
    world.clock.advance(11 * MINUTE_MS);
    await raiseMark(world.db, world.clock.now + TEN_MINUTES);
    await outside.post('/admin/sign-in', { email: ada.email, password: ada.password });
    const page = await outside.post('/admin/verify', { code: world.codeFor(secret) });
    assert.deepEqual([page.status, page.headers.get('retry-after')], [503, '60']);
    assert.match(page.notices.join(), /the server's clock is wrong.*tell whoever runs your server/);
    const save = {
      policy: 'off',
      mfa: 'on',
      name: organization.name,
      contactDetails: 'Call us',
    };
    const form = parkedBy(await inside.post('/admin/settings/customer-portal/general', save));
    const proof = { form, password: ada.password, code: world.codeFor(secret) };
    const refused = await inside.post('/admin/confirm', proof);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '60']);
    assert.match(refused.errors.join(), /the server's clock is wrong.*Tell whoever runs your server/);
    const policies = await world.db.all<{ policy: string }>(sql`SELECT policy FROM organizations`);
    assert.deepEqual(
      policies.map(({ policy }) => policy),
      ['off'],
    );
  });

  test('/readyz says that it is not ready, and why; /healthz that it is alive', async () => {
    await using world = await openWorld(engine);
    const browser = await world.visitor();
    assert.deepEqual(JSON.parse((await browser.get('/readyz')).text), { status: 'ready', schema: 'current' });
    await setBack(world);
    const ready = await browser.get('/readyz');
    assert.equal(ready.status, 503);
    assert.deepEqual(JSON.parse(ready.text), { status: 'not ready', schema: 'current', clock: 'behind' });
    assert.equal((await browser.get('/healthz')).status, 200);
    world.clock.now = START;
    assert.equal((await browser.get('/readyz')).status, 200);
  });
});
