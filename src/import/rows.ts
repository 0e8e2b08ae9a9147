import { emailKey, sortKey } from '../accounts/accounts.ts';
import { readHash } from '../crypto/foreign-hashes.ts';
import type { Field, Mapping } from './columns.ts';
import type { CsvRecord } from './records.ts';
import { readSecret } from './secrets.ts';

/** What can be wrong with a row. Each kind is one heading of the check. */
export type ProblemKind =
  | 'columns-many'
  | 'columns-few'
  | 'characters'
  | 'email-missing'
  | 'email-shape'
  | 'email-repeated'
  | 'name-long'
  | 'customer-long'
  | 'id-long'
  | 'id-repeated'
  | 'phone-long'
  | 'language'
  | 'portal-access'
  | 'secret'
  | 'hash'
  | 'other-customer'
  | 'other-contact'
  | 'customer-unclear'
  | 'taken-meanwhile';

/** One thing wrong with one row; `line` is where the row begins in the file. The text repeats no secret and no hash. */
export interface Problem {
  readonly line: number;
  readonly kind: ProblemKind;
  readonly text: string;
}

/** A row that says who a contact is and, where the file has it, what they sign in with. */
export interface ImportRow {
  readonly line: number;
  readonly email: string;
  readonly emailKey: string;
  /** Undefined where the file does not say it. */
  readonly name: string | undefined;
  /** By its id in the billing system, else by name; a contact of no named customer is one of their own. */
  readonly customer: { readonly id: string | undefined; readonly name: string | undefined };
  readonly externalId: string | undefined;
  readonly isPrimary: boolean;
  readonly phone: string | undefined;
  readonly open: boolean | undefined;
  readonly secret: Uint8Array | undefined;
  readonly hash: string | undefined;
}

export type RowRead = { kind: 'row'; row: ImportRow } | { kind: 'wrong'; problems: readonly Problem[] };

const MAX = { name: 100, customer: 100, id: 100, phone: 40 };

/** Reads one record under a mapping, of a file whose header has `width` cells. Looks at nothing but the record. */
export function readRow(record: CsvRecord, mapping: Mapping, width: number): RowRead {
  const { line } = record;
  const problems: Problem[] = [];
  const wrong = (kind: ProblemKind, text: string): void => void problems.push({ line, kind, text });
  if (record.cells.length < width) wrong('columns-few', 'too few columns');
  if (record.cells.slice(width).some((cell) => cell.trim() !== '')) wrong('columns-many', 'too many columns');
  if (problems.length > 0) return { kind: 'wrong', problems };

  const text = (field: Field): string | undefined => {
    const at = mapping[field];
    const cell = at === undefined ? '' : unescaped((record.cells[at] ?? '').trim());
    if (!/\p{Cc}/u.test(cell)) return cell === '' ? undefined : cell;
    wrong('characters', `${field} has a character that can't be used`);
    return undefined;
  };
  const short = (field: Field, kind: ProblemKind, max: number): string | undefined => {
    const said = text(field);
    if (said !== undefined && said.length > max) wrong(kind, `${field} is longer than ${max} characters`);
    return said;
  };

  const email = text('email');
  const key = emailKey(email ?? '');
  if (email === undefined && problems.length === 0) wrong('email-missing', 'email is missing');
  if (email !== undefined && key === undefined) wrong('email-shape', `${quoted(email)} isn't an email address`);
  const names = [text('first_name'), text('last_name')].filter((part) => part !== undefined).join(' ');
  const name = short('name', 'name-long', MAX.name) ?? (names === '' ? undefined : names);
  if (name === names && names.length > MAX.name) wrong('name-long', `name is longer than ${MAX.name} characters`);
  const externalId = short('external_id', 'id-long', MAX.id);
  const row = {
    line,
    email: email ?? '',
    emailKey: key ?? '',
    name,
    customer: {
      id: short('customer_id', 'id-long', MAX.id),
      name: short('customer', 'customer-long', MAX.customer),
    },
    externalId,
    isPrimary: externalId !== undefined && text('primary_contact_id') === externalId,
    phone: short('phone', 'phone-long', MAX.phone),
    open: isOpen(text('portal_access'), wrong),
    secret: secretOf(text('totp_secret'), wrong),
    hash: hashOf(text('password_hash'), wrong),
  };
  checkLanguage(text('language'), wrong);
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'row', row };
}

// Our own files put an apostrophe before what a spreadsheet would take for a formula, a phone number's plus among it.
function unescaped(cell: string): string {
  return /^'[=+\-@]/.test(cell) ? cell.slice(1) : cell;
}

type Wrong = (kind: ProblemKind, text: string) => void;

const YES = ['yes', 'y', 'true', '1', 'on', 'enabled', 'active', 'invited'];
const NO = ['no', 'n', 'false', '0', 'off', 'disabled', 'inactive', 'not enabled', 'not invited'];

function isOpen(said: string | undefined, wrong: Wrong): boolean | undefined {
  const word = said?.toLowerCase();
  if (said === undefined || word === undefined) return undefined;
  if (!YES.includes(word) && !NO.includes(word))
    wrong('portal-access', `portal_access ${quoted(said)} isn't yes or no`);
  return !NO.includes(word);
}

/** The languages that the portal speaks. */
const LANGUAGES = ['en'];

function checkLanguage(said: string | undefined, wrong: Wrong): void {
  if (said === undefined || LANGUAGES.includes(said.toLowerCase().split(/[-_]/)[0] ?? '') || said === 'English') return;
  wrong('language', `language ${quoted(said)} isn't available`);
}

function secretOf(said: string | undefined, wrong: Wrong): Uint8Array | undefined {
  if (said === undefined) return undefined;
  const read = readSecret(said);
  if (read.kind === 'secret') return read.secret;
  wrong('secret', `totp_secret ${read.why}`);
  return undefined;
}

function hashOf(said: string | undefined, wrong: Wrong): string | undefined {
  if (said === undefined) return undefined;
  const { kind } = readHash(said);
  if (kind === 'hash') return said;
  wrong(
    'hash',
    kind === 'costly' ? 'password_hash takes too long to check' : 'password_hash is of a kind we cannot read',
  );
  return undefined;
}

const QUOTED_MAX = 60;

function quoted(text: string): string {
  const letters = Array.from(text);
  return `“${letters.length > QUOTED_MAX ? `${letters.slice(0, QUOTED_MAX).join('')}…` : text}”`;
}

/** Finds the rows of a file that say again who an earlier one was about. Holds a key for each row, and no row. */
export class Repeats {
  readonly #emails = new Map<string, number>();
  readonly #ids = new Map<string, number>();

  /** What an earlier line says already; remembers the row for those to come. */
  of({ line, emailKey: email, externalId }: ImportRow): Problem | undefined {
    const sameEmail = first(this.#emails, email, line);
    if (sameEmail !== undefined) return { line, kind: 'email-repeated', text: `same email as line ${sameEmail}` };
    const sameId = externalId === undefined ? undefined : first(this.#ids, externalId, line);
    return sameId === undefined ? undefined : { line, kind: 'id-repeated', text: `same external_id as line ${sameId}` };
  }
}

function first(lines: Map<string, number>, key: string, line: number): number | undefined {
  const before = lines.get(key);
  if (before === undefined) lines.set(key, line);
  return before;
}

/** What a customer is known by among the rows of a file. */
export function customerKey({ customer: { id, name }, emailKey: email }: ImportRow): string {
  if (id !== undefined) return `id ${id}`;
  return name === undefined ? `of ${email}` : `name ${sortKey(name)}`;
}
