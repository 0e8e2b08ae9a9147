import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { describe, test } from 'node:test';
import { readHash, type ForeignHash } from '../../src/crypto/foreign-hashes.ts';
import { isOutdated, isReadable, PASSWORD_COST, verifyPassword } from '../../src/crypto/passwords.ts';

const SALT = Buffer.from('salt of it');
const salt = unpadded(SALT);
const sha1 = unpadded(pbkdf2Sync('password', SALT, 1212, 20, 'sha1')).replaceAll('+', '.');
const sha512 = unpadded(pbkdf2Sync('password', SALT, 1000, 64, 'sha512'));

/** As Django makes it of what was typed. */
function djangoHash(password: string): string {
  return `pbkdf2_sha256$1000$NaCl$${pbkdf2Sync(password, 'NaCl', 1000, 32, 'sha256').toString('base64')}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** As argon2-cffi, OpenBSD, passlib, Django and the PHC format write them, with the password each was made of. */
const EXAMPLES: Record<string, [kind: ForeignHash['kind'], password: string, hash: string]> = {
  'argon2-cffi': [
    'argon2',
    'correct horse battery staple',
    '$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
  ],
  OpenBSD: ['bcrypt', 'a', '$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'],
  'a PHP': ['bcrypt', 'a', '$2y$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'],
  'a newer OpenBSD': ['bcrypt', 'a', '$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'],
  'passlib’s scrypt': [
    'scrypt',
    'password',
    '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
  ],
  'passlib’s PBKDF2': [
    'pbkdf2',
    'password',
    '$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
  ],
  'passlib’s PBKDF2 of SHA-1': ['pbkdf2', 'password', `$pbkdf2$1212$${salt}$${sha1}`],
  'PHC’s PBKDF2 of SHA-512': ['pbkdf2', 'password', `$pbkdf2-sha512$i=1000,l=64$${salt}$${sha512}`],
  Django: ['pbkdf2', 'password', djangoHash('password')],
};
describe('a hash from another system', () => {
  for (const [name, [kind, password, hash]] of Object.entries(EXAMPLES)) {
    test(`of ${name} fits its password and no other`, async () => {
      const read = readHash(hash);
      assert.equal(read.kind === 'hash' ? read.hash.kind : read.kind, kind);
      assert.equal(await verifyPassword(hash, password), true);
      for (const wrong of ['', `${password} `, password.toUpperCase()])
        assert.equal(await verifyPassword(hash, wrong), false);
      assert.equal(isOutdated(hash, PASSWORD_COST), true);
    });
  }

  test('is of what was typed, in whatever form', async () => {
    const decomposed = 'cafe\u0301 au lait';
    assert.equal(await verifyPassword(djangoHash(decomposed), decomposed), true);
    assert.equal(await verifyPassword(djangoHash(decomposed.normalize('NFKC')), decomposed), true);
    assert.equal(await verifyPassword(djangoHash('cafe au lait'), decomposed), false);
  });

  const COSTLY = {
    'argon2 that fills the memory':
      '$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    'argon2 with many passes':
      '$argon2i$v=19$m=65536,t=999,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    'argon2 with both at their most':
      '$argon2d$v=19$m=131072,t=16,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    'argon2 with many lanes':
      '$argon2id$v=19$m=65536,t=1,p=64$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    'bcrypt that takes a year': '$2b$31$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe',
    'bcrypt of a second': '$2b$14$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe',
    'scrypt that fills the memory':
      '$scrypt$ln=31,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    'scrypt that does not end':
      '$scrypt$ln=10,r=8,p=999$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    'PBKDF2 that does not end':
      '$pbkdf2-sha256$99999999$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
  };
  for (const [name, hash] of Object.entries(COSTLY)) {
    test(`is refused where it is ${name}, and nobody signs in with it`, async () => {
      assert.equal(readHash(hash).kind, 'costly');
      assert.equal(isReadable(hash), false);
      assert.equal(await verifyPassword(hash, 'password'), false);
    });
  }

  const UNKNOWN = [
    '',
    'password',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
    '$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.',
    '$argon2id$v=19$m=1,t=1,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    '$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    '$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    '$argon2id$v=19$m=64,t=1,p=1$c2FsdA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg',
    '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbh',
    '$scrypt$ln=16,r=1,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    '$2x$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe',
    '$2b$99$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe',
    '$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVf',
    '$scrypt$ln=0,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    '$pbkdf2-sha256$0$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
    '$pbkdf2-sha1$1000$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
    '$pbkdf2-md5$1000$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44',
    '$pbkdf2-sha256$1000$.6UI/S.nXIk8jcbdHx3Fhg$98jZ',
    `pbkdf2_sha256$1000$${'s'.repeat(600)}$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44=`,
  ];
  for (const text of UNKNOWN) {
    test(`is none where it is ${JSON.stringify(text.slice(0, 40))}`, async () => {
      assert.equal(readHash(text).kind, 'unknown');
      assert.equal(await verifyPassword(text, 'password'), false);
    });
  }

  test('is checked without a fault wherever it was understood, whatever is typed: it went in with a file', async () => {
    const [short, long] = ['c2FsdA', 'c29tZXNhbHRzYWx0'];
    const digest = 'YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg';
    const hashes = [
      ...[short, long].map((one) => `$argon2id$v=19$m=64,t=1,p=8$${one}$${digest}`),
      ...[1, 4, 15, 16, 20].map((ln) => `$scrypt$ln=${ln},r=1,p=1$${short}$${digest}`),
      ...['.', '9', 'z'].map((letter) => `$2b$04$${letter.repeat(53)}`),
      `$pbkdf2-sha256$1$${short}$${digest}`,
    ];
    for (const one of hashes)
      for (const typed of ['', 'a\0b', '\ud800', 'é'.repeat(128)])
        assert.equal(await verifyPassword(one, typed), false, one);
  });
});
