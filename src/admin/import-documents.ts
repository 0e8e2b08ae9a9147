import { html } from 'hono/html';
import { importDocuments } from '../accounts/documents.ts';
import { DOCUMENT_COLUMNS, readDocuments, type DocumentsRead } from '../import/documents.ts';
import { refusalText } from '../import/records.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, consolePage, counted } from './console.ts';

export const IMPORT_DOCUMENTS = '/admin/customers/import-documents';
const FILE_MB_MAX = 2;
export const DOCUMENTS_BODY_MAX = FILE_MB_MAX * 1024 ** 2;

/** Import documents: what customers see behind the door, as the command takes it over. */
export function askForDocuments(visit: Visit, who: SignedIn): Promise<Response> {
  return documentsPage(visit, who);
}

/** All of the file goes in, or nothing and every mistake is told. */
export async function receiveDocuments(visit: Visit, who: SignedIn): Promise<Response> {
  const { file } = await visit.upload('file');
  const { installation } = visit;
  if (!file) return documentsPage(visit, who, 'Choose a file');
  const read = await readDocuments(installation.db, who.organization.id, [file.bytes]);
  if (read.kind !== 'documents')
    return documentsPage(visit, who, whyNot(read), read.kind === 'mistakes' ? read.lines : []);
  const count = await importDocuments(installation, actorOf(visit, who), who.organization.id, read.documents);
  visit.leave('admin', { kind: 'ok', text: `${counted(count, 'document was', 'documents were')} imported.` });
  return visit.see('/admin/customers');
}

function whyNot(read: Exclude<DocumentsRead, { kind: 'documents' }>): string {
  switch (read.kind) {
    case 'refused':
      return refusalText(read.problem);
    case 'columns':
      return read.sentence.slice(0, -1);
    case 'mistakes':
      return `Nothing was imported: ${counted(read.lines.length, 'thing is', 'things are')} not right in the file`;
  }
}

const MISTAKES_SHOWN = 200;

function documentsPage(
  visit: Visit,
  who: SignedIn,
  error?: string,
  mistakes: readonly string[] = [],
): Promise<Response> {
  const problems = error === undefined ? [] : [{ field: 'file', text: error }];
  const more = mistakes.length - MISTAKES_SHOWN;
  const list = html`<ul class="bullets">
      ${mistakes.slice(0, MISTAKES_SHOWN).map((text) => html`<li>${text}</li>`)}
    </ul>
    ${more > 0 ? html`<p>And ${counted(more, 'other', 'others')}.</p>` : c.nothing}`;
  const fields = html`<section class="panel">
      <div data-drop="file" data-says="Or drop it here.">
        ${c.fileField({
          name: 'file',
          label: 'File',
          hint: `CSV, up to ${FILE_MB_MAX} MB. A number that is there already is brought up to date.`,
          accept: '.csv,.tsv,.txt,text/csv',
          error,
        })}
      </div>
    </section>
    ${c.actions(c.button('Import documents'), c.linkButton('Cancel', '/admin/customers'))}`;
  const body = html`${mistakes.length === 0 ? c.nothing : c.section('What is not right', list)}
    <p>Invoices, subscriptions and the like, as your billing system says them. Customers see them in the portal.</p>
    ${c.form(IMPORT_DOCUMENTS, fields, { file: true, busy: 'Importing…' })}
    ${c.section(
      'What the columns say',
      html`<p><code dir="ltr">${DOCUMENT_COLUMNS.join(', ')}</code></p>
        <p>Either customer, which is an id, or customer name says whose a document is. The url may be empty.</p>`,
    )}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: 'Import documents',
    phrase: 'Customers',
    errors: problems,
    body,
  });
}
