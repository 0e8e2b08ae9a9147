import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findLogo, readAccent, readLogo, saveBranding, type Logo } from '../../src/accounts/branding.ts';
import { findOrganization, saveGeneralSettings, type Organization } from '../../src/accounts/organizations.ts';
import { acme } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

const bytesOf = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../pictures', name));

function logoOf(name: string): Logo {
  const read = readLogo(bytesOf(name));
  assert.ok(read.kind === 'logo');
  return read.logo;
}

const PNG = logoOf('dot.png');
const JPEG = logoOf('dot.jpeg');

async function today({ db }: World, { id }: Organization): Promise<Organization> {
  const found = await findOrganization(db, id);
  assert.ok(found);
  return found;
}

const told = async (world: World): Promise<unknown[]> =>
  (await world.rows('audit_rows'))
    .filter(({ action }) => action === 'settings.changed')
    .map(({ details }) => JSON.parse(String(details)) as unknown);

eachEngine('branding', (engine) => {
  test('is saved at once and in one row of the log, which says what changed and not to what', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const asked = { name: 'Acme Bills', accent: '#ffd400', timeZone: 'Europe/London' };
    await saveBranding(world.installation, OPERATOR, organization, asked, PNG);
    const { name, accent, timeZone, logoHash, logoWidth, logoHeight } = await today(world, organization);
    assert.deepEqual({ name, accent, timeZone }, asked);
    assert.deepEqual([logoHash, logoWidth, logoHeight], [PNG.hash, 12, 7]);
    assert.deepEqual(await told(world), [{ changed: 'name, time zone, accent colour, logo' }]);
    const found = await findLogo(world.db, { id: organization.id, logoHash });
    assert.deepEqual(found, { type: 'image/png', bytes: bytesOf('dot.png') });
  });

  test('that is saved twice has changed nothing, and the log is as long as before', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const save = async (): Promise<void> =>
      saveBranding(world.installation, OPERATOR, await today(world, organization), { accent: '#ffd400' }, PNG);
    await save();
    await save();
    assert.equal((await told(world)).length, 1);
    assert.equal((await world.rows('logos')).length, 1);
  });

  test('keeps one logo: the next takes the place of the last, and none leaves none', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await saveBranding(world.installation, OPERATOR, organization, {}, PNG);
    await saveBranding(world.installation, OPERATOR, await today(world, organization), {}, JPEG);
    assert.deepEqual(
      (await world.rows('logos')).map(({ hash }) => hash),
      [JPEG.hash],
    );
    await saveBranding(world.installation, OPERATOR, await today(world, organization), { accent: '#808080' });
    assert.equal((await today(world, organization)).logoHash, JPEG.hash, 'a logo that nobody speaks of stays');
    await saveBranding(world.installation, OPERATOR, await today(world, organization), {}, null);
    const { logoHash, logoWidth, logoHeight } = await today(world, organization);
    assert.deepEqual([logoHash, logoWidth, logoHeight], [null, null, null]);
    assert.deepEqual(await world.rows('logos'), []);
  });

  test('whose logo somebody takes away who has seen none, keeps the one that came meanwhile', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await saveBranding(world.installation, OPERATOR, organization, {}, PNG);
    await saveBranding(world.installation, OPERATOR, organization, {}, null);
    const shown = await today(world, organization);
    assert.equal(shown.logoHash, PNG.hash);
    assert.ok(await findLogo(world.db, shown));
  });

  test('of one merchant is nobody else’s, be the logo the same (I15)', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    const rival = await acme(world.installation, 'rival');
    await saveBranding(world.installation, OPERATOR, organization, { accent: '#ffd400' }, PNG);
    assert.equal((await today(world, rival.organization)).accent, null);
    assert.equal(await findLogo(world.db, { id: rival.organization.id, logoHash: PNG.hash }), undefined);
    await saveBranding(world.installation, OPERATOR, rival.organization, {}, PNG);
    await saveBranding(world.installation, OPERATOR, await today(world, rival.organization), {}, null);
    assert.ok(await findLogo(world.db, { id: organization.id, logoHash: PNG.hash }));
  });

  test('and the general settings have one name between them, and neither undoes what the other changed', async () => {
    await using world = await openWorld(engine);
    const { organization } = await world.acme();
    await saveGeneralSettings(world.installation, OPERATOR, organization, { name: 'Acme Bills' });
    await saveBranding(world.installation, OPERATOR, organization, { name: organization.name, accent: '#ffd400' });
    const { name, accent } = await today(world, organization);
    assert.deepEqual([name, accent], ['Acme Bills', '#ffd400']);
  });
});

describe('a logo', () => {
  test('is refused for what it is: no picture, script, damaged, too heavy, too large', () => {
    assert.equal(problem(''), 'unknown');
    assert.equal(problem('<html><script>alert(1)</script>'), 'unknown');
    assert.equal(problem('<?xml version="1.0"?>\n<!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>'), 'script');
    assert.equal(problem('\ufeff<SVG onload="alert(1)">'), 'script');
    assert.equal(problem(bytesOf('dot.png').subarray(0, -1)), 'broken');
    assert.equal(problem(Buffer.alloc(100 * 1024 + 1)), 'too-heavy');
    assert.equal(problem(jpegOf(1000)), 'logo');
    assert.equal(problem(jpegOf(1001)), 'too-large');
  });
});

/** What is wrong with a file as a logo; `logo` where it is one. */
function problem(bytes: Buffer | string): string {
  const read = readLogo(Buffer.from(bytes));
  return read.kind === 'refused' ? read.problem : read.kind;
}

/** The frame of a JPEG so many pixels high. */
function jpegOf(height: number): Buffer {
  const bytes = bytesOf('dot.jpeg');
  bytes.writeUInt16BE(height, bytes.indexOf(Buffer.from([0xff, 0xc0])) + 5);
  return bytes;
}

test('a colour is six hexadecimal digits, and nothing else is one', () => {
  assert.equal(readAccent('#FFd400'), '#ffd400');
  assert.equal(readAccent('0f5a63'), '#0f5a63');
  for (const text of [
    '',
    '#fff',
    'red',
    '#12345g',
    '#1234567',
    '#ffd400;}',
    'rgb(1,2,3)',
    ' #ffd400',
    '#ffd400\n',
    '＃ffd400',
  ])
    assert.equal(readAccent(text), undefined, text);
});
