import { stringify } from 'csv-stringify/sync';
import { listAudit, record, type Actor, type AuditFilter, type AuditLine } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { appendPart } from '../accounts/job-parts.ts';
import type { Organization } from '../accounts/organizations.ts';
import { actorOfJob, startJob, type Job, type JobKind } from './jobs.ts';

export type ExportFormat = 'csv' | 'jsonl';

const BITE = 500;
const PART = 100;

const TYPES = {
  csv: { words: 'CSV', type: 'text/csv; charset=utf-8' },
  jsonl: { words: 'JSON lines', type: 'application/jsonl; charset=utf-8' },
} as const;

/** Starts the export of what a filter lets through and has happened until now; answers the job's id. */
export function startAuditExport(
  installation: Installation,
  actor: Actor,
  { id: organizationId, slug }: Organization,
  format: ExportFormat,
  filter: AuditFilter,
): Promise<string> {
  const now = installation.now();
  const to = Math.min(filter.to ?? now + 1, now + 1);
  const plan = {
    format,
    name: `${slug}-audit-log-${new Date(now).toISOString().slice(0, 10)}`,
    filter: JSON.stringify({ ...filter, to }),
  };
  return installation.db.transaction((tx) =>
    startJob(tx, installation, { organizationId, actor, kind: exportAudit.name, plan, total: 0 }),
  );
}

/** Writes the audit log, or what a filter lets through of it, into a file: the newest first, a page of it with each bite. */
export const exportAudit: JobKind = {
  name: 'export-audit',
  permission: 'export the audit log',
  unit: ['entry', 'entries'],
  title: (job) => `Export of the audit log, ${TYPES[formatOf(job)].words}`,
  bite: async (tx, installation, job) => {
    const { cursor, organizationId, done } = job;
    const before = cursor === '' ? undefined : cursor;
    const rows = await listAudit(tx, organizationId, { ...filterOf(job), before, limit: BITE });
    const format = formatOf(job);
    if (before === undefined && format === 'csv') await appendPart(tx, installation, job, format, HEADER);
    for (let at = 0; at < rows.length; at += PART)
      await appendPart(tx, installation, job, format, written(format, rows.slice(at, at + PART)));
    const ended = rows.length < BITE;
    if (ended) {
      await record(tx, installation, {
        organizationId,
        actor: actorOfJob(job),
        action: 'audit.exported',
        details: { entries: done + rows.length, format, filter: String(job.plan['filter']) },
      });
    }
    return { cursor: rows.at(-1)?.id ?? cursor, done: rows.length, ended };
  },
  file: (job) => {
    const format = formatOf(job);
    if (job.state !== 'finished') return undefined;
    return { file: format, name: `${String(job.plan['name'])}.${format}`, type: TYPES[format].type };
  },
};

function filterOf({ plan }: Job): AuditFilter {
  return JSON.parse(String(plan['filter'])) as AuditFilter;
}

function formatOf({ plan }: Job): ExportFormat {
  return plan['format'] === 'jsonl' ? 'jsonl' : 'csv';
}

const COLUMNS = [
  'number',
  'time',
  'who',
  'who_id',
  'action',
  'result',
  'whom',
  'whom_id',
  'address',
  'reason',
  'details',
  'row_id',
] as const;

// The mark at the beginning is for spreadsheets, which would else take UTF-8 for something older.
const HEADER = `\uFEFF${stringify([COLUMNS], { record_delimiter: '\r\n' })}`;

function written(format: ExportFormat, rows: readonly AuditLine[]): string {
  if (format === 'jsonl') {
    const line = (row: AuditLine): object => ({ ...row, at: iso(row.at), details: JSON.parse(row.details) as unknown });
    return rows.map((row) => `${JSON.stringify(line(row))}\n`).join('');
  }
  // Names and notes are what others wrote: none of them becomes a formula in whoever's spreadsheet.
  return stringify(rows.map(cells), { escape_formulas: true, record_delimiter: '\r\n' });
}

function cells(row: AuditLine): Record<(typeof COLUMNS)[number], string | number | null> {
  return {
    number: row.sequence,
    time: iso(row.at),
    who: row.actorName ?? (row.actorKind === 'account' ? null : row.actorKind),
    who_id: row.actorId,
    action: row.action,
    result: row.result,
    whom: row.targetName,
    whom_id: row.targetId,
    address: row.address,
    reason: row.reason,
    details: row.details,
    row_id: row.id,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
