import type { Problem } from '../web/components.ts';

export const NAME_MAX = 100;
export const EMAIL_MAX = 254;
export const PHONE_MAX = 40;
export const NOTE_MAX = 500;
export const CONTACT_DETAILS_MAX = 300;

// Marks that turn the direction of what stands behind them: in a name or note they would turn the page's own words.
const TURNING = /[\u202A-\u202E\u2066-\u2069]/g;

/** A line of text as it is kept: no line breaks, control characters or turning marks, no spaces at its ends. */
export function line(text: string): string {
  return text
    .replace(TURNING, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** Several lines, with one kind of line break and nothing around them. */
export function lines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(TURNING, '')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .trim();
}

/** What is wrong with a text that had to be written: nothing there, or more than fits. */
export function needed(field: string, what: string, text: string, max: number): Problem[] {
  return text === '' ? [{ field, text: `Enter ${what}` }] : fitting(field, what, text, max);
}

/** What is wrong with a text that may be left out. */
export function fitting(field: string, what: string, text: string, max: number): Problem[] {
  return text.length > max ? [{ field, text: `Keep ${what} to ${max} characters or fewer` }] : [];
}
