import { sql, type Queries } from '../db/db.ts';
import type { MailKind } from './outbox.ts';

/** How an organization's letters fare, for the page that shows it. */
export interface OutboxState {
  /** Letters that wait to be sent, counted as far as a page says. */
  readonly waiting: number;
  /** Since when the oldest of them waits, and what the mail server said to it last. */
  readonly oldestAt: number | null;
  readonly lastAnswer: string | null;
  readonly givenUp: readonly GivenUp[];
}

/** A letter that was given up, with what the mail server answered. */
export interface GivenUp {
  readonly kind: MailKind;
  readonly at: number;
  readonly answer: string | null;
}

/** More are not counted: "over 1,000" says as much. */
export const WAITING_COUNTED = 1_000;
const GIVEN_UP_SHOWN = 10;

/** How an organization's letters fare: those that wait, and the last few given up since then. */
export async function outboxState(
  db: Pick<Queries, 'one' | 'all'>,
  organizationId: string,
  since: number,
): Promise<OutboxState> {
  const waiting = await db.all<{ createdAt: number; lastAnswer: string | null }>(sql`SELECT created_at AS "createdAt",
      last_answer AS "lastAnswer" FROM mails WHERE organization_id = ${organizationId} AND done_at IS NULL
    ORDER BY due_at, id LIMIT ${WAITING_COUNTED + 1}`);
  const givenUp = await db.all<GivenUp>(sql`SELECT kind, done_at AS at, last_answer AS answer FROM mails
    WHERE organization_id = ${organizationId} AND done_at > ${since} AND outcome = 'given-up'
    ORDER BY done_at DESC LIMIT ${GIVEN_UP_SHOWN}`);
  const oldest = waiting.reduce<number | null>((at, { createdAt }) => Math.min(at ?? createdAt, createdAt), null);
  const lastAnswer = waiting.find((one) => one.lastAnswer !== null)?.lastAnswer ?? null;
  return { waiting: waiting.length, oldestAt: oldest, lastAnswer, givenUp };
}
