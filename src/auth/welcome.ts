import { ACCOUNT_COLUMNS, findAccount, type Account, type Kind } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { queueMail } from '../accounts/outbox.ts';
import { hashToken, randomToken, readCookie, uuidv7 } from '../crypto/tokens.ts';
import { RolledBack, sql, type Transaction } from '../db/db.ts';
import { WELCOME_LINK_LIFETIME_MS } from './limits.ts';
import { passwordByLink, type ByLink } from './password-by-link.ts';

/**
 * Makes the one-time link by which a contact chooses a first password: only while there is none, because whoever could
 * make links for accounts with a password could take them over. Raises the epoch, so that an earlier link is dead.
 * Answers the token, which is shown once and kept as a hash; undefined where the contact has a password or no access.
 */
export function makeWelcomeLink(
  installation: Installation,
  actor: Actor,
  account: Account,
): Promise<string | undefined> {
  const { organizationId, id } = account;
  return installation.db.transaction<string | undefined>(async (tx) => {
    const token = await linkWithin(tx, installation, 'contact', account);
    if (token === undefined) return new RolledBack(undefined);
    await record(tx, installation, { organizationId, actor, action: 'welcome-link.made', targetId: id });
    return token;
  });
}

/** The same inside a transaction, for a contact or for staff: who may ask for it and how it is recorded is the caller's. */
export async function linkWithin(
  tx: Transaction,
  installation: Installation,
  kind: Kind,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
): Promise<string | undefined> {
  const now = installation.now();
  const raised = await tx.one<{ epoch: number }>(sql`UPDATE accounts SET epoch = epoch + 1
    WHERE organization_id = ${organizationId} AND id = ${id} AND kind = ${kind} AND password IS NULL AND disabled_at IS NULL
    RETURNING epoch`);
  if (!raised) return undefined;
  const token = randomToken();
  await tx.run(sql`INSERT INTO welcome_links (organization_id, id, account_id, token_hash, epoch, created_at, expires_at)
    VALUES (${organizationId}, ${uuidv7(now)}, ${id}, ${hashToken(token)}, ${raised.epoch}, ${now}, ${now + WELCOME_LINK_LIFETIME_MS})`);
  return token;
}

/**
 * Invites contacts by mail: a welcome link for each who may come in and has no password yet. Answers how many were
 * invited; the others are left as they are.
 */
export async function inviteWithin(
  tx: Transaction,
  installation: Installation,
  actor: Actor,
  organizationId: string,
  ids: readonly string[],
): Promise<number> {
  const until = installation.now() + WELCOME_LINK_LIFETIME_MS;
  let invited = 0;
  for (const id of ids) {
    const token = await linkWithin(tx, installation, 'contact', { organizationId, id });
    if (token === undefined) continue;
    await queueMail(tx, installation, { organizationId, accountId: id, kind: 'invitation', facts: { token, until } });
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'welcome-link.made',
      targetId: id,
      result: 'mailed',
    });
    invited++;
  }
  return invited;
}

/** Invites one contact by mail. False where there is a password already, no access, or no mail. */
export async function invite(
  installation: Installation,
  actor: Actor,
  { organizationId, id }: Pick<Account, 'organizationId' | 'id'>,
): Promise<boolean> {
  if (!installation.mailIsOn) return false;
  return installation.db.transaction(
    async (tx) => (await inviteWithin(tx, installation, actor, organizationId, [id])) === 1,
  );
}

/**
 * Whose link it is, while it works; undefined for one that is spent, old, void or never was. Reading spends nothing. A
 * portal names its organization and its link is a token; the console names none, and its link is `{organization}.{token}`.
 */
export function findWelcome(
  installation: Installation,
  portal: string | null,
  link: string,
): Promise<Account | undefined> {
  const { kind, organizationId, token } = parts(portal, link);
  return installation.db.one(sql`SELECT ${ACCOUNT_COLUMNS} FROM welcome_links w
    JOIN accounts a ON a.organization_id = w.organization_id AND a.id = w.account_id
    WHERE w.organization_id = ${organizationId} AND w.token_hash = ${hashToken(token)} AND w.spent_at IS NULL
      AND a.kind = ${kind} AND w.expires_at > ${installation.now()} AND w.epoch = a.epoch AND a.disabled_at IS NULL AND a.password IS NULL`);
}

function parts(portal: string | null, link: string): { kind: Kind; organizationId: string; token: string } {
  return portal === null
    ? { kind: 'staff', ...readCookie(link) }
    : { kind: 'contact', organizationId: portal, token: link };
}

/** Spends the link for a first password. Opens no session: the next step is the sign-in page, with all it asks for. */
export async function choosePassword(
  installation: Installation,
  portal: string | null,
  link: string,
  password: string,
  context: readonly string[],
  address: string,
): Promise<ByLink> {
  const account = await findWelcome(installation, portal, link);
  if (!account) return { kind: 'link-over' };
  const { organizationId, token } = parts(portal, link);
  return passwordByLink(installation, { account, token }, password, context, address, async (tx) => {
    const spent = await tx.run(sql`UPDATE welcome_links SET spent_at = ${installation.now()}
      WHERE organization_id = ${organizationId} AND token_hash = ${hashToken(token)} AND spent_at IS NULL
        AND expires_at > ${installation.now()} AND epoch = ${account.epoch}`);
    return spent === 1 && (await findAccount(tx, organizationId, account.id))?.passwordSetAt === null;
  });
}
