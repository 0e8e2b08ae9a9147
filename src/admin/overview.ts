import { html } from 'hono/html';
import {
  adoption,
  agentNames,
  countedAt,
  dayOf,
  daysUntil,
  firstSteps,
  lastCount,
  periodsUntil,
  sums,
  type AdoptionPeriod,
  type Count,
  type Days,
  type Span,
  type Sum,
} from '../accounts/figures.ts';
import type { Permission } from '../accounts/staff.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { barred, consolePage, portalAddress } from './console.ts';
import { activitySections, auditPath, total } from './overview-activity.ts';
import { adoptionCsv, adoptionFile, adoptionOf, adoptionSection, finding, PERIODS } from './overview-adoption.ts';

/** How far back the comparison with last month may look for a day on which somebody counted. */
const LAST_MONTH_WITHIN_DAYS = 7;

/** Where staff land: what is still to do, and how far MFA has come. Read from the daily figures alone. */
export async function overview(visit: Visit, who: SignedIn): Promise<Response> {
  const { db } = visit.installation;
  const { id, policy } = who.organization;
  const { customer, signIn } = await firstSteps(db, id);
  // A copy of the link leaves no trace; the first customer who came through the portal does.
  const done = { mfa: policy !== 'off', customer, link: signIn };
  const ready = done.mfa && done.customer && done.link;
  const body = html`${ready ? c.nothing : checklist(visit, who, done)} ${await figures(visit, who, signIn)}`;
  return consolePage(visit, who, { current: 'overview', title: 'Overview', body });
}

/** The rows of the chart as a file. */
export async function downloadAdoption(visit: Visit, who: SignedIn): Promise<Response> {
  const span = spanOf(visit);
  return visit.text(adoptionCsv(await periodsOf(visit, who, span)), 'text/csv; charset=utf-8', adoptionFile(span));
}

function checklist(visit: Visit, who: SignedIn, done: { mfa: boolean; customer: boolean; link: boolean }): c.Html {
  const address = portalAddress(visit, who.organization);
  const settings = linkFor(who, 'change settings', 'Open settings', '/admin/settings/customer-portal/general');
  const add = linkFor(who, 'edit customers', 'Add customer', '/admin/customers/new');
  const copy = c.actions(c.copyButton('Copy', address, { select: 'portal-link', copied: 'Copied.' }));
  const link = html`<br /><small id="portal-link">${c.ltr(address)}</small>`;
  return c.section(
    'Three things to do first',
    c.summaryList([
      { label: 'Turn on MFA', value: state(done.mfa), action: settings },
      { label: 'Add a customer', value: state(done.customer), action: add },
      { label: 'Copy the portal link', value: html`${state(done.link)}${link}`, action: copy },
    ]),
  );
}

function state(isDone: boolean): c.Html {
  return isDone ? c.pill('ok', 'Done') : c.pill('muted', 'To do');
}

function linkFor(who: SignedIn, permission: Permission, label: string, href: string): c.Html | undefined {
  return barred(who, permission) === undefined ? html`<a href="${href}">${label}</a>` : undefined;
}

async function figures(visit: Visit, who: SignedIn, signIn: boolean): Promise<c.Html> {
  const { db } = visit.installation;
  const { id } = who.organization;
  const today = todayOf(visit, who);
  const count = await lastCount(db, id, { from: '', to: today });
  const at = await countedAt(db, id);
  if (!signIn || !count || at === null)
    return c.emptyState('No numbers yet. Come back after your customers have signed in.');
  const lastMonth = Temporal.PlainDate.from(today).subtract({ months: 1 }).toString();
  const before = await lastCount(db, id, daysUntil(lastMonth, LAST_MONTH_WITHIN_DAYS));
  const days = daysUntil(today, 30);
  const ofToday = await sums(db, id, { from: today, to: today });
  const ofDays = await sums(db, id, days);
  const agents = ofDays.filter(({ name }) => name === 'reset').map(({ subject }) => subject);
  const span = spanOf(visit);
  return html`<div class="findings">
      <p class="finding">${finding(adoptionOf(count), before && adoptionOf(before))}</p>
      ${tiles(count, ofToday, { from: today, to: today })}
      <p class="hint">Counted at ${c.time(at, who.organization, count.day === today ? 'hour' : 'moment')}.</p>
    </div>
    ${adoptionSection(span, await periodsOf(visit, who, span))}
    ${activitySections({
      days,
      sums: ofDays,
      before: await sums(db, id, daysUntil(dayBefore(days.from), 30)),
      names: await agentNames(db, id, agents),
    })}`;
}

function tiles(count: Count, ofToday: readonly Sum[], today: Days): c.Html {
  const blocked = (['password-wrong', 'kept-out', 'code-wrong', 'code-used'] as const)
    .map((event) => total(ofToday, event))
    .reduce((all, value) => all + value, 0);
  const all: [label: string, value: number, href: string][] = [
    ['On', count['mfa-on'], '/admin/customers?mfa=on'],
    ['Not set up', count['mfa-none'], '/admin/customers?mfa=none'],
    ['Low on backup codes', count['mfa-low'], '/admin/customers?mfa=low'],
    ['Locked', count['mfa-locked'], '/admin/customers?mfa=locked'],
    ['Reset, not set up again', count['mfa-reset'], '/admin/customers?mfa=reset'],
    ['Set up today', total(ofToday, 'enabled'), auditPath(today, 'mfa', 'mfa.enabled')],
    ['Lock-outs today', total(ofToday, 'locked-out'), auditPath(today, 'sign-ins', 'signed-in')],
    ['Blocked sign-ins today', blocked, auditPath(today, 'sign-ins')],
  ];
  return html`<ul class="tiles">
    ${all.map(
      ([label, value, href]) =>
        html`<li>
          <a href="${href}">${label} <strong>${value.toLocaleString('en-GB')}</strong></a>
        </li>`,
    )}
  </ul>`;
}

function periodsOf(visit: Visit, who: SignedIn, span: Span): Promise<AdoptionPeriod[]> {
  const periods = periodsUntil(todayOf(visit, who), span, PERIODS);
  return adoption(visit.installation.db, who.organization.id, periods);
}

function todayOf(visit: Visit, { organization }: SignedIn): string {
  return dayOf(visit.now, organization.timeZone);
}

function dayBefore(day: string): string {
  return Temporal.PlainDate.from(day).subtract({ days: 1 }).toString();
}

function spanOf(visit: Visit): Span {
  return visit.query('span') === 'months' ? 'months' : 'weeks';
}
