import { appendLinks } from '../../src/accounts/audit-chain.ts';
import { verifyChain } from '../../src/accounts/audit-verify.ts';
import type { Installation } from '../../src/accounts/installation.ts';
import { Sql, sql } from '../../src/db/db.ts';
import { lostFacts } from './acknowledged.ts';
import type { Ledger } from './ledger.ts';
import { replayedCounts } from './replay.ts';
import { isAnswer, readTables, RECORDED_AFTER_MS, type LogRow, type SessionRow, type Tables } from './tables.ts';

/** What the checker found to be untrue. The first three may never happen, whatever fails around the product. */
export interface Finding {
  readonly kind: 'session without proof' | 'code accepted twice' | 'fact lost' | 'inconsistent';
  readonly sentence: string;
}

type Rule = (tables: Tables) => Iterable<Finding>;

const RULES: readonly Rule[] = [
  provenSessions,
  passwordSessions,
  stepsOnce,
  spentAttempts,
  usedBackupCodes,
  enrolments,
  backupCodeSets,
  resets,
  epochs,
  replayedCounts,
];

/**
 * Replays the audit log against the tables, from the outside: it knows the promises and none of the product's rules.
 * Reads while nobody writes, and expects that nothing was swept away yet. Answers everything that does not agree.
 */
export async function check(installation: Installation, ledger: Ledger): Promise<Finding[]> {
  const tables = await readTables(installation.db);
  const findings = RULES.flatMap((rule) => [...rule(tables)]);
  return [...findings, ...lostFacts(tables, ledger), ...(await brokenRows(installation, tables))];
}

export function sentences(findings: readonly Finding[]): string[] {
  return findings.map(({ kind, sentence }) => `${kind}: ${sentence}`);
}

/** What the engine and the log's own proofs say. */
async function brokenRows(installation: Installation, { log }: Tables): Promise<Finding[]> {
  const { db } = installation;
  const findings: Finding[] = [];
  await appendLinks(installation);
  for (const organizationId of new Set(log.map((row) => row.organizationId))) {
    const { first } = await verifyChain(installation, organizationId);
    if (first) findings.push(amiss(`the audit chain does not verify: ${JSON.stringify(first)}`));
  }
  if (db.engine === 'postgres') return findings;
  for (const row of await db.all(sql`PRAGMA foreign_key_check`))
    findings.push(amiss(`a row of ${row['table']} points to no row of ${row['parent']}`));
  for (const { integrity_check: said } of await db.all(new Sql(['PRAGMA integrity_check'], [])))
    if (said !== 'ok') findings.push(amiss(`the file is damaged: ${said}`));
  return findings;
}

/** Each session by a code has its right answer and its consumed challenge, and each right answer its session. */
function* provenSessions({ sessions, challenges, log }: Tables): Iterable<Finding> {
  const byId = new Map(challenges.map((challenge) => [challenge.id, challenge]));
  for (const session of sessions.filter(({ factor }) => factor !== 'password')) {
    const challenge = byId.get(session.challengeId ?? '');
    const bought =
      challenge?.accountId === session.accountId &&
      challenge.purpose === 'sign-in' &&
      challenge.consumedAt === session.signedInAt &&
      challenge.attemptsLeft < 5;
    if (!bought) yield unproven(`session ${session.id} was bought with no challenge of its account`);
  }
  yield* matched(sessions, log);
}

// By account and factor and in their order, since a row of the log names no session.
function* matched(sessions: readonly SessionRow[], log: readonly LogRow[]): Iterable<Finding> {
  const right = log.filter(({ action, result }) => action === 'signed-in' && result === 'right');
  const made = moments(sessions, ({ accountId, factor, signedInAt }) => [`${accountId} by ${factor}`, signedInAt]);
  const told = moments(right, ({ targetId, details, at }) => [`${targetId} by ${details.factor}`, at]);
  for (const { key, has, needs } of unlike(made, told))
    yield has < needs
      ? { kind: 'fact lost', sentence: `${needs} right answers of ${key}, and ${has} sessions` }
      : unproven(`${has} sessions of ${key}, and ${needs} right answers before them`);
}

