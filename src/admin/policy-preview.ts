import { stringify } from 'csv-stringify/sync';
import { html } from 'hono/html';
import type { AskedOfAll } from '../accounts/organizations.ts';
import {
  affectedContacts,
  countAffected,
  EFFECTS,
  exportAffected,
  type AffectedContact,
  type Group,
} from '../auth/policy-preview.ts';
import { signedInNow } from '../auth/sessions.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, barred, consolePage, counted, customerPath } from './console.ts';
import { daysOf, previewPath, USUAL_DAYS, whenWords } from './policy-section.ts';

/** As many of a group as the page shows; the export has all of them. */
const SHOWN = 25;
const GROUPS: readonly Group[] = [...EFFECTS, 'signed-in'];

/** See who is affected: what a policy would ask of the contacts there are now, before anybody presses Save. */
export async function preview(visit: Visit, who: SignedIn): Promise<Response> {
  const { organization } = who;
  const { db } = visit.installation;
  const plan = planOf(visit);
  const counts: Record<Group, number> = {
    ...(await countAffected(db, organization, plan, visit.now)),
    'signed-in': (await signedInNow(db, organization.id, visit.now)).contacts,
  };
  const groups = GROUPS.filter((group) => counts[group] > 0);
  const body = html`${plans(plan)}
    <section class="panel">
      <h2>${titleOf(plan)}</h2>
      ${c.summaryList(GROUPS.filter((group) => isPossible(group, plan)).map((group) => total(plan, group, counts[group])))}
      ${barred(who, 'import and export customers') === undefined ? exportLink(plan, 'Export all as CSV') : c.nothing}
    </section>
    ${await Promise.all(groups.map((group) => groupSection(visit, who, plan, group, counts[group])))}`;
  return consolePage(visit, who, { current: 'settings', title: 'See who is affected', phrase: 'General', body });
}

/** The same as a file, for whoever may take contacts out of the house. */
export function exportPreview(visit: Visit, who: SignedIn): Response {
  const plan = planOf(visit);
  const group = GROUPS.find((known) => known === visit.query('group'));
  const pages = exportAffected(visit.installation, actorOf(visit, who), who.organization, plan, group);
  return visit.stream(asCsv(plan, pages), 'text/csv; charset=utf-8', `${who.organization.slug}-mfa-policy.csv`);
}

// Spreadsheets take a cell that begins with = + - or @ for a formula, and names come from outside.
async function* asCsv(plan: AskedOfAll, pages: AsyncIterable<readonly AffectedContact[]>): AsyncGenerator<string> {
  yield stringify([['email', 'name', 'customer', 'effect', 'last_sign_in']], {
    bom: true,
    record_delimiter: 'windows',
  });
  for await (const page of pages) {
    const rows = page.map(({ email, name, customerName, effect, lastSignInAt }) => [
      email,
      name,
      customerName,
      wordsOf(plan, effect).label,
      lastSignInAt === null ? '' : new Date(lastSignInAt).toISOString(),
    ]);
    yield stringify(rows, { escape_formulas: true, record_delimiter: 'windows' });
  }
}

// What an address names and is no policy is read as the one that people come here to think about.
function planOf(visit: Visit): AskedOfAll {
  const policy = (['off', 'optional', 'required'] as const).find((known) => known === visit.query('policy'));
  if (policy === 'off' || policy === 'optional') return { policy, graceDays: null };
  return { policy: 'required', graceDays: daysOf(visit.query('days')) ?? null };
}

function titleOf({ policy, graceDays }: AskedOfAll): string {
  if (policy === 'off') return 'With MFA off';
  return policy === 'optional' ? 'With MFA offered' : `With MFA on, ${whenWords(graceDays)}`;
}

function plans(plan: AskedOfAll): c.Html {
  const graceDays = plan.graceDays ?? USUAL_DAYS;
  const choices: AskedOfAll[] = [
    { policy: 'required', graceDays: null },
    { policy: 'required', graceDays },
    { policy: 'optional', graceDays: null },
    { policy: 'off', graceDays: null },
  ];
  const links = choices.map((choice) => {
    const isShown = choice.policy === plan.policy && choice.graceDays === plan.graceDays;
    return html`<li>
      <a href="${previewPath(choice)}" ${c.attr('aria-current', isShown && 'page')}>${titleOf(choice)}</a>
    </li>`;
  });
  return html`<nav aria-label="Policies">
    <ul class="bullets">
      ${links}
    </ul>
  </nav>`;
}

