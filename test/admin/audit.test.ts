import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { openWatch } from '../../src/accounts/audit-watch.ts';
import { OPERATOR, record, type Action } from '../../src/accounts/audit.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { sql } from '../../src/db/db.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { acme, setPolicy, type Acme } from '../acme.ts';
import { stage, type Guest, type Stage } from '../surface/front-door.ts';
import type { Page } from '../visitor.ts';
import { DAY_MS, eachEngine, MINUTE_MS, openWorld, type Engine, type World } from '../world.ts';

const AUDIT = '/admin/audit';

interface Reading extends AsyncDisposable {
  readonly world: World;
  readonly people: Acme;
  readonly ada: Guest;
  readonly otto: Guest;
  readonly guest: Stage['guest'];
  /** The sentences of the page with this query. */
  readonly says: (query?: string) => Promise<string[]>;
}

async function reading(engine: Engine): Promise<Reading> {
  const world = await openWorld(engine);
  const { people, guest } = await stage(world);
  const [ada, otto] = [await guest(people.ada), await guest(people.otto)];
  for (const one of [ada, otto]) await one.enrols();
  await ada.signsIn();
  await otto.signsIn();
  return {
    world,
    people,
    ada,
    otto,
    guest,
    says: async (query = '') => sentences(await otto.browser.get(`${AUDIT}${query}`)),
    [Symbol.asyncDispose]: () => world.close(),
  };
}

function sentences({ text, status, h1 }: Page): string[] {
  assert.equal(status, 200, `${status} ${h1}`);
  return [...text.matchAll(/<span class="plain">([\s\S]*?)<\/span>/g)].map(([, html = '']) => plain(html));
}

function plain(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ')
    .trim();
}

async function resetsMaria({ people, ada }: Reading): Promise<void> {
  const path = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
  const page = await ada.browser.post(path, {
    check: 'other',
    note: 'Known from the meeting of May',
  });
  assert.equal(page.status, 303, page.text);
}

async function happens(world: World, organizationId: string, actions: readonly Action[]): Promise<void> {
  for (const action of actions)
    await world.db.transaction((tx) => record(tx, world.installation, { organizationId, actor: OPERATOR, action }));
}

