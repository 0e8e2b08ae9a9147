import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../../src/app.ts';
import { everyPost, lay, type Post, type Siege } from '../attacks/siege.ts';
import { sql } from '../../src/db/db.ts';
import { eachEngine, HOUR_MS, MINUTE_MS, type Engine } from '../world.ts';
import { confirmed, inside, SIGN_IN, unchanged } from './front-door.ts';

const CUSTOMER = '/admin/customers/:customer';
const CONTACT = `${CUSTOMER}/contacts/:contact`;
const GENERAL = '/admin/settings/customer-portal/general';
const RECOVERY = '/admin/recovery/:request';
const MEMBER = '/admin/team/:member';

interface Act {
  /** The action of the one audit row that it leaves. */
  readonly leaves: string;
  /** The highest role that may not. */
  readonly notFor: 'support' | 'auditor';
  /** What its page says that it will do, and to how many. */
  readonly says?: RegExp;
  /** What has to be filled in otherwise than `siege` does for it to take something. */
  readonly otherwise?: Readonly<Record<string, string>>;
}

/** Everything at the console that takes something from somebody, or hands out what would. */
const DESTRUCTIVE: Record<string, Act> = {
  [GENERAL]: {
    leaves: 'policy.changed',
    notFor: 'support',
    says: /\d+ contacts?|nobody new is asked/,
    otherwise: { mfa: '' },
  },
  [SIGN_IN]: { leaves: 'settings.changed', notFor: 'support', says: /\d+ devices? skips? the code|No device skips/ },
  [`${GENERAL}/sign-everyone-out`]: { leaves: 'sessions.ended', notFor: 'support', says: /\d+ contacts?|Nobody/ },
  [`${GENERAL}/reset-everybody`]: { leaves: 'job.started', notFor: 'support', says: /Type \d+ to confirm/ },
  '/admin/customers/many/:selection': { leaves: 'job.started', notFor: 'support', says: /Type \d+ to confirm/ },
  '/admin/customers/import/:import': { leaves: 'job.started', notFor: 'support', says: /\d+ new · \d+ changed/ },
  [`${CUSTOMER}/delete`]: { leaves: 'customer.deleted', notFor: 'support', says: /\d+ documents? (is|are) deleted/ },
  [`${CONTACT}/delete`]: { leaves: 'contact.deleted', notFor: 'support', says: /signed (in|out)/i },
  [`${CONTACT}/move`]: { leaves: 'contact.moved', notFor: 'support', says: /signed out|Search/ },
  [`${CONTACT}/exempt`]: { leaves: 'exemption.granted', notFor: 'support', says: /1 to 365|365/ },
  [`${CONTACT}/exempt/end`]: { leaves: 'exemption.ended', notFor: 'support' },
  [`${CONTACT}/reset-mfa`]: { leaves: 'mfa.reset', notFor: 'auditor', says: /signed (out|in)/ },
  [`${CONTACT}/sign-in-code`]: { leaves: 'sign-in-code.made', notFor: 'auditor', says: /signed out/ },
  [`${RECOVERY}/approve`]: { leaves: 'recovery.approved', notFor: 'auditor', says: /signed out/ },
  [`${RECOVERY}/refuse`]: { leaves: 'recovery.refused', notFor: 'auditor' },
  [`${CONTACT}/disable`]: {
    leaves: 'portal-access.disabled',
    notFor: 'auditor',
    says: /in \d+ browsers?|not signed in anywhere/,
  },
  [`${CONTACT}/sign-out`]: { leaves: 'sessions.ended', notFor: 'auditor', says: /\d+ browsers?|nowhere/ },
  [`${MEMBER}/role`]: { leaves: 'staff.role-changed', notFor: 'support', says: /signed (out|in)/ },
  [`${MEMBER}/reset-mfa`]: { leaves: 'mfa.reset', notFor: 'support', says: /signed (out|in)/ },
  [`${MEMBER}/sign-out`]: {
    leaves: 'staff.signed-out',
    notFor: 'support',
    says: /signed in nowhere|not signed in|signed (in|out)/i,
  },
  [`${MEMBER}/remove`]: { leaves: 'staff.removed', notFor: 'support', says: /sign(ed)? (in|out)/i },
  '/admin/jobs/:job/resume': { leaves: 'job.started', notFor: 'support', says: /\d+ parts? done/ },
  '/admin/team/invite': { leaves: 'staff.created', notFor: 'support' },
  [`${MEMBER}/invitation-link`]: { leaves: 'welcome-link.made', notFor: 'support' },
};

