import type { Queries } from '../db/db.ts';
import type { Action, Fact } from './audit.ts';
import type { Installation } from './installation.ts';
import { notMeToken } from './mailed-links.ts';
import { queueMail, type Letter, type MailKind } from './outbox.ts';

/**
 * What whoever a fact concerns is told by mail, by action and, where it matters, by result and details. Told where it is
 * recorded, so that no change to an account can be made without its notice (ASVS 6.3.7). A fact that needs more words
 * than these, or goes to another address, is told by the story that it belongs to.
 */
const TOLD: Partial<Record<Action, (fact: Fact) => MailKind | undefined>> = {
  'mfa.enabled': ({ details }) => (details?.['replaced'] === 1 ? 'app-replaced' : 'mfa-on'),
  'mfa.turned-off': () => 'mfa-off',
  'authenticator.added': () => 'app-added',
  'authenticator.replaced': () => 'app-replaced',
  'authenticator.removed': () => 'app-removed',
  'enrolment-code.made': () => 'setup-code-made',
  'backup-codes.generated': () => 'new-codes',
  'mfa.reset': () => 'mfa-reset',
  'device.trusted': () => 'device-trusted',
  'password.set': () => 'password-changed',
  'passkey.added': () => 'passkey-added',
  'passkey.removed': () => 'passkey-removed',
  'proved-again': ({ details }) => (details?.['why'] === 'counter' ? 'passkey-copied' : undefined),
  'signed-in': (fact) => {
    const { result, details } = fact;
    if (details?.['why'] === 'counter') return 'passkey-copied';
    return result === 'right' && details?.['factor'] === 'backup-code' ? 'code-used' : ofWrongCode(fact);
  },
  'sign-in-code.made': () => 'sign-in-code-made',
  'sign-in-code.used': ofWrongCode,
};

function ofWrongCode({ result, details }: Fact): MailKind | undefined {
  return result === 'wrong' && NOTICED_WRONG.has(Number(details?.['inARow'])) ? 'wrong-codes' : undefined;
}

/** After so many wrong codes in a row behind a right password its owner is told (ASVS 6.3.5). */
const NOTICED_WRONG: ReadonlySet<number> = new Set([3, 10]);

/** Queues the notices of facts that were just recorded. */
export async function tellOf(tx: Queries, installation: Installation, facts: readonly Fact[]): Promise<void> {
  const letters = facts.flatMap((fact) => noticeOf(fact, installation.now()));
  const told: Letter[] = [];
  for (const letter of letters) told.push(await withWayToDisown(tx, installation, letter));
  await queueMail(tx, installation, ...told);
}

// Whoever reads of something that they seem to have done themselves can say that it was somebody else, without signing
// in. What staff have done is between the contact and them.
async function withWayToDisown(tx: Queries, installation: Installation, letter: Letter): Promise<Letter> {
  const { organizationId, accountId: id, facts } = letter;
  const token = facts?.['by'] === 'self' ? await notMeToken(tx, installation, { organizationId, id }) : undefined;
  return token === undefined ? letter : { ...letter, facts: { ...facts, notMeToken: token } };
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
