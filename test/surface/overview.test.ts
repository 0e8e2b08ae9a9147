import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { writeFigures, type Event, type Standing } from '../../src/accounts/figures.ts';
import { rollUp } from '../../src/accounts/roll-up.ts';
import { barChart } from '../../src/admin/chart.ts';
import { finding } from '../../src/admin/overview-adoption.ts';
import { resetMfa } from '../../src/auth/recovery.ts';
import { countStandings } from '../../src/auth/standing.ts';
import { acme, answers, challenged, enrol, guesses, setPolicy, signsIn, type Acme, type Enrolled } from '../acme.ts';
import type { Page, Visitor } from '../visitor.ts';
import { DAY_MS, eachEngine, openWorld, type World } from '../world.ts';
import { Guest, ownAddress } from './front-door.ts';

describe('what the overview says first', () => {
  const sentences: [now: [on: number, none: number], before: [on: number, none: number] | undefined, says: string][] = [
    [[68, 32], [57, 43], '68 % of your customers use MFA, up from 57 % last month.'],
    [[57, 43], [68, 32], '57 % of your customers use MFA, down from 68 % last month.'],
    [[68, 32], [680, 320], '68 % of your customers use MFA, as last month.'],
    [[681, 319], [680, 320], '68 % of your customers use MFA, as last month.'],
    [[68, 32], undefined, '68 % of your customers use MFA.'],
    [[68, 32], [0, 0], '68 % of your customers use MFA.'],
    [[68, 32], [0, 9], '68 % of your customers use MFA, up from 0 % last month.'],
    [[0, 9], undefined, 'None of your customers uses MFA yet.'],
    [[0, 9], [0, 3], 'None of your customers uses MFA yet.'],
    [[0, 9], [3, 3], 'None of your customers uses MFA any more, down from 50 % last month.'],
    [[9, 0], [3, 3], 'All of your customers use MFA, up from 50 % last month.'],
    [[1, 999], undefined, 'Less than 1 % of your customers use MFA.'],
    [[999, 1], [1, 1], 'More than 99 % of your customers use MFA, up from 50 % last month.'],
    [[0, 0], undefined, 'None of your customers has portal access.'],
  ];
  for (const [now, before, says] of sentences)
    test(`is “${says}” at ${now.join(' to ')} after ${before?.join(' to ') ?? 'nothing'}`, () => {
      const [was] = [before && { on: before[0], none: before[1] }];
      assert.equal(finding({ on: now[0], none: now[1] }, was).replaceAll('\u00a0', ' '), says);
    });
});

