import { ACCOUNT_COLUMNS, type Account } from '../accounts/accounts.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { SignedIn } from '../accounts/organizations.ts';
import { hashToken, randomToken, readCookie, uuidv7 } from '../crypto/tokens.ts';
import { sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import type { Surface } from './challenges.ts';
import { isUnfamiliar } from './unfamiliar.ts';
import {
  clockIsBehind,
  FRESH_PROOF_MS,
  LAST_USE_WRITTEN_EVERY_MS,
  OPEN_SESSIONS_PER_ACCOUNT,
  SESSION_LIFETIMES,
} from './limits.ts';
import type { Proof, ProvenBy } from './proof.ts';

/** Where a request comes from: the client's address (believed proxies taken off) and what its browser calls itself. */
export interface Visitor {
  readonly address: string;
  /** What limits count by: an IPv4 address, or the /64 network of an IPv6 one, where a single host owns them all. */
  readonly network: string;
  readonly userAgent: string;
}

export interface Session {
  readonly id: string;
  readonly surface: Surface;
  readonly provenBy: ProvenBy;
  readonly signedInAt: number;
  /** When all that the account has to prove was last proven in it; null after a password or a backup code alone. */
  readonly provedAt: number | null;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly account: Account;
}

/**
 * Starts a session, complete from birth (I11), and answers its cookie's value. It ends with what the proof rests on, a
 * grace or an exemption, if that comes first. Only the SHA-256 of the token is kept (I23). The session that the browser had before ends with it; UNIQUE(challenge) is the last guard of I8.
 */
export async function startSession(
  tx: Transaction,
  proof: Proof,
  surface: Surface,
  visitor: Visitor,
  previous: string | undefined,
  now: number,
): Promise<string> {
  const { account } = proof;
  const id = uuidv7(now);
  const token = randomToken();
  const longest = now + SESSION_LIFETIMES[surface].absoluteMs;
  if (previous !== undefined) await endSession(tx, previous, now);
  const unfamiliar = (await isUnfamiliar(tx, account, visitor)) ? 1 : 0;
  await tx.run(sql`INSERT INTO sessions
    (organization_id, id, account_id, surface, token_hash, challenge_id, epoch, factor, signed_in_at, proved_at,
      last_used_at, expires_at, address, user_agent, is_unfamiliar, session_epoch)
    VALUES (${account.organizationId}, ${id}, ${account.id}, ${surface}, ${hashToken(token)},
      ${proof.challengeId}, ${proof.epoch}, ${proof.by}, ${now}, ${proof.isFresh ? now : null}, ${now},
      ${Math.min(longest, proof.until ?? longest)}, ${visitor.address}, ${visitor.userAgent.slice(0, 300)},
      ${unfamiliar}, (SELECT o.session_epoch FROM organizations o WHERE o.id = ${account.organizationId}))`);
  await tx.run(sql`UPDATE accounts SET last_sign_in_at = ${now}, last_sign_in_key = ${now},
      reset_told_at = CASE WHEN reset_told_at IS NULL AND reset_notice_at IS NOT NULL THEN CAST(${now} AS BIGINT) ELSE reset_told_at END
    WHERE organization_id = ${account.organizationId} AND id = ${account.id}`);
  await tx.run(sql`INSERT INTO known_addresses (organization_id, account_id, address, last_seen_at)
    VALUES (${account.organizationId}, ${account.id}, ${visitor.network}, ${now})
    ON CONFLICT (organization_id, account_id, address) DO UPDATE SET last_seen_at = excluded.last_seen_at`);
  await endOldest(tx, account, id, now);
  return `${account.organizationId}.${token}`;
}

// Where nothing limits right passwords, they must not pile up sessions without end (ASVS 7.1.2).
async function endOldest(tx: Transaction, account: Account, newest: string, now: number): Promise<void> {
  const others = sql`organization_id = ${account.organizationId} AND account_id = ${account.id}
    AND ended_at IS NULL AND id <> ${newest}`;
  await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE ${others} AND id NOT IN (
    SELECT id FROM sessions WHERE ${others} ORDER BY id DESC LIMIT ${OPEN_SESSIONS_PER_ACCOUNT - 1})`);
}

/** The session of a cookie on a surface, if it is open, neither idle nor too old, and of the account's epoch (I12). */
export async function findSession(
  db: Database,
  surface: Surface,
  cookie: string,
  now: number,
): Promise<Session | undefined> {
  const { organizationId, token } = readCookie(cookie);
  const row = await db.one<Account & SessionRow>(sql`SELECT ${ACCOUNT_COLUMNS}, ${SESSION_COLUMNS}
    FROM sessions s JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${organizationId} AND s.token_hash = ${hashToken(token)} AND ${isOpen(surface, now)}`);
  if (!row) return undefined;
  const { sessionId: id, provenBy, signedInAt, provedAt, lastUsedAt, expiresAt, ...account } = row;
  return {
    id,
    surface,
    provenBy,
    signedInAt,
    provedAt,
    lastUsedAt,
    expiresAt,
    account,
  };
}

/** Whether a cookie's session would still be open had it been used: then the sign-in page can say why it is not. */
export async function endedByIdleness(db: Database, surface: Surface, cookie: string, now: number): Promise<boolean> {
  const { organizationId, token } = readCookie(cookie);
  const idle = await db.one(sql`SELECT 1 AS found FROM sessions s
    JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${organizationId} AND s.token_hash = ${hashToken(token)} AND s.surface = ${surface}
      AND s.ended_at IS NULL AND s.epoch = a.epoch AND a.disabled_at IS NULL ${notVoided(surface)}
      AND s.last_used_at <= ${now - SESSION_LIFETIMES[surface].idleMs}`);
  return idle !== undefined;
}

/** Writes that a session was used, at most once a minute: what its idle time-out counts from. */
export async function refreshSession(db: Database, session: Session, now: number): Promise<void> {
  if (now - session.lastUsedAt < LAST_USE_WRITTEN_EVERY_MS) return;
  await db.relaxed(sql`UPDATE sessions SET last_used_at = ${now} WHERE organization_id = ${session.account.organizationId}
    AND id = ${session.id} AND last_used_at < ${now} AND ended_at IS NULL`);
}

/**
 * Whether the account's own second factor was proven recently enough for an act that asks for it (I14). A proof from the
 * future was not: how long ago it was, a clock that was set back cannot tell (I22).
 */
export function isFreshlyProven(session: Session, now: number): boolean {
  const { provedAt } = session;
  return provedAt !== null && now - provedAt <= FRESH_PROOF_MS && !clockIsBehind(now, provedAt);
}

/**
 * Whether a session may replace the authenticator and make new backup codes: freshly proven, or opened by a backup code
 * within the time of a fresh proof. Nothing else is a backup code good for, beyond signing in (I14).
 */
export function mayReplaceFactors(session: Session, now: number): boolean {
  const { provenBy, signedInAt } = session;
  if (isFreshlyProven(session, now)) return true;
  return provenBy === 'backup-code' && now - signedInAt <= FRESH_PROOF_MS && !clockIsBehind(now, signedInAt);
}

/**
 * Marks a session as freshly proven and gives it a new token (I23), for a fresh proof of its own account (I14).
 * Undefined where it has ended meanwhile, or was renewed by another proof: of two at once the second would take the
 * token away that the first is about to act with.
 */
export async function renewSession(
  tx: Transaction,
  proof: Proof,
  session: Session,
  now: number,
): Promise<string | undefined> {
  // Where the account has no second factor, the password is all there is to prove; a session born of one stays one.
  const whole = proof.isFresh || (proof.by === 'password' && session.provenBy === 'password');
  if (!whole || proof.account.id !== session.account.id) throw new Error('no fresh proof of this account');
  const token = randomToken();
  const { organizationId } = session.account;
  const renewed =
    await tx.run(sql`UPDATE sessions SET token_hash = ${hashToken(token)}, proved_at = ${now}, last_used_at = ${now}
    WHERE organization_id = ${organizationId} AND id = ${session.id} AND epoch = ${session.account.epoch}
      AND COALESCE(proved_at, 0) = ${session.provedAt ?? 0} AND ended_at IS NULL`);
  return renewed === 1 ? `${organizationId}.${token}` : undefined;
}

/**
 * Holds a session open until the transaction ends, under its account's lock: whoever ends it meanwhile, ends it before or
 * after. False where it has ended, or the account has moved on.
 */
export async function holdSession(tx: Transaction, { id, account }: Session): Promise<boolean> {
  if (!(await lockAtEpoch(tx, account, account.epoch))) return false;
  const held = await tx.run(sql`UPDATE sessions SET ended_at = NULL
    WHERE organization_id = ${account.organizationId} AND id = ${id} AND epoch = ${account.epoch} AND ended_at IS NULL`);
  return held === 1;
}

/**
 * Goes on in the account's new epoch with a session that was held and that its owner's own act has just ended with all
 * the others. Proven by what it was proven by and when, to the same end: nothing is gained but a new token (I11, I23).
 */
export async function continueSession(tx: Transaction, session: Session, now: number): Promise<string> {
  const { organizationId } = session.account;
  const token = randomToken();
  const goesOn = await tx.run(sql`INSERT INTO sessions
      (organization_id, id, account_id, surface, token_hash, epoch, factor, signed_in_at, proved_at, last_used_at,
        expires_at, address, user_agent, is_unfamiliar, session_epoch)
    SELECT s.organization_id, ${uuidv7(now)}, s.account_id, s.surface, ${hashToken(token)}, a.epoch, s.factor,
      s.signed_in_at, s.proved_at, CAST(${now} AS BIGINT), s.expires_at, s.address, s.user_agent,
      s.is_unfamiliar, s.session_epoch
    FROM sessions s JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${organizationId} AND s.id = ${session.id}`);
  if (goesOn !== 1) throw new Error('a session that was held is gone');
  return `${organizationId}.${token}`;
}

/** Ends the session of a cookie, if there is one: on the server, not only in the browser (ASVS 7.4.1). */
export async function endSession(tx: Transaction, cookie: string, now: number): Promise<void> {
  const { organizationId, token } = readCookie(cookie);
  await tx.run(sql`UPDATE sessions SET ended_at = ${now}
    WHERE organization_id = ${organizationId} AND token_hash = ${hashToken(token)} AND ended_at IS NULL`);
}

export interface OpenSession {
  readonly id: string;
  readonly signedInAt: number;
  readonly lastUsedAt: number;
  readonly address: string;
  readonly userAgent: string;
}

/** Where an account is signed in on a surface, the latest used first. */
export function openSessions(
  db: Pick<Queries, 'all'>,
  surface: Surface,
  account: Account,
  now: number,
): Promise<OpenSession[]> {
  return db.all(sql`SELECT s.id, s.signed_in_at AS "signedInAt", s.last_used_at AS "lastUsedAt", s.address,
      s.user_agent AS "userAgent"
    FROM sessions s JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${account.organizationId} AND s.account_id = ${account.id} AND ${isOpen(surface, now)}
    ORDER BY s.last_used_at DESC, s.id DESC`);
}

/**
 * Who is signed in to an organization's portal just now: how many contacts, in how many browsers. Of all of them, of a
 * customer's, or of one contact.
 */
export async function signedInNow(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  now: number,
  { customerId, contactId }: { readonly customerId?: string; readonly contactId?: string } = {},
): Promise<SignedIn> {
  const ofContact = contactId === undefined ? sql`` : sql`AND s.account_id = ${contactId}`;
  const ofCustomer =
    customerId === undefined
      ? sql``
      : sql`AND s.account_id IN (SELECT p.id FROM accounts p
          WHERE p.organization_id = ${organizationId} AND p.customer_id = ${customerId})`;
  const row = await db.one<SignedIn>(sql`SELECT COUNT(DISTINCT s.account_id) AS contacts,
      COUNT(*) AS sessions
    FROM sessions s JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${organizationId} ${ofContact} ${ofCustomer} AND ${isOpen('portal', now)}`);
  return row ?? { contacts: 0, sessions: 0 };
}

interface SessionRow extends Omit<Session, 'account' | 'id' | 'surface'> {
  readonly sessionId: string;
}

const SESSION_COLUMNS = sql`s.id AS "sessionId", s.factor AS "provenBy", s.signed_in_at AS "signedInAt",
  s.proved_at AS "provedAt", s.last_used_at AS "lastUsedAt", s.expires_at AS "expiresAt"`;

/** True of sessions `s` of accounts `a` on a surface that are open. */
export function isOpen(surface: Surface, now: number): Sql {
  return sql`s.surface = ${surface} AND s.ended_at IS NULL AND s.expires_at > ${now}
    AND s.last_used_at > ${now - SESSION_LIFETIMES[surface].idleMs} ${notVoided(surface)}
    AND s.epoch = a.epoch AND a.disabled_at IS NULL`;
}

// "Sign everyone out" raises the organization's number, and so voids the portal's sessions that carry an older one:
// one row, however many they are. A number and not a time, so that no clock decides.
function notVoided(surface: Surface): Sql {
  return surface === 'portal'
    ? sql`AND s.session_epoch = (SELECT o.session_epoch FROM organizations o WHERE o.id = s.organization_id)`
    : sql``;
}
