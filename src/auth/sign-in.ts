import type { Account, Kind } from '../accounts/accounts.ts';
import { record, type Action } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { sql } from '../db/db.ts';
import { answer, type Answer, type Answered } from './answer.ts';
import { consume, openChallenge, type Challenge, type Surface } from './challenges.ts';
import { codesLeft } from './factors/backup-codes.ts';
import { grantGrace, standingOf } from './grace.ts';
import { checkPassword } from './passwords.ts';
import { afterPassword } from './policy.ts';
import { Proof } from './proof.ts';
import { endSession, startSession, type Session, type Visitor } from './sessions.ts';
import { trustDevice, useDevice, type Trust, type Trusting } from './trusted-devices.ts';

/** What was typed at a door, and where: a portal names its organization, `/admin/sign-in` none. */
export interface SignIn {
  readonly organizationId: string | null;
  readonly email: string;
  readonly password: string;
  readonly visitor: Visitor;
  /** The session cookie that the browser already has on this surface. */
  readonly previous: string | undefined;
  /** The cookie by which it may skip the code, where it has one. */
  readonly device?: string | undefined;
}

export type SignInOutcome =
  | { kind: 'wrong' }
  | { kind: 'limited'; until: number }
  /** The password is held to be stolen: it opens nothing until it is changed or staff unlock. */
  | { kind: 'suspected' }
  | { kind: 'challenge' | 'enrolment'; cookie: string }
  /** `trust`: the browser skipped the code as a trusted device, whose cookie has another value from now on. */
  | { kind: 'signed-in'; cookie: string; trust?: Trust };

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
    const held = await lockAtEpoch(tx, account, account.epoch);
    const note = (action: Action, result: string, details: Readonly<Record<string, string>> = {}): Promise<void> =>
      record(tx, installation, {
        organizationId: account.organizationId,
        actor: { kind: 'account', id: account.id, address: given.visitor.address, userAgent: given.visitor.userAgent },
        action,
        targetId: account.id,
        result,
        details: { factor: 'password', ...details },
      });
    if (!held) {
      await note('password.answered', 'wrong');
      return { kind: 'wrong' };
    }
    // After the account's lock, so that a reset or an enabling that committed meanwhile is seen.
    const standing = await standingOf(tx, account);
    if (standing.suspectedAt !== null) {
      await note('password.answered', 'suspected');
      return { kind: 'suspected' };
    }
    const next = afterPassword(await grantGrace(tx, account, standing, now), now);
    if (next.kind === 'session') {
      const proof = new Proof(account, account.epoch, 'password', null, next.until);
      const cookie = await startSession(tx, proof, surface, given.visitor, given.previous, now);
      await note('signed-in', 'right');
      return { kind: 'signed-in', cookie };
    }
    const trust =
      next.kind === 'challenge' && given.device !== undefined
        ? await useDevice(tx, installation, account, given.device, given.visitor)
        : undefined;
    if (trust) {
      const proof = new Proof(account, account.epoch, 'trusted-device', null);
      const cookie = await startSession(tx, proof, surface, given.visitor, given.previous, now);
      await note('signed-in', 'right', { factor: 'trusted-device' });
      return { kind: 'signed-in', cookie, trust };
    }
    const purpose = next.kind === 'challenge' ? 'sign-in' : 'enrolment';
    const laterUntil = next.kind === 'enrolment' ? next.laterUntil : null;
    const { cookie } = await openChallenge(tx, { account, epoch: account.epoch, surface, purpose, laterUntil }, now);
    await note('password.answered', 'right', { next: next.kind });
    return { kind: next.kind, cookie };
  });
}

/** How a contact who is inside, with a password alone, got to the ceremony of enabling MFA. */
export type Begun =
  | { kind: 'begun'; cookie: string }
  | { kind: 'wrong' }
  | { kind: 'limited'; until: number }
  /** There is nothing to set up: MFA is on, the policy offers none, or the account has changed meanwhile. */
  | { kind: 'nothing-to-do' };

/**
 * Enable MFA, asked for from inside: the password again, because a session alone may be a browser that was left open, then
 * the ceremony, which ends at the sign-in page as any other (E6). The session goes on until Enable MFA ends it.
 */
export async function beginEnrolment(
  installation: Installation,
  session: Session,
  password: string,
  visitor: Visitor,
): Promise<Begun> {
  const { kind, organizationId, email, id } = session.account;
  const found = await checkPassword(installation, { kind, organizationId, email }, password, visitor);
  if (found.kind !== 'right') return found;
  const { account } = found;
  return installation.db.transaction<Begun>(async (tx) => {
    const now = installation.now();
    const held = account.id === id && (await lockAtEpoch(tx, account, account.epoch));
    const { hasMfa, policy, suspectedAt } = await standingOf(tx, session.account);
    await record(tx, installation, {
      organizationId,
      actor: { kind: 'account', id, address: visitor.address },
      action: 'password.answered',
      targetId: id,
      result: suspectedAt === null ? 'right' : 'suspected',
      details: { factor: 'password', next: 'enrolment' },
    });
    if (!held || hasMfa || policy === 'off' || suspectedAt !== null) return { kind: 'nothing-to-do' };
    const opening = { account, epoch: account.epoch, surface: session.surface, purpose: 'enrolment' } as const;
    const { cookie } = await openChallenge(tx, opening, now);
    return { kind: 'begun', cookie };
  });
}

/** What a right second factor opens. `backupCodesLeft` is told after a backup code, `trust` where it was asked for. */
export interface Opened {
  readonly cookie: string;
  readonly backupCodesLeft: number | null;
  readonly trust: Trust | undefined;
}

/** Story 1, second half: a right code turns the challenge into a session. */
export function answerChallenge(
  installation: Installation,
  challenge: Challenge,
  given: Answer,
  visitor: Visitor,
  previous: string | undefined,
  trusting?: Trusting,
): Promise<Answered<Opened>> {
  return answer(installation, challenge, given, {
    visitor,
    action: 'signed-in',
    buy: async (tx, proof, now) => ({
      cookie: await startSession(tx, proof, challenge.surface, visitor, previous, now),
      backupCodesLeft: given.kind === 'backup-code' ? await codesLeft(tx, challenge.account) : null,
      trust: trusting && (await trustDevice(tx, installation, proof, visitor, trusting.carried)),
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

/** Drops a half-finished sign-in or ends the enrolment ceremony: Sign in as someone else, Continue, Cancel. */
export async function leaveChallenge(installation: Installation, challenge: Challenge): Promise<void> {
  const { account, inside } = challenge;
  await installation.db.transaction(async (tx) => {
    const now = installation.now();
    await consume(tx, challenge, now);
    // The same codes may be on the screen twice, where the button was pressed twice.
    if (inside)
      await tx.run(sql`UPDATE challenges SET consumed_at = ${now}, sealed_codes = NULL
        WHERE organization_id = ${account.organizationId} AND begun_in = ${inside.begunIn} AND consumed_at IS NULL`);
  });
}
