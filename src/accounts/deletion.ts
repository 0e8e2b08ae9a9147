import { sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { record, type Actor } from './audit.ts';
import type { Contact } from './contacts.ts';
import type { Customer } from './customers.ts';
import { forgetWords, keepCustomersOwnWords } from './findable.ts';
import type { Installation } from './installation.ts';

/** What would go with a customer. */
export interface Belongings {
  readonly contacts: number;
  readonly documents: number;
}

/** What goes with a customer; who of its contacts is signed in, `signedInNow` tells. */
export async function belongingsOf(db: Database, { organizationId, id }: Customer): Promise<Belongings> {
  const own = sql`organization_id = ${organizationId} AND customer_id = ${id}`;
  const row = await db.one<Belongings>(sql`SELECT (SELECT COUNT(*) FROM accounts WHERE ${own}) AS contacts,
    (SELECT COUNT(*) FROM documents WHERE ${own}) AS documents`);
  return row ?? { contacts: 0, documents: 0 };
}

/**
 * Deletes a contact with everything of theirs, in one transaction: from its commit on nothing that they carry opens
 * anything. The audit log keeps its rows and loses the name. If they were the primary contact, whoever was there next is.
 * False where they are gone already, or at another customer.
 */
export function deleteContact(
  installation: Installation,
  actor: Actor,
  { organizationId, id, customerId }: Contact,
  reason: string,
): Promise<boolean> {
  return installation.db.transaction(async (tx) => {
    await lockCustomer(tx, organizationId, customerId);
    const gone = await purge(tx, organizationId, sql`id = ${id} AND customer_id = ${customerId}`);
    if (gone === 0) return false;
    await tx.run(sql`UPDATE customers SET contacts = contacts - 1
      WHERE organization_id = ${organizationId} AND id = ${customerId}`);
    await keepPrimary(tx, organizationId, customerId, installation.now());
    await keepCustomersOwnWords(tx, organizationId, customerId);
    await record(tx, installation, { organizationId, actor, action: 'contact.deleted', targetId: id, reason });
    return true;
  });
}

/** Deletes a customer with its contacts and documents, likewise. False where it is gone already. */
export function deleteCustomer(
  installation: Installation,
  actor: Actor,
  { organizationId, id }: Customer,
  reason: string,
): Promise<boolean> {
  return installation.db.transaction(async (tx) => {
    await lockCustomer(tx, organizationId, id);
    const contacts = await purge(tx, organizationId, sql`customer_id = ${id}`);
    const documents = await tx.run(
      sql`DELETE FROM documents WHERE organization_id = ${organizationId} AND customer_id = ${id}`,
    );
    const own = await tx.one<{ words: string | null }>(
      sql`SELECT words FROM customers WHERE organization_id = ${organizationId} AND id = ${id}`,
    );
    if (!own) return false;
    await forgetWords(tx, organizationId, id, own.words ?? '');
    await tx.run(sql`DELETE FROM customers WHERE organization_id = ${organizationId} AND id = ${id}`);
    await tx.run(sql`DELETE FROM audit_names WHERE organization_id = ${organizationId} AND subject_id = ${id}`);
    const details = { contacts, documents };
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'customer.deleted',
      targetId: id,
      reason,
      details,
    });
    return true;
  });
}

/** The customer's row is the lock for who is there: it comes before any contact's, as in adding one. */
export async function lockCustomer(tx: Queries, organizationId: string, id: string): Promise<boolean> {
  return (
    (await tx.run(sql`UPDATE customers SET name = name WHERE organization_id = ${organizationId} AND id = ${id}`)) === 1
  );
}

/** A customer's primary contact, if it has lost it, is the one who has been there the longest. */
export async function keepPrimary(tx: Queries, organizationId: string, customerId: string, now: number): Promise<void> {
  const there = sql`organization_id = ${organizationId} AND customer_id = ${customerId}`;
  await tx.run(sql`UPDATE accounts SET is_primary_at = ${now} WHERE ${there}
    AND id = (SELECT MIN(id) FROM accounts WHERE ${there})
    AND NOT EXISTS (SELECT 1 FROM accounts WHERE ${there} AND is_primary_at IS NOT NULL)`);
}

/** Everything of some contacts, then they themselves: what refers to another row goes before it. Answers how many. */
async function purge(tx: Transaction, organizationId: string, whose: Sql): Promise<number> {
  // Their locks: whoever is answering a challenge just now finds it gone.
  await tx.run(sql`UPDATE accounts SET epoch = epoch + 1 WHERE organization_id = ${organizationId} AND ${whose}`);
  const accounts = await tx.all<{ id: string; words: string | null }>(
    sql`SELECT id, words FROM accounts WHERE organization_id = ${organizationId} AND ${whose}`,
  );
  for (const { id, words } of accounts) {
    const own = sql`organization_id = ${organizationId} AND account_id = ${id}`;
    await tx.run(sql`DELETE FROM backup_codes WHERE organization_id = ${organizationId}
      AND set_id IN (SELECT id FROM backup_code_sets WHERE ${own})`);
    await tx.run(sql`DELETE FROM backup_code_sets WHERE ${own}`);
    await tx.run(sql`DELETE FROM authenticators WHERE ${own}`);
    await tx.run(sql`DELETE FROM passkeys WHERE ${own}`);
    await tx.run(sql`DELETE FROM passkey_ceremonies WHERE ${own}`);
    await tx.run(sql`DELETE FROM enrolment_codes WHERE ${own}`);
    await tx.run(sql`DELETE FROM parked_forms WHERE ${own}`);
    await tx.run(sql`DELETE FROM mails WHERE ${own}`);
    await tx.run(sql`DELETE FROM trusted_devices WHERE ${own}`);
    await tx.run(sql`DELETE FROM recovery_requests WHERE ${own}`);
    await tx.run(sql`DELETE FROM sign_in_codes WHERE ${own}`);
    await tx.run(sql`DELETE FROM sessions WHERE ${own}`);
    await tx.run(sql`DELETE FROM challenges WHERE ${own}`);
    await tx.run(sql`DELETE FROM welcome_links WHERE ${own}`);
    await tx.run(sql`DELETE FROM mailed_links WHERE ${own}`);
    await tx.run(sql`DELETE FROM known_addresses WHERE ${own}`);
    await forgetWords(tx, organizationId, id, words ?? '');
    await tx.run(sql`DELETE FROM audit_names WHERE organization_id = ${organizationId} AND subject_id = ${id}`);
    await tx.run(sql`DELETE FROM accounts WHERE organization_id = ${organizationId} AND id = ${id}`);
  }
  return accounts.length;
}
