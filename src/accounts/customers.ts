import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Transaction } from '../db/db.ts';
import { nameForAudit, record, type Actor } from './audit.ts';
import { sortKey } from './accounts.ts';
import { keepCustomerFindable, keepCustomersOwnWords } from './findable.ts';
import { insertContact, type ContactDraft, type ContactOutcome } from './contacts.ts';
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
export type CustomerOutcome =
  | { kind: 'saved'; customer: Customer; contactId: string }
  | Exclude<ContactOutcome, { kind: 'saved' }>;

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
    return contact.kind === 'saved'
      ? { kind: 'saved', customer, contactId: contact.id }
      : new RolledBack<CustomerOutcome>(contact);
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

/** Whether the organization has any customer yet. */
export async function hasCustomers(db: Pick<Queries, 'one'>, organizationId: string): Promise<boolean> {
  const found = await db.one(sql`SELECT 1 AS found FROM customers WHERE organization_id = ${organizationId} LIMIT 1`);
  return found !== undefined;
}
