import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { findAccountByEmail } from '../../src/accounts/accounts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { activeApps } from '../../src/auth/authenticators.ts';
import { PERMISSIONS, type Permission } from '../../src/accounts/staff.ts';
import { enrolledContact, requestOf } from '../help.ts';
import { PERMISSION_WORDS } from '../../src/admin/team-words.ts';
import type { Route } from '../../src/web/routes.ts';
import { acme, addStaff, markedContacts, setPolicy, waitingImport, waitingJob, type Acme } from '../acme.ts';
import { anyLink } from '../confirmation.ts';
import { addsPasskey, Authenticator, takePasskeys } from '../authenticator.ts';
import type { Page, Visitor } from '../visitor.ts';
import { eachEngine, openWorld, type Engine, type World } from '../world.ts';
import { Guest, ownAddress, stage, unchanged, type Stage } from './front-door.ts';

type Surface = 'portal' | 'admin';

/** What somebody is at a door, as the guards can know it. */
type Standing = 'nobody' | 'half' | 'enrolling' | 'contact' | 'owner' | 'admin' | 'support' | 'auditor';

interface Caller {
  readonly browser: Visitor;
  readonly is: Standing;
  readonly at: Surface;
  /** Came in by a backup code. */
  readonly byBackupCode?: boolean;
  /** Staff of another merchant: what the path names is not theirs. */
  readonly foreign?: boolean;
  /** A code that is right for their own account now. */
  readonly code?: string;
}

type Answer = 'admitted' | 'sign-in' | 'verify' | 'enable-mfa' | 401 | 403 | 404;

/** Who may do what at the console, as the product's rules say it and not as the code does. */
const STAFF: Record<string, readonly Standing[]> = {
  read: ['owner', 'admin', 'support', 'auditor'],
  'edit customers': ['owner', 'admin'],
  'edit contacts': ['owner', 'admin', 'support'],
  'open and close portal access': ['owner', 'admin', 'support'],
  'reset MFA': ['owner', 'admin', 'support'],
  unlock: ['owner', 'admin', 'support'],
  'make welcome links': ['owner', 'admin'],
  'change settings': ['owner', 'admin'],
  'import and export customers': ['owner', 'admin'],
  'end sessions': ['owner', 'admin', 'support'],
  'act on many contacts at once': ['owner', 'admin'],
  'delete customers and contacts': ['owner', 'admin'],
  'manage the team': ['owner', 'admin'],
  'export the audit log': ['owner', 'admin', 'auditor'],
};

/** From a guard's name to what each caller is answered. A guard that is not here has no expectation, and fails. */
const GUARDS: Record<string, (is: Standing, caller: Caller, path: string) => Answer> = {
  anyone: () => 'admitted',
  'half signed in': (is) => (is === 'half' ? 'admitted' : is === 'enrolling' ? 'enable-mfa' : 'sign-in'),
  enrolling: (is) => (is === 'enrolling' ? 'admitted' : is === 'half' ? 'verify' : 'sign-in'),
  contact: (is) => (is === 'contact' ? 'admitted' : 'sign-in'),
  'contact or 401': (is) => (is === 'contact' ? 'admitted' : 401),
  ...Object.fromEntries(
    Object.entries(STAFF).map(([permission, roles]) => [
      `staff who may ${permission}`,
      (is: Standing, caller: Caller, path: string): Answer => {
        if (!['owner', 'admin', 'support', 'auditor'].includes(is)) return 'sign-in';
        if (!roles.includes(is)) return 403;
        if (caller.byBackupCode && permission !== 'read') return 403;
        return caller.foreign && /\/:(customer|member|job|selection|import|request)/.test(path) ? 404 : 'admitted';
      },
    ]),
  ),
};

function expected(route: Route, caller: Caller): Answer {
  const rule = GUARDS[route.who];
  assert.ok(rule, `${route.method} ${route.path} has a guard that these tests do not know: "${route.who}"`);
  const at: Surface = route.path.startsWith('/admin') ? 'admin' : 'portal';
  return rule(caller.at === at ? caller.is : 'nobody', caller, route.path);
}

/** Handlers that have nothing to give in a world with an owner and two portals, whoever asks: 404 after being admitted. */
const NOTHING_TO_GIVE = [
  '/.well-known/change-password',
  '/.well-known/passkey-endpoints',
  '/setup/:token',
  '/portal/:slug/new-password/:token',
  '/portal/:slug/confirm-email/:token',
  '/portal/:slug/not-me/:token',
  '/portal/:slug/theme.css',
  '/portal/:slug/logo',
  '/portal/:slug/cancel-request/:token',
];

