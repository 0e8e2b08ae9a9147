import type { HashingLimits } from '../crypto/hashing-guard.ts';
import type { Limit } from './counters.ts';
import { sql, type Queries, type Sql, type Transaction } from '../db/db.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const SIGN_IN_CHALLENGE_LIFETIME_MS = 10 * MINUTE_MS;
export const ENROLMENT_LIFETIME_MS = 30 * MINUTE_MS;
export const BACKUP_CODES_LIFETIME_MS = 10 * MINUTE_MS;
export const ATTEMPTS_PER_CHALLENGE = 5;
export const TRIES_PER_ENROLMENT = 20;
/** When the link that confirms an enrolment may be asked for again. */
export const ENROLMENT_LINK_AGAIN_MS = MINUTE_MS;
/** A code of staff is made while the contact stands before the page that asks for it: NIST SP 800-63B-4 gives it no longer. */
export const ENROLMENT_CODE_LIFETIME_MS = 10 * MINUTE_MS;
export const ENROLMENT_CODE_DIGITS = 16;
export const TRIES_PER_ENROLMENT_CODE = 10;
export const CODES_PER_SET = 5;
/** How many apps somebody may have at once: a guess is right with the chance of all of them together. */
export const APPS_PER_ACCOUNT = 3;
export const APP_NAME_MAX = 60;
/** From how many backup codes left on their owner is warned. */
export const FEW_CODES = 2;
export const OPEN_CHALLENGES_PER_ACCOUNT = 3;
export const FRESH_PROOF_MS = 10 * MINUTE_MS;
export const PARKED_FORMS_PER_SESSION = 5;
export const PASSKEY_CEREMONY_LIFETIME_MS = 5 * MINUTE_MS;
/** How many ceremonies of one session, sign-in or browser are open at once: a tab each. */
export const OPEN_CEREMONIES = 5;
export const PASSKEYS_PER_ACCOUNT = 10;
export const LAST_USE_WRITTEN_EVERY_MS = MINUTE_MS;
export const WELCOME_LINK_LIFETIME_MS = DAY_MS;
export const SETUP_LINK_LIFETIME_MS = DAY_MS;
/** How long a contact is told that staff have reset their MFA: whoever signs in first need not be the contact. */
export const RESET_TOLD_FOR_MS = 7 * DAY_MS;
/** How often a contact may ask for help in a day; what nobody has answered in a month and a week has run out. */
export const HELP_ASKED_PER_DAY = 3;
export const HELP_LIFETIME_MS = 37 * DAY_MS;
export const HELP_STORY_MAX = 300;
export const HELP_KEPT_MS = 365 * DAY_MS;
/** How long the link in the letter cancels a request. */
export const CANCEL_LINK_LIFETIME_MS = 7 * DAY_MS;
/** How long a code that staff have read out works. */
export const SIGN_IN_CODE_LIFETIME_MS = 15 * MINUTE_MS;
export const OPEN_SESSIONS_PER_ACCOUNT = 20;
export const TRUSTED_DEVICES_PER_ACCOUNT = 10;
/** For how long a device's value of before its last use is taken for the other of two requests that were sent at once. */
export const DEVICE_RACE_MS = MINUTE_MS;
/** How many days ahead an exemption from the policy may end, and how many characters its reason has at least. */
export const EXEMPTION_DAYS_MAX = 365;
export const EXEMPTION_REASON_MIN = 10;
export const ENDED_SESSION_KEPT_MS = 30 * DAY_MS;
/** How long it is remembered that a letter was sent; one that nobody sends for as long, mail being off, is dropped. */
export const LETTER_KEPT_MS = 30 * DAY_MS;
export const DEAD_CHALLENGE_KEPT_MS = DAY_MS;
/** Who has not come from an address for a year is a stranger there again. */
export const KNOWN_ADDRESS_KEPT_MS = 365 * DAY_MS;

