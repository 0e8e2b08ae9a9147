import type { Account } from '../src/accounts/accounts.ts';
import { openContents, type MailFacts, type MailKind } from '../src/accounts/outbox.ts';
import { sql } from '../src/db/db.ts';
import type { World } from './world.ts';

/** A letter that waits in the outbox of a world with `mailIsOn`. */
export interface Queued {
  readonly kind: MailKind;
  readonly to: string;
  readonly facts: MailFacts;
}

/** What waits in the outbox, in order; of everybody, or of those that concern one account. */
export async function queued(world: World, whose?: Pick<Account, 'id'>): Promise<Queued[]> {
  const rows = await world.db.all<{
    id: string;
    organizationId: string;
    accountId: string;
    kind: MailKind;
    sealed: string;
  }>(sql`SELECT id, organization_id AS "organizationId", account_id AS "accountId", kind, sealed FROM mails
    WHERE done_at IS NULL ORDER BY id`);
  return rows
    .filter(({ accountId }) => whose === undefined || accountId === whose.id)
    .map((row) => ({ kind: row.kind, ...openContents(world.installation, row) }));
}
