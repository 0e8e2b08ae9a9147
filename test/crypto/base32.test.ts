import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase32, encodeBase32 } from '../../src/crypto/base32.ts';

test('the texts of RFC 4648 §10, without padding', () => {
  const texts = { '': '', f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI' };
  for (const [text, encoded] of Object.entries(texts)) assert.equal(encodeBase32(Buffer.from(text)), encoded);
});

test('every secret is written in letters and digits that nobody mixes up, and can be read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const text = encodeBase32(bytes);
      assert.match(text, /^[A-Z2-7]*$/);
      const bits = Array.from(text, (letter) =>
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
      );
      const read = bits.join('').match(/.{8}/g) ?? [];
      assert.deepEqual(
        Uint8Array.from(read, (byte) => Number.parseInt(byte, 2)),
        bytes,
      );
    }),
  );
});

test('a text that people copied is read as the bytes it was made of', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const text = encodeBase32(bytes);
      assert.deepEqual(decodeBase32(text), bytes);
      const copied = text.toLowerCase().replace(/.{4}/g, '$& ').padEnd(8, '=');
      assert.deepEqual(decodeBase32(copied), bytes);
    }),
  );
});

test('a text that is no base32 is no bytes', () => {
  for (const text of ['MY1', 'M', 'MZ', 'MZXW6YQQ1', 'MZX=W', 'мy', 'MZXW6Y\0Q'])
    assert.equal(decodeBase32(text), undefined, text);
});
