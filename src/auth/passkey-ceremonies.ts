import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { hashToken, randomToken } from '../crypto/tokens.ts';
import { RolledBack, sql, type Sql, type Transaction } from '../db/db.ts';
import type { Challenge } from './challenges.ts';
import { OPEN_CEREMONIES, PASSKEY_CEREMONY_LIFETIME_MS } from './limits.ts';
import type { Session } from './sessions.ts';

/**
 * What a ceremony serves, and whose alone it is: a session's, a half-finished sign-in's, or, where nobody knows yet who
 * comes, a browser's at one organization's door.
 */
export type Bound =
  | { readonly to: 'add' | 'confirm'; readonly session: Session }
  | { readonly to: 'second-factor'; readonly challenge: Challenge }
  | { readonly to: 'sign-in'; readonly organizationId: string; readonly browser: string };

/** Whose organization a ceremony is held in. */
export function organizationOf(bound: Bound): string {
  if (bound.to === 'sign-in') return bound.organizationId;
  return ownerOf(bound).organizationId;
}

/** The account that a ceremony is bound to. */
export function ownerOf(bound: Exclude<Bound, { to: 'sign-in' }>): Session['account'] {
  return bound.to === 'second-factor' ? bound.challenge.account : bound.session.account;
}

/**
 * Begins a ceremony: 256 random bits of ours, to be used once within five minutes. Of one session, sign-in or browser the
 * newest few stay open, for several tabs. Undefined where the account has changed meanwhile.
 */
export function openCeremony(installation: Installation, bound: Bound): Promise<string | undefined> {
  return installation.db.transaction<string | undefined>(async (tx) => {
    const account = bound.to === 'sign-in' ? undefined : ownerOf(bound);
    if (account && !(await lockAtEpoch(tx, account, account.epoch))) return new RolledBack(undefined);
    const challenge = randomToken();
    await tx.run(sql`DELETE FROM passkey_ceremonies WHERE ${within(bound)} AND challenge NOT IN (
      SELECT challenge FROM passkey_ceremonies WHERE ${within(bound)}
      ORDER BY expires_at DESC, challenge LIMIT ${OPEN_CEREMONIES - 1})`);
    await tx.run(sql`INSERT INTO passkey_ceremonies
      (organization_id, challenge, purpose, bound_to, account_id, epoch, expires_at)
      VALUES (${organizationOf(bound)}, ${challenge}, ${bound.to}, ${boundTo(bound)}, ${account?.id ?? null},
        ${account?.epoch ?? null}, ${installation.now() + PASSKEY_CEREMONY_LIFETIME_MS})`);
    return challenge;
  });
}

/** Uses a ceremony up, whatever comes of it. False where it is another one's, is over, or was used. */
export async function takeCeremony(tx: Transaction, bound: Bound, challenge: string, now: number): Promise<boolean> {
  const ofEpoch =
    bound.to === 'sign-in' ? sql`` : sql`AND account_id = ${ownerOf(bound).id} AND epoch = ${ownerOf(bound).epoch}`;
  const taken = await tx.run(sql`DELETE FROM passkey_ceremonies
    WHERE ${within(bound)} AND challenge = ${challenge} AND expires_at > ${now} ${ofEpoch}`);
  return taken === 1;
}

function within(bound: Bound): Sql {
  return sql`organization_id = ${organizationOf(bound)} AND purpose = ${bound.to} AND bound_to = ${boundTo(bound)}`;
}

function boundTo(bound: Bound): string {
  if (bound.to === 'sign-in') return hashToken(bound.browser);
  return bound.to === 'second-factor' ? bound.challenge.id : bound.session.id;
}
