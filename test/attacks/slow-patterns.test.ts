import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emailKey, sortKey } from '../../src/accounts/accounts.ts';
import { searchedWords, wordsOf } from '../../src/accounts/findable.ts';
import { slugFor } from '../../src/accounts/organizations.ts';
import { line, lines } from '../../src/admin/inputs.ts';
import { readCode } from '../../src/auth/code-input.ts';
import { parseKeyRing } from '../../src/config.ts';
import { plain } from '../../src/cli/stopped.ts';
import { clientOf } from '../../src/web/client-ip.ts';
import { FORM_BYTES_MAX, readForm } from '../../src/web/forms.ts';

const quietly = (parse: () => unknown): void => {
  try {
    parse();
  } catch {
    // Refusing is as good as reading: what counts is how long it takes.
  }
};

/** Every parser that meets what strangers send, up to the length at which it meets it. */
const PARSERS: [name: string, most: number, parse: (text: string) => unknown][] = [
  ['an e-mail address', FORM_BYTES_MAX, emailKey],
  ['a code', FORM_BYTES_MAX, readCode],
  ['a form', FORM_BYTES_MAX, (text) => readForm('application/x-www-form-urlencoded', text, ['email'])],
  ['a content type', FORM_BYTES_MAX, (text) => readForm(`application/x-www-form-urlencoded${text}`, '', ['email'])],
  [
    'an address behind proxies',
    FORM_BYTES_MAX,
    (text) => clientOf('10.0.0.1', text, ['10.0.0.0/8', '::/0', '0.0.0.0/0']),
  ],
  ['a line', FORM_BYTES_MAX, line],
  ['several lines', FORM_BYTES_MAX, lines],
  ['a text for the terminal', FORM_BYTES_MAX, plain],
  ['a name to search for', 100, sortKey],
  ['the words of a name', 100, (text) => wordsOf([sortKey(text)])],
  ['the words of an address', 254, (text) => wordsOf([], text)],
  ['a search', FORM_BYTES_MAX, searchedWords],
  ['a display name', 100, slugFor],
  ['a key ring', FORM_BYTES_MAX, parseKeyRing],
];

/** What makes a pattern go back and forth: long runs, near ends, and combining marks, which are sorted when normalised. */
const TROUBLE: ((length: number) => string)[] = [
  (length) => 'a'.repeat(length),
  (length) => `${'a'.repeat(length - 1)}!`,
  (length) => 'a@'.repeat(length / 2),
  (length) => `a@${'a.'.repeat(length / 2 - 1)}!`,
  (length) => `a@${'-'.repeat(length - 2)}`,
  (length) => ' '.repeat(length),
  (length) => `${' '.repeat(length - 1)}x`,
  (length) => `x${'\r'.repeat(length - 2)}x`,
  (length) => '\u0301\u0323'.repeat(length / 2),
  (length) => '%'.repeat(length),
  (length) => '%41'.repeat(length / 3),
  (length) => '1.'.repeat(length / 2),
  (length) => `[${':'.repeat(length - 2)}]`,
  (length) => '1,'.repeat(length / 2),
  (length) => '; charset=utf-8'.repeat(length / 15),
  (length) => '٠'.repeat(length),
];

/** The least processor time of several goes, in microseconds: what the machine else does makes it only longer. */
function effort(work: () => void, goes = 5): number {
  let least = Infinity;
  for (let go = 0; go < goes; go++) {
    const before = process.cpuUsage();
    for (let n = 0; n < 5; n++) work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

// Reading 16 KiB once, letter by letter, is the measure: what grows with the square of the length needs thousands of it.
const MEASURE = 'é'.repeat(FORM_BYTES_MAX / 2);
const letterByLetter = (): void => {
  let sum = 0;
  for (const letter of MEASURE) sum += letter.normalize('NFKC').codePointAt(0) ?? 0;
  assert.ok(sum > 0);
};

test('slow regular expressions: no parser’s work grows with the square of what a stranger sends (ASVS 1.3.12)', () => {
  const unit = Math.max(1_000, effort(letterByLetter));
  const slow: string[] = [];
  for (const [name, most, parse] of PARSERS)
    for (const [at, trouble] of TROUBLE.entries()) {
      const text = trouble(most);
      const taken = effort(() => quietly(() => parse(text)));
      if (taken > 40 * unit) slow.push(`${name} with trouble ${at}: ${Math.round(taken / unit)} times the measure`);
    }
  assert.deepEqual(slow, []);
});

test('slow regular expressions: the measure finds a pattern that goes back and forth', () => {
  const unit = Math.max(1_000, effort(letterByLetter));
  const text = 'a'.repeat(FORM_BYTES_MAX);
  assert.ok(effort(() => /a*b/.test(text), 1) > 40 * unit);
});
