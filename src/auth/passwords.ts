import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ACCOUNT_COLUMNS, emailKey, type Account, type Kind } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { forgetAddresses, voidCarriers } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import type { SealedColumn } from '../accounts/keys.ts';
import { HashingBusy, hashingGuard } from '../crypto/hashing-guard.ts';
import {
  hashPassword,
  isOutdated,
  isReadable,
  isTooLong,
  PASSWORD_LENGTH,
  verifyPassword,
} from '../crypto/passwords.ts';
import { open, seal } from '../crypto/seal.ts';
import { fingerprint } from '../crypto/tokens.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import * as counters from './counters.ts';
import * as limits from './limits.ts';
import type { PasswordStrength } from './password-strength.ts';
import type { Visitor } from './sessions.ts';

/** How a password was found. Everything but `right` looks the same to whoever typed it (I20). */
export type PasswordFound =
  | { kind: 'right'; account: Account }
  | { kind: 'wrong' }
  | { kind: 'limited'; until: number };

/** Whose password is meant: a portal names its organization, `/admin/sign-in` none. */
export interface Claim {
  readonly kind: Kind;
  readonly organizationId: string | null;
  readonly email: string;
}

/**
 * Checks a password under the limits of the password step. Unknown, disabled and password-less accounts cost the same
 * statements and the same hash, and get the same answer. A known account's wrong one is recorded; a right one is left
 * to the caller to record with what it led to. Throws HashingBusy when the machine is too busy; nothing is spent then.
 */
export async function checkPassword(
  installation: Installation,
  claim: Claim,
  password: string,
  visitor: Visitor,
): Promise<PasswordFound> {
  const held = await claimed(installation, claim);
  const counted = await spendTry(installation, claim, held?.account, visitor);
  if (!counted.ok) return { kind: 'limited', until: counted.until };
  const giveBack = (): Promise<void> => counters.giveBack(installation.db, counted.spent);
  let matches: boolean;
  try {
    matches = await fits(installation, held, password);
  } catch (fault) {
    await giveBack();
    throw fault;
  }
  if (!held || !matches || held.account.disabledAt !== null) {
    await recordWrong(installation, claim, held?.account, visitor);
    return { kind: 'wrong' };
  }
  await giveBack();
  await rehash(installation, held, password);
  return { kind: 'right', account: held.account };
}

/** An account with its sealed password, read in one row with the epoch that the sign-in will carry. */
interface Held {
  readonly account: Account;
  readonly sealed: string | null;
}

async function claimed(installation: Installation, claim: Claim): Promise<Held | undefined> {
  const key = emailKey(claim.email) ?? '';
  const whose =
    claim.organizationId === null
      ? sql`a.kind = 'staff' AND a.email_key = ${key} AND EXISTS (SELECT 1 FROM staff_emails s WHERE s.email_key = ${key}
          AND s.organization_id = a.organization_id AND s.account_id = a.id)`
      : sql`a.kind = ${claim.kind} AND a.email_key = ${key} AND a.organization_id = ${claim.organizationId}`;
  const row = await installation.db.one<Account & { password: string | null }>(
    sql`SELECT ${ACCOUNT_COLUMNS}, a.password FROM accounts a WHERE ${whose}`,
  );
  if (!row) return undefined;
  const { password: sealed, ...account } = row;
  return { account, sealed };
}

async function fits(installation: Installation, held: Held | undefined, password: string): Promise<boolean> {
  if (isTooLong(password)) return false;
  const known = held && held.sealed !== null ? openPassword(installation, held.account, held.sealed) : undefined;
  const readable = known !== undefined && isReadable(known);
  const hash = readable ? known : await installation.nobodysPassword;
  return (await installation.hashing(() => verifyPassword(hash, password))) && readable;
}

