import { html } from 'hono/html';
import { listAudit, type AuditLine } from '../accounts/audit.ts';
import { startAuditExport } from '../jobs/export-audit.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { details, utc } from './audit-details.ts';
import { addressOf, asked, AUDIT, FIELDS, filterForm, type Asked, type Typed } from './audit-filter.ts';
import { integrity } from './audit-integrity.ts';
import { cameAbout, capital, sentence, whomName, whoName } from './audit-words.ts';
import { actorOf, barred, consolePage } from './console.ts';
import { line } from './inputs.ts';

const PAGE = 50;

/** The audit log: what happened, to whom and by whom, the newest first. */
export async function audit(visit: Visit, who: SignedIn): Promise<Response> {
  const { installation } = visit;
  const typed = typedIn((field) => visit.query(field));
  const looked = await asked(installation, who.organization, typed);
  return auditPage(visit, who, looked);
}

/** Export: a job, whatever the number, that writes down what the filter of the page lets through. */
export async function exportAudit(visit: Visit, who: SignedIn): Promise<Response> {
  const given = await visit.form(...FIELDS, 'format');
  const looked = await asked(
    visit.installation,
    who.organization,
    typedIn((field) => given[field]),
  );
  const { format } = given;
  if (format !== 'csv' && format !== 'jsonl')
    return auditPage(visit, who, { ...looked, problems: [{ field: 'main', text: 'Choose CSV or JSON lines' }] });
  if (looked.problems.length > 0) return auditPage(visit, who, looked);
  const id = await startAuditExport(visit.installation, actorOf(visit, who), who.organization, format, looked.filter);
  return visit.see(`/admin/jobs/${id}`);
}

function typedIn(read: (field: keyof Typed) => string): Typed {
  return Object.fromEntries(FIELDS.map((field) => [field, line(read(field))])) as Typed;
}

async function auditPage(visit: Visit, who: SignedIn, looked: Asked): Promise<Response> {
  const { organization } = who;
  const before = visit.query('before') || undefined;
  const filter = { ...looked.filter, before, limit: PAGE + 1 };
  const rows = await listAudit(visit.installation.db, organization.id, filter);
  const shown = rows.slice(0, PAGE);
  const last = shown.at(-1);
  const next = rows.length > PAGE && last ? addressOf(looked.typed, { before: last.id }) : undefined;
  const check = await integrity(visit, organization);
  const body = html`${check.broken} ${filterForm(looked)}
  ${shown.length === 0 ? noneMatch(looked) : table(visit, who, looked.typed, shown)}
  ${pages(looked.typed, before, next)} ${exports(who, looked)} ${check.line}`;
  return consolePage(visit, who, { current: 'audit', title: 'Audit log', errors: looked.problems, body });
}

function noneMatch({ typed }: Asked): c.Html {
  const isAll = addressOf(typed) === AUDIT;
  return isAll
    ? c.emptyState('Nothing older.', c.linkButton('First page', AUDIT))
    : c.emptyState('No entries match. Try fewer filters.', c.linkButton('Clear filters', AUDIT));
}

function table(visit: Visit, { organization }: SignedIn, typed: Typed, rows: readonly AuditLine[]): c.Html {
  const shown = c.dataTable({
    id: 'audit',
    caption: 'What happened, the newest first',
    columns: ['Time', 'Who', 'What', 'Whom', 'From', 'Result'].map((label) => ({ label })),
    rowHeader: 2,
    rows: rows.map((row) => [
      moment(row.at, organization),
      linked(typed, { who: row.actorId }, row.actorName === null ? capital(whoName(row)) : whoName(row)),
      html`<span class="plain">${sentence(row)}</span> ${details(row, organization, visit.now)}`,
      whom(row, typed),
      row.address === null ? '–' : linked(typed, { address: row.address }, row.address),
      cameAbout(row) ? c.pill('ok', 'Done') : c.pill('warn', 'Refused'),
    ]),
  });
  return html`<div class="log">${shown}</div>`;
}

// Two lines, so that the table stays narrow.
function moment(at: number, where: c.Locale): c.Html {
  return html`<span title="${utc(at)}">${c.timeText(at, where, 'date')}<br />${c.time(at, where, 'hour')}</span>`;
}

function whom(row: AuditLine, typed: Typed): c.Content {
  if (row.targetId === null || row.targetId === row.actorId) return '–';
  if (row.action.startsWith('job.')) return html`<a href="/admin/jobs/${row.targetId}">Job</a>`;
  return linked(typed, { whom: row.targetId }, row.targetName === null ? capital(whomName(row)) : whomName(row));
}

function linked(typed: Typed, change: Partial<Record<keyof Typed, string | null>>, text: string): c.Html {
  const name = html`<bdi>${text}</bdi>`;
  const [[field, value] = ['', null]] = Object.entries(change);
  return value === null ? name : html`<a href="${addressOf(typed, { [field]: value })}">${name}</a>`;
}

function pages(typed: Typed, before: string | undefined, next: string | undefined): c.Html {
  if (before === undefined && next === undefined) return c.nothing;
  return html`<nav class="actions" aria-label="Pages">
    ${before === undefined ? c.nothing : c.linkButton('First page', addressOf(typed))}
    ${next === undefined ? c.nothing : c.linkButton('Next', next)}
  </nav>`;
}

function exports(who: SignedIn, { typed, problems }: Asked): c.Html {
  if (barred(who, 'export the audit log') !== undefined || problems.length > 0) return c.nothing;
  const given = FIELDS.filter((field) => typed[field] !== '');
  const fields = html`${given.map((field) => html`<input type="hidden" name="${field}" value="${typed[field]}" />`)}
    <div class="actions">
      ${c.button('Export CSV', { kind: 'second', name: 'format', value: 'csv' })}
      ${c.button('Export JSON lines', { kind: 'second', name: 'format', value: 'jsonl' })}
    </div>
    <p class="hint">All entries that the filter selects, as a file that is kept for a day.</p>`;
  return c.form(`${AUDIT}/export`, fields, { label: 'Export' });
}
