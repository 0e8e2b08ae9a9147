import { uuidv7 } from '../crypto/tokens.ts';
import { NotUnique, RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { nameForAudit, record, type Actor } from './audit.ts';
import { ACCOUNT_COLUMNS, emailKey, MFA_SINCE, sortKey, WAIT_UNTIL, type Account } from './accounts.ts';
import { voidCarriers } from './epoch.ts';
import { keepContactFindable, keepCustomersOwnWords } from './findable.ts';
import type { Installation } from './installation.ts';
import { notMeToken } from './mailed-links.ts';
import { byWhom } from './notices.ts';
import { queueMail, type MailFacts } from './outbox.ts';

/** A person at a customer, with what staff see of their MFA. */
export interface Contact extends Account {
  readonly customerId: string;
  readonly isPrimaryAt: number | null;
  /** Since when an authenticator is active, or null. */
  readonly mfaSince: number | null;
  readonly mfaLastUsedAt: number | null;
  /** Backup codes that still work, or null where no set was made. */
  readonly backupCodesLeft: number | null;
  /** When the wait for wrong codes ends that ends last; in the past where none holds. */
  readonly waitUntil: number;
  /** Until when a request for help holds a reset up; null where nobody has asked since a second factor worked. */
  readonly helpWaitUntil: number | null;
}

export interface ContactDraft {
  readonly name: string;
  readonly email: string;
  readonly phone: string | null;
}

/** Outcomes of adding or changing a contact; what was refused changed nothing. */
export type ContactOutcome = { kind: 'saved'; id: string } | { kind: 'email-shape' } | { kind: 'email-taken' };

/** The address stays while a request for help waits: whoever is told of it is who was there when it was asked. */
export type ChangeOutcome = ContactOutcome | { kind: 'help-waits' };

/** The contacts of an organization that fulfil a condition on `a`, primary ones first, then by address. */
export function contactsWhere(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  condition: Sql,
  limit = Number.MAX_SAFE_INTEGER,
): Promise<Contact[]> {
  return db.all(sql`SELECT ${ACCOUNT_COLUMNS}, a.is_primary_at AS "isPrimaryAt",
      ${WAIT_UNTIL} AS "waitUntil", ${MFA_SINCE} AS "mfaSince", a.backup_codes_left AS "backupCodesLeft",
      a.help_wait_until AS "helpWaitUntil",
      (SELECT MAX(m.last_used_at) FROM authenticators m WHERE m.organization_id = a.organization_id AND m.account_id = a.id
        AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL) AS "mfaLastUsedAt"
    FROM accounts a WHERE a.organization_id = ${organizationId} AND a.kind = 'contact' AND ${condition}
    ORDER BY CASE WHEN a.is_primary_at IS NULL THEN 1 ELSE 0 END, a.email_key, a.id LIMIT ${limit}`);
}

/** A customer's contacts, the primary one first, at most `limit`. */
export function contactsOf(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  customerId: string,
  limit?: number,
): Promise<Contact[]> {
  return contactsWhere(db, organizationId, sql`a.customer_id = ${customerId}`, limit);
}

/** One contact of a customer, or undefined. */
export async function findContact(
  db: Pick<Queries, 'all'>,
  organizationId: string,
  customerId: string,
  id: string,
): Promise<Contact | undefined> {
  return (await contactsWhere(db, organizationId, sql`a.customer_id = ${customerId} AND a.id = ${id}`))[0];
}

/** Adds a contact without a password; a customer's first one is its primary contact. */
export function createContact(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  customerId: string,
  draft: ContactDraft,
): Promise<ContactOutcome> {
  return installation.db.transaction((tx) =>
    insertContact(tx, installation, actor, { organizationId, id: customerId }, draft),
  );
}

/** The same inside a transaction, whose caller undoes the rest where the address is refused. */
export async function insertContact(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  customer: { readonly organizationId: string; readonly id: string },
  draft: ContactDraft,
): Promise<ContactOutcome> {
  const now = installation.now();
  const { organizationId } = customer;
  const key = emailKey(draft.email);
  if (key === undefined) return { kind: 'email-shape' };
  const id = uuidv7(now);
  // The customer's row is the lock for "first contact": two at once cannot both be primary.
  await tx.run(sql`UPDATE customers SET name = name WHERE organization_id = ${organizationId} AND id = ${customer.id}`);
  const made = await tx.run(sql`INSERT INTO accounts
    (organization_id, id, kind, customer_id, name, sort_key, email, email_key, phone, created_at)
    VALUES (${organizationId}, ${id}, 'contact', ${customer.id}, ${draft.name}, ${sortKey(draft.name)}, ${draft.email.trim()}, ${key}, ${draft.phone}, ${now})
    ON CONFLICT (organization_id, kind, email_key) DO NOTHING`);
  if (made === 0) return { kind: 'email-taken' };
  await tx.run(sql`UPDATE accounts SET is_primary_at = ${now} WHERE organization_id = ${organizationId} AND id = ${id}
    AND NOT EXISTS (SELECT 1 FROM accounts p WHERE p.organization_id = ${organizationId}
      AND p.customer_id = ${customer.id} AND p.is_primary_at IS NOT NULL)`);
  await tx.run(sql`UPDATE customers SET contacts = contacts + 1
    WHERE organization_id = ${organizationId} AND id = ${customer.id}`);
  await keepContactFindable(tx, organizationId, id);
  await keepCustomersOwnWords(tx, organizationId, customer.id);
  await nameContact(tx, organizationId, id, draft);
  await record(tx, installation, { organizationId, actor, action: 'contact.created', targetId: id });
  return { kind: 'saved', id };
}

/**
 * Changes name, address and phone. A changed address raises the epoch, because whoever signs in with it may be
 * somebody else from now on (I12).
 */
export async function changeContact(
  installation: Installation,
  actor: Actor,
  contact: Contact,
  draft: ContactDraft,
): Promise<ChangeOutcome> {
  const { organizationId, id } = contact;
  const key = emailKey(draft.email);
  if (key === undefined) return { kind: 'email-shape' };
  return installation.db.transaction<ChangeOutcome>(async (tx) => {
    const now = installation.now();
    const whose = sql`organization_id = ${organizationId} AND id = ${id}`;
    const moved = await tx.savepoint(() =>
      tx.run(sql`UPDATE accounts SET email_key = ${key}, epoch = epoch + 1 WHERE ${whose} AND email_key <> ${key}`),
    );
    if (!moved.ok) {
      if (moved.fault instanceof NotUnique) return new RolledBack<ChangeOutcome>({ kind: 'email-taken' });
      throw moved.fault;
    }
    if (moved.value === 1) {
      const held = await tx.one(sql`SELECT 1 AS found FROM accounts WHERE ${whose} AND help_wait_until > ${now}`);
      if (held) return new RolledBack<ChangeOutcome>({ kind: 'help-waits' });
    }
    const email = draft.email.trim();
    if (moved.value === 1) {
      await voidCarriers(tx, organizationId, id, installation.now());
      await tellBothAddresses(tx, installation, contact, email, byWhom(actor, id));
    }
    const changed = await tx.run(sql`UPDATE accounts SET name = ${draft.name}, sort_key = ${sortKey(draft.name)},
        email = ${email}, phone = ${draft.phone}
      WHERE ${whose} AND (name <> ${draft.name} OR email <> ${email} OR phone IS DISTINCT FROM ${draft.phone})`);
    if (changed === 0) return new RolledBack<ChangeOutcome>({ kind: 'saved', id });
    await keepContactFindable(tx, organizationId, id);
    await nameContact(tx, organizationId, id, draft);
    await record(tx, installation, { organizationId, actor, action: 'contact.changed', targetId: id });
    return { kind: 'saved', id };
  });
}

/**
 * Moves a contact to the address that they have confirmed. Raises the epoch and ends whatever carries the old one, as any
 * change of address does (I12); both addresses are told, the old one with a way to say that it was somebody else. The
 * caller undoes the rest where it answers anything but `changed`.
 */
export async function confirmAddress(
  tx: Transaction,
  installation: Installation,
  actor: Actor & { readonly kind: 'account' },
  account: Account,
  email: string,
): Promise<'changed' | 'taken' | 'over'> {
  const { organizationId, id } = account;
  const moved = await tx.savepoint(() =>
    tx.run(sql`UPDATE accounts SET email = ${email}, email_key = ${emailKey(email) ?? ''}, epoch = epoch + 1
      WHERE organization_id = ${organizationId} AND id = ${id} AND epoch = ${account.epoch} AND disabled_at IS NULL`),
  );
  if (!moved.ok) {
    if (moved.fault instanceof NotUnique) return 'taken';
    throw moved.fault;
  }
  if (moved.value === 0) return 'over';
  await voidCarriers(tx, organizationId, id, installation.now());
  await keepContactFindable(tx, organizationId, id);
  await nameContact(tx, organizationId, id, { name: account.name, email });
  await record(tx, installation, { organizationId, actor, action: 'email.changed', targetId: id });
  const by = { by: 'self', address: actor.address, userAgent: actor.userAgent ?? null };
  const token = await notMeToken(tx, installation, account, account.email);
  await tellBothAddresses(tx, installation, account, email, by, token === undefined ? {} : { notMeToken: token });
  return 'changed';
}

/** That the address of an account has changed: to the one that it was and to the one that it is (ASVS 6.3.7). */
export async function tellBothAddresses(
  tx: Transaction,
  installation: Installation,
  { organizationId, id, email: old }: Pick<Account, 'organizationId' | 'id' | 'email'>,
  email: string,
  by: MailFacts,
  forOld: MailFacts = {},
): Promise<void> {
  const letter = { organizationId, accountId: id, kind: 'email-changed' } as const;
  const facts = { at: installation.now(), ...by };
  // The old mailbox may be somebody else's by now: it is not told the new address.
  await queueMail(
    tx,
    installation,
    { ...letter, to: old, facts: { ...facts, ...forOld } },
    { ...letter, to: email, facts },
  );
}

function nameContact(
  tx: Transaction,
  organizationId: string,
  id: string,
  draft: Pick<ContactDraft, 'name' | 'email'>,
): Promise<void> {
  return nameForAudit(tx, organizationId, id, `${draft.name} (${draft.email.trim()})`);
}
