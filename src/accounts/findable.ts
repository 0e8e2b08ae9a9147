import { list, pieces, sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { sortKey } from './accounts.ts';

/** Longer words are found by what they begin with. */
const WORD_MAX = 60;
/** More words than these add nothing to a search. */
const WORDS_MAX = 6;
const SEARCH_MAX = 300;

/**
 * The words by which somebody is found: those of the names, and every part of one or of the address that begins behind
 * a sign that is no letter or digit. `smith-jones` is found as jones too, maria.silva@gmail.com as silva and as gmail.
 * Distinct, in the order of their bytes.
 */
export function wordsOf(names: readonly string[], emailKey = ''): string[] {
  const found = new Set<string>();
  for (const token of names.flatMap((name) => name.split(/\s+/u))) addParts(found, token);
  addParts(found, emailKey, emailKey.indexOf('@') + 1);
  return [...found].toSorted(byBytes);
}

// Behind the domain's first letter nobody looks for a word: "com" would be everybody's.
function addParts(found: Set<string>, token: string, until = token.length): void {
  if (token === '') return;
  found.add(cut(token));
  for (const { index } of token.matchAll(/(?<=[^\p{L}\p{M}\p{N}])[\p{L}\p{N}]/gu)) {
    if (index <= until) found.add(cut(token.slice(index)));
  }
}

function cut(word: string): string {
  return word.slice(0, WORD_MAX);
}

/** The words of what somebody typed into the search: each must be the beginning of one of those above. */
export function searchedWords(search: string): string[] {
  const words = sortKey(search.slice(0, SEARCH_MAX)).split(/\s+/u).filter(Boolean).map(cut);
  return [...new Set(words)].slice(0, WORDS_MAX);
}

/** Whether somebody with these words is found by all of the searched ones. */
export function fits(words: readonly string[], searched: readonly string[]): boolean {
  return searched.every((beginning) => words.some((word) => word.startsWith(beginning)));
}

/** True of a row whose column of words has one with this beginning. */
export function hasWord(column: Sql, beginning: string): Sql {
  return sql`${column} LIKE ${`% ${beginning.replace(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`;
}

/** Order of bytes in UTF-8, which is the order of both engines. */
export function byBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Brings a contact's words and the key of its customer in step with its name, its address and its customer's name.
 * Whoever changes one of these calls it, in the same transaction.
 */
export async function keepContactFindable(tx: Queries, organizationId: string, id: string): Promise<void> {
  // The lock first: what is read behind it is what the last who changed it has left.
  await tx.run(sql`UPDATE accounts SET words = words WHERE organization_id = ${organizationId} AND id = ${id}`);
  const contact = await tx.one<{ words: string | null; customerKey: string; sortKey: string; emailKey: string }>(
    sql`SELECT a.words, c.sort_key AS "customerKey", a.sort_key AS "sortKey", a.email_key AS "emailKey"
      FROM accounts a JOIN customers c ON c.organization_id = a.organization_id AND c.id = a.customer_id
      WHERE a.organization_id = ${organizationId} AND a.id = ${id}`,
  );
  if (!contact) return;
  const { words, customerKey, ...own } = contact;
  const kept = await keepWords(tx, organizationId, id, words, wordsOf([customerKey, own.sortKey], own.emailKey));
  await tx.run(sql`UPDATE accounts SET words = ${kept}, customer_key = ${customerKey}
    WHERE organization_id = ${organizationId} AND id = ${id}`);
}

/** The same of a customer: its own words while it has no contacts, and those of all its contacts. */
export async function keepCustomerFindable(tx: Queries, organizationId: string, id: string): Promise<void> {
  await keepCustomersOwnWords(tx, organizationId, id);
  const contacts = await tx.all<{ id: string }>(sql`SELECT id FROM accounts
    WHERE organization_id = ${organizationId} AND customer_id = ${id} ORDER BY id`);
  for (const contact of contacts) await keepContactFindable(tx, organizationId, contact.id);
}

/** The customer's own words alone, after its first contact has come or its last one has gone. */
export async function keepCustomersOwnWords(tx: Queries, organizationId: string, id: string): Promise<void> {
  const customer = await tx.one<{ words: string | null; sortKey: string; contacts: number }>(
    sql`SELECT words, sort_key AS "sortKey", contacts FROM customers
      WHERE organization_id = ${organizationId} AND id = ${id}`,
  );
  if (!customer) return;
  const words = customer.contacts === 0 ? wordsOf([customer.sortKey]) : [];
  const kept = await keepWords(tx, organizationId, id, customer.words, words);
  if (kept === customer.words) return;
  await tx.run(sql`UPDATE customers SET words = ${kept} WHERE organization_id = ${organizationId} AND id = ${id}`);
}

/** Writes words down for many rows that are new and have none yet; their own column of words the caller has filled. */
export async function insertWords(
  tx: Queries,
  organizationId: string,
  rows: readonly { readonly id: string; readonly words: readonly string[] }[],
): Promise<void> {
  for (const some of pieces(rows.flatMap(({ id, words }) => words.map((word) => ({ id, word }))))) {
    const values = some.map(({ id, word }) => sql`(${organizationId}, ${word}, ${id})`);
    await tx.run(sql`INSERT INTO search_words (organization_id, word, row_id) VALUES ${list(values)}`);
  }
}

/** Takes the words of a row away that is about to go. */
export async function forgetWords(tx: Queries, organizationId: string, id: string, words: string): Promise<void> {
  await keepWords(tx, organizationId, id, words, []);
}

/** Words as their column holds them. */
export function columnOf(words: readonly string[]): string {
  return words.length === 0 ? '' : ` ${words.join(' ')} `;
}

export function wordsIn(column: string | null): string[] {
  return column === null || column === '' ? [] : column.slice(1, -1).split(' ');
}

async function keepWords(
  tx: Queries,
  organizationId: string,
  id: string,
  before: string | null,
  words: readonly string[],
): Promise<string> {
  const old = new Set(wordsIn(before));
  const kept = new Set(words);
  for (const word of old) {
    if (kept.has(word)) continue;
    await tx.run(sql`DELETE FROM search_words
      WHERE organization_id = ${organizationId} AND word = ${word} AND row_id = ${id}`);
  }
  for (const word of words) {
    if (old.has(word)) continue;
    await tx.run(sql`INSERT INTO search_words (organization_id, word, row_id) VALUES (${organizationId}, ${word}, ${id})
      ON CONFLICT (organization_id, word, row_id) DO NOTHING`);
  }
  return columnOf(words);
}

const BITE = 200;

/**
 * Writes down words for whoever has none: rows from before there were words, and whatever was put into the tables by
 * another way than ours. In bites, each its own transaction, as long as `mayGoOn` agrees; several servers may do it at
 * once. Answers how many rows.
 */
export async function makeFindable(db: Database, mayGoOn: () => boolean = () => true): Promise<number> {
  let made = 0;
  while (mayGoOn()) {
    const contacts = await db.all<Missing>(sql`SELECT organization_id AS "organizationId", id FROM accounts
      WHERE kind = 'contact' AND words IS NULL ORDER BY organization_id, id LIMIT ${BITE}`);
    const customers = await db.all<Missing>(sql`SELECT organization_id AS "organizationId", id FROM customers
      WHERE words IS NULL ORDER BY organization_id, id LIMIT ${BITE}`);
    if (contacts.length + customers.length === 0) return made;
    await db.transaction((tx) => makeBite(tx, contacts, customers));
    made += contacts.length + customers.length;
  }
  return made;
}

interface Missing {
  readonly organizationId: string;
  readonly id: string;
}

async function makeBite(tx: Transaction, contacts: readonly Missing[], customers: readonly Missing[]): Promise<void> {
  for (const { organizationId, id } of customers) await keepCustomersOwnWords(tx, organizationId, id);
  for (const { organizationId, id } of contacts) await keepContactFindable(tx, organizationId, id);
}
