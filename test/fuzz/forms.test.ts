import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ROUTES } from '../../src/app.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { findSession } from '../../src/auth/sessions.ts';
import { findChallenge } from '../../src/auth/challenges.ts';
import { sql } from '../../src/db/db.ts';
import { eachEngine } from '../database.ts';
import { stage, type Guest } from '../surface/front-door.ts';
import { openWorld, type World } from '../world.ts';
import { MARKUP } from './requests.ts';

/** The fields of each form by the route that it is posted to. Routes that are not here take none. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  '/portal/:slug/sign-in': ['email', 'password'],
  '/admin/sign-in': ['email', 'password'],
  '/portal/:slug/verify': ['code', 'trust'],
  '/portal/:slug/verify/backup-code': ['code'],
  '/portal/:slug/verify/sign-in-code': ['code'],
  '/portal/:slug/verify/ask-for-help': ['why', 'story', 'phone'],
  '/portal/:slug/verify/passkey': ['response', 'trust'],
  '/portal/:slug/sign-in/passkey': ['response'],
  '/portal/:slug/confirm': ['form', 'password', 'code'],
  '/portal/:slug/confirm/passkey': ['form', 'response'],
  '/portal/:slug/check-app': ['code'],
  '/portal/:slug/forgot-password': ['email'],
  '/portal/:slug/new-password/:token': ['email', 'password'],
  '/portal/:slug/security/password': ['email', 'password'],
  '/portal/:slug/security/email': ['email'],
  '/portal/:slug/security/enable-mfa': ['password'],
  '/portal/:slug/security/authenticators/new': ['name'],
  '/portal/:slug/security/passkeys/add': ['name', 'response'],
  '/admin/verify': ['code', 'trust'],
  '/admin/verify/backup-code': ['code'],
  '/admin/confirm': ['form', 'password', 'code'],
  '/portal/:slug/enable-mfa/verify': ['code'],
  '/portal/:slug/enable-mfa/confirm': ['code'],
  '/admin/enable-mfa/verify': ['code'],
  '/portal/:slug/welcome/:token': ['email', 'password'],
  '/admin/welcome/:token': ['email', 'password'],
  '/setup/:token': ['name', 'email', 'password', 'organization', 'contactDetails', 'timeZone'],
  '/admin/settings/customer-portal/general': ['policy', 'mfa', 'name', 'contactDetails'],
  '/admin/settings/customer-portal/sign-in': ['devices', 'days', 'passkeys', 'confirmation', 'wait'],
  '/admin/settings/customer-portal/branding': ['name', 'accent', 'picked', 'removeLogo', 'contactDetails', 'timeZone'],
  '/admin/customers/new': ['customer', 'name', 'email', 'phone', 'invite'],
  '/admin/customers/:customer/edit': ['customer'],
  '/admin/customers/:customer/contacts/new': ['name', 'email', 'phone', 'invite'],
  '/admin/customers/:customer/contacts/:contact/edit': ['name', 'email', 'phone'],
  '/admin/customers/:customer/contacts/:contact/reset-mfa': ['check', 'note'],
  '/admin/customers/:customer/contacts/:contact/sign-in-code': ['check', 'note'],
  '/admin/customers/:customer/contacts/:contact/setup-code': ['check', 'note'],
  '/admin/recovery/:request/approve': ['check', 'note'],
  '/admin/recovery/:request/refuse': ['reason'],
  '/admin/team/invite': ['name', 'email', 'role'],
  '/admin/team/:member/role': ['role'],
  '/admin/team/:member/reset-mfa': ['check', 'note'],
};

// All but those that end what the others need: who has signed out once posts nothing more.
const POSTS = ROUTES.filter(({ method, path }) => method === 'POST' && !/\/(sign-out|done)$/.test(path)).map(
  ({ path }) => path,
);
// Passwords that are long enough are judged for a third of a second each; those have sentences of their own.
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }).map((one) => one.toWellFormed()),
  fc.constantFrom(
    MARKUP,
    `"'>${MARKUP}`,
    '',
    ' ',
    '\r\n.\r\n',
    '{m}',
    '=1+1',
    '\u202e\u2066',
    'x'.repeat(600),
    '123456',
    'on',
    'other',
    'off',
  ),
);
const long = fc.integer({ min: 41, max: 600 }).map((length) => 'x'.repeat(length));

/** What each field is for, so that a form is not refused for another field than the odd one. */
const GOOD: Readonly<Record<string, fc.Arbitrary<string>>> = {
  email: fc.emailAddress(),
  name: fc.constantFrom('Ida Berg', "O'Neill & Söhne"),
  customer: fc.constantFrom('Umbrella', 'Hooli'),
  contactDetails: fc.constant('Call us'),
  accent: fc.constantFrom('', '#ffd400', 'FFD400'),
  picked: fc.constantFrom('', '#0f5a63', '#808080'),
  removeLogo: fc.constantFrom('', 'on'),
  timeZone: fc.constantFrom('UTC', 'Europe/London'),
  phone: fc.constantFrom('', '+1 555 0101'),
  policy: fc.constantFrom('', 'required'),
  mfa: fc.constantFrom('on', ''),
  check: fc.constantFrom('other', 'met-in-person'),
  note: fc.constant('They came to the office.'),
};

const valueOf = (name: string): fc.Arbitrary<string> => {
  const odd = name === 'password' ? text.map((one) => one.slice(0, 5)) : text;
  return fc.oneof(
    { weight: 5, arbitrary: GOOD[name] ?? odd },
    { weight: 1, arbitrary: odd },
    { weight: 1, arbitrary: name === 'password' ? odd : long },
  );
};

