import { html } from 'hono/html';
import { TEMPLATE } from '../import/columns.ts';
import { BYTE_ORDER_MARK, csvText } from '../import/csv-text.ts';
import { FILE_BYTES_MAX } from '../import/records.ts';
import { checkFile } from '../jobs/check-file.ts';
import type { View } from '../accounts/list-view.ts';
import { startExport } from '../jobs/export-customers.ts';
import { stageFile } from '../jobs/import-file.ts';
import { LIMITS, refusalOf } from '../jobs/import-refusals.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, consolePage } from './console.ts';
import { CUSTOMERS, readQuery, readView, writeView } from './customer-query.ts';

export const IMPORT = '/admin/customers/import';
export const EXPORT = '/admin/customers/export';
/** The file, and what a form puts around it. */
export const IMPORT_BODY_MAX = FILE_BYTES_MAX + 64 * 1024;

/** Import customers, the first of three pages: the file. */
export function upload(visit: Visit, who: SignedIn): Promise<Response> {
  return uploadPage(visit, who, { updates: false, invites: false }, []);
}

/** Reads the file and looks at every row; nothing of it is saved as a customer before the next page's button. */
export async function receive(visit: Visit, who: SignedIn): Promise<Response> {
  const { fields, file } = await visit.upload('file', 'updates', 'invites');
  const options = { updates: fields.updates === 'on', invites: visit.installation.mailIsOn && fields.invites === 'on' };
  const refuse = (text: string): Promise<Response> => uploadPage(visit, who, options, [{ field: 'file', text }]);
  if (!file) return refuse('Choose a file');
  const { installation } = visit;
  const organizationId = who.organization.id;
  const whose = { organizationId, actor: actorOf(visit, who) };
  const staged = await stageFile(installation, whose, { name: file.name, bytes: [file.bytes] }, options);
  if (staged.kind !== 'staged') return refuse(refusalOf(staged));
  await checkFile(installation, { organizationId, id: staged.id });
  return visit.see(`${IMPORT}/${staged.id}`);
}

/** An empty file with the columns that an import knows. */
export function template(visit: Visit): Response {
  return visit.text(BYTE_ORDER_MARK + csvText([TEMPLATE]), 'text/csv; charset=utf-8', 'customers-template.csv');
}

function uploadPage(
  visit: Visit,
  who: SignedIn,
  { updates, invites }: { updates: boolean; invites: boolean },
  problems: readonly c.Problem[],
): Promise<Response> {
  const fields = html`<section class="panel">
      <div data-drop="file" data-says="Or drop it here.">
        ${c.fileField({
          name: 'file',
          label: 'File',
          hint: html`${LIMITS}. <a href="${IMPORT}/template">Download a template</a>`,
          accept: '.csv,.tsv,.txt,text/csv',
          error: c.problemOf(problems, 'file'),
        })}
      </div>
      ${c.checkbox({
        name: 'updates',
        label: 'Update customers that exist',
        hint: 'Found by email or external_id. Without this they stay as they are.',
        checked: updates,
      })}
      ${invitationsBox(visit, invites)}
    </section>
    ${c.actions(c.button('Upload'), c.linkButton('Cancel', '/admin/customers'))}`;
  const body = html`<p>First we check the file and show you what would change. Nothing is saved before you say so.</p>
    ${c.form(IMPORT, fields, { file: true, busy: 'Checking…' })} ${c.section('What the columns say', columnsHelp())}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: 'Import customers',
    phrase: 'Customers',
    step: 'Step 1 of 3',
    errors: problems,
    body,
  });
}

function invitationsBox({ installation }: Visit, checked: boolean): c.Html {
  if (!installation.mailIsOn)
    return html`<p class="hint">
      No mail is sent, so nobody can be invited by mail. Set <code>SALLYPORT_SMTP_URL</code> and
      <code>SALLYPORT_MAIL_FROM</code>.
    </p>`;
  return c.checkbox({
    name: 'invites',
    label: 'Send invitations',
    hint: 'To everybody who is new and has no password. Their link works for 24 hours, once.',
    checked,
  });
}

/** Each column of the template, in a sentence. */
function columnsHelp(): c.Html {
  return html`<p>
      Only <code dir="ltr">email</code> is needed. Exports of contacts from Zoho Books and Zoho Billing are recognized
      as they are.
    </p>
    ${c.summaryList([
      { label: 'customer', value: 'The business they belong to. Rows with the same one become its contacts.' },
      { label: 'external_id', value: 'What your billing system calls this contact.' },
      { label: 'portal_access', value: 'yes or no. Empty means yes.' },
      { label: 'totp_secret', value: 'Their authenticator app’s secret, so that nobody has to set it up again.' },
      { label: 'password_hash', value: 'Their password as argon2, bcrypt, scrypt or PBKDF2, so that it stays.' },
    ])}`;
}

/** Export: what the file will have in it, and whom: everybody, or those whom the list shows. */
export function askToExport(visit: Visit, who: SignedIn): Promise<Response> {
  return exportPage(visit, who, readQuery((name) => visit.query(name)).view, []);
}

const OTHER_VIEW: c.Problem = {
  field: 'main',
  text: 'The list has changed. Look at what will be in the file, then export',
};

function exportPage(visit: Visit, who: SignedIn, view: View, errors: readonly c.Problem[]): Promise<Response> {
  const some = writeView({ ...view, sort: 'name', descending: false });
  const body = html`<section class="panel">
      <p>
        ${some === '' ? 'All contacts' : 'The contacts that your list shows'}, one row each: email, name, customer, ids,
        phone, portal access, MFA, backup codes left and last sign-in. No passwords and no secrets.
      </p>
      <p>The file is kept for a day, for owners and admins.</p>
    </section>
    ${c.form(
      EXPORT,
      html`<input type="hidden" name="view" value="${some}" />
        ${c.actions(c.button('Export customers'), c.linkButton('Cancel', `${CUSTOMERS}${some && `?${some}`}`))}`,
    )}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: 'Export customers',
    phrase: 'Customers',
    errors,
    body,
  });
}

export async function beginExport(visit: Visit, who: SignedIn): Promise<Response> {
  const shown = (await visit.form('view')).view;
  const view = readView(shown);
  // A view that is not as a page of ours writes it would select others than somebody has seen.
  if (writeView(view) !== shown) return exportPage(visit, who, view, [OTHER_VIEW]);
  const id = await startExport(visit.installation, actorOf(visit, who), who.organization.id, view);
  return visit.see(`/admin/jobs/${id}`);
}