eachEngine('the overview', (engine) => {
  test('begins with three things to do, and has no numbers before customers have signed in', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    const ada = await ownerAt(world, people);
    await addUp(world);
    const page = await ada.get('/admin');
    assert.match(page.text, /Three things to do first/);
    assert.match(page.text, /No numbers yet\. Come back after your customers have signed in\./);
    assert.doesNotMatch(page.text, /<svg role="img"/);
  });

  test('tells how many use MFA, who needs help and what happened today, each number on its way to the list', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await busyDay(world, people);
    const page = await (await ownerAt(world, people)).get('/admin');
    assert.doesNotMatch(page.text, /Three things to do first/);
    assert.match(page.text, /33\u00a0% of your customers use MFA\./);
    const today = 'from=2026-11-24&to=2026-11-24';
    assert.deepEqual(tiles(page), [
      ['On 1', '/admin/customers?mfa=on'],
      ['Not set up 2', '/admin/customers?mfa=none'],
      ['Low on backup codes 0', '/admin/customers?mfa=low'],
      ['Locked 1', '/admin/customers?mfa=locked'],
      ['Reset, not set up again 1', '/admin/customers?mfa=reset'],
      ['Set up today 2', `/admin/audit?what=mfa&action=mfa.enabled&${today}`],
      ['Lock-outs today 1', `/admin/audit?what=sign-ins&action=signed-in&${today}`],
      ['Blocked sign-ins today 6', `/admin/audit?what=sign-ins&${today}`],
    ]);
    assert.match(plain(page.text), /Counted at \d\d:\d\d\./);
  });

  test('tells in sentences and tables how setting up went, which codes were right, who was locked out and who reset', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await busyDay(world, people);
    const page = await (await ownerAt(world, people)).get('/admin');
    const text = plain(page.text);
    assert.match(text, /Of 3 sign-ins that led to setting up MFA in the last 30 days, 2 ended with MFA on\./);
    assert.deepEqual(table(page, 'funnel').slice(1), [
      ['Asked, after the password', '3', '100 %', ''],
      ['Began', '2', '67 %', ''],
      ['Verified a code', '2', '67 %', ''],
      ['Turned MFA on', '2', '67 %', ''],
      ['Made backup codes', '2', '67 %', ''],
    ]);
    assert.match(text, /17 % of codes from authenticator apps and 100 % of backup codes were right/);
    assert.deepEqual(table(page, 'codes').slice(1), [
      ['Authenticator app', '1', '5', '0', '17 %'],
      ['Backup code', '1', '0', '0', '100 %'],
    ]);
    assert.match(text, /1 lock-out in the last 30 days, 1 more than in the 30 before\./);
    assert.match(text, /1 reset of MFA in the last 30 days, by Sam Porter \(sam@acme\.test\)\./);
    assert.deepEqual(table(page, 'resets').slice(1), [['Sam Porter (sam@acme.test)', '1']]);
  });

  test('says that nothing happened where nothing did', async () => {
    await using world = await openWorld(engine);
    const people = await world.acme();
    await setPolicy(world.installation, people.organization, 'off');
    await signsIn(world.installation, people.maria);
    await addUp(world);
    const text = plain((await (await ownerAt(world, people)).get('/admin')).text);
    assert.match(text, /None of your customers uses MFA yet\./);
    assert.match(text, /Nobody was asked to set up MFA in the last 30 days\./);
    assert.match(text, /Nobody entered a code in the last 30 days\./);
    assert.match(text, /Nobody was locked out in the last 30 days, nor in the 30 before\./);
    assert.match(text, /Nobody’s MFA was reset in the last 30 days\./);
  });

  test('draws what the table and the file say, for weeks and for months', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await signsIn(world.installation, people.maria);
    const history: [day: string, on: number, none: number][] = [
      ['2026-01-31', 1, 9],
      ['2026-09-14', 2, 8],
      ['2026-09-20', 3, 7],
      ['2026-10-24', 4, 6],
      ['2026-11-22', 5, 0],
    ];
    for (const [day, on, none] of history) await write(world, people, day, { 'mfa-on': on, 'mfa-none': none });
    await write(world, people, '2026-11-20', { 'signed-in': 1 });
    await addUp(world);
    const ada = await ownerAt(world, people);
    for (const span of ['weeks', 'months'] as const) {
      const page = await ada.get(`/admin?span=${span}`);
      const rows = table(page, 'adoption-table').slice(1);
      assert.equal(rows.length, 12);
      assert.deepEqual(
        bars(page),
        rows.map(([, on, none, share]) => (on === '–' ? '–' : `${on} ${none} ${share}`)),
      );
      const file = await ada.get(`/admin/overview/adoption.csv?span=${span}`);
      assert.match(file.headers.get('content-disposition') ?? '', new RegExp(`adoption-12-${span}\\.csv`));
      const [head, ...lines] = file.text.trim().split('\r\n');
      assert.equal(head, 'from,to,mfa_on,not_set_up,share_percent');
      assert.deepEqual(
        lines.map((line) => line.split(',').slice(2)),
        rows.map(([, on, none, share]) => (on === '–' ? ['', '', ''] : [on, none, share!.replace(' %', '')])),
      );
    }
    const text = plain((await ada.get('/admin')).text);
    assert.match(text, /Since 14 September 2026 the share of contacts who use MFA rose from 30 % to 33 %/);
    assert.match(text, /33 % of your customers use MFA, down from 40 % last month\./);
  });

  test('compares with last month only where somebody counted in the week before that day', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await signsIn(world.installation, people.maria);
    await write(world, people, '2026-10-17', { 'mfa-on': 9, 'mfa-none': 1, 'signed-in': 1 });
    await addUp(world);
    const ada = await ownerAt(world, people);
    assert.match((await ada.get('/admin')).text, /33\u00a0% of your customers use MFA\./);
    await write(world, people, '2026-10-18', { 'mfa-on': 8, 'mfa-none': 2 });
    assert.match(
      (await ada.get('/admin')).text,
      /33\u00a0% of your customers use MFA, down from 80\u00a0% last month\./,
    );
  });

  test('says when its contacts were counted where that was not today', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    await write(world, people, '2026-11-20', { 'signed-in': 1 });
    await addUp(world);
    world.clock.advance(2 * DAY_MS);
    const page = await (await ownerAt(world, people)).get('/admin');
    assert.match(plain(page.text), /Counted at 24 November 2026 at 09:00 UTC\./);
  });

  test('shows each merchant their own figures', async () => {
    await using world = await openWorld(engine);
    const people = await world.acmeWithMfa();
    const rival = await acme(world.installation, 'rival');
    await write(world, people, '2026-11-20', { 'signed-in': 1, 'locked-out': 77 });
    await addUp(world);
    const ada = await ownerAt(world, rival);
    assert.match((await ada.get('/admin')).text, /No numbers yet/);
    const file = await ada.get('/admin/overview/adoption.csv');
    assert.match(file.text, /2026-11-23,2026-11-24,0,3,0/);
  });
});

