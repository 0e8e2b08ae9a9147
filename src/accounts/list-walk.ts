import { sql, Sql, type Database } from '../db/db.ts';
import { fits, wordsIn, wordsOf } from './findable.ts';
import { LONE, loneLight, lightOf, merged, ORDERS, type Key, type Keyed, type Light, type Lone } from './list-order.ts';
import { IS_LISTED, showsLone, wordsFrom, type Condition, type View } from './list-view.ts';

/** Where a page of a view stands: behind or before the row with this key, `at` rows from the beginning. */
export interface Place {
  readonly towards: 'next' | 'previous';
  readonly at: number;
  readonly key: Key;
}

/** A page that somebody asks for. */
export interface Asked {
  readonly db: Database;
  readonly organizationId: string;
  readonly view: View;
  readonly conditions: readonly Condition[];
  readonly place: Place | null;
  readonly size: number;
  readonly bounds: Bounds;
}

/** How many rows anybody looks at for one page. */
export interface Bounds {
  /** Whoever matches no more rows than this is collected, sorted and counted; more are paged in an index's order. */
  readonly narrow: number;
  /** How far a broad view is counted. */
  readonly count: number;
  /** How many rows of an index are looked at, a part at a time, before a page says that it has not found enough yet. */
  readonly parts: readonly number[];
}

export const BOUNDS: Bounds = { narrow: 3_000, count: 10_000, parts: [101, 400, 2_000] };

/** A limit as text of the statement: with a parameter PostgreSQL would plan for a tenth of everybody. */
export function limited(rows: number): Sql {
  return new Sql([`LIMIT ${Math.trunc(rows)}`], []);
}

/** What was come by on the way along an index. */
export interface Walked {
  /** What was found, in the direction of the walk: one more than the page holds where there is more. */
  readonly rows: Light[];
  /** The key of the last row that was looked at. */
  readonly last: Key | null;
  readonly lookedAt: number;
  /** Whether there was nothing left to look at. */
  readonly ended: boolean;
}

/** Looks at rows a part at a time until there are enough, none are left, or it has looked at as many as a page may. */
async function walk({ size, place, bounds }: Asked, part: Part): Promise<Walked> {
  const rows: Light[] = [];
  let last = place?.key ?? null;
  let lookedAt = 0;
  for (const most of bounds.parts) {
    const { looked, found } = await part(last, limited(most));
    rows.push(...found);
    lookedAt += looked.length;
    last = looked.at(-1) ?? last;
    if (looked.length < most) return { rows, last, lookedAt, ended: true };
    if (rows.length > size) return { rows, last, lookedAt, ended: false };
  }
  // Nobody is sent on to a page with nothing behind it.
  const { looked } = await part(last, limited(1));
  return { rows, last, lookedAt, ended: looked.length === 0 };
}

type Part = (after: Key | null, limit: Sql) => Promise<{ looked: readonly Key[]; found: readonly Light[] }>;

/** Along the index of the view's order, from its place on. */
export async function alongNames(asked: Asked, backwards: boolean): Promise<Walked> {
  const { db, organizationId, view, conditions } = asked;
  const order = ORDERS[view.sort];
  const down = view.descending !== backwards;
  // One condition may choose the index that is walked along; the others are asked of each row that comes.
  const driver = view.sort === 'name' ? conditions.find(({ indexed }) => indexed)?.indexed : undefined;
  const path = driver === undefined ? IS_LISTED : sql`${IS_LISTED} AND ${driver}`;
  const walked = await walk(asked, async (after, limit) => {
    const rows = await db.all<Keyed & { fits: number }>(sql`SELECT a.id, ${order.keys},
        CASE WHEN 1 = 1 ${all(conditions)} THEN 1 ELSE 0 END AS fits
      FROM accounts a WHERE a.organization_id = ${organizationId} AND ${path} ${order.beyond(after, down)}
      ORDER BY ${order.by(down)} ${limit}`);
    const lights = rows.map((row) => lightOf(row, order.width));
    return { looked: lights.map(({ key }) => key), found: lights.filter((_, at) => rows[at]?.fits === 1) };
  });
  if (conditions.length > 0 || !showsLone(view)) return walked;
  const lone = await loneAlongNames(asked, down);
  return { ...walked, rows: merged(walked.rows, lone, down), ended: walked.ended && lone.length <= asked.size };
}

async function loneAlongNames({ db, organizationId, place, size }: Asked, down: boolean): Promise<Light[]> {
  const [sortKey = '', id = ''] = (place?.key ?? []).map(String);
  const sign = down ? sql`<` : sql`>`;
  const beyond = place === null ? sql`` : sql`AND (c.sort_key, c.id) ${sign} (${sortKey}, ${id})`;
  const direction = down ? sql`DESC` : sql`ASC`;
  const rows = await db.all<Lone>(sql`SELECT ${LONE} FROM customers c
    WHERE c.organization_id = ${organizationId} AND c.contacts = 0 ${beyond}
    ORDER BY c.sort_key ${direction}, c.id ${direction} LIMIT ${size + 1}`);
  return rows.map(loneLight);
}

/** Along the words with a beginning, from the view's place on: each row once, at the first of its words. */
export async function alongWords(asked: Asked, word: string, backwards: boolean): Promise<Walked> {
  const { db, organizationId, view, conditions } = asked;
  const [sign, direction] = backwards ? [sql`<`, sql`DESC`] : [sql`>`, sql`ASC`];
  const words = conditions.flatMap((condition) => condition.word ?? []);
  const lone = showsLone(view);
  return walk(asked, async (after, limit) => {
    const [afterWord = '', afterId = ''] = (after ?? []).map(String);
    const beyond = after === null ? sql`` : sql`AND (w.word, w.row_id) ${sign} (${afterWord}, ${afterId})`;
    const rows = await db.all<Worded>(sql`SELECT w.word, w.id, a.words, c.sort_key AS "loneKey",
        CASE WHEN a.customer_key IS NULL OR (1 = 1 ${all(conditions)}) THEN 1 ELSE 0 END AS fits
      FROM (SELECT w.word, w.row_id AS id FROM search_words w WHERE ${wordsFrom(organizationId, word)} ${beyond}
        ORDER BY w.word ${direction}, w.row_id ${direction} ${limit}) w
      LEFT JOIN accounts a ON a.organization_id = ${organizationId} AND a.id = w.id
      LEFT JOIN customers c ON c.organization_id = ${organizationId} AND c.id = w.id AND c.contacts = 0
      ORDER BY w.word ${direction}, w.id ${direction}`);
    const found = rows.filter((row) => {
      if (row.fits === 0 || (row.words === null && (!lone || row.loneKey === null))) return false;
      const own = row.words === null ? wordsOf([row.loneKey ?? '']) : wordsIn(row.words);
      // Whoever has several words with this beginning is shown once, at the first.
      return row.word === own.find((one) => one.startsWith(word)) && fits(own, words);
    });
    return {
      looked: rows.map((row) => [row.word, row.id]),
      found: found.map((row) => ({ id: row.id, isContact: row.words !== null, key: [row.word, row.id] })),
    };
  });
}

interface Worded {
  readonly word: string;
  readonly id: string;
  readonly words: string | null;
  readonly loneKey: string | null;
  readonly fits: number;
}

/** That all of these hold, behind another condition. */
export function all(conditions: readonly Condition[]): Sql {
  return conditions.reduce((before, { holds }) => sql`${before} AND ${holds}`, sql``);
}
