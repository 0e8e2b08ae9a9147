import { domainToASCII } from 'node:url';
import { sql, type Queries } from '../db/db.ts';

export type Kind = 'contact' | 'staff';
export type Role = 'owner' | 'admin' | 'support' | 'auditor';

/** Whatever signs in: a contact or a staff member. */
export interface Account {
  readonly organizationId: string;
  readonly id: string;
  readonly kind: Kind;
  readonly customerId: string | null;
  readonly role: Role | null;
  readonly name: string;
  readonly email: string;
  readonly phone: string | null;
  /** Raised by every security change; whatever carries an older one is void (I12). */
  readonly epoch: number;
  readonly disabledAt: number | null;
  readonly passwordSetAt: number | null;
  readonly lastSignInAt: number | null;
  readonly suspectedAt: number | null;
  /** When staff reset the MFA, and when that was first told after a right password. */
  readonly resetNoticeAt: number | null;
  readonly resetToldAt: number | null;
}

/** The columns of an account, for a statement that names the table `a`. Never the password. */
export const ACCOUNT_COLUMNS = sql`a.organization_id AS "organizationId", a.id, a.kind, a.customer_id AS "customerId",
  a.role, a.name, a.email, a.phone, a.epoch, a.disabled_at AS "disabledAt", a.password_set_at AS "passwordSetAt",
  a.last_sign_in_at AS "lastSignInAt", a.suspected_at AS "suspectedAt", a.reset_notice_at AS "resetNoticeAt",
  a.reset_told_at AS "resetToldAt"`;

/**
 * True of accounts `a` that have an active authenticator, an active set of backup codes, or a row of their own that says
 * they have. Nobody has one of the last two without the first, so where it is missing it was lost: then the second door
 * stays shut (ASVS 16.5.3).
 */
export const HAS_MFA = sql`(a.mfa_since IS NOT NULL OR EXISTS (SELECT 1 FROM authenticators m WHERE m.organization_id = a.organization_id
  AND m.account_id = a.id AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL)
  OR EXISTS (SELECT 1 FROM backup_code_sets b WHERE b.organization_id = a.organization_id
  AND b.account_id = a.id AND b.revoked_at IS NULL))`;

/** Since when accounts `a` have MFA, or NULL: kept by listed.ts. */
export const MFA_SINCE = sql`a.mfa_since`;

/** When the wait for wrong codes of accounts `a` ends that ends last; in the past where none holds. */
export const WAIT_UNTIL = sql`CASE WHEN a.totp_wait_until > a.backup_wait_until
  THEN a.totp_wait_until ELSE a.backup_wait_until END`;

/** The account with an id in an organization, or undefined. */
export function findAccount(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  id: string,
): Promise<Account | undefined> {
  return db.one(
    sql`SELECT ${ACCOUNT_COLUMNS} FROM accounts a WHERE a.organization_id = ${organizationId} AND a.id = ${id}`,
  );
}

/** The account with an e-mail address among an organization's contacts or staff, or undefined. */
export function findAccountByEmail(
  db: Pick<Queries, 'one'>,
  organizationId: string,
  kind: Kind,
  email: string,
): Promise<Account | undefined> {
  return db.one(sql`SELECT ${ACCOUNT_COLUMNS} FROM accounts a WHERE a.organization_id = ${organizationId}
    AND a.kind = ${kind} AND a.email_key = ${emailKey(email) ?? ''}`);
}

const EMAIL_MAX = 254;

/**
 * The form of an e-mail address by which it is unique and found: NFKC, trimmed, lower case, domain in ASCII. Dots and
 * plus signs are kept, since only the mail server knows what they mean. Undefined where it has no address's shape, or
 * is too long to look at: normalising a long text of combining marks takes time that grows with its square.
 */
export function emailKey(email: string): string | undefined {
  if (email.length > 4 * EMAIL_MAX) return undefined;
  const folded = fold(email);
  const parts = /^([^\s@"(),:;<>[\\\]\p{Cc}]+)@([^\s@/?#%\\]+)$/u.exec(folded);
  // It reads a domain as browsers do, who stop at what ends a host in a URL: a letter would go where the whole says.
  const domain = domainToASCII(parts?.[2] ?? '');
  if (!parts || !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain)) return undefined;
  const key = `${parts[1]}@${domain}`;
  return key.length <= EMAIL_MAX ? key : undefined;
}

/** How a name is sorted and searched: compatibility forms and case folded, alike on both engines. */
export function sortKey(name: string): string {
  return fold(name);
}

// Lower case can bring forth a form that NFKC composes differently, hence twice: the key of a key is itself.
function fold(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase().normalize('NFKC');
}
