import type { Account } from '../accounts/accounts.ts';
import { record, type Action } from '../accounts/audit.ts';
import { lockAtEpoch, voidCarriers } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { keepListed } from '../accounts/listed.ts';
import { RolledBack, sql, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { factOf, openChallenge, type BegunInside } from './challenges.ts';
import { offerWithin } from './enrolment.ts';
import { standingOf } from './grace.ts';
import { APPS_PER_ACCOUNT } from './limits.ts';
import { isFreshlyProven, mayReplaceFactors, type Session, type Visitor } from './sessions.ts';

/** An authenticator app that opens the second door. */
export interface ActiveApp {
  readonly id: string;
  /** What its owner calls it; null for the usual name. */
  readonly name: string | null;
  readonly enabledAt: number;
  readonly lastUsedAt: number | null;
}

type Whose = Pick<Account, 'organizationId' | 'id'>;

/** The active authenticator apps of an account, the oldest first. */
export function activeApps(db: Pick<Queries, 'all'>, account: Whose): Promise<ActiveApp[]> {
  return db.all(sql`SELECT m.id, m.name, m.enabled_at AS "enabledAt", m.last_used_at AS "lastUsedAt"
    FROM authenticators m WHERE ${activeOf(account)} ORDER BY m.enabled_at, m.id`);
}

function activeOf({ organizationId, id }: Whose): Sql {
  return sql`m.organization_id = ${organizationId} AND m.account_id = ${id} AND m.kind = 'totp'
    AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL`;
}

/** How somebody inside got to the ceremony: `cookie` is its challenge's, and the QR code is there to be scanned. */
export type BegunOver =
  | { kind: 'begun'; cookie: string }
  /** They have as many apps as one may have. */
  | { kind: 'full' }
  /** No such app is active, or the account has changed meanwhile. */
  | { kind: 'nothing-to-do' };

/**
 * Begins the ceremony for one more authenticator app, beside those that are active. Throws without a fresh proof: the
 * caller has asked for one (I14). An account whose authenticators were lost gets none this way.
 */
export function beginAnother(
  installation: Installation,
  session: Session,
  name: string | null,
  visitor: Visitor,
): Promise<BegunOver> {
  if (!isFreshlyProven(session, installation.now())) throw new Error('another app without a fresh proof');
  return begin(installation, session, visitor, (apps) => {
    if (apps.length === 0) return { kind: 'nothing-to-do' };
    if (apps.length >= APPS_PER_ACCOUNT) return { kind: 'full' };
    return { aim: 'another', begunIn: session.id, replaces: null, name };
  });
}

/**
 * Begins the ceremony that puts a new authenticator app in the place of an active one, which works until it is done.
 * Throws where neither a fresh proof nor a fresh backup code stands behind it.
 */
export function beginReplacement(
  installation: Installation,
  session: Session,
  appId: string,
  visitor: Visitor,
): Promise<BegunOver> {
  if (!mayReplaceFactors(session, installation.now())) throw new Error('a replacement without a fresh proof');
  return begin(installation, session, visitor, (apps) => {
    const old = apps.find(({ id }) => id === appId);
    if (!old) return { kind: 'nothing-to-do' };
    return { aim: 'replacement', begunIn: session.id, replaces: old.id, name: old.name };
  });
}

function begin(
  installation: Installation,
  session: Session,
  visitor: Visitor,
  decide: (apps: readonly ActiveApp[]) => BegunInside | BegunOver,
): Promise<BegunOver> {
  const { account, surface } = session;
  return installation.db.transaction<BegunOver>(async (tx) => {
    const refused = new RolledBack<BegunOver>({ kind: 'nothing-to-do' });
    if (!(await lockAtEpoch(tx, account, account.epoch))) return refused;
    if ((await standingOf(tx, account)).suspectedAt !== null) return refused;
    const inside = decide(await activeApps(tx, account));
    if ('kind' in inside) return new RolledBack(inside);
    const opening = { account, epoch: account.epoch, surface, purpose: 'enrolment', inside } as const;
    const { cookie, ...opened } = await openChallenge(tx, opening, installation.now());
    await offerWithin(tx, installation, { ...opened, account, inside }, visitor);
    return { kind: 'begun', cookie };
  });
}

/** Gives an app another name; null for the usual one. False where no such app of this account is active. */
export function renameApp(
  installation: Installation,
  session: Session,
  appId: string,
  name: string | null,
  visitor: Visitor,
): Promise<boolean> {
  const { account } = session;
  return installation.db.transaction<boolean>(async (tx) => {
    if (!(await lockAtEpoch(tx, account, account.epoch))) return new RolledBack(false);
    if (!(await activeApps(tx, account)).some(({ id }) => id === appId)) return new RolledBack(false);
    const renamed = await tx.run(sql`UPDATE authenticators SET name = ${name}
      WHERE organization_id = ${account.organizationId} AND account_id = ${account.id} AND id = ${appId}
        AND name IS DISTINCT FROM ${name}`);
    if (renamed === 1) await note(tx, installation, session, visitor, 'authenticator.renamed');
    return true;
  });
}

export type Removed =
  | { kind: 'removed' }
  /** The last one goes only with MFA itself (mfa-off.ts). */
  | { kind: 'last' }
  | { kind: 'nothing-to-do' };

/**
 * Takes one of several authenticator apps away, never the last. Raises the epoch, so that whoever was inside by it is
 * not any more (I12). Throws without a fresh proof.
 */
export function removeApp(
  installation: Installation,
  session: Session,
  appId: string,
  visitor: Visitor,
): Promise<Removed> {
  if (!isFreshlyProven(session, installation.now())) throw new Error('a removal without a fresh proof');
  const { organizationId, id: accountId, epoch } = session.account;
  return installation.db.transaction<Removed>(async (tx) => {
    const now = installation.now();
    const raised = await tx.run(sql`UPDATE accounts SET epoch = epoch + 1 WHERE organization_id = ${organizationId}
      AND id = ${accountId} AND epoch = ${epoch} AND disabled_at IS NULL`);
    const apps = raised === 1 ? await activeApps(tx, session.account) : [];
    if (!apps.some(({ id }) => id === appId)) return new RolledBack<Removed>({ kind: 'nothing-to-do' });
    const removed = await tx.run(sql`UPDATE authenticators SET revoked_at = ${now}, secret = NULL
      WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND id = ${appId} AND revoked_at IS NULL
        AND EXISTS (SELECT 1 FROM authenticators m WHERE ${activeOf(session.account)} AND m.id <> ${appId})`);
    if (removed !== 1) return new RolledBack<Removed>({ kind: 'last' });
    await voidCarriers(tx, organizationId, accountId, now);
    await keepListed(tx, organizationId, accountId);
    await note(tx, installation, session, visitor, 'authenticator.removed');
    return { kind: 'removed' };
  });
}

function note(
  tx: Transaction,
  installation: Installation,
  session: Session,
  visitor: Visitor,
  action: Action,
): Promise<void> {
  return record(tx, installation, factOf(session, visitor, action));
}
