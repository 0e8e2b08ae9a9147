import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { recognise, TEMPLATE, type Mapping } from '../../src/import/columns.ts';
import { readRow, type ImportRow, type Problem } from '../../src/import/rows.ts';
import { leftRows, withErrors } from '../../src/import/left-rows.ts';
import { readSecret } from '../../src/import/secrets.ts';

const HASH = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

function reads(header: readonly string[], cells: readonly string[]): ImportRow | readonly Problem[] {
  const read = readRow({ line: 7, cells }, recognise(header), header.length);
  return read.kind === 'row' ? read.row : read.problems;
}

function row(header: readonly string[], cells: readonly string[]): ImportRow {
  const read = reads(header, cells);
  assert.ok('emailKey' in read, JSON.stringify(read));
  return read;
}

function says(header: readonly string[], cells: readonly string[]): string[] {
  const read = reads(header, cells);
  assert.ok(!('emailKey' in read));
  return read.map(({ line, text }) => `Line ${line}: ${text}`);
}

describe('the columns of a file', () => {
  test('are recognized in the template', () => {
    assert.deepEqual(recognise(TEMPLATE), Object.fromEntries(TEMPLATE.map((name, at) => [name, at])));
  });

  test('are recognized in a plain list, whatever the case and the spaces', () => {
    assert.deepEqual(recognise([' E-Mail ', 'NAME']), { email: 0, name: 1 });
    assert.deepEqual(recognise(['Email Address', 'Full Name']), { email: 0, name: 1 });
  });

  test('are recognized in contacts exported from Zoho Books', () => {
    const header = [
      'Created Time',
      'Display Name',
      'Company Name',
      'First Name',
      'Last Name',
      'Phone',
      'Status',
      'Portal Enabled',
    ];
    const more = ['Contact ID', 'Contact Person ID', 'Primary Contact ID', 'EmailID', 'MobilePhone', 'Contact Type'];
    const contact = row(
      [...header, ...more],
      [
        '2026-01-01',
        'Globex',
        'Globex Ltd',
        'Maria',
        'Silva',
        '+1 555 0100',
        'Active',
        'true',
        '460001',
        '460002',
        '460002',
        'maria@globex.test',
        '',
        'business',
      ],
    );
    assert.deepEqual(contact.customer, { id: '460001', name: 'Globex' });
    assert.equal(contact.name, 'Maria Silva');
    assert.equal(contact.externalId, '460002');
    assert.equal(contact.isPrimary, true);
    assert.equal(contact.open, true);
  });

  test('with names of JavaScript own things are columns like any other', () => {
    assert.deepEqual(recognise(['__proto__', 'constructor', 'email', 'toString']), { email: 2 });
  });
});

