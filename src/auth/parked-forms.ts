import { lockAtEpoch } from '../accounts/epoch.ts';
import type { Installation } from '../accounts/installation.ts';
import type { SealedColumn, SealedRow } from '../accounts/keys.ts';
import { open, seal } from '../crypto/seal.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Sql } from '../db/db.ts';
import { FRESH_PROOF_MS, PARKED_FORMS_PER_SESSION } from './limits.ts';
import type { Session } from './sessions.ts';

/** Where somebody was going when a fresh proof was asked of them, and with what in their hands. */
export interface ParkedForm {
  readonly path: string;
  /** The form's body as it was sent; null where a page was asked for and nothing sent. */
  readonly body: string | null;
  /** What it is about, to go behind "You're about to". */
  readonly about: string;
}

/**
 * Keeps a form, sealed, until its sender has proven again who they are: for ten minutes, and for this session alone.
 * Answers what it is found by; undefined where the account has changed meanwhile.
 */
export function parkForm(
  installation: Installation,
  { id: sessionId, account }: Session,
  form: ParkedForm,
): Promise<string | undefined> {
  const { organizationId, id: accountId, epoch } = account;
  return installation.db.transaction<string | undefined>(async (tx) => {
    if (!(await lockAtEpoch(tx, account, epoch))) return new RolledBack(undefined);
    const now = installation.now();
    const id = uuidv7(now);
    const ofSession = sql`organization_id = ${organizationId} AND session_id = ${sessionId}`;
    await tx.run(sql`DELETE FROM parked_forms WHERE ${ofSession} AND id NOT IN (
      SELECT id FROM parked_forms WHERE ${ofSession} ORDER BY id DESC LIMIT ${PARKED_FORMS_PER_SESSION - 1})`);
    await tx.run(sql`INSERT INTO parked_forms (organization_id, id, account_id, session_id, sealed, expires_at)
      VALUES (${organizationId}, ${id}, ${accountId}, ${sessionId},
        ${seal(installation.ring, place(organizationId, accountId, id), JSON.stringify(form))}, ${now + FRESH_PROOF_MS})`);
    return id;
  });
}

/** A form that this very session has parked and not taken up yet, to say what it is about. */
export async function findParked(
  installation: Installation,
  session: Session,
  id: string,
): Promise<ParkedForm | undefined> {
  const row = await installation.db.one<{ sealed: string }>(
    sql`SELECT sealed FROM parked_forms WHERE ${isWaiting(installation, session, id)}`,
  );
  return row && opened(installation, session, id, row.sealed);
}

/** Takes a parked form up: once. Undefined where it is not this session's, is over or was taken up already. */
export async function takeParked(
  installation: Installation,
  session: Session,
  id: string,
): Promise<ParkedForm | undefined> {
  const row = await installation.db.transaction((tx) =>
    tx.one<{ sealed: string }>(
      sql`DELETE FROM parked_forms WHERE ${isWaiting(installation, session, id)} RETURNING sealed`,
    ),
  );
  return row && opened(installation, session, id, row.sealed);
}

function isWaiting({ now }: Installation, { id: sessionId, account }: Session, id: string): Sql {
  return sql`organization_id = ${account.organizationId} AND id = ${id} AND account_id = ${account.id}
    AND session_id = ${sessionId} AND expires_at > ${now()}`;
}

function opened(installation: Installation, { account }: Session, id: string, sealed: string): ParkedForm {
  return JSON.parse(open(installation.ring, place(account.organizationId, account.id, id), sealed)) as ParkedForm;
}

/** Forms that wait for a fresh proof: they may hold a new password. */
export const SEALED_PARKED_FORMS: SealedColumn<SealedRow & { accountId: string }> = {
  name: 'parked_forms.sealed',
  table: sql`parked_forms`,
  column: sql`sealed`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, account_id AS "accountId", sealed FROM parked_forms`,
  place: (row) => place(row.first, row.accountId, row.second),
};

function place(organizationId: string, accountId: string, id: string): string[] {
  return ['parked_forms', 'sealed', organizationId, accountId, id];
}
