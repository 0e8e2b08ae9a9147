import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { acme, setPolicy } from '../acme.ts';
import { addsPasskey, Authenticator, optionsAt, takePasskeys, type Fault } from '../authenticator.ts';
import { Guest, inside, ownAddress, stage, unchanged, type Stage } from '../surface/front-door.ts';
import type { Page } from '../visitor.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const DOOR = '/portal/acme';

const answer = async (one: Guest, device: Authenticator, page: string, fault: Fault = {}): Promise<string> =>
  device.use(await optionsAt(one.browser, `${DOOR}/${page}-options`), fault);

/** Nobody is signed in by this answer. */
function opensNothing(page: Page, one: Guest): void {
  assert.ok([401, 404, 422].includes(page.status), `${page.status} ${page.location}`);
  assert.doesNotMatch(page.headers.getSetCookie().join(), /__Host-sallyport=[^;]/);
  assert.equal(one.browser.page, page);
}

eachEngine('somebody else’s passkey', (engine) => {
  let world: World;
  let people: Stage['people'];
  let guest: Stage['guest'];
  let maria: Guest;
  let eve: Guest;
  let marias: Authenticator;
  let eves: Authenticator;
  let mariasPasskey: string;
  before(async () => {
    world = await openWorld(engine);
    ({ people, guest } = await stage(world));
    await takePasskeys(world, people.organization, 'sign-in');
    maria = await inside(guest(people.maria));
    eve = await inside(guest(people.eve));
    marias = new Authenticator(world.publicUrl);
    eves = new Authenticator(world.publicUrl);
    mariasPasskey = await addsPasskey(maria, marias);
    await addsPasskey(eve, eves);
  });
  after(() => world.close());

  async function why(whom: Guest): Promise<unknown> {
    return (JSON.parse((await world.audit(whom.person)).at(-1)?.details ?? '{}') as { why?: unknown }).why;
  }

  test('opens no sign-in: Eve knows Maria’s password and has a passkey of her own', async () => {
    const thief = await maria.elsewhere();
    await thief.password();
    const theirs = JSON.parse(marias.use({ challenge: '', rpId: '' })) as { id: string };
    const response = await answer(thief, eves, 'verify/passkey');
    opensNothing(await thief.browser.post(`${DOOR}/verify/passkey`, { response }), thief);
    assert.equal(await why(maria), 'credential');
    const hers = { json: { id: theirs.id, rawId: theirs.id }, response: { userHandle: null } };
    const named = await answer(thief, eves, 'verify/passkey', hers);
    opensNothing(await thief.browser.post(`${DOOR}/verify/passkey`, { response: named }), thief);
    assert.equal(await why(maria), 'signature');
  });

  test('names nobody else: with Maria’s user handle or credential id Eve’s key opens neither account', async () => {
    const thief = await eve.elsewhere();
    const theirs = JSON.parse(marias.use({ challenge: '', rpId: '' })) as {
      id: string;
      response: { userHandle: string };
    };
    for (const fault of [
      { response: { userHandle: theirs.response.userHandle } },
      { json: { id: theirs.id, rawId: theirs.id } },
      { json: { id: theirs.id, rawId: theirs.id }, response: { userHandle: theirs.response.userHandle } },
    ] as Fault[]) {
      const response = await answer(thief, eves, 'sign-in/passkey', fault);
      opensNothing(await thief.browser.post(`${DOOR}/sign-in/passkey`, { response }), thief);
    }
  });

  test('works in the browser alone that it was asked for: neither stolen on the way nor slipped to Maria', async () => {
    const [there, here] = [await maria.elsewhere(), await eve.elsewhere()];
    const stolen = await answer(there, marias, 'sign-in/passkey');
    await optionsAt(here.browser, `${DOOR}/sign-in/passkey-options`);
    opensNothing(await here.browser.post(`${DOOR}/sign-in/passkey`, { response: stolen }), here);
    const slipped = await answer(here, eves, 'sign-in/passkey');
    opensNothing(await there.browser.post(`${DOOR}/sign-in/passkey`, { response: slipped }), there);
    const blank = await eve.elsewhere();
    opensNothing(await blank.browser.post(`${DOOR}/sign-in/passkey`, { response: slipped }), blank);
  });

  test('is for one purpose: an answer to one page’s challenge is none to another’s', async () => {
    const half = await maria.elsewhere();
    await half.password();
    await maria.browser.get(`${DOOR}/home`);
    const forSignIn = await answer(half, marias, 'sign-in/passkey');
    const forVerify = await answer(half, marias, 'verify/passkey');
    const forConfirm = await answer(maria, marias, 'confirm/passkey');
    const forAdding = marias.use(await optionsAt(maria.browser, `${DOOR}/security/passkeys/add/options`), {
      rpId: 'sallyport.test',
    });
    for (const response of [forVerify, forConfirm, forAdding])
      opensNothing(await half.browser.post(`${DOOR}/sign-in/passkey`, { response }), half);
    for (const response of [forSignIn, forConfirm])
      opensNothing(await half.browser.post(`${DOOR}/verify/passkey`, { response }), half);
    for (const response of [forSignIn, forVerify, forAdding])
      opensNothing(await maria.browser.post(`${DOOR}/confirm/passkey`, { form: '', response }), maria);
  });

  test('is replayed in vain, in the same browser and in another one', async () => {
    const half = await maria.elsewhere();
    await half.password();
    const response = await answer(half, marias, 'verify/passkey');
    assert.equal((await half.browser.post(`${DOOR}/verify/passkey`, { response })).location, `${DOOR}/home`);
    const again = await maria.elsewhere();
    await again.password();
    opensNothing(await again.browser.post(`${DOOR}/verify/passkey`, { response }), again);
    const alone = await maria.elsewhere();
    const whole = await answer(alone, marias, 'sign-in/passkey');
    assert.equal((await alone.browser.post(`${DOOR}/sign-in/passkey`, { response: whole })).location, `${DOOR}/home`);
    opensNothing(await alone.browser.post(`${DOOR}/sign-in/passkey`, { response: whole }), alone);
  });

  test('cannot be renamed, removed or put into an account by anybody else', async () => {
    const path = `${DOOR}/security/passkeys/${mariasPasskey}`;
    const made = new Authenticator(world.publicUrl).make(
      await optionsAt(maria.browser, `${DOOR}/security/passkeys/add/options`),
    );
    await unchanged(world, async () => {
      for (const act of ['rename', 'remove']) opensNothing(await eve.browser.get(`${path}/${act}`), eve);
      opensNothing(await eve.browser.post(`${path}/rename`, { name: 'Eve’s' }), eve);
      opensNothing(await eve.browser.post(`${path}/remove`), eve);
      const added = await eve.browser.post(`${DOOR}/security/passkeys/add`, { name: 'Maria’s', response: made });
      opensNothing(added, eve);
    });
  });

  test('of another merchant of the installation opens nothing here, though the host is the same', async () => {
    const others = await acme(world.installation, 'other');
    await setPolicy(world.installation, others.organization, 'required');
    await takePasskeys(world, others.organization, 'sign-in');
    const browser = await world.visitor({ address: ownAddress() });
    const theirs = new Guest(world, others.maria, 'other', browser);
    const options = await optionsAt(browser, '/portal/other/sign-in/passkey-options');
    const page = await browser.post('/portal/other/sign-in/passkey', { response: marias.use(options) });
    opensNothing(page, theirs);
    const crossed = marias.use(options);
    opensNothing(await browser.post(`${DOOR}/sign-in/passkey`, { response: crossed }), theirs);
    await inside(Promise.resolve(theirs));
    const path = `/portal/other/security/passkeys/${mariasPasskey}/remove`;
    opensNothing(await browser.post(path), theirs);
  });

  test('is no way into the console, which has none', async () => {
    for (const page of ['sign-in/passkey', 'sign-in/passkey-options', 'verify/passkey', 'confirm/passkey'])
      assert.equal((await eve.browser.post(`/admin/${page}`)).status, 404);
  });
});
