import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findOrganization } from '../../src/accounts/organizations.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { setPolicy } from '../acme.ts';
import { eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';
import { confirmed, GENERAL, refusedWith, stage, unchanged, type Guest, type Stage } from './front-door.ts';

const AT = '/portal/acme';

interface AtWork extends Stage {
  readonly world: World;
  readonly ada: Guest;
}

/** Ada at the console, with a fresh proof. */
async function atWork(engine: Engine): Promise<AtWork> {
  const world = await openWorld(engine);
  const staged = await stage(world);
  const ada = await staged.guest(staged.people.ada);
  await ada.enrols();
  await ada.signsIn();
  return { ...staged, world, ada };
}

const settings = (fields: Record<string, string> = {}): Record<string, string> => ({
  policy: 'required',
  grace: '',
  mfa: 'on',
  name: 'Acme Billing',
  contactDetails: 'Call us: +1 555 0100',
  ...fields,
});

async function policyOf({ world, people }: AtWork): Promise<unknown[]> {
  const found = await findOrganization(world.db, people.organization.id);
  return [found?.policy, found?.graceDays];
}

eachEngine('the policy, on the General page', (engine) => {
  test('can give days of grace, which every page then says', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    await ada.browser.post(GENERAL, settings({ when: 'within', days: ' 14 ' }));
    assert.match(
      (await ada.browser.follow()).notices[0] ?? '',
      /MFA is on for all customers\. They set it up within 14 days\./,
    );
    assert.deepEqual(await policyOf(work), ['required', 14]);
    assert.match(ada.browser.page.text, /On: 3 contacts will be asked to set it up within 14 days; 0 already use it\./);
    const noor = await guest(people.noor);
    await noor.password();
    assert.match((await noor.browser.follow()).text, /Set up later[\s\S]*You need to do this by[\s\S]*8 December 2026/);
    await noor.browser.post(`${AT}/enable-mfa/later`);
    const home = await noor.browser.follow();
    assert.match(home.notices.join(), /Set up MFA by 8 December 2026 \./);
    assert.match(home.text, /<a href="\/portal\/acme\/security\/enable-mfa">Enable MFA<\/a>/);
  });

  test('refuses days that are none, beside the field and with everything kept', async () => {
    const work = await atWork(engine);
    await using _ = work.world;
    for (const days of ['', '0', '91', '-3', '1.5', 'two weeks', '9999']) {
      const page = await unchanged(work.world, () =>
        work.ada.browser.post(GENERAL, settings({ when: 'within', days })),
      );
      refusedWith(page, 422, /Enter a number of days from 1 to 90/);
      assert.equal(page.errors.length, 1);
      assert.match(page.text, /value="within"\s+checked/);
      if (days !== '') assert.ok(page.text.includes(`value="${days}"`), 'what was typed stands there still');
    }
    assert.deepEqual(await policyOf(work), ['required', null]);
  });

  test('made for yesterday’s days undoes nobody’s change, and says so beside the box', async () => {
    const work = await atWork(engine);
    await using _ = work.world;
    await setPolicy(work.world.installation, work.people.organization, 'required', 30);
    const stale = settings({ when: 'within', days: '7' });
    const page = await unchanged(work.world, () => work.ada.browser.post(GENERAL, stale));
    refusedWith(page, 422, /Somebody else has turned MFA on or off meanwhile/);
    assert.equal(page.errors.length, 1, 'it stands by the field too');
    assert.match(page.text, /<p class="error" id="mfa-error">/);
  });

  test('offers MFA without asking for it: nobody is asked, and home has the way, with No thanks', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    await ada.browser.post(GENERAL, settings({ mfa: '', offer: 'on' }));
    assert.match((await ada.browser.follow()).notices[0] ?? '', /MFA is offered to all customers\./);
    assert.deepEqual(await policyOf(work), ['optional', null]);
    const noor = await guest(people.noor);
    await noor.password();
    const home = await noor.browser.follow();
    assert.equal(home.notices.length, 0);
    assert.match(home.text, /MFA is off<\/span>\s*<a href="[^"]*">Enable MFA<\/a>/);
    const asked = await noor.browser.get(`${AT}/security/enable-mfa`);
    assert.equal(asked.h1, "Confirm it's you".replace("'", '&#39;').replace('&#39;', "'"));
    refusedWith(await noor.browser.post(`${AT}/security/enable-mfa`, { password: '' }), 422, /Enter your password/);
    await noor.browser.post(`${AT}/security/enable-mfa`, { password: people.noor.password });
    const start = await noor.browser.follow();
    assert.match(
      start.text,
      /Acme Billing offers multi-factor authentication[\s\S]*<a href="\/portal\/acme\/home">No thanks<\/a>/,
    );
    assert.doesNotMatch(start.text, /Set up later/);
    assert.equal((await noor.browser.get(`${AT}/home`)).status, 200, 'No thanks leads back inside');
    await noor.configures();
    await noor.verifies();
    assert.match((await noor.browser.follow()).text, /<a href="\/portal\/acme\/home">Not now<\/a>/);
    await noor.browser.post(`${AT}/enable-mfa/enable`);
    assert.equal((await noor.browser.get(`${AT}/home`)).location, `${AT}/sign-in`, 'E6: it ends at the sign-in page');
    await noor.browser.post(`${AT}/enable-mfa/done`);
    await noor.signsIn();
    assert.match((await noor.browser.get(`${AT}/home`)).text, /MFA is on/);
  });

  test('tells whoever is signed in while it is turned on, and can sign everyone out with it', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    await setPolicy(world.installation, people.organization, 'off');
    const noor = await guest(people.noor);
    await noor.password();
    assert.doesNotMatch((await noor.browser.get(`${AT}/home`)).text, /Enable MFA/);
    const off = { policy: 'off', grace: '' };
    await ada.browser.post(GENERAL, settings({ ...off, when: 'within', days: '1' }));
    assert.match(
      (await noor.browser.get(`${AT}/home`)).notices.join(),
      /From your next sign-in on you have 1 day for it\./,
    );
    await ada.browser.post(GENERAL, settings({ grace: '1' }));
    assert.match((await noor.browser.get(`${AT}/home`)).notices.join(), /Set up MFA before you sign in again\./);
    const alone = await unchanged(world, () => ada.browser.post(GENERAL, settings({ signOut: 'on' })));
    refusedWith(alone, 422, /Nothing about MFA changes, so nobody is signed out/);
    await ada.browser.post(GENERAL, settings({ when: 'within', days: '3', signOut: 'on' }));
    assert.match((await ada.browser.follow()).notices[0] ?? '', /Everyone is signed out\./);
    assert.equal((await noor.browser.get(`${AT}/home`)).location, `${AT}/sign-in`);
    assert.equal((await ada.browser.get('/admin')).status, 200);
  });
});

