import { bulkContacts } from './bulk-contacts.ts';
import { exportAudit } from './export-audit.ts';
import { exportCustomers } from './export-customers.ts';
import { importCustomers } from './import-customers.ts';
import type { Job, JobKind } from './jobs.ts';
import { RESET_EVERYBODY } from './reset-everybody.ts';

/** Every sort of work that jobs do. */
export const JOB_KINDS: readonly JobKind[] = [
  bulkContacts,
  importCustomers,
  exportCustomers,
  RESET_EVERYBODY,
  exportAudit,
];

/** The kind of that name, among those that this version can do. */
export function kindNamed(name: string, kinds: readonly JobKind[] = JOB_KINDS): JobKind | undefined {
  return kinds.find((kind) => kind.name === name);
}

/** What a job is called and who may touch it, also where another version made it and this one cannot work on it. */
export function kindOf({ kind }: Pick<Job, 'kind'>): Omit<JobKind, 'bite'> {
  return kindNamed(kind) ?? { name: kind, permission: 'change settings', unit: ['part', 'parts'], title: () => kind };
}
