import type { Installation } from '../accounts/installation.ts';
import { fingerprint } from '../crypto/tokens.ts';
import { RolledBack } from '../db/db.ts';
import { spend } from './counters.ts';
import { NEW_PASSWORD_BY_ACCOUNT } from './limits.ts';
import { hashNewPassword, judgePassword, storePassword, type PasswordProblem } from './passwords.ts';
import { continueSession, holdSession, isFreshlyProven, type Session, type Visitor } from './sessions.ts';

export type PasswordChanged =
  /** Signed out everywhere else; this browser goes on with another session, whose cookie this is. */
  | { kind: 'changed'; cookie: string }
  | { kind: 'refused'; problem: PasswordProblem }
  | { kind: 'limited'; until: number }
  /** The account or the session has ended or changed meanwhile: sign in again. */
  | { kind: 'over' };

/**
 * Changes the password of whoever is signed in and has just proven who they are (I14, ASVS 6.2.2, 6.2.3). Every session
 * ends, the own one too: it goes on in a new one with a new token, which is proven by what it was proven by and ends when
 * it would have ended (I11, I23). Throws where the proof is not fresh: the caller asks for it first.
 */
export async function changePassword(
  installation: Installation,
  session: Session,
  password: string,
  context: readonly string[],
  visitor: Visitor,
): Promise<PasswordChanged> {
  if (!isFreshlyProven(session, installation.now())) throw new Error('no fresh proof of this account');
  const { account } = session;
  const subject = fingerprint(installation.counterKey, account.organizationId, account.id);
  const room = await spend(installation.db, { limit: NEW_PASSWORD_BY_ACCOUNT, subject }, installation.now());
  if (!room.ok) return { kind: 'limited', until: room.until };
  const problem = await judgePassword(password, [...context, account.name, account.email]);
  if (problem) return { kind: 'refused', problem };
  const argon2 = await hashNewPassword(installation, password);
  return installation.db.transaction<PasswordChanged>(async (tx) => {
    const over = new RolledBack<PasswordChanged>({ kind: 'over' });
    const actor = { kind: 'account', id: account.id, address: visitor.address, userAgent: visitor.userAgent } as const;
    if (!(await holdSession(tx, session))) return over;
    if (!(await storePassword(tx, installation, actor, account, argon2))) return over;
    return { kind: 'changed', cookie: await continueSession(tx, session, installation.now()) };
  });
}
