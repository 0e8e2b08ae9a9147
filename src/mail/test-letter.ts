import { randomUUID } from 'node:crypto';
import type { Account } from '../accounts/accounts.ts';
import type { Organization } from '../accounts/organizations.ts';
import type { MailConfig } from '../config.ts';
import { htmlOf, textOf } from './layout.ts';
import { draftOf, oneLine } from './letters.ts';
import { openPost, type Handed, type PostOptions } from './post.ts';

/** Whoever waits for the answer does not wait long. */
const PATIENCE_MS = 3_000;

/**
 * Sends a test letter to a member of staff at once, past the outbox, and answers what the mail server said: whoever sets
 * mail up waits for that, and a test that comes later tells nothing.
 */
export async function sendTest(
  mail: MailConfig,
  publicUrl: string,
  { organization, account, at }: { organization: Organization; account: Account; at: number },
  options: PostOptions = {},
): Promise<Handed> {
  const facts = { at };
  const draft = draftOf({ kind: 'test', to: account.email, facts, publicUrl, organization, account });
  const post = openPost(mail, { patienceMs: PATIENCE_MS, ...options });
  try {
    return await post.handIn({
      messageId: `<test-${randomUUID()}@${mail.from.slice(mail.from.lastIndexOf('@') + 1)}>`,
      fromName: oneLine(organization.name),
      to: account.email,
      subject: draft.subject,
      text: textOf(draft),
      html: await htmlOf(draft),
      at,
    });
  } finally {
    post.close();
  }
}
