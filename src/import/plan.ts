import { HAS_MFA, sortKey } from '../accounts/accounts.ts';
import { list, sql, type Queries, type Sql } from '../db/db.ts';
import type { ImportRow, Problem, ProblemKind } from './rows.ts';

/** A contact that is there already, with what decides about a row. */
export interface KnownContact {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly emailKey: string;
  readonly phone: string | null;
  readonly externalId: string | null;
  readonly disabledAt: number | null;
  readonly epoch: number;
  readonly customerId: string;
  readonly customerName: string;
  readonly customerExternalId: string | null;
  /**
   * Nothing that concerns signing in has happened to it yet. Only then does an import bring it a password or a secret:
   * one that was reset, removed or replaced since must not come back out of an old file.
   */
  readonly isUntouched: boolean;
}

export interface KnownCustomer {
  readonly id: string;
  readonly name: string;
  readonly hasPrimary: boolean;
}

/** What the database has of the contacts and customers that some rows speak of. */
export interface Known {
  readonly byEmail: ReadonlyMap<string, KnownContact>;
  readonly byId: ReadonlyMap<string, KnownContact>;
  readonly customersById: ReadonlyMap<string, KnownCustomer>;
  /** 'several' where a name does not say which. */
  readonly customersByName: ReadonlyMap<string, KnownCustomer | 'several'>;
}

/** Reads it, in as many statements for some hundred rows as for one. */
export async function look(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  rows: readonly ImportRow[],
): Promise<Known> {
  const ids = said(rows.map(({ externalId }) => externalId));
  const customerIds = said(rows.map(({ customer }) => customer.id));
  const names = said(
    rows.map(({ customer: { id, name } }) => (id === undefined && name !== undefined ? sortKey(name) : undefined)),
  );
  const contacts = [
    ...(await contactsWhere(db, organizationId, sql`a.email_key`, said(rows.map((row) => row.emailKey)))),
    ...(await contactsWhere(db, organizationId, sql`a.external_id`, ids)),
  ];
  const byName = await customersWhere(db, organizationId, sql`c.sort_key`, names);
  return {
    byEmail: new Map(contacts.map((contact) => [contact.emailKey, contact])),
    byId: new Map(contacts.flatMap((contact) => (contact.externalId === null ? [] : [[contact.externalId, contact]]))),
    customersById: new Map((await customersWhere(db, organizationId, sql`c.external_id`, customerIds)).map(keyed)),
    customersByName: new Map(byName.map((found) => [found.key, found.several > 1 ? 'several' : found])),
  };
}

function said(values: readonly (string | undefined)[]): string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}

function keyed(found: FoundCustomer): [string, KnownCustomer] {
  return [found.key, found];
}

async function contactsWhere(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  column: Sql,
  values: readonly string[],
): Promise<KnownContact[]> {
  if (values.length === 0) return [];
  const rows = await db.all<
    Omit<KnownContact, 'isUntouched'> & { isUntouched: number }
  >(sql`SELECT a.id, a.name, a.email,
      a.email_key AS "emailKey", a.phone, a.external_id AS "externalId", a.disabled_at AS "disabledAt", a.epoch,
      a.customer_id AS "customerId", c.name AS "customerName", c.external_id AS "customerExternalId",
      CASE WHEN a.epoch = 1 AND a.password IS NULL AND NOT ${HAS_MFA} THEN 1 ELSE 0 END AS "isUntouched"
    FROM accounts a JOIN customers c ON c.organization_id = a.organization_id AND c.id = a.customer_id
    WHERE a.organization_id = ${organizationId} AND a.kind = 'contact' AND ${column} IN (${list(padded(values))})`);
  return rows.map((row) => ({ ...row, isUntouched: row.isUntouched === 1 }));
}

interface FoundCustomer extends KnownCustomer {
  readonly key: string;
  readonly several: number;
}

async function customersWhere(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  column: Sql,
  values: readonly string[],
): Promise<FoundCustomer[]> {
  if (values.length === 0) return [];
  const rows = await db.all<Omit<FoundCustomer, 'hasPrimary'> & { primaries: number }>(sql`SELECT ${column} AS key,
      MIN(c.id) AS id, MIN(c.name) AS name, COUNT(*) AS several,
      COUNT((SELECT p.id FROM accounts p WHERE p.organization_id = c.organization_id AND p.customer_id = c.id
        AND p.is_primary_at IS NOT NULL)) AS primaries
    FROM customers c
    WHERE c.organization_id = ${organizationId} AND ${column} IN (${list(padded(values))}) GROUP BY ${column}`);
  return rows.map(({ primaries, ...row }) => ({ ...row, hasPrimary: primaries > 0 }));
}

