import type { Account } from '../../accounts/accounts.ts';
import { open, seal, SealError } from '../../crypto/seal.ts';
import { matchingSteps, stepStart, timeStep } from '../../crypto/totp.ts';
import { sql, type Transaction } from '../../db/db.ts';
import type { Installation } from '../../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../../accounts/keys.ts';
import { CLOCK_HINT_STEPS, COLLEAGUES_LOOKED_AMONG, COLLEAGUES_LOOKED_AT, STEPS_EITHER_WAY } from '../limits.ts';
import type { Factor, Redemption, Why } from './factor.ts';

/** Codes of an authenticator app (RFC 6238): each time step once per authenticator, never after a later one (I1). */
export const totp: Factor = {
  kind: 'totp',
  prepare: async (installation, account, code) => async (tx, now) => {
    const active =
      await tx.all<ActiveTotp>(sql`SELECT id, secret, secret_version AS "secretVersion", last_step AS "lastStep"
      FROM authenticators WHERE organization_id = ${account.organizationId} AND account_id = ${account.id}
      AND kind = 'totp' AND enabled_at IS NOT NULL AND revoked_at IS NULL ORDER BY id`);
    const own = active.map((row) => {
      return { ...row, key: openSecret(installation, account.organizationId, account.id, row.id, row.secret) };
    });
    let used: Redemption | undefined;
    for (const authenticator of own) {
      const redemption = await redeem(tx, account.organizationId, authenticator, authenticator.key, code, now);
      if (redemption?.kind === 'right') return redemption;
      used ??= redemption;
    }
    return used ?? { kind: 'wrong', why: await whyWrong(tx, installation, account, own, code, now) };
  },
};

/**
 * By how many steps the nearest moment is off at which a code is right, within ten minutes either way; negative where
 * the phone's clock is slow. Undefined where there is none.
 */
export function stepsOff(secret: Uint8Array, code: string, now: number): number | undefined {
  const current = timeStep(now);
  const found = matchingSteps(secret, code, current - CLOCK_HINT_STEPS, current + CLOCK_HINT_STEPS);
  return found.map((step) => step - current).toSorted((one, other) => Math.abs(one) - Math.abs(other))[0];
}

/** The same in minutes, as people say it: never 0. */
export function minutesOff(steps: number): number {
  return Math.sign(steps) * Math.max(1, Math.round(Math.abs(steps) / 2));
}

interface ActiveTotp {
  readonly id: string;
  readonly secret: string;
  readonly secretVersion: number;
  readonly lastStep: number;
}

async function redeem(
  tx: Transaction,
  organizationId: string,
  { id, secretVersion, lastStep }: ActiveTotp,
  secret: Uint8Array,
  code: string,
  now: number,
): Promise<Redemption | undefined> {
  const current = timeStep(now);
  const matches = matchingSteps(secret, code, current - STEPS_EITHER_WAY, current + STEPS_EITHER_WAY);
  const latest = matches.at(-1);
  if (latest === undefined) return undefined;
  const fresh = matches.find((step) => step > lastStep) ?? latest;
  const used = await tx.run(sql`UPDATE authenticators SET last_step = ${fresh}, last_used_at = ${now}
    WHERE organization_id = ${organizationId} AND id = ${id} AND enabled_at IS NOT NULL AND revoked_at IS NULL
      AND secret_version = ${secretVersion} AND last_step < ${fresh}`);
  if (used === 1) return { kind: 'right' };
  // The phone is `latest - current` steps ahead of us, so it will show the step after the last used one that much sooner.
  return { kind: 'already-used', nextCodeAt: stepStart(Math.max(lastStep, latest) + 1 - (latest - current)) };
}

/**
 * Why a code that no step of the window has is wrong. Decides nothing. Every wrong code costs the same here: the whole
 * twenty minutes of the own app are computed, and as many other secrets opened as may be, the own one again where there
 * are fewer colleagues, so that whoever has the password learns from a clock neither what was nearly right nor who else
 * has MFA.
 */
