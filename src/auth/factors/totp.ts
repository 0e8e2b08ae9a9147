import { open, seal } from '../../crypto/seal.ts';
import { matchingSteps, stepStart, timeStep } from '../../crypto/totp.ts';
import { sql, type Transaction } from '../../db/db.ts';
import type { Installation } from '../../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../../accounts/keys.ts';
import { STEPS_EITHER_WAY } from '../limits.ts';
import type { Factor, Redemption } from './factor.ts';

/** Codes of an authenticator app (RFC 6238): each time step once per authenticator, never after a later one (I1). */
export const totp: Factor = {
  kind: 'totp',
  prepare: async (installation, account, code) => async (tx, now) => {
    const active =
      await tx.all<ActiveTotp>(sql`SELECT id, secret, secret_version AS "secretVersion", last_step AS "lastStep"
      FROM authenticators WHERE organization_id = ${account.organizationId} AND account_id = ${account.id}
      AND kind = 'totp' AND enabled_at IS NOT NULL AND revoked_at IS NULL ORDER BY id`);
    if (active.length === 0) return { kind: 'wrong' };
    let best: Redemption = { kind: 'wrong' };
    for (const authenticator of active) {
      const secret = openSecret(
        installation,
        account.organizationId,
        account.id,
        authenticator.id,
        authenticator.secret,
      );
      const redemption = await redeem(tx, account.organizationId, authenticator, secret, code, now);
      if (redemption.kind === 'right') return redemption;
      if (redemption.kind === 'already-used') best = redemption;
    }
    return best;
  },
};

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
): Promise<Redemption> {
  const current = timeStep(now);
  const matches = matchingSteps(secret, code, current - STEPS_EITHER_WAY, current + STEPS_EITHER_WAY);
  const latest = matches.at(-1);
  if (latest === undefined) return { kind: 'wrong' };
  const fresh = matches.find((step) => step > lastStep) ?? latest;
  const used = await tx.run(sql`UPDATE authenticators SET last_step = ${fresh}, last_used_at = ${now}
    WHERE organization_id = ${organizationId} AND id = ${id} AND enabled_at IS NOT NULL AND revoked_at IS NULL
      AND secret_version = ${secretVersion} AND last_step < ${fresh}`);
  if (used === 1) return { kind: 'right' };
  // The phone is `latest - current` steps ahead of us, so it will show the step after the last used one that much sooner.
  return { kind: 'already-used', nextCodeAt: stepStart(Math.max(lastStep, latest) + 1 - (latest - current)) };
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
