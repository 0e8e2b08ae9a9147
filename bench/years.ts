import { dayOf, daysUntil, writeFigures } from '../src/accounts/figures.ts';
import type { Organization } from '../src/accounts/organizations.ts';
import type { Database } from '../src/db/db.ts';
import { aYear } from '../src/demo/year.ts';

/** Writes the daily figures of two years behind an organization's overview, which ends with two in three on MFA. */
export async function twoYears(
  db: Database,
  { id, timeZone }: Pick<Organization, 'id' | 'timeZone'>,
  now: number,
  { contacts, agents }: { contacts: number; agents: readonly string[] },
): Promise<void> {
  const today = dayOf(now, timeZone);
  for (const end of [daysUntil(today, 366).from, today]) {
    const year = aYear(end, { contacts, on: Math.round(contacts * 0.68), agents });
    await db.transaction((tx) => writeFigures(tx, id, year, 'replace'));
  }
}