eachEngine('the page of the audit log', (engine) => {
  test('tells in sentences who did what to whom, the newest first', async () => {
    await using log = await reading(engine);
    const { world, people, ada, guest } = log;
    const maria = await guest(people.maria);
    await maria.enrols();
    await maria.password('not hers');
    await maria.password();
    await resetsMaria(log);
    await happens(world, people.organization.id, ['settings.changed']);
    await ada.browser.post(`/admin/customers/${people.globex.id}/edit`, { customer: 'Globex Ltd' });
    assert.deepEqual((await log.says()).slice(0, 6), [
      'Ada Owens renamed the customer Globex Ltd',
      'The operator at the shell changed the settings',
      'Ada Owens reset MFA for maria@globex.test',
      'Maria Silva entered the right password',
      'Somebody entered a wrong password for Maria Silva',
      'Maria Silva made backup codes',
    ]);
    const { text } = log.otto.browser.page;
    assert.match(text, /Reason<\/dt>\s*<dd><bdi>Other: Known from the meeting of May/);
    assert.match(
      text,
      /title="2026-11-24 (09:\d\d):\d\d UTC"\s*>24 November 2026<br \/><time datetime="[^"]*">\1</,
      'the minute that it was',
    );
  });

  test('says somebody who is gone, once a name was erased', async () => {
    await using log = await reading(engine);
    await log.world.change(sql`DELETE FROM audit_names WHERE subject_id = ${log.people.maria.id}`);
    const says = await log.says(`?whom=${log.people.maria.id}`);
    assert.deepEqual(says, [
      'The operator at the shell chose a password for somebody who is gone',
      'The operator at the shell added the contact somebody who is gone',
    ]);
    assert.match(log.otto.browser.page.text, /Only what concerns <bdi>somebody who is gone<\/bdi>/);
  });

  test('is filtered by who, what, whom, customer and address, together too', async () => {
    await using log = await reading(engine);
    const { world, people } = log;
    const eve = await world.visitor({ address: '198.51.100.66' });
    await eve.post('/portal/acme/sign-in', { email: people.maria.email, password: 'a guess' });
    const all = await log.says();
    const only = async (query: string, words: RegExp): Promise<string[]> => {
      const found = await log.says(query);
      assert.ok(found.length > 0 && found.length < all.length, `${query}: ${found.length}`);
      for (const one of found) assert.match(one, words, query);
      return found;
    };
    await only('?who=ada', /^Ada Owens/);
    await only('?who=Owens', /^Ada Owens/);
    await only('?who=ada%40acme', /^Ada Owens/);
    await only(`?who=${people.otto.id}`, /^Otto Lind/);
    await only('?what=team', /to staff/);
    await only('?action=mfa.enabled', /turned MFA on/);
    await only('?whom=noor%40globex.test', /noor@globex\.test/);
    await only(`?whom=${people.noor.id}`, /noor@globex\.test/);
    await only(`?customer=${people.initech.id}`, /Initech|eve@initech\.test/);
    assert.deepEqual(await only('?address=198.51.100.66', /./), ['Somebody entered a wrong password for Maria Silva']);
    assert.deepEqual(await only('?who=ada&what=mfa&action=mfa.enabled', /./), ['Ada Owens turned MFA on']);
    for (const nothing of ['?who=nobody', '?whom=nobody%40globex.test', '?address=nowhere', '?who=ada&what=policy']) {
      assert.deepEqual(await log.says(nothing), []);
      assert.match(log.otto.browser.page.text, /No entries match\. Try fewer filters\./);
    }
    for (const unknown of ['?what=nothing-known', '?action=nor-this', `?who=${'x'.repeat(255)}`]) {
      const page = await log.otto.browser.get(`/admin/audit${unknown}`);
      assert.equal(page.status, 422, 'a filter that cannot be followed is not left out unseen');
    }
  });

  test('takes days of the organization’s time zone', async () => {
    await using log = await reading(engine);
    const { world, people } = log;
    const { id } = people.organization;
    await world.change(sql`UPDATE organizations SET time_zone = 'Asia/Tokyo' WHERE id = ${id}`);
    for (const at of [Date.UTC(2026, 11, 1, 14, 59), Date.UTC(2026, 11, 1, 15, 0), Date.UTC(2026, 11, 2, 15, 0)]) {
      world.clock.now = at;
      await happens(world, id, ['clock.accepted']);
    }
    await world.change(
      sql`UPDATE sessions SET last_used_at = ${world.clock.now}, expires_at = ${world.clock.now + DAY_MS}`,
    );
    const count = async (query: string): Promise<number> => (await log.says(`${query}&action=clock.accepted`)).length;
    assert.equal(await count('?from=2026-12-02&to=2026-12-02'), 1);
    assert.equal(await count('?from=2026-12-02'), 2);
    assert.equal(await count('?to=2026-12-01'), 1);
    const page = await log.otto.browser.get(`${AUDIT}?from=2026-02-30`);
    assert.equal(page.status, 422);
    assert.deepEqual(page.errors, ['Enter a day as 2026-11-24']);
  });

  test('goes back page by page, and shows each entry once', async () => {
    await using log = await reading(engine);
    const { world, people, otto } = log;
    await happens(world, people.organization.id, Array<Action>(120).fill('settings.changed'));
    const total = (await world.rows('audit_rows')).length;
    let seen = 0;
    let pages = 0;
    for (let path: string | undefined = `${AUDIT}?who=`; path !== undefined; pages++) {
      const { text } = await otto.browser.get(path);
      seen += sentences(otto.browser.page).length;
      path = /href="([^"]*before=[^"]*)">Next/.exec(text.replaceAll(/\s+/g, ' '))?.[1]?.replaceAll('&amp;', '&');
    }
    assert.deepEqual([seen, pages], [total, Math.ceil(total / 50)]);
  });

  test('shows nothing of another merchant', async () => {
    await using log = await reading(engine);
    const rival = await acme(log.world.installation, 'rival');
    await setPolicy(log.world.installation, rival.organization, 'required');
    const { text } = await log.otto.browser.get(AUDIT);
    assert.doesNotMatch(text, /rival\.test/);
    for (const id of [rival.maria.id, rival.globex.id, rival.ada.id])
      for (const field of ['who', 'whom', 'customer']) assert.deepEqual(await log.says(`?${field}=${id}`), []);
  });

  test('says whether the chain is whole, and which entries are not', async () => {
    await using log = await reading(engine);
    const { world, people, otto } = log;
    const watch = openWatch(world.installation);
    const line = async (): Promise<string> => plain((await otto.browser.get(AUDIT)).text);
    assert.match(await line(), /The log has not been checked yet\./);
    await appendLinks(world.installation);
    await watch.turn();
    assert.match(await line(), /Log checked 09:\d\d: complete, no gaps/);
    world.clock.advance(11 * MINUTE_MS);
    assert.match(await line(), /complete, no gaps\. No server has checked it since\./);
    const first = sql`SELECT row_id FROM audit_links WHERE organization_id = ${people.organization.id} AND sequence IN (3, 4)`;
    await world.change(sql`UPDATE audit_rows SET result = 'right' WHERE id IN (${first})`);
    await world.change(sql`DELETE FROM audit_checks`);
    await watch.turn();
    assert.match(otto.browser.page.notices.join() + (await line()), /Entries 3–4 have been changed\./);
    assert.doesNotMatch(await line(), /complete/);
  });

  test('keeps what others wrote in its place, whichever way it reads', async () => {
    await using log = await reading(engine);
    const { world, people, ada } = log;
    const path = `/admin/customers/${people.globex.id}/contacts/${people.noor.id}/edit`;
    const turned = '\u202EretteB\u2066 Noor\u2069';
    assert.equal((await ada.browser.post(path, { name: turned, email: people.noor.email, phone: '' })).status, 303);
    const noor = await findContact(world.db, people.organization.id, people.globex.id, people.noor.id);
    assert.equal(noor?.name, 'retteB Noor', 'the marks are not kept');
    // A name that came in another way is isolated where it stands.
    await changeContact(world.installation, OPERATOR, noor, { name: turned, email: noor.email, phone: null });
    await world.change(sql`UPDATE audit_names SET name = ${turned} WHERE subject_id = ${people.noor.id}`);
    assert.match((await log.otto.browser.get(AUDIT)).text, new RegExp(`of <bdi>${turned}</bdi>`));
  });
});

