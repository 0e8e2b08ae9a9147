import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addsPasskey, Authenticator, optionsAt, takePasskeys } from '../authenticator.ts';
import { dump, type Guest, inside, stage, type Stage } from '../surface/front-door.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

type Form = readonly [path: string, fields?: Readonly<Record<string, string>>];

const SECURITY = '/portal/acme/security';

/** Sends a form's head with its length, and its bytes only when the server asks for them, after something else. */
async function sendsLate(
  world: World,
  { browser }: Guest,
  [path, fields = {}]: Form,
  meanwhile: () => Promise<unknown>,
): Promise<Response> {
  const bytes = new TextEncoder().encode(new URLSearchParams(fields).toString());
  const pull = async (body: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    await meanwhile();
    if (bytes.length > 0) body.enqueue(bytes);
    body.close();
  };
  const headers = {
    cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(bytes.length),
    'sec-fetch-site': 'same-origin',
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  const init: RequestInit = { method: 'POST', headers, body, duplex: 'half' };
  return (await world.app()).request(world.publicUrl + path, init);
}

eachEngine('a form whose end is held back until its sender has been signed out', (engine) => {
  let world: World;
  let people: Stage['people'];
  let maria: Guest;
  let ada: Guest;
  let passkey: string;
  before(async () => {
    world = await openWorld(engine, { mailIsOn: true });
    const scene = await stage(world);
    ({ people } = scene);
    await takePasskeys(world, people.organization, 'second-factor');
    maria = await inside(scene.guest(people.maria));
    ada = await inside(scene.guest(people.ada));
    passkey = await addsPasskey(maria, new Authenticator(world.publicUrl));
  });
  after(() => world.close());

  async function comesToNothing(sender: Guest, form: Form, signsOut: () => Promise<unknown>): Promise<void> {
    let then: Record<string, string[]> = {};
    const answer = await sendsLate(world, sender, form, async () => {
      await signsOut();
      then = await dump(world);
    });
    const now = await dump(world);
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, `${sender.door}/sign-in`], form[0]);
    const changed = Object.keys(now).filter((table) => now[table]?.join('\n') !== then[table]?.join('\n'));
    assert.deepEqual(changed, [], form[0]);
  }

  const signedOutElsewhere = () => maria.browser.post(`${SECURITY}/sessions/end-others`);

  test('adds no passkey of Eve’s, takes none away and asks for no other address: Maria has signed out everywhere else', async () => {
    const forms: ((eve: Guest) => Promise<Form> | Form)[] = [
      async ({ browser }) => {
        const options = await optionsAt(browser, `${SECURITY}/passkeys/add/options`);
        const response = new Authenticator(world.publicUrl).make(options);
        return [`${SECURITY}/passkeys/add`, { name: 'My laptop', response }];
      },
      () => [`${SECURITY}/email`, { email: 'eve@evil.test' }],
      () => [`${SECURITY}/backup-codes`],
      () => [`${SECURITY}/passkeys/${passkey}/remove`],
      () => [`${SECURITY}/sessions/end-others`],
    ];
    for (const formOf of forms) {
      const eve = await maria.elsewhere();
      await eve.signsIn();
      await comesToNothing(eve, await formOf(eve), signedOutElsewhere);
    }
  });

  test('resets nobody’s MFA: Ada has signed out in that browser', async () => {
    const form = [
      `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`,
      { check: 'other', note: 'She read out INV-2041' },
    ] as const;
    const thief = await ada.elsewhere();
    for (const [name, value] of ada.browser.cookies) thief.browser.cookies.set(name, value);
    await comesToNothing(thief, form, () => ada.browser.post('/admin/sign-out'));
  });
});
