import Bowser from 'bowser';
import { say } from '../words/say.ts';

/** What a browser calls itself, in words: "Chrome on Windows". To be recognized by, not to be believed. */
export function deviceOf({ userAgent }: { readonly userAgent: string }): string {
  const { browser, os } = Bowser.parse(userAgent === '' ? '-' : userAgent);
  if (browser.name && os.name) return say('sec.sessions.browser', { browser: browser.name, system: os.name });
  return browser.name || os.name || say('sec.sessions.unknown');
}
