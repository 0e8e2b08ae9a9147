import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql } from '../../src/db/db.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import { COLUMNS_MAX, ROWS_MAX } from '../../src/import/records.ts';
import { IMPORT } from '../../src/admin/import-customers.ts';
import { csvText } from '../../src/import/csv-text.ts';
import type { Page } from '../visitor.ts';
import { MINUTE_MS, openWorld, type World } from '../world.ts';
import { confirmed, refusedWith, stage, type Guest } from './front-door.ts';

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly ada: Guest;
}

async function scene(): Promise<Scene> {
  const world = await openWorld('sqlite');
  const { people, guest } = await stage(world);
  const ada = await guest(people.ada);
  await ada.enrols();
  await ada.signsIn();
  return { world, ada, [Symbol.asyncDispose]: () => world.close() };
}

function uploads({ browser }: Guest, file: string | Uint8Array, fields: Record<string, string> = {}): Promise<Page> {
  const bytes = new Uint8Array(typeof file === 'string' ? Buffer.from(file) : file);
  return browser.upload(IMPORT, fields, { field: 'file', name: 'people.csv', bytes });
}

/** The second page of a file. */
async function checks(
  ada: Guest,
  file: string,
  fields?: Record<string, string>,
): Promise<{ page: Page; path: string }> {
  const { status, text, location } = await uploads(ada, file, fields);
  assert.equal(status, 303, text);
  return { page: await ada.browser.follow(), path: location ?? '' };
}

/** What a page says, without its tags. */
function words({ text }: Page): string {
  return text
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ');
}

const FILE = [
  'Email,Name,Customer,Language',
  'iva@umbra.test,Iva Import,Umbra,en',
  ',Nobody,Umbra,',
  'maria@,Maria,Globex,',
  'iva@umbra.test,Iva again,Umbra,',
  'ida@umbra.test,Ida,Umbra,xx',
  'too@many.test,Too,Many,en,columns',
  'maria@globex.test,Maria S.,Globex,',
].join('\r\n');

