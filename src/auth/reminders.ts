import { HAS_MFA } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import { endOfDayAfter } from '../accounts/days.ts';
import type { Installation } from '../accounts/installation.ts';
import type { JobKey } from '../accounts/job-parts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { queueMail, type Letter } from '../accounts/outbox.ts';
import { sql, type Sql, type Transaction } from '../db/db.ts';
import { FEW_CODES } from './limits.ts';

/** How many days before a grace ends its contact is reminded, the last first. */
const DAYS_BEFORE = [1, 3, 7];
/** Before the first of them. */
const NOT_REMINDED = 8;
/** Staff remind the same contact again after so long. */
const AGAIN_AFTER_MS = 24 * 3_600_000;
/** Letters of one transaction. */
const BITE = 200;
/** The hours of an organization's day in which letters go out that nobody waits for: from nine to five. */
const DAYTIME = { from: 9, to: 17 };

/** What stands on an account that has just been given a grace: of a short one, its page has told already. */
export function remindedAtFirst(graceDays: number): number {
  return DAYS_BEFORE.find((days) => graceDays <= days) ?? NOT_REMINDED;
}

/**
 * Writes the reminders that are due: to set MFA up, 7, 3 and 1 days before a grace ends, and to make new backup codes where
 * few or none are left. Each goes out once, whoever else is doing the same, in the daytime of the organization. It costs
 * what is due, not what there is. Nothing where mail is off. `mayGoOn` is asked before each bite.
 */
export async function sendReminders(installation: Installation, mayGoOn: () => Promise<boolean>): Promise<void> {
  if (!installation.mailIsOn) return;
  const all = await installation.db.all<Reminding>(sql`SELECT id, policy, grace_days AS "graceDays",
    policy_changed_at AS "policyChangedAt", time_zone AS "timeZone" FROM organizations ORDER BY id`);
  for (const organization of all.filter(({ timeZone }) => isDaytime(installation.now(), timeZone))) {
    const turns = [...graceTurns(organization, installation.now()), ...codesTurns(organization)];
    for (const turn of turns) while ((await mayGoOn()) && (await bite(installation, turn)) === BITE);
  }
}

interface Reminding extends Pick<Organization, 'id' | 'policy' | 'graceDays' | 'timeZone'> {
  readonly policyChangedAt: number | null;
}

function isDaytime(now: number, timeZone: string): boolean {
  const { hour } = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone);
  return hour >= DAYTIME.from && hour < DAYTIME.to;
}

/** One kind of reminder: who is due, what then stands on their row, and the letter. */
interface Turn {
  readonly organizationId: string;
  readonly due: Sql;
  readonly done: Sql;
  readonly letter: (row: Due) => Pick<Letter, 'kind' | 'facts'>;
}

interface Due {
  readonly id: string;
  readonly until: number | null;
  readonly left: number | null;
}

// The condition of the index, in its very words.
const IS_CONTACT = sql`customer_key IS NOT NULL AND disabled_at IS NULL`;

// One day first: whoever has no more is not told of three. A grace counts for the policy that it was granted under.
function graceTurns({ id, policy, graceDays, policyChangedAt, timeZone }: Reminding, now: number): Turn[] {
  if (policy !== 'required' || graceDays === null || policyChangedAt === null) return [];
  return DAYS_BEFORE.map((days) => ({
    organizationId: id,
    due: sql`${IS_CONTACT} AND mfa_since IS NULL AND grace_until IS NOT NULL AND grace_policy_at = ${policyChangedAt}
      AND grace_reminded IN (${later(days)}) AND grace_until > ${now} AND grace_until <= ${endOfDayAfter(now, days, timeZone)}
      AND (exempt_until IS NULL OR exempt_until <= ${now})`,
    done: sql`grace_reminded = ${days}`,
    letter: ({ until }) => ({ kind: 'set-up-by', facts: { until, days } }),
  }));
}

function later(days: number): Sql {
  const others = [...DAYS_BEFORE, NOT_REMINDED].filter((other) => other > days).map((other) => sql`${other}`);
  return others.reduce((all, one) => sql`${all}, ${one}`);
}

// Few first, then none: whoever has none at once is told of that alone.
function codesTurns({ id }: Reminding): Turn[] {
  return [FEW_CODES, 0].map((from) => ({
    organizationId: id,
    due: sql`${IS_CONTACT} AND mfa_since IS NOT NULL AND codes_reminded = ${from} AND backup_codes_left <= ${from}`,
    done: sql`codes_reminded = CASE WHEN backup_codes_left = 0 THEN -1 ELSE 0 END`,
    letter: ({ left }) => ({ kind: 'codes-low', facts: { left } }),
  }));
}

// Said twice, as in the housekeeping: of a row that PostgreSQL had to wait for, only the condition outside is looked at
// again, and another server may have told its contact meanwhile.
function bite(installation: Installation, { organizationId, due, done, letter }: Turn): Promise<number> {
  return installation.db.transaction(
    async (tx) => {
      const told =
        await tx.all<Due>(sql`UPDATE accounts SET ${done} WHERE organization_id = ${organizationId} AND ${due}
        AND id IN (SELECT id FROM accounts WHERE organization_id = ${organizationId} AND ${due} LIMIT ${BITE})
        RETURNING id, grace_until AS until, backup_codes_left AS "left"`);
      const letters = told.map((row) => ({ organizationId, accountId: row.id, ...letter(row) }));
      await queueMail(tx, installation, ...letters);
      return told.length;
    },
    { patient: true },
  );
}

/** In an UPDATE of accounts, with a new set of backup codes: whoever runs low on these is told again. */
export const CODES_NOT_REMINDED = sql`codes_reminded = ${FEW_CODES}`;

/**
 * Send reminder, by staff: to a contact who can sign in and has not set MFA up, at most once a day. The one row in the log
 * is of this act. False where there was nobody to remind; then nothing has changed.
 */
export async function remindWithin(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  { organizationId, id }: JobKey,
  reason?: string,
): Promise<boolean> {
  if (!installation.mailIsOn) return false;
  const now = installation.now();
  const account = sql`organization_id = ${organizationId} AND id = ${id}`;
  // Whether there is MFA is read under the lock.
  await tx.run(sql`UPDATE accounts SET epoch = epoch WHERE ${account}`);
  const found = await tx.one<{ until: number | null }>(sql`SELECT CASE WHEN a.grace_policy_at = o.policy_changed_at
      AND o.grace_days IS NOT NULL AND a.grace_until > ${now} THEN a.grace_until END AS until
    FROM accounts a JOIN organizations o ON o.id = a.organization_id
    WHERE a.organization_id = ${organizationId} AND a.id = ${id} AND a.kind = 'contact' AND a.disabled_at IS NULL
      AND a.password IS NOT NULL AND o.policy <> 'off' AND NOT ${HAS_MFA}
      AND (a.reminded_at IS NULL OR a.reminded_at <= ${now - AGAIN_AFTER_MS})`);
  if (!found) return false;
  await tx.run(sql`UPDATE accounts SET reminded_at = ${now} WHERE ${account}`);
  const facts = { until: found.until, days: null };
  await queueMail(tx, installation, { organizationId, accountId: id, kind: 'set-up-by', facts });
  await record(tx, installation, {
    organizationId,
    actor,
    action: 'reminder.sent',
    targetId: id,
    ...(reason === undefined ? {} : { reason }),
  });
  return true;
}

/** The same by itself. */
export function remind(installation: Installation, actor: Actor, contact: JobKey): Promise<boolean> {
  return installation.db.transaction((tx) => remindWithin(tx, installation, actor, contact));
}
