import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { unchanged } from '../surface/front-door.ts';
import { everyPost, FORM, lay, takes, type Post, type Siege } from './siege.ts';

/** What can be done to the form of a route that has a field: each must be refused before anybody looks at its values. */
const DEFORMED: [what: string, deform: (name: string, value: string) => string][] = [
  ['a list', (name, value) => `${name}[]=${value}`],
  ['a list with a number', (name, value) => `${name}[0]=${value}`],
  ['an object', (name, value) => `${name}[$ne]=${value}`],
  ['an object with a dot', (name, value) => `${name}.value=${value}`],
  ['nested brackets', (name, value) => `${name}[a][b][c]=${value}`],
  ['another case', (name, value) => `${name.toUpperCase()}=${value}`],
  ['a space before its name', (name, value) => `+${name}=${value}`],
  ['NUL in its name', (name, value) => `${name}%00=${value}`],
  ['NUL in its value', (name, value) => `${name}=${value}%00`],
  ['half a character', (name, value) => `${name}=${value}%c3`],
  ['a broken escape', (name, value) => `${name}=${value}%u0041`],
  ['half a surrogate pair', (name, value) => `${name}=${value}%ed%a0%80`],
  ['an overlong encoding', (name, value) => `${name}=${value}%c0%ae`],
  ['twice', (name, value) => `${name}=${value}&${name}=${value}`],
  [
    'twice, one of them encoded',
    (name, value) => `${name}=${value}&%${name.charCodeAt(0).toString(16)}${name.slice(1)}=x`,
  ],
];

const POLLUTION = [
  '__proto__=1',
  '__proto__[isFresh]=1',
  'constructor=1',
  'constructor[prototype][isFresh]=1',
  'prototype=1',
  'toString=1',
  'hasOwnProperty=1',
  '__defineGetter__=1',
];

function rest({ fields }: Post, name: string): string {
  const others = Object.entries(fields).filter(([one]) => one !== name);
  return others.map(([one, value]) => `&${one}=${encodeURIComponent(value)}`).join('');
}

// The link says whose password it is; a box is ticked or is not; an unknown
// policy is that of an old page, and of two colours the typed one counts.
function isUnread({ name }: Post, field: string): boolean {
  if (/welcome|new-password|security\/password/.test(name)) return field === 'email';
  return /\/(general|branding|sign-in)$/.test(name) && /^(mfa|policy|removeLogo|devices|confirmation)$/.test(field);
}

describe('strange input at every form (ASVS 1.5.2, 2.2.1, 15.3.6)', () => {
  let siege: Siege;
  before(async () => void (siege = await lay('sqlite')));
  after(() => siege[Symbol.asyncDispose]());

  test('type confusion: no field may be a list, an object, come twice, be misspelt or hold what is no text', async () => {
    for (const post of everyPost(siege)) {
      await unchanged(post.world, async () => {
        for (const [name, value] of Object.entries(post.fields))
          for (const [what, deform] of DEFORMED) {
            const page = await post.browser.post(post.path, deform(name, encodeURIComponent(value)) + rest(post, name));
            assert.equal(page.status, 400, `${name} as ${what} at ${post.name}`);
          }
      });
    }
  });

  test('prototype pollution: no name of the language is a field, and none becomes a property of anything', async () => {
    for (const post of everyPost(siege)) {
      const own = new URLSearchParams({ ...post.fields }).toString();
      await unchanged(post.world, async () => {
        for (const pollution of POLLUTION) {
          const page = await post.browser.post(post.path, own === '' ? pollution : `${pollution}&${own}`);
          assert.equal(page.status, 400, `${pollution} at ${post.name}`);
        }
      });
    }
    assert.equal(({} as Record<string, unknown>)['isFresh'], undefined);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  test('overlong input: every field filled to the brim is refused with a sentence, and costs no fault', async () => {
    const fillings = ['x', '\u0301', '7', '\ufdfa', '💥'].map((one) => one.repeat(1_500));
    for (const post of everyPost(siege))
      for (const name of Object.keys(post.fields).filter((field) => !isUnread(post, field)))
        for (const filling of fillings) {
          const page = await post.browser.post(post.path, { ...post.fields, [name]: filling });
          assert.ok([413, 422, 429].includes(page.status), `${name} at ${post.name}: ${page.status}`);
        }
  });

  test('charset tricks: a form in another charset, content type or compression is not read', async () => {
    const types = [
      `${FORM}; charset=utf-16`,
      `${FORM}; charset=ibm037`,
      `${FORM}; charset="utf-8"; charset=utf-7`,
      `${FORM}, application/json`,
      `${FORM}\u00a0`,
      'application/x-www-form-urlencoded2',
      'text/html',
      '*/*',
    ];
    for (const { name, world, browser, path, fields } of everyPost(siege)) {
      const body = new URLSearchParams({ ...fields }).toString();
      await unchanged(world, async () => {
        for (const type of types)
          assert.equal(
            (await browser.send('POST', path, { 'content-type': type }, body)).status,
            415,
            `${type} at ${name}`,
          );
      });
    }
  });

  test('what was refused above was refused for its shape: every form is taken as it is', async () => {
    for (const post of everyPost(siege)) await takes(post);
  });
});