/** Forms of the console that take nothing from anybody, each with the reason. */
const HARMLESS: Record<string, string> = {
  '/admin/settings/customer-portal/branding': 'looks alone, and what was there is in the log',
  '/admin/settings/email/test': 'a letter to oneself, ten an hour',
  '/admin/confirm': 'does again what was sent before, by its own rules',
  '/admin/audit/export': 'the auditor’s own work, recorded',
  '/admin/customers/export': 'no secrets, recorded, and for owners and admins alone',
  '/admin/customers/new': 'adds',
  '/admin/customers/many': 'only keeps the selection that its page then asks about',
  '/admin/customers/import': 'keeps a file to look at; nothing is saved',
  '/admin/customers/import/:import/columns': 'changes how the file is read',
  '/admin/customers/import/:import/discard': 'throws one’s own upload away',
  '/admin/customers/import-documents': 'adds and updates documents by their number',
  [`${CUSTOMER}/edit`]: 'a name',
  [`${CUSTOMER}/contacts/new`]: 'adds',
  [`${CONTACT}/edit`]: 'asks for a proof where the email changes: customers.test.ts',
  [`${CONTACT}/enable`]: 'gives',
  [`${CONTACT}/unlock`]: 'gives; asks for a proof where it removes a stolen password, below',
  [`${CONTACT}/invitation`]: 'gives, to the address on file',
  [`${CONTACT}/welcome-link`]: 'only for who has no password yet',
  [`${CONTACT}/remind`]: 'sends one letter a day at most, to the address on file',
  [`${CONTACT}/setup-code`]: 'opens nothing without the password; asks for a proof at /confirm: confirming.test.ts',
  [`${CONTACT}/sessions/:session/end`]: 'one browser, which signs in again',
  [`${CONTACT}/devices/:device/remove`]: 'one browser, which is asked for a code again',
  '/admin/jobs/:job/stop': 'what is done stays done, and it can go on',
};