function answerOf(route: Route, path: string, page: Page): Answer {
  const base = route.path.startsWith('/admin') ? '/admin' : path.split('/').slice(0, 3).join('/');
  if (page.status === 303 && page.location === `${base}/sign-in`) return 'sign-in';
  if (page.status === 303 && page.location === `${base}/verify`) return 'verify';
  if (page.status === 303 && page.location === `${base}/enable-mfa`) return 'enable-mfa';
  if (page.status === 404 && NOTHING_TO_GIVE.includes(route.path)) return 'admitted';
  if (page.status === 401 || page.status === 403 || page.status === 404) return page.status;
  assert.ok([200, 303, 400].includes(page.status), `${route.method} ${path} is answered with ${page.status}`);
  return 'admitted';
}

/** What would really change something, for those who must not get so far. Forms that are not here have no field. */
function harm(route: Route, caller: Caller): Record<string, string> {
  const person = { name: 'Eve Moreau', email: 'eve@elsewhere.test', phone: '' };
  const forms: Record<string, Record<string, string>> = {
    verify: { code: caller.code ?? '123456' },
    'backup-code': { code: '123456123456' },
    general: { name: "Eve's", contactDetails: 'Call Eve', mfa: '' },
    branding: { name: "Eve's", accent: '#ff0000', contactDetails: 'Call Eve', timeZone: 'UTC' },
    'sign-in': route.path.includes('/settings/')
      ? { devices: 'on', days: '180', passkeys: 'off', confirmation: '', wait: '0' }
      : {},
    'reset-mfa': { check: 'met-in-person', note: '' },
    'ask-for-help': { why: 'other', story: 'Let Eve in', phone: '' },
    'sign-in-code': route.path.includes('/admin/') ? { check: 'met-in-person', note: '' } : { code: '123456123456123' },
    approve: { check: 'met-in-person', note: '' },
    refuse: { reason: 'because she can' },
    invite: { name: 'Eve Moreau', email: 'eve@elsewhere.test', role: 'owner' },
    role: { role: 'owner' },
    exempt: { reason: 'Eve has asked for it', until: '2026-12-08' },
    end: {},
    'sign-everyone-out': {},
    'reset-everybody': { reason: 'Eve has asked for it', number: '4' },
    new: route.path.includes('/contacts/') ? person : { ...person, customer: 'Eve & Sons' },
    edit: route.path.includes('/contacts/') ? person : { customer: 'Eve & Sons' },
    delete: { reason: 'because she can' },
    many: { view: '', all: 'on', act: 'reset-mfa' },
    ':selection': { reason: 'because she can', number: '2' },
  };
  return forms[route.path.split('/').at(-1) ?? ''] ?? {};
}

/** Addresses that lead to another page. */
const ELSEWHERE = ['/portal/:slug', '/portal/:slug/security/enable-mfa', '/admin/jobs/:job/file'];

/** Pages that take contacts out of the house, which leaves an audit row; nothing else is different after them. */
const RECORDED = ['/admin/settings/customer-portal/general/preview/export'];

/** A field that no form has: whoever is admitted is told so, and nobody changes anything. */
const PROBE = 'probe=1';

const CALLERS = [
  'a stranger',
  'Maria, who owes a code',
  'Sam, who owes a code',
  'Noor, who is setting up MFA',
  'Eve, whose backup codes are on the screen',
  'Nils, who is setting up MFA as new staff',
  'Maria, signed in',
  'Ada, the owner',
  'Abe, an admin',
  'Sam, in support',
  'Otto, the auditor',
  'Ada, who came in by a backup code',
  'Maria of another merchant, signed in',
  'Maria of another merchant, who owes a code',
  'Noor of another merchant, who is setting up MFA',
  'Ada, the owner at another merchant',
  "Maria, with her session in the console's cookie",
  "Ada, with her session in the portal's cookie",
  'Maria, with her half-signed-in cookie as a session',
  'Maria, with her session as a half-signed-in cookie',
  'Sam, with his half-signed-in cookie as a session',
  "Maria, with another merchant's id before her token",
] as const;

type Cast = Record<(typeof CALLERS)[number], Caller>;

interface Scene {
  readonly world: World;
  readonly cast: Cast;
  /** Puts real names where a path has parameters. */
  readonly fill: (path: string) => string;
}

