import { emailKey, type Account } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import { forgetAddresses, lockAtEpoch, voidCarriers } from '../accounts/epoch.ts';
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
import { list, RolledBack, sql, type Transaction } from '../db/db.ts';
import { spendWithin } from './counters.ts';
import { NO_WAITS_KEPT, NOT_ME_BY_ACCOUNT } from './limits.ts';
import { revokePasskeys } from './passkeys.ts';
import type { Session, Visitor } from './sessions.ts';

/** How the way back in is opened once everything is shut. */
export type WayBack =
  /** A link to choose a new password is on its way to the address on file. */
  | 'link-mailed'
  /** No mail is sent here, or an hour has had its links: staff make one. */
  | 'ask'
  /** Two mailboxes claim the account: portal access is off until staff have found out whose it is. */
  | 'closed';

export type Disowned = { kind: 'done'; next: WayBack } | { kind: 'used' } | { kind: 'over' };

/** Whose link "This wasn't me" it is. Looking spends nothing. */
export function findNotMe(installation: Installation, organizationId: string, token: string): Promise<FoundLink> {
  return findMailedLink(installation, 'not-me', organizationId, token);
}

/**
 * "This wasn't me", from a letter: shuts the account (see `shut`). The address may have changed since the letter, and by
 * whom, nobody can tell: by a thief, or by its owner, whose former mailbox is somebody else's now. So where it has, the
 * link hands the account to neither mailbox. It closes portal access, and staff, who are told, ask the person.
 */
export async function disownByLink(
  installation: Installation,
  organizationId: string,
  token: string,
  visitor: Visitor,
): Promise<Disowned> {
  const found = await findNotMe(installation, organizationId, token);
  if (found.kind !== 'open') return found;
  const { account, email } = found;
  return installation.db.transaction<Disowned>(async (tx) => {
    const onFile = await shut(tx, installation, account);
    const isSpent = await spendMailedLink(tx, installation, 'not-me', account, token);
    if (onFile === undefined || !isSpent) return new RolledBack<Disowned>({ kind: 'over' });
    const isElsewhere = emailKey(onFile) !== emailKey(email);
    return openWayBack(tx, installation, account, onFile, isElsewhere, visitor);
  });
}

/**
 * The same from the account's own page. Without a fresh proof, because whoever needs it may have none any more, and a
 * thief gains nothing by it: it takes everything away and gives a link to the mailbox on file alone.
 */
export function disownBySession(installation: Installation, { account }: Session, visitor: Visitor): Promise<Disowned> {
  return installation.db.transaction<Disowned>(async (tx) => {
    const isStill = await lockAtEpoch(tx, account, account.epoch);
    const onFile = isStill ? await shut(tx, installation, account) : undefined;
    if (onFile === undefined) return new RolledBack<Disowned>({ kind: 'over' });
    return openWayBack(tx, installation, account, onFile, false, visitor);
  });
}

/**
 * Ends every session, challenge, pending enrolment and link of a contact, and removes the password: whoever knew it knows
 * nothing any more. Passkeys go too, since one that a thief has added opens both doors without it. The app and the
 * backup codes stay: this must be no way round MFA (ASVS 6.4.3). Takes the account's lock; answers the
 * address on file, undefined where portal access is off.
 */
async function shut(
  tx: Transaction,
  installation: Installation,
  { organizationId, id }: Account,
): Promise<string | undefined> {
  const row = await tx.one<{ email: string }>(sql`UPDATE accounts SET password = NULL, password_set_at = NULL,
      epoch = epoch + 1, suspected_at = NULL, ${NO_WAITS_KEPT}
    WHERE organization_id = ${organizationId} AND id = ${id} AND kind = 'contact' AND disabled_at IS NULL RETURNING email`);
  await voidCarriers(tx, organizationId, id, installation.now());
  await revokePasskeys(tx, { organizationId, id }, installation.now());
  await forgetAddresses(tx, organizationId, id);
  return row?.email;
}

async function openWayBack(
  tx: Transaction,
  installation: Installation,
  account: Account,
  onFile: string,
  isElsewhere: boolean,
  { address, userAgent }: Visitor,
): Promise<Disowned> {
  const { organizationId, id } = account;
  const now = installation.now();
  const ofAccount = sql`organization_id = ${organizationId} AND account_id = ${id}`;
  // Other letters to this mailbox have been answered by this one. Those to another one are another person's to answer. An
  // address is the same however it is written.
  const open = await tx.all<{ id: string; email: string }>(
    sql`SELECT id, email FROM mailed_links WHERE ${ofAccount} AND purpose = 'not-me' AND spent_at IS NULL`,
  );
  const answered = open.filter(({ email }) => (emailKey(email) === emailKey(onFile)) !== isElsewhere);
  if (answered.length > 0)
    await tx.run(sql`UPDATE mailed_links SET spent_at = ${now}
      WHERE ${ofAccount} AND id IN (${list(answered.map((link) => link.id))})`);
  if (isElsewhere)
    await tx.run(
      sql`UPDATE accounts SET disabled_at = ${now} WHERE organization_id = ${organizationId} AND id = ${id}`,
    );
  const next = isElsewhere ? 'closed' : (await mayMailLink(tx, installation, account)) ? 'link-mailed' : 'ask';
  if (next === 'link-mailed') {
    const token = await makeMailedLink(tx, installation, 'new-password', account);
    if (token === undefined) throw new Error('a contact with portal access was refused a link');
    await queueMail(tx, installation, {
      organizationId,
      accountId: id,
      kind: 'new-password',
      facts: factsOfLink(installation, 'new-password', token),
    });
  }
  const actor = { kind: 'account', id, address, userAgent } as const;
  await record(tx, installation, { organizationId, actor, action: 'account.not-me', targetId: id, result: next });
  await tellStaff(tx, installation, account, onFile, next, address);
  return { kind: 'done', next };
}

// Whoever reads the mailbox could otherwise shut the account and open it again without end: each new password forgets the
// wrong codes, and each time staff are told.
async function mayMailLink(
  tx: Transaction,
  installation: Installation,
  { organizationId, id }: Account,
): Promise<boolean> {
  if (!installation.mailIsOn) return false;
  const subject = fingerprint(installation.counterKey, organizationId, id);
  return (await spendWithin(tx, { limit: NOT_ME_BY_ACCOUNT, subject }, installation.now())).ok;
}

async function tellStaff(
  tx: Transaction,
  installation: Installation,
  { organizationId, id, name, customerId }: Account,
  email: string,
  next: WayBack,
  address: string,
): Promise<void> {
  const staff = await tx.all<{ id: string }>(sql`SELECT id FROM accounts WHERE organization_id = ${organizationId}
    AND kind = 'staff' AND role IN ('owner', 'admin', 'support') AND disabled_at IS NULL AND password IS NOT NULL`);
  const facts = { at: installation.now(), contactId: id, customerId, contact: name, email, next, address };
  const letters = staff.map((one) => ({ organizationId, accountId: one.id, kind: 'not-me', facts }) as const);
  await queueMail(tx, installation, ...letters);
}