eachEngine('the export of the audit log', (engine) => {
  test('is a file of what the filter lets through, as CSV and as JSON lines', async () => {
    await using log = await reading(engine);
    const { world, people, otto } = log;
    const [maria] = await world.db.all<{ id: string }>(
      sql`SELECT id FROM accounts WHERE email_key = 'maria@globex.test'`,
    );
    assert.ok(maria);
    await world.change(sql`UPDATE audit_names SET name = '=HYPERLINK("//evil")' WHERE subject_id = ${maria.id}`);
    await happens(world, people.organization.id, Array<Action>(1_234).fill('settings.changed'));
    await appendLinks(world.installation);
    const csv = await exported(log, { format: 'csv' });
    assert.match(csv.headers.get('content-disposition') ?? '', /filename="acme-audit-log-2026-11-24\.csv"/);
    assert.ok(csv.text.startsWith('number,time,who,'), 'behind the mark of UTF-8, which whoever decodes it takes away');
    const rows = parse<Record<string, string>>(csv.text, { columns: true, bom: true });
    const before = (await world.rows('audit_rows')).filter(
      ({ action }) => action !== 'job.started' && action !== 'job.ended',
    );
    assert.equal(rows.length, before.length, 'all that had happened, its own start among it, and not its own end');
    assert.equal(new Set(rows.map((row) => row['row_id'])).size, rows.length);
    const hers = rows.filter((row) => row['whom_id'] === maria.id);
    assert.ok(hers.length > 0);
    for (const { whom } of hers) assert.equal(whom, `'=HYPERLINK("//evil")`);

    const jsonl = await exported(log, { format: 'jsonl', whom: maria.id });
    const lines = jsonl.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ action }) => action),
      ['password.set', 'contact.created'],
    );
    assert.equal(lines[0]?.['at'], '2026-11-24T09:00:10.000Z');
    const facts = (await world.rows('audit_rows')).filter(({ action }) => action === 'audit.exported');
    const details = facts.map((row) => JSON.parse(String(row['details'])) as Record<string, unknown>);
    assert.deepEqual(
      details.map(({ entries, format }) => ({ entries, format })),
      [
        { entries: rows.length, format: 'csv' },
        { entries: 2, format: 'jsonl' },
      ],
    );
    assert.deepEqual(
      facts.map((row) => row['actor_id']),
      [people.otto.id, people.otto.id],
    );
    assert.match(String(details[1]?.['filter']), new RegExp(maria.id));
    assert.equal((await otto.browser.get('/admin/jobs')).status, 200);
  });

  test('is begun by nobody whose dates are none', async () => {
    await using log = await reading(engine);
    const page = await log.otto.browser.post(`${AUDIT}/export`, { format: 'csv', from: 'yesterday' });
    assert.equal(page.status, 422);
    assert.deepEqual(await log.world.rows('jobs'), []);
  });
});

/** Presses Export, lets the server work, and fetches the file. */
async function exported({ world, people, otto }: Reading, fields: Record<string, string>): Promise<Page> {
  const { location, text } = await otto.browser.post(`${AUDIT}/export`, fields);
  const id = /^\/admin\/jobs\/(.+)$/.exec(location ?? '')?.[1];
  assert.ok(id, text);
  await openRunner(world.installation).toEnd({ organizationId: people.organization.id, id }, () => undefined);
  return otto.browser.get(`/admin/jobs/${id}/file`);
}
