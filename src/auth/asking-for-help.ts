import type { Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { queueMail } from '../accounts/outbox.ts';
import type { Organization } from '../accounts/organizations.ts';
import { hashToken, randomToken, uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import type { Challenge } from './challenges.ts';
import { CANCEL_LINK_LIFETIME_MS, HELP_ASKED_PER_DAY, HELP_LIFETIME_MS } from './limits.ts';
import type { Visitor } from './sessions.ts';

/** What a contact says has happened. */
export const WHYS = ['lost-phone', 'deleted-app', 'codes-fail', 'other'] as const;

export type Why = (typeof WHYS)[number];

export interface HelpDraft {
  readonly why: Why;
  /** In their own words; '' where they said nothing. */
  readonly story: string;
  /** A number that they gave, which nobody has verified; '' for none. */
  readonly phone: string;
}

const DAY_MS = 86_400_000;

/** A request that nobody has answered, as its contact sees it. */
export interface OwnRequest {
  readonly id: string;
  readonly createdAt: number;
  readonly waitEndsAt: number;
}

/** True of requests `r` of accounts `a` that wait for an answer: of this epoch, and not run out (I12). */
export function isOpen(now: number): Sql {
  return sql`r.state = 'open' AND r.epoch = a.epoch AND r.expires_at > ${now}`;
}

/** The open request of an account, or undefined. */
export function openRequestOf(
  db: Pick<Queries, 'one'>,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
  now: number,
): Promise<OwnRequest | undefined> {
  return db.one(sql`SELECT r.id, r.created_at AS "createdAt", r.wait_ends_at AS "waitEndsAt"
    FROM recovery_requests r JOIN accounts a ON a.organization_id = r.organization_id AND a.id = r.account_id
    WHERE r.organization_id = ${organizationId} AND r.account_id = ${id} AND ${isOpen(now)}`);
}

/** Why and when the last request of an account was refused, where nothing was asked since; undefined otherwise. */
export async function lastRefusalOf(
  db: Pick<Queries, 'one'>,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
): Promise<{ at: number; reason: string } | undefined> {
  const last = await db.one<{ state: string; at: number; reason: string }>(sql`SELECT state, ended_at AS at, reason
    FROM recovery_requests WHERE organization_id = ${organizationId} AND account_id = ${id} ORDER BY id DESC LIMIT 1`);
  return last?.state === 'refused' ? { at: last.at, reason: last.reason } : undefined;
}

export type Asked =
  | { kind: 'asked'; request: OwnRequest }
  | { kind: 'open-already' }
  /** As often as a day allows. */
  | { kind: 'limited'; until: number }
  /** The sign-in is over: the account has changed meanwhile. */
  | { kind: 'over' };

/**
 * Asks the organization for help, behind the right password (R30). One request at a time; the address on file is told at
 * once, with a link that cancels it. From now on the wait of the organization runs for every reset of this account, and
 * only a working second factor ends it early: neither cancelling nor refusing shortens it.
 */
export function askForHelp(
  installation: Installation,
  challenge: Challenge,
  { recoveryWaitHours }: Pick<Organization, 'recoveryWaitHours'>,
  draft: HelpDraft,
  visitor: Visitor,
): Promise<Asked> {
  const { organizationId, id: accountId } = challenge.account;
  return installation.db.transaction<Asked>(async (tx) => {
    const now = installation.now();
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack<Asked>({ kind: 'over' });
    if (await openRequestOf(tx, challenge.account, now)) return new RolledBack<Asked>({ kind: 'open-already' });
    const until = await limitedUntil(tx, challenge.account, now);
    if (until !== undefined) return new RolledBack<Asked>({ kind: 'limited', until });
    // Of an older epoch, or run out: nobody can answer it any more, and it stands in this one's place.
    await tx.run(sql`UPDATE recovery_requests SET state = 'expired', ended_at = ${now}
      WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND state = 'open'`);
    const held = (await helpHolds(tx, challenge.account, now)) ?? now;
    const waitEndsAt = Math.max(held, now + recoveryWaitHours * 3_600_000);
    const request = { id: uuidv7(now), createdAt: now, waitEndsAt };
    const token = randomToken();
    await tx.run(sql`INSERT INTO recovery_requests (organization_id, id, account_id, epoch, why, story, phone, address,
        network, user_agent, cancel_hash, cancel_until, created_at, wait_ends_at, expires_at)
      VALUES (${organizationId}, ${request.id}, ${accountId}, ${challenge.epoch}, ${draft.why}, ${draft.story},
        ${draft.phone}, ${visitor.address}, ${visitor.network}, ${visitor.userAgent.slice(0, 300)}, ${hashToken(token)},
        ${now + CANCEL_LINK_LIFETIME_MS}, ${now}, ${request.waitEndsAt}, ${now + HELP_LIFETIME_MS})`);
    await tx.run(sql`UPDATE accounts SET help_wait_until = ${waitEndsAt}
      WHERE organization_id = ${organizationId} AND id = ${accountId}`);
    const { address, userAgent } = visitor;
    const facts = { token, at: now, by: 'self', address, userAgent, waitEndsAt };
    await queueMail(tx, installation, { organizationId, accountId, kind: 'recovery-asked', facts });
    await record(tx, installation, {
      organizationId,
      actor: actorOf(challenge.account, visitor),
      action: 'recovery.asked',
      targetId: accountId,
      details: { why: draft.why, waitEndsAt },
    });
    return { kind: 'asked', request };
  });
}

async function limitedUntil(tx: Transaction, account: Account, now: number): Promise<number | undefined> {
  const lately = await tx.all<{ at: number }>(sql`SELECT created_at AS at FROM recovery_requests
    WHERE organization_id = ${account.organizationId} AND account_id = ${account.id} AND created_at > ${now - DAY_MS}
    ORDER BY id DESC LIMIT ${HELP_ASKED_PER_DAY}`);
  return lately.length < HELP_ASKED_PER_DAY ? undefined : (lately.at(-1)?.at ?? now) + DAY_MS;
}

/** Cancel request, pressed by whoever has given the right password. False where there is none. */
export function cancelOwn(installation: Installation, challenge: Challenge, visitor: Visitor): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(false);
    return cancelWithin(tx, installation, challenge.account, visitor, 'page');
  });
}

