export const PHONE_MAX = 40;

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
