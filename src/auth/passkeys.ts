import type { Account } from '../accounts/accounts.ts';
import { record, type Action } from '../accounts/audit.ts';
import { lockAtEpoch, voidCarriers } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Queries, type Transaction } from '../db/db.ts';
import { PASSKEYS_PER_ACCOUNT } from './limits.ts';
import { openCeremony, ownerOf, takeCeremony, type Bound } from './passkey-ceremonies.ts';
import { holdSession, isFreshlyProven, type Session, type Visitor } from './sessions.ts';
import { creationOptions, readRegistration, requestOptions, verifyRegistration } from './webauthn.ts';
import type { Credential, RelyingParty } from './webauthn.ts';

/** A passkey as its owner knows it. */
export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** When it was last refused because its counter did not rise; null: never. */
  readonly copiedAt: number | null;
}

type Whose = Pick<Account, 'organizationId' | 'id'>;

/** The passkeys of an account, the oldest first, whether or not the organization takes any just now. */
export function passkeysOf(db: Pick<Queries, 'all'>, { organizationId, id }: Whose): Promise<Passkey[]> {
  return db.all(sql`SELECT id, name, created_at AS "createdAt", last_used_at AS "lastUsedAt", copied_at AS "copiedAt"
    FROM passkeys WHERE organization_id = ${organizationId} AND account_id = ${id} AND revoked_at IS NULL ORDER BY id`);
}

/** How many passkeys an organization's customers have. */
export async function passkeysIn(db: Pick<Queries, 'one'>, organizationId: string): Promise<number> {
  const row = await db.one<{ passkeys: number }>(sql`SELECT COUNT(*) AS passkeys FROM passkeys
    WHERE organization_id = ${organizationId} AND revoked_at IS NULL`);
  return row?.passkeys ?? 0;
}

/** Whether an account has a passkey, and its organization takes passkeys in place of the code. */
export async function hasPasskey(db: Pick<Queries, 'one'>, { organizationId, id }: Whose): Promise<boolean> {
  const found = await db.one(sql`SELECT 1 AS found FROM passkeys p JOIN organizations o ON o.id = p.organization_id
    WHERE p.organization_id = ${organizationId} AND p.account_id = ${id} AND p.revoked_at IS NULL AND o.passkeys <> 'off'
    LIMIT 1`);
  return found !== undefined;
}

function credentialsOf(
  db: Pick<Queries, 'all'>,
  { organizationId, id }: Whose,
): Promise<Pick<Credential, 'id' | 'transports'>[]> {
  return db.all(sql`SELECT credential_id AS id, transports FROM passkeys
    WHERE organization_id = ${organizationId} AND account_id = ${id} AND revoked_at IS NULL ORDER BY id`);
}

/**
 * Begins to use a passkey, and answers what the browser is to be asked for. Bound to a browser it names no credential and
 * so nobody. Undefined where the account has changed meanwhile.
 */
export async function beginUse(
  installation: Installation,
  rp: RelyingParty,
  bound: Exclude<Bound, { to: 'add' }>,
): Promise<object | undefined> {
  const allowed = bound.to === 'sign-in' ? [] : await credentialsOf(installation.db, ownerOf(bound));
  const challenge = await openCeremony(installation, bound);
  return challenge === undefined ? undefined : requestOptions(rp, challenge, allowed);
}

/** Begins to make one. Undefined where the account has changed meanwhile, or is not freshly proven (I14). */
export async function beginAdding(
  installation: Installation,
  rp: RelyingParty,
  session: Session,
): Promise<object | undefined> {
  if (!isFreshlyProven(session, installation.now())) return undefined;
  const known = await credentialsOf(installation.db, session.account);
  const challenge = await openCeremony(installation, { to: 'add', session });
  return challenge === undefined ? undefined : creationOptions(rp, challenge, session.account, known);
}

export type Added =
  | { kind: 'added' }
  /** What the browser sent is refused, or its ceremony is over; nothing was added. */
  | { kind: 'refused' }
  /** There are as many as there may be. */
  | { kind: 'full' }
  /** The organization takes none, the account has no authenticator app to stand in for, or the session has ended. */
  | { kind: 'not-allowed' };

/**
 * Keeps a new passkey (WebAuthn §7.1), beside an active authenticator app and after a fresh proof (I14). A credential that
 * any account of the installation has, or had, is refused. Takes nothing from anybody, so it raises no epoch.
 */
