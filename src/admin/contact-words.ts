import { html } from 'hono/html';
import type { Contact } from '../accounts/contacts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { CODES_PER_SET, FEW_CODES } from '../auth/limits.ts';
import { mayReset } from '../auth/recovery.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { barred, contactPath } from './console.ts';

/** Whether a contact can come through the portal: invited means that there is no password yet. */
export function portalAccess(contact: Contact): c.Html {
  if (contact.disabledAt !== null) return c.pill('muted', 'Off');
  return contact.passwordSetAt === null ? c.pill('warn', 'Invited') : c.pill('ok', 'On');
}

export function mfaPill(contact: Contact): c.Html {
  return contact.mfaSince === null ? c.pill('muted', 'Not set up') : c.pill('ok', 'On');
}

export function codesLeft({ mfaSince, backupCodesLeft }: Contact): c.Content {
  if (mfaSince === null) return '–';
  const words = backupCodesLeft === null ? 'None made' : `${backupCodesLeft} of ${CODES_PER_SET}`;
  return (backupCodesLeft ?? 0) <= FEW_CODES ? c.pill('warn', words) : words;
}

/** A contact's MFA as a sentence. */
export function mfaWords(contact: Contact, organization: Organization): c.Content {
  const { mfaSince, mfaLastUsedAt, backupCodesLeft } = contact;
  if (mfaSince === null) return 'Not set up';
  const codes =
    backupCodesLeft === null ? 'no backup codes made' : `${backupCodesLeft} of ${CODES_PER_SET} backup codes left`;
  const used =
    mfaLastUsedAt === null ? 'no code accepted yet' : html`last code accepted ${c.time(mfaLastUsedAt, organization)}`;
  return html`On since ${c.time(mfaSince, organization, 'date')}, ${codes}, ${used}`;
}

export function isLocked(contact: Contact, now: number): boolean {
  return contact.suspectedAt !== null || contact.waitUntil > now;
}

/** What keeps a contact out, in words; nothing for one who is not locked. */
export function lockNotice(contact: Contact, organization: Organization, now: number): c.Html {
  if (contact.suspectedAt !== null)
    return c.notice('danger', 'Password may be known to someone else. Unlock removes it.');
  if (contact.waitUntil <= now) return c.nothing;
  return c.notice('warn', html`Too many wrong codes: waiting until ${c.time(contact.waitUntil, organization)}.`);
}

/** A contact's address with what staff can do beside it. */
export function addressWithGear(visit: Visit, who: SignedIn, contact: Contact): c.Html {
  return html`<div class="with-menu">
    <strong>${c.ltr(contact.email)}</strong> ${contactMenu(visit, who, contact)}
  </div>`;
}

/** The gear of a contact. What a role may not do keeps its place and says why. */
export function contactMenu(visit: Visit, who: SignedIn, contact: Contact): c.Html {
  const access = barred(who, 'open and close portal access');
  const off = contact.disabledAt !== null;
  const items = [
    entry('Reset Portal MFA', whyNoReset(who, contact, visit.now), { href: contactPath(contact, '/reset-mfa') }),
    entry('Make sign-in code', whyNoReset(who, contact, visit.now), { href: contactPath(contact, '/sign-in-code') }),
    ...(who.organization.enrolmentConfirmation === 'required' ? [setupCode(who, contact)] : []),
    entry('Send reminder', whyNoReminder(visit, who, contact), { action: contactPath(contact, '/remind') }),
    entry('Sign out everywhere', barred(who, 'end sessions'), { href: contactPath(contact, '/sign-out') }),
    entry('Exempt from MFA', whyNoExemption(who, contact), { href: contactPath(contact, '/exempt') }),
    off
      ? entry('Enable portal access', access, { action: contactPath(contact, '/enable') })
      : entry('Disable portal access', access, { href: contactPath(contact, '/disable') }),
  ];
  if (contact.passwordSetAt === null) {
    const reason = barred(who, 'make welcome links') ?? (off ? 'Portal access is off' : undefined);
    items.push(entry('Invite', reason, { href: contactPath(contact, '/welcome-link') }));
  }
  if (isLocked(contact, visit.now)) {
    items.push(entry('Unlock', barred(who, 'unlock'), { href: contactPath(contact, '/unlock') }));
  }
  items.push(
    entry('Edit', barred(who, 'edit contacts'), { href: contactPath(contact, '/edit') }),
    entry('Move to another customer', barred(who, 'edit customers'), { href: contactPath(contact, '/move') }),
    entry('View activity', undefined, { href: activityPath(contact) }),
    entry('Delete', barred(who, 'delete customers and contacts'), { href: contactPath(contact, '/delete') }),
  );
  return c.gearMenu(`Actions for ${contact.email}`, items);
}

/** Everything that the audit log has about somebody. */
export function activityPath({ id }: Pick<Contact, 'id'>): string {
  return `/admin/audit?whom=${id}`;
}

function entry(label: string, reason: string | undefined, way: { href: string } | { action: string }): c.MenuItem {
  return reason === undefined ? { label, ...way } : { label, reason };
}

function setupCode(who: SignedIn, contact: Contact): c.MenuItem {
  return entry('Setup code', whyNoSetupCode(who, contact), { href: contactPath(contact, '/setup-code') });
}

/** Why no code can be made by which a contact confirms a new authenticator; undefined where one can. */
export function whyNoSetupCode(who: SignedIn, contact: Contact): string | undefined {
  if (who.organization.enrolmentConfirmation !== 'required') return "Your settings don't ask to confirm a setup";
  if (contact.mfaSince !== null) return 'They have set up MFA';
  if (contact.disabledAt !== null) return 'Portal access is off';
  if (contact.passwordSetAt === null) return "They haven't chosen a password";
  return barred(who, 'reset MFA') ?? (mayReset(who.session.account, contact) ? undefined : 'Ask an owner or admin');
}

/** Why a contact cannot be reminded to set MFA up, but for having been a short while ago; undefined where they can. */
export function whyNoReminder({ installation }: Visit, who: SignedIn, contact: Contact): string | undefined {
  if (contact.mfaSince !== null) return 'They have set up MFA';
  if (who.organization.policy === 'off') return 'MFA is off in your settings';
  if (contact.disabledAt !== null) return 'Portal access is off';
  if (contact.passwordSetAt === null) return "They haven't chosen a password";
  if (!installation.mailIsOn) return 'Email is off: set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM';
  return barred(who, 'edit contacts');
}

function whyNoExemption(who: SignedIn, contact: Contact): string | undefined {
  return contact.mfaSince === null ? barred(who, 'change settings') : 'They have set up MFA';
}

function whyNoReset(who: SignedIn, contact: Contact, now: number): string | undefined {
  if (contact.mfaSince === null) return "MFA isn't set up";
  if (contact.helpWaitUntil !== null && contact.helpWaitUntil > now) return 'See Recovery requests';
  return barred(who, 'reset MFA') ?? (mayReset(who.session.account, contact) ? undefined : 'Ask an owner or admin');
}
