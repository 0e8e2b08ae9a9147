import type { Person } from '../acme.ts';
import { queueMail, type MailFacts, type MailKind } from '../../src/accounts/outbox.ts';
import type { World } from '../world.ts';

/** A letter to somebody, as a fact of theirs would write it. */
export async function writes(
  world: World,
  { organizationId, id: accountId }: Pick<Person, 'organizationId' | 'id'>,
  kind: MailKind,
  facts: MailFacts = {},
): Promise<void> {
  await world.db.transaction((tx) => queueMail(tx, world.installation, { organizationId, accountId, kind, facts }));
}

/** What became of the letters, the oldest first. */
export async function outcomes(world: World): Promise<{ kind: unknown; outcome: unknown; answer: unknown }[]> {
  const rows = (await world.rows('mails')).toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])));
  return rows.map((row) => ({ kind: row['kind'], outcome: row['outcome'], answer: row['last_answer'] }));
}