describe('the chart', () => {
  test('is an image with the finding as its title, without inline style or script', async () => {
    const svg = await drawn('ltr');
    assert.match(svg, /role="img"\s+aria-labelledby="c-title c-desc"/);
    assert.match(svg, /<title id="c-title">Growth &amp; more<\/title>/);
    assert.doesNotMatch(svg, /style=|<script|onload/);
  });

  test('runs from right to left where the language does', async () => {
    const ltr = places(await drawn('ltr'));
    assert.equal(ltr.length, 3);
    assert.deepEqual(
      ltr,
      ltr.toSorted((a, b) => a - b),
    );
    assert.deepEqual(
      places(await drawn('rtl')),
      ltr.map((x) => Math.round((100 - x) * 100) / 100),
    );
  });

  test('has bars as high as their numbers', async () => {
    const bar = /<rect\s+class="full"[^>]*width="[\d.]+%"[^>]*height="([\d.]+)"/g;
    const [one = 0, two = 0, three = 0] = [...(await drawn('ltr')).matchAll(bar)].map(([, height]) => Number(height));
    assert.ok(one > 0 && Math.abs(two - 2 * one) < 0.1 && Math.abs(three - 3 * one) < 0.1);
  });
});

async function drawn(direction: 'ltr' | 'rtl'): Promise<string> {
  const chart = await barChart({
    id: 'c',
    title: 'Growth & more',
    description: 'One, two',
    legend: ['Full', 'Hatched'],
    bars: [1, 2, 3].map((n) => ({ label: `L${n}`, parts: [n, 1] as const, value: String(n), unit: ' %' })),
    direction,
  });
  return chart.toString();
}

/** Where the labels of the bars stand, in hundredths of the width. */
function places(svg: string): number[] {
  return [...svg.matchAll(/<text[^>]*x="([\d.]+)%"[^>]*y="254"/g)].map(([, x]) => Number(x));
}

/** What a server does each minute. */
async function addUp(world: World): Promise<void> {
  await appendLinks(world.installation);
  await rollUp(world.installation);
  await countStandings(world.installation);
}

/** Noor is asked and does nothing, Eve enrols and is reset by Sam, Maria signs in twice, then guesses until she is locked. */
async function busyDay(world: World, people: Acme & Enrolled): Promise<void> {
  const { maria, noor, eve, sam, secret, codes } = people;
  const { installation } = world;
  await signsIn(installation, noor);
  await signsIn(installation, noor, { password: 'wrong' });
  await enrol(installation, eve);
  const actor = { kind: 'account', id: sam.id, address: '192.0.2.1' } as const;
  const agent = { organizationId: sam.organizationId, id: sam.id, role: 'support' } as const;
  await resetMfa(installation, actor, agent, await world.account(eve), { check: 'met-in-person', note: '' });
  await answers(installation, await challenged(installation, maria), world.codeFor(secret));
  await answers(installation, await challenged(installation, maria), codes[0]!);
  await guesses(world, maria, secret, 5);
  await addUp(world);
}

/** A browser in which Ada is signed in at the console. */
async function ownerAt(world: World, { ada, organization }: Acme): Promise<Visitor> {
  const guest = new Guest(world, ada, organization.slug, await world.visitor({ address: ownAddress() }));
  await guest.enrols();
  await guest.signsIn();
  return guest.browser;
}

async function write(
  world: World,
  { organization }: Acme,
  day: string,
  figures: Partial<Record<Event | Standing, number>>,
): Promise<void> {
  const rows = Object.entries(figures).map(([name, value]) => ({ name: name as Event, day, subject: '', value }));
  await world.db.transaction((tx) => writeFigures(tx, organization.id, rows, 'replace'));
}

function tiles(page: Page): [string, string][] {
  const list = /<ul class="tiles">([\s\S]*?)<\/ul>/.exec(page.text)?.[1] ?? '';
  return [...list.matchAll(/<a href="([^"]*)">([\s\S]*?)<\/a>/g)].map(([, href = '', text = '']) => [
    plain(text),
    href.replaceAll('&amp;', '&'),
  ]);
}

/** The cells of a table, by the id of its caption. */
function table(page: Page, id: string): string[][] {
  const found = new RegExp(`<caption id="${id}"[\\s\\S]*?</table>`).exec(page.text)?.[0] ?? '';
  const rows = [...found.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = '']) => row);
  return rows.map((row) => [...row.matchAll(/<t[hd][^>]*>([\s\S]*?)<\/t[hd]>/g)].map(([, cell = '']) => plain(cell)));
}

/** What each bar of the chart stands for: its two heights and the share printed above it. */
function bars(page: Page): string[] {
  const svg = /<svg[^>]*role="img"[\s\S]*?<\/svg>\s*<\/figure>/.exec(page.text)?.[0] ?? '';
  const found: string[] = [];
  let [full, hatched] = ['0', '0'];
  for (const part of svg.slice(svg.lastIndexOf('class="grid"')).split(/(?=<rect|<text)/)) {
    const value = /data-value="(\d+)"/.exec(part)?.[1];
    if (value && part.includes('class="hatched"')) hatched = value;
    else if (value) full = value;
    else if (part.includes('class="unit"')) {
      found.push(`${full} ${hatched} ${plain(part)}`);
      [full, hatched] = ['0', '0'];
    } else if (plain(part) === '–') found.push('–');
  }
  return found;
}

function plain(html: string): string {
  return html
    .replace(/<svg class="share"[\s\S]*?<\/svg>/g, '')
    .replace(/<(tspan|strong|time)\b[^>]*>/g, ' ')
    .replace(/<\/(tspan|strong|time)>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
