import { html } from 'hono/html';
import { FIELDS, type Field, type Mapping } from '../import/columns.ts';
import type { Problem, ProblemKind } from '../import/rows.ts';
import type { Findings, Sample } from '../jobs/check-file.ts';
import type { About } from '../jobs/import-file.ts';
import * as c from '../web/components.ts';
import { counted } from './console.ts';

/** A checked file, as its page shows it; `path` is that page's. */
export interface Checked {
  readonly path: string;
  readonly about: About;
  readonly findings: Findings;
}

function thousands(n: number): string {
  return n.toLocaleString('en-GB');
}

/** What the file comes to: "1,204 new · 31 changed · 12 with errors · 3 repeated". */
export function totalsText({ totals: { fresh, changed, unchanged, wrong, repeated } }: Findings): string {
  const same = unchanged === 0 ? [] : [`${thousands(unchanged)} unchanged`];
  const parts = [`${thousands(fresh)} new`, `${thousands(changed)} changed`, ...same];
  return [...parts, `${thousands(wrong)} with errors`, `${thousands(repeated)} repeated`].join(' · ');
}

/** What the file brings to sign in with, and what it does not replace. */
export function bringsText({ brings: { secrets, hashes, kept } }: Findings): c.Html {
  const says = [
    ...(secrets === 0
      ? []
      : [
          `${counted(secrets, 'row brings', 'rows bring')} an authenticator: they are asked for its code, and set up nothing.`,
        ]),
    ...(hashes === 0
      ? []
      : [`${counted(hashes, 'row brings', 'rows bring')} a password: they sign in with the one they have.`]),
    ...(kept === 0
      ? []
      : [
          `${counted(kept, 'contact', 'contacts')} here already: what the file has of passwords and authenticators is not taken over theirs.`,
        ]),
  ];
  return html`${says.map((sentence) => html`<p>${sentence}</p>`)}`;
}

/** What the rows of a kind have in common. */
const KINDS: Record<ProblemKind, string> = {
  'email-missing': 'Email is missing',
  'email-shape': 'Not an email address',
  'email-repeated': 'Repeated',
  'columns-many': 'Too many columns',
  'columns-few': 'Too few columns',
  characters: 'Characters that can’t be used',
  'name-long': 'Name is too long',
  'customer-long': 'Customer is too long',
  'id-long': 'Id is too long',
  'id-repeated': 'external_id is repeated',
  'phone-long': 'Phone is too long',
  language: 'Language isn’t available',
  'portal-access': 'Portal access isn’t yes or no',
  secret: 'Secrets that can’t be used',
  hash: 'Passwords that can’t be used',
  'other-customer': 'Belongs to another customer',
  'other-contact': 'Belongs to another contact',
  'customer-unclear': 'Several customers have this name',
  'taken-meanwhile': 'Changed meanwhile',
};

/** What cannot go in: by kind, each row with its line. */
export function problemsSection({ path, findings: { kinds, problems } }: Checked): c.Html {
  const found = Object.entries(kinds) as [ProblemKind, number][];
  if (found.length === 0) return c.nothing;
  const byKind = Map.groupBy(problems, ({ kind }) => kind);
  const groups = found.map(([kind, count]) => {
    const shown = byKind.get(kind) ?? [];
    return c.disclosure(`${KINDS[kind]} (${thousands(count)})`, problemList(shown, count), {
      open: found.length === 1,
    });
  });
  return c.section(
    'Rows with errors',
    html`${groups} ${c.actions(c.linkButton('Download rows with errors', `${path}/errors`))}
      <p class="hint">
        Put them right in that file and upload it. Passwords and secrets aren't in it: copy those from your own file.
      </p>`,
  );
}

function problemList(shown: readonly Problem[], count: number): c.Html {
  return html`<ul class="bullets">
      ${shown.map(({ line, text }) => html`<li>Line ${line}: ${text}</li>`)}
    </ul>
    ${shown.length < count ? html`<p>The other ${thousands(count - shown.length)} are in the download.</p>` : c.nothing}`;
}

const OUTCOMES: Record<Sample['outcome'], c.Html> = {
  fresh: c.pill('ok', 'New'),
  changed: c.pill('warn', 'Changed'),
  unchanged: c.pill('muted', 'Unchanged'),
  wrong: c.pill('danger', 'Error'),
  repeated: c.pill('muted', 'Repeated'),
};

/** The rows at the beginning of the file, and what they come to. */
export function firstRows({ sample }: Findings): c.Html {
  const table = c.dataTable({
    id: 'first-rows',
    caption: 'The first rows of the file, and what they come to',
    columns: [
      { label: 'Line', end: true },
      { label: 'Email' },
      { label: 'Name' },
      { label: 'Customer' },
      { label: 'Comes to' },
    ],
    rows: sample.map(({ line, email, name, customer, outcome }) => [
      String(line),
      c.ltr(email),
      name,
      customer,
      OUTCOMES[outcome],
    ]),
  });
  return c.section(sample.length === 1 ? 'The first row' : `The first ${sample.length} rows`, table);
}

const FIELD_NAMES: Record<Field, string> = {
  email: 'Email',
  name: 'Name',
  first_name: 'First name',
  last_name: 'Last name',
  customer: 'Customer',
  customer_id: 'Customer’s id',
  external_id: 'Contact’s id',
  primary_contact_id: 'Id of the primary contact',
  phone: 'Phone',
  language: 'Language',
  portal_access: 'Portal access',
  totp_secret: 'Authenticator secret',
  password_hash: 'Password hash',
};

/** Which column says what, to be put right. */
export function columnsSection(
  { path, about, findings: { mapping } }: Checked,
  problems: readonly c.Problem[],
): c.Html {
  const fields = FIELDS.map((field) => columnField(field, about, mapping, c.problemOf(problems, field)));
  return c.section(
    'Columns',
    c.disclosure(
      'Which column is which',
      c.form(`${path}/columns`, html`${fields} ${c.button('Check again', { kind: 'second' })}`, {
        busy: 'Checking…',
      }),
      { open: problems.some(({ field }) => (FIELDS as readonly string[]).includes(field)) },
    ),
  );
}

function columnField(field: Field, { header, samples }: About, mapping: Mapping, error: string | undefined): c.Html {
  const says = (at: number): string => (samples[at] ? `${header[at]} (${samples[at]})` : (header[at] ?? ''));
  return c.selectField({
    name: field,
    label: FIELD_NAMES[field],
    value: String(mapping[field] ?? ''),
    choices: [
      { value: '', label: 'Not in the file' },
      ...header.map((_, at) => ({ value: String(at), label: says(at) })),
    ],
    error,
  });
}
