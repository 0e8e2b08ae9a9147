import { hashToken, randomToken, uuidv7 } from '../crypto/tokens.ts';
import { sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { ACCOUNT_COLUMNS, type Account } from './accounts.ts';
import type { Installation } from './installation.ts';
import type { MailFacts } from './outbox.ts';

/** What a mailed link is for: to choose a password, to confirm a new address, to say that something was not oneself. */
export type Purpose = 'new-password' | 'confirm-email' | 'not-me';

const MINUTE_MS = 60_000;
const LINK_LIFETIMES_MS: Readonly<Record<Purpose, number>> = {
  'new-password': 30 * MINUTE_MS,
  'confirm-email': 30 * MINUTE_MS,
  'not-me': 7 * 24 * 60 * MINUTE_MS,
};

/** How many of an account are kept, the newest. As many new passwords as can be asked for while one of them works. */
const KEPT: Readonly<Record<Purpose, number>> = { 'new-password': 4, 'confirm-email': 1, 'not-me': 20 };

type Whose = Pick<Account, 'organizationId' | 'id'>;

/**
 * Makes a link of a contact, to be mailed in the same transaction to `to` or else to the address on file. Answers its
 * token, of which only the SHA-256 is kept; undefined, and nothing made, where there is no such contact or its access is
 * off. The account's epoch stays: asking for a link ends nothing.
 */
export async function makeMailedLink(
  tx: Queries,
  installation: Installation,
  purpose: Purpose,
  whose: Whose,
  to?: string,
): Promise<string | undefined> {
  const now = installation.now();
  const token = randomToken();
  const email = sql`COALESCE(CAST(${to ?? null} AS TEXT), a.email)`;
  const account = sql`accounts a WHERE a.organization_id = ${whose.organizationId} AND a.id = ${whose.id}`;
  // A thief who does twenty things must not so push out the links that lie in the mailbox of before.
  const like = sql`organization_id = ${whose.organizationId} AND account_id = ${whose.id} AND purpose = ${purpose}
    ${purpose === 'not-me' ? sql`AND email = (SELECT ${email} FROM ${account})` : sql``}`;
  await tx.run(sql`DELETE FROM mailed_links WHERE ${like}
    AND id NOT IN (SELECT id FROM mailed_links WHERE ${like} ORDER BY id DESC LIMIT ${KEPT[purpose] - 1})`);
  const made = await tx.run(sql`INSERT INTO mailed_links
      (organization_id, id, account_id, purpose, email, token_hash, epoch, created_at, expires_at)
    SELECT a.organization_id, ${uuidv7(now)}, a.id, ${purpose}, ${email}, ${hashToken(token)}, a.epoch,
      CAST(${now} AS BIGINT), CAST(${now + LINK_LIFETIMES_MS[purpose]} AS BIGINT)
    FROM ${account} AND a.kind = 'contact' AND a.disabled_at IS NULL`);
  return made === 1 ? token : undefined;
}

/** What a letter with such a link says of it, beside its own facts: the token, and until when it works. */
export function factsOfLink(installation: Installation, purpose: Purpose, token: string): MailFacts {
  return { token, until: installation.now() + LINK_LIFETIMES_MS[purpose] };
}

/**
 * The token of a link "This wasn't me", for the letter about something that a contact seems to have done; undefined for
 * staff, and where mail is off. It works for seven days and outlives every epoch: a thief who has changed the password
 * or the address must not thereby have taken away the way to say so.
 */
export async function notMeToken(
  tx: Queries,
  installation: Installation,
  whose: Whose,
  to?: string,
): Promise<string | undefined> {
  return installation.mailIsOn ? makeMailedLink(tx, installation, 'not-me', whose, to) : undefined;
}

export type FoundLink =
  /** `email` is the address that it was mailed to. */
  | { kind: 'open'; account: Account; email: string }
  /** It was spent. */
  | { kind: 'used' }
  /** It has run out, is void, or never was. */
  | { kind: 'over' };

/** Whose link it is, at the portal of its own organization. Looking spends nothing: scanners of mails look at every link. */
export async function findMailedLink(
  installation: Installation,
  purpose: Purpose,
  organizationId: string,
  token: string,
): Promise<FoundLink> {
  const row = await installation.db.one<Account & LinkRow>(sql`SELECT ${ACCOUNT_COLUMNS}, l.email AS "mailedTo",
      l.epoch AS "madeIn", l.expires_at AS "expiresAt", l.spent_at AS "spentAt"
    FROM mailed_links l JOIN accounts a ON a.organization_id = l.organization_id AND a.id = l.account_id
    WHERE l.organization_id = ${organizationId} AND l.token_hash = ${hashToken(token)} AND l.purpose = ${purpose}`);
  if (!row) return { kind: 'over' };
  const { mailedTo: email, madeIn, expiresAt, spentAt, ...account } = row;
  if (spentAt !== null) return { kind: 'used' };
  const isVoid = purpose !== 'not-me' && madeIn !== account.epoch;
  const isOver = isVoid || expiresAt <= installation.now() || account.disabledAt !== null;
  return isOver ? { kind: 'over' } : { kind: 'open', account, email };
}

interface LinkRow {
  readonly mailedTo: string;
  readonly madeIn: number;
  readonly expiresAt: number;
  readonly spentAt: number | null;
}

/** Spends a link, once. False where it was spent, ran out or was voided meanwhile. The caller holds the account's lock. */
export async function spendMailedLink(
  tx: Transaction,
  installation: Installation,
  purpose: Purpose,
  account: Account,
  token: string,
): Promise<boolean> {
  const now = installation.now();
  const spent = await tx.run(sql`UPDATE mailed_links SET spent_at = ${now} WHERE ${ofAccount(account)}
    AND token_hash = ${hashToken(token)} AND purpose = ${purpose} AND spent_at IS NULL AND expires_at > ${now}
    ${purpose === 'not-me' ? sql`` : sql`AND epoch = ${account.epoch}`}`);
  return spent === 1;
}

/** Where a link to confirm another address was mailed that still works, or undefined. */
export async function addressToConfirm(
  { db, now }: Pick<Installation, 'db' | 'now'>,
  account: Account,
): Promise<string | undefined> {
  const row = await db.one<{ email: string }>(sql`SELECT email FROM mailed_links WHERE ${ofAccount(account)}
    AND purpose = 'confirm-email' AND spent_at IS NULL AND expires_at > ${now()} AND epoch = ${account.epoch}`);
  return row?.email;
}

function ofAccount({ organizationId, id }: Whose): Sql {
  return sql`organization_id = ${organizationId} AND account_id = ${id}`;
}