/** Slow hashes at once: as many as cores, and never libuv's last thread; the others wait, and not for long. */
export function hashingLimits(cores: number): HashingLimits {
  return { atOnce: Math.min(3, cores), queue: 64, waitMs: 2 * SECOND_MS };
}
export const SESSION_LIFETIMES = {
  portal: { idleMs: 30 * MINUTE_MS, absoluteMs: 12 * HOUR_MS },
  admin: { idleMs: 15 * MINUTE_MS, absoluteMs: 8 * HOUR_MS },
};

/** One step before and one after the server's is accepted, for slow typing and clocks that drift (RFC 6238 §5.2). */
export const STEPS_EITHER_WAY = 1;
/** How far a phone's clock may be off for anybody to be told: ten minutes either way. */
export const CLOCK_HINT_STEPS = 20;
/** How far a server's clock may run behind the latest that the database has seen; further, and it accepts no code of an app. */
export const CLOCK_SLACK_MS = 30 * SECOND_MS;
/** How many colleagues' apps are looked at for the code that was wrong, among how many colleagues. */
export const COLLEAGUES_LOOKED_AT = 5;
export const COLLEAGUES_LOOKED_AMONG = 50;
export const CLOCK_HINT_AFTER_WRONG = 2;
export const SCAN_AGAIN_AFTER_WRONG = 3;

export const LONGEST_WAIT_MS = HOUR_MS;

/** The wait that a wrong second factor brings: five are free; the fifth in a row and each one after it are followed by one. */
export function waitAfterWrong(wrongInARow: number): number {
  const steps = [30 * SECOND_MS, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];
  if (wrongInARow < ATTEMPTS_PER_CHALLENGE) return 0;
  return steps[wrongInARow - ATTEMPTS_PER_CHALLENGE] ?? LONGEST_WAIT_MS;
}

const WRONG_WINDOW_MS = 30 * DAY_MS;

/** Whether so many wrong codes behind a right password mean that a thief has the password. */
export function passwordIsSuspected(wrongInARow: number, wrongInWindow: number): boolean {
  return wrongInARow >= 20 || wrongInWindow >= 50;
}

/**
 * From so many wrong codes in a row on a mailbox gives no new password any more, only staff do: who guesses behind one
 * password after the other is at his end then (NIST SP 800-63B-4 §3.2.2).
 */
export const WRONG_CODES_BEFORE_STAFF = 100;

export const ADDRESS_PASSWORD_SOON: Limit = {
  name: 'password by address, 10 min',
  allows: 10,
  windowMs: 10 * MINUTE_MS,
};
export const ADDRESS_PASSWORD_HOUR: Limit = { name: 'password by address, 1 h', allows: 50, windowMs: HOUR_MS };
export const ADDRESS_CODE: Limit = { name: 'second factor by address', allows: 20, windowMs: 10 * MINUTE_MS };
/** Passkeys from an address that were refused. */
export const ADDRESS_PASSKEY: Limit = { name: 'passkey by address', allows: 20, windowMs: 10 * MINUTE_MS };
/** Sign-in pages that offer a passkey, opened from an address: each leaves a row for five minutes. */
export const ADDRESS_CEREMONY: Limit = { name: 'ceremony by address', allows: 300, windowMs: 10 * MINUTE_MS };
/** Wrong passwords for an account in an hour, after which addresses that never signed in to it must wait. */
export const ACCOUNT_PASSWORD_HOUR: Limit = { name: 'password by account', allows: 10, windowMs: HOUR_MS };
export const OUTSIDER_PASSWORD: Limit = { name: 'password by outsider', allows: 1, windowMs: 30 * SECOND_MS };
/** Counted only, so that an unknown e-mail costs what a known one's audit row costs. */
export const UNKNOWN_EMAIL: Limit = { name: 'sign-in with unknown email', allows: 0, windowMs: HOUR_MS };
export const RESETS_BY_AGENT: Limit = { name: 'resets by agent', allows: 20, windowMs: HOUR_MS };
export const ENROLMENT_CODES_BY_AGENT: Limit = { name: 'setup codes by agent', allows: 20, windowMs: HOUR_MS };
export const ENROLMENT_LINKS: Limit = { name: 'enrolment links by account', allows: 5, windowMs: HOUR_MS };
/** New passwords tried with one welcome link: judging one takes a core for up to a third of a second. */
export const PASSWORD_BY_LINK: Limit = { name: 'new password by link', allows: 20, windowMs: HOUR_MS };
/** The same of one account, for who is inside and changes theirs. */
export const NEW_PASSWORD_BY_ACCOUNT: Limit = { name: 'new password by account', allows: 20, windowMs: HOUR_MS };
/** Links asked for from one address, for whomever. */
export const LINKS_BY_ADDRESS: Limit = { name: 'mailed links by address', allows: 10, windowMs: HOUR_MS };
/**
 * Links to one mailbox: what is asked for beyond is answered alike, and not mailed. The window is as long as a link works,
 * so that whoever fills it cannot keep a mailbox without one: the first of it lives until there is room again.
 */
