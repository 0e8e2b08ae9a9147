import { setImmediate } from 'node:timers/promises';
import { dayOf, writeFigures, STANDINGS, type Standing } from '../accounts/figures.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql, type Database } from '../db/db.ts';
import { FEW_CODES } from './limits.ts';

/** How old a count may get before the contacts are counted again. */
const COUNT_EVERY_MS = 10 * 60_000;
/** Accounts looked at by one statement: few enough that nobody waits for it. */
const BITE = 2_000;

/**
 * Counts where the contacts of each organization stand, where that was done ten minutes ago or on another day; the day
 * keeps the last count. It goes through all accounts, in bites between which others are answered, so it belongs to no
 * request.
 */
export async function countStandings(installation: Installation): Promise<void> {
  for (const organization of await whoIsDue(installation)) await countOf(installation, organization);
}

interface Due {
  readonly id: string;
  readonly timeZone: string;
  readonly countedAt: number | null;
}

async function whoIsDue({ db, now }: Installation): Promise<Due[]> {
  const all = await db.all<Due>(sql`SELECT o.id, o.time_zone AS "timeZone", c.counted_at AS "countedAt"
    FROM organizations o LEFT JOIN figure_cursors c ON c.organization_id = o.id ORDER BY o.id`);
  return all.filter(({ countedAt: then, timeZone }) => {
    const age = now() - (then ?? 0);
    // A count of the future comes from a clock that was ahead.
    return then === null || age < 0 || age >= COUNT_EVERY_MS || dayOf(then, timeZone) !== dayOf(now(), timeZone);
  });
}

async function countOf({ db, now }: Installation, { id, timeZone, countedAt }: Due): Promise<void> {
  const at = now();
  const counted = await counting(db, id, at);
  await db.transaction<boolean>(async (tx) => {
    const first = await tx.run(sql`INSERT INTO figure_cursors (organization_id, counted_at) VALUES (${id}, ${at})
      ON CONFLICT (organization_id) DO UPDATE SET counted_at = excluded.counted_at
      WHERE figure_cursors.counted_at IS NOT DISTINCT FROM ${countedAt}`);
    if (first === 0) return new RolledBack(false);
    const day = dayOf(at, timeZone);
    const figures = STANDINGS.map((name) => ({ name, day, subject: '', value: counted[name] }));
    await writeFigures(tx, id, figures, 'replace');
    return true;
  });
}

type Bite = Record<Standing, number> & { last: string | null };

async function counting(db: Database, organizationId: string, now: number): Promise<Record<Standing, number>> {
  const total = { 'mfa-on': 0, 'mfa-none': 0, 'mfa-low': 0, 'mfa-locked': 0, 'mfa-reset': 0 };
  for (let after = ''; ;) {
    const bite = await biteOf(db, organizationId, after, now);
    if (!bite || bite.last === null) return total;
    for (const name of STANDINGS) total[name] += bite[name];
    after = bite.last;
    await setImmediate();
  }
}

// The one place that says who is counted as what. Contacts without portal access are in none of them. Patient, since
// PostgreSQL may go the long way round until it has looked at a table that was filled at once.
function biteOf(db: Database, organizationId: string, after: string, now: number): Promise<Bite | undefined> {
  const counted = sql`SELECT MAX(id) AS last,
      COUNT(CASE WHEN counts = 1 AND mfa = 1 THEN 1 END) AS "mfa-on",
      COUNT(CASE WHEN counts = 1 AND mfa = 0 THEN 1 END) AS "mfa-none",
      COUNT(CASE WHEN counts = 1 AND mfa = 1 AND codes <= ${FEW_CODES} THEN 1 END) AS "mfa-low",
      COUNT(CASE WHEN counts = 1 AND locked = 1 THEN 1 END) AS "mfa-locked",
      COUNT(CASE WHEN counts = 1 AND mfa = 0 AND reset_notice_at IS NOT NULL THEN 1 END) AS "mfa-reset"
    FROM (SELECT a.id, a.reset_notice_at,
        CASE WHEN a.kind = 'contact' AND a.disabled_at IS NULL THEN 1 ELSE 0 END AS counts,
        CASE WHEN a.mfa_since IS NULL THEN 0 ELSE 1 END AS mfa, COALESCE(a.backup_codes_left, 0) AS codes,
        CASE WHEN a.suspected_at IS NOT NULL OR a.totp_wait_until > ${now} OR a.backup_wait_until > ${now}
          THEN 1 ELSE 0 END AS locked
      FROM accounts a WHERE a.organization_id = ${organizationId} AND a.id > ${after} ORDER BY a.id LIMIT ${BITE}) a`;
  return db.transaction((tx) => tx.one<Bite>(counted), { patient: true });
}
