import { emailKey } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import { confirmAddress } from '../accounts/contacts.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
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
import { RolledBack, sql } from '../db/db.ts';
import { spend, tallyWithin } from './counters.ts';
import { EMAIL_CHANGES_BY_ACCOUNT, LINKS_TO_MAILBOX, UNKNOWN_EMAIL } from './limits.ts';
import { holdSession, isFreshlyProven, type Session, type Visitor } from './sessions.ts';

export type ChangeAsked =
  /** If the address can be used, a link is on its way there. Nothing tells whether somebody else has it. */
  | { kind: 'asked' }
  | { kind: 'email-shape' }
  /** It is the address that they have. */
  | { kind: 'same' }
  | { kind: 'limited'; until: number }
  | { kind: 'over' };

/**
 * Mails a link to the address that a contact wants from now on, who has just proven who they are (I14). Nothing changes
 * before the link is used; one that was mailed before is dead. An address that another contact has gets the same answer
 * and no letter: neither learns of the other. Throws where the proof is not fresh: the caller asks for it first.
 */
export async function askToChangeEmail(
  installation: Installation,
  session: Session,
  email: string,
  visitor: Visitor,
): Promise<ChangeAsked> {
  const { db, counterKey } = installation;
  const now = installation.now();
  if (!isFreshlyProven(session, now)) throw new Error('no fresh proof of this account');
  const { account } = session;
  const { organizationId, id } = account;
  const key = emailKey(email);
  if (key === undefined) return { kind: 'email-shape' };
  if (key === emailKey(account.email)) return { kind: 'same' };
  const own = fingerprint(counterKey, organizationId, id);
  const room = await spend(db, { limit: EMAIL_CHANGES_BY_ACCOUNT, subject: own }, now);
  if (!room.ok) return { kind: 'limited', until: room.until };
  const mailbox = fingerprint(counterKey, 'new address', organizationId, key);
  const mayMail = (await spend(db, { limit: LINKS_TO_MAILBOX, subject: mailbox }, now)).ok;
  return db.transaction<ChangeAsked>(async (tx) => {
    if (!(await holdSession(tx, session))) return new RolledBack<ChangeAsked>({ kind: 'over' });
    const taken = await tx.one(sql`SELECT 1 AS found FROM accounts
      WHERE organization_id = ${organizationId} AND kind = 'contact' AND email_key = ${key}`);
    const to = email.trim();
    const token = await makeMailedLink(tx, installation, 'confirm-email', account, to);
    const actor = { kind: 'account', id, address: visitor.address } as const;
    await record(tx, installation, { organizationId, actor, action: 'email-change.asked', targetId: id });
    if (token !== undefined && !taken && mayMail) {
      const facts = factsOfLink(installation, 'confirm-email', token);
      await queueMail(tx, installation, { organizationId, accountId: id, kind: 'confirm-email', to, facts });
    } else await tallyWithin(tx, { limit: UNKNOWN_EMAIL, subject: mailbox }, now);
    return { kind: 'asked' };
  });
}

/** Whose link it is, and to which address it was mailed. Looking spends nothing. */
export function findEmailChange(installation: Installation, organizationId: string, token: string): Promise<FoundLink> {
  return findMailedLink(installation, 'confirm-email', organizationId, token);
}

export type EmailChanged =
  | { kind: 'changed'; email: string }
  /** Another contact has the address by now, and whoever holds the link reads its mailbox: this much they may know. */
  | { kind: 'taken' }
  | { kind: 'used' }
  | { kind: 'over' };

/** Spends the link: the address is the contact's from now on, and they sign in with it. Needs no session, opens none. */
export async function confirmEmailChange(
  installation: Installation,
  organizationId: string,
  token: string,
  { address, userAgent }: Visitor,
): Promise<EmailChanged> {
  const found = await findEmailChange(installation, organizationId, token);
  if (found.kind !== 'open') return found;
  const { account, email } = found;
  return installation.db.transaction<EmailChanged>(async (tx) => {
    const over = new RolledBack<EmailChanged>({ kind: 'over' });
    if (!(await lockAtEpoch(tx, account, account.epoch))) return over;
    if (!(await spendMailedLink(tx, installation, 'confirm-email', account, token))) return over;
    const actor = { kind: 'account', id: account.id, address, userAgent } as const;
    const outcome = await confirmAddress(tx, installation, actor, account, email);
    return outcome === 'changed' ? { kind: 'changed', email } : new RolledBack<EmailChanged>({ kind: outcome });
  });
}
