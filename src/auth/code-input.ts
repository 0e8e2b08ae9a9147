/** What somebody typed into a code field, by its shape alone. Only six or twelve digits are worth an attempt. */
export type CodeInput =
  | { kind: 'totp'; code: string }
  | { kind: 'backup-code'; code: string }
  | { kind: 'empty' }
  | { kind: 'letters' }
  | { kind: 'few'; digits: number }
  | { kind: 'many'; digits: number };

/** 49 bits, in five groups of three: as many digits as nothing else that is typed, and easy to say and to write down. */
export const SIGN_IN_CODE_DIGITS = 15;

const IGNORED = /\s|\p{Pd}|\p{Cf}|\u2212|\ufe0f/gu;
const TYPED_MAX = 200;

/** What somebody typed where a code is due that staff have read out. */
export type SignInCodeInput =
  | { kind: 'sign-in-code'; code: string }
  | Exclude<CodeInput, { kind: 'totp' } | { kind: 'backup-code' }>;

/**
 * Reads a code as people write it: spaces, dashes and bidirectional marks between the digits, and the digits of other
 * scripts. Everything else is refused by its shape before it costs an attempt.
 */
export function readCode(typed: string): CodeInput {
  const read = readText(typed);
  if (typeof read !== 'string') return read;
  if (read.length === 6) return { kind: 'totp', code: read };
  if (read.length === 12) return { kind: 'backup-code', code: read };
  return read.length < 6 ? { kind: 'few', digits: read.length } : { kind: 'many', digits: read.length };
}

/** The same for a code that staff have read out, which has digits enough to be no other. */
export function readSignInCode(typed: string): SignInCodeInput {
  const read = readText(typed);
  if (typeof read !== 'string') return read;
  if (read.length === SIGN_IN_CODE_DIGITS) return { kind: 'sign-in-code', code: read };
  return { kind: read.length < SIGN_IN_CODE_DIGITS ? 'few' : 'many', digits: read.length };
}

function readText(typed: string): string | { kind: 'empty' } | { kind: 'letters' } | { kind: 'many'; digits: number } {
  if (typed.length > TYPED_MAX) return { kind: 'many', digits: typed.length };
  const text = asciiText(typed);
  if (text === '') return { kind: 'empty' };
  return /^[0-9]+$/.test(text) ? text : { kind: 'letters' };
}

/** Reads a code of so many digits that staff have handed over, written as freely; undefined where it has another shape. */
export function readDigits(typed: string, digits: number): string | undefined {
  const read = readText(typed);
  return typeof read === 'string' && read.length === digits ? read : undefined;
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
