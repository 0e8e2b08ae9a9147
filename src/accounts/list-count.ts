import { setImmediate as othersHaveTheirTurn } from 'node:timers/promises';
import { sql, type Database } from '../db/db.ts';
import { ORDERS } from './list-order.ts';
import { conditionsOf, IS_LISTED, showsLone, type View } from './list-view.ts';
import { all, limited, type Asked, type Bounds } from './list-walk.ts';

export type Count =
  | { readonly kind: 'exact'; readonly contacts: number; readonly lone: number }
  /** As it was when somebody last counted, within the last hour. */
  | { readonly kind: 'about'; readonly contacts: number }
  /** More than anybody counts for a page: more than so many, where that is known. */
  | { readonly kind: 'many'; readonly moreThan: number | null };

/** Counts a broad view for its page: exactly up to ten thousand where one index holds it, else by the last figure kept. */
export async function counted(asked: Asked): Promise<Count> {
  const { db, organizationId, view, conditions, bounds } = asked;
  const [only, ...more] = conditions;
  const everybody = sql`SELECT a.id FROM accounts a WHERE a.organization_id = ${organizationId} AND ${IS_LISTED}
    ORDER BY ${ORDERS.name.by(false)}`;
  const candidates = only === undefined ? everybody : only.candidates;
  if (more.length > 0 || candidates === undefined || view.mfa === 'locked') return about(asked, null);
  const distinct = only?.word === undefined ? sql`COUNT(*)` : sql`COUNT(DISTINCT c.id)`;
  const row = await db.one<{ looked: number; n: number }>(sql`SELECT COUNT(*) AS looked, ${distinct} AS n
    FROM (${candidates} ${limited(bounds.count + 1)}) c`);
  if (row === undefined || row.looked > bounds.count)
    return about(asked, only?.word === undefined ? bounds.count : null);
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

/** How long a figure is told. */
const KEPT_MS = 3_600_000;
const FIGURES_MAX = 1_000;

interface Figures {
  readonly known: Map<string, { readonly contacts: number; readonly at: number }>;
  counting: Promise<void> | undefined;
}

const figures = new WeakMap<Database, Figures>();

function figuresOf(db: Database): Figures {
  const kept = figures.get(db) ?? { known: new Map(), counting: undefined };
  figures.set(db, kept);
  return kept;
}

/**
 * The figure of the last hour, as this process keeps it. Where there is none a count begins behind the page that asked,
 * one at a time, and the next page tells it. Words are not counted: there are too many of them.
 */
function about({ db, organizationId, view, now }: Asked, moreThan: number | null): Count {
  if (view.search !== '') return { kind: 'many', moreThan };
  const kept = figuresOf(db);
  const { mfa, portal, lastSignIn } = view;
  const key = JSON.stringify([organizationId, mfa, portal, lastSignIn]);
  const figure = kept.known.get(key);
  if (figure && now - figure.at < KEPT_MS) return { kind: 'about', contacts: figure.contacts };
  kept.counting ??= countContacts(db, organizationId, view, now)
    .then((contacts) => {
      if (kept.known.size >= FIGURES_MAX) kept.known.clear();
      kept.known.set(key, { contacts, at: now });
    })
    // A count that fails is tried again by the next page; whoever wanted the page has had it.
    .catch(() => undefined)
    .finally(() => {
      kept.counting = undefined;
    });
  return { kind: 'many', moreThan };
}

/** Resolves when nothing is being counted behind a page. */
export async function countingEnded(db: Database): Promise<void> {
  await figures.get(db)?.counting;
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
