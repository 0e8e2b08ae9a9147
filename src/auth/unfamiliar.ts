import type { Account } from '../accounts/accounts.ts';
import { sql, type Queries } from '../db/db.ts';
import type { Visitor } from './sessions.ts';

/** How many of the latest sessions tell which browsers an account is used with. */
const REMEMBERED = 50;

/**
 * Whether somebody who signs in comes from a network, or with a browser, that this account was not seen with before, so
 * that its owner is to be told (ASVS 6.3.5). Networks are remembered for a year, browsers as long as their sessions. At
 * the very first sign-in, and where nothing is remembered, nothing is unfamiliar.
 */
export async function isUnfamiliar(
  tx: Pick<Queries, 'one' | 'all'>,
  { organizationId, id }: Account,
  visitor: Visitor,
): Promise<boolean> {
  const own = sql`organization_id = ${organizationId} AND account_id = ${id}`;
  const networks = await tx.one<{ known: number; here: number }>(sql`SELECT COUNT(*) AS known,
      COUNT(CASE WHEN address = ${visitor.network} THEN 1 END) AS here FROM known_addresses WHERE ${own}`);
  if (networks && networks.known > 0 && networks.here === 0) return true;
  const before = await tx.all<{ userAgent: string }>(sql`SELECT user_agent AS "userAgent" FROM sessions WHERE ${own}
    ORDER BY id DESC LIMIT ${REMEMBERED}`);
  const browser = withoutVersions(visitor.userAgent);
  return before.length > 0 && !before.some(({ userAgent }) => withoutVersions(userAgent) === browser);
}

// A browser that has been updated is the same one.
function withoutVersions(userAgent: string): string {
  return userAgent.slice(0, 300).replace(/[\d._]+/g, '');
}
