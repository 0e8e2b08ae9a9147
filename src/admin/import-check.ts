import { html } from 'hono/html';
import { FIELDS, type Field } from '../import/columns.ts';
import { checkFile, findingsOf } from '../jobs/check-file.ts';
import { discardFile, lastImportOf, rowsWithErrors, startImport } from '../jobs/import-customers.ts';
import { aboutFile, IMPORT_CUSTOMERS } from '../jobs/import-file.ts';
import { findJob } from '../jobs/jobs.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, consolePage, counted } from './console.ts';
import { IMPORT } from './import-customers.ts';
import { bringsText, columnsSection, firstRows, problemsSection, totalsText, type Checked } from './import-findings.ts';

/** A checked file that waits to be imported, in the reader's own organization (I15). */
export interface AtImport extends Checked {
  readonly who: SignedIn;
  readonly id: string;
}

/** Hands on the file that the path names; one that is being imported has its job's page. */
export function atImport(handler: (visit: Visit, at: AtImport) => Promise<Response> | Response) {
  return async (visit: Visit, who: SignedIn): Promise<Response> => {
    const { installation } = visit;
    const key = { organizationId: who.organization.id, id: visit.param('import') };
    const job = await findJob(installation.db, key);
    if (!job || job.kind !== IMPORT_CUSTOMERS) return notFoundPage(visit);
    if (job.state !== 'prepared') return visit.see(`/admin/jobs/${job.id}`);
    const about = await aboutFile(installation.db, installation, key);
    const findings = await findingsOf(installation.db, installation, key);
    const path = `${IMPORT}/${key.id}`;
    return about && findings ? handler(visit, { who, id: key.id, path, about, findings }) : notFoundPage(visit);
  };
}

/** The second page: what would change, and what cannot. */
export function check(visit: Visit, at: AtImport): Promise<Response> {
  return checkPage(visit, at, 'good', []);
}

/** Looks at the file again with other columns. */
export async function remap(visit: Visit, at: AtImport): Promise<Response> {
  const given = await visit.form(...FIELDS);
  const mapping: Partial<Record<Field, number>> = {};
  const problems: c.Problem[] = [];
  for (const field of FIELDS.filter((one) => given[one] !== '')) {
    const column = at.about.header.findIndex((_, number) => String(number) === given[field]);
    if (column < 0) problems.push({ field, text: 'Choose one of the columns' });
    else mapping[field] = column;
  }
  const key = { organizationId: at.who.organization.id, id: at.id };
  if (given.email === '') problems.push({ field: 'email', text: 'Choose the column with the emails' });
  if (problems.length > 0) return checkPage(visit, at, 'good', problems);
  await checkFile(visit.installation, key, mapping);
  return visit.see(at.path);
}

/** The rows that do not go in, as a file to mend. */
export function errors(visit: Visit, { who, id, about, findings }: AtImport): Response {
  const key = { organizationId: who.organization.id, id };
  const rows = rowsWithErrors(visit.installation, key, about, findings.mapping);
  return visit.stream(rows, 'text/csv; charset=utf-8', 'rows-with-errors.csv');
}

/** Start again: the file is gone at once. */
export async function discard(visit: Visit, { who, id }: AtImport): Promise<Response> {
  await visit.form();
  await discardFile(visit.installation, { organizationId: who.organization.id, id });
  return visit.see(IMPORT);
}

/** Import: a job from here on. It can bring passwords and authenticators, so whoever presses it proves who they are. */
export async function begin(visit: Visit, at: AtImport): Promise<Response> {
  const { which } = await visit.form('which');
  const { who, id } = at;
  if (which !== 'good' && which !== 'all') return checkPage(visit, at, which, refused('Choose which rows go in'));
  const first = await proveFirst(visit, who, `import ${at.about.fileName}`);
  if (first) return first;
  const key = { organizationId: who.organization.id, id };
  const allOrNothing = which === 'all';
  const started = await startImport(visit.installation, actorOf(visit, who), key, { allOrNothing });
  switch (started.kind) {
    case 'started':
    case 'over':
      return visit.see(`/admin/jobs/${id}`);
    case 'wrong-rows':
      return checkPage(
        visit,
        at,
        which,
        refused(
          `${counted(started.rows, 'row is', 'rows are')} not right yet. Put that right in the file, then start again`,
        ),
      );
    case 'nothing-to-do':
      return checkPage(visit, at, which, refused('There is nothing in the file to import'));
  }
}

function refused(text: string): c.Problem[] {
  return [{ field: 'which', text }];
}

async function checkPage(visit: Visit, at: AtImport, which: string, problems: readonly c.Problem[]): Promise<Response> {
  const { who, path, about, findings } = at;
  const { db } = visit.installation;
  const { fresh, changed } = findings.totals;
  const before = await lastImportOf(db, who.organization.id, about.fileHash);
  const body = html`${
      before === undefined
        ? c.nothing
        : c.notice('warn', html`You imported this file on ${c.time(before, who.organization, 'date')}.`)
    }
    <section class="panel">
      <p><strong>${totalsText(findings)}</strong></p>
      ${bringsText(findings)}
      <p>Nothing has been saved yet.</p>
    </section>
    ${fresh + changed === 0 ? c.nothing : importForm(at, which, problems)}
    ${c.form(`${path}/discard`, c.button('Start again', { kind: 'second' }))} ${problemsSection(at)}
    ${firstRows(findings)} ${columnsSection(at, problems)}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: 'Check before importing',
    phrase: about.fileName,
    step: 'Step 2 of 3',
    errors: problems,
    body,
  });
}

function importForm({ path, findings }: AtImport, which: string, problems: readonly c.Problem[]): c.Html {
  const { fresh, changed } = findings.totals;
  const fields = html`<section class="panel">
      ${c.radios({
        name: 'which',
        label: 'Which rows go in?',
        value: which,
        error: c.problemOf(problems, 'which'),
        choices: [
          { value: 'good', label: 'Import the good rows' },
          { value: 'all', label: 'Import nothing until all are right' },
        ],
      })}
    </section>
    ${c.actions(c.button(`Import ${counted(fresh + changed, 'customer', 'customers')}`))}`;
  return c.form(path, fields, { busy: 'Starting…' });
}
