import { sortKey } from '../accounts/accounts.ts';
import { nameAllForAudit, recordAll } from '../accounts/audit.ts';
import { keepCustomersOwnWords } from '../accounts/findable.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Transaction } from '../db/db.ts';
import type { Importing } from './change.ts';
import type { KnownCustomer, Plan } from './plan.ts';
import { customerKey, type ImportRow } from './rows.ts';

/** A customer that is there, with the key by which its contacts are sorted. */
export interface Kept extends KnownCustomer {
  readonly sortKey: string;
}

type New = Extract<Plan, { kind: 'new' }>;

/**
 * The customers of contacts that are about to be made, by the key of their rows: found and locked, or made, each with
 * its contacts counted in already. One that is missing was taken, or has gone, meanwhile. `made` are to be settled.
 */
export async function customersFor(
  tx: Transaction,
  importing: Importing,
  plans: readonly New[],
): Promise<{ customers: ReadonlyMap<string, Kept>; made: readonly Kept[] }> {
  const byKey = Map.groupBy(plans, ({ row }) => customerKey(row));
  const kept = new Map<string, Kept>();
  const missing: Draft[] = [];
  for (const [key, [first, ...others]] of byKey) {
    if (!first) continue;
    const contacts = others.length + 1;
    if (first.customer) {
      const found = await countIn(tx, importing, first.customer, contacts);
      if (found) kept.set(key, found);
    } else missing.push(draftOf(importing, key, first.row, contacts));
  }
  const made = await insertAll(tx, importing, missing);
  for (const draft of made) kept.set(draft.key, draft);
  return { customers: kept, made };
}

// The count is the customer's lock: from here on nobody renames, deletes or fills it until this transaction has ended.
async function countIn(
  tx: Transaction,
  { organizationId }: Importing,
  customer: KnownCustomer,
  contacts: number,
): Promise<Kept | undefined> {
  const row = await tx.one<{ sortKey: string; contacts: number }>(sql`UPDATE customers
    SET contacts = contacts + ${contacts} WHERE organization_id = ${organizationId} AND id = ${customer.id}
    RETURNING sort_key AS "sortKey", contacts`);
  if (row?.contacts === contacts) await keepCustomersOwnWords(tx, organizationId, customer.id);
  return row && { ...customer, sortKey: row.sortKey };
}

/** Counts a contact out again that could not be made. */
export async function countOut(tx: Transaction, { organizationId }: Importing, { id }: Kept): Promise<void> {
  await tx.run(
    sql`UPDATE customers SET contacts = contacts - 1 WHERE organization_id = ${organizationId} AND id = ${id}`,
  );
  await keepCustomersOwnWords(tx, organizationId, id);
}

interface Draft extends Kept {
  readonly key: string;
  readonly externalId: string | null;
  readonly contacts: number;
}

function draftOf({ installation }: Importing, key: string, row: ImportRow, contacts: number): Draft {
  const name = row.customer.name ?? row.name ?? row.email;
  const id = uuidv7(installation.now());
  return { key, id, name, sortKey: sortKey(name), hasPrimary: false, externalId: row.customer.id ?? null, contacts };
}

async function insertAll(
  tx: Transaction,
  { installation, organizationId }: Importing,
  drafts: readonly Draft[],
): Promise<readonly Draft[]> {
  const now = installation.now();
  const kept = new Set<string>();
  for (const some of pieces(drafts)) {
    // With contacts it has no words of its own.
    const rows = some.map(
      (draft) => sql`(${organizationId}, ${draft.id}, ${draft.name}, ${draft.sortKey}, ${draft.externalId}, '',
        ${draft.contacts}, ${now})`,
    );
    const inserted = await tx.all<{ id: string }>(sql`INSERT INTO customers
      (organization_id, id, name, sort_key, external_id, words, contacts, created_at)
      VALUES ${list(rows)} ON CONFLICT DO NOTHING RETURNING id`);
    for (const { id } of inserted) kept.add(id);
  }
  return drafts.filter(({ id }) => kept.has(id));
}

/**
 * Records the customers that were made and have a contact now. One whose contacts somebody else has made meanwhile, under
 * a customer of his own, goes again unseen.
 */
export async function settleCustomers(
  tx: Transaction,
  { installation, organizationId, actor }: Importing,
  made: readonly Kept[],
  hasContacts: (customer: Kept) => boolean,
): Promise<void> {
  const settled = made.filter(hasContacts);
  await nameAllForAudit(
    tx,
    organizationId,
    settled.map(({ id, name }) => ({ subjectId: id, name })),
  );
  await recordAll(
    tx,
    installation,
    settled.map(({ id }) => ({ organizationId, actor, action: 'customer.created', targetId: id })),
  );
  for (const { id } of made.filter((customer) => !hasContacts(customer)))
    await tx.run(sql`DELETE FROM customers WHERE organization_id = ${organizationId} AND id = ${id}`);
}
