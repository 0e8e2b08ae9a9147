import { emailKey } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import {
  factsOfLink,
  findMailedLink,
  makeMailedLink,
  spendMailedLink,
  type FoundLink,
} from '../accounts/mailed-links.ts';
import { queueMail } from '../accounts/outbox.ts';
import { fingerprint } from '../crypto/tokens.ts';
import { sql, type Transaction } from '../db/db.ts';
import { spend, tallyWithin } from './counters.ts';
import { LINK_AGAIN, LINKS_BY_ADDRESS, LINKS_TO_MAILBOX, UNKNOWN_EMAIL } from './limits.ts';
import { passwordByLink, type ByLink } from './password-by-link.ts';
import type { Visitor } from './sessions.ts';

export type Asked =
  /** If there is such a contact, a link is on its way. Nothing tells whether there is. */
  | { kind: 'asked' }
  /** Too many were asked for from this address, for whomever. */
  | { kind: 'limited'; until: number };

/**
 * Forgotten password: mails a link to choose a new one, which works for whoever may come in, also who never had one.
 * Unknown addresses and closed accounts cost the same statements and get the same answer (I20). What is asked for beyond
 * the limits of a mailbox is not mailed, and answered alike. Nothing ends by being asked for.
 */
export async function askForNewPassword(
  installation: Installation,
  organizationId: string,
  email: string,
  visitor: Visitor,
): Promise<Asked> {
  const { db, counterKey } = installation;
  const now = installation.now();
  const from = await spend(db, { limit: LINKS_BY_ADDRESS, subject: fingerprint(counterKey, visitor.network) }, now);
  if (!from.ok) return { kind: 'limited', until: from.until };
  const key = emailKey(email) ?? '';
  const subject = fingerprint(counterKey, 'new password', organizationId, key);
  for (const limit of [LINK_AGAIN, LINKS_TO_MAILBOX])
    if (!(await spend(db, { limit, subject }, now)).ok) return { kind: 'asked' };
  await db.transaction((tx) => mailLink(tx, installation, { organizationId, key, subject }, visitor));
  return { kind: 'asked' };
}

interface Mailbox {
  readonly organizationId: string;
  readonly key: string;
  /** What stands for it in counters. */
  readonly subject: string;
}

// Whatever has no row to write, writes a count in its place, so that the time tells nothing either.
async function mailLink(
  tx: Transaction,
  installation: Installation,
  { organizationId, key, subject }: Mailbox,
  { address }: Visitor,
): Promise<void> {
  const count = (): Promise<void> => tallyWithin(tx, { limit: UNKNOWN_EMAIL, subject }, installation.now());
  const account = await tx.one<{ id: string; email: string }>(sql`UPDATE accounts SET epoch = epoch
    WHERE organization_id = ${organizationId} AND kind = 'contact' AND email_key = ${key} RETURNING id, email`);
  const id = account?.id ?? '';
  const token = await makeMailedLink(tx, installation, 'new-password', { organizationId, id });
  const actor = { kind: 'account', id, address } as const;
  const result = token === undefined ? 'disabled' : 'done';
  const action = 'new-password.asked';
  if (account) await record(tx, installation, { organizationId, actor, action, targetId: id, result });
  else await count();
  if (account && token !== undefined) {
    const facts = factsOfLink(installation, 'new-password', token);
    const letter = { organizationId, accountId: id, kind: 'new-password', to: account.email, facts } as const;
    await queueMail(tx, installation, letter);
  } else await count();
}

/** Whose link it is. Looking spends nothing. */
export function findNewPassword(installation: Installation, organizationId: string, token: string): Promise<FoundLink> {
  return findMailedLink(installation, 'new-password', organizationId, token);
}

/**
 * Spends the link for a new password. Ends everything that carries the old epoch and lifts the stolen-password state, as
 * any new password does; MFA stays as it is, with the wrong codes that were counted, and the code is still asked for (ASVS
 * 6.4.3). Opens no session.
 */
export async function chooseNewPassword(
  installation: Installation,
  organizationId: string,
  token: string,
  password: string,
  context: readonly string[],
  address: string,
): Promise<ByLink | { kind: 'used' }> {
  const found = await findNewPassword(installation, organizationId, token);
  if (found.kind === 'over') return { kind: 'link-over' };
  if (found.kind === 'used') return found;
  const { account } = found;
  const spends = (tx: Transaction): Promise<boolean> =>
    spendMailedLink(tx, installation, 'new-password', account, token);
  const kept = { keepsWrongCodes: true };
  return passwordByLink(installation, { account, token }, password, context, address, spends, kept);
}