export const LINK_AGAIN: Limit = { name: 'mailed link again', allows: 1, windowMs: MINUTE_MS };
export const LINKS_TO_MAILBOX: Limit = { name: 'mailed links to a mailbox', allows: 2, windowMs: 30 * MINUTE_MS };
/** After how many times of "This wasn't me" an hour mails no further link by itself. */
export const NOT_ME_BY_ACCOUNT: Limit = { name: 'not-me by account', allows: 3, windowMs: HOUR_MS };
export const EMAIL_CHANGES_BY_ACCOUNT: Limit = { name: 'changes of email asked for', allows: 5, windowMs: HOUR_MS };
export const TEST_LETTERS: Limit = { name: 'test letters by staff', allows: 10, windowMs: HOUR_MS };
export const LONGEST_WINDOW_MS = HOUR_MS;

/**
 * The second factors that are typed in. Those of the app and those that stand on paper or were read out have a wait each;
 * together they make the password suspect.
 */
export type Typed = 'totp' | 'backup-code' | 'sign-in-code';

const OF_BACKUP = { wrong: sql`backup_wrong`, waitUntil: sql`backup_wait_until` };
const COLUMNS = {
  totp: { wrong: sql`totp_wrong`, waitUntil: sql`totp_wait_until` },
  'backup-code': OF_BACKUP,
  'sign-in-code': OF_BACKUP,
};

export interface Whose {
  readonly organizationId: string;
  readonly accountId: string;
  readonly epoch: number;
}

/** The counts of an account with the answer that is being looked at counted in as wrong. */
export interface Counted {
  readonly wrong: number;
  readonly wrongInARow: number;
  readonly wrongInWindow: number;
  /** Set where the account has asked for help since its second factor last worked. */
  readonly helpWaitUntil: number | null;
}

/**
 * Counts an answer as wrong before anybody looks at it, and thereby takes the account's lock (I6, I7; RFC 4226 §7.3).
 * Undefined where the epoch has moved on, the account is disabled or suspected, a wait holds, or the clock by which a
 * code would be looked at is behind (I22): look at nothing then.
 */
export function spendAnswer(tx: Transaction, whose: Whose, typed: Typed, now: number): Promise<Counted | undefined> {
  const { wrong, waitUntil } = COLUMNS[typed];
  const over = sql`(window_started_at IS NULL OR window_started_at <= ${now - WRONG_WINDOW_MS})`;
  return tx.one(sql`UPDATE accounts SET ${wrong} = ${wrong} + 1,
      window_wrong = CASE WHEN ${over} THEN 1 ELSE window_wrong + 1 END,
      window_started_at = CASE WHEN ${over} THEN ${bigint(now)} ELSE window_started_at END
    WHERE ${ofAccount(whose)} AND epoch = ${whose.epoch} AND disabled_at IS NULL AND suspected_at IS NULL
      AND ${waitUntil} <= ${now}
      ${typed === 'totp' ? sql`AND ${clockIsRight(now)}` : sql``}
    RETURNING ${wrong} AS wrong, totp_wrong + backup_wrong AS "wrongInARow", window_wrong AS "wrongInWindow",
      help_wait_until AS "helpWaitUntil"`);
}

