import { setImmediate as othersHaveTheirTurn } from 'node:timers/promises';
import { sql, type Database, type Sql } from '../db/db.ts';
import { contactsWhere, type Contact } from './contacts.ts';
import type { Customer } from './customers.ts';
import { fits, searchedWords, wordsOf } from './findable.ts';
import {
  comparing,
  LONE,
  loneLight,
  lightOf,
  merged,
  ORDERS,
  type Key,
  type Keyed,
  type Light,
  type Lone,
} from './list-order.ts';
import { conditionsOf, IS_LISTED, showsLone, type View } from './list-view.ts';
import { all, alongNames, alongWords, BOUNDS, limited, type Asked, type Bounds, type Place } from './list-walk.ts';

/** One row of the list: a contact with its customer, or a customer without contacts. */
export interface ListRow {
  readonly customer: Customer;
  readonly contact: Contact | null;
}

export type Count =
  | { readonly kind: 'exact'; readonly contacts: number; readonly lone: number }
  /** More than anybody counts for a page: more than so many, where that is known. */
  | { readonly kind: 'many'; readonly moreThan: number | null };

export interface ListPage {
  readonly rows: readonly ListRow[];
  /** How many rows come before this page. */
  readonly at: number;
  readonly next: Place | null;
  readonly previous: Place | null;
  readonly count: Count;
  /** False where so many match that they are shown in the order of the word that finds them. */
  readonly sorted: boolean;
  /** So many were looked at for this page without filling it; `next` goes on looking. Null where it is complete. */
  readonly lookedAt: number | null;
}

interface Found {
  readonly rows: readonly Light[];
  readonly at: number;
  readonly next: Key | null;
  readonly previous: Key | null;
  readonly count: Count;
  readonly sorted: boolean;
  readonly lookedAt: number | null;
}

export interface Wanted {
  readonly place: Place | null;
  readonly size: number;
  readonly now: number;
  readonly bounds?: Bounds;
}

/**
 * One page of the list of an organization, at most 100 rows. It costs the same whatever the organization's size: where
 * one of the conditions leaves no more than 3,000 rows, those are collected, sorted and counted; else the page is read
 * from an index, and no more than 2,501 rows are looked at for it.
 */
export async function customerPage(
  db: Database,
  organizationId: string,
  view: View,
  { place, size, now, bounds = BOUNDS }: Wanted,
): Promise<ListPage> {
  const conditions = conditionsOf(organizationId, view, now);
  const asked = { db, organizationId, view, conditions, place, size, bounds };
  const { rows, next, previous, ...found } = (await narrow(asked)) ?? (await broad(asked));
  return {
    ...found,
    rows: await whole(asked, rows),
    next: next && { towards: 'next', at: found.at + rows.length, key: next },
    previous: previous && { towards: 'previous', at: found.at, key: previous },
  };
}

const COUNTED_AT_ONCE = 10_000;

/**
 * How many contacts a view shows, exactly, for an act on all of them. Looks at everybody, ten thousand at a time, so that
 * others have their turn in between; a second or two for a million.
 */
export async function countContacts(db: Database, organizationId: string, view: View, now: number): Promise<number> {
  const conditions = conditionsOf(organizationId, view, now);
  let [contacts, after] = [0, ''];
  for (;;) {
    const part = await db.one<{ looked: number; contacts: number; last: string }>(sql`SELECT COUNT(*) AS looked,
        COALESCE(SUM(c.fits), 0) AS contacts, MAX(c.id) AS last
      FROM (SELECT a.id, CASE WHEN ${IS_LISTED} ${all(conditions)} THEN 1 ELSE 0 END AS fits FROM accounts a
        WHERE a.organization_id = ${organizationId} AND a.id > ${after}
        ORDER BY a.id ${limited(COUNTED_AT_ONCE)}) c`);
    if (!part) return contacts;
    contacts += part.contacts;
    if (part.looked < COUNTED_AT_ONCE) return contacts;
    after = part.last;
    await othersHaveTheirTurn();
  }
}

async function narrow(asked: Asked): Promise<Found | undefined> {
  for (const condition of asked.conditions) {
    if (condition.candidates === undefined) continue;
    const row = await asked.db.one<{ n: number }>(
      sql`SELECT COUNT(*) AS n FROM (SELECT 1 FROM (${condition.candidates} ${limited(asked.bounds.narrow + 1)}) c) n`,
    );
    if ((row?.n ?? 0) <= asked.bounds.narrow) return sliceOf(asked, await collected(asked, condition.candidates));
  }
  return undefined;
}

async function collected({ db, organizationId, view, conditions, bounds }: Asked, candidates: Sql): Promise<Light[]> {
  const order = ORDERS[view.sort];
  const few = sql`(SELECT DISTINCT id FROM (${candidates} ${limited(bounds.narrow)}) c) d`;
  const contacts = await db.all<Keyed>(sql`SELECT a.id, ${order.keys} FROM ${few} CROSS JOIN accounts a
    WHERE a.organization_id = ${organizationId} AND a.id = d.id AND ${IS_LISTED} ${all(conditions)}
    ORDER BY ${order.by(view.descending)}`);
  const found = contacts.map((row) => lightOf(row, order.width));
  if (!showsLone(view)) return found;
  const lone = await db.all<Lone>(sql`SELECT ${LONE} FROM ${few} CROSS JOIN customers c
    WHERE c.organization_id = ${organizationId} AND c.id = d.id AND c.contacts = 0`);
  const words = searchedWords(view.search);
  const fitting = lone.filter((row) => fits([...wordsOf([row.sortKey]), row.id], words)).map(loneLight);
  return merged(found, fitting.toSorted(comparing(view.descending)), view.descending);
}

