import type { Account } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { openSessions, signedInNow, type Session } from './sessions.ts';
import { endDevices } from './trusted-devices.ts';

type Whose = Pick<Account, 'organizationId' | 'id'>;

/** What was open: sessions in which somebody was still in, and devices that skipped the code. */
export interface Ended {
  readonly sessions: number;
  readonly devices: number;
}

/**
 * Signs a contact out everywhere, on the server (ASVS 7.4.5), and has every device ask for a code again: whoever asks for
 * it has lost one, or does not know who is in. Nothing else changes: password, MFA and links stay, and whoever has them
 * signs in again. Where nothing was open there is no audit row.
 */
export function signOutEverywhere(installation: Installation, actor: Actor, whose: Whose): Promise<Ended> {
  return installation.db.transaction((tx) => endSessionsWithin(tx, installation, actor, whose));
}

/** The same inside a transaction, for one contact or for each of many. */
export async function endSessionsWithin(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  { organizationId, id }: Whose,
  reason?: string,
): Promise<Ended> {
  // The account's lock: a sign-in that is just being completed ends up on one side of this or on the other.
  await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE organization_id = ${organizationId} AND id = ${id}`);
  const now = installation.now();
  // Idle ones, and those that signing everyone out has voided, end too; told are those in which somebody was still in.
  const { sessions } = await signedInNow(tx, organizationId, now, { contactId: id });
  await tx.run(sql`UPDATE sessions SET ended_at = ${now}
    WHERE organization_id = ${organizationId} AND account_id = ${id} AND ended_at IS NULL`);
  const devices = await endDevices(tx, { organizationId, id }, now);
  if (sessions + devices === 0) return { sessions, devices };
  await record(tx, installation, {
    organizationId,
    actor,
    action: 'sessions.ended',
    targetId: id,
    ...(reason === undefined ? {} : { reason }),
    details: { sessions, ...(devices === 0 ? {} : { devices }) },
  });
  return { sessions, devices };
}

/**
 * Sign out everywhere else: ends all sessions of an account but the one that asks, and with each what was begun in it, and
 * the trust in every device but `device`, whose cookie the browser that asks has. Answers how many sessions somebody was
 * still in; where nothing was open there is no audit row.
 */
export function signOutElsewhere(
  installation: Installation,
  actor: Actor,
  own: Session,
  device?: string,
): Promise<number> {
  const { organizationId, id, epoch } = own.account;
  return installation.db.transaction<number>(async (tx) => {
    if (!(await lockAtEpoch(tx, own.account, epoch))) return new RolledBack(0);
    const now = installation.now();
    const open = await openSessions(tx, own.surface, own.account, now);
    const sessions = open.filter((one) => one.id !== own.id).length;
    await tx.run(sql`UPDATE sessions SET ended_at = ${now} WHERE organization_id = ${organizationId}
      AND account_id = ${id} AND id <> ${own.id} AND ended_at IS NULL`);
    const devices = await endDevices(tx, own.account, now, device);
    if (sessions + devices === 0) return 0;
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'sessions.ended',
      targetId: id,
      details: { sessions, ...(devices === 0 ? {} : { devices }) },
    });
    return sessions;
  });
}

/** Ends one session of an account. False where it is not there, is another account's, or had ended already. */
export function endOneSession(
  installation: Installation,
  actor: Actor,
  { organizationId, id }: Whose,
  sessionId: string,
): Promise<boolean> {
  return installation.db.transaction<boolean>(async (tx) => {
    const ended = await tx.run(sql`UPDATE sessions SET ended_at = ${installation.now()}
      WHERE organization_id = ${organizationId} AND account_id = ${id} AND id = ${sessionId} AND ended_at IS NULL`);
    if (ended === 0) return new RolledBack(false);
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'sessions.ended',
      targetId: id,
      details: { sessions: 1 },
    });
    return true;
  });
}