eachEngine('every route', (engine) => {
  let scene: Scene;

  before(async () => void (scene = await everybody(engine)));
  after(() => scene.world.close());

  const tries = (name: keyof Cast) => () => everywhere(scene, name);
  for (const name of CALLERS) test(`answers ${name} as its guard says, and changes nothing`, tries(name));

  test('gives a page to whoever it admits, so that an empty refusal is not taken for it', async () => {
    const { cast, fill } = scene;
    const admitted = { portal: cast['Maria, signed in'], admin: cast['Ada, the owner'] };
    for (const { method, path, who } of ROUTES.filter((route) => /^(contact|staff)/.test(route.who))) {
      const caller = path.startsWith('/admin') ? admitted.admin : admitted.portal;
      const { browser } = caller;
      restore(caller);
      const page = method === 'GET' ? await browser.get(fill(path)) : await browser.post(fill(path), PROBE);
      const status = method === 'POST' ? 400 : ELSEWHERE.includes(path) ? 303 : 200;
      assert.equal(page.status, status, `${method} ${path} (${who})`);
    }
  });

  test('answers each role as the table on the team page says it will', async () => {
    const { cast, fill } = scene;
    const ada = cast['Ada, the owner'];
    restore(ada);
    const told = tableOf((await ada.browser.get('/admin/team')).text);
    const callers = [ada, cast['Abe, an admin'], cast['Sam, in support'], cast['Otto, the auditor']];
    let cells = 0;
    for (const { method, path, who } of ROUTES.filter((route) => route.who.startsWith('staff who may '))) {
      const permission = who.replace('staff who may ', '') as Permission;
      const row = told.get(PERMISSION_WORDS[permission]);
      assert.ok(row, `the page does not tell who may ${permission}`);
      for (const [at, caller] of callers.entries()) {
        restore(caller);
        const { browser } = caller;
        const page = method === 'GET' ? await browser.get(fill(path)) : await browser.post(fill(path), PROBE);
        assert.equal(page.status === 403 ? 'No' : 'Yes', row[at], `${caller.is}: ${method} ${path}`);
        cells++;
      }
    }
    assert.ok(cells >= 140, `${cells} cells`);
  });

  test('that names a customer wants the contact to be of that customer', async () => {
    const { world, cast, fill } = scene;
    const ada = cast['Ada, the owner'];
    const eve = fill('/eve');
    const mixed = [
      fill('/admin/customers/:customer/contacts/').concat(eve.slice(1)),
      fill('/admin/customers/').concat(fill('/initech').slice(1), fill('/contacts/:contact')),
    ];
    restore(ada);
    await unchanged(world, async () => {
      for (const path of mixed) {
        const acts = ['edit', 'reset-mfa', 'sign-in-code', 'unlock', 'disable', 'enable', 'exempt', 'welcome-link'];
        for (const act of acts) {
          if (act !== 'enable') assert.equal((await ada.browser.get(`${path}/${act}`)).status, 404, `${path}/${act}`);
          assert.equal((await ada.browser.post(`${path}/${act}`)).status, 404, `${path}/${act}`);
        }
      }
    });
  });
});

describe('the table of guards', () => {
  test('says of each permission what the product does: a role is added or taken away in two places', () => {
    for (const [permission, roles] of Object.entries(STAFF))
      assert.deepEqual(PERMISSIONS[permission as Permission], roles, permission);
  });

  test('knows every guard that a route has', () => {
    assert.deepEqual(
      ROUTES.filter((route) => !(route.who in GUARDS)),
      [],
    );
  });

  test('has no expectation for a guard that is new', () => {
    const route = { method: 'GET', path: '/portal/:slug/new', who: 'whoever', answer: () => assert.fail() } as const;
    const stranger = { is: 'nobody', at: 'portal' } as Caller;
    assert.throws(() => expected(route, stranger), /a guard that these tests do not know: "whoever"/);
  });

  test('has each address once', () => {
    const all = ROUTES.map(({ method, path }) => `${method} ${path}`);
    assert.equal(new Set(all).size, all.length);
  });
});

/** Tries every route of the table in a caller's name. */
async function everywhere({ world, cast, fill }: Scene, name: keyof Cast): Promise<void> {
  const caller = cast[name];
  const wrong: string[] = [];
  await unchanged(world, async () => {
    for (const route of ROUTES) {
      const path = fill(route.path);
      const answer = expected(route, caller);
      if (answer === 'admitted' && RECORDED.includes(route.path)) continue;
      restore(caller);
      const page = await (route.method === 'GET'
        ? caller.browser.get(path)
        : caller.browser.post(path, answer === 'admitted' ? PROBE : harm(route, caller)));
      const found = answerOf(route, path, page);
      if (found !== answer)
        wrong.push(`${route.method} ${path} (${route.who}): ${found} ${page.status}, not ${answer}`);
      if (page.location !== null && !/^\/[a-z]/.test(page.location)) wrong.push(`${path} leads to ${page.location}`);
    }
  });
  assert.deepEqual(wrong, []);
}

