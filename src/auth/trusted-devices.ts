import type { Account } from '../accounts/accounts.ts';
import { sql, type Queries, type Sql } from '../db/db.ts';
import { DAY_MS } from './limits.ts';

export type Whose = Pick<Account, 'organizationId' | 'id'>;

/**
 * How many devices an organization's customers are not asked for the code on; with `days`, how many it would still be if
 * that were all it allows. From one index. Where an epoch was raised, `voidCarriers` has put the account's devices away.
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
