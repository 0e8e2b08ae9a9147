import type { Installation } from '../accounts/installation.ts';
import { timeStep } from '../crypto/totp.ts';
import { hashToken, randomToken, uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Transaction } from '../db/db.ts';
import { sealSecret } from './factors/totp.ts';

/** Whose authenticator it is, with the epoch that holds from now on, and its secret. */
export interface ImportedSecret {
  readonly accountId: string;
  readonly epoch: number;
  readonly secret: Uint8Array;
}

/**
 * Takes over authenticators that people have set up elsewhere, sealed on arrival: active at once, so that nobody enrols
 * again. The caller has made the accounts, or raised their epoch, in this transaction, and they have no other. Whoever
 * proved them did so elsewhere; the step of the import counts as used, so no code from before it opens anything here (I1).
 */
export async function importAuthenticators(
  tx: Transaction,
  installation: Installation,
  organizationId: string,
  secrets: readonly ImportedSecret[],
): Promise<void> {
  const now = installation.now();
  const step = timeStep(now);
  const drafts = secrets.map((one) => ({ ...one, id: uuidv7(now), challengeId: uuidv7(now) }));
  for (const some of pieces(drafts)) {
    // An authenticator stands in the ceremony that made it. This one is over as it begins, and its token nobody has.
    const ceremonies = some.map(
      ({
        challengeId,
        accountId,
        epoch,
      }) => sql`(${organizationId}, ${challengeId}, ${accountId}, 'portal', 'enrolment',
      ${hashToken(randomToken())}, ${epoch}, 0, ${now}, ${now}, ${now})`,
    );
    await tx.run(sql`INSERT INTO challenges (organization_id, id, account_id, surface, purpose, token_hash, epoch,
      attempts_left, created_at, expires_at, consumed_at) VALUES ${list(ceremonies)}`);
    const rows = some.map(
      ({ id, accountId, challengeId, secret }) => sql`(${organizationId}, ${id}, ${accountId}, 'totp', ${challengeId},
      ${sealSecret(installation, organizationId, accountId, id, secret)}, ${step}, 0, ${step}, ${now}, ${now}, ${now})`,
    );
    await tx.run(sql`INSERT INTO authenticators (organization_id, id, account_id, kind, challenge_id, secret, last_step,
      tries_left, proven_step, created_at, expires_at, enabled_at) VALUES ${list(rows)}`);
    await tx.run(sql`UPDATE accounts SET mfa_since = ${now} WHERE organization_id = ${organizationId}
      AND id IN (${list(some.map(({ accountId }) => accountId))})`);
  }
}
