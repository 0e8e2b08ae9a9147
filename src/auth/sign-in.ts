import { HAS_MFA, type Account, type Kind } from '../accounts/accounts.ts';
import { record, type Action } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import type { Policy } from '../accounts/organizations.ts';
import { sql, type Transaction } from '../db/db.ts';
import { answer, type Answer, type Answered } from './answer.ts';
import { consume, openChallenge, type Challenge, type Surface } from './challenges.ts';
import { codesLeft } from './factors/backup-codes.ts';
import { checkPassword } from './passwords.ts';
import { afterPassword } from './policy.ts';
import { Proof } from './proof.ts';
import { endSession, startSession, type Session, type Visitor } from './sessions.ts';

/** What was typed at a door, and where: a portal names its organization, `/admin/sign-in` none. */
export interface SignIn {
  readonly organizationId: string | null;
  readonly email: string;
  readonly password: string;
  readonly visitor: Visitor;
  /** The session cookie that the browser already has on this surface. */
  readonly previous: string | undefined;
}

export type SignInOutcome =
  | { kind: 'wrong' }
  | { kind: 'limited'; until: number }
  /** The password is held to be stolen: it opens nothing until it is changed or staff unlock. */
  | { kind: 'suspected' }
  | { kind: 'challenge' | 'enrolment'; cookie: string }
  | { kind: 'signed-in'; cookie: string };

/**
 * Story 1, first half: a right password leads to what the policy table says, and to a session only where that asks for
 * nothing more. Unknown, disabled and wrong are one answer. Throws HashingBusy when no hash could be computed in time.
 */
export async function signIn(installation: Installation, surface: Surface, given: SignIn): Promise<SignInOutcome> {
  const kind: Kind = surface === 'admin' ? 'staff' : 'contact';
  const found = await checkPassword(installation, { kind, ...given }, given.password, given.visitor);
  if (found.kind !== 'right') return found;
  const { account } = found;
  return installation.db.transaction<SignInOutcome>(async (tx) => {
    const now = installation.now();
    const state = await lockForSignIn(tx, account);
    const note = (action: Action, result: string, details: Readonly<Record<string, string>> = {}): Promise<void> =>
      record(tx, installation, {
        organizationId: account.organizationId,
        actor: { kind: 'account', id: account.id, address: given.visitor.address },
        action,
        targetId: account.id,
        result,
        details: { factor: 'password', ...details },
      });
    if (!state) {
      await note('password.answered', 'wrong');
      return { kind: 'wrong' };
    }
    if (state.suspectedAt !== null) {
      await note('password.answered', 'suspected');
      return { kind: 'suspected' };
    }
    const next = afterPassword(kind, state.policy, state.hasMfa === 1);
    if (next === 'session') {
      const proof = new Proof(account, account.epoch, 'password', null);
      const cookie = await startSession(tx, proof, surface, given.visitor, given.previous, now);
      await note('signed-in', 'right');
      return { kind: 'signed-in', cookie };
    }
    const purpose = next === 'challenge' ? 'sign-in' : 'enrolment';
    const { cookie } = await openChallenge(tx, { account, epoch: account.epoch, surface, purpose }, now);
    await note('password.answered', 'right', { next });
    return { kind: next, cookie };
  });
}

interface SignInState {
  readonly policy: Policy;
  readonly suspectedAt: number | null;
  readonly hasMfa: 0 | 1;
}

// The account's lock comes first; what the policy table asks about is read after it is held, so that a reset or an
// enabling that committed meanwhile is seen. Undefined where the epoch read with the password has moved on.
async function lockForSignIn(tx: Transaction, account: Account): Promise<SignInState | undefined> {
  if (!(await lockAtEpoch(tx, account, account.epoch))) return undefined;
  return tx.one(sql`SELECT o.policy, a.suspected_at AS "suspectedAt", CASE WHEN ${HAS_MFA} THEN 1 ELSE 0 END AS "hasMfa"
    FROM accounts a JOIN organizations o ON o.id = a.organization_id
    WHERE a.organization_id = ${account.organizationId} AND a.id = ${account.id}`);
}

/** What a right second factor opens. `backupCodesLeft` is told after a backup code was used. */
export interface Opened {
  readonly cookie: string;
  readonly backupCodesLeft: number | null;
}

/** Story 1, second half: a right code turns the challenge into a session. */
export function answerChallenge(
  installation: Installation,
  challenge: Challenge,
  given: Answer,
  visitor: Visitor,
  previous: string | undefined,
): Promise<Answered<Opened>> {
  return answer(installation, challenge, given, {
    visitor,
    action: 'signed-in',
    buy: async (tx, proof, now) => ({
      cookie: await startSession(tx, proof, challenge.surface, visitor, previous, now),
      backupCodesLeft: given.kind === 'backup-code' ? await codesLeft(tx, challenge.account) : null,
    }),
  });
}

/** How many backup codes of an account still work; null where it has no set. */
export function backupCodesLeft(installation: Installation, account: Account): Promise<number | null> {
  return codesLeft(installation.db, account);
}

/** Ends a session on the server (ASVS 7.4.1). */
export async function signOut(
  installation: Installation,
  session: Session,
  cookie: string,
  visitor: Visitor,
): Promise<void> {
  await installation.db.transaction(async (tx) => {
    await endSession(tx, cookie, installation.now());
    await record(tx, installation, {
      organizationId: session.account.organizationId,
      actor: { kind: 'account', id: session.account.id, address: visitor.address },
      action: 'signed-out',
      targetId: session.account.id,
    });
  });
}

/** Drops a half-finished sign-in or ends the enrolment ceremony: Sign in as someone else, Continue to Sign In. */
export async function leaveChallenge(installation: Installation, challenge: Challenge): Promise<void> {
  await installation.db.transaction((tx) => consume(tx, challenge, installation.now()));
}
