import { IntlMessageFormat } from 'intl-messageformat';
import { en } from './en.ts';

export type Key = keyof typeof en;

const compiled = new Map<Key, IntlMessageFormat>();

/** The text of a key with its placeholders filled in. Throws on a missing placeholder, so that a gap never reaches a page. */
export function say(key: Key, values: Record<string, string | number> = {}): string {
  return String(message(key).format(values));
}

/** The text of a key in pieces, so that a page can put an element (a time, a link) where a placeholder stands. */
export function sayParts(key: Key, values: Record<string, unknown>): unknown[] {
  return message(key)
    .formatToParts(values)
    .map((part) => part.value);
}

function message(key: Key): IntlMessageFormat {
  let found = compiled.get(key);
  if (!found) {
    // Texts are plain: what looks like a tag is text, and only the page decides what becomes an element.
    found = new IntlMessageFormat(en[key], 'en', undefined, { ignoreTag: true });
    compiled.set(key, found);
  }
  return found;
}
