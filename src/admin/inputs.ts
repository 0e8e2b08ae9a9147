import { isTimeZone } from '../accounts/organizations.ts';
import { selectField, type Content, type Html, type Problem } from '../web/components.ts';

export { line, lines, PHONE_MAX } from '../web/typed.ts';

export const NAME_MAX = 100;
export const EMAIL_MAX = 254;
export const NOTE_MAX = 500;
export const CONTACT_DETAILS_MAX = 300;

/** What is wrong with a text that had to be written: nothing there, or more than fits. */
export function needed(field: string, what: string, text: string, max: number): Problem[] {
  return text === '' ? [{ field, text: `Enter ${what}` }] : fitting(field, what, text, max);
}

/** What is wrong with a text that may be left out. */
export function fitting(field: string, what: string, text: string, max: number): Problem[] {
  return text.length > max ? [{ field, text: `Keep ${what} to ${max} characters or fewer` }] : [];
}

/** A time zone of those that this machine knows, and the one that is chosen even if it goes by an older name. */
export function timeZoneField(chosen: string, p: { hint?: Content; error?: string | undefined }): Html {
  const choices = [...new Set([chosen, 'UTC', ...Intl.supportedValuesOf('timeZone')])].filter(isTimeZone);
  return selectField({ ...p, name: 'timeZone', label: 'Time zone', value: chosen, choices: choices.toSorted() });
}
