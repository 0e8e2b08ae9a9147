import { ACCOUNT_COLUMNS, type Account } from '../../accounts/accounts.ts';
import type { Installation } from '../../accounts/installation.ts';
import { sql, type Queries, type Sql, type Transaction } from '../../db/db.ts';
import { organizationOf, ownerOf, takeCeremony, type Bound } from '../passkey-ceremonies.ts';
import { readAssertion, userHandleOf, verifyAssertion } from '../webauthn.ts';
import type { Assertion, Credential, RelyingParty, Used } from '../webauthn.ts';

/** How an assertion was found. Only 'right' has used anything up but its ceremony. */
export type Redemption = { readonly kind: 'right' } | { readonly kind: 'wrong'; readonly why: Why };

/** For staff and owners, in the audit row; whoever sent the assertion learns nothing of it. */
export type Why =
  /** Its challenge is none of this session, sign-in or browser, is over or was used before. */
  | 'ceremony'
  /** Nobody's credential, a removed one or another account's. */
  | 'credential'
  /** One of the checks of WebAuthn §7.2 failed. */
  | 'signature'
  /** Its counter did not rise: there may be a copy. */
  | 'counter'
  /** The organization does not take passkeys for this, or not any more. */
  | 'not-allowed';

export interface Prepared {
  /** Whose credential it is, of this organization, whether or not it is any good. */
  readonly owner: Account | undefined;
  /** Looks it up and uses it, in a transaction that holds the lock of the account. */
  readonly redeem: (tx: Transaction, now: number) => Promise<Redemption>;
}

/**
 * Checks what was sent before any transaction is open; decides nothing. Undefined where it is nothing that a browser
 * answers: then there is nothing to look at, as with a code that has no code's shape.
 */
export async function prepare(
  installation: Installation,
  rp: RelyingParty,
  bound: Bound,
  response: string,
): Promise<Prepared | undefined> {
  const sent = readAssertion(response);
  if (!sent) return undefined;
  const found = await findCredential(installation.db, organizationOf(bound), sent.id);
  const passkey = found && isTheirs(bound, found, sent) ? found : undefined;
  // Without a key it was removed.
  const publicKey = passkey?.publicKey ?? '';
  const used = passkey && (await verifyAssertion(rp, sent, { ...passkey, publicKey }));
  return {
    owner: found?.account,
    redeem: async (tx, now) => {
      if (!(await takeCeremony(tx, bound, sent.challenge, now))) return wrong('ceremony');
      if (!passkey || publicKey === '') return wrong('credential');
      return used ? useUp(tx, passkey, used, bound.to, now) : wrong('signature');
    },
  };
}

interface Found extends Pick<Credential, 'id' | 'backup'> {
  readonly rowId: string;
  /** Null once it was removed. */
  readonly publicKey: string | null;
  readonly account: Account;
}

async function findCredential(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  credentialId: string,
): Promise<Found | undefined> {
  const row = await db.one<Account & Omit<Found, 'id' | 'account'>>(sql`SELECT ${ACCOUNT_COLUMNS}, p.id AS "rowId",
      p.public_key AS "publicKey", p.backup
    FROM passkeys p JOIN accounts a ON a.organization_id = p.organization_id AND a.id = p.account_id
    WHERE p.credential_id = ${credentialId} AND p.organization_id = ${organizationId}`);
  if (!row) return undefined;
  const { rowId, publicKey, backup, ...account } = row;
  return { id: credentialId, rowId, publicKey, backup, account };
}

// Where the account is known, the credential must be its own; where it is not, the handle must say the same (§7.2 step 6).
function isTheirs(bound: Bound, { account }: Found, { userHandle }: Assertion): boolean {
  if (bound.to === 'sign-in') return userHandle === userHandleOf(account.id);
  return account.id === ownerOf(bound).id && (userHandle === undefined || userHandle === userHandleOf(account.id));
}

async function useUp(
  tx: Transaction,
  { rowId, account }: Found,
  { signCount, backup }: Used,
  purpose: Bound['to'],
  now: number,
): Promise<Redemption> {
  const own = sql`organization_id = ${account.organizationId} AND account_id = ${account.id} AND id = ${rowId}
    AND revoked_at IS NULL`;
  // Many authenticators count nothing and always say 0.
  const rises = signCount === 0 ? sql`sign_count = 0` : sql`sign_count < ${signCount}`;
  const used = await tx.run(sql`UPDATE passkeys SET sign_count = ${signCount}, backup = ${backup}, last_used_at = ${now}
    WHERE ${own} AND ${rises} AND ${isTaken(purpose)}`);
  if (used === 1) return { kind: 'right' };
  const copied = await tx.run(sql`UPDATE passkeys SET copied_at = ${now} WHERE ${own} AND NOT (${rises})`);
  return wrong(copied === 1 ? 'counter' : 'not-allowed');
}

/** True of passkeys whose organization takes them for this, at this moment. */
function isTaken(purpose: Bound['to']): Sql {
  const choice = purpose === 'sign-in' ? sql`o.passkeys = 'sign-in'` : sql`o.passkeys <> 'off'`;
  return sql`EXISTS (SELECT 1 FROM organizations o WHERE o.id = passkeys.organization_id AND ${choice})`;
}

function wrong(why: Why): Redemption {
  return { kind: 'wrong', why };
}
