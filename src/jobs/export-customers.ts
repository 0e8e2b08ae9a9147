import { HAS_MFA } from '../accounts/accounts.ts';
import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';
import { appendPart } from '../accounts/job-parts.ts';
import { sql, type Queries } from '../db/db.ts';
import { BYTE_ORDER_MARK, csvText } from '../import/csv-text.ts';
import { actorOfJob, startJob, type Job, type JobKind } from './jobs.ts';

const CONTACTS_A_BITE = 500;
const FILE = 'customers';

const HEADER = [
  'email',
  'name',
  'customer',
  'customer_id',
  'external_id',
  'phone',
  'portal_access',
  'mfa',
  'backup_codes_left',
  'last_sign_in',
];

/** Starts writing a file of all contacts with their customers. Answers the job's id. */
export function startExport(installation: Installation, actor: Actor, organizationId: string): Promise<string> {
  return installation.db.transaction(async (tx) => {
    const row = await tx.one<{ contacts: number }>(sql`SELECT COUNT(*) AS contacts FROM accounts
      WHERE organization_id = ${organizationId} AND kind = 'contact'`);
    const total = row?.contacts ?? 0;
    return startJob(tx, installation, { organizationId, actor, kind: exportCustomers.name, plan: {}, total });
  });
}

/** Writes contacts into a file, in the order in which they came; whoever comes meanwhile is among them. */
export const exportCustomers: JobKind = {
  name: 'export-customers',
  permission: 'import and export customers',
  unit: ['contact', 'contacts'],
  title: () => 'Export customers',
  bite: async (tx, installation, job) => {
    const contacts = await contactsAfter(tx, job);
    const rows = contacts.map(rowOf);
    const begins = job.cursor === '';
    const text = csvText(begins ? [HEADER, ...rows] : rows);
    if (text !== '') await appendPart(tx, installation, job, FILE, begins ? `${BYTE_ORDER_MARK}${text}` : text);
    const ended = contacts.length < CONTACTS_A_BITE;
    const done = job.done + contacts.length;
    if (ended) await recordExport(tx, installation, job, done);
    const cursor = contacts.at(-1)?.id ?? job.cursor;
    return { cursor, done: contacts.length, ended, ...(ended ? { total: done } : {}) };
  },
  file: ({ state }) =>
    state === 'finished' ? { file: FILE, name: 'customers.csv', type: 'text/csv; charset=utf-8' } : undefined,
};

interface Exported {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly phone: string | null;
  readonly externalId: string | null;
  readonly customer: string;
  readonly customerId: string | null;
  readonly disabledAt: number | null;
  readonly hasMfa: number;
  readonly codesLeft: number | null;
  readonly lastSignInAt: number | null;
}

function contactsAfter(db: Pick<Queries, 'all'>, { organizationId, cursor }: Job): Promise<Exported[]> {
  return db.all(sql`SELECT a.id, a.email, a.name, a.phone, a.external_id AS "externalId", c.name AS customer,
      c.external_id AS "customerId", a.disabled_at AS "disabledAt",
      CASE WHEN ${HAS_MFA} THEN 1 ELSE 0 END AS "hasMfa", a.last_sign_in_at AS "lastSignInAt",
      (SELECT COUNT(b.id) - COUNT(b.used_at) FROM backup_code_sets s JOIN backup_codes b
        ON b.organization_id = s.organization_id AND b.set_id = s.id
        WHERE s.organization_id = a.organization_id AND s.account_id = a.id AND s.revoked_at IS NULL
        HAVING COUNT(b.id) > 0) AS "codesLeft"
    FROM accounts a JOIN customers c ON c.organization_id = a.organization_id AND c.id = a.customer_id
    WHERE a.organization_id = ${organizationId} AND a.kind = 'contact' AND a.id > ${cursor}
    ORDER BY a.id LIMIT ${CONTACTS_A_BITE}`);
}

// The columns that an import knows are named and filled as it reads them.
function rowOf(contact: Exported): string[] {
  return [
    contact.email,
    contact.name,
    contact.customer,
    contact.customerId ?? '',
    contact.externalId ?? '',
    contact.phone ?? '',
    contact.disabledAt === null ? 'yes' : 'no',
    contact.hasMfa === 1 ? 'on' : 'not set up',
    contact.codesLeft === null ? '' : String(contact.codesLeft),
    contact.lastSignInAt === null ? '' : new Date(contact.lastSignInAt).toISOString(),
  ];
}

function recordExport(tx: Queries, installation: Installation, job: Job, contacts: number): Promise<void> {
  return record(tx, installation, {
    organizationId: job.organizationId,
    actor: actorOfJob(job),
    action: 'customers.exported',
    targetId: job.id,
    details: { contacts },
  });
}