/** Counts one try against the address and the account; what it answers is to be given back if the password is right. */
async function spendTry(
  installation: Installation,
  claim: Claim,
  account: Account | undefined,
  visitor: Visitor,
): Promise<{ ok: true; spent: counters.Spent[] } | { ok: false; until: number }> {
  const { db, counterKey } = installation;
  const now = installation.now();
  const address = fingerprint(counterKey, visitor.network);
  const email = fingerprint(counterKey, ...whoseTries(claim));
  const spent: counters.Spent[] = [];
  const count = async (one: counters.Counter): Promise<counters.Room> => {
    const room = await counters.spend(db, one, now);
    if (room.ok) spent.push(room.spent);
    else await counters.giveBack(db, spent);
    return room;
  };
  for (const limit of [limits.ADDRESS_PASSWORD_SOON, limits.ADDRESS_PASSWORD_HOUR]) {
    const room = await count({ limit, subject: address });
    if (!room.ok) return room;
  }
  const ofAccount = await counters.tally(db, { limit: limits.ACCOUNT_PASSWORD_HOUR, subject: email }, now);
  spent.push(ofAccount.spent);
  const known =
    await db.one(sql`SELECT 1 AS found FROM known_addresses WHERE organization_id = ${account?.organizationId ?? ''}
    AND account_id = ${account?.id ?? ''} AND address = ${visitor.network}`);
  if (!known && ofAccount.before >= limits.ACCOUNT_PASSWORD_HOUR.allows) {
    const room = await count({ limit: limits.OUTSIDER_PASSWORD, subject: fingerprint(counterKey, email, address) });
    if (!room.ok) return room;
  }
  return { ok: true, spent };
}

// Staff addresses are unique in the installation, so a sign-in and a fresh proof count together whoever names the organization.
function whoseTries({ kind, organizationId, email }: Claim): string[] {
  return [kind, kind === 'staff' ? '' : (organizationId ?? ''), emailKey(email) ?? ''];
}

// An unknown address leaves no audit row, but costs a commit of the same kind, so that the time does not tell them apart.
async function recordWrong(
  installation: Installation,
  claim: Claim,
  account: Account | undefined,
  visitor: Visitor,
): Promise<void> {
  if (account) {
    await installation.db.transaction((tx) =>
      record(tx, installation, {
        organizationId: account.organizationId,
        actor: { kind: 'account', id: account.id, address: visitor.address },
        action: 'password.answered',
        targetId: account.id,
        result: account.disabledAt === null ? 'wrong' : 'disabled',
      }),
    );
    return;
  }
  const subject = fingerprint(installation.counterKey, ...whoseTries(claim));
  await installation.db.transaction((tx) =>
    counters.tallyWithin(tx, { limit: limits.UNKNOWN_EMAIL, subject }, installation.now()),
  );
  installation.log.info('sign-in with an unknown email', { surface: claim.kind, address: visitor.address });
}

/** Why a new password is refused. */
export type PasswordProblem = 'empty' | 'short' | 'long' | 'common' | 'context';

/** Words of the product and its roles that make no password harder to guess (ASVS 6.1.2). */
const PRODUCT_WORDS = ['sallyport', 'portal', 'owner', 'admin', 'support', 'billing', 'invoice', 'customer'];

/** Guesses an attacker needs, in zxcvbn's score of 0 to 4, from which a password is accepted. */
const SCORE_MIN = 3;

/**
 * Judges a new password: 12 to 128 characters, no rules of composition, neither common nor made of what anybody
 * knows: the person's name and address, the merchant's name, the product's words (ASVS 6.2.1–6.2.11).
 */
export async function judgePassword(
  password: string,
  context: readonly string[],
): Promise<PasswordProblem | undefined> {
  // Its length first: normalising a long text of combining marks takes time that grows with its square.
  if (isTooLong(password)) return 'long';
  const text = password.normalize('NFKC');
  if (text === '') return 'empty';
  // As typed too: a single character can be eighteen once it is normalised, and is one guess all the same.
  if (Math.min(charactersIn(password), charactersIn(text)) < PASSWORD_LENGTH.min) return 'short';
  const words = [...context, ...PRODUCT_WORDS].flatMap((word) => [word, ...word.split(/[^\p{L}\p{N}]+/u)]);
  const known = words.filter((word) => word.length > 2);
  const strength = await judging(() => strengthOf(text, known));
  if (strength.score >= SCORE_MIN) return undefined;
  return strength.fromContext ? 'context' : 'common';
}

function charactersIn(text: string): number {
  return Array.from(text).length;
}

// Each judging takes a core for a third of a second, so they wait for one another instead of for the sign-ins.
const judging = hashingGuard({ atOnce: 1, queue: 32, waitMs: 10_000 });

