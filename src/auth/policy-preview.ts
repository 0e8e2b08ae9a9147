import { setImmediate as othersHaveTheirTurn } from 'node:timers/promises';
import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import type { AskedOfAll, Organization } from '../accounts/organizations.ts';
import { sql, type Database, type Queries, type Sql } from '../db/db.ts';
import { isOpen } from './sessions.ts';

/**
 * How a policy affects a contact. Out of reach are those who cannot sign in at all, whatever is asked: portal access is
 * off, or no password has been chosen yet. Every contact is in exactly one of these groups.
 */
export const EFFECTS = ['already-on', 'at-once', 'within-grace', 'exempt', 'not-asked', 'out-of-reach'] as const;
export type Effect = (typeof EFFECTS)[number];

/** A group of contacts: those whom a policy affects alike, or whoever is signed in just now. */
export type Group = Effect | 'signed-in';

export interface AffectedContact {
  readonly id: string;
  readonly customerId: string;
  readonly customerName: string;
  readonly name: string;
  readonly email: string;
  readonly effect: Effect;
  readonly lastSignInAt: number | null;
}

// Where the policy that holds is looked at, the grace of some may have ended already; another policy gives its own.
function effectOf(organization: Organization, { policy, graceDays }: AskedOfAll, now: number): Sql {
  const isToday = policy === organization.policy;
  const policyAt = sql`(SELECT o.policy_changed_at FROM organizations o WHERE o.id = ${organization.id})`;
  const isOver = isToday ? sql`a.grace_policy_at = ${policyAt} AND a.grace_until <= ${now}` : sql`1 = 0`;
  const asked =
    policy !== 'required'
      ? sql`ELSE 'not-asked'`
      : sql`WHEN a.exempt_until > ${now} THEN 'exempt' ${
          graceDays === null ? sql`` : sql`WHEN NOT COALESCE(${isOver}, 1 = 0) THEN 'within-grace'`
        } ELSE 'at-once'`;
  return sql`CASE WHEN a.disabled_at IS NOT NULL OR a.password_set_at IS NULL THEN 'out-of-reach'
    WHEN a.mfa_since IS NOT NULL THEN 'already-on' ${asked} END`;
}

const COUNTED_AT_ONCE = 5_000;

/**
 * How many contacts a policy would affect in which way. It looks at everybody, some thousands at a time, so that others
 * have their turn in between: about a second for a million.
 */
export async function countAffected(
  db: Database,
  organization: Organization,
  plan: AskedOfAll,
  now: number,
): Promise<Record<Effect, number>> {
  const counted = Object.fromEntries(EFFECTS.map((effect) => [effect, 0])) as Record<Effect, number>;
  for (let after: string | null = ''; after !== null; await othersHaveTheirTurn()) {
    const rows: { effect: Effect; contacts: number; last: string }[] =
      await db.all(sql`SELECT effect, COUNT(*) AS contacts, MAX(id) AS last
        FROM (SELECT a.id, ${effectOf(organization, plan, now)} AS effect FROM accounts a
          WHERE a.organization_id = ${organization.id} AND a.customer_key IS NOT NULL AND a.id > ${after}
          ORDER BY a.id LIMIT ${COUNTED_AT_ONCE}) grouped GROUP BY effect`);
    for (const { effect, contacts } of rows) counted[effect] += contacts;
    const looked = rows.reduce((sum, { contacts }) => sum + contacts, 0);
    after = looked < COUNTED_AT_ONCE ? null : rows.reduce((last, row) => (row.last > last ? row.last : last), '');
  }
  return counted;
}

export interface Wanted {
  readonly group?: Group;
  /** Only those whose address comes after this one. */
  readonly after?: string;
  readonly limit: number;
}

/** The contacts whom a policy would affect, or a group of them, by address. */
export async function affectedContacts(
  db: Pick<Queries, 'all'>,
  organization: Organization,
  plan: AskedOfAll,
  { group, after = '', limit }: Wanted,
  now: number,
): Promise<(AffectedContact & { readonly emailKey: string })[]> {
  const effect = effectOf(organization, plan, now);
  const wanted =
    group === undefined
      ? sql``
      : group === 'signed-in'
        ? sql`AND a.id IN (${signedIn(organization, now)})`
        : sql`AND ${effect} = ${group}`;
  return db.all(sql`SELECT a.id, a.customer_id AS "customerId", c.name AS "customerName", a.name, a.email,
      a.email_key AS "emailKey", ${effect} AS effect, a.last_sign_in_at AS "lastSignInAt"
    FROM accounts a JOIN customers c ON c.organization_id = a.organization_id AND c.id = a.customer_id
    WHERE a.organization_id = ${organization.id} AND a.customer_key IS NOT NULL AND a.email_key > ${after} ${wanted}
    ORDER BY a.email_key LIMIT ${limit}`);
}

function signedIn({ id }: Organization, now: number): Sql {
  return sql`SELECT s.account_id FROM sessions s
    JOIN accounts a ON a.organization_id = s.organization_id AND a.id = s.account_id
    WHERE s.organization_id = ${id} AND ${isOpen('portal', now)}`;
}

const PAGE = 1_000;

/**
 * Hands out a group of contacts, or all, a page at a time: what leaves the house is recorded before the first of them
 * does, with how many they are by then, so that breaking off leaves a row too.
 */
export async function* exportAffected(
  installation: Installation,
  actor: Actor,
  organization: Organization,
  plan: AskedOfAll,
  group?: Group,
): AsyncGenerator<readonly AffectedContact[]> {
  const { db } = installation;
  const now = installation.now();
  const contacts = await countGroup(db, organization, plan, group, now);
  await db.transaction((tx) =>
    record(tx, installation, {
      organizationId: organization.id,
      actor,
      action: 'customers.exported',
      details: { contacts, policy: plan.policy, graceDays: plan.graceDays, group: group ?? 'all' },
    }),
  );
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await affectedContacts(db, organization, plan, { ...(group && { group }), after, limit: PAGE }, now);
    yield page;
    after = page.length === PAGE ? page.at(-1)?.emailKey : undefined;
  }
}

async function countGroup(
  db: Database,
  organization: Organization,
  plan: AskedOfAll,
  group: Group | undefined,
  now: number,
): Promise<number> {
  if (group === 'signed-in') {
    const row = await db.one<{ contacts: number }>(sql`SELECT COUNT(*) AS contacts FROM accounts b
      WHERE b.organization_id = ${organization.id} AND b.id IN (${signedIn(organization, now)})`);
    return row?.contacts ?? 0;
  }
  const counts = await countAffected(db, organization, plan, now);
  return group === undefined ? Object.values(counts).reduce((sum, n) => sum + n, 0) : counts[group];
}
