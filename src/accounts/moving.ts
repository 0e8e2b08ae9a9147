import { RolledBack, sql } from '../db/db.ts';
import { record, type Actor } from './audit.ts';
import type { Contact } from './contacts.ts';
import type { Customer } from './customers.ts';
import { keepPrimary, lockCustomer } from './deletion.ts';
import { voidCarriers } from './epoch.ts';
import { keepContactFindable, keepCustomersOwnWords } from './findable.ts';
import type { Installation } from './installation.ts';

/**
 * Moves a contact to another customer of the same organization, whose documents they see from now on. Raises the epoch,
 * since what they may see has changed (I12). Each customer that has contacts has a primary one afterwards. False where
 * the contact is not there any more, or the customer is not; nothing has changed then.
 */
export function moveContact(
  installation: Installation,
  actor: Actor,
  contact: Contact,
  to: Customer,
): Promise<boolean> {
  const { organizationId, id, customerId: from } = contact;
  if (from === to.id || to.organizationId !== organizationId) return Promise.resolve(false);
  return installation.db.transaction<boolean>(async (tx) => {
    const now = installation.now();
    // In one order, so that two contacts who change places do not wait for each other.
    for (const customer of [from, to.id].toSorted())
      if (!(await lockCustomer(tx, organizationId, customer))) return new RolledBack(false);
    const moved = await tx.run(sql`UPDATE accounts SET customer_id = ${to.id}, is_primary_at = NULL, epoch = epoch + 1
      WHERE organization_id = ${organizationId} AND id = ${id} AND customer_id = ${from}`);
    if (moved === 0) return new RolledBack(false);
    await voidCarriers(tx, organizationId, id, now);
    for (const [customer, more] of [
      [from, -1],
      [to.id, 1],
    ] as const) {
      await tx.run(sql`UPDATE customers SET contacts = contacts + ${more}
        WHERE organization_id = ${organizationId} AND id = ${customer}`);
      await keepPrimary(tx, organizationId, customer, now);
      await keepCustomersOwnWords(tx, organizationId, customer);
    }
    await keepContactFindable(tx, organizationId, id);
    const details = { from, to: to.id };
    await record(tx, installation, { organizationId, actor, action: 'contact.moved', targetId: id, details });
    return true;
  });
}
