import { html } from 'hono/html';
import type { Contact } from '../accounts/contacts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { CODES_PER_SET, FEW_CODES } from '../auth/limits.ts';
import { mayReset } from '../auth/recovery.ts';
import { type Content, gearMenu, type Html, ltr, type MenuItem, pill, time } from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import { barred, contactPath } from './console.ts';

/** Whether a contact can come through the portal: invited means that there is no password yet. */
export function portalAccess(contact: Contact): Html {
  if (contact.disabledAt !== null) return pill('muted', 'Off');
  return contact.passwordSetAt === null ? pill('warn', 'Invited') : pill('ok', 'On');
}

export function mfaPill(contact: Contact): Html {
  return contact.mfaSince === null ? pill('muted', 'Not set up') : pill('ok', 'On');
}

export function codesLeft({ mfaSince, backupCodesLeft }: Contact): Content {
  if (mfaSince === null) return '–';
  const words = backupCodesLeft === null ? 'None made' : `${backupCodesLeft} of ${CODES_PER_SET}`;
  return (backupCodesLeft ?? 0) <= FEW_CODES ? pill('warn', words) : words;
}

/** A contact's MFA as a sentence. */
export function mfaWords(contact: Contact, organization: Organization): Content {
  const { mfaSince, mfaLastUsedAt, backupCodesLeft } = contact;
  if (mfaSince === null) return 'Not set up';
  const codes =
    backupCodesLeft === null ? 'no backup codes made' : `${backupCodesLeft} of ${CODES_PER_SET} backup codes left`;
  const used =
    mfaLastUsedAt === null ? 'no code accepted yet' : html`last code accepted ${time(mfaLastUsedAt, organization)}`;
  return html`On since ${time(mfaSince, organization, 'date')}, ${codes}, ${used}`;
}

export function isLocked(contact: Contact, now: number): boolean {
  return contact.suspectedAt !== null || contact.waitUntil > now;
}

/** What keeps a contact out, in words; only for one who is locked. */
export function lockWords(contact: Contact, organization: Organization): Html {
  if (contact.suspectedAt !== null) return pill('danger', 'Password may be known to someone else');
  return html`<span class="pill warn">Waiting until ${time(contact.waitUntil, organization)}</span>`;
}

/** A contact's address with what staff can do beside it. */
export function addressWithGear(who: SignedIn, contact: Contact, now: number): Html {
  return html`<div class="with-menu"><strong>${ltr(contact.email)}</strong> ${contactMenu(who, contact, now)}</div>`;
}

/** The gear of a contact. What a role may not do keeps its place and says why. */
export function contactMenu(who: SignedIn, contact: Contact, now: number): Html {
  const access = barred(who, 'open and close portal access');
  const off = contact.disabledAt !== null;
  const items = [
    entry('Reset Portal MFA', whyNoReset(who, contact), { href: contactPath(contact, '/reset-mfa') }),
    entry('Edit', barred(who, 'edit customers'), { href: contactPath(contact, '/edit') }),
    off
      ? entry('Enable portal access', access, { action: contactPath(contact, '/enable') })
      : entry('Disable portal access', access, { href: contactPath(contact, '/disable') }),
  ];
  if (contact.passwordSetAt === null) {
    const reason = barred(who, 'make welcome links') ?? (off ? 'Portal access is off' : undefined);
    items.push(entry('Make welcome link', reason, { href: contactPath(contact, '/welcome-link') }));
  }
  if (isLocked(contact, now)) {
    items.push(entry('Unlock', barred(who, 'unlock'), { href: contactPath(contact, '/unlock') }));
  }
  return gearMenu(`Actions for ${contact.email}`, items);
}

function entry(label: string, reason: string | undefined, way: { href: string } | { action: string }): MenuItem {
  return reason === undefined ? { label, ...way } : { label, reason };
}

function whyNoReset(who: SignedIn, contact: Contact): string | undefined {
  if (contact.mfaSince === null) return "MFA isn't set up";
  return barred(who, 'reset MFA') ?? (mayReset(who.session.account, contact) ? undefined : 'Ask an owner or admin');
}
