import { queueMail, type MailKind } from '../accounts/outbox.ts';
import type { Installation } from '../accounts/installation.ts';
import { list, sql, type Queries, type Sql } from '../db/db.ts';
import { MAY_WAIT, type HeldBack } from './letters.ts';
import { AT_ONCE, LONGEST_MS } from './post.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How many letters of those that may wait an address gets in an hour; what is more, one letter tells afterwards. */
export const LETTERS_AN_HOUR = 20;
/** How long a letter that was not taken is tried again. */
export const TRIED_FOR_MS = 3 * DAY_MS;
/** How long a server that says nothing more keeps a letter: longer than any attempt takes. */
const HELD_MS = 2 * LONGEST_MS;

/** A letter whose turn it is. */
export interface Outgoing {
  readonly organizationId: string;
  readonly id: string;
  readonly accountId: string;
  readonly addressKey: string;
  readonly kind: MailKind;
  readonly sealed: string;
  readonly createdAt: number;
  readonly attempts: number;
}

/** The pause after an attempt that failed, the first being 1; undefined: that was the last. */
export function pauseAfter(attempts: number): number | undefined {
  const first = [30 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
  const pause = first[attempts - 1];
  if (pause !== undefined) return pause;
  return (attempts - first.length) * HOUR_MS <= TRIED_FOR_MS ? HOUR_MS : undefined;
}

/**
 * The next letters, each the oldest of its organization's that waits for an address: to one person everything goes out in
 * order, and no organization's letters wait behind another's. A digest waits for its hour and lets the others pass.
 */
export function nextDue(db: Pick<Queries, 'all'>, now: number): Promise<Outgoing[]> {
  return db.all(sql`SELECT m.organization_id AS "organizationId", m.id, m.account_id AS "accountId",
      m.address_key AS "addressKey", m.kind, m.sealed, m.created_at AS "createdAt", m.attempts
    FROM mails m WHERE m.done_at IS NULL AND m.due_at <= ${now}
      AND NOT EXISTS (SELECT 1 FROM mails e WHERE e.organization_id = m.organization_id
        AND e.address_key = m.address_key AND e.done_at IS NULL AND e.id < m.id AND e.kind <> 'digest')
    ORDER BY m.due_at, m.id LIMIT ${AT_ONCE}`);
}

/** Keeps a letter for this process alone while it is on its way. False where another has it, or it is gone. */
export async function claim({ db }: Installation, letter: Outgoing, now: number): Promise<boolean> {
  const mine = await db.transaction((tx) =>
    tx.run(sql`UPDATE mails SET due_at = ${now + HELD_MS} WHERE ${of(letter)} AND due_at <= ${now}`),
  );
  return mine === 1;
}

/** A letter is done with: what it said goes from the disk. */
export async function finish(
  { db }: Installation,
  letter: Outgoing,
  outcome: 'sent' | 'given-up',
  answer: string,
  now: number,
): Promise<void> {
  await db.transaction((tx) =>
    tx.run(sql`UPDATE mails SET done_at = ${now}, outcome = ${outcome}, sealed = NULL, last_answer = ${answer},
        attempts = attempts + 1 WHERE ${of(letter)}`),
  );
}

/** Tries a letter again later. False where it has been tried for long enough. */
export async function postpone({ db }: Installation, letter: Outgoing, answer: string, now: number): Promise<boolean> {
  const pause = pauseAfter(letter.attempts + 1);
  if (pause === undefined) return false;
  await db.transaction((tx) =>
    tx.run(sql`UPDATE mails SET due_at = ${now + pause}, attempts = attempts + 1, last_answer = ${answer}
      WHERE ${of(letter)}`),
  );
  return true;
}

/** Gives a letter back as it was: that the server was out of reach was none of its doing. */
export async function release({ db }: Installation, letter: Outgoing, answer: string, now: number): Promise<void> {
  await db.transaction((tx) =>
    tx.run(sql`UPDATE mails SET due_at = ${now}, last_answer = ${answer} WHERE ${of(letter)}`),
  );
}

/**
 * Holds a letter back, with all that wait behind it and may wait, where its address has had enough for an hour; what was
 * held back, one letter tells when the hour is over. False: there is room, and nothing has changed.
 */
export async function holdBack(
  installation: Installation,
  letter: Outgoing,
  to: string,
  now: number,
): Promise<boolean> {
  if (!MAY_WAIT.includes(letter.kind)) return false;
  const { db } = installation;
  const there = sql`organization_id = ${letter.organizationId} AND address_key = ${letter.addressKey}`;
  const sent = await db.all(sql`SELECT 1 AS one FROM mails WHERE ${there} AND done_at IS NOT NULL
    AND done_at > ${now - HOUR_MS} AND outcome = 'sent' AND kind IN (${list(MAY_WAIT)}) LIMIT ${LETTERS_AN_HOUR}`);
  const announced = await db.one(sql`SELECT 1 AS one FROM mails WHERE ${there} AND done_at IS NULL
    AND kind = 'digest' AND created_at > ${now - HOUR_MS}`);
  if (sent.length < LETTERS_AN_HOUR && !announced) return false;
  await db.transaction(async (tx) => {
    await tx.run(sql`UPDATE mails SET done_at = ${now}, outcome = 'in-digest', sealed = NULL
      WHERE ${there} AND done_at IS NULL AND kind IN (${list(MAY_WAIT)})`);
    if (announced) return;
    const { organizationId, accountId } = letter;
    // Its hour begins with what was held back first: a moment later it would tell nothing of that.
    const then = { ...installation, now: () => now };
    await queueMail(tx, then, { organizationId, accountId, kind: 'digest', to, dueAt: now + HOUR_MS });
  });
  return true;
}

/** What a digest tells: what was held back in the hour that began with it. */
export function heldBackBy(db: Pick<Queries, 'all'>, digest: Outgoing): Promise<HeldBack[]> {
  const { organizationId, addressKey, createdAt } = digest;
  return db.all(sql`SELECT kind, COUNT(*) AS count, MAX(created_at) AS "lastAt" FROM mails
    WHERE organization_id = ${organizationId} AND address_key = ${addressKey} AND outcome = 'in-digest'
      AND done_at >= ${createdAt} AND done_at < ${createdAt + HOUR_MS} GROUP BY kind ORDER BY MAX(created_at)`);
}

function of({ organizationId, id }: Outgoing): Sql {
  return sql`organization_id = ${organizationId} AND id = ${id} AND done_at IS NULL`;
}
