import type { Queries } from '../db/db.ts';
import type { Action, Fact } from './audit.ts';
import type { Installation } from './installation.ts';
import { queueMail, type Letter, type MailKind } from './outbox.ts';

/**
 * What whoever a fact concerns is told by mail, by action and, where it matters, by result and details. Told where it is
 * recorded, so that no change to an account can be made without its notice (ASVS 6.3.7). A fact that needs more words
 * than these, or goes to another address, is told by the story that it belongs to.
 */
const TOLD: Partial<Record<Action, (fact: Fact) => MailKind | undefined>> = {
  'mfa.enabled': () => 'mfa-on',
  'backup-codes.generated': () => 'new-codes',
  'mfa.reset': () => 'mfa-reset',
  'password.set': () => 'password-changed',
  'signed-in': ({ result, details }) => {
    if (result === 'wrong' && NOTICED_WRONG.has(Number(details?.['inARow']))) return 'wrong-codes';
    return result === 'right' && details?.['factor'] === 'backup-code' ? 'code-used' : undefined;
  },
};

/** After so many wrong codes in a row behind a right password its owner is told (ASVS 6.3.5). */
const NOTICED_WRONG: ReadonlySet<number> = new Set([3, 10]);

/** Queues the notices of facts that were just recorded. */
export async function tellOf(tx: Queries, installation: Installation, facts: readonly Fact[]): Promise<void> {
  await queueMail(tx, installation, ...facts.flatMap((fact) => noticeOf(fact, installation.now())));
}

function noticeOf(fact: Fact, at: number): Letter[] {
  const { organizationId, actor, targetId, details, notice } = fact;
  const kind = TOLD[fact.action]?.(fact);
  if (kind === undefined || targetId === undefined || notice === 'none') return [];
  const by =
    actor.kind !== 'account'
      ? { by: actor.kind }
      : actor.id !== targetId
        ? { by: 'staff', staffId: actor.id }
        : { by: 'self', address: actor.address, userAgent: actor.userAgent ?? null };
  return [{ organizationId, accountId: targetId, kind, facts: { at, ...by, ...details, ...notice } }];
}