/** As many values for one row as for some hundred, so that the statement is one text and stays prepared. */
function padded(values: readonly string[]): readonly string[] {
  const size = Math.ceil(values.length / 128) * 128;
  return [...values, ...Array.from({ length: size - values.length }, () => values[0] ?? '')];
}

/** What a row comes to. */
export type Plan =
  | { kind: 'new'; row: ImportRow; customer: KnownCustomer | undefined }
  | { kind: 'changed'; row: ImportRow; contact: KnownContact; changes: Changes }
  /** `keeps`: what the file has of passwords and secrets is not taken over an existing contact's. */
  | { kind: 'unchanged'; row: ImportRow; keeps: boolean }
  | { kind: 'wrong'; problem: Problem };

/** What changes of a contact that is there; undefined stays as it is. */
export interface Changes {
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly phone: string | undefined;
  readonly externalId: string | undefined;
  readonly open: boolean | undefined;
  readonly secret: Uint8Array | undefined;
  readonly hash: string | undefined;
  readonly customerName: string | undefined;
  readonly customerExternalId: string | undefined;
}

/**
 * Decides what is done with a row, for the check that shows it and for the job that does it alike. Contacts are found by
 * e-mail and by external id; customers by id, where the file has one, and by name else.
 */
export function plan(row: ImportRow, known: Known, updates: boolean): Plan {
  const byEmail = known.byEmail.get(row.emailKey);
  const byId = row.externalId === undefined ? undefined : known.byId.get(row.externalId);
  const contact = byEmail ?? byId;
  if (byEmail && byId && byEmail.id !== byId.id)
    return wrong(row, 'other-contact', 'email and external_id belong to two contacts');
  if (!contact) return planNew(row, known);
  if (row.externalId !== undefined && contact.externalId !== null && contact.externalId !== row.externalId)
    return wrong(row, 'other-contact', 'email belongs to a contact with another external_id');
  if (!isOfCustomer(row, contact, known)) return wrong(row, 'other-customer', 'email belongs to another customer');
  if (!updates) return { kind: 'unchanged', row, keeps: row.secret !== undefined || row.hash !== undefined };
  const changes = changesOf(row, contact);
  if (Object.values(changes).some((change) => change !== undefined)) return { kind: 'changed', row, contact, changes };
  return { kind: 'unchanged', row, keeps: row.secret !== undefined || row.hash !== undefined };
}

function planNew(row: ImportRow, known: Known): Plan {
  const { id, name } = row.customer;
  if (id !== undefined) return { kind: 'new', row, customer: known.customersById.get(id) };
  const found = name === undefined ? undefined : known.customersByName.get(sortKey(name));
  if (found === 'several')
    return wrong(row, 'customer-unclear', 'several customers have this name; use a column with their ids');
  return { kind: 'new', row, customer: found };
}

// A customer that has no id yet gets the one of the file if the name fits and nobody has it.
function isOfCustomer({ customer: { id, name } }: ImportRow, contact: KnownContact, known: Known): boolean {
  if (id !== undefined && contact.customerExternalId === id) return true;
  const sameName = name === undefined || sortKey(name) === sortKey(contact.customerName);
  return sameName && (id === undefined || (contact.customerExternalId === null && !known.customersById.has(id)));
}

function changesOf(row: ImportRow, contact: KnownContact): Changes {
  return {
    name: differs(row.name, contact.name),
    email: differs(row.email, contact.email),
    phone: differs(row.phone, contact.phone),
    externalId: differs(row.externalId, contact.externalId),
    open: differs(row.open, contact.disabledAt === null),
    secret: contact.isUntouched ? row.secret : undefined,
    hash: contact.isUntouched ? row.hash : undefined,
    customerName: row.customer.id === undefined ? undefined : differs(row.customer.name, contact.customerName),
    customerExternalId: differs(row.customer.id, contact.customerExternalId),
  };
}

function differs<T>(given: T | undefined, has: T | null): T | undefined {
  return given === has ? undefined : given;
}

function wrong({ line }: ImportRow, kind: ProblemKind, text: string): Plan {
  return { kind: 'wrong', problem: { line, kind, text } };
}
