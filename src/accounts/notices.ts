import { sql, type Queries } from '../db/db.ts';
import type { Action, Actor, Fact } from './audit.ts';
import type { Installation } from './installation.ts';
import { notMeToken } from './mailed-links.ts';
import { queueMail, type Letter, type MailFacts, type MailKind } from './outbox.ts';

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
  'device.replayed': () => 'device-copied',
  'account.unlocked': ({ result }) => (result === 'password-removed' ? 'password-removed' : undefined),
  'password.set': () => 'password-changed',
  'account.not-me': () => 'not-me',
  'passkey.added': () => 'passkey-added',
  'passkey.removed': () => 'passkey-removed',
  'proved-again': (fact) => (fact.details?.['why'] === 'counter' ? 'passkey-copied' : ofWrongCode(fact)),
  'contact.changed': ({ result }) => IMPORTED[result ?? ''],
  'signed-in': (fact) => {
    const { result, details } = fact;
    if (details?.['why'] === 'counter') return 'passkey-copied';
    return result === 'right' && details?.['factor'] === 'backup-code' ? 'code-used' : ofWrongCode(fact);
  },
  'sign-in-code.made': () => 'sign-in-code-made',
  'sign-in-code.used': ofWrongCode,
};

/** What an import has brought that its owner did not choose. */
const IMPORTED: Partial<Record<string, MailKind>> = {
  'imported-password': 'password-changed',
  'imported-mfa': 'app-replaced',
  'imported-both': 'password-changed',
};

function ofWrongCode({ result, details }: Fact): MailKind | undefined {
  return result === 'wrong' && NOTICED_WRONG.has(Number(details?.['inARow'])) ? 'wrong-codes' : undefined;
}

/** After so many wrong codes in a row behind a right password its owner is told (ASVS 6.3.5). */
const NOTICED_WRONG: ReadonlySet<number> = new Set([3, 10]);

/** Queues the notices of facts that were just recorded. */
export async function tellOf(tx: Queries, installation: Installation, facts: readonly Fact[]): Promise<void> {
  if (!installation.mailIsOn) return;
  const letters = facts.flatMap((fact) => noticeOf(fact, installation.now()));
  for (const fact of facts)
    if (await isFromUnfamiliarPlace(tx, fact)) letters.push(...aboutFact(fact, 'new-device', installation.now()));
  const told: Letter[] = [];
  for (const letter of letters) told.push(await withWayToDisown(tx, installation, await withCodesLeft(tx, letter)));
  await queueMail(tx, installation, ...told);
}

async function withCodesLeft(tx: Queries, letter: Letter): Promise<Letter> {
  if (letter.kind !== 'code-used') return letter;
  const account = await tx.one<{ left: number | null }>(sql`SELECT backup_codes_left AS "left" FROM accounts
    WHERE organization_id = ${letter.organizationId} AND id = ${letter.accountId}`);
  return { ...letter, facts: { ...letter.facts, left: account?.left ?? 0 } };
}

// Whoever reads of something that they seem to have done themselves can say that it was somebody else, without signing
// in. What staff have done is between the contact and them.
async function withWayToDisown(tx: Queries, installation: Installation, letter: Letter): Promise<Letter> {
  const { organizationId, accountId: id, facts } = letter;
  const isDisowned = letter.kind === 'not-me' || facts?.['by'] !== 'self';
  const token = isDisowned ? undefined : await notMeToken(tx, installation, { organizationId, id });
  return token === undefined ? letter : { ...letter, facts: { ...facts, notMeToken: token } };
}

function noticeOf(fact: Fact, at: number): Letter[] {
  const kind = fact.notice === 'none' ? undefined : TOLD[fact.action]?.(fact);
  return kind === undefined ? [] : aboutFact(fact, kind, at);
}

function aboutFact({ organizationId, actor, targetId, details, notice }: Fact, kind: MailKind, at: number): Letter[] {
  if (targetId === undefined) return [];
  const more = notice === 'none' ? {} : notice;
  const facts = { at, ...byWhom(actor, targetId), ...details, ...more };
  return [{ organizationId, accountId: targetId, kind, facts }];
}

/** Who did something to an account, as its notice says. */
export function byWhom(actor: Actor, targetId: string): MailFacts {
  if (actor.kind !== 'account') return { by: actor.kind };
  if (actor.id !== targetId) return { by: 'staff', staffId: actor.id };
  return { by: 'self', address: actor.address, userAgent: actor.userAgent ?? null };
}

const SIGN_INS: readonly Action[] = ['signed-in', 'sign-in-code.used'];

// The session that the sign-in has just started knows whether it was: startSession looks before it remembers the place.
async function isFromUnfamiliarPlace(tx: Queries, fact: Fact): Promise<boolean> {
  if (!SIGN_INS.includes(fact.action) || fact.result !== 'right') return false;
  const session = await tx.one<{ isUnfamiliar: number }>(sql`SELECT is_unfamiliar AS "isUnfamiliar" FROM sessions
    WHERE organization_id = ${fact.organizationId} AND account_id = ${fact.targetId ?? ''} ORDER BY id DESC LIMIT 1`);
  return session?.isUnfamiliar === 1;
}
