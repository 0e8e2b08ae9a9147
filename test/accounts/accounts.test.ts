import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { emailKey, sortKey } from '../../src/accounts/accounts.ts';
import { isSlug, isTimeZone, slugFor } from '../../src/accounts/organizations.ts';

/** One of the characters of a text, marks that stand on others included. */
const oneOf = (text: string): fc.Arbitrary<string> => fc.constantFrom(...Array.from(text));

describe('an e-mail address', () => {
  test('is the same in capitals, with spaces around it and in full-width letters', () => {
    for (const typed of [
      'maria@globex.test',
      ' Maria@Globex.TEST ',
      'ｍａｒｉａ＠ｇｌｏｂｅｘ．ｔｅｓｔ',
      '\tmaria@globex.test\n',
    ]) {
      assert.equal(emailKey(typed), 'maria@globex.test');
    }
  });

  test('has its domain in ASCII, however it was typed', () => {
    assert.equal(emailKey('maria@Bücher.test'), 'maria@xn--bcher-kva.test');
    assert.equal(emailKey('maria@xn--bcher-kva.test'), 'maria@xn--bcher-kva.test');
  });

  test('keeps dots and plus signs, which only the mail server understands', () => {
    const typed = ['maria@globex.test', 'm.aria@globex.test', 'maria+bills@globex.test'];
    assert.equal(new Set(typed.map(emailKey)).size, 3);
  });

  test('without the shape of one is none', () => {
    const typed = `
      maria|@|maria@|@globex.test|maria@globex|maria@.test|maria@globex.test.|a@b@c.test|maria silva@globex.test
      maria@glo bex.test|maria\0@globex.test|maria@globex.test\0|maria\n@globex.test|maria@globex_.test
      Maria <maria@globex.test>|maria@globex.test,eve@evil.test|"maria"@globex.test|maria@[127.0.0.1]
      maria@globex.test\r\nBcc: eve@evil.test|`;
    for (const text of typed.split(/\||\n {6}/)) assert.equal(emailKey(text), undefined, JSON.stringify(text));
  });

  test('has one domain, for its key and for its letters: nothing after it, and no other way to spell it', () => {
    for (const more of ['/.evil.test', '#.evil.test', '?.evil.test', '\\.evil.test', '%2eevil.test', '/'])
      assert.equal(emailKey(`maria@globex.test${more}`), undefined, more);
    assert.equal(emailKey('maria@glob%65x.test'), undefined);
  });

  test('is at most 254 characters long', () => {
    const domain = '@globex.test';
    assert.ok(emailKey('a'.repeat(254 - domain.length) + domain));
    assert.equal(emailKey('a'.repeat(255 - domain.length) + domain), undefined);
    assert.equal(emailKey(`${' '.repeat(1_100)}maria@globex.test`), undefined, 'nor is more than that looked at');
  });

  test('whatever is typed, its key is its own key, and nothing breaks', () => {
    const local = fc.string({ unit: oneOf('aH\u0331İßKﬁ.+ 日١'), maxLength: 12 });
    const addresses = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.emailAddress(),
      local.map((text) => `${text}@globex.test`),
    );
    fc.assert(
      fc.property(addresses, (typed) => {
        const key = emailKey(typed);
        if (key !== undefined) assert.equal(emailKey(key), key);
      }),
    );
  });
});

describe('a name', () => {
  test('is sorted and searched without regard to capitals, forms of letters and spaces around it', () => {
    for (const typed of ['Globex', ' GLOBEX ', 'Ｇｌｏｂｅｘ']) assert.equal(sortKey(typed), 'globex');
    assert.equal(sortKey('Ångström'), sortKey('A\u030Angstro\u0308m'));
  });

  test('whatever it is, its sort key is its own sort key', () => {
    const names = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: oneOf('aHT\u0331\u0308İK ') }));
    fc.assert(fc.property(names, (name) => assert.equal(sortKey(sortKey(name)), sortKey(name))));
  });
});

describe('a slug', () => {
  test('is made of a display name', () => {
    const slugs = {
      'Acme Billing': 'acme-billing',
      'Müller & Söhne': 'muller-sohne',
      '  --Acme--  ': 'acme',
      日本: 'portal',
      '': 'portal',
      [`${'a'.repeat(39)} b`]: 'a'.repeat(39),
    };
    for (const [name, slug] of Object.entries(slugs)) assert.equal(slugFor(name), slug);
  });

  test('that is made of any name can be one', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => assert.ok(isSlug(slugFor(name)))));
  });

  test('is 1 to 40 small letters, digits and inner dashes', () => {
    for (const slug of ['a', 'acme', 'acme-2', 'a'.repeat(40)]) assert.ok(isSlug(slug), slug);
    for (const text of ['', '-acme', 'acme-', 'Acme', 'ac me', 'acme/', 'acmé', 'a'.repeat(41), 'acme\n']) {
      assert.ok(!isSlug(text), JSON.stringify(text));
    }
  });
});

test('a time zone is one that this machine knows', () => {
  assert.deepEqual(['Europe/Berlin', 'UTC', 'Mars/Olympus', ''].map(isTimeZone), [true, true, false, false]);
});
