import { record, type Actor } from '../accounts/audit.ts';
import type { Installation } from '../accounts/installation.ts';

import { appendPart } from '../accounts/job-parts.ts';
import { countContacts } from '../accounts/list-count.ts';
import { conditionsOf, IS_LISTED, type View } from '../accounts/list-view.ts';
import { all } from '../accounts/list-walk.ts';
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

/** The view that leaves nobody out. */
export const EVERYBODY: View = {
  search: '',
  mfa: null,
  portal: null,
  lastSignIn: null,
  sort: 'name',
  descending: false,
};

/** Starts writing a file of the contacts that a view shows, with their customers. Answers the job's id. */
export async function startExport(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  view = EVERYBODY,
): Promise<string> {
  const at = installation.now();
  const total = await countContacts(installation.db, organizationId, view, at);
  const plan = { view: JSON.stringify(view), at };
  return installation.db.transaction((tx) =>
    startJob(tx, installation, { organizationId, actor, kind: exportCustomers.name, plan, total }),
  );
}

/** Writes contacts into a file, in the order in which they came; whoever comes meanwhile is among them. */
export const exportCustomers: JobKind = {
  name: 'export-customers',
  permission: 'import and export customers',
  unit: ['contact', 'contacts'],
  title: () => 'Export customers',
  bite: async (tx, installation, job) => {
    const looked = await contactsAfter(tx, job);
    const contacts = looked.filter(({ isMeant }) => isMeant === 1);
    const rows = contacts.map(rowOf);
    const begins = job.cursor === '';
    const text = csvText(begins ? [HEADER, ...rows] : rows);
    if (text !== '') await appendPart(tx, installation, job, FILE, begins ? `${BYTE_ORDER_MARK}${text}` : text);
    const ended = looked.length < CONTACTS_A_BITE;
    const done = job.done + contacts.length;
    if (ended) await recordExport(tx, installation, job, done);
    const cursor = looked.at(-1)?.id ?? job.cursor;
    return { cursor, done: contacts.length, ended, ...(ended ? { total: done } : {}) };
  },
  file: ({ state }) =>
    state === 'finished' ? { file: FILE, name: 'customers.csv', type: 'text/csv; charset=utf-8' } : undefined,
};

interface Exported {
  readonly id: string;
  readonly isMeant: number;
  readonly email: string;
  readonly name: string;
  readonly phone: string | null;
  readonly externalId: string | null;
  readonly customer: string;
  readonly customerId: string | null;
  readonly disabledAt: number | null;
  readonly mfaSince: number | null;
  readonly codesLeft: number | null;
  readonly lastSignInAt: number | null;
}

function contactsAfter(db: Pick<Queries, 'all'>, { organizationId, cursor, plan }: Job): Promise<Exported[]> {
  const view = JSON.parse(String(plan['view'])) as View;
  const conditions = conditionsOf(organizationId, view, Number(plan['at']));
  return db.all(sql`SELECT a.id, CASE WHEN 1 = 1 ${all(conditions)} THEN 1 ELSE 0 END AS "isMeant", a.email, a.name, a.phone,
      a.external_id AS "externalId", c.name AS customer, c.external_id AS "customerId", a.disabled_at AS "disabledAt",
      a.mfa_since AS "mfaSince", a.backup_codes_left AS "codesLeft", a.last_sign_in_at AS "lastSignInAt"
    FROM accounts a JOIN customers c ON c.organization_id = a.organization_id AND c.id = a.customer_id
    WHERE a.organization_id = ${organizationId} AND ${IS_LISTED} AND a.id > ${cursor}
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
    contact.mfaSince === null ? 'not set up' : 'on',
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
