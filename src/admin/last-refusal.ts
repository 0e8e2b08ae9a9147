import { html } from 'hono/html';
import { listAudit, type Action, type AuditLine } from '../accounts/audit.ts';
import { auditName } from '../accounts/audit-filter.ts';
import type { Contact } from '../accounts/contacts.ts';
import { clockIsBehind, waits } from '../auth/limits.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { cameAbout } from './audit-words.ts';
import { counted } from './console.ts';

const TOLD_FOR_MS = 24 * 60 * 60_000;
const OPEN_FOR_MS = 60 * 60_000;
const LOOKED_AT = 50;
const TOLD = 5;
const ANSWERS: readonly Action[] = ['password.answered', 'signed-in', 'proved-again', 'enrolment.answered'];

/** Why a contact on the phone was not let in, in words that an agent can read out. No code is in them. */
export async function lastRefusal(visit: Visit, { organization }: SignedIn, contact: Contact): Promise<c.Html> {
  const { now, installation } = visit;
  const filter = { targetId: contact.id, actions: ANSWERS, from: now - TOLD_FOR_MS, limit: LOOKED_AT };
  const refused = (await listAudit(installation.db, organization.id, filter)).filter((row) => !cameAbout(row));
  const { seenAt } = await waits(installation.db, contact);
  const items = [
    ...justNow(contact, clockIsBehind(now, seenAt ?? 0), organization, now),
    ...(await Promise.all(refused.slice(0, TOLD).map((row) => told(visit, row, contact, organization)))),
  ];
  if (items.length === 0) return c.nothing;
  const isRecent = refused.some(({ at }) => now - at < OPEN_FOR_MS);
  return c.disclosure(
    'Refused in the last 24 hours',
    html`<ul class="bullets">
      ${items.map((item) => html`<li>${item}</li>`)}
    </ul>`,
    { open: isRecent },
  );
}

function justNow(contact: Contact, isBehind: boolean, where: c.Locale, now: number): c.Html[] {
  const held: c.Html[] = [];
  if (isBehind)
    held.push(html`This server's clock is wrong, and no code of an app is accepted. It is not the caller's fault.`);
  if (contact.suspectedAt !== null) {
    held.push(html`Their password may be known to someone else and opens nothing: choose Unlock.`);
  } else if (contact.waitUntil > now) {
    held.push(html`Too many wrong codes: they can try again at ${c.time(contact.waitUntil, where, 'clock')}.`);
  }
  return held;
}

async function told(
  visit: Visit,
  row: AuditLine,
  contact: Contact,
  where: c.Locale & { name: string },
): Promise<c.Html> {
  const isToday = c.timeText(row.at, where, 'date') === c.timeText(visit.now, where, 'date');
  const when = isToday ? html`At ${c.time(row.at, where, 'hour')}` : html`On ${c.time(row.at, where)}`;
  return html`${when} ${await reason(visit, row, contact, where)}`;
}

interface Facts {
  readonly factor?: string;
  readonly why?: string;
  readonly minutes?: number;
  readonly account?: string;
}

async function reason(visit: Visit, row: AuditLine, contact: Contact, where: { name: string }): Promise<c.Html> {
  const facts = JSON.parse(row.details) as Facts;
  if (row.action === 'password.answered') return password(row.result);
  if (row.result === 'held-up') return html`they had to wait, and no code was looked at.`;
  if (row.result === 'clock-behind') return html`this server's clock was wrong, and no code was looked at.`;
  if (row.result === 'already-used' || facts.why === 'used') return used(facts.factor);
  if (row.result === 'passkey-refused') return passkey(facts.why);
  if (facts.why === 'clock') return clock(facts.minutes ?? 0);
  if (facts.why === 'other-account') {
    const whose = await auditName(visit.installation.db, contact.organizationId, facts.account ?? '');
    return html`they entered the code of another account: it belongs to <bdi>${whose ?? 'somebody who is gone'}</bdi> of
      this customer. In the app, choose the entry for ${c.ltr(contact.email)}.`;
  }
  if (facts.factor === 'backup-code') {
    return html`they entered a wrong backup code. Only the codes that were made last work: an older list does not.`;
  }
  return html`they entered a wrong code. In the app, choose the entry for <bdi>${where.name}</bdi> and
    ${c.ltr(contact.email)}, and enter what it shows at this moment.`;
}

function password(result: string): c.Html {
  if (result === 'disabled') return html`they tried to sign in while portal access was off.`;
  if (result === 'wrong') return html`they entered a wrong password.`;
  return html`they entered the right password, which may be known to someone else: choose Unlock.`;
}

function passkey(why: string | undefined): c.Html {
  if (why === 'counter') return html`a passkey of theirs was refused: there may be a copy of it.`;
  if (why === 'not-allowed') return html`they used a passkey, which the settings do not accept for this.`;
  return html`they used a passkey that was refused. They can sign in with a code, then remove it and add it again.`;
}

function used(factor: string | undefined): c.Html {
  return factor === 'backup-code'
    ? html`they entered a backup code that had already been used. Cross it out and take another one.`
    : html`they entered a code that had already been used. The app shows the next one within 30 seconds.`;
}

function clock(minutes: number): c.Html {
  const by = counted(Math.abs(minutes), 'minute', 'minutes');
  const [moment, pace] = minutes < 0 ? ['earlier', 'slow'] : ['later', 'fast'];
  return html`they entered a code that would have been right ${by} ${moment}. The phone's clock is about ${by} ${pace}:
  set its date and time to automatic.`;
}