async function whyWrong(
  tx: Transaction,
  installation: Installation,
  account: Account,
  own: readonly (ActiveTotp & { key: Uint8Array })[],
  code: string,
  now: number,
): Promise<Why> {
  const [self] = own;
  if (!self) return { why: 'unknown' };
  const colleagues = await colleaguesOf(tx, account);
  const spare = Array.from({ length: COLLEAGUES_LOOKED_AT - colleagues.length }, () => ({
    ...self,
    accountId: account.id,
  }));
  const theirs = [...colleagues, ...spare].filter((other) =>
    showsNow(installation, account.organizationId, other, code, now),
  );
  const off = own.map(({ key, lastStep }) => ({ steps: stepsOff(key, code, now), lastStep }));
  for (const { steps, lastStep } of off) {
    if (steps === undefined) continue;
    return timeStep(now) + steps === lastStep ? { why: 'used' } : { why: 'clock', minutes: minutesOff(steps) };
  }
  const whose = theirs.find(({ accountId }) => accountId !== account.id);
  return whose ? { why: 'other-account', account: whose.accountId } : { why: 'unknown' };
}

interface Colleague {
  readonly id: string;
  readonly accountId: string;
  readonly secret: string;
}

/** Active authenticators of other contacts of the same customer; staff have no such colleagues. */
function colleaguesOf(tx: Transaction, { organizationId, id, customerId }: Account): Promise<Colleague[]> {
  return tx.all(sql`SELECT m.id, m.account_id AS "accountId", m.secret
    FROM (SELECT id FROM accounts WHERE organization_id = ${organizationId} AND customer_id = ${customerId} AND id <> ${id}
      ORDER BY id LIMIT ${COLLEAGUES_LOOKED_AMONG}) a
    JOIN authenticators m ON m.organization_id = ${organizationId} AND m.account_id = a.id AND m.kind = 'totp'
      AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL
    ORDER BY m.account_id, m.id LIMIT ${COLLEAGUES_LOOKED_AT}`);
}

// A colleague's secret that does not open is a fault of the colleague's own sign-in, and of nobody else's.
function showsNow(
  installation: Installation,
  organizationId: string,
  { accountId, id, secret }: Colleague,
  code: string,
  now: number,
): boolean {
  const current = timeStep(now);
  try {
    const key = openSecret(installation, organizationId, accountId, id, secret);
    return matchingSteps(key, code, current - STEPS_EITHER_WAY, current + STEPS_EITHER_WAY).length > 0;
  } catch (fault) {
    if (fault instanceof SealError) return false;
    throw fault;
  }
}

/** Seals the secret of an authenticator for its own row (I16). */
export function sealSecret(
  installation: Installation,
  organizationId: string,
  accountId: string,
  authenticatorId: string,
  secret: Uint8Array,
): string {
  return seal(
    installation.ring,
    place(organizationId, accountId, authenticatorId),
    Buffer.from(secret).toString('base64url'),
  );
}

/** Opens it again. One that does not open is a fault, never a missing factor: throws SealError. */
export function openSecret(
  installation: Installation,
  organizationId: string,
  accountId: string,
  authenticatorId: string,
  sealed: string,
): Uint8Array {
  return Buffer.from(open(installation.ring, place(organizationId, accountId, authenticatorId), sealed), 'base64url');
}

/** The secrets of pending and active authenticators. */
export const SEALED_SECRETS: SealedColumn<SealedRow & { accountId: string }> = {
  name: 'authenticators.secret',
  table: sql`authenticators`,
  column: sql`secret`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, account_id AS "accountId", secret AS sealed
    FROM authenticators`,
  place: (row) => place(row.first, row.accountId, row.second),
};

function place(organizationId: string, accountId: string, authenticatorId: string): string[] {
  return ['authenticators', 'secret', organizationId, accountId, authenticatorId];
}