async function strengthOf(password: string, context: readonly string[]): Promise<PasswordStrength> {
  const worker = new Worker(new URL('./password-strength.ts', import.meta.url), { workerData: { password, context } });
  const [strength] = (await once(worker, 'message')) as [PasswordStrength];
  await worker.terminate();
  return strength;
}

/** The argon2id string of a new password, made before any transaction is open. */
export function hashNewPassword(installation: Installation, password: string): Promise<string> {
  return installation.hashing(() => hashPassword(password, installation.passwordCost));
}

/**
 * Gives an account a password that `judgePassword` accepted. Raises the epoch, ends everything that carries the old
 * one, and lifts the stolen-password state: it is a new password now. Wrong codes are forgotten with it, unless a mailbox
 * was enough to choose it (I6). False where the account has changed meanwhile, or only staff may go on.
 */
export async function storePassword(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  account: Account,
  argon2: string,
  { keepsWrongCodes = false } = {},
): Promise<boolean> {
  const now = installation.now();
  const { organizationId, id, epoch } = account;
  const sealed = sealPassword(installation, account, argon2);
  const stored = await tx.run(sql`UPDATE accounts SET password = ${sealed}, password_set_at = ${now}, epoch = epoch + 1,
      suspected_at = NULL, ${keepsWrongCodes ? limits.NO_WAITS_KEPT : limits.NO_COUNTS}
    WHERE organization_id = ${organizationId} AND id = ${id} AND epoch = ${epoch}
      ${keepsWrongCodes ? sql`AND totp_wrong + backup_wrong < ${limits.WRONG_CODES_BEFORE_STAFF}` : sql``}`);
  if (stored === 0) return false;
  await voidCarriers(tx, organizationId, id, now);
  await forgetAddresses(tx, organizationId, id);
  // Whoever chooses their first one has changed nothing.
  const untold = account.passwordSetAt === null ? { notice: 'none' as const } : {};
  await record(tx, installation, { organizationId, actor, action: 'password.set', targetId: id, ...untold });
  return true;
}

/** Sets a password from the shell. Answers why it was refused, or undefined when it is set. */
export async function setPassword(
  installation: Installation,
  actor: Actor,
  account: Account,
  password: string,
  context: readonly string[],
): Promise<PasswordProblem | 'changed-meanwhile' | undefined> {
  const problem = await judgePassword(password, context);
  if (problem) return problem;
  const argon2 = await hashNewPassword(installation, password);
  const stored = await installation.db.transaction<boolean>(async (tx) => {
    return (await storePassword(tx, installation, actor, account, argon2)) || new RolledBack(false);
  });
  return stored ? undefined : 'changed-meanwhile';
}

// Best effort: a machine too busy to hash again keeps the old hash until the next sign-in.
async function rehash(installation: Installation, { account, sealed }: Held, password: string): Promise<void> {
  if (sealed === null || !isOutdated(openPassword(installation, account, sealed), installation.passwordCost)) return;
  try {
    const fresh = sealPassword(installation, account, await hashNewPassword(installation, password));
    await installation.db.transaction((tx) =>
      tx.run(sql`UPDATE accounts SET password = ${fresh} WHERE organization_id = ${account.organizationId}
        AND id = ${account.id} AND epoch = ${account.epoch} AND password = ${sealed}`),
    );
  } catch (fault) {
    if (!(fault instanceof HashingBusy)) throw fault;
  }
}

/** Seals the hash of an account's password for its own row (I16). */
export function sealPassword(
  installation: Installation,
  account: Pick<Account, 'organizationId' | 'id'>,
  hash: string,
): string {
  return seal(installation.ring, place(account), hash);
}

function openPassword(installation: Installation, account: Account, sealed: string): string {
  return open(installation.ring, place(account), sealed);
}

/** The hashes of passwords. */
export const SEALED_PASSWORDS: SealedColumn = {
  name: 'accounts.password',
  table: sql`accounts`,
  column: sql`password`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, password AS sealed FROM accounts`,
  place: (row) => place({ organizationId: row.first, id: row.second }),
};

function place(account: Pick<Account, 'organizationId' | 'id'>): string[] {
  return ['accounts', 'password', account.organizationId, account.id];
}
