import { sortKey } from '../accounts/accounts.ts';
import { DOCUMENT_KINDS, type Document } from '../accounts/documents.ts';
import { sql, type Database } from '../db/db.ts';
import { FileRefused, readRecords, type FileProblem } from './records.ts';

export const DOCUMENT_COLUMNS = [
  'customer',
  'customer name',
  'kind',
  'number',
  'title',
  'date',
  'amount',
  'currency',
  'status',
  'url',
] as const;
type Column = (typeof DOCUMENT_COLUMNS)[number];

const OPTIONAL: readonly Column[] = ['customer', 'customer name', 'url'];
const TEXT_MAX = 200;

interface Line {
  readonly number: number;
  readonly cells: Readonly<Partial<Record<Column, string>>>;
}

export type DocumentsRead =
  | { kind: 'documents'; documents: (Document & { readonly customerId: string })[] }
  /** The file as a whole cannot be read. */
  | { kind: 'refused'; problem: FileProblem }
  /** Its columns are not the ones that are needed; says which. */
  | { kind: 'columns'; sentence: string }
  /** What is wrong, each with its line. */
  | { kind: 'mistakes'; lines: readonly string[] };

/** Reads a CSV file of documents against an organization's customers. Either all of it is right, or every mistake is told. */
export async function readDocuments(
  db: Database,
  organizationId: string,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<DocumentsRead> {
  try {
    const [header, ...rows] = await Array.fromAsync(readRecords(bytes));
    const columns = header?.cells.map((name) => name.trim().toLowerCase()) ?? [];
    const sentence = wrongColumns(columns);
    if (sentence !== undefined) return { kind: 'columns', sentence };
    const problems: string[] = [];
    const documents: (Document & { customerId: string })[] = [];
    const numbers = new Map<string, number>();
    const customerOf = customerFinder(db, organizationId);
    for (const { line: number, cells } of rows) {
      const line = { number, cells: Object.fromEntries(columns.map((name, at) => [name, cells[at]?.trim()])) };
      const fits = cells.length === columns.length;
      const wrong = fits
        ? [...wrongCells(line), ...repeated(line, numbers)]
        : [cells.length < columns.length ? 'too few columns' : 'too many columns'];
      const customer = fits ? await customerOf(line) : { wrong: [] };
      if (customer.id !== undefined && wrong.length === 0) documents.push(documentOf(line, customer.id));
      for (const what of [...wrong, ...(customer.wrong ?? [])]) problems.push(`Line ${number}: ${what}`);
    }
    return problems.length > 0 ? { kind: 'mistakes', lines: problems } : { kind: 'documents', documents };
  } catch (fault) {
    if (fault instanceof FileRefused) return { kind: 'refused', problem: fault.problem };
    throw fault;
  }
}

function wrongColumns(columns: readonly string[]): string | undefined {
  const missing = DOCUMENT_COLUMNS.filter((name) => !OPTIONAL.includes(name) && !columns.includes(name));
  if (!columns.includes('customer') && !columns.includes('customer name')) missing.unshift('customer');
  if (missing.length > 0)
    return `The file lacks the column ${missing.join(', ')}. Found: ${columns.join(', ') || 'nothing'}.`;
  const unknown = columns.filter((name) => !(DOCUMENT_COLUMNS as readonly string[]).includes(name));
  return unknown.length > 0 ? `The file has a column that is not known: ${unknown.join(', ')}.` : undefined;
}

const CHECKS: [Column, (text: string) => boolean, string][] = [
  [
    'kind',
    (text) => (DOCUMENT_KINDS as readonly string[]).includes(text.toLowerCase()),
    `is one of ${DOCUMENT_KINDS.join(', ')}`,
  ],
  ['number', isText, `has 1 to ${TEXT_MAX} characters`],
  ['title', isText, `has 1 to ${TEXT_MAX} characters`],
  ['date', isDate, 'is a date like 2026-11-24'],
  ['amount', (text) => /^-?\d{1,15}(\.\d{1,4})?$/.test(text), 'is a number like 1250.00'],
  ['currency', (text) => Intl.supportedValuesOf('currency').includes(text), 'is a currency like EUR'],
  ['status', isText, `has 1 to ${TEXT_MAX} characters`],
  ['url', (text) => text === '' || isLink(text), 'is empty or an https address'],
];

function wrongCells({ cells }: Line): string[] {
  return CHECKS.filter(([name, fits]) => !fits(cells[name] ?? '')).map(
    ([name, , rule]) => `${name} ${rule}, not “${cells[name] ?? ''}”`,
  );
}

function isText(text: string): boolean {
  return text !== '' && text.length <= TEXT_MAX && !/\p{Cc}/u.test(text);
}

// As it is written, since that is how it is shown: what a browser would mend or leave out is no address here.
function isLink(text: string): boolean {
  return /^https:\/\/[^\s\p{Cc}]+$/u.test(text) && URL.canParse(text);
}

// 2026-02-30 would be read as the second of March: a date is one that comes back as it was written.
function isDate(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function repeated({ number, cells }: Line, seen: Map<string, number>): string[] {
  const name = cells.number ?? '';
  const before = seen.get(name);
  seen.set(name, number);
  return before === undefined || name === '' ? [] : [`number “${name}” stands on line ${before} already`];
}

type Found = { id: string; wrong?: undefined } | { id?: undefined; wrong: string[] };

/** Finds the customer of a line, each id or name once. */
function customerFinder(db: Database, organizationId: string): (line: Line) => Promise<Found> {
  const known = new Map<string, Promise<Found>>();
  return ({ cells: { customer = '', 'customer name': name = '' } }) => {
    const key = customer === '' ? `name ${sortKey(name)}` : `id ${customer}`;
    const found = known.get(key) ?? find(db, organizationId, customer, name);
    known.set(key, found);
    return found;
  };
}

async function find(db: Database, organizationId: string, id: string, name: string): Promise<Found> {
  if (id === '' && name === '') return { wrong: ['customer is missing'] };
  // PostgreSQL takes no text with NUL, and nobody is called so.
  if (`${id}${name}`.includes('\0')) return { wrong: ['customer has a character that cannot be used'] };
  const condition = id === '' ? sql`sort_key = ${sortKey(name)}` : sql`id = ${id}`;
  const rows = await db.all<{ id: string }>(
    sql`SELECT id FROM customers WHERE organization_id = ${organizationId} AND ${condition} LIMIT 2`,
  );
  const [first, second] = rows;
  if (first && !second) return { id: first.id };
  if (second) return { wrong: [`several customers are called “${name}”: use the column customer with the id`] };
  return { wrong: [id === '' ? `no customer is called “${name}”` : `no customer has the id “${id}”`] };
}

function documentOf({ cells }: Line, customerId: string): Document & { customerId: string } {
  const text = (name: Column): string => cells[name] ?? '';
  return {
    customerId,
    kind: text('kind').toLowerCase() as Document['kind'],
    number: text('number'),
    title: text('title'),
    date: text('date'),
    amount: text('amount'),
    currency: text('currency'),
    status: text('status'),
    url: text('url') || null,
  };
}