const answers = fc.constantFrom(...POSTS, ...Object.keys(FORMS)).chain((path) => {
  const fields = Object.fromEntries((FORMS[path] ?? []).map((name) => [name, valueOf(name)]));
  return fc.record({ path: fc.constant(path), fields: fc.record(fields) as fc.Arbitrary<Record<string, string>> });
});

eachEngine('every form', (engine) => {
  test('is accepted or refused by name, shows what was typed as text, and keeps nothing outside the rules', async (t) => {
    await using world = await openWorld(engine);
    const { ada, maria, noor, fill } = await scene(world);
    const everybody = [ada, maria, noor];
    const jars = everybody.map(({ browser }) => new Map(browser.cookies));
    const statuses: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(answers, fc.constantFrom(0, 0, 1, 2), async ({ path, fields }, who) => {
        const { browser } = everybody[who]!;
        browser.cookies.clear();
        for (const [name, value] of jars[who]!) browser.cookies.set(name, value);
        const page = await browser.send(
          'POST',
          fill(path),
          { 'content-type': 'application/x-www-form-urlencoded' },
          new URLSearchParams(fields).toString(),
        );
        const refused = Object.values(fields).some((value) => value.includes('\0'))
          ? [400, 303, 403, 404]
          : [200, 303, 403, 404, 422, 429];
        assert.ok(refused.includes(page.status), `${path}: ${page.status} ${page.h1}`);
        statuses[page.status] = (statuses[page.status] ?? 0) + 1;
        assert.ok(!page.text.includes(MARKUP), 'markup came back as it was sent');
        // At once, since what is saved next may hide it.
        if (page.status === 303) await withinTheRules(world);
      }),
      { numRuns: 1_200 },
    );
    t.diagnostic(JSON.stringify(statuses));
    const { cookies } = ada.browser;
    for (const [name, value] of jars[0]!) cookies.set(name, value);
    assert.equal(
      (await ada.browser.get('/admin')).status,
      200,
      'Ada was signed out on the way, and posted nothing since',
    );
  });
});

eachEngine('a cookie', (engine) => {
  test('of a session or a challenge has one spelling: with anything changed, added or taken away it is nobody’s', async () => {
    await using world = await openWorld(engine);
    const { ada, maria } = await scene(world);
    const half = await ada.elsewhere();
    await half.password();
    const session = maria.browser.cookies.get('__Host-sallyport')!;
    const challenge = half.browser.cookies.get('__Host-sallyport-admin-challenge')!;
    const { db } = world;
    const { now } = world.clock;
    assert.ok(await findSession(db, 'portal', session, now));
    assert.ok(await findChallenge(db, 'admin', challenge, now));
    const put = fc.string().filter((one) => !one.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(3), put, async (at, cut, by) => {
        const change = (value: string): string => {
          const place = at % (value.length + 1);
          return value.slice(0, place) + by + value.slice(place + cut);
        };
        for (const changed of [change(session), `${session}.${by}`, `${session}.`].filter((one) => one !== session))
          assert.equal(await findSession(db, 'portal', changed, now), undefined, changed);
        for (const changed of [change(challenge), `${challenge}.${by}`].filter((one) => one !== challenge))
          assert.equal(await findChallenge(db, 'admin', changed, now), undefined, changed);
      }),
    );
  });
});

interface Scene {
  readonly ada: Guest;
  readonly maria: Guest;
  readonly noor: Guest;
  readonly fill: (path: string) => string;
}

/** Ada and Maria signed in, Noor setting up MFA, and real names for the parameters of paths. */
async function scene(world: World): Promise<Scene> {
  const { people, guest } = await stage(world);
  const [maria, ada, noor] = [await guest(people.maria), await guest(people.ada), await guest(people.noor)];
  for (const one of [maria, ada]) {
    await one.enrols();
    await one.signsIn();
  }
  await noor.password();
  await noor.configures();
  await offerSetup(world.installation);
  // Eve, since what is posted is really done.
  const names: Record<string, string> = {
    slug: 'acme',
    customer: people.initech.id,
    contact: people.eve.id,
    token: 'x'.repeat(43),
  };
  return { maria, ada, noor, fill: (path) => path.replace(/:(\w+)/g, (_, name: string) => names[name] ?? '') };
}

/** No name, address or note was kept that the pages say they refuse. */
async function withinTheRules({ db }: World): Promise<void> {
  const accounts = await db.all<Record<string, string | null>>(
    sql`SELECT name, email, email_key AS key, phone FROM accounts`,
  );
  for (const { name, email, key, phone } of accounts) {
    assert.match(name!, /^[^\s\p{Cc}](?:[^\p{Cc}]{0,98}[^\s\p{Cc}])?$/su, name!);
    assert.match(key!, /^[^\s\p{Cc}@]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/u);
    assert.ok(email!.length <= 254 && (phone ?? '').length <= 40);
  }
  const organizations = await db.all<Record<string, string>>(
    sql`SELECT name, contact_details AS details, accent, time_zone AS zone FROM organizations`,
  );
  for (const { name, details, accent, zone } of organizations) {
    assert.ok(name!.length >= 1 && name!.length <= 40 && details!.length >= 1 && details!.length <= 300);
    assert.doesNotMatch(name! + details!, /[^\P{Cc}\n\t]/u);
    assert.match(accent ?? '#000000', /^#[0-9a-f]{6}$/);
    assert.doesNotThrow(() => new Intl.DateTimeFormat('en', { timeZone: zone! }));
  }
}
