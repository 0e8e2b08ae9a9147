import type { Finding } from './checker.ts';
import { isAnswer, RECORDED_AFTER_MS, type AccountRow, type LogRow, type Tables } from './tables.ts';

const SECOND_MS = 1_000;
const WINDOW_MS = 30 * 86_400 * SECOND_MS;
/** The waits after the fifth wrong code in a row and each one after it, as security.md and docs/sign-in.md promise them. */
const WAITS_MS = [30, 60, 120, 300, 900, 3_600].map((seconds) => seconds * SECOND_MS);

type Counts = Omit<AccountRow, 'id' | 'organizationId' | 'epoch' | 'suspectedAt'> & { suspected: boolean };

const NONE = { totpWrong: 0, totpWaitUntil: 0, backupWrong: 0, backupWaitUntil: 0 };
const FRESH: Counts = { ...NONE, windowWrong: 0, suspected: false };

/** The counts and waits of each account are what its answers in the log make of them. */
export function* replayedCounts({ accounts, log }: Tables): Iterable<Finding> {
  const ofAccount = Map.groupBy(log, ({ targetId }) => targetId);
  for (const account of accounts) {
    let counts = FRESH;
    let windowFrom = -Infinity;
    for (const row of (ofAccount.get(account.id) ?? []).toSorted(rightFirst)) {
      if (isAnswer(row) && row.at - windowFrom >= WINDOW_MS) {
        windowFrom = row.at;
        counts = { ...counts, windowWrong: 0 };
      }
      counts = after(counts, row);
      if (counts.windowWrong === 0) windowFrom = -Infinity;
    }
    const stored = { ...account, suspected: account.suspectedAt !== null };
    for (const name of Object.keys(counts) as (keyof Counts)[])
      if (!agree(name, counts[name], stored[name]))
        yield {
          kind: 'inconsistent',
          sentence: `${name} of account ${account.id} is ${stored[name]}, and its answers make it ${counts[name]}`,
        };
  }
}

// A wait begins in the transaction, a little before its row is written.
function agree(name: keyof Counts, counted: number | boolean, stored: number | boolean): boolean {
  if (!name.endsWith('WaitUntil') || counted === 0) return counted === stored;
  return stored <= counted && Number(counted) - Number(stored) <= RECORDED_AFTER_MS;
}

// Of one moment on several servers the log has no order; what was right is wrong ever after, and never the other way.
function rightFirst(a: LogRow, b: LogRow): number {
  return a.at - b.at || (isAnswer(a) && isAnswer(b) ? Number(b.result === 'right') - Number(a.result === 'right') : 0);
}

function after(counts: Counts, row: LogRow): Counts {
  if (row.action === 'password.set') return FRESH;
  if (row.action === 'account.unlocked') return row.result === 'password-removed' ? FRESH : { ...counts, ...NONE };
  if (row.action === 'mfa.reset') return { ...counts, ...NONE };
  if (!isAnswer(row)) return counts;
  if (row.result === 'right') return { ...counts, ...NONE };
  if (row.result !== 'wrong') return counts;
  const windowWrong = counts.windowWrong + 1;
  const wrong =
    row.details.factor === 'totp'
      ? { totpWrong: counts.totpWrong + 1, totpWaitUntil: waitUntil(counts.totpWrong + 1, row.at) }
      : { backupWrong: counts.backupWrong + 1, backupWaitUntil: waitUntil(counts.backupWrong + 1, row.at) };
  const next = { ...counts, ...wrong, windowWrong };
  return { ...next, suspected: next.totpWrong + next.backupWrong >= 20 || windowWrong >= 50 };
}

function waitUntil(wrong: number, at: number): number {
  const wait = WAITS_MS[Math.min(wrong, 10) - 5];
  return wait === undefined ? 0 : at + wait;
}