eachEngine('the preview', (engine) => {
  test('says in numbers and names whom a policy affects, and hands them out as a file without formulas', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    await (await guest(people.maria)).enrols();
    const noor = await findContact(world.db, people.organization.id, people.globex.id, people.noor.id);
    assert.ok(noor);
    await changeContact(world.installation, OPERATOR, noor, {
      name: '=HYPERLINK("x")',
      email: noor.email,
      phone: null,
    });
    const page = await ada.browser.get(`${GENERAL}/preview?policy=required&days=14`);
    assert.match(page.text, /<dt>Already on<\/dt>\s*<dd><a href="#already-on">1 contact<\/a>/);
    assert.match(page.text, /<dt>Asked within the grace<\/dt>\s*<dd><a href="#within-grace">2 contacts<\/a>/);
    assert.match(page.text, /<dt>Asked at once<\/dt>\s*<dd>Nobody/);
    const file = await ada.browser.get(`${GENERAL}/preview/export?policy=required&days=14`);
    assert.equal(file.headers.get('content-disposition'), 'attachment; filename="acme-mfa-policy.csv"');
    assert.deepEqual(
      file.text
        .replace('\uFEFF', '')
        .split('\r\n')
        .map((line) => line.replace(/,20[^,]*$/, ',')),
      [
        'email,name,customer,effect,last_sign_in',
        'eve@initech.test,Eve Moreau,Initech,Asked within the grace,',
        'maria@globex.test,Maria Silva,Globex,Already on,',
        `noor@globex.test,"'=HYPERLINK(""x"")",Globex,Asked within the grace,`,
        '',
      ],
    );
    const sam = await guest(people.sam);
    await sam.enrols();
    await sam.signsIn();
    assert.doesNotMatch((await sam.browser.get(`${GENERAL}/preview`)).text, /Export/);
    assert.equal((await sam.browser.get(`${GENERAL}/preview/export`)).status, 403);
  });
});