describe('a row', () => {
  test('says who somebody is, and what they have', () => {
    const uri = `otpauth://totp/Old%20Portal:maria?secret=${SECRET}&issuer=Old&algorithm=SHA1&digits=6&period=30`;
    const given = row(TEMPLATE, [
      ' Maria@Globex.test ',
      'Maria',
      'Globex',
      '17',
      "'+1 555 0100",
      'en-GB',
      'No',
      uri,
      '$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe',
    ]);
    assert.equal(given.email, 'Maria@Globex.test');
    assert.equal(given.emailKey, 'maria@globex.test');
    assert.equal(given.phone, '+1 555 0100');
    assert.equal(given.open, false);
    assert.equal(Buffer.from(given.secret ?? []).toString(), '12345678901234567890');
  });

  test('tells everything that is wrong with it, and no secret', () => {
    const cells = [
      'maria@',
      'N'.repeat(101),
      'C'.repeat(101),
      'i'.repeat(101),
      '5'.repeat(41),
      'xx',
      'perhaps',
      'JBSWY3DPEHPK3PXP',
      'hunter2',
    ];
    assert.deepEqual(says(TEMPLATE, cells), [
      "Line 7: “maria@” isn't an email address",
      'Line 7: name is longer than 100 characters',
      'Line 7: external_id is longer than 100 characters',
      'Line 7: customer is longer than 100 characters',
      'Line 7: phone is longer than 40 characters',
      "Line 7: portal_access “perhaps” isn't yes or no",
      'Line 7: totp_secret is shorter than 128 bits',
      'Line 7: password_hash is of a kind we cannot read',
      "Line 7: language “xx” isn't available",
    ]);
    assert.doesNotMatch(says(TEMPLATE, cells).join(), /JBSWY|hunter2/);
  });

  test('has as many cells as the header, and blank ones may follow', () => {
    assert.deepEqual(says(['email', 'name'], ['a@b.test']), ['Line 7: too few columns']);
    assert.deepEqual(says(['email', 'name'], ['a@b.test', 'A', 'B']), ['Line 7: too many columns']);
    assert.equal(row(['email', 'name'], ['a@b.test', 'A', '', ' ']).name, 'A');
  });

  test('may leave out everything but the email, and not that', () => {
    assert.deepEqual(says(['email', 'name'], [' ', 'A']), ['Line 7: email is missing']);
    assert.equal(row(['email', 'name'], ['a@b.test', '']).name, undefined);
    assert.deepEqual(says(['email', 'name'], ['a@b.test', 'A\0B']), [
      "Line 7: name has a character that can't be used",
    ]);
  });
});

function address(more: string): string {
  return `otpauth://totp/A:b?secret=${SECRET}${more}`;
}

describe('the secret of an authenticator app', () => {
  test('is read as people copy it', () => {
    for (const text of [
      SECRET,
      SECRET.toLowerCase(),
      SECRET.replace(/.{4}/g, '$& '),
      address(''),
      address('&digits=6&period=30&algorithm=sha1'),
    ])
      assert.equal(readSecret(text).kind, 'secret', text);
  });

  test('that another app would use otherwise is refused, with the reason and without itself', () => {
    const cases: [string, RegExp][] = [
      [address('&algorithm=SHA256'), /algorithm/],
      [address('&digits=8'), /length/],
      [address('&period=60'), /time/],
      [address('&digits=6&digits=8'), /twice/],
      [address('&DIGITS=8'), /length/],
      ['otpauth://hotp/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&counter=0', /counts up/],
      ['otpauth://steam/A:b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', /totp/],
      ['otpauth://totp/A:b?issuer=A', /no secret/],
      ['otpauth://', /otpauth/],
      ['GEZDGNBVGY3TQOJQGEZDGNBV', /128 bits/],
      ['not base32!', /base32/],
      ['A'.repeat(2_000), /too long/],
      ['A'.repeat(800), /too long/],
    ];
    for (const [text, why] of cases) {
      const read = readSecret(text);
      assert.ok(read.kind === 'refused', text);
      assert.match(read.why, why);
      assert.doesNotMatch(read.why, /GEZD|AAAA/);
    }
  });
});

describe('the rows that are left out of an import', () => {
  const header = ['email', 'otp seed', 'pw', 'note'];
  const record = { line: 2, cells: ['maria', SECRET, HASH, 'pays late'] };
  const problems = [{ line: 2, kind: 'email-shape', text: 'not an email' } as const];
  const text = (mapping: Mapping): string => leftRows([header], withErrors([record], problems), mapping, header.length);

  test('go back without secrets and hashes, also where their columns were called otherwise or were not to be read (I19)', () => {
    for (const mapping of [
      { email: 0 },
      { email: 0, totp_secret: 1 },
      { email: 0, totp_secret: 1, password_hash: 2 },
    ]) {
      assert.ok(!text(mapping).includes(SECRET) && !text(mapping).includes(HASH), text(mapping));
      assert.match(text(mapping), /"maria","\(copy it[^"]*","\(copy it[^"]*","pays late","Line 2: not an email"/);
    }
  });
});
