import assert from 'node:assert/strict';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findAccountByEmail, type Account } from '../../src/accounts/accounts.ts';
import { partsOf } from '../../src/accounts/job-parts.ts';
import type { Organization } from '../../src/accounts/organizations.ts';
import { checkFile, type Findings } from '../../src/jobs/check-file.ts';
import { startImport } from '../../src/jobs/import-customers.ts';
import { stageFile } from '../../src/jobs/import-file.ts';
import type { Job } from '../../src/jobs/jobs.ts';
import { openRunner } from '../../src/jobs/runner.ts';
import type { World } from '../world.ts';

export interface Key {
  readonly organizationId: string;
  readonly id: string;
}

export interface Given {
  readonly updates?: boolean;
}

/** A file at the second page: looked at, and nothing saved. */
export async function checked(
  { installation }: Pick<World, 'installation'>,
  { id: organizationId }: Pick<Organization, 'id'>,
  file: string | Uint8Array,
  { updates = false }: Given = {},
): Promise<{ key: Key; findings: Findings }> {
  const whose = { organizationId, actor: OPERATOR };
  const staged = await stageFile(installation, whose, { name: 'people.csv', bytes: [Buffer.from(file)] }, { updates });
  assert.ok(staged.kind === 'staged', JSON.stringify(staged));
  const key = { organizationId, id: staged.id };
  const findings = await checkFile(installation, key);
  assert.ok(findings);
  return { key, findings };
}

/** Presses Import, and waits for the job. */
export async function imported({ installation }: Pick<World, 'installation'>, key: Key): Promise<Job> {
  const started = await startImport(installation, OPERATOR, key, { allOrNothing: false });
  assert.equal(started.kind, 'started');
  const job = await openRunner(installation).toEnd(key, () => undefined);
  assert.equal(job?.state, 'finished');
  assert.ok(job);
  return job;
}

/** All three pages. */
export async function imports(
  world: Pick<World, 'installation'>,
  organization: Pick<Organization, 'id'>,
  file: string | Uint8Array,
  given: Given = {},
): Promise<Job> {
  const { key } = await checked(world, organization, file, given);
  return imported(world, key);
}

/** What a check says of the lines that it found something wrong with. */
export function told({ problems }: Findings): string[] {
  return problems.map(({ line, text }) => `Line ${line}: ${text}`);
}

export async function fileOf({ installation }: Pick<World, 'installation'>, job: Key, file: string): Promise<string> {
  return (await Array.fromAsync(partsOf(installation.db, installation, job, file))).join('');
}

export async function contact(world: World, { id }: Pick<Organization, 'id'>, email: string): Promise<Account> {
  const found = await findAccountByEmail(world.db, id, 'contact', email);
  assert.ok(found, `there is no ${email}`);
  return found;
}
