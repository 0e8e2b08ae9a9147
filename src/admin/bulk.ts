import { html } from 'hono/html';
import { NOTE_MIN } from '../auth/recovery.ts';
import {
  bulkTitle,
  findPrepared,
  isBulkAct,
  prepareBulk,
  startBulk,
  type BulkAct,
  type Prepared,
} from '../jobs/bulk-contacts.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, consolePage } from './console.ts';
import { CUSTOMERS, readView, SIZES, writeView } from './customer-query.ts';
import { listPage } from './customers.ts';
import { fitting, lines, NOTE_MAX } from './inputs.ts';

const BOXES = Array.from({ length: Math.max(...SIZES) }, (_, at) => `who${at + 1}` as const);

/** Somebody has marked rows and pressed a button: what was chosen is kept, and a page of its own asks. */
export async function choose(visit: Visit, who: SignedIn): Promise<Response> {
  const { view: shown, all, act, ...boxes } = await visit.form('view', 'all', 'act', ...BOXES);
  const view = readView(shown);
  const ids = Object.values<string>(boxes).filter((id) => id !== '');
  const selection = all === 'on' ? { view } : { ids };
  const { organization } = who;
  // A view that is not as a page of ours writes it would select others than somebody has seen.
  const chosen =
    isBulkAct(act) && writeView(view) === shown
      ? await prepareBulk(visit.installation, actorOf(visit, who), organization.id, act, selection)
      : undefined;
  if (chosen !== undefined) return visit.see(`${CUSTOMERS}/many/${chosen}`);
  return listPage(visit, who, { view, size: SIZES[0], place: null }, [NOBODY]);
}

const NOBODY: c.Problem = { field: 'customers', text: 'Select at least one contact first' };

interface AtSelection {
  readonly who: SignedIn;
  readonly chosen: Prepared;
}

/** Hands on what was chosen under the id in the path, in the reader's own organization (I15). */
export function atSelection(handler: (visit: Visit, at: AtSelection) => Promise<Response>) {
  return async (visit: Visit, who: SignedIn): Promise<Response> => {
    const key = { organizationId: who.organization.id, id: visit.param('selection') };
    const chosen = await findPrepared(visit.installation, key);
    return chosen ? handler(visit, { who, chosen }) : notFoundPage(visit);
  };
}

/** What it will do, to how many and to whom first; the number typed, and a reason. */
export function askAboutMany(visit: Visit, at: AtSelection): Promise<Response> {
  return askPage(visit, at, { reason: '', number: '' }, []);
}

export async function actOnMany(visit: Visit, at: AtSelection): Promise<Response> {
  const { reason, number } = await visit.form('reason', 'number');
  const given = { reason: lines(reason), number };
  const problems = problemsWith(given, at.chosen);
  if (problems.length > 0) return askPage(visit, at, given, problems);
  const title = bulkTitle(at.chosen.act, at.chosen.contacts);
  const first = await proveFirst(visit, at.who, title.charAt(0).toLowerCase() + title.slice(1));
  if (first) return first;
  const { organization } = at.who;
  const key = { organizationId: organization.id, id: at.chosen.id };
  // Pressed twice: the job that the first press has started is the one to look at.
  await startBulk(visit.installation, actorOf(visit, at.who), key, given.reason);
  return visit.see(`/admin/jobs/${at.chosen.id}`);
}

interface Given {
  readonly reason: string;
  readonly number: string;
}

function problemsWith({ reason, number }: Given, { contacts }: Prepared): c.Problem[] {
  const typed = number.replace(/[\s,.’']/gu, '');
  return [
    ...(reason.length < NOTE_MIN ? [{ field: 'reason', text: `Say why, in ${NOTE_MIN} characters or more` }] : []),
    ...fitting('reason', 'the reason', reason, NOTE_MAX),
    ...(typed === String(contacts) ? [] : [{ field: 'number', text: `Type ${contacts} to confirm` }]),
  ];
}

const DOES: Record<BulkAct, readonly string[]> = {
  'reset-mfa': [
    'Their authenticator apps and backup codes stop working',
    'They are signed out everywhere',
    'They are told at their next sign-in',
  ],
  'sign-out': ['They are signed out everywhere', 'Their passwords and MFA stay as they are'],
  remind: [
    'Those who can sign in and have not set up MFA get an email that asks them to',
    'Whoever was reminded within a day is left out',
  ],
  disable: ["They can't sign in to the portal", 'They are signed out everywhere', 'Their MFA stays as it is'],
};

function askPage(
  visit: Visit,
  { who, chosen }: AtSelection,
  given: Given,
  problems: readonly c.Problem[],
): Promise<Response> {
  const title = bulkTitle(chosen.act, chosen.contacts);
  const more = chosen.contacts - chosen.first.length;
  const fields = html`<section class="panel">
      ${c.textareaField({
        name: 'reason',
        label: 'Why?',
        hint: 'Goes to the audit log, with each contact.',
        value: given.reason,
        rows: 3,
        error: c.problemOf(problems, 'reason'),
      })}
      ${c.field({
        name: 'number',
        label: `Type ${chosen.contacts} to confirm`,
        value: given.number,
        inputmode: 'numeric',
        autocomplete: 'off',
        short: true,
        error: c.problemOf(problems, 'number'),
      })}
    </section>
    ${c.actions(c.button(title, { kind: 'danger' }), c.linkButton('Cancel', CUSTOMERS))}`;
  const body = html`<ul class="bullets">
      ${DOES[chosen.act].map((text) => html`<li>${text}</li>`)}
      <li>It is done one contact after the other; you can watch it and stop it</li>
    </ul>
    ${c.section(more > 0 ? 'The first of them' : 'They are', [
      html`<ul class="bullets">
        ${chosen.first.map(({ name, email }) => html`<li>${name}, ${c.ltr(email)}</li>`)}
      </ul>`,
      more > 0 ? html`<p class="muted">and ${more.toLocaleString('en-GB')} more</p>` : c.nothing,
    ])}
    ${c.form(`${CUSTOMERS}/many/${chosen.id}`, fields, { busy: 'Starting…' })}`;
  return consolePage(visit, who, {
    current: 'customers',
    title: `${title}?`,
    errors: problems,
    body,
  });
}
