import { open, seal } from '../crypto/seal.ts';
import { fingerprint, uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Queries } from '../db/db.ts';
import { emailKey } from './accounts.ts';
import type { Installation } from './installation.ts';
import type { SealedColumn, SealedRow } from './keys.ts';

/**
 * Every kind of letter. Those with a link carry its token in their facts, sealed until they are sent. What somebody seems
 * to have done themselves is told with a `notMeToken`.
 */
export type MailKind =
  | 'mfa-on'
  | 'new-codes'
  | 'code-used'
  | 'app-replaced'
  | 'app-added'
  | 'app-removed'
  | 'mfa-off'
  | 'mfa-reset'
  | 'new-device'
  | 'wrong-codes'
  | 'password-changed'
  | 'email-changed'
  | 'passkey-added'
  | 'passkey-removed'
  | 'passkey-copied'
  | 'device-trusted'
  | 'device-copied'
  | 'password-removed'
  | 'not-me'
  | 'recovery-asked'
  | 'recovery-refused'
  | 'sign-in-code-made'
  | 'setup-code-made'
  | 'set-up-by'
  | 'codes-low'
  | 'app-check'
  | 'job-ended'
  | 'digest'
  | 'test'
  /** With a link. */
  | 'new-password'
  | 'invitation'
  | 'confirm-email'
  | 'confirm-enrolment';

export type MailFacts = Readonly<Record<string, string | number | null>>;

export interface Letter {
  readonly organizationId: string;
  /** Whom it concerns. Without `to` it goes to that account's address on file. */
  readonly accountId: string;
  readonly kind: MailKind;
  /** Another address: the one that was on file before, or one that is not yet. */
  readonly to?: string;
  /** What it says beyond its kind: numbers and plain words. Never a code, a secret or a password (I19). */
  readonly facts?: MailFacts;
  /** Not before then; without it at once. */
  readonly dueAt?: number;
}

/**
 * Writes letters into the outbox, in the transaction of the fact they tell: neither is there without the other, and
 * whether a mail server answers decides nothing (R42). Where mail is off nothing is written.
 */
export async function queueMail(tx: Queries, installation: Installation, ...letters: Letter[]): Promise<void> {
  if (!installation.mailIsOn || letters.length === 0) return;
  const now = installation.now();
  for (const some of pieces(await addressed(tx, letters))) {
    const rows = some.map(({ organizationId, accountId, kind, to, facts = {}, dueAt = now }) => {
      const id = uuidv7(now);
      const sealed = seal(installation.ring, place(organizationId, accountId, id), JSON.stringify({ to, facts }));
      return sql`(${organizationId}, ${id}, ${accountId}, ${addressKey(installation, to)}, ${kind}, ${sealed}, ${now}, ${dueAt})`;
    });
    await tx.run(sql`INSERT INTO mails
      (organization_id, id, account_id, address_key, kind, sealed, created_at, due_at) VALUES ${list(rows)}`);
  }
}

type Addressed = Letter & { readonly to: string };

/** The addresses on file at this moment, before whatever comes next. Whoever is gone meanwhile gets no letter. */
async function addressed(tx: Queries, letters: readonly Letter[]): Promise<Addressed[]> {
  const onFile = new Map<string, string>();
  const asked = letters.filter(({ to }) => to === undefined);
  for (const some of pieces(asked)) {
    const keys = some.map(({ organizationId, accountId }) => sql`(${organizationId}, ${accountId})`);
    const found = await tx.all<{ organizationId: string; id: string; email: string }>(
      sql`SELECT organization_id AS "organizationId", id, email FROM accounts WHERE (organization_id, id) IN (${list(keys)})`,
    );
    for (const { organizationId, id, email } of found) onFile.set(`${organizationId} ${id}`, email);
  }
  return letters.flatMap((letter) => {
    const to = letter.to ?? onFile.get(`${letter.organizationId} ${letter.accountId}`);
    return to === undefined ? [] : [{ ...letter, to }];
  });
}

/** By what letters to one address are told from others, without the address lying about. */
export function addressKey(installation: Pick<Installation, 'counterKey'>, address: string): string {
  return fingerprint(installation.counterKey, 'mail', emailKey(address) ?? address);
}

/** What lies sealed in a letter's row. */
export interface Contents {
  readonly to: string;
  readonly facts: MailFacts;
}

/** Opens what a letter says, to send it. Throws SealError where it does not open. */
export function openContents(
  installation: Pick<Installation, 'ring'>,
  row: { readonly organizationId: string; readonly accountId: string; readonly id: string; readonly sealed: string },
): Contents {
  return JSON.parse(open(installation.ring, place(row.organizationId, row.accountId, row.id), row.sealed)) as Contents;
}

/** Letters that wait to be sent. */
export const SEALED_MAILS: SealedColumn<SealedRow & { accountId: string }> = {
  name: 'mails.sealed',
  table: sql`mails`,
  column: sql`sealed`,
  key: sql`organization_id, id`,
  rows: sql`SELECT organization_id AS first, id AS second, account_id AS "accountId", sealed FROM mails`,
  place: (row) => place(row.first, row.accountId, row.second),
};

function place(organizationId: string, accountId: string, id: string): string[] {
  return ['mails', 'sealed', organizationId, accountId, id];
}