/** What a mailed link cancels, and whose it is. */
export interface Cancellable extends OwnRequest {
  readonly account: Pick<Account, 'organizationId' | 'id'>;
  readonly address: string;
  readonly userAgent: string;
}

/** The open request of a mailed link, or undefined. Looking changes nothing: mail scanners follow links. */
export async function findCancellable(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  token: string,
  now: number,
): Promise<Cancellable | undefined> {
  const row = await db.one<
    Omit<Cancellable, 'account'> & { accountId: string }
  >(sql`SELECT r.id, r.account_id AS "accountId",
      r.created_at AS "createdAt", r.wait_ends_at AS "waitEndsAt", r.address, r.user_agent AS "userAgent"
    FROM recovery_requests r JOIN accounts a ON a.organization_id = r.organization_id AND a.id = r.account_id
    WHERE r.organization_id = ${organizationId} AND r.cancel_hash = ${hashToken(token)} AND r.cancel_until > ${now}
      AND ${isOpen(now)}`);
  if (!row) return undefined;
  const { accountId, ...request } = row;
  return { ...request, account: { organizationId, id: accountId } };
}

/** Cancels by the mailed link, without any sign-in: it takes nothing but the request. False where it is over. */
export function cancelByLink(
  installation: Installation,
  organizationId: string,
  token: string,
  visitor: Visitor,
): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    const found = await findCancellable(tx, organizationId, token, installation.now());
    if (!found) return new RolledBack(false);
    await tx.run(
      sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId} AND id = ${found.account.id}`,
    );
    return cancelWithin(tx, installation, found.account, visitor, 'link', found.id);
  });
}

/**
 * A second factor has worked, so nobody needs help: whatever was asked for is cancelled, and its wait is over. Called
 * within the transaction of the right answer, which holds the account's lock, where `help_wait_until` says that there is
 * something.
 */
export async function endHelp(
  tx: Transaction,
  installation: Installation,
  account: Pick<Account, 'organizationId' | 'id'>,
  visitor: Visitor,
): Promise<void> {
  await tx.run(sql`UPDATE accounts SET help_wait_until = NULL
    WHERE organization_id = ${account.organizationId} AND id = ${account.id}`);
  await cancelWithin(tx, installation, account, visitor, 'factor');
}

async function cancelWithin(
  tx: Transaction,
  installation: Installation,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
  visitor: Visitor,
  by: 'page' | 'link' | 'factor',
  requestId?: string,
): Promise<boolean> {
  const that = requestId === undefined ? sql`` : sql`AND id = ${requestId}`;
  const cancelled = await tx.run(sql`UPDATE recovery_requests SET state = 'cancelled', ended_at = ${installation.now()},
      ended_by = ${id} WHERE organization_id = ${organizationId} AND account_id = ${id} AND state = 'open' ${that}`);
  if (cancelled === 0) return false;
  await record(tx, installation, {
    organizationId,
    actor: actorOf({ id }, visitor),
    action: 'recovery.cancelled',
    targetId: id,
    result: by,
  });
  return true;
}

function actorOf({ id }: Pick<Account, 'id'>, { address, userAgent }: Visitor): Actor {
  return { kind: 'account', id, address, userAgent };
}

/**
 * Until when the wait of a request for help holds a reset up, for an account whose lock is held; undefined where none
 * does. It runs to its end whatever became of the request, so that no refusal, no new password and no closed portal
 * makes a way around it.
 */
export async function helpHolds(
  tx: Pick<Queries, 'one'>,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
  now: number,
): Promise<number | undefined> {
  const held = await tx.one<{ until: number }>(sql`SELECT help_wait_until AS until FROM accounts
    WHERE organization_id = ${organizationId} AND id = ${id} AND help_wait_until > ${now}`);
  return held?.until;
}
