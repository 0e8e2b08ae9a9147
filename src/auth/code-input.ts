/** What somebody typed into a code field, by its shape alone. Only six or twelve digits are worth an attempt. */
export type CodeInput =
  | { kind: 'totp'; code: string }
  | { kind: 'backup-code'; code: string }
  | { kind: 'empty' }
  | { kind: 'letters' }
  | { kind: 'few'; digits: number }
  | { kind: 'many'; digits: number };

const IGNORED = /\s|\p{Pd}|\p{Cf}|\u2212|\ufe0f/gu;
const TYPED_MAX = 200;

/**
 * Reads a code as people write it: spaces, dashes and bidirectional marks between the digits, and the digits of other
 * scripts. Everything else is refused by its shape before it costs an attempt.
 */
export function readCode(typed: string): CodeInput {
  if (typed.length > TYPED_MAX) return { kind: 'many', digits: typed.length };
  const text = asciiText(typed);
  if (text === '') return { kind: 'empty' };
  if (!/^[0-9]+$/.test(text)) return { kind: 'letters' };
  if (text.length === 6) return { kind: 'totp', code: text };
  if (text.length === 12) return { kind: 'backup-code', code: text };
  return text.length < 6 ? { kind: 'few', digits: text.length } : { kind: 'many', digits: text.length };
}

/** Reads a code of so many digits that staff have handed over, written as freely; undefined where it has another shape. */
export function readDigits(typed: string, digits: number): string | undefined {
  const text = typed.length > TYPED_MAX ? '' : asciiText(typed);
  return /^[0-9]+$/.test(text) && text.length === digits ? text : undefined;
}

function asciiText(typed: string): string {
  return typed
    .normalize('NFKC')
    .replace(IGNORED, '')
    .replace(/\p{Nd}/gu, asciiDigit);
}

// Unicode keeps the digits 0 to 9 of every script in one run, so a digit's value is its distance from the run's start.
function asciiDigit(digit: string): string {
  let value = 0;
  let code = digit.codePointAt(0) ?? 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1))) {
    code--;
    value++;
  }
  return String(value);
}
