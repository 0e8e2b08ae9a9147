import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { nameForAudit, record, type Actor } from './audit.ts';
import { sortKey } from './accounts.ts';
import { keepCustomerFindable, keepCustomersOwnWords } from './findable.ts';
import { contactsWhere, insertContact, type Contact, type ContactDraft, type ContactOutcome } from './contacts.ts';
import type { Installation } from './installation.ts';

/** A business or person the merchant bills. */
export interface Customer {
  readonly organizationId: string;
  readonly id: string;
  readonly name: string;
}

const COLUMNS = sql`c.organization_id AS "organizationId", c.id, c.name`;

export function findCustomer(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  id: string,
): Promise<Customer | undefined> {
  return db.one(sql`SELECT ${COLUMNS} FROM customers c WHERE c.organization_id = ${organizationId} AND c.id = ${id}`);
}

/** Adds a customer that has no contacts yet. */
export function createCustomer(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  name: string,
): Promise<Customer> {
  return installation.db.transaction((tx) => insertCustomer(tx, installation, actor, organizationId, name));
}

/** Outcomes of adding a customer together with its first contact; what was refused left neither behind. */
export type CustomerOutcome = { kind: 'saved'; customer: Customer } | Exclude<ContactOutcome, { kind: 'saved' }>;

/** Adds a customer together with its first contact: both or, where the contact's address is refused, neither. */
export function createCustomerWithContact(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  name: string,
  first: ContactDraft,
): Promise<CustomerOutcome> {
  return installation.db.transaction<CustomerOutcome>(async (tx) => {
    const customer = await insertCustomer(tx, installation, actor, organizationId, name);
    const contact = await insertContact(tx, installation, actor, customer, first);
    return contact.kind === 'saved' ? { kind: 'saved', customer } : new RolledBack<CustomerOutcome>(contact);
  });
}

async function insertCustomer(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  organizationId: string,
  name: string,
): Promise<Customer> {
  const now = installation.now();
  const id = uuidv7(now);
  await tx.run(sql`INSERT INTO customers (organization_id, id, name, sort_key, created_at)
    VALUES (${organizationId}, ${id}, ${name}, ${sortKey(name)}, ${now})`);
  await keepCustomersOwnWords(tx, organizationId, id);
  await nameForAudit(tx, organizationId, id, name);
  await record(tx, installation, { organizationId, actor, action: 'customer.created', targetId: id });
  return { organizationId, id, name };
}

export async function renameCustomer(
  installation: Installation,
  actor: Actor,
  customer: Customer,
  name: string,
): Promise<void> {
  const { organizationId, id } = customer;
  await installation.db.transaction(async (tx) => {
    const changed = await tx.run(sql`UPDATE customers SET name = ${name}, sort_key = ${sortKey(name)}
      WHERE organization_id = ${organizationId} AND id = ${id} AND name <> ${name}`);
    if (changed === 0) return;
    await keepCustomerFindable(tx, organizationId, id);
    await nameForAudit(tx, organizationId, id, name);
    await record(tx, installation, { organizationId, actor, action: 'customer.changed', targetId: id });
  });
}

export interface CustomerLine extends Customer {
  readonly contacts: readonly Contact[];
}

export interface CustomerPage {
  readonly customers: readonly CustomerLine[];
  /** Where the next page starts, or null on the last one. */
  readonly next: string | null;
}

/**
 * One page of an organization's customers by name, each with its contacts. `search` matches beginnings of the
 * customer's name, of a contact's name and of its e-mail address; `after` is the `next` of the page before.
 */
export async function listCustomers(
  db: Database,
  organizationId: string,
  { search = '', after = '', limit = 25 }: { search?: string; after?: string; limit?: number } = {},
): Promise<CustomerPage> {
  const [afterKey = '', afterId = ''] = decodeCursor(after);
  const rows = await db.all<
    Customer & { sortKey: string }
  >(sql`SELECT ${COLUMNS}, c.sort_key AS "sortKey" FROM customers c
    WHERE c.organization_id = ${organizationId} AND (c.sort_key > ${afterKey} OR (c.sort_key = ${afterKey} AND c.id > ${afterId}))
    ${matching(search)} ORDER BY c.sort_key, c.id LIMIT ${limit + 1}`);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const contacts =
    page.length === 0
      ? []
      : await contactsWhere(db, organizationId, sql`a.customer_id IN (${list(page.map((row) => row.id))})`);
  return {
    customers: page.map(({ id, name }) => ({
      organizationId,
      id,
      name,
      contacts: contacts.filter((contact) => contact.customerId === id),
    })),
    next: rows.length > limit && last ? encodeCursor(last.sortKey, last.id) : null,
  };
}

const SEARCH_MAX = 100;

function matching(search: string): Sql {
  const words = sortKey(search.slice(0, SEARCH_MAX));
  if (words === '') return sql``;
  return sql`AND (${begins(sql`c.sort_key`, words)} OR ${begins(sql`c.sort_key`, ` ${words}`, true)} OR EXISTS (
    SELECT 1 FROM accounts a WHERE a.organization_id = c.organization_id AND a.customer_id = c.id
    AND (${begins(sql`a.email_key`, words)} OR ${begins(sql`a.sort_key`, words)} OR ${begins(sql`a.sort_key`, ` ${words}`, true)})))`;
}

function begins(column: Sql, words: string, anywhere = false): Sql {
  const pattern = `${anywhere ? '%' : ''}${words.replace(/[\\%_]/g, '\\$&')}%`;
  return sql`${column} LIKE ${pattern} ESCAPE '\\'`;
}

function list(values: readonly string[]): Sql {
  return values.reduce<Sql>((before, value, index) => (index === 0 ? sql`${value}` : sql`${before}, ${value}`), sql``);
}

function encodeCursor(...parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

// A cursor comes from an address: PostgreSQL takes no NUL in a text.
function isCursorPart(part: unknown): part is string {
  return typeof part === 'string' && !part.includes('\0');
}

function decodeCursor(cursor: string): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) && parts.every(isCursorPart) ? parts : [];
  } catch {
    return [];
  }
}
