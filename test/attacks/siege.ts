import assert from 'node:assert/strict';
import { findAccountByEmail } from '../../src/accounts/accounts.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { createContact } from '../../src/accounts/contacts.ts';
import { createCustomer } from '../../src/accounts/customers.ts';
import { makeMailedLink, type Purpose } from '../../src/accounts/mailed-links.ts';
import { ROUTES } from '../../src/app.ts';
import { hashToken } from '../../src/crypto/tokens.ts';
import { activeApps } from '../../src/auth/authenticators.ts';
import { offerSetup } from '../../src/auth/setup.ts';
import { sql } from '../../src/db/db.ts';
import { FIELDS } from '../../src/import/columns.ts';
import type { Route } from '../../src/web/routes.ts';
import {
  addContact,
  addStaff,
  enrol,
  markedContacts,
  waitingImport,
  waitingJob,
  type Acme,
  type Person,
} from '../acme.ts';
import { addsPasskey, Authenticator, optionsAt, takePasskeys } from '../authenticator.ts';
import { asks, enrolledContact, requestOf } from '../help.ts';
import { BRANDING, GENERAL, SIGN_IN, stage, type Guest, type Stage } from '../surface/front-door.ts';
import type { Page, Visitor } from '../visitor.ts';
import { anyLink, codeFromStaff, confirming, confirmingStage, mailedLink, proves } from '../confirmation.ts';
import { MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';
import { ownPosts, turningOff } from './siege-own.ts';

/** One POST route at the moment at which its own form does what it is there for. */
export interface Post {
  /** As `ROUTES` has it: method and pattern. */
  readonly name: string;
  readonly world: World;
  /** Whose form it is: the browser with the cookies that the route asks for. */
  readonly browser: Visitor;
  /** Who sends it at the console, where it is not this siege's own Ada. */
  readonly by?: Guest;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  /** What the form sends beside its fields, for one that takes a file. */
  readonly file?: { readonly field: string; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> };
}

/** Acme with somebody at every form of the product and behind every guard, none of whom needs what another one has. */
export interface Siege extends AsyncDisposable {
  readonly world: World;
  readonly people: Acme;
  readonly guest: Stage['guest'];
  readonly ada: Guest;
  /** Maria, signed in; and at another browser, where she owes a code. */
  readonly maria: Guest;
  readonly half: Guest;
  /** Noor, who is looking at her QR code. */
  readonly noor: Guest;
  readonly posts: readonly Post[];
  /** Puts real names where a path has parameters. */
  readonly fill: (path: string) => string;
}

export const FORM = 'application/x-www-form-urlencoded';

/** How `ROUTES` names a route. */
export function nameOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

/** Sends a form as it should be sent. */
export function sendPost({ browser, path, fields, file }: Post): Promise<Page> {
  return file ? browser.upload(path, fields, file) : browser.post(path, fields);
}

/** That the form would have been taken: what was refused before was refused for how it was sent. */
export async function takes(post: Post): Promise<void> {
  const { status, text } = await sendPost(post);
  assert.ok([200, 303].includes(status), `${post.name} is not taken as it should be: ${status} ${text}`);
}

export async function lay(engine: Engine): Promise<Siege> {
  const world = await openWorld(engine, { mailIsOn: true });
  const { people, guest } = await stage(world);
  const ada = await enrolled(await guest(people.ada));
  const maria = await enrolled(await guest(people.maria));
  await ada.signsIn();
  await maria.signsIn();
  world.clock.advance(MINUTE_MS);
  const half = await maria.elsewhere();
  await half.password();
  const noor = await guest(people.noor);
  await noor.password();
  await noor.configures();
  const link = await invite(world, people, 'Iris Invited');
  const made = await ada.browser.post(`/admin/customers/${people.globex.id}/contacts/${link}/welcome-link`);
  const token = /\/welcome\/([\w-]{43})/.exec(made.text)?.[1] ?? '';
  const otti = await inviteStaff(ada, 'Otti Invited');
  const everybody = await everybodyPosts(engine);
  const empty = await setupPost();
  const names: Record<string, string> = {
    ':slug': people.organization.slug,
    ':customer': people.globex.id,
    ':contact': people.maria.id,
    ':member': people.otto.id,
    ':token': token,
    ':job': await waitingJob(world.installation, people.organization),
    ':import': await waitingImport(world.installation, people.organization),
    ':selection': await markedContacts(world.installation, people.maria, people.noor),
    ':session': 'none',
    ':passkey': 'none',
    ':device': 'none',
    ':request': (await requestOf(world, await enrolledContact(world, people, 'Rosa Ruiz'))).id,
    ':authenticator': (await activeApps(world.db, people.maria))[0]?.id ?? '',
  };
  const links: Record<string, string> = { [INVITATION]: otti, [CONFIRMING]: await anyLink(world, people.noor) };
  const fill = (path: string): string =>
    links[path] ??
    path
      .split('/')
      .map((part) => names[part] ?? part)
      .join('/');
  const welcome = {
    name: 'POST /portal/:slug/welcome/:token',
    world,
    browser: await world.visitor(),
    path: fill('/portal/:slug/welcome/:token'),
    fields: { email: 'iris@globex.test', password: 'seven quiet llamas knit' },
  };
  const invitation = {
    ...welcome,
    name: `POST ${INVITATION}`,
    browser: await world.visitor(),
    path: otti,
    fields: { email: 'otti@acme.test', password: 'seven quiet llamas knit' },
  };
  // All this takes its time, and her acts want a proof that is fresh.
  await ada.signsIn();
  const around = await postsRoundTheCeremony(world, people, guest);
  const confirmed = await confirmingPosts(engine);
  const own = await ownPosts(world, async () => guest(await newcomer(world, people, 'portal')));
  const off = await turningOff(engine);
  const inside = [...(await mailedLinkPosts(world, people)), ...(await ownAccountPosts(world, people, guest)), ...own];
  await ada.signsIn();
  const atConsole = await consolePosts(world, people, ada);
  const others = [
    // The codes that these send are those of now.
    welcome,
    invitation,
    ...around,
    ...inside,
    off,
    ...atConsole,
    ...everybody,
    ...confirmed,
    empty,
  ];
  // Last of all, since a sign-in lasts ten minutes, and what a passkey answers five.
  const doors = [
    await doorPosts(world, people, guest, 'portal'),
    await doorPosts(world, people, guest, 'admin'),
  ].flat();
  const help = await helpPosts(world, people, guest, ada);
  world.clock.advance(MINUTE_MS);
  const passkeys = await passkeyPosts(world, people, guest);
  const posts = [...doors.map((door) => door()), ...help, ...passkeys, ...others];
  return {
    world,
    people,
    guest,
    ada,
    maria,
    half,
    noor,
    posts,
    fill,
    [Symbol.asyncDispose]: async () => {
      await world.close();
      await everybody[0]?.world.close();
      await confirmed[0]?.world.close();
      await empty.world.close();
      await off.world.close();
    },
  };
}

async function enrolled(one: Guest): Promise<Guest> {
  await one.enrols();
  return one;
}

let newcomers = 0;

function newcomer({ installation }: World, people: Acme, surface: Person['surface']): Promise<Person> {
  const name = `Somebody${newcomers++} Else`;
  return surface === 'portal'
    ? addContact(installation, people.globex, name)
    : addStaff(installation, people.organization, name, 'admin');
}

/** How far somebody is brought for each form of a door, and what they then send. */
const AT_THE_DOOR: Record<string, (one: Guest) => Promise<() => Record<string, string>>> = {
  'sign-in':
    async ({ person }) =>
    () => ({ email: person.email, password: person.password }),
  'sign-out': async (one) => {
    await one.enrols();
    await one.signsIn();
    return () => ({});
  },
  confirm: async (one) => {
    await one.enrols();
    await one.signsIn();
    return () => ({ password: one.person.password, code: one.world.codeFor(one.secret) });
  },
  verify: async (one) => {
    await one.enrols();
    await one.password();
    return () => ({ code: one.world.codeFor(one.secret) });
  },
  'verify/backup-code': async (one) => {
    await one.enrols();
    await one.password();
    return () => ({ code: one.codes[0] ?? '' });
  },
  'enable-mfa': async (one) => {
    await one.password();
    return () => ({});
  },
  'enable-mfa/verify': async (one) => {
    await one.password();
    await one.configures();
    return () => ({ code: one.world.codeFor(one.secret) });
  },
  'enable-mfa/enable': async (one) => {
    await one.password();
    await one.configures();
    await one.verifies();
    return () => ({});
  },
  'enable-mfa/backup-codes': async (one) => {
    await one.password();
    await one.configures();
    await one.verifies();
    await one.browser.post(`${one.door}/enable-mfa/enable`);
    return () => ({});
  },
  'enable-mfa/backup-codes/download': async (one) => {
    await one.enables();
    return () => ({});
  },
  'enable-mfa/done': async (one) => {
    await one.enables();
    return () => ({});
  },
};

async function doorPosts(
  world: World,
  people: Acme,
  guest: Stage['guest'],
  surface: Person['surface'],
): Promise<(() => Post)[]> {
  const base = surface === 'admin' ? '/admin' : '/portal/:slug';
  const seats: (() => Post)[] = [];
  for (const [page, bring] of Object.entries(AT_THE_DOOR)) {
    const one = await guest(await newcomer(world, people, surface));
    const fields = await bring(one);
    const { browser, door } = one;
    seats.push(() => ({
      name: `POST ${base}/${page}`,
      world,
      browser,
      path: `${door}/${page}`,
      fields: fields(),
    }));
  }
  return seats;
}

// Somebody who may put MFA off, and somebody inside who has not set it up: as if there were a grace for them alone.
async function postsRoundTheCeremony(world: World, people: Acme, guest: Stage['guest']): Promise<Post[]> {
  const exempts = async ({ person }: Guest): Promise<unknown> =>
    world.change(sql`UPDATE accounts SET exempt_until = ${world.clock.now + 60 * MINUTE_MS} WHERE id = ${person.id}`);
  const late = await guest(await newcomer(world, people, 'portal'));
  await late.password();
  await exempts(late);
  await world.change(sql`UPDATE challenges SET later_until = expires_at WHERE account_id = ${late.person.id}`);
  const inside = await guest(await newcomer(world, people, 'portal'));
  await exempts(inside);
  await inside.password();
  const post = (one: Guest, page: string, fields: Record<string, string>): Post => ({
    name: `POST /portal/:slug/${page}`,
    world,
    browser: one.browser,
    path: `${one.door}/${page}`,
    fields,
  });
  return [
    post(late, 'enable-mfa/later', {}),
    post(inside, 'security/enable-mfa', { password: inside.person.password }),
    {
      ...post(inside, 'security/devices/:device/remove', {}),
      path: `${inside.door}/security/devices/none/remove`,
    },
  ];
}

// Somebody with a passkey at every place where one is asked for, and somebody with one to take away.
async function passkeyPosts(world: World, people: Acme, guest: Stage['guest']): Promise<Post[]> {
  await takePasskeys(world, people.organization, 'sign-in');
  const device = new Authenticator(world.publicUrl);
  const one = await enrolled(await guest(await newcomer(world, people, 'portal')));
  await one.signsIn();
  const passkey = await addsPasskey(one, device);
  const half = await one.elsewhere();
  await half.password();
  const atDoor = await one.elsewhere();
  const other = await enrolled(await guest(await newcomer(world, people, 'portal')));
  await other.signsIn();
  const gone = await addsPasskey(other, new Authenticator(world.publicUrl));
  const post = ({ browser, door }: Guest, page: string, fields: Record<string, string>, id = ''): Post => ({
    name: `POST /portal/:slug/${page}`,
    world,
    browser,
    path: `${door}/${page.replace(':passkey', id)}`,
    fields,
  });
  const answers = async ({ browser, door }: Guest, page: string): Promise<string> =>
    device.use(await optionsAt(browser, `${door}/${page}-options`));
  const own = 'security/passkeys';
  const made = new Authenticator(world.publicUrl).make(await optionsAt(one.browser, `${one.door}/${own}/add/options`));
  return [
    post(await one.elsewhere(), 'sign-in/passkey-options', {}),
    post(atDoor, 'sign-in/passkey', { response: await answers(atDoor, 'sign-in/passkey') }),
    post(half, 'verify/passkey-options', {}),
    post(half, 'verify/passkey', { response: await answers(half, 'verify/passkey') }),
    post(one, 'confirm/passkey-options', {}),
    post(one, `${own}/add/options`, {}),
    post(one, `${own}/add`, { name: 'My phone', response: made }),
    post(one, `${own}/:passkey/rename`, { name: 'Old laptop' }, passkey),
    post(one, 'confirm/passkey', { form: '', response: await answers(one, 'confirm/passkey') }),
    post(other, `${own}/:passkey/remove`, {}, gone),
  ];
}

// Each link is somebody's own, as they would have it from a letter.
async function mailedLinkPosts(world: World, people: Acme): Promise<Post[]> {
  const post = async (page: string, fields: Record<string, string>): Promise<Post> => ({
    name: `POST /portal/:slug/${page}`,
    world,
    browser: await world.visitor(),
    path: `/portal/${people.organization.slug}/${page}`,
    fields,
  });
  const byLink = async (purpose: Purpose, fields: Record<string, string>, to?: string): Promise<Post> => {
    const one = await newcomer(world, people, 'portal');
    const token = await world.db.transaction((tx) => makeMailedLink(tx, world.installation, purpose, one, to));
    const { path, ...rest } = await post(`${purpose}/:token`, fields);
    return { ...rest, path: path.replace(':token', token ?? '') };
  };
  return [
    await post('forgot-password', { email: people.eve.email }),
    await byLink('new-password', { email: '', password: 'seven quiet llamas knit' }),
    await byLink('confirm-email', {}, 'another@globex.test'),
    await byLink('not-me', {}),
  ];
}

// What somebody does to their own account, who has just proven who they are.
async function ownAccountPosts(world: World, people: Acme, guest: Stage['guest']): Promise<Post[]> {
  const post = async (page: string, fields: Record<string, string>): Promise<Post> => {
    const one = await guest(await newcomer(world, people, 'portal'));
    await one.enrols();
    await one.signsIn();
    const [name, path] = [`POST /portal/:slug/security/${page}`, `${one.door}/security/${page}`];
    return { name, world, browser: one.browser, path, fields };
  };
  return [
    await post('password', { email: '', password: 'seven quiet llamas knit' }),
    await post('email', { email: 'elsewhere@globex.test' }),
    await post('not-me', {}),
  ];
}

// Whoever asks for help, and whoever helps: a request to send, one to cancel at the door and one by its link, a code that
// was read out, and two requests whose wait is over.
async function helpPosts(world: World, people: Acme, guest: Stage['guest'], ada: Guest): Promise<Post[]> {
  const half = async (): Promise<Guest> => {
    const one = await guest(await newcomer(world, people, 'portal'));
    // By no browser, so that no time passes.
    await enrol(world.installation, one.person);
    await one.password();
    return one;
  };
  const post = (browser: Visitor, name: string, path: string, fields: Record<string, string>): Post => ({
    name: `POST ${name}`,
    world,
    browser,
    path,
    fields,
  });
  const [asking, cancelling, written, helped] = [await half(), await half(), await half(), await half()];
  for (const { person } of [cancelling, written]) await asks(world, person);
  const token = 'c'.repeat(43);
  await world.change(
    sql`UPDATE recovery_requests SET cancel_hash = ${hashToken(token)} WHERE account_id = ${written.person.id}`,
  );
  const gear = `/admin/customers/${people.globex.id}/contacts/${helped.person.id}/sign-in-code`;
  const made = await ada.browser.post(gear, { check: 'met-in-person', note: '' });
  const [, spoken = ''] = /<code class="key" id="code" dir="ltr">([\d ]+)</.exec(made.text) ?? [];
  assert.ok(spoken, made.text);
  const requests = [];
  for (const name of ['Rita Request', 'Rolf Request'])
    requests.push(await requestOf(world, await enrolledContact(world, people, name)));
  for (const { id, accountId } of requests) {
    await world.change(sql`UPDATE recovery_requests SET wait_ends_at = ${world.clock.now} WHERE id = ${id}`);
    await world.change(sql`UPDATE accounts SET help_wait_until = ${world.clock.now} WHERE id = ${accountId}`);
  }
  const [approved, refused] = requests;
  const answer = (act: string, id: string | undefined, fields: Record<string, string>): Post =>
    post(ada.browser, `/admin/recovery/:request/${act}`, `/admin/recovery/${id}/${act}`, fields);
  const toHelp = await enrolledContact(world, people, 'Ruth Read');
  return [
    post(asking.browser, '/portal/:slug/verify/ask-for-help', `${asking.door}/verify/ask-for-help`, {
      why: 'lost-phone',
      story: '',
      phone: '',
    }),
    post(
      cancelling.browser,
      '/portal/:slug/verify/ask-for-help/cancel',
      `${cancelling.door}/verify/ask-for-help/cancel`,
      {},
    ),
    post(await world.visitor(), '/portal/:slug/cancel-request/:token', `${written.door}/cancel-request/${token}`, {}),
    post(helped.browser, '/portal/:slug/verify/sign-in-code', `${helped.door}/verify/sign-in-code`, { code: spoken }),
    post(
      ada.browser,
      '/admin/customers/:customer/contacts/:contact/sign-in-code',
      `/admin/customers/${people.globex.id}/contacts/${toHelp.id}/sign-in-code`,
      { check: 'met-in-person', note: '' },
    ),
    answer('approve', approved?.id, { check: 'met-in-person', note: '' }),
    answer('refuse', refused?.id, { reason: 'we could not reach them' }),
  ];
}

/** Adds a contact who has no password yet; answers the id. */
export async function invite({ installation }: World, people: Acme, name: string): Promise<string> {
  const email = `${name.split(' ')[0]?.toLowerCase()}@globex.test`;
  const draft = { name, email, phone: null };
  const made = await createContact(installation, OPERATOR, people.organization.id, people.globex.id, draft);
  assert.ok(made.kind === 'saved');
  return made.id;
}

const INVITATION = '/admin/welcome/:token';
const CONFIRMING = '/portal/:slug/confirm-enrolment/:token';

/** Invites somebody to the staff by the page; answers the path of the link. */
export async function inviteStaff(ada: Guest, name: string): Promise<string> {
  const email = `${name.split(' ')[0]?.toLowerCase()}@acme.test`;
  const page = await ada.browser.post('/admin/team/invite', { name, email, role: 'auditor' });
  const [path = ''] = /\/admin\/welcome\/[\w.-]+/.exec(page.text) ?? [];
  assert.ok(path, page.text);
  return path;
}

async function consolePosts(world: World, people: Acme, ada: Guest): Promise<Post[]> {
  const target = async (): Promise<string> => (await newcomer(world, people, 'portal')).id;
  const customer = `/admin/customers/${people.globex.id}`;
  const contact = (id: string, act: string): string => `${customer}/contacts/${id}/${act}`;
  const locked = await target();
  // Longer than whoever walks all the forms takes.
  const until = world.clock.now + 24 * 60 * MINUTE_MS;
  await world.change(sql`UPDATE accounts SET totp_wrong = 9, totp_wait_until = ${until} WHERE id = ${locked}`);
  const closed = await target();
  const closing = await createCustomer(world.installation, OPERATOR, people.organization.id, 'Vandelay');
  await ada.browser.post(contact(closed, 'disable'));
  await ada.browser.follow();
  const [waiting, stopped] = [
    await waitingJob(world.installation, people.organization),
    await waitingJob(world.installation, people.organization),
  ];
  await world.change(sql`UPDATE jobs SET state = 'stopped', ended_at = ${world.clock.now} WHERE id = ${stopped}`);
  const exempted = await target();
  await world.change(
    sql`UPDATE accounts SET exempt_until = ${until + 24 * 60 * MINUTE_MS}, exempt_reason = 'on leave' WHERE id = ${exempted}`,
  );
  const [imported, remapped, discarded] = [
    await waitingImport(world.installation, people.organization, 'ike@umbra.test'),
    await waitingImport(world.installation, people.organization),
    await waitingImport(world.installation, people.organization),
  ];
  const bytes = new TextEncoder().encode('email\nisa@umbra.test\n');
  const acts: Act[] = [
    [GENERAL, GENERAL, { policy: 'required', mfa: 'on', name: 'Acme', contactDetails: 'Call' }],
    [
      BRANDING,
      BRANDING,
      { name: 'Acme Bills', accent: '#ffd400', picked: '', removeLogo: '', contactDetails: 'Call', timeZone: 'UTC' },
    ],
    [SIGN_IN, SIGN_IN, { devices: 'on', days: '30', passkeys: 'off', confirmation: '', wait: '24' }],
    [
      '/admin/customers/new',
      '/admin/customers/new',
      { customer: 'Hooli', name: 'Gavin', email: 'gavin@hooli.test', phone: '' },
    ],
    ['/admin/customers/:customer/edit', `${customer}/edit`, { customer: 'Globex Ltd' }],
    [
      '/admin/customers/:customer/contacts/new',
      `${customer}/contacts/new`,
      { name: 'Nina', email: 'nina@globex.test', phone: '' },
    ],
    [
      contactRoute('edit'),
      contact(people.noor.id, 'edit'),
      { name: 'Noor H.', email: people.noor.email, phone: '+1 555 0101' },
    ],
    [contactRoute('reset-mfa'), contact(people.maria.id, 'reset-mfa'), { check: 'met-in-person', note: '' }],
    [
      contactRoute('exempt'),
      contact(await target(), 'exempt'),
      { reason: 'their phone comes next week', until: '2026-12-08' },
    ],
    [contactRoute('exempt/end'), contact(exempted, 'exempt/end'), {}],
    [contactRoute('unlock'), contact(locked, 'unlock'), {}],
    [contactRoute('disable'), contact(await target(), 'disable'), {}],
    [contactRoute('enable'), contact(closed, 'enable'), {}],
    [
      '/admin/customers/import',
      '/admin/customers/import',
      { updates: '' },
      { field: 'file', name: 'people.csv', bytes },
    ],
    ['/admin/customers/import/:import', `/admin/customers/import/${imported}`, { which: 'good' }],
    [
      '/admin/customers/import/:import/columns',
      `/admin/customers/import/${remapped}/columns`,
      Object.fromEntries(FIELDS.map((field) => [field, field === 'email' ? '0' : ''])),
    ],
    ['/admin/customers/import/:import/discard', `/admin/customers/import/${discarded}/discard`, {}],
    ['/admin/customers/export', '/admin/customers/export', { view: '' }],
    [
      '/admin/customers/import-documents',
      '/admin/customers/import-documents',
      {},
      { field: 'file', name: 'invoices.csv', bytes: new TextEncoder().encode(INVOICE) },
    ],
    [contactRoute('sign-out'), contact(people.noor.id, 'sign-out'), {}],
    [contactRoute('sessions/:session/end'), contact(people.noor.id, 'sessions/none/end'), {}],
    [contactRoute('devices/:device/remove'), contact(people.noor.id, 'devices/none/remove'), {}],
    [contactRoute('delete'), contact(await target(), 'delete'), { reason: 'left the company' }],
    [contactRoute('move'), contact(await target(), 'move'), { search: 'initech', target: people.initech.id }],
    ['/admin/customers/:customer/delete', `/admin/customers/${closing.id}/delete`, { reason: 'no customer any more' }],
    ['/admin/customers/many', '/admin/customers/many', { view: '', act: 'sign-out', who1: people.noor.id }],
    [
      '/admin/customers/many/:selection',
      `/admin/customers/many/${await markedContacts(world.installation, people.noor)}`,
      { reason: 'a stolen laptop', number: '1' },
    ],
    ['/admin/audit/export', '/admin/audit/export', { what: 'resets', format: 'csv' }],
    ['/admin/jobs/:job/stop', `/admin/jobs/${waiting}/stop`, {}],
    ['/admin/jobs/:job/resume', `/admin/jobs/${stopped}/resume`, {}],
    [contactRoute('invitation'), contact(await invite(world, people, 'Inge Invited'), 'invitation'), {}],
    [contactRoute('welcome-link'), contact(await invite(world, people, 'Ina Invited'), 'welcome-link'), {}],
  ];
  return [...acts, ...(await teamActs(world, people, ada))].map(([pattern, path, fields, file]) => ({
    name: `POST ${pattern}`,
    world,
    browser: ada.browser,
    path,
    fields,
    ...(file ? { file } : {}),
  }));
}

const INVOICE = `customer name,kind,number,title,date,amount,currency,status
Initech,invoice,INV-9,Nine,2026-11-01,10,EUR,Due
`;

type Act = [pattern: string, path: string, fields: Record<string, string>, file?: Post['file']];

/** The acts on staff, each on somebody of their own. */
async function teamActs(world: World, people: Acme, ada: Guest): Promise<Act[]> {
  const colleague = async (): Promise<Person> => newcomer(world, people, 'admin');
  const enrolledOne = await colleague();
  await enrol(world.installation, enrolledOne);
  await inviteStaff(ada, 'Ike Invited');
  const ike = await findAccountByEmail(world.db, people.organization.id, 'staff', 'ike@acme.test');
  const invited = { name: 'Ivo Invited', email: 'ivo@acme.test', role: 'support' };
  return [
    ['/admin/team/invite', '/admin/team/invite', invited],
    onMember('invitation-link', ike?.id ?? ''),
    onMember('role', (await colleague()).id, { role: 'support' }),
    onMember('reset-mfa', enrolledOne.id, { check: 'met-in-person', note: '' }),
    onMember('sign-out', (await colleague()).id),
    onMember('remove', (await colleague()).id),
  ];
}

function onMember(act: string, id: string, fields = {}): Act {
  return [`/admin/team/:member/${act}`, `/admin/team/${id}/${act}`, fields];
}

function contactRoute(act: string): string {
  return `/admin/customers/:customer/contacts/:contact/${act}`;
}

// What concerns everybody at once must not concern those of the other forms, so it has a world of its own.
async function everybodyPosts(engine: Engine): Promise<Post[]> {
  const world = await openWorld(engine);
  const { people, guest } = await stage(world);
  const ada = await enrolled(await guest(people.ada));
  await enrolled(await guest(people.maria));
  await ada.signsIn();
  const post = (page: string, fields: Record<string, string>): Post => ({
    name: `POST ${GENERAL}/${page}`,
    world,
    browser: ada.browser,
    by: ada,
    path: `${GENERAL}/${page}`,
    fields,
  });
  const email = { ...post('', {}), name: 'POST /admin/settings/email/test', path: '/admin/settings/email/test' };
  return [
    email,
    post('sign-everyone-out', {}),
    post('reset-everybody', { reason: 'we begin anew with other apps', number: '1' }),
  ];
}

// Confirming would hold up everybody else's ceremony, so it has a world of its own, where mail is on.
async function confirmingPosts(engine: Engine): Promise<Post[]> {
  const world = await openWorld(engine, { mailIsOn: true });
  const { people, guest } = await confirmingStage(world);
  const ada = await enrolled(await guest(people.ada));
  const inside = await guest(people.maria);
  await confirming(world, people.organization, 'none');
  await inside.enrols();
  await inside.signsIn();
  await confirming(world, people.organization);
  await ada.signsIn();
  const seated = async (): Promise<Guest> => {
    const one = await guest(await newcomer(world, people, 'portal'));
    await proves(one);
    return one;
  };
  const [byCode, again, byLink] = [await seated(), await seated(), await seated()];
  world.clock.advance(MINUTE_MS);
  const code = await codeFromStaff(ada, byCode.person, people.globex.id);
  const portal = '/portal/:slug';
  const post = ({ browser }: Guest, name: string, path: string, fields = {}): Post => {
    return { name: `POST ${name}`, world, browser, path, fields };
  };
  const link = await mailedLink(world, byLink.person);
  return [
    post(byCode, `${portal}/enable-mfa/confirm`, `${byCode.door}/enable-mfa/confirm`, { code }),
    post(inside, `${portal}/check-app`, `${inside.door}/check-app`, { code: inside.nextCode() }),
    post(ada, contactRoute('remind'), `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/remind`),
    post(again, `${portal}/enable-mfa/confirm/send`, `${again.door}/enable-mfa/confirm/send`),
    post(byLink, `${portal}/confirm-enrolment/:token`, link),
    post(
      ada,
      contactRoute('setup-code'),
      `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/setup-code`,
      { check: 'met-in-person', note: '' },
    ),
  ];
}

// The set-up link works only while nobody owns anything, so it has a world of its own.
async function setupPost(): Promise<Post> {
  const world = await openWorld('sqlite');
  const fields = {
    name: 'Olga Owens',
    email: 'olga@hooli.test',
    password: 'seven quiet llamas knit',
    organization: 'Hooli',
    contactDetails: 'Call us',
    timeZone: 'UTC',
  };
  const path = `/setup/${await offerSetup(world.installation)}`;
  return { name: 'POST /setup/:token', world, browser: await world.visitor(), path, fields };
}

/** The forms of the product, each with its own; a route that takes forms and has none here fails whoever walks them. */
export function everyPost({ posts }: Siege): readonly Post[] {
  const due = ROUTES.filter(({ method }) => method === 'POST').map(nameOf);
  assert.deepEqual(posts.map(({ name }) => name).toSorted(), due.toSorted());
  return posts;
}
