import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { open, seal, SealError, type KeyRing } from '../../src/crypto/seal.ts';

const OLD = Buffer.alloc(32, 'old');
const NEW = Buffer.alloc(32, 'new');
const ring = (...keys: [string, Buffer][]): KeyRing => ({ current: keys[0]?.[0] ?? '', keys: new Map(keys) });
const RING = ring(['new', NEW], ['old', OLD]);
const PLACE = ['authenticators', 'secret', 'acme', 'maria', 'row 1'];

test('what was sealed for a place opens there, whatever it says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.string()), (text, place) => {
      assert.equal(open(RING, place, seal(RING, place, text)), text);
    }),
  );
});

test('moved to another table, column, organization, account or row it does not open', () => {
  const sealed = seal(RING, PLACE, 'secret');
  for (let part = 0; part < PLACE.length; part++) {
    const elsewhere = PLACE.with(part, 'another');
    assert.throws(() => open(RING, elsewhere, sealed), SealError);
  }
});

test('a place cannot be shifted into its neighbour', () => {
  const sealed = seal(RING, ['ab', 'c'], 'secret');
  assert.throws(() => open(RING, ['a', 'bc'], sealed), SealError);
  assert.throws(() => open(RING, ['ab,c'], sealed), SealError);
  assert.throws(() => open(RING, ['ab'], sealed), SealError);
});

test('changed in any one byte it does not open', () => {
  const sealed = seal(RING, PLACE, 'secret');
  const [id = '', text = ''] = sealed.split('.');
  const bytes = Buffer.from(text, 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    assert.throws(() => open(RING, PLACE, `${id}.${changed.toString('base64url')}`), SealError, `byte ${at}`);
  }
});

test('cut short, empty or not sealed at all it does not open', () => {
  const sealed = seal(RING, PLACE, 'secret');
  for (const text of ['', 'new', 'new.', '.', sealed.slice(0, 20), sealed.slice(0, -4), 'secret']) {
    assert.throws(() => open(RING, PLACE, text), SealError, text);
  }
});

test('a key that is not in the ring is named, and its bytes under another name do not help', () => {
  const sealed = seal(ring(['old', OLD]), PLACE, 'secret');
  assert.throws(() => open(ring(['new', NEW]), PLACE, sealed), {
    name: 'SealError',
    message: /key "old" is not in the ring/,
  });
  assert.throws(() => open(ring(['new', OLD]), PLACE, sealed), /"old"/);
  assert.throws(() => open(ring(['old', NEW]), PLACE, sealed), SealError);
  assert.throws(
    () => open(ring(['new', OLD]), PLACE, sealed.replace('old.', 'new.')),
    SealError,
    'the id is bound too',
  );
});

test('the first key seals, and every key of the ring opens what it sealed', () => {
  assert.match(seal(RING, PLACE, 'secret'), /^new\./);
  assert.equal(open(RING, PLACE, seal(ring(['old', OLD]), PLACE, 'secret')), 'secret');
});

test('the same text sealed twice looks different', () => {
  assert.notEqual(seal(RING, PLACE, 'secret'), seal(RING, PLACE, 'secret'));
});