/** What a wrong answer costs: a wait, and from a number on the trust in the password. Answers both. */
export async function keepWrong(
  tx: Transaction,
  whose: Whose,
  typed: Typed,
  counted: Counted,
  now: number,
): Promise<{ waitUntil: number; suspected: boolean }> {
  const wait = waitAfterWrong(counted.wrong);
  const waitUntil = wait === 0 ? 0 : now + wait;
  const suspected = passwordIsSuspected(counted.wrongInARow, counted.wrongInWindow);
  await tx.run(sql`UPDATE accounts SET ${COLUMNS[typed].waitUntil} = ${waitUntil},
    suspected_at = ${suspected ? now : null} WHERE ${ofAccount(whose)}`);
  return { waitUntil, suspected };
}

/** A code that was right once is no guess: the account's count is given back, the challenge's attempt stays spent. */
export async function forgiveUsed(tx: Transaction, whose: Whose, typed: Typed): Promise<void> {
  const { wrong } = COLUMNS[typed];
  await tx.run(sql`UPDATE accounts SET ${wrong} = ${wrong} - 1, ${uncounted()} WHERE ${ofAccount(whose)}`);
}

/** In an UPDATE of accounts: no wrong code in a row, no wait. */
export const NO_WAITS = sql`totp_wrong = 0, totp_wait_until = 0, backup_wrong = 0, backup_wait_until = 0`;
/** No wait, but what was counted stays. */
export const NO_WAITS_KEPT = sql`totp_wait_until = 0, backup_wait_until = 0`;
/** And nothing in the 30-day window either. */
export const NO_COUNTS = sql`${NO_WAITS}, window_wrong = 0, window_started_at = NULL`;

/** A right second factor ends the row of wrong ones. The 30-day window goes on, whatever came between. */
export async function clearWrong(tx: Transaction, whose: Whose): Promise<void> {
  await tx.run(sql`UPDATE accounts SET ${NO_WAITS}, ${uncounted()} WHERE ${ofAccount(whose)}`);
}

/**
 * True where a clock is not behind what the database has seen (I22). In the WHERE of an UPDATE that had to wait for a
 * lock it tells of the moment before, which is as good: the mark has only risen since, and `now` is of that moment too.
 */
export function clockIsRight(now: number): Sql {
  return sql`NOT EXISTS (SELECT 1 FROM clock WHERE seen_at > ${now + CLOCK_SLACK_MS})`;
}

/** The same, of a mark that has been read. */
export function clockIsBehind(now: number, seenAt: number): boolean {
  return seenAt > now + CLOCK_SLACK_MS;
}

/** What can hold an answer up. */
export interface Holds extends Record<Typed, number> {
  readonly suspectedAt: number | null;
  /** The latest that any clock has shown; null where no server has run yet. */
  readonly seenAt: number | null;
}

/** When the waits of an account end, each in the past where none holds, and what else holds its answers up. */
export async function waits(db: Pick<Queries, 'one'>, account: { organizationId: string; id: string }): Promise<Holds> {
  const row = await db.one<Holds>(sql`SELECT totp_wait_until AS totp, backup_wait_until AS "backup-code",
      backup_wait_until AS "sign-in-code", suspected_at AS "suspectedAt", (SELECT seen_at FROM clock) AS "seenAt"
    FROM accounts WHERE organization_id = ${account.organizationId} AND id = ${account.id}`);
  return row ?? { totp: 0, 'backup-code': 0, 'sign-in-code': 0, suspectedAt: null, seenAt: null };
}

function uncounted(): Sql {
  return sql`window_started_at = CASE WHEN window_wrong = 1 THEN NULL ELSE window_started_at END, window_wrong = window_wrong - 1`;
}

function ofAccount(whose: Whose): Sql {
  return sql`organization_id = ${whose.organizationId} AND id = ${whose.accountId}`;
}

// PostgreSQL takes a bare parameter inside CASE for text.
function bigint(value: number): Sql {
  return sql`CAST(${value} AS BIGINT)`;
}
