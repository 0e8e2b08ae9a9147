import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint, hashToken, randomDigits, randomToken, uuidv7 } from '../../src/crypto/tokens.ts';

test('a token is 256 random bits, and only its hash tells them apart', () => {
  const tokens = new Set(Array.from({ length: 1000 }, randomToken));
  assert.equal(tokens.size, 1000);
  for (const token of tokens) {
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  }
  assert.equal(hashToken('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});

test('a fingerprint depends on its key and on where one part ends and the next begins', () => {
  const key = Buffer.alloc(32, 1);
  assert.equal(fingerprint(key, 'a', 'b'), fingerprint(key, 'a', 'b'));
  assert.notEqual(fingerprint(key, 'a', 'b'), fingerprint(Buffer.alloc(32, 2), 'a', 'b'));
  assert.notEqual(fingerprint(key, 'a', 'b'), fingerprint(key, 'ab', ''));
});

test('random digits have their length, and every digit comes up in every place', () => {
  const codes = Array.from({ length: 1000 }, () => randomDigits(12));
  for (const code of codes) assert.match(code, /^\d{12}$/);
  for (let place = 0; place < 12; place++) assert.equal(new Set(codes.map((code) => code[place])).size, 10);
});

test('ids carry the moment they were made at and sort in the order they were made in', () => {
  const now = Date.UTC(2026, 10, 24);
  const ids = [uuidv7(now - 1), ...Array.from({ length: 1000 }, () => uuidv7(now)), uuidv7(now + 1)];
  assert.deepEqual(ids, ids.toSorted());
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(Number.parseInt(uuidv7(now).replaceAll('-', '').slice(0, 12), 16), now);
});