describe('Ada imports customers', () => {
  test('from a file, sees what it comes to, and says so herself', async () => {
    await using here = await scene();
    const { world, ada } = here;
    const { page, path } = await checks(ada, FILE, { updates: 'on' });
    const says = words(page);
    assert.match(says, /1 new · 1 changed · 4 with errors · 1 repeated/);
    assert.match(says, /Nothing has been saved yet\./);
    for (const text of [
      'Line 3: email is missing',
      "Line 4: “maria@” isn't an email address",
      'Line 5: same email as line 2',
      "Line 6: language “xx” isn't available",
      'Line 7: too many columns',
    ])
      assert.ok(says.includes(text), text);
    assert.match(says, /Import 2 customers/);
    const download = await ada.browser.get(`${path}/errors`);
    assert.equal(download.text.split('\r\n').length, 7);
    assert.match(download.text, /"","Nobody","Umbra","","Line 3: email is missing"/);
    await ada.browser.post(path, { which: 'good' });
    const job = path.replace('customers/import', 'jobs');
    assert.equal(ada.browser.page.location, job);
    await openRunner(world.installation).turn();
    assert.match(
      words(await ada.browser.follow()),
      /Finished with 5 errors 7 rows done, 5 with errors\. 1 added, 1 changed\./,
    );
    const file = await ada.browser.get(`${job}/file`);
    assert.match(file.text, /"Line 6: language “xx” isn't available"/);
    assert.match(words((await checks(ada, FILE)).page), /You imported this file on 24 November 2026/);
  });

  test('only after she has proved who she is, where that is long ago', async () => {
    await using here = await scene();
    const { world, ada } = here;
    const { path } = await checks(ada, FILE);
    world.clock.advance(11 * MINUTE_MS);
    const { asked } = await unchangedImport(world, async () => {
      const parked = await ada.browser.post(path, { which: 'good' });
      const wrong = await confirmed(ada, parked, { password: 'wrong', code: '123456' });
      refusedWith(wrong, 422, /That password isn.*t right/);
      assert.match(words(wrong), /You're about to import people\.csv\./);
      return { asked: parked };
    });
    assert.match((await confirmed(ada, asked)).location ?? '', /^\/admin\/jobs\//);
  });

  test('and nothing while one row is wrong, if she wants that', async () => {
    await using here = await scene();
    const { path } = await checks(here.ada, FILE);
    const page = await here.ada.browser.post(path, { which: 'all' });
    refusedWith(page, 422, /5 rows are not right yet/);
    const neither = await here.ada.browser.post(path, { which: '' });
    refusedWith(neither, 422, /Choose which rows go in/);
  });

  test('with other columns than the ones that were recognized', async () => {
    await using here = await scene();
    const { ada } = here;
    const { page, path } = await checks(ada, 'email,reach,who\nx,iva@umbra.test,Iva\n');
    assert.match(words(page), /0 new · 0 changed · 1 with errors/);
    refusedWith(await ada.browser.post(`${path}/columns`, { email: '' }), 422, /Choose the column with the emails/);
    refusedWith(await ada.browser.post(`${path}/columns`, { email: '3' }), 422, /Choose one of the columns/);
    await ada.browser.post(`${path}/columns`, { email: '1', name: '2' });
    assert.match(words(await ada.browser.follow()), /1 new · 0 changed · 0 with errors/);
  });

  test('or starts again, and nothing of the file is left', async () => {
    await using here = await scene();
    const { world, ada } = here;
    const { path } = await checks(ada, FILE);
    await ada.browser.post(`${path}/discard`);
    assert.equal(ada.browser.page.location, IMPORT);
    assert.deepEqual([await world.rows('jobs'), await world.rows('job_parts')], [[], []]);
  });

  test('and is told what is wrong with a file', async () => {
    await using here = await scene();
    const { ada } = here;
    refusedWith(await ada.browser.upload(IMPORT, {}), 422, /Choose a file/);
    const wide = Array.from({ length: 1_000 }, (_, at) => `email${at}`).join();
    const long = `email\n${'a@b.test\n'.repeat(ROWS_MAX + 1)}`;
    const cases: [string | Uint8Array, RegExp][] = [
      ['PK\u0003\u0004and the rest', /That isn't a CSV file/],
      ['', /That isn't a CSV file/],
      ['name,phone\nIva,5\n', /The file has no &quot;email&quot; column\. We found: name, phone/],
      [Buffer.from('email\nJos\u00E9', 'latin1'), /The file isn't UTF-8 or UTF-16\. Save it again as CSV UTF-8/],
      ['email,name\na@b.test,"never closed\n', /Line 2: a quote is opened and never closed/],
      ['email\n', /no rows below its first line/],
      [`email,${wide}\n`, new RegExp(`${COLUMNS_MAX} columns`)],
      [long, /up to 10 MB and 50,000 rows/],
      [`email,<script>alert(1)</script>\n`, /no rows/],
    ];
    for (const [file, says] of cases) refusedWith(await uploads(ada, file), 422, says);
  });

  test('with a template that the import itself understands', async () => {
    await using here = await scene();
    const { text } = await here.ada.browser.get(`${IMPORT}/template`);
    const { page } = await checks(here.ada, `${text}iva@umbra.test,Iva,Umbra,1,,en,yes,,\n`);
    assert.match(words(page), /1 new · 0 changed · 0 with errors/);
  });

  test('whose names cannot do anything to the page', async () => {
    await using here = await scene();
    const file = csvText([
      ['email', 'name', '<b>__proto__'],
      ['<i>@', '<script>alert(1)</script>', '"><img>'],
    ]);
    const { text } = (await checks(here.ada, file)).page;
    assert.doesNotMatch(text, /<script>alert|<img>|<b>__|<i>@/);
  });

  test('whom another merchant cannot see', async () => {
    await using here = await scene();
    const { path } = await checks(here.ada, FILE);
    await here.world.change(sql`UPDATE jobs SET kind = 'another' WHERE state = 'prepared'`);
    assert.equal((await here.ada.browser.get(path)).status, 404);
    assert.equal((await here.ada.browser.get(`${IMPORT}/no-such-file`)).status, 404);
  });
});

test('Ada exports her customers, and fetches the file', async () => {
  await using here = await scene();
  const { world, ada } = here;
  assert.match(words(await ada.browser.get('/admin/customers/export')), /No passwords and no secrets\./);
  const { location } = await ada.browser.post('/admin/customers/export');
  await openRunner(world.installation).turn();
  const { text } = await ada.browser.get(`${location}/file`);
  assert.match(text, /"noor@globex.test","Noor Haddad","Globex"/);
  assert.match(words(await ada.browser.get('/admin/customers/export?q=eve')), /The contacts that your list shows/);
  const some = await ada.browser.post('/admin/customers/export', { view: 'q=eve' });
  await openRunner(world.installation).turn();
  const file = (await ada.browser.get(`${some.location}/file`)).text;
  assert.match(file, /"eve@initech.test"/);
  assert.doesNotMatch(file, /noor@/);
});

test('Ada imports documents, or is told every mistake with its line', async () => {
  await using here = await scene();
  const { world, ada } = here;
  const path = '/admin/customers/import-documents';
  const header = 'customer name;kind;number;title;date;amount;currency;status';
  const send = (file: string): Promise<Page> =>
    ada.browser.upload(path, {}, { field: 'file', name: 'x.csv', bytes: new Uint8Array(Buffer.from(file)) });
  assert.equal((await ada.browser.get(path)).status, 200);
  refusedWith(await ada.browser.upload(path, {}), 422, /Choose a file/);
  refusedWith(await send('customer,kind\n'), 422, /The file lacks the column number, title/);
  refusedWith(await send(`${header}\nGlobex;"invoice\n`), 422, /a quote is opened and never closed/);
  const wrong = await send(
    `${header}\nGlobex;invoice;1;One;2026-11-01;10;EUR;Due\nNobody;letter;2;Two;2026-11-01;x;EUR;Due\nGlobex\n`,
  );
  refusedWith(wrong, 422, /Nothing was imported: 4 things are not right in the file/);
  assert.match(
    words(wrong),
    /Line 3: amount is a number like 1250\.00, not “x” Line 3: no customer is called “Nobody” Line 4: too few columns/,
  );
  assert.equal((await world.rows('documents')).length, 0);
  await send(`${header}\nGlobex;invoice;1;One;2026-11-01;10;EUR;Due\n`);
  assert.match(words(await ada.browser.follow()), /1 document was imported\./);
  assert.equal((await world.rows('documents')).length, 1);
});

/** Nothing of the console has changed, but for what a refused proof leaves. */
async function unchangedImport<T>(world: World, act: () => Promise<T>): Promise<T> {
  const before = JSON.stringify(await world.rows('jobs'));
  const answer = await act();
  assert.equal(JSON.stringify(await world.rows('jobs')), before);
  return answer;
}
