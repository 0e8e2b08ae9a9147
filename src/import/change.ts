import { emailKey, sortKey } from '../accounts/accounts.ts';
import { nameAllForAudit, recordAll, type Actor, type Fact } from '../accounts/audit.ts';
import { tellBothAddresses } from '../accounts/contacts.ts';
import { voidCarriers } from '../accounts/epoch.ts';
import { keepContactFindable, keepCustomerFindable } from '../accounts/findable.ts';
import type { Installation } from '../accounts/installation.ts';
import { byWhom } from '../accounts/notices.ts';
import { importAuthenticators } from '../auth/imported.ts';
import { sealPassword } from '../auth/passwords.ts';
import { NotUnique, sql, type Transaction } from '../db/db.ts';
import type { Plan } from './plan.ts';
import type { ImportRow, Problem } from './rows.ts';

/** For whom an import works, and what it may touch. */
export interface Importing {
  readonly installation: Installation;
  readonly organizationId: string;
  readonly actor: Actor;
  /** Whether contacts that are there are brought up to date, or left as they are. */
  readonly updates: boolean;
}

type Changed = Extract<Plan, { kind: 'changed' }>;

/** Brings contacts that are there up to date. A new address, password, authenticator or access raises the epoch (I12). */
export async function changeContacts(
  tx: Transaction,
  importing: Importing,
  plans: readonly Changed[],
): Promise<{ done: number; problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  const names = new Map<string, string>();
  const facts: Fact[] = [];
  for (const one of plans) {
    const { contact, changes, row } = one;
    const outcome = await tx.savepoint(() => changeOne(tx, importing, one));
    if (!outcome.ok && !(outcome.fault instanceof NotUnique)) throw outcome.fault;
    if (!outcome.ok || outcome.value === undefined) {
      problems.push(taken(row));
      continue;
    }
    if (outcome.value.contact) {
      names.set(contact.id, `${changes.name ?? contact.name} (${changes.email ?? contact.email})`);
      facts.push(imported(importing, 'contact.changed', contact.id, changes));
    }
    if (outcome.value.customer) {
      const { organizationId, actor } = importing;
      names.set(contact.customerId, changes.customerName ?? contact.customerName);
      facts.push({ organizationId, actor, action: 'customer.changed', targetId: contact.customerId });
    }
  }
  const named = Array.from(names, ([subjectId, name]) => ({ subjectId, name }));
  await nameAllForAudit(tx, importing.organizationId, named);
  await recordAll(tx, importing.installation, facts);
  return { done: plans.length - problems.length, problems };
}

/** What was changed of it; undefined where the contact is no longer what it was when that was decided. */
async function changeOne(
  tx: Transaction,
  { installation, organizationId, actor }: Importing,
  { contact, changes, row }: Changed,
): Promise<{ contact: boolean; customer: boolean } | undefined> {
  const now = installation.now();
  const moves = changes.email !== undefined && emailKey(changes.email) !== contact.emailKey;
  const { secret, hash, open } = changes;
  const raises = moves || secret !== undefined || hash !== undefined || open !== undefined;
  const name = changes.name ?? contact.name;
  const password = hash === undefined ? null : sealPassword(installation, { organizationId, id: contact.id }, hash);
  const disabledAt = open === undefined ? contact.disabledAt : open ? null : now;
  const changed = await tx.run(sql`UPDATE accounts SET name = ${name}, sort_key = ${sortKey(name)},
      email = ${changes.email ?? contact.email}, email_key = ${moves ? row.emailKey : contact.emailKey},
      phone = ${changes.phone ?? contact.phone}, external_id = ${changes.externalId ?? contact.externalId},
      disabled_at = ${disabledAt}, password = COALESCE(${password}, password),
      password_set_at = CASE WHEN CAST(${password} AS TEXT) IS NULL THEN password_set_at ELSE CAST(${now} AS BIGINT) END,
      epoch = epoch + ${raises ? 1 : 0}
    WHERE organization_id = ${organizationId} AND id = ${contact.id} AND epoch = ${contact.epoch}
      AND (${moves ? 0 : 1} = 1 OR help_wait_until IS NULL OR help_wait_until <= ${now})
      AND name = ${contact.name} AND email = ${contact.email} AND phone IS NOT DISTINCT FROM ${contact.phone}`);
  if (changed === 0) return undefined;
  if (raises) await voidCarriers(tx, organizationId, contact.id, now);
  if (moves) {
    const { id, email } = contact;
    await tellBothAddresses(tx, installation, { organizationId, id, email }, row.email, byWhom(actor, id));
  }
  if (secret !== undefined) {
    const own = { accountId: contact.id, epoch: contact.epoch + 1, secret };
    await importAuthenticators(tx, installation, organizationId, [own]);
  }
  if (changes.name !== undefined || moves) await keepContactFindable(tx, organizationId, contact.id);
  const { customerName, customerExternalId } = changes;
  const ofCustomer = customerName ?? customerExternalId;
  const others = Object.entries(changes).filter(([of, change]) => change !== undefined && !of.startsWith('customer'));
  const customer = ofCustomer !== undefined && (await changeCustomer(tx, organizationId, contact.customerId, changes));
  return { contact: others.length > 0, customer };
}

// Each contact of a customer says it again: the first one changes it, and it alone leaves a row in the log.
async function changeCustomer(
  tx: Transaction,
  organizationId: string,
  id: string,
  { customerName, customerExternalId }: Changed['changes'],
): Promise<boolean> {
  const ofCustomer = sql`organization_id = ${organizationId} AND id = ${id}`;
  const renamed =
    customerName === undefined
      ? 0
      : await tx.run(sql`UPDATE customers SET name = ${customerName}, sort_key = ${sortKey(customerName)}
          WHERE ${ofCustomer} AND name <> ${customerName}`);
  if (renamed === 1) await keepCustomerFindable(tx, organizationId, id);
  const known =
    customerExternalId === undefined
      ? 0
      : await tx.run(sql`UPDATE customers SET external_id = ${customerExternalId}
          WHERE ${ofCustomer} AND external_id IS NULL`);
  return renamed + known > 0;
}

/** The audit row of a contact that an import has made or changed, with what it brought to sign in with. */
export function imported(
  { organizationId, actor }: Importing,
  action: 'contact.created' | 'contact.changed',
  targetId: string,
  { hash, secret }: { readonly hash: string | undefined; readonly secret: Uint8Array | undefined },
): Fact {
  const brought = hash !== undefined && secret !== undefined ? 'both' : hash !== undefined ? 'password' : 'mfa';
  const result = hash === undefined && secret === undefined ? 'imported' : `imported-${brought}`;
  return { organizationId, actor, action, targetId, result };
}

/** That somebody else has taken what a row needs, or changed whom it is about, since it was looked at. */
export function taken({ line }: ImportRow): Problem {
  return {
    line,
    kind: 'taken-meanwhile',
    text: 'email, external_id or customer was changed by somebody else meanwhile, or they have asked for help with signing in',
  };
}
