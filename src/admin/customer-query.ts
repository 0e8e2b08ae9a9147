import type { Place } from '../accounts/list-walk.ts';
import { LAST_SIGN_IN_FILTERS, MFA_FILTERS, PORTAL_FILTERS, SORTS, type View } from '../accounts/list-view.ts';
import { EMAIL_MAX, line } from './inputs.ts';

export const SIZES = [25, 50, 100] as const;
export const CUSTOMERS = '/admin/customers';

/** What the address of the list says: what to show, how much of it and from where on. */
export interface Query {
  readonly view: View;
  readonly size: (typeof SIZES)[number];
  readonly place: Place | null;
}

const ORDERS = SORTS.flatMap((sort) => [sort, `-${sort}`]);

/** Reads an address. Whatever it could not have got from a page of ours is as if it were not there. */
export function readQuery(param: (name: string) => string): Query {
  const one = <T extends string>(name: string, known: readonly T[]): T | null =>
    known.find((value) => value === param(name)) ?? null;
  const order = ORDERS.find((known) => known === param('sort')) ?? 'name';
  return {
    view: {
      search: line(param('q')).slice(0, EMAIL_MAX),
      mfa: one('mfa', MFA_FILTERS),
      portal: one('portal', PORTAL_FILTERS),
      lastSignIn: one('last', LAST_SIGN_IN_FILTERS),
      sort: SORTS.find((sort) => order.endsWith(sort)) ?? 'name',
      descending: order.startsWith('-'),
    },
    size: SIZES.find((size) => String(size) === param('size')) ?? SIZES[0],
    place: readPlace('next', param('after')) ?? readPlace('previous', param('before')),
  };
}

/** The address of what is asked for, or of the same with something else instead. Another view begins at its start. */
export function addressOf({ view, size, place }: Query, change: Partial<View> = {}): string {
  const query = new URLSearchParams(viewParams({ ...view, ...change }));
  if (size !== SIZES[0]) query.set('size', String(size));
  if (place !== null && Object.keys(change).length === 0)
    query.set(place.towards === 'next' ? 'after' : 'before', writePlace(place));
  const text = query.toString();
  return text === '' ? CUSTOMERS : `${CUSTOMERS}?${text}`;
}

/** A view as text, for a form to carry and a job to keep. */
export function writeView(view: View): string {
  return new URLSearchParams(viewParams(view)).toString();
}

export function readView(text: string): View {
  const query = new URLSearchParams(text);
  return readQuery((name) => query.get(name) ?? '').view;
}

function viewParams({ search, mfa, portal, lastSignIn, sort, descending }: View): Record<string, string> {
  const order = `${descending ? '-' : ''}${sort}`;
  return {
    ...(search && { q: search }),
    ...(mfa && { mfa }),
    ...(portal && { portal }),
    ...(lastSignIn && { last: lastSignIn }),
    ...(order !== 'name' && { sort: order }),
  };
}

function writePlace({ at, key }: Place): string {
  return Buffer.from(JSON.stringify([at, ...key])).toString('base64url');
}

// PostgreSQL takes no NUL in a text.
function isKeyPart(part: unknown): part is string | number {
  return (typeof part === 'string' && !part.includes('\0')) || (typeof part === 'number' && Number.isSafeInteger(part));
}

function readPlace(towards: Place['towards'], text: string): Place | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parts) || parts.length < 2 || parts.length > 4 || !parts.every(isKeyPart)) return null;
    const [at, ...key] = parts;
    return typeof at === 'number' && at >= 0 ? { towards, at, key } : null;
  } catch {
    return null;
  }
}
