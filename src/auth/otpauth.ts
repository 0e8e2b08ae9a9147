import type { Account } from '../accounts/accounts.ts';
import type { Installation } from '../accounts/installation.ts';
import { findOrganization } from '../accounts/organizations.ts';
import { encodeBase32 } from '../crypto/base32.ts';
import type { Pending } from './enrolment.ts';

/** The key as people type it by hand: base32 without padding (RFC 4648 §6). */
export function setupKey(pending: Pending): string {
  return encodeBase32(pending.secret);
}

/** Longer account names would make the QR code too dense for a phone's camera. */
const ACCOUNT_LABEL_MAX = 64;

/**
 * What the QR code holds (Key URI Format). Algorithm, digits and period are left out: several apps ignore them, so only
 * the defaults are safe. Neither part may hold a colon, and issuer stands in both places, equal.
 */
export async function otpauthUri(installation: Installation, account: Account, pending: Pending): Promise<string> {
  const organization = await findOrganization(installation.db, account.organizationId);
  const issuer = label(organization?.name ?? '');
  const name = label(Array.from(account.email).slice(0, ACCOUNT_LABEL_MAX).join(''));
  return `otpauth://totp/${issuer}:${name}?secret=${setupKey(pending)}&issuer=${issuer}`;
}

function label(text: string): string {
  return encodeURIComponent(text.replaceAll(':', ' ').replace(/\s+/g, ' ').trim());
}
