import { HAS_MFA, type Account } from '../accounts/accounts.ts';
import { record, type Fact } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { queueMail } from '../accounts/outbox.ts';
import { fingerprint, hashToken, randomToken } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import type { Challenge } from './challenges.ts';
import { codeHash } from './enrolment-codes.ts';
import { giveBack, spend, spendWithin } from './counters.ts';
import { ADDRESS_CODE, ENROLMENT_LINK_AGAIN_MS, ENROLMENT_LINKS } from './limits.ts';
import type { Visitor } from './sessions.ts';

/**
 * True of pending authenticators of an account that must be confirmed before they are enabled: where the organization asks
 * for it, of a contact who has no second factor yet. Who has one has proven it to get here, and staff are enrolled by
 * their own team. For a statement on `authenticators`, which names no other table's `confirmed_at`.
 */
export function awaitsConfirmation({ organizationId, id }: Pick<Account, 'organizationId' | 'id'>): Sql {
  return sql`(confirmed_at IS NULL
    AND EXISTS (SELECT 1 FROM organizations o WHERE o.id = ${organizationId} AND o.enrolment_confirmation = 'required')
    AND EXISTS (SELECT 1 FROM accounts a WHERE a.organization_id = ${organizationId} AND a.id = ${id}
      AND a.kind = 'contact' AND NOT ${HAS_MFA}))`;
}

/** What a ceremony has proven and not enabled. */
function provenBy({ id, account }: Challenge, now: number): Sql {
  return sql`organization_id = ${account.organizationId} AND account_id = ${account.id} AND challenge_id = ${id}
    AND enabled_at IS NULL AND revoked_at IS NULL AND proven_step IS NOT NULL AND expires_at > ${now}`;
}

export type LinkSent =
  | { kind: 'sent' }
  /** The last one is not a minute old, or an hour has had as many as it allows. */
  | { kind: 'wait'; until: number }
  /** Nothing waits to be confirmed here, or no mail can be sent. */
  | { kind: 'out-of-turn' };

/** When the link may be asked for again, after it was mailed. */
export function linkAgainAt(linkSentAt: number): number {
  return linkSentAt + ENROLMENT_LINK_AGAIN_MS;
}

/** Send it again: another link, which ends the one before. */
export function sendLink(installation: Installation, challenge: Challenge, visitor: Visitor): Promise<LinkSent> {
  return installation.db.transaction<LinkSent>(async (tx) => {
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch)))
      return new RolledBack<LinkSent>({ kind: 'out-of-turn' });
    const sent = await mailLink(tx, installation, challenge);
    if (sent.kind !== 'sent') return new RolledBack<LinkSent>(sent);
    await record(tx, installation, factOf(challenge, visitor, 'enrolment-link.sent'));
    return sent;
  });
}

/**
 * Mails the link that confirms what a ceremony has proven, to the address on file, under the account's lock. It is a second
 * condition beside the password and the browser that holds the ceremony's cookie, never a proof by itself (NIST SP
 * 800-63B-4: no binding code alone by mail). It lives as long as the pending authenticator on whose row it stands: half an
 * hour at most.
 */
export async function mailLink(tx: Transaction, installation: Installation, challenge: Challenge): Promise<LinkSent> {
  const now = installation.now();
  const { organizationId, id: accountId } = challenge.account;
  const waiting = sql`${provenBy(challenge, now)} AND ${awaitsConfirmation(challenge.account)}`;
  const pending = await tx.one<{ sentAt: number | null; until: number }>(
    sql`SELECT link_sent_at AS "sentAt", expires_at AS until FROM authenticators WHERE ${waiting}`,
  );
  if (!pending || !installation.mailIsOn) return { kind: 'out-of-turn' };
  if (pending.sentAt !== null && now < linkAgainAt(pending.sentAt))
    return { kind: 'wait', until: linkAgainAt(pending.sentAt) };
  const subject = fingerprint(installation.counterKey, organizationId, accountId);
  const room = await spendWithin(tx, { limit: ENROLMENT_LINKS, subject }, now);
  if (!room.ok) return { kind: 'wait', until: room.until };
  const token = randomToken();
  await tx.run(sql`UPDATE authenticators SET link_hash = ${hashToken(token)}, link_sent_at = ${now} WHERE ${waiting}`);
  await queueMail(tx, installation, {
    organizationId,
    accountId,
    kind: 'confirm-enrolment',
    facts: { token, until: pending.until },
  });
  return { kind: 'sent' };
}

/** Whether a link would still confirm something. Reads only: whoever looks at mails before their owner spends nothing. */
export async function linkWorks(installation: Installation, organizationId: string, token: string): Promise<boolean> {
  const link = await findLink(installation.db, installation, organizationId, token);
  return link !== undefined && link.confirmedAt === null;
}

interface Link {
  readonly challengeId: string;
  readonly confirmedAt: number | null;
}

