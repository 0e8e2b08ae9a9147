import { sql, type Sql } from '../db/db.ts';
import { byBytes } from './findable.ts';
import { BY_NAME, LAST_SIGN_IN, type View } from './list-view.ts';

/** What a row is sorted by, ending with what no other row has. */
export type Key = readonly (string | number)[];

/** A row of the list on its way to a page: no more than what it is sorted by. */
export interface Light {
  readonly id: string;
  readonly isContact: boolean;
  readonly key: Key;
}

export interface Keyed {
  readonly id: string;
  readonly k1: string | number;
  readonly k2: string;
  readonly k3: string;
}

interface Order {
  /** The columns of the key, of accounts `a`. */
  readonly keys: Sql;
  readonly width: 2 | 3;
  by(down: boolean): Sql;
  /** Only rows beyond a key, in a direction. */
  beyond(key: Key | null, down: boolean): Sql;
}

/** The three orders of the list, each the order of an index. */
export const ORDERS: Record<View['sort'], Order> = {
  name: {
    keys: sql`a.customer_key AS k1, a.customer_id AS k2, a.id AS k3`,
    width: 3,
    by: (down) =>
      down ? sql`a.customer_key DESC, a.customer_id DESC, a.id DESC` : sql`a.customer_key, a.customer_id, a.id`,
    beyond: (key, down) => beyond(sql`(${BY_NAME})`, key, down, 3),
  },
  email: {
    keys: sql`a.email_key AS k1, a.id AS k2, '' AS k3`,
    width: 2,
    by: (down) => (down ? sql`a.email_key DESC, a.id DESC` : sql`a.email_key, a.id`),
    beyond: (key, down) => beyond(sql`(a.email_key, a.id)`, key, down, 2),
  },
  'last-sign-in': {
    keys: sql`${LAST_SIGN_IN} AS k1, a.id AS k2, '' AS k3`,
    width: 2,
    by: (down) => (down ? sql`${LAST_SIGN_IN} DESC, a.id DESC` : sql`${LAST_SIGN_IN}, a.id`),
    beyond: (key, down) => beyond(sql`(${LAST_SIGN_IN}, a.id)`, key && [Number(key[0]) || 0, ...key.slice(1)], down, 2),
  },
};

function beyond(columns: Sql, key: Key | null, down: boolean, width: 2 | 3): Sql {
  if (key === null) return sql``;
  const [k1 = '', k2 = '', k3 = ''] = key;
  const values = width === 3 ? sql`(${k1}, ${k2}, ${k3})` : sql`(${k1}, ${k2})`;
  return down ? sql`AND ${columns} < ${values}` : sql`AND ${columns} > ${values}`;
}

export function lightOf({ id, k1, k2, k3 }: Keyed, width: 2 | 3): Light {
  return { id, isContact: true, key: width === 3 ? [k1, k2, k3] : [k1, k2] };
}

/** A customer without contacts, who stands among the others by name only. */
export interface Lone {
  readonly id: string;
  readonly sortKey: string;
}

export const LONE = sql`c.id, c.sort_key AS "sortKey"`;

export function loneLight({ id, sortKey }: Lone): Light {
  return { id, isContact: false, key: [sortKey, id, ''] };
}

type WithKey = Pick<Light, 'key'>;

/** Which of two rows comes first in a direction, as the engines would say. */
export function comparing(down: boolean): (a: WithKey, b: WithKey) => number {
  return (a, b) => (down ? -1 : 1) * compareKeys(a.key, b.key);
}

function compareKeys(a: Key, b: Key): number {
  for (const [at, mine] of a.entries()) {
    const other = b[at] ?? '';
    const difference =
      typeof mine === 'number' && typeof other === 'number' ? mine - other : byBytes(String(mine), String(other));
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Two lists that are sorted in a direction, as one. */
export function merged(contacts: readonly Light[], lone: readonly Light[], down: boolean): Light[] {
  if (lone.length === 0) return [...contacts];
  const compare = comparing(down);
  const rows: Light[] = [];
  let at = 0;
  for (const contact of contacts) {
    for (let next = lone[at]; next && compare(next, contact) < 0; next = lone[at]) {
      rows.push(next);
      at++;
    }
    rows.push(contact);
  }
  return [...rows, ...lone.slice(at)];
}