/** A password alone opened a session only where the policy of that moment asked for nothing more. */
function* passwordSessions({ sessions, authenticators, log }: Tables): Iterable<Finding> {
  const changes = log.filter(({ action }) => action === 'policy.changed');
  for (const { id, organizationId, accountId, factor, signedInAt } of sessions) {
    if (factor !== 'password') continue;
    const policy = changes.findLast((row) => row.organizationId === organizationId && row.at <= signedInAt);
    // Within a grace the policy asks for nothing more either.
    if (policy?.details.policy === 'required' && !policy.details.graceDays)
      yield unproven(`session ${id} by a password while MFA was required`);
    const hadMfa = authenticators.some(
      (one) =>
        one.accountId === accountId &&
        one.enabledAt !== null &&
        one.enabledAt <= signedInAt &&
        (one.revokedAt ?? Infinity) > signedInAt,
    );
    if (hadMfa) yield unproven(`session ${id} by a password of somebody with MFA`);
  }
}

const STEP_MS = 30_000;

/** Right codes of an app, each given the earliest step that it can have had: there are never more than steps. */
function* stepsOnce({ accounts, authenticators, log }: Tables): Iterable<Finding> {
  const own = Map.groupBy(
    authenticators.filter(({ enabledAt }) => enabledAt !== null).toSorted((a, b) => a.enabledAt! - b.enabledAt!),
    ({ accountId }) => accountId,
  );
  const ofAccount = Map.groupBy(log, ({ targetId }) => targetId);
  for (const { id } of accounts) {
    let [least, most] = [-1, Infinity];
    const enabled = (own.get(id) ?? []).values();
    for (const row of ofAccount.get(id) ?? []) {
      if (row.action === 'mfa.enabled') {
        const proven = enabled.next().value?.provenStep ?? -1;
        [least, most] = [proven, proven];
      } else if (isAnswer(row) && row.result === 'right' && row.details.factor === 'totp') {
        const earliest = Math.floor((row.at - RECORDED_AFTER_MS) / STEP_MS) - 1;
        [least, most] = [Math.max(least + 1, earliest), Math.floor(row.at / STEP_MS) + 1];
        if (least > most)
          yield { kind: 'code accepted twice', sentence: `account ${id} was right more often than its app had codes` };
      }
    }
    const last = own.get(id)?.findLast(({ revokedAt }) => revokedAt === null)?.lastStep;
    if (last !== undefined && (last < least || last > most))
      yield amiss(`the last step used of account ${id} is ${last}, and its answers say ${least} to ${most}`);
  }
}

/** What challenges have lost in attempts is what was answered. */
function* spentAttempts({ challenges, log }: Tables): Iterable<Finding> {
  const answers = countBy(log.filter(isAnswer), ({ targetId }) => targetId);
  for (const [accountId, own] of Map.groupBy(challenges, (challenge) => challenge.accountId)) {
    const spent = own.reduce((sum, { attemptsLeft }) => sum + 5 - attemptsLeft, 0);
    const given = answers.get(accountId) ?? 0;
    if (spent !== given) yield amiss(`account ${accountId} has spent ${spent} attempts on ${given} answers`);
  }
}

/** Each used backup code has its right answer, and each right answer its used code. */
function* usedBackupCodes({ sets, codes, log }: Tables): Iterable<Finding> {
  const owner = new Map(sets.map(({ id, accountId }) => [id, accountId]));
  const used = codes.filter(({ usedAt }) => usedAt !== null);
  const right = log.filter((row) => isAnswer(row) && row.result === 'right' && row.details.factor === 'backup-code');
  const burnt = moments(used, ({ setId, usedAt }) => [owner.get(setId) ?? '', usedAt!]);
  for (const { key, has, needs } of unlike(burnt, answered(right)))
    yield has < needs
      ? { kind: 'code accepted twice', sentence: `${needs} right backup codes of account ${key}, and ${has} used up` }
      : amiss(`${has} backup codes of account ${key} are used up, and ${needs} were right answers before`);
}

/** Enabled authenticators were enabled by somebody; at most one enrolment is pending. */
function* enrolments({ authenticators, log }: Tables): Iterable<Finding> {
  const enabled = authenticators.filter(({ enabledAt }) => enabledAt !== null);
  const made = moments(enabled, ({ accountId, enabledAt }) => [accountId, enabledAt!]);
  for (const { key, has, needs } of unlike(made, answered(log.filter(({ action }) => action === 'mfa.enabled'))))
    yield has < needs
      ? { kind: 'fact lost', sentence: `account ${key} enabled ${needs} authenticators, and ${has} are there` }
      : amiss(`nobody enabled an authenticator of account ${key}`);
  const pending = authenticators.filter(({ enabledAt, revokedAt }) => enabledAt === null && revokedAt === null);
  for (const [accountId, count] of countBy(pending, (one) => one.accountId))
    if (count > 1) yield amiss(`account ${accountId} has ${count} enrolments pending`);
}