// All of them are at hand, so that pages are parts of a list.
function sliceOf({ view, place, size }: Asked, everybody: readonly Light[]): Found {
  const compare = comparing(view.descending);
  const behind = place === null ? 0 : everybody.findIndex((row) => compare(row, place) > 0);
  const from = behind === -1 ? everybody.length : behind;
  const before = place === null ? 0 : everybody.findIndex((row) => compare(row, place) >= 0);
  const start = place?.towards === 'previous' ? Math.max(0, (before === -1 ? everybody.length : before) - size) : from;
  const rows = everybody.slice(start, start + size);
  const contacts = everybody.filter(({ isContact }) => isContact).length;
  return {
    rows,
    at: start,
    next: start + size < everybody.length ? (rows.at(-1)?.key ?? null) : null,
    previous: start > 0 && place ? (rows[0]?.key ?? place.key) : null,
    count: { kind: 'exact', contacts, lone: everybody.length - contacts },
    sorted: true,
    lookedAt: null,
  };
}

async function broad(asked: Asked): Promise<Found> {
  const { place, size, conditions } = asked;
  const words = conditions.filter(({ word }) => word !== undefined).map(({ word = '' }) => word);
  // The longest says most, so that the fewest are looked at in vain.
  const [word] = words.toSorted((a, b) => b.length - a.length);
  const backwards = place?.towards === 'previous';
  const walked = word === undefined ? await alongNames(asked, backwards) : await alongWords(asked, word, backwards);
  if (backwards && walked.ended && walked.rows.length <= size) {
    // Back at the beginning, which shows a full page again.
    const first = await broad({ ...asked, place: null });
    if (first.rows.length >= walked.rows.length) return first;
  }
  const more = walked.rows.length > size;
  const rows = walked.rows.slice(0, size);
  if (backwards) rows.reverse();
  const onwards = more ? (walked.rows[size - 1]?.key ?? null) : walked.ended ? null : walked.last;
  const at = backwards ? Math.max(0, (place?.at ?? 0) - rows.length) : (place?.at ?? 0);
  return {
    rows,
    at,
    next: backwards ? (rows.at(-1)?.key ?? walked.last) : onwards,
    previous: backwards ? onwards : place && (rows[0]?.key ?? walked.last),
    count: await counted(asked),
    sorted: word === undefined,
    lookedAt: more || walked.ended ? null : walked.lookedAt,
  };
}

/** Counts a broad view where one index holds it: all of it, up to ten thousand. */
async function counted({ db, organizationId, view, conditions, bounds }: Asked): Promise<Count> {
  const [only, ...more] = conditions;
  const everybody = sql`SELECT a.id FROM accounts a WHERE a.organization_id = ${organizationId} AND ${IS_LISTED}
    ORDER BY ${ORDERS.name.by(false)}`;
  const candidates = only === undefined ? everybody : only.candidates;
  if (more.length > 0 || candidates === undefined || view.mfa === 'locked') return { kind: 'many', moreThan: null };
  const distinct = only?.word === undefined ? sql`COUNT(*)` : sql`COUNT(DISTINCT c.id)`;
  const row = await db.one<{ looked: number; n: number }>(sql`SELECT COUNT(*) AS looked, ${distinct} AS n
    FROM (${candidates} ${limited(bounds.count + 1)}) c`);
  if (row === undefined || row.looked > bounds.count)
    return { kind: 'many', moreThan: only?.word === undefined ? bounds.count : null };
  const lone = only === undefined || only.word !== undefined ? await loneCount(db, organizationId, bounds) : 0;
  // Among those whom a word finds, contacts are not told from customers without them.
  if (only?.word !== undefined && lone > 0) return { kind: 'many', moreThan: null };
  return { kind: 'exact', contacts: row.n, lone: showsLone(view) ? lone : 0 };
}

async function loneCount(db: Database, organizationId: string, { count }: Bounds): Promise<number> {
  const row = await db.one<{ n: number }>(sql`SELECT COUNT(*) AS n FROM (
    SELECT 1 FROM customers c WHERE c.organization_id = ${organizationId} AND c.contacts = 0 ${limited(count)}) n`);
  return row?.n ?? 0;
}

async function whole({ db, organizationId }: Asked, rows: readonly Light[]): Promise<ListRow[]> {
  const ids = rows.filter(({ isContact }) => isContact).map(({ id }) => id);
  const contacts = ids.length === 0 ? [] : await contactsWhere(db, organizationId, sql`a.id IN (${list(ids)})`);
  const byId = new Map(contacts.map((contact) => [contact.id, contact]));
  const ofCustomers = rows.map(({ id }) => byId.get(id)?.customerId ?? id);
  const customers = await customersOf(db, organizationId, [...new Set(ofCustomers)]);
  return rows.flatMap(({ id, isContact }, at) => {
    const customer = customers.get(ofCustomers[at] ?? '');
    const contact = byId.get(id) ?? null;
    // Whoever was deleted between two statements is gone.
    return customer && (contact !== null) === isContact ? [{ customer, contact }] : [];
  });
}

async function customersOf(
  db: Database,
  organizationId: string,
  ids: readonly string[],
): Promise<Map<string, Customer>> {
  if (ids.length === 0) return new Map();
  const found = await db.all<Customer>(sql`SELECT c.organization_id AS "organizationId", c.id, c.name FROM customers c
    WHERE c.organization_id = ${organizationId} AND c.id IN (${list(ids)})`);
  return new Map(found.map((customer) => [customer.id, customer]));
}

function list(values: readonly string[]): Sql {
  return values.reduce<Sql>((before, value, index) => (index === 0 ? sql`${value}` : sql`${before}, ${value}`), sql``);
}