eachEngine('every act that takes something from somebody', (engine) => {
  test('is known: a form that is new says whether it is one', () => {
    const ours = ROUTES.filter(
      ({ method, path, who }) => method === 'POST' && path.startsWith('/admin/') && who.startsWith('staff'),
    );
    assert.deepEqual(
      ours.map(({ path }) => path).toSorted(),
      [...Object.keys(DESTRUCTIVE), ...Object.keys(HARMLESS)].toSorted(),
    );
  });

  test('says what it will do; with an old proof it changes nothing until /confirm is answered, and then once', async () => {
    await using siege = await besieged(engine);
    for (const { post, act } of actsOf(siege)) {
      post.world.clock.advance(11 * MINUTE_MS);
      await post.world.change(sql`UPDATE sessions SET last_used_at = ${post.world.clock.now} WHERE id = 'hers'`);
      const page = await post.browser.get(pageOf(post));
      assert.equal(page.status, 200, post.name);
      if (act.says) assert.match(page.text, act.says, post.name);
      const by = post.by ?? siege.ada;
      const before = await actionsIn(post, act.leaves);
      const asked = await unchanged(post.world, () => post.browser.post(post.path, { ...post.fields }));
      const confirm = await unchanged(post.world, () => post.browser.get(asked.location ?? ''));
      assert.equal(confirm.h1, "Confirm it's you", post.name);
      assert.match(confirm.text, /You&#39;re about to [a-z]/, post.name);
      for (const wrong of [{ code: by.wrongCode() }, { password: 'not hers' }]) {
        assert.equal((await confirmed(by, asked, wrong)).status, 422, post.name);
        assert.equal(await actionsIn(post, act.leaves), before, post.name);
      }
      const { status, text } = await confirmed(by, asked);
      assert.ok([200, 303].includes(status), `${post.name}: ${status} ${text}`);
      assert.equal((await actionsIn(post, act.leaves)) - before, 1, post.name);
      const again = await confirmed(by, asked);
      assert.equal(again.h1, 'Nothing is waiting here', post.name);
      assert.equal((await actionsIn(post, act.leaves)) - before, 1, post.name);
    }
  });

  test('is no act of a role below', async () => {
    await using siege = await besieged(engine);
    const { people, guest } = siege;
    // Every other role below is in routes.test.ts.
    const below = { support: await inside(guest(people.sam)), auditor: await inside(guest(people.otto)) };
    for (const { post, act } of actsOf(siege).filter((one) => one.post.world === siege.world)) {
      const { browser } = below[act.notFor];
      await unchanged(siege.world, async () => {
        assert.equal((await browser.post(post.path, { ...post.fields })).status, 403, `${act.notFor}: ${post.name}`);
      });
    }
  });

  test('is asked about, too, where Unlock removes a password that may be stolen', async () => {
    await using siege = await lay(engine);
    const { world, people, ada } = siege;
    const path = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/unlock`;
    await world.change(sql`UPDATE accounts SET suspected_at = 1 WHERE id = ${people.maria.id}`);
    world.clock.advance(11 * MINUTE_MS);
    const asked = await unchanged(world, () => ada.browser.post(path));
    assert.match(
      (await ada.browser.get(asked.location ?? '')).text,
      /unlock Maria Silva, which removes their password\./,
    );
    assert.equal((await confirmed(ada, asked)).status, 303);
    assert.equal((await world.account(people.maria)).passwordSetAt, null);
  });

  test('leaves one row of its own in the audit log', async () => {
    await using siege = await besieged(engine);
    for (const { post, act } of actsOf(siege)) {
      const before = await actionsIn(post, act.leaves);
      const { status, text } = await post.browser.post(post.path, { ...post.fields });
      assert.ok([200, 303].includes(status), `${post.name}: ${status} ${text}`);
      assert.equal((await actionsIn(post, act.leaves)) - before, 1, post.name);
    }
  });
});

/** Acme with somebody at every form, and Noor, whom one of them signs out, signed in somewhere. */
async function besieged(engine: Engine): Promise<Siege> {
  const siege = await lay(engine);
  const { world, people } = siege;
  const { now } = world.clock;
  await world.change(sql`INSERT INTO sessions (organization_id, id, account_id, surface, token_hash, epoch, session_epoch,
      factor, signed_in_at, last_used_at, expires_at, address, user_agent)
    SELECT a.organization_id, 'hers', a.id, 'portal', 'hers', a.epoch, o.session_epoch, 'password', ${now}, ${now},
      ${now + 100 * HOUR_MS}, '192.0.2.7', '' FROM accounts a JOIN organizations o ON o.id = a.organization_id
    WHERE a.id = ${people.noor.id}`);
  return siege;
}

function actsOf(siege: Siege): { post: Post; act: Act }[] {
  return everyPost(siege).flatMap((post) => {
    const act = DESTRUCTIVE[post.name.replace('POST ', '')];
    return act ? [{ post: { ...post, fields: { ...post.fields, ...act.otherwise } }, act }] : [];
  });
}

/** Where an act is asked about: some stand on the page of what they are about. */
function pageOf({ path }: Post): string {
  return path.replace(/\/exempt\/end$/, '/exempt').replace(/\/(resume|approve|refuse)$/, '');
}

async function actionsIn({ world }: Post, action: string): Promise<number> {
  return (await world.rows('audit_rows')).filter((row) => row['action'] === action).length;
}