/** The rows of the team page's table of permissions: what it is, and Yes or No for owner, admin, support, auditor. */
function tableOf(page: string): Map<string, string[]> {
  const [, table = ''] = /id="permissions"([\s\S]*?)<\/table>/.exec(page) ?? [];
  const rows = [...table.matchAll(/<th scope="row">([\s\S]*?)<\/th>([\s\S]*?)<\/tr>/g)];
  return new Map(
    rows.map(([, what = '', cells = '']) => [
      what.trim().replaceAll('&#39;', "'"),
      [...cells.matchAll(/>(Yes|No)</g)].map(([, word = '']) => word),
    ]),
  );
}

/** Answers forget cookies; each request begins with those that the caller came with. */
const cookiesOf = new Map<Caller, readonly (readonly [string, string])[]>();

function restore(caller: Caller): void {
  caller.browser.cookies.clear();
  for (const [name, value] of cookiesOf.get(caller) ?? []) caller.browser.cookies.set(name, value);
}

function keep(caller: Caller): Caller {
  cookiesOf.set(caller, [...caller.browser.cookies]);
  return caller;
}

async function everybody(engine: Engine): Promise<Scene> {
  const world = await openWorld(engine);
  const ours = await stage(world);
  const others = await acme(world.installation, 'rival');
  await setPolicy(world.installation, others.organization, 'required');
  const cast = await castOf(world, ours, others);
  const fill = await namesOf(world, ours, cast['Ada, the owner'].browser);
  return { world, cast, fill };
}

async function castOf(world: World, { people, guest }: Stage, others: Acme): Promise<Cast> {
  const { installation } = world;
  const { organization } = people;
  const away = async (person: Acme['maria']): Promise<Guest> =>
    new Guest(world, person, others.organization.slug, await world.visitor({ address: ownAddress() }));
  const at = (one: Guest, is: Standing, more: Partial<Caller> = {}): Caller =>
    keep({ browser: one.browser, is, at: one.person.surface, ...more });
  const maria = await inside(await enrolled(await guest(people.maria)));
  await takePasskeys(world, people.organization, 'second-factor');
  await addsPasskey(maria, new Authenticator(world.publicUrl));
  const ada = await inside(await enrolled(await guest(people.ada)));
  const sam = await inside(await enrolled(await guest(people.sam)));
  const otto = await inside(await enrolled(await guest(people.otto)));
  const abe = await inside(
    await enrolled(await guest(await addStaff(installation, organization, 'Abe Adler', 'admin'))),
  );
  const adaByCode = await halfway(ada);
  await adaByCode.backupCode(ada.codes[0] ?? '');
  const noor = await guest(people.noor);
  await noor.password();
  await noor.configures();
  const nils = await guest(await addStaff(installation, organization, 'Nils Novak', 'admin'));
  await nils.password();
  await nils.configures();
  const eve = await guest(people.eve);
  await eve.enables();
  const otherMaria = await inside(await enrolled(await away(others.maria)));
  const otherAda = await inside(await enrolled(await away(others.ada)));
  const otherNoor = await away(others.noor);
  await otherNoor.password();
  await otherNoor.configures();
  const [mariaHalf, samHalf, otherMariaHalf] = [await halfway(maria), await halfway(sam), await halfway(otherMaria)];
  world.clock.advance(30_000);
  const worn = async (one: Guest, from: RegExp, to: string, value = (v: string) => v): Promise<Caller> => {
    const [, cookie] = [...one.browser.cookies].find(([name]) => from.test(name)) ?? [];
    assert.ok(cookie, `no cookie like ${from}`);
    const browser = await world.visitor({ address: ownAddress() });
    browser.cookies.set(`__Host-sallyport${to}`, value(cookie));
    return keep({ browser, is: 'nobody', at: one.person.surface });
  };
  return {
    'a stranger': keep({ browser: await world.visitor(), is: 'nobody', at: 'portal' }),
    'Maria, who owes a code': at(mariaHalf, 'half'),
    'Sam, who owes a code': at(samHalf, 'half'),
    'Noor, who is setting up MFA': at(noor, 'enrolling', { code: world.codeFor(noor.secret) }),
    'Eve, whose backup codes are on the screen': at(eve, 'enrolling', { code: world.codeFor(eve.secret) }),
    'Nils, who is setting up MFA as new staff': at(nils, 'enrolling', { code: world.codeFor(nils.secret) }),
    'Maria, signed in': at(maria, 'contact', { code: world.codeFor(maria.secret) }),
    'Ada, the owner': at(ada, 'owner'),
    'Abe, an admin': at(abe, 'admin'),
    'Sam, in support': at(sam, 'support'),
    'Otto, the auditor': at(otto, 'auditor'),
    'Ada, who came in by a backup code': at(adaByCode, 'owner', { byBackupCode: true }),
    'Maria of another merchant, signed in': at(otherMaria, 'nobody'),
    'Maria of another merchant, who owes a code': at(otherMariaHalf, 'nobody', {
      code: world.codeFor(otherMaria.secret),
    }),
    'Noor of another merchant, who is setting up MFA': at(otherNoor, 'nobody', {
      code: world.codeFor(otherNoor.secret),
    }),
    'Ada, the owner at another merchant': at(otherAda, 'owner', { foreign: true }),
    "Maria, with her session in the console's cookie": await worn(maria, /sallyport$/, '-admin'),
    "Ada, with her session in the portal's cookie": await worn(ada, /sallyport-admin$/, ''),
    'Maria, with her half-signed-in cookie as a session': await worn(mariaHalf, /challenge$/, ''),
    'Maria, with her session as a half-signed-in cookie': await worn(maria, /sallyport$/, '-challenge'),
    'Sam, with his half-signed-in cookie as a session': await worn(samHalf, /challenge$/, '-admin'),
    "Maria, with another merchant's id before her token": await worn(maria, /sallyport$/, '', (cookie) =>
      cookie.replace(/^[^.]*/, others.organization.id),
    ),
  };
}