export async function addPasskey(
  installation: Installation,
  rp: RelyingParty,
  session: Session,
  { name, response }: { readonly name: string; readonly response: string },
  visitor: Visitor,
): Promise<Added> {
  const { account } = session;
  if (!isFreshlyProven(session, installation.now())) throw new Error('a passkey without a fresh proof');
  const sent = readRegistration(response);
  const credential = sent && (await verifyRegistration(rp, sent));
  return installation.db.transaction<Added>(async (tx) => {
    const now = installation.now();
    if (!(await holdSession(tx, session))) return new RolledBack<Added>({ kind: 'not-allowed' });
    const isOurs = sent && (await takeCeremony(tx, { to: 'add', session }, sent.challenge, now));
    if (!isOurs || !credential) return { kind: 'refused' };
    const held = (await passkeysOf(tx, account)).length;
    if (held >= PASSKEYS_PER_ACCOUNT) return { kind: 'full' };
    if (!(await mayHavePasskeys(tx, account))) return { kind: 'not-allowed' };
    if (!(await keep(tx, account, credential, name, now))) return { kind: 'refused' };
    await note(tx, installation, account, visitor, 'passkey.added', held + 1);
    return { kind: 'added' };
  });
}

/** Whether an account may have passkeys: its organization takes them, and it has an active authenticator app. */
export async function mayHavePasskeys(db: Pick<Queries, 'one'>, { organizationId, id }: Whose): Promise<boolean> {
  const found = await db.one(sql`SELECT 1 AS found FROM accounts a JOIN organizations o ON o.id = a.organization_id
    WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND a.kind = 'contact' AND o.passkeys <> 'off'
      AND EXISTS (SELECT 1 FROM authenticators m WHERE m.organization_id = a.organization_id AND m.account_id = a.id
        AND m.kind = 'totp' AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL)`);
  return found !== undefined;
}

async function keep(
  tx: Transaction,
  { organizationId, id: accountId }: Whose,
  { id, publicKey, signCount, transports, backup }: Credential,
  name: string,
  now: number,
): Promise<boolean> {
  const kept = await tx.run(sql`INSERT INTO passkeys (organization_id, id, account_id, credential_id, public_key,
      sign_count, transports, backup, uv_initialized_at, name, created_at)
    VALUES (${organizationId}, ${uuidv7(now)}, ${accountId}, ${id}, ${publicKey},
      ${signCount}, ${transports}, ${backup}, ${now}, ${name}, ${now})
    ON CONFLICT (credential_id) DO NOTHING`);
  return kept === 1;
}

/** Gives a passkey another name. False where the account has no such passkey. */
export function renamePasskey(
  installation: Installation,
  { account }: Session,
  passkeyId: string,
  name: string,
  visitor: Visitor,
): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    if (!(await lockAtEpoch(tx, account, account.epoch))) return new RolledBack(false);
    const own = sql`organization_id = ${account.organizationId} AND account_id = ${account.id} AND id = ${passkeyId}
      AND revoked_at IS NULL`;
    const renamed = await tx.run(sql`UPDATE passkeys SET name = ${name} WHERE ${own} AND name <> ${name}`);
    if (renamed === 1) await note(tx, installation, account, visitor, 'passkey.renamed');
    return renamed === 1 || (await tx.one(sql`SELECT 1 AS found FROM passkeys WHERE ${own}`)) !== undefined;
  });
}

/**
 * Takes a passkey away for good. Raises the epoch, so that whoever was inside by it is not any more (I12). Throws without
 * a fresh proof. False where the account has no such passkey, or has changed meanwhile.
 */
export function removePasskey(
  installation: Installation,
  session: Session,
  passkeyId: string,
  visitor: Visitor,
): Promise<boolean> {
  if (!isFreshlyProven(session, installation.now())) throw new Error('a removal without a fresh proof');
  const { organizationId, id, epoch } = session.account;
  return installation.db.transaction<boolean>(async (tx) => {
    const now = installation.now();
    const raised = await tx.run(sql`UPDATE accounts SET epoch = epoch + 1 WHERE organization_id = ${organizationId}
      AND id = ${id} AND epoch = ${epoch} AND disabled_at IS NULL`);
    const removed = await tx.run(sql`UPDATE passkeys SET revoked_at = ${now}, public_key = NULL
      WHERE organization_id = ${organizationId} AND account_id = ${id} AND id = ${passkeyId} AND revoked_at IS NULL`);
    if (raised !== 1 || removed !== 1) return new RolledBack(false);
    await voidCarriers(tx, organizationId, id, now);
    const left = (await passkeysOf(tx, session.account)).length;
    await note(tx, installation, session.account, visitor, 'passkey.removed', left);
    return true;
  });
}

/** Ends every passkey of an account whose lock is held. */
export async function revokePasskeys(tx: Transaction, { organizationId, id }: Whose, now: number): Promise<void> {
  await tx.run(sql`UPDATE passkeys SET revoked_at = ${now}, public_key = NULL
    WHERE organization_id = ${organizationId} AND account_id = ${id} AND revoked_at IS NULL`);
}

function note(
  tx: Transaction,
  installation: Installation,
  { organizationId, id }: Whose,
  { address, userAgent }: Visitor,
  action: Action,
  passkeys?: number,
): Promise<void> {
  return record(tx, installation, {
    organizationId,
    actor: { kind: 'account', id, address, userAgent },
    action,
    targetId: id,
    ...(passkeys === undefined ? {} : { details: { passkeys } }),
  });
}
