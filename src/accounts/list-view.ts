import { sql, type Sql } from '../db/db.ts';
import { hasWord, searchedWords } from './findable.ts';

export const MFA_FILTERS = ['on', 'none', 'low', 'locked', 'reset'] as const;
export const PORTAL_FILTERS = ['on', 'invited', 'off'] as const;
export const LAST_SIGN_IN_FILTERS = ['recent', 'long-ago', 'never'] as const;
export const SORTS = ['name', 'email', 'last-sign-in'] as const;

/** What somebody wants to see of the list of customers, and in which order. Null: whatever it is. */
export interface View {
  readonly search: string;
  readonly mfa: (typeof MFA_FILTERS)[number] | null;
  readonly portal: (typeof PORTAL_FILTERS)[number] | null;
  readonly lastSignIn: (typeof LAST_SIGN_IN_FILTERS)[number] | null;
  readonly sort: (typeof SORTS)[number];
  readonly descending: boolean;
}

export const RECENT_DAYS = 30;
export const LONG_AGO_DAYS = 90;
const DAY_MS = 86_400_000;

/** One thing that a view asks of its rows. */
export interface Condition {
  /** Whether a contact `a` fulfils it. */
  readonly holds: Sql;
  /** The ids of all who may, out of one index and in no order that matters. Undefined: nearly everybody does. */
  readonly candidates: Sql | undefined;
  /** The part of `holds` that an index in the order of names is made for, in that index's very words. */
  readonly indexed?: Sql;
  /** The beginning of a word, where the condition is one. */
  readonly word?: string;
}

// As the indexes of migrations/2001_listed.sql have them. 2 stands for FEW_CODES, which a test holds to it.
const MFA = {
  on: sql`a.mfa_since IS NOT NULL`,
  none: sql`a.mfa_since IS NULL`,
  low: sql`a.mfa_since IS NOT NULL AND COALESCE(a.backup_codes_left, 0) <= 2`,
  locked: sql`(a.suspected_at IS NOT NULL OR a.totp_wait_until > 0 OR a.backup_wait_until > 0)`,
  reset: sql`a.reset_notice_at IS NOT NULL AND a.mfa_since IS NULL`,
};
const PORTAL = {
  on: sql`a.disabled_at IS NULL AND a.password_set_at IS NOT NULL`,
  invited: sql`a.disabled_at IS NULL AND a.password_set_at IS NULL`,
  off: sql`a.disabled_at IS NOT NULL`,
};
/** Every row of the list that is a contact; staff have no customer's key. */
export const IS_LISTED = sql`a.customer_key IS NOT NULL`;
/** In the order of names, which is the list's own. */
export const BY_NAME = sql`a.customer_key, a.customer_id, a.id`;
export const LAST_SIGN_IN = sql`a.last_sign_in_key`;

/** All that a view asks, at a moment: the filters, then the words. */
export function conditionsOf(organizationId: string, view: View, now: number): Condition[] {
  const filters: Condition[] = [];
  if (view.mfa === 'locked') filters.push(locked(organizationId, now));
  else if (view.mfa !== null) filters.push(filter(organizationId, MFA[view.mfa]));
  if (view.portal === 'on') filters.push({ holds: PORTAL.on, candidates: undefined });
  else if (view.portal !== null) filters.push(filter(organizationId, PORTAL[view.portal]));
  if (view.lastSignIn !== null) filters.push(signedIn(organizationId, view.lastSignIn, now));
  return [...filters, ...searchedWords(view.search).map((word) => condition(organizationId, word))];
}

/** Whether customers without contacts are shown too: they have a name to be found and sorted by, and nothing else. */
export function showsLone({ mfa, portal, lastSignIn, sort }: View): boolean {
  return mfa === null && portal === null && lastSignIn === null && sort === 'name';
}

function filter(organizationId: string, indexed: Sql): Condition {
  const candidates = sql`SELECT a.id FROM accounts a
    WHERE a.organization_id = ${organizationId} AND ${IS_LISTED} AND ${indexed} ORDER BY ${BY_NAME}`;
  return { holds: indexed, candidates, indexed };
}

// A wait that is over leaves its end behind until the next right code, so the index holds a few too many.
function locked(organizationId: string, now: number): Condition {
  const waits = sql`(a.suspected_at IS NOT NULL OR a.totp_wait_until > ${now} OR a.backup_wait_until > ${now})`;
  return { ...filter(organizationId, MFA.locked), holds: sql`${MFA.locked} AND ${waits}` };
}

function signedIn(organizationId: string, when: NonNullable<View['lastSignIn']>, now: number): Condition {
  const holds = {
    recent: sql`${LAST_SIGN_IN} > ${now - RECENT_DAYS * DAY_MS}`,
    'long-ago': sql`${LAST_SIGN_IN} > 0 AND ${LAST_SIGN_IN} < ${now - LONG_AGO_DAYS * DAY_MS}`,
    never: sql`${LAST_SIGN_IN} = 0`,
  }[when];
  const candidates = sql`SELECT a.id FROM accounts a
    WHERE a.organization_id = ${organizationId} AND ${IS_LISTED} AND ${holds} ORDER BY ${LAST_SIGN_IN}, a.id`;
  return { holds, candidates };
}

function condition(organizationId: string, word: string): Condition {
  return isId(word) ? hasId(organizationId, word) : startsWith(organizationId, word);
}

function startsWith(organizationId: string, word: string): Condition {
  const candidates = sql`SELECT w.row_id AS id FROM search_words w WHERE ${wordsFrom(organizationId, word)}`;
  return { holds: hasWord(sql`a.words`, word), candidates, word };
}

/** The words `w` of an organization that begin so. */
export function wordsFrom(organizationId: string, beginning: string): Sql {
  return sql`w.organization_id = ${organizationId} AND w.word >= ${beginning} AND w.word < ${`${beginning}\u{10FFFF}`}`;
}

function isId(word: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(word);
}

// Of a contact, or of a customer, who is then found with all contacts or with none.
function hasId(organizationId: string, id: string): Condition {
  const here = sql`a.organization_id = ${organizationId}`;
  const candidates = sql`SELECT a.id FROM accounts a WHERE ${here} AND a.id = ${id} AND ${IS_LISTED}
    UNION ALL SELECT a.id FROM accounts a WHERE ${here} AND a.customer_id = ${id}
    UNION ALL SELECT c.id FROM customers c WHERE c.organization_id = ${organizationId} AND c.id = ${id}`;
  return { holds: sql`(a.id = ${id} OR a.customer_id = ${id})`, candidates };
}