/** Sets of five, each generated by somebody, and one active at most. */
function* backupCodeSets({ sets, codes, log }: Tables): Iterable<Finding> {
  const made = moments(sets, ({ accountId, createdAt }) => [accountId, createdAt]);
  for (const { key, has, needs } of unlike(
    made,
    answered(log.filter(({ action }) => action === 'backup-codes.generated')),
  ))
    yield has < needs
      ? { kind: 'fact lost', sentence: `account ${key} generated ${needs} sets of backup codes, and ${has} are there` }
      : amiss(`nobody generated backup codes of account ${key}`);
  const size = countBy(codes, ({ setId }) => setId);
  for (const { id } of sets)
    if (size.get(id) !== 5) yield amiss(`the set ${id} has ${size.get(id) ?? 0} backup codes instead of five`);
  const active = sets.filter(({ revokedAt }) => revokedAt === null);
  for (const [accountId, count] of countBy(active, (one) => one.accountId))
    if (count > 1) yield amiss(`account ${accountId} has ${count} active sets of backup codes`);
}

/** Nothing that was there before a reset is alive after it. */
function* resets({ sessions, challenges, authenticators, sets, log }: Tables): Iterable<Finding> {
  const at = new Map<string | null, number>();
  for (const row of log) if (row.action === 'mfa.reset') at.set(row.targetId, row.at);
  const before = (accountId: string, moment: number): boolean => moment < (at.get(accountId) ?? -Infinity);
  const alive = [
    ...sessions.filter((one) => one.endedAt === null && before(one.accountId, one.signedInAt)).map(() => 'a session'),
    ...challenges
      .filter((one) => one.consumedAt === null && before(one.accountId, one.createdAt))
      .map(() => 'a challenge'),
    ...authenticators
      .filter((one) => one.revokedAt === null && before(one.accountId, one.createdAt))
      .map(() => 'an authenticator'),
    ...sets.filter((one) => one.revokedAt === null && before(one.accountId, one.createdAt)).map(() => 'a set of codes'),
  ];
  for (const what of alive) yield amiss(`${what} outlived a reset`);
}

const RAISING = new Set<LogRow['action']>(['mfa.enabled', 'mfa.reset', 'password.set', 'portal-access.disabled']);

/** Each event that voids what was there has raised the account's epoch. */
function* epochs({ accounts, log }: Tables): Iterable<Finding> {
  const raised = countBy(
    log.filter(({ action }) => RAISING.has(action)),
    ({ targetId }) => targetId,
  );
  for (const { id, epoch } of accounts)
    if (epoch < 1 + (raised.get(id) ?? 0))
      yield amiss(`account ${id} is at epoch ${epoch} after ${raised.get(id)} events`);
}

/** When each of an account's things was made, by a key, the earliest first. */
type Moments = ReadonlyMap<string, readonly number[]>;

function moments<T>(rows: readonly T[], of: (row: T) => readonly [key: string, at: number]): Moments {
  const grouped = Map.groupBy(rows.map(of), ([key]) => key);
  return new Map(grouped.entries().map(([key, made]) => [key, made.map(([, at]) => at).toSorted((a, b) => a - b)]));
}

function answered(rows: readonly LogRow[]): Moments {
  return moments(rows, ({ targetId, at }) => [targetId ?? '', at]);
}

/** Where there are not as many things as rows that tell of them, or one was made when no row tells of it. */
function* unlike(made: Moments, told: Moments): Iterable<{ key: string; has: number; needs: number }> {
  for (const key of new Set([...made.keys(), ...told.keys()])) {
    const [things, rows] = [made.get(key) ?? [], told.get(key) ?? []];
    const apart = things.some((at, n) => !(rows[n]! >= at && rows[n]! - at <= RECORDED_AFTER_MS));
    if (things.length !== rows.length || apart) yield { key, has: things.length, needs: rows.length };
  }
}

function countBy<T, K>(rows: readonly T[], key: (row: T) => K): Map<K, number> {
  return new Map(
    Map.groupBy(rows, key)
      .entries()
      .map(([value, group]) => [value, group.length]),
  );
}

function amiss(sentence: string): Finding {
  return { kind: 'inconsistent', sentence };
}

function unproven(sentence: string): Finding {
  return { kind: 'session without proof', sentence };
}
