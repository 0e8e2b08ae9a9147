import type { Account } from '../accounts/accounts.ts';
import { record } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../accounts/keys.ts';
import { open, seal } from '../crypto/seal.ts';
import { RolledBack, sql, type Queries } from '../db/db.ts';
import { factOf, type Challenge } from './challenges.ts';
import { codesLeft, drawCodes, replaceSet } from './factors/backup-codes.ts';
import type { Visitor } from './sessions.ts';

/**
 * Generate Backup Codes: five, shown once. They lie sealed on the ceremony's row until Continue to Sign In or its end,
 * so that a reload, a second press and a download without script give the same five. Undefined where it is over.
 */
export async function generateCodes(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
): Promise<readonly string[] | undefined> {
  const begun = drawing.get(challenge.id);
  if (begun) return begun;
  const drawn = shownOrDrawn(installation, challenge, visitor).finally(() => drawing.delete(challenge.id));
  drawing.set(challenge.id, drawn);
  return drawn;
}

// A ceremony draws once however often the button is pressed at once: five slow hashes a press would let one contact
// keep everybody else's sign-ins waiting. Across servers the transaction still decides whose five they are.
const drawing = new Map<string, Promise<readonly string[] | undefined>>();

async function shownOrDrawn(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
): Promise<readonly string[] | undefined> {
  const shown = await shownCodes(installation.db, installation, challenge);
  return shown ?? drawAndKeep(installation, challenge, visitor);
}

async function drawAndKeep(
  installation: Installation,
  challenge: Challenge,
  visitor: Visitor,
): Promise<readonly string[] | undefined> {
  const { organizationId, id: accountId } = challenge.account;
  const drawn = await drawCodes(installation);
  return installation.db.transaction<readonly string[] | undefined>(async (tx) => {
    const now = installation.now();
    if (!(await lockAtEpoch(tx, challenge.account, challenge.epoch))) return new RolledBack(undefined);
    const shown = await shownCodes(tx, installation, challenge);
    if (shown) return shown;
    const sealed = sealCodes(installation, challenge, drawn.codes);
    const kept = await tx.run(sql`UPDATE challenges SET sealed_codes = ${sealed}
      WHERE organization_id = ${organizationId} AND id = ${challenge.id} AND account_id = ${accountId}
        AND purpose = 'backup-codes' AND epoch = ${challenge.epoch} AND consumed_at IS NULL AND expires_at > ${now}`);
    if (kept !== 1) return new RolledBack(undefined);
    const before = await codesLeft(tx, challenge.account);
    await replaceSet(tx, installation, challenge.account, drawn, now);
    // The first ones come with the authenticator, of which a letter tells already.
    const notice = before === null ? ({ notice: 'none' } as const) : {};
    await record(tx, installation, { ...factOf(challenge, visitor, 'backup-codes.generated'), ...notice });
    return drawn.codes;
  });
}

/** The codes that a ceremony shows; null where it shows none (any more). */
export async function shownCodes(
  db: Pick<Queries, 'one'>,
  installation: Installation,
  challenge: OfChallenge,
): Promise<string[] | null> {
  const row = await db.one<{ sealed: string | null }>(sql`SELECT sealed_codes AS sealed FROM challenges
    WHERE organization_id = ${challenge.account.organizationId} AND id = ${challenge.id} AND consumed_at IS NULL`);
  return !row || row.sealed === null ? null : open(installation.ring, codesPlace(challenge), row.sealed).split(' ');
}

/** Backup codes that are still on somebody's screen. */
export const SEALED_SHOWN_CODES: SealedColumn<SealedRow & { accountId: string }> = {
  name: 'challenges.sealed_codes',
  table: sql`challenges`,
  column: sql`sealed_codes`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, account_id AS "accountId", sealed_codes AS sealed
    FROM challenges`,
  place: (row) => codesPlace({ account: { organizationId: row.first, id: row.accountId }, id: row.second }),
};

/** Whose codes they are, and on which ceremony's row. */
export interface OfChallenge {
  readonly account: Pick<Account, 'organizationId' | 'id'>;
  readonly id: string;
}

/** Seals codes for the row of the ceremony that shows them (I16). */
export function sealCodes(installation: Installation, challenge: OfChallenge, codes: readonly string[]): string {
  return seal(installation.ring, codesPlace(challenge), codes.join(' '));
}

function codesPlace({ account, id }: OfChallenge): string[] {
  return ['challenges', 'sealed_codes', account.organizationId, account.id, id];
}