// A policy that asks nothing spares nobody anything, and one that asks at once has no grace.
function isPossible(group: Group, { policy, graceDays }: AskedOfAll): boolean {
  if (group === 'not-asked') return policy !== 'required';
  if (group === 'within-grace') return policy === 'required' && graceDays !== null;
  return policy === 'required' || (group !== 'at-once' && group !== 'exempt');
}

interface Words {
  readonly label: string;
  readonly what: string;
}

function wordsOf({ policy, graceDays }: AskedOfAll, group: Group): Words {
  const days = graceDays === null ? '' : counted(graceDays, 'day', 'days');
  const offered = { label: 'Offered', what: 'They sign in with their password, and can turn MFA on themselves.' };
  const words: Record<Group, Words> = {
    'already-on': { label: 'Already on', what: 'They use MFA and need their code, whatever you choose here.' },
    'at-once': { label: 'Asked at once', what: 'They set MFA up at their next sign-in, before they can go on.' },
    'within-grace': {
      label: 'Asked within the grace',
      what: `They are asked at their next sign-in, and can put it off for ${days} from then on.`,
    },
    exempt: { label: 'Exempt', what: 'They sign in with their password until their exemption ends.' },
    'not-asked': policy === 'optional' ? offered : { label: 'Not asked', what: 'They sign in with their password.' },
    'out-of-reach': {
      label: 'No way to reach them',
      what: "They can't sign in: their portal access is off, or they haven't chosen a password yet.",
    },
    'signed-in': {
      label: 'Signed in right now',
      what: 'They stay signed in, unless you sign everyone out. They are among the contacts above.',
    },
  };
  return words[group];
}

function total(plan: AskedOfAll, group: Group, contacts: number): c.SummaryRow {
  const { label } = wordsOf(plan, group);
  return {
    label,
    value: contacts === 0 ? 'Nobody' : html`<a href="#${group}">${counted(contacts, 'contact', 'contacts')}</a>`,
  };
}

async function groupSection(
  visit: Visit,
  who: SignedIn,
  plan: AskedOfAll,
  group: Group,
  contacts: number,
): Promise<c.Html> {
  const { organization } = who;
  const wanted = { group, limit: SHOWN };
  const first = await affectedContacts(visit.installation.db, organization, plan, wanted, visit.now);
  const { label, what } = wordsOf(plan, group);
  const table = c.dataTable({
    id: group,
    caption: label,
    columns: [{ label: 'Email' }, { label: 'Name' }, { label: 'Customer' }, { label: 'Last sign-in' }],
    rows: first.map((one) => [
      c.ltr(one.email),
      one.name,
      html`<a href="${customerPath({ id: one.customerId })}">${one.customerName}</a>`,
      one.lastSignInAt === null ? 'Never' : c.time(one.lastSignInAt, organization, 'date'),
    ]),
  });
  const rest =
    contacts > first.length
      ? html`<p class="hint">The first ${first.length} of ${contacts.toLocaleString('en-GB')}.</p>`
      : c.nothing;
  const links = [
    ...LISTS[group].map(([words, query]) => html`<a href="/admin/customers?${query}">${words}</a>`),
    ...(barred(who, 'import and export customers') === undefined ? [exportLink(plan, 'Export as CSV', group)] : []),
  ];
  return c.section(
    `${label}: ${contacts.toLocaleString('en-GB')}`,
    html`<p>${what}</p>
      ${table} ${rest}
      <p>${links.map((link, at) => html`${at === 0 ? '' : ' · '}${link}`)}</p>`,
  );
}

function exportLink(plan: AskedOfAll, words: string, group?: Group): c.Html {
  return html`<a href="${previewPath(plan, '/export', group)}" download>${words}</a>`;
}

const SHOW_ALL = 'See them in Customers';
/** Where the list of customers shows a group, as its filters have it. */
const LISTS: Record<Group, readonly (readonly [words: string, query: string])[]> = {
  'already-on': [[SHOW_ALL, 'mfa=on&portal=on']],
  'at-once': [[SHOW_ALL, 'mfa=none&portal=on']],
  'within-grace': [[SHOW_ALL, 'mfa=none&portal=on']],
  exempt: [[SHOW_ALL, 'mfa=exempt']],
  'not-asked': [[SHOW_ALL, 'mfa=none&portal=on']],
  'out-of-reach': [
    ['See who has no password', 'portal=invited'],
    ['See whose access is off', 'portal=off'],
  ],
  'signed-in': [],
};
