import type { Account } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql } from '../db/db.ts';
import { answer, type Answer } from './answer.ts';
import { findChallenge, openChallenge, type Challenge } from './challenges.ts';
import { standingOf } from './grace.ts';
import { checkPassword } from './passwords.ts';
import { Proof } from './proof.ts';
import { renewSession, type Session, type Visitor } from './sessions.ts';

export type FreshProof =
  /** The session is freshly proven and has a new token. */
  | { kind: 'proven'; cookie: string }
  | { kind: 'password-wrong' }
  | { kind: 'code-wrong' }
  | { kind: 'already-used'; nextCodeAt: number }
  | { kind: 'limited'; until: number }
  /** No code was looked at: the server's clock is behind (I22). */
  | { kind: 'clock-behind' }
  /** The account has changed meanwhile: sign in again. */
  | { kind: 'over' };

/**
 * Proves again, inside a session, that its owner is there: password and code of an authenticator, through a challenge
 * with purpose `manage`, counted like any other (I14). The subject is the session's account (I13). Without a code only
 * where the account has no second factor, which is looked at under its lock. Of several at once one is the proof.
 */
export async function proveAgain(
  installation: Installation,
  session: Session,
  password: string,
  code: (Answer & { kind: 'totp' }) | undefined,
  visitor: Visitor,
): Promise<FreshProof> {
  const { account } = session;
  const claim = { kind: account.kind, organizationId: account.organizationId, email: account.email };
  const found = await checkPassword(installation, claim, password, visitor);
  if (found.kind === 'limited') return found;
  if (found.kind === 'wrong' || found.account.id !== account.id) return { kind: 'password-wrong' };
  if (code === undefined) return passwordAlone(installation, session, found.account, visitor);
  const challenge = await challengeFor(installation, session);
  if (!challenge) return recordHeldUp(installation, session, visitor, { kind: 'over' });
  const answered = await answer(installation, challenge, code, {
    visitor,
    action: 'proved-again',
    buy: (tx, proof, now) => renewSession(tx, proof, session, now),
  });
  switch (answered.kind) {
    case 'right':
      return answered.bought === undefined ? { kind: 'over' } : { kind: 'proven', cookie: answered.bought };
    case 'wrong':
      return { kind: 'code-wrong' };
    case 'wait':
      return recordHeldUp(installation, session, visitor, { kind: 'limited', until: answered.until });
    case 'suspected':
      return { kind: 'over' };
    case 'over':
    case 'clock-behind':
      return recordHeldUp(installation, session, visitor, answered);
    case 'already-used':
      return answered;
  }
}

async function passwordAlone(
  installation: Installation,
  session: Session,
  account: Account,
  visitor: Visitor,
): Promise<FreshProof> {
  const proof = await installation.db.transaction<FreshProof>(async (tx) => {
    const over = new RolledBack<FreshProof>({ kind: 'over' });
    if (!(await lockAtEpoch(tx, account, session.account.epoch))) return over;
    const { hasMfa, suspectedAt } = await standingOf(tx, account);
    if (hasMfa || suspectedAt !== null) return over;
    const password = new Proof(account, account.epoch, 'password', null);
    const cookie = await renewSession(tx, password, session, installation.now());
    if (cookie === undefined) return over;
    await record(tx, installation, {
      organizationId: account.organizationId,
      actor: { kind: 'account', id: account.id, address: visitor.address },
      action: 'proved-again',
      targetId: account.id,
      result: 'right',
      details: { factor: 'password' },
    });
    return { kind: 'proven', cookie };
  });
  return proof.kind === 'proven' ? proof : recordHeldUp(installation, session, visitor, proof);
}

// The password was right and no code was looked at, so this is the answer's one audit row (I18).
async function recordHeldUp(
  installation: Installation,
  { account }: Session,
  visitor: Visitor,
  outcome: FreshProof,
): Promise<FreshProof> {
  await installation.db.transaction((tx) =>
    record(tx, installation, {
      organizationId: account.organizationId,
      actor: { kind: 'account', id: account.id, address: visitor.address },
      action: 'proved-again',
      targetId: account.id,
      result: outcome.kind === 'clock-behind' ? 'clock-behind' : 'held-up',
    }),
  );
  return outcome;
}

/**
 * A challenge for a code inside a session. Opened and answered within one request, so its attempts never run out; what holds
 * guessing here is the account's own count, which no new challenge refills. The one of an earlier submission is put away
 * first. Undefined where the account has changed.
 */
export async function challengeFor(installation: Installation, session: Session): Promise<Challenge | undefined> {
  const { account } = session;
  const cookie = await installation.db.transaction<string | undefined>(async (tx) => {
    const now = installation.now();
    if (!(await lockAtEpoch(tx, account, account.epoch))) return new RolledBack(undefined);
    await tx.run(sql`UPDATE challenges SET consumed_at = ${now} WHERE organization_id = ${account.organizationId}
      AND session_id = ${session.id} AND consumed_at IS NULL`);
    const opening = {
      account,
      epoch: account.epoch,
      surface: session.surface,
      purpose: 'manage',
      sessionId: session.id,
    } as const;
    return (await openChallenge(tx, opening, now)).cookie;
  });
  if (cookie === undefined) return undefined;
  const opened = await findChallenge(installation.db, session.surface, cookie, installation.now());
  return opened?.kind === 'open' ? opened.challenge : undefined;
}
