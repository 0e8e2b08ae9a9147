import type { Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { hashToken, randomToken, readCookie, uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Database, type Queries, type Sql, type Transaction } from '../db/db.ts';
import { clockIsRight, DAY_MS, DEVICE_RACE_MS, TRUSTED_DEVICES_PER_ACCOUNT } from './limits.ts';
import type { Proof } from './proof.ts';
import type { Visitor } from './sessions.ts';

type Whose = Pick<Account, 'organizationId' | 'id'>;

/** What a browser keeps of being trusted: its cookie's value, and when that is worth nothing any more. */
export interface Trust {
  readonly cookie: string;
  readonly until: number;
}

/** "Don't ask again on this device" was ticked; `carried` is the device cookie that the browser has from before. */
export interface Trusting {
  readonly carried: string | undefined;
}

/**
 * Trusts the browser of whoever has just given a fresh proof of their second factor: never after a backup code, never for
 * staff, and not where the organization allows none; then undefined. The value is a new one, whatever the browser carried;
 * a device of the same account that it carried ends. Of more than ten the oldest ends. Under the account's lock.
 */
export async function trustDevice(
  tx: Transaction,
  installation: Installation,
  proof: Proof,
  visitor: Visitor,
  carried: string | undefined,
): Promise<Trust | undefined> {
  const { account, epoch } = proof;
  const { organizationId, id: accountId } = account;
  if (!proof.isFresh || account.kind !== 'contact') return undefined;
  const now = installation.now();
  const [series, secret, id] = [randomToken(), randomToken(), uuidv7(now)];
  const made = await tx.one<{ until: number; days: number }>(sql`INSERT INTO trusted_devices
      (organization_id, id, account_id, series_hash, token_hash, epoch, session_epoch, created_at, last_used_at, expires_at,
        address, user_agent)
    SELECT o.id, ${id}, ${accountId}, ${hashToken(series)}, ${hashToken(secret)}, ${epoch}, o.session_epoch, ${now}, ${now},
      ${now} + o.trusted_device_days * ${DAY_MS}, ${visitor.address}, ${visitor.userAgent.slice(0, 300)}
    FROM organizations o WHERE o.id = ${organizationId} AND o.trusted_device_days IS NOT NULL
    RETURNING expires_at AS "until"`);
  if (!made) return undefined;
  if (carried !== undefined) {
    const { seriesHash } = readDevice(carried);
    await revoke(tx, account, now, sql`series_hash = ${seriesHash}`);
  }
  await endOldest(tx, account, now);
  await record(tx, installation, {
    organizationId,
    actor: actorAt(account, visitor),
    action: 'device.trusted',
    targetId: accountId,
    details: { untilAt: made.until },
  });
  return { cookie: `${organizationId}.${series}${secret}`, until: made.until };
}

// A browser whose cookies are cleared at every closing must not leave devices without end behind it.
async function endOldest(tx: Transaction, { organizationId, id }: Whose, now: number): Promise<void> {
  await revoke(
    tx,
    { organizationId, id },
    now,
    sql`id NOT IN (SELECT id FROM trusted_devices WHERE organization_id = ${organizationId} AND account_id = ${id}
      AND revoked_at IS NULL ORDER BY id DESC LIMIT ${TRUSTED_DEVICES_PER_ACCOUNT})`,
  );
}

/**
 * What a browser's device is worth behind a right password: undefined where a code is to be asked for all the same. A
 * value works once; what is answered is the next one. A value from before the last is a copy that somebody else has
 * used, or has kept: the device ends, with the sessions that a device has opened, and it is recorded. But for a minute
 * the last one is taken for the other of two requests that one browser has sent at once (two tabs of a restored window,
 * a press that was repeated because no answer came): it opens nothing and ends nothing. Under the account's lock.
 */
export async function useDevice(
  tx: Transaction,
  installation: Installation,
  account: Account,
  cookie: string,
  visitor: Visitor,
): Promise<Trust | undefined> {
  const { organizationId, id: accountId, kind, epoch } = account;
  const { organizationId: at, series, seriesHash, secretHash } = readDevice(cookie);
  if (kind !== 'contact' || at !== organizationId) return undefined;
  const now = installation.now();
  const next = randomToken();
  const ofBrowser = sql`series_hash = ${seriesHash} AND account_id = ${accountId} AND epoch = ${epoch}`;
  const used = await tx.one<{ until: number }>(sql`UPDATE trusted_devices
    SET token_hash = ${hashToken(next)}, previous_hash = token_hash, last_used_at = ${now},
      address = ${visitor.address}, user_agent = ${visitor.userAgent.slice(0, 300)}
    WHERE organization_id = ${organizationId} AND ${ofBrowser} AND token_hash = ${secretHash} AND revoked_at IS NULL
      AND id IN (SELECT d.id FROM trusted_devices d JOIN organizations o ON o.id = d.organization_id
        WHERE d.organization_id = ${organizationId} AND d.series_hash = ${seriesHash} AND ${isAllowed(now)})
      AND ${clockIsRight(now)}
    RETURNING expires_at AS "until"`);
  if (used) return { cookie: `${organizationId}.${series}${next}`, until: used.until };
  const copied = await revoke(
    tx,
    account,
    now,
    sql`${ofBrowser} AND expires_at > ${now} AND token_hash <> ${secretHash}
      AND (previous_hash IS DISTINCT FROM ${secretHash} OR last_used_at <= ${now - DEVICE_RACE_MS})`,
  );
  if (copied > 0) await endWhatItOpened(tx, installation, account, visitor, now);
  return undefined;
}

async function endWhatItOpened(
  tx: Transaction,
  installation: Installation,
  account: Account,
  visitor: Visitor,
  now: number,
): Promise<void> {
  const { organizationId, id } = account;
  const sessions = await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE organization_id = ${organizationId}
    AND account_id = ${id} AND factor = 'trusted-device' AND ended_at IS NULL`);
  await record(tx, installation, {
    organizationId,
    actor: actorAt(account, visitor),
    action: 'device.replayed',
    targetId: id,
    details: { sessions },
  });
}

/** A browser that its account is not asked for a code on. */
export interface TrustedDevice {
  readonly id: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly until: number;
  readonly address: string;
  readonly userAgent: string;
}

/** The devices that would skip the code now, the latest used first. */
export function trustedDevices(db: Database, { organizationId, id }: Whose, now: number): Promise<TrustedDevice[]> {
  const allowed = sql`d.created_at + o.trusted_device_days * ${DAY_MS}`;
  return db.all(sql`SELECT d.id, d.created_at AS "createdAt", d.last_used_at AS "lastUsedAt", d.address,
      d.user_agent AS "userAgent", CASE WHEN d.expires_at < ${allowed} THEN d.expires_at ELSE ${allowed} END AS "until"
    FROM trusted_devices d JOIN accounts a ON a.organization_id = d.organization_id AND a.id = d.account_id
      JOIN organizations o ON o.id = d.organization_id
    WHERE d.organization_id = ${organizationId} AND d.account_id = ${id} AND d.epoch = a.epoch AND ${isAllowed(now)}
    ORDER BY d.last_used_at DESC, d.id DESC`);
}

/** Ends the trust in one device. False where it is not there, is another account's, or had ended already. */
export function removeDevice(
  installation: Installation,
  actor: Actor,
  whose: Whose,
  deviceId: string,
): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    const removed = await revoke(tx, whose, installation.now(), sql`id = ${deviceId}`);
    if (removed === 0) return new RolledBack(false);
    const { organizationId, id: targetId } = whose;
    await record(tx, installation, { organizationId, actor, action: 'device.removed', targetId });
    return true;
  });
}

/**
 * Ends the trust in all devices of an account but the one whose cookie is `kept`, for a story that has its own words for
 * it; answers how many there were.
 */
export function endDevices(tx: Transaction, whose: Whose, now: number, kept = ''): Promise<number> {
  return revoke(tx, whose, now, sql`series_hash <> ${readDevice(kept).seriesHash}`);
}

function revoke(tx: Transaction, { organizationId, id }: Whose, now: number, which: Sql): Promise<number> {
  return tx.run(sql`UPDATE trusted_devices SET revoked_at = ${now}
    WHERE organization_id = ${organizationId} AND account_id = ${id} AND revoked_at IS NULL AND ${which}`);
}

/**
 * How many devices an organization's customers are not asked for the code on; with `days`, how many it would still be if
 * that were all it allows. From one index: where an epoch was raised, the account's devices have been put away.
 */
export async function devicesTrusted(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  now: number,
  days?: number,
): Promise<number> {
  const young = days === undefined ? sql`` : sql`AND d.created_at > ${now - days * DAY_MS}`;
  const row = await db.one<{ devices: number }>(sql`SELECT COUNT(*) AS devices
    FROM organizations o JOIN trusted_devices d ON d.organization_id = o.id
    WHERE o.id = ${organizationId} ${young} AND ${isAllowed(now)}`);
  return row?.devices ?? 0;
}

// True of devices `d` that their organization `o` trusts as yet, whatever has happened to their account.
function isAllowed(now: number): Sql {
  return sql`d.revoked_at IS NULL AND d.session_epoch = o.session_epoch AND d.created_at > o.devices_from
    AND d.created_at > ${now} - o.trusted_device_days * ${DAY_MS} AND d.expires_at > ${now}`;
}

const HALF = randomToken().length;

// The first half names the device, so that any older value of it is known for what it is; the second is the secret of now.
function readDevice(cookie: string): Record<'organizationId' | 'series' | 'seriesHash' | 'secretHash', string> {
  const { organizationId, token } = readCookie(cookie);
  const series = token.slice(0, HALF);
  return { organizationId, series, seriesHash: hashToken(series), secretHash: hashToken(token.slice(HALF)) };
}

function actorAt({ id }: Whose, { address, userAgent }: Visitor): Actor {
  return { kind: 'account', id, address, userAgent };
}
