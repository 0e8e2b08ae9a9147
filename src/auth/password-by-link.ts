import type { Account } from '../accounts/accounts.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { fingerprint, hashToken } from '../crypto/tokens.ts';
import { RolledBack, type Transaction } from '../db/db.ts';
import { spend } from './counters.ts';
import { PASSWORD_BY_LINK } from './limits.ts';
import { hashNewPassword, judgePassword, storePassword, type PasswordProblem } from './passwords.ts';

export type ByLink =
  | { kind: 'set' }
  | { kind: 'link-over' }
  | { kind: 'refused'; problem: PasswordProblem }
  /** As many passwords were tried with the link as an hour allows; this one was not judged. */
  | { kind: 'limited'; until: number };

/**
 * The password that somebody chooses with a one-time link, which `spendLink` spends under the account's lock. Judging is
 * slow and waits in one line for everybody, so that a link in the wrong hands must not fill it.
 */
export async function passwordByLink(
  installation: Installation,
  { account, token }: { readonly account: Account; readonly token: string },
  password: string,
  context: readonly string[],
  address: string,
  spendLink: (tx: Transaction) => Promise<boolean>,
  wrongCodes: { readonly keepsWrongCodes?: boolean } = {},
): Promise<ByLink> {
  const subject = fingerprint(installation.counterKey, account.organizationId, hashToken(token));
  const room = await spend(installation.db, { limit: PASSWORD_BY_LINK, subject }, installation.now());
  if (!room.ok) return { kind: 'limited', until: room.until };
  const problem = await judgePassword(password, [...context, account.name, account.email]);
  if (problem) return { kind: 'refused', problem };
  const argon2 = await hashNewPassword(installation, password);
  return installation.db.transaction<ByLink>(async (tx) => {
    const over = new RolledBack<ByLink>({ kind: 'link-over' });
    if (!(await lockAtEpoch(tx, account, account.epoch)) || !(await spendLink(tx))) return over;
    const actor = { kind: 'account', id: account.id, address } as const;
    return (await storePassword(tx, installation, actor, account, argon2, wrongCodes)) ? { kind: 'set' } : over;
  });
}