async function enrolled(one: Guest): Promise<Guest> {
  await one.enrols();
  return one;
}

async function inside(one: Guest): Promise<Guest> {
  await one.signsIn();
  return one;
}

async function halfway(one: Guest): Promise<Guest> {
  const other = await one.elsewhere();
  await other.password();
  return other;
}

/** Puts real names where a path has parameters: Maria of Globex, at Acme, with links that work. */
async function namesOf(world: World, { people }: Stage, ada: Visitor): Promise<(path: string) => string> {
  const { globex, organization } = people;
  const draft = { name: 'Ida Invited', email: 'ida@globex.test', phone: null };
  const made = await createContact(world.installation, OPERATOR, organization.id, globex.id, draft);
  assert.ok(made.kind === 'saved');
  const page = await ada.post(`/admin/customers/${globex.id}/contacts/${made.id}/welcome-link`);
  const [, token = ''] = /\/welcome\/([\w-]{43})</.exec(page.text) ?? [];
  assert.ok(token, 'no welcome link was made');
  const invited = { name: 'Iva Invited', email: 'iva@acme.test', role: 'auditor' };
  const [invitation = ''] =
    /\/admin\/welcome\/[\w.-]+/.exec((await ada.post('/admin/team/invite', invited)).text) ?? [];
  assert.ok(invitation, 'nobody was invited');
  const iva = await findAccountByEmail(world.db, organization.id, 'staff', invited.email);
  const links: Record<string, string> = {
    '/admin/welcome/:token': invitation,
    '/portal/:slug/confirm-enrolment/:token': await anyLink(world, people.noor),
  };
  const names: Record<string, string> = {
    ':member': iva?.id ?? '',
    ':slug': organization.slug,
    ':customer': globex.id,
    ':contact': people.maria.id,
    ':token': token,
    ':job': await waitingJob(world.installation, organization),
    ':import': await waitingImport(world.installation, organization),
    ':selection': await markedContacts(world.installation, people.maria, people.noor),
    ':request': (await requestOf(world, await enrolledContact(world, people, 'Rosa Ruiz'))).id,
    ':session': (await world.rows('sessions')).find((row) => row['account_id'] === people.maria.id)?.['id'] as string,
    ':authenticator': (await activeApps(world.db, people.maria))[0]?.id ?? '',
    ':passkey': (await world.rows('passkeys'))[0]?.['id'] as string,
    eve: people.eve.id,
    initech: people.initech.id,
  };
  return (path) =>
    links[path] ??
    path
      .split('/')
      .map((part) => names[part] ?? part)
      .join('/');
}