eachEngine('an exemption, at the console', (engine) => {
  test('is given with reason and day, stands on the customer’s page, and is ended from the same place', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    const path = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/exempt`;
    const form = { reason: 'their phone comes next week', until: '2026-12-08' };
    const wrong = await unchanged(world, () => ada.browser.post(path, { reason: 'too short', until: '2028-01-01' }));
    refusedWith(wrong, 422, /Say why, in 10 characters or more/);
    const far = await unchanged(world, () => ada.browser.post(path, { ...form, until: '2028-01-01' }));
    refusedWith(far, 422, /Enter a day from today to 365 days ahead/);
    await ada.browser.post(path, form);
    const customer = await ada.browser.follow();
    assert.match(customer.notices[0] ?? '', /noor@globex\.test is exempt from MFA up to 8 December 2026\./);
    assert.match(
      customer.text,
      /Exempt up to[\s\S]*8 December 2026[\s\S]*by Ada Owens[\s\S]*their phone comes next week/,
    );
    const general = await ada.browser.get(GENERAL);
    assert.match(
      general.text,
      /On: 2 contacts will be asked to set it up at their next sign-in; 1 is exempt; 0 already use it\./,
    );
    const noor = await guest(people.noor);
    await noor.password();
    assert.match(
      (await noor.browser.follow()).notices.join(),
      /Acme Billing doesn't ask you for MFA up to 8 December 2026/,
    );
    world.clock.advance(11 * MINUTE_MS);
    await confirmed(ada, await unchanged(world, () => ada.browser.post(`${path}/end`)));
    assert.match((await ada.browser.follow()).notices[0] ?? '', /The exemption of noor@globex\.test has ended\./);
    assert.equal((await noor.browser.get(`${AT}/home`)).location, `${AT}/sign-in`);
  });
});

eachEngine('acts for everybody at once', (engine) => {
  test('sign everyone out says how many, asks for a fresh proof, and leaves staff where they are', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    const maria = await guest(people.maria);
    await maria.enrols();
    await maria.signsIn();
    world.clock.advance(11 * MINUTE_MS);
    await maria.browser.get(`${AT}/home`);
    const asked = await ada.browser.get(`${GENERAL}/sign-everyone-out`);
    assert.match(asked.text, /1 contact is signed in, in 1 browser\./);
    await confirmed(ada, await unchanged(world, () => ada.browser.post(`${GENERAL}/sign-everyone-out`)));
    assert.match((await ada.browser.follow()).notices[0] ?? '', /1 contact is signed out\./);
    assert.equal((await maria.browser.get(`${AT}/home`)).location, `${AT}/sign-in`);
    assert.equal((await maria.browser.get(`${AT}/session`)).status, 401);
  });

  test('disable and reset everybody wants the number typed and a reason, and then goes on as a job', async () => {
    const work = await atWork(engine);
    const { world, ada, people, guest } = work;
    await using _ = world;
    const nobody = await ada.browser.get(`${GENERAL}/reset-everybody`);
    assert.match(nobody.text.replaceAll('&#39;', "'"), /There's nothing to reset\./);
    await (await guest(people.maria)).enrols();
    const path = `${GENERAL}/reset-everybody`;
    const asked = await ada.browser.get(path);
    assert.equal(asked.h1, 'Disable MFA and reset 1 contact?');
    assert.match(asked.text, /Maria Silva, <bdi dir="ltr">maria@globex\.test<\/bdi>/);
    const form = { reason: 'the app that we recommended is gone', number: '1' };
    for (const number of ['', '2', 'one', '-1'])
      refusedWith(await unchanged(world, () => ada.browser.post(path, { ...form, number })), 422, /Type 1 to confirm/);
    refusedWith(await unchanged(world, () => ada.browser.post(path, { ...form, reason: 'no' })), 422, /Say why/);
    world.clock.advance(11 * MINUTE_MS);
    await confirmed(ada, await unchanged(world, () => ada.browser.post(path, form)));
    assert.match((await ada.browser.follow()).h1, /Reset MFA for 1 contact/);
    assert.deepEqual(await policyOf(work), ['off', null]);
    const runner = openRunner(world.installation);
    while (await runner.turn());
    const maria = await guest(people.maria);
    await maria.password();
    assert.match((await maria.browser.follow()).notices.join(), /Acme Billing reset your MFA on 24 November 2026/);
  });
});
