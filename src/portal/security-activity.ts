import { html } from 'hono/html';
import { listAudit, type Action, type AuditLine } from '../accounts/audit.ts';
import type { Organization } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { insidePage, portalBase } from './frame.ts';

const LATEST = 20;
const PAGE = 50;

/**
 * What of the audit log about an account its owner reads, in their words. Never a name, a reason, a note or an address
 * of staff: whatever the merchant did, the merchant did. What is not here is told nobody but staff.
 */
const TOLD: Partial<Record<Action, (row: AuditLine, m: string) => string>> = {
  'signed-in': ({ result, details }) => {
    if (result === 'wrong') return say('did.signed-in.wrong');
    if (result === 'already-used') return say('did.signed-in.already-used');
    const { factor, why } = JSON.parse(details) as { factor?: string; why?: string };
    if (result === 'passkey-refused')
      return say(why === 'counter' ? 'did.signed-in.passkey-copied' : 'did.signed-in.passkey-refused');
    if (factor === 'passkey') return say('did.signed-in.passkey');
    if (factor === 'trusted-device') return say('did.signed-in.device');
    return say(factor === 'backup-code' ? 'did.signed-in.backup-code' : 'did.signed-in');
  },
  'signed-out': () => say('did.signed-out'),
  'mfa.enabled': () => say('did.mfa.enabled'),
  'mfa.turned-off': () => say('did.mfa.turned-off'),
  'mfa.reset': (_, m) => say('did.mfa.reset', { m }),
  'authenticator.added': () => say('did.authenticator.added'),
  'authenticator.replaced': () => say('did.authenticator.replaced'),
  'authenticator.renamed': () => say('did.authenticator.renamed'),
  'authenticator.removed': () => say('did.authenticator.removed'),
  'passkey.added': () => say('did.passkey.added'),
  'passkey.renamed': () => say('did.passkey.renamed'),
  'passkey.removed': () => say('did.passkey.removed'),
  'backup-codes.generated': () => say('did.backup-codes.generated'),
  'password.set': (row, m) => (isOwn(row) ? say('did.password.set') : say('did.password.set.by-them', { m })),
  'welcome-link.made': (_, m) => say('did.welcome-link.made', { m }),
  'sessions.ended': (row, m) => {
    const { sessions = 1 } = JSON.parse(row.details) as { sessions?: number };
    return isOwn(row) ? say('did.sessions.ended', { n: sessions }) : say('did.sessions.ended.by-them', { m });
  },
  'portal-access.enabled': (_, m) => say('did.portal-access.enabled', { m }),
  'portal-access.disabled': (_, m) => say('did.portal-access.disabled', { m }),
  'contact.changed': (_, m) => say('did.contact.changed', { m }),
  'account.unlocked': (_, m) => say('did.account.unlocked', { m }),
  'device.trusted': () => say('did.device.trusted'),
  'device.removed': (row, m) => (isOwn(row) ? say('did.device.removed') : say('did.device.removed.by-them', { m })),
  'device.replayed': () => say('did.device.replayed'),
  'new-password.asked': () => say('did.new-password.asked'),
  'email-change.asked': () => say('did.email-change.asked'),
  'email.changed': () => say('did.email.changed'),
  'account.not-me': () => say('did.account.not-me'),
  'recovery.asked': () => say('did.recovery.asked'),
  'recovery.cancelled': () => say('did.recovery.cancelled'),
  'recovery.approved': (_, m) => say('did.recovery.approved', { m }),
  'recovery.refused': (_, m) => say('did.recovery.refused', { m }),
  'sign-in-code.made': (_, m) => say('did.sign-in-code.made', { m }),
  'sign-in-code.used': ({ result }, m) =>
    result === 'right' ? say('did.sign-in-code.used', { m }) : say('did.signed-in.wrong'),
  'enrolment-code.made': (_, m) => say('did.enrolment-code.made', { m }),
};

const ACTIONS = Object.keys(TOLD) as Action[];

function isOwn({ actorId, targetId }: AuditLine): boolean {
  return actorId === targetId;
}

/** The latest that happened to an account, and the way to all of it. */
export async function activitySection(visit: Visit, { organization, session }: SignedIn): Promise<c.Html> {
  const rows = await rowsOf(visit, session, undefined, LATEST);
  const all = c.rowLink(say('sec.activity.all'), pathOf(organization), say('sec.activity.all.name'));
  const list = rows.length === 0 ? html`<p>${say('sec.activity.none')}</p>` : table(organization, rows);
  return c.section(
    say('sec.activity'),
    html`${list}
      <p>${all}</p>`,
  );
}

/** GET /security/activity: all of it, page by page. */
export async function show(visit: Visit, { organization, session }: SignedIn): Promise<Response> {
  const before = visit.query('before') || undefined;
  const rows = await rowsOf(visit, session, before, PAGE + 1);
  const shown = rows.slice(0, PAGE);
  const older = rows.length > PAGE ? shown.at(-1)?.id : undefined;
  const none = say(before === undefined ? 'sec.activity.none' : 'sec.activity.oldest');
  const path = pathOf(organization);
  const pages = html`<nav class="actions" aria-label="${say('sec.activity')}">
    ${before === undefined ? c.nothing : c.linkButton(say('sec.activity.newest'), path)}
    ${older === undefined ? c.nothing : c.linkButton(say('sec.activity.older'), `${path}?before=${older}`)}
  </nav>`;
  const page = insidePage(organization, {
    title: say('sec.activity'),
    body: html`<p>${say('sec.activity.text', { m: organization.name })}</p>
      ${shown.length === 0 ? html`<p>${none}</p>` : table(organization, shown)}
      ${before === undefined && older === undefined ? c.nothing : pages}
      <p><a href="${portalBase(organization)}/security">${say('sec.back')}</a></p>`,
  });
  return visit.page(page);
}

function pathOf(organization: Organization): string {
  return `${portalBase(organization)}/security/activity`;
}

function rowsOf(
  { installation }: Visit,
  { account }: SignedIn['session'],
  before: string | undefined,
  limit: number,
): Promise<AuditLine[]> {
  const filter = { targetId: account.id, actions: ACTIONS, before, limit };
  return listAudit(installation.db, account.organizationId, filter);
}

function table(organization: Organization, rows: readonly AuditLine[]): c.Html {
  return c.dataTable({
    id: 'activity',
    caption: say('sec.activity'),
    columns: [
      { label: say('sec.activity.what') },
      { label: say('sec.activity.place') },
      { label: say('sec.activity.when') },
    ],
    rows: rows.map((row) => [
      TOLD[row.action]?.(row, organization.name) ?? '',
      isOwn(row) && row.address !== null ? c.ltr(row.address) : '–',
      c.time(row.at, organization),
    ]),
  });
}
