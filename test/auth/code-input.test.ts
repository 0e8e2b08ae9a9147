import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readCode } from '../../src/auth/code-input.ts';

const SIX = { kind: 'totp', code: '123456' };
const TWELVE = { kind: 'backup-code', code: '123456789012' };

describe('a code', () => {
  test('is read as people write it: with spaces, dashes and what copying leaves behind', () => {
    const typed = {
      plain: '123456',
      'with a space': '123 456',
      'with spaces around': '  123456\n',
      'with a dash': '123-456',
      'with an en dash': '123–456',
      'with a minus sign': '123−456',
      'with a no-break space': '123\u00a0456',
      'with a narrow no-break space': '123\u202f456',
      'with a zero-width space': '123\u200b456',
      'with direction marks': '\u200e\u202a123456\u202c\u200f',
      'with isolates': '\u2066123456\u2069',
      'with a byte order mark': '\ufeff123456',
      'with a word joiner': '123\u2060456',
      'with a tab': '123\t456',
    };
    for (const [how, text] of Object.entries(typed)) assert.deepEqual(readCode(text), SIX, how);
  });

  test('is read in the digits of other scripts', () => {
    const typed = {
      'full-width': '１２３４５６',
      'Arabic-Indic': '١٢٣٤٥٦',
      Persian: '۱۲۳۴۵۶',
      Devanagari: '१२३४५६',
      Bengali: '১২৩৪৫৬',
      mathematical: '𝟏𝟐𝟑𝟒𝟓𝟔',
      mixed: '1２٣۴५৬',
    };
    for (const [script, text] of Object.entries(typed)) assert.deepEqual(readCode(text), SIX, script);
  });

  test('every digit of every script has its own value', () => {
    for (const zero of ['0', '٠', '۰', '०', '০', '௦', '๐', '０', '𝟎', '𝟬']) {
      const first = zero.codePointAt(0) ?? 0;
      const digits = Array.from({ length: 10 }, (_, n) => String.fromCodePoint(first + n));
      assert.deepEqual(readCode(digits.slice(0, 6).join('')), { kind: 'totp', code: '012345' }, zero);
      assert.deepEqual(readCode(digits.slice(4).join('')), { kind: 'totp', code: '456789' }, zero);
    }
  });

  test('of twelve digits is a backup code, as it is printed too', () => {
    for (const text of ['123456789012', '1234 5678 9012', '1234-5678-9012']) assert.deepEqual(readCode(text), TWELVE);
  });

  test('of any other length is refused by its length', () => {
    assert.deepEqual(readCode('1'), { kind: 'few', digits: 1 });
    assert.deepEqual(readCode('12345'), { kind: 'few', digits: 5 });
    assert.deepEqual(readCode('1234567'), { kind: 'many', digits: 7 });
    assert.deepEqual(readCode('12345678901'), { kind: 'many', digits: 11 });
    assert.deepEqual(readCode('1234567890123'), { kind: 'many', digits: 13 });
    assert.equal(readCode('1'.repeat(100_000)).kind, 'many');
  });

  test('that is empty, or only looks like something, is empty', () => {
    for (const text of ['', ' ', '\u00a0', '---', '\u200e\u200f', '\n'])
      assert.deepEqual(readCode(text), { kind: 'empty' });
  });

  test('with anything but digits in it is refused as that', () => {
    for (const text of [
      'abcdef',
      '12345a',
      'O12345',
      '123.456',
      '123,456',
      '1e5000',
      '0x1234',
      '+12345',
      '12345½',
      '123456\0',
      '一二三四五六',
    ]) {
      assert.equal(readCode(text).kind, 'letters', text);
    }
  });

  test('whatever is typed, nothing breaks, and only six or twelve digits are worth an attempt', () => {
    const typed = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789 -–\u200e\u00a0١۲３४৫a')) }),
      fc.stringMatching(/^[0-9]{4,14}$/),
    );
    fc.assert(
      fc.property(typed, (text) => {
        const code = readCode(text);
        if (code.kind === 'totp') assert.match(code.code, /^[0-9]{6}$/);
        if (code.kind === 'backup-code') assert.match(code.code, /^[0-9]{12}$/);
        if (/^[0-9]+$/.test(text)) {
          const kinds: Record<number, string> = { 6: 'totp', 12: 'backup-code' };
          assert.equal(code.kind, kinds[text.length] ?? (text.length < 6 ? 'few' : 'many'));
        }
      }),
    );
  });
});