function findLink(
  db: Pick<Queries, 'one'>,
  { now }: Installation,
  organizationId: string,
  token: string,
): Promise<Link | undefined> {
  return db.one(sql`SELECT p.challenge_id AS "challengeId", p.confirmed_at AS "confirmedAt" FROM authenticators p
    JOIN challenges c ON c.organization_id = p.organization_id AND c.id = p.challenge_id
    JOIN accounts a ON a.organization_id = p.organization_id AND a.id = p.account_id
    WHERE p.organization_id = ${organizationId} AND p.link_hash = ${hashToken(token)} AND p.enabled_at IS NULL
      AND p.revoked_at IS NULL AND p.expires_at > ${now()} AND c.consumed_at IS NULL AND c.epoch = a.epoch
      AND a.disabled_at IS NULL`);
}

export type ConfirmedByLink =
  | { kind: 'confirmed' }
  /** The link is right and this is not the browser in which the setup was begun. Nothing was spent. */
  | { kind: 'elsewhere' }
  | { kind: 'link-over' };

/**
 * Spends a mailed link: only together with the challenge of the very ceremony that it was mailed for, which the browser's
 * cookie has led to. Pressed again there, it says the same and changes nothing.
 */
export function confirmByLink(
  installation: Installation,
  organizationId: string,
  token: string,
  challenge: Challenge | undefined,
  visitor: Visitor,
): Promise<ConfirmedByLink> {
  return installation.db.transaction<ConfirmedByLink>(async (tx) => {
    const over = new RolledBack<ConfirmedByLink>({ kind: 'link-over' });
    if (challenge && !(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return over;
    const link = await findLink(tx, installation, organizationId, token);
    if (!link) return over;
    if (challenge?.id !== link.challengeId)
      return link.confirmedAt === null ? new RolledBack<ConfirmedByLink>({ kind: 'elsewhere' }) : over;
    const isMine = sql`link_hash = ${hashToken(token)}`;
    if (link.confirmedAt === null && !(await confirm(tx, installation, challenge, visitor, 'link', isMine)))
      return over;
    return { kind: 'confirmed' };
  });
}

export type ConfirmedByCode =
  | { kind: 'confirmed' }
  /** Wrong, or there is none, or it is over: which, is not told. */
  | { kind: 'wrong' }
  | { kind: 'wait'; until: number }
  | { kind: 'out-of-turn' };

/** Confirms by the code that staff have handed over. Every answer is counted on the code before it is looked at. */
export async function confirmByCode(
  installation: Installation,
  challenge: Challenge,
  code: string,
  visitor: Visitor,
): Promise<ConfirmedByCode> {
  const { db, counterKey, now } = installation;
  const address = { limit: ADDRESS_CODE, subject: fingerprint(counterKey, visitor.network) };
  const room = await spend(db, address, now());
  if (!room.ok) return { kind: 'wait', until: room.until };
  let answered: ConfirmedByCode | undefined;
  try {
    answered = await db.transaction((tx) => lookAt(tx, installation, challenge, code, visitor));
    return answered;
  } finally {
    if (answered?.kind !== 'wrong') await giveBack(db, [room.spent]);
  }
}

async function lookAt(
  tx: Transaction,
  installation: Installation,
  challenge: Challenge,
  code: string,
  visitor: Visitor,
): Promise<ConfirmedByCode | RolledBack<ConfirmedByCode>> {
  const now = installation.now();
  const outOfTurn = new RolledBack<ConfirmedByCode>({ kind: 'out-of-turn' });
  if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return outOfTurn;
  const ofAccount = sql`organization_id = ${challenge.account.organizationId} AND account_id = ${challenge.account.id}`;
  const live = await tx.one<{ hash: string }>(sql`UPDATE enrolment_codes SET tries_left = tries_left - 1
    WHERE ${ofAccount} AND epoch = ${challenge.epoch} AND expires_at > ${now} AND tries_left > 0
    RETURNING code_hash AS hash`);
  if (live?.hash !== codeHash(installation, challenge.account, code)) {
    const fact = factOf(challenge, visitor, 'enrolment.confirmed');
    await record(tx, installation, { ...fact, result: 'wrong', details: { by: 'code' } });
    return { kind: 'wrong' };
  }
  if (!(await confirm(tx, installation, challenge, visitor, 'code'))) return outOfTurn;
  await tx.run(sql`DELETE FROM enrolment_codes WHERE ${ofAccount}`);
  return { kind: 'confirmed' };
}

async function confirm(
  tx: Transaction,
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
  by: 'link' | 'code',
  where = sql`1 = 1`,
): Promise<boolean> {
  const now = installation.now();
  const confirmed = await tx.run(sql`UPDATE authenticators SET confirmed_at = ${now}
    WHERE ${provenBy(challenge, now)} AND confirmed_at IS NULL AND ${where}`);
  if (confirmed !== 1) return false;
  const fact = factOf(challenge, visitor, 'enrolment.confirmed');
  await record(tx, installation, { ...fact, result: 'right', details: { by } });
  return true;
}

function factOf({ account }: Challenge, visitor: Visitor, action: Fact['action']): Fact {
  const { organizationId, id } = account;
  return { organizationId, actor: { kind: 'account', id, address: visitor.address }, action, targetId: id };
}
