import { record } from '../accounts/audit.ts';
import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import { RolledBack, sql, type Queries } from '../db/db.ts';
import { activeApps } from './authenticators.ts';
import { sealCodes, shownCodes } from './ceremony-codes.ts';
import { factOf, openChallenge } from './challenges.ts';
import { drawCodes, replaceSet } from './factors/backup-codes.ts';
import { standingOf } from './grace.ts';
import { mayReplaceFactors, type Session, type Visitor } from './sessions.ts';

/** `cookie` is of the challenge that shows the new codes; `nothing-to-do`: no app is active, or the account has changed. */
export type NewCodes = { kind: 'made'; cookie: string } | { kind: 'nothing-to-do' };

/**
 * Get new codes: five, shown once, to whoever is inside; the old set dies in the same transaction (I4), and nothing else
 * ends. Asked again by the same session while they are on the screen, it shows the same five. Throws where neither a
 * fresh proof nor a fresh backup code stands behind it (I14); throws HashingBusy.
 */
export function makeNewCodes(installation: Installation, session: Session, visitor: Visitor): Promise<NewCodes> {
  if (!mayReplaceFactors(session, installation.now())) throw new Error('new codes without a fresh proof');
  const begun = making.get(session.id);
  if (begun) return begun;
  const made = make(installation, session, visitor).finally(() => making.delete(session.id));
  making.set(session.id, made);
  return made;
}

// One draw for however many presses at once, as in the ceremony (ceremony-codes.ts).
const making = new Map<string, Promise<NewCodes>>();

async function make(installation: Installation, session: Session, visitor: Visitor): Promise<NewCodes> {
  const { account, surface } = session;
  // Looked at before too, so that pressing on costs no hashes; the transaction decides whose five they are.
  const drawn = (await onScreen(installation.db, installation, session)) ? undefined : await drawCodes(installation);
  return installation.db.transaction<NewCodes>(async (tx) => {
    const refused = new RolledBack<NewCodes>({ kind: 'nothing-to-do' });
    if (!(await lockAtEpoch(tx, account, account.epoch))) return refused;
    if ((await standingOf(tx, account)).suspectedAt !== null) return refused;
    if ((await activeApps(tx, account)).length === 0) return refused;
    const now = installation.now();
    const shown = await onScreen(tx, installation, session);
    const codes = shown ?? drawn?.codes;
    if (!codes) return refused;
    const inside = { aim: 'new-codes', begunIn: session.id, replaces: null, name: null } as const;
    const opening = { account, epoch: account.epoch, surface, purpose: 'backup-codes', inside } as const;
    const { id, cookie } = await openChallenge(tx, opening, now);
    await tx.run(sql`UPDATE challenges SET sealed_codes = ${sealCodes(installation, { account, id }, codes)}
      WHERE organization_id = ${account.organizationId} AND id = ${id}`);
    if (!shown && drawn) {
      await replaceSet(tx, installation, account, drawn, now);
      await record(tx, installation, factOf(session, visitor, 'backup-codes.generated'));
    }
    return { kind: 'made', cookie };
  });
}

async function onScreen(
  db: Pick<Queries, 'one'>,
  installation: Installation,
  { id: sessionId, account }: Session,
): Promise<string[] | null> {
  const row = await db.one<{
    id: string;
  }>(sql`SELECT id FROM challenges WHERE organization_id = ${account.organizationId}
    AND begun_in = ${sessionId} AND account_id = ${account.id} AND epoch = ${account.epoch} AND aim = 'new-codes'
    AND sealed_codes IS NOT NULL AND expires_at > ${installation.now()} ORDER BY id DESC LIMIT 1`);
  return row ? shownCodes(db, installation, { account, id: row.id }) : null;
}
