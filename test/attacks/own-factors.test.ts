import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeApps } from '../../src/auth/authenticators.ts';
import { enrolled, Guest, inside, ownAddress, refusedWith, stage, unchanged } from '../surface/front-door.ts';
import { acme, setPolicy, type Person } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type World } from '../world.ts';

/** Every form by which a contact changes how the account is guarded. The app is named by its id. */
function forms(door: string, app: string): Record<'replace' | 'codes' | 'add' | 'remove' | 'off', string> {
  return {
    replace: `${door}/security/authenticators/${app}/replace`,
    codes: `${door}/security/backup-codes`,
    add: `${door}/security/authenticators/new`,
    remove: `${door}/security/authenticators/${app}/remove`,
    off: `${door}/security/turn-off-mfa`,
  };
}

const fieldsOf = (path: string): Record<string, string> => (path.endsWith('/new') ? { name: 'Tablet' } : {});

async function appOf(world: World, person: Person): Promise<string> {
  return (await activeApps(world.db, person))[0]?.id ?? '';
}

eachEngine('changing one’s own factors without a proof (ASVS 7.5.1, I14)', (engine) => {
  test('is parked at /confirm after ten minutes, at every form that changes a factor', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    await setPolicy(world.installation, people.organization, 'optional');
    const app = await appOf(world, people.maria);
    world.clock.advance(10 * MINUTE_MS + 1);
    const before = await world.account(people.maria);
    for (const path of Object.values(forms(maria.door, app))) {
      const asked = await maria.browser.post(path, fieldsOf(path));
      assert.match(asked.location ?? '', /^\/portal\/acme\/confirm\?form=/, path);
    }
    const form = /form=([\w-]+)/.exec(maria.browser.page.location ?? '')?.[1] ?? '';
    const proof = { form, password: people.maria.password };
    for (const code of ['', maria.wrongCode(), maria.codes[0] ?? ''])
      assert.equal((await maria.browser.post(`${maria.door}/confirm`, { ...proof, code })).status, 422, code);
    assert.equal(await appOf(world, people.maria), app);
    assert.equal((await world.account(people.maria)).epoch, before.epoch);
    assert.equal((await world.rows('challenges')).filter((row) => row['aim'] !== null).length, 0);
    await maria.browser.post(`${maria.door}/confirm`, { ...proof, code: maria.nextCode() });
    assert.equal(maria.browser.page.location, `${maria.door}/sign-in`, 'and goes on once it is given: MFA is off');
    assert.deepEqual(await activeApps(world.db, people.maria), []);
  });

  test('by whoever came in by a backup code is to replace the app and to make new codes, and no more', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await enrolled(guest(people.maria));
    await setPolicy(world.installation, people.organization, 'optional');
    await maria.password();
    await maria.backupCode(maria.codes[0] ?? '');
    const { replace, codes, ...others } = forms(maria.door, await appOf(world, people.maria));
    for (const path of Object.values(others))
      assert.match((await maria.browser.post(path, fieldsOf(path))).location ?? '', /\/confirm\?form=/, path);
    assert.equal((await maria.browser.post(codes)).location, `${maria.door}/enable-mfa/backup-codes`);
    assert.equal((await maria.browser.post(replace)).location, `${maria.door}/enable-mfa/scan`);
    world.clock.advance(10 * MINUTE_MS + 1);
    for (const path of [replace, codes])
      assert.match((await maria.browser.post(path)).location ?? '', /\/confirm\?form=/, path);
  });

  test('is nobody’s without a session: half signed in, enrolling or at another portal', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const rival = await acme(world.installation, 'rival');
    const maria = await inside(guest(people.maria));
    const app = await appOf(world, people.maria);
    const half = await maria.elsewhere();
    await half.password();
    const noor = await guest(people.noor);
    await noor.password();
    await noor.configures();
    const away = new Guest(world, rival.maria, 'rival', await world.visitor({ address: ownAddress() }));
    await away.password();
    assert.equal(away.browser.page.location, '/portal/rival/home');
    await unchanged(world, async () => {
      for (const one of [half, noor, away, await maria.elsewhere()])
        for (const path of [...Object.values(forms(maria.door, app)), `${maria.door}/security/sessions/end-others`])
          assert.equal((await one.browser.post(path, fieldsOf(path))).location, `${maria.door}/sign-in`, path);
    });
  });
});

eachEngine('a form', (engine) => {
  test('of another’s app or session does nothing, and looks like that of one that is not there', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const eve = await inside(guest(people.eve));
    const hers = await appOf(world, people.maria);
    const session = (await world.rows('sessions')).find((row) => row['account_id'] === people.maria.id)?.['id'];
    assert.ok(typeof session === 'string');
    const looks = async (id: string, other: string): Promise<string[]> => {
      const at = `${eve.door}/security/authenticators/${id}`;
      const all: string[] = [];
      for (const act of ['rename', 'remove']) all.push(String((await eve.browser.get(`${at}/${act}`)).status));
      refusedWith(await eve.browser.post(`${at}/rename`, { name: 'Mine' }), 404, /Page not found/);
      for (const path of [`${at}/replace`, `${at}/remove`, `${eve.door}/security/sessions/${other}/end`]) {
        await eve.browser.post(path);
        all.push(`${eve.browser.page.location} ${(await eve.browser.follow()).notices.join()}`);
      }
      return all;
    };
    await unchanged(world, async () => {
      assert.deepEqual(await looks(hers, session), await looks('nothing', 'nothing'));
    });
    assert.equal((await maria.browser.get(`${maria.door}/home`)).status, 200);
  });
});

eachEngine('signing out everywhere else', (engine) => {
  test('ends what a stranger has begun there, and the stranger', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const app = await appOf(world, people.maria);
    const thief = await maria.elsewhere();
    await thief.signsIn();
    await thief.browser.post(forms(thief.door, app).replace);
    await thief.scans();
    await thief.verifies();
    assert.equal(thief.browser.page.location, `${thief.door}/enable-mfa/enable`);
    await maria.browser.post(`${maria.door}/security/sessions/end-others`);
    assert.match((await maria.browser.follow()).notices.join(), /signed out everywhere else. 1 session ended/);
    const late = await thief.browser.post(`${thief.door}/enable-mfa/enable`);
    assert.equal(late.location, `${thief.door}/security`);
    assert.equal((await thief.browser.follow()).h1, 'Sign in to Acme Billing');
    assert.equal(await appOf(world, people.maria), app);
  });
});
