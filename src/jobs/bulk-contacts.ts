import type { Actor } from '../accounts/audit.ts';
import { contactsWhere, type Contact } from '../accounts/contacts.ts';
import { customerPage } from '../accounts/customer-list.ts';
import type { Installation } from '../accounts/installation.ts';
import type { JobKey } from '../accounts/job-parts.ts';
import { countContacts } from '../accounts/list-count.ts';
import { conditionsOf, IS_LISTED, type View } from '../accounts/list-view.ts';
import { all } from '../accounts/list-walk.ts';
import { setPortalAccessWithin } from '../auth/access.ts';
import { endSessionsWithin } from '../auth/end-sessions.ts';
import { resetWithin } from '../auth/recovery.ts';
import { remindWithin } from '../auth/reminders.ts';
import { sql, type Queries, type Transaction } from '../db/db.ts';
import {
  actorOfJob,
  findJob,
  prepareJob,
  startPrepared,
  type Bite,
  type Job,
  type JobDraft,
  type JobKind,
} from './jobs.ts';

export const BULK = 'bulk-contacts';
/** Acts in one bite: some ten statements each, while every writer of an SQLite file waits. */
const BITE = 25;
/** Contacts looked at in one bite, of whom none may be meant. */
const LOOKED_AT = 1_000;
const NAMED = 10;

/** `spared`: there was nothing to do. `held`: they have asked for help, and wait for an answer. */
type Outcome = 'done' | 'spared' | 'held';

const RESET_OUTCOMES = { reset: 'done', 'no-mfa': 'spared', 'help-waits': 'held' } as const;

interface Act {
  /** "Reset MFA for 214 contacts". */
  readonly verb: string;
  /** What is said of those whom it no longer concerned: "2 had no MFA". */
  readonly spared: string;
  /** The act on one contact, whose lock it takes. Where it was not done nothing has changed. */
  run(tx: Transaction, installation: Installation, actor: Actor, who: JobKey, reason: string): Promise<Outcome>;
}

export const BULK_ACTS = {
  'reset-mfa': {
    verb: 'Reset MFA for',
    spared: 'had no MFA',
    run: async (...reset) => RESET_OUTCOMES[(await resetWithin(...reset)).kind],
  },
  'sign-out': {
    verb: 'Sign out',
    spared: 'were not signed in',
    run: async (tx, installation, actor, who, reason) => {
      const { sessions, devices } = await endSessionsWithin(tx, installation, actor, who, reason);
      return sessions + devices > 0 ? 'done' : 'spared';
    },
  },
  disable: {
    verb: 'Disable portal access for',
    spared: 'had no portal access',
    run: async (tx, installation, actor, who, reason) =>
      (await setPortalAccessWithin(tx, installation, actor, who, false, reason)) ? 'done' : 'spared',
  },
  remind: {
    verb: 'Send a reminder to',
    spared: 'had MFA, could not sign in or had been reminded within a day',
    run: async (...remind) => ((await remindWithin(...remind)) ? 'done' : 'spared'),
  },
} as const satisfies Record<string, Act>;

export type BulkAct = keyof typeof BULK_ACTS;

export function isBulkAct(text: string): text is BulkAct {
  return Object.hasOwn(BULK_ACTS, text);
}

/** Whom somebody has chosen: by name, or everybody whom a view shows. */
export type Selection = { readonly ids: readonly string[] } | { readonly view: View };

/** What was chosen, before it is confirmed. */
export interface Prepared {
  readonly id: string;
  readonly act: BulkAct;
  readonly contacts: number;
  /** The first ten, as the list shows them. */
  readonly first: readonly Contact[];
}

/**
 * One act on many contacts, each of them once, however often the work is interrupted: the selection stands in the plan as
 * it was when it was confirmed, and the cursor is the last contact that was looked at.
 */
export const bulkContacts: JobKind = {
  name: BULK,
  permission: 'act on many contacts at once',
  title: (job) => bulkTitle(actOf(job), job.total),
  unit: ['contact', 'contacts'],
  remark: (job) => {
    const told = [
      [Number(job.result['spared'] ?? 0), BULK_ACTS[actOf(job)].spared],
      [Number(job.result['held'] ?? 0), 'asked for help and wait for an answer'],
    ] as const;
    const sentences = told.filter(([n]) => n > 0).map(([n, what]) => `${n.toLocaleString('en-GB')} ${what}.`);
    return sentences.length === 0 ? undefined : sentences.join(' ');
  },
  bite,
};

/** "Reset MFA for 1 contact", "Sign out 214 contacts". */
export function bulkTitle(act: BulkAct, contacts: number): string {
  return `${BULK_ACTS[act].verb} ${contacts.toLocaleString('en-GB')} ${contacts === 1 ? 'contact' : 'contacts'}`;
}

/** Keeps what was chosen, for somebody to look at and confirm within a day. Undefined where it is nobody. */
export async function prepareBulk(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  act: BulkAct,
  selection: Selection,
): Promise<string | undefined> {
  const { db, now } = installation;
  const at = now();
  if ('view' in selection) {
    const total = await countContacts(db, organizationId, selection.view, at);
    const plan = { act, view: JSON.stringify(selection.view), at };
    return total === 0 ? undefined : keep(installation, { organizationId, actor, plan, total });
  }
  // What was sent may name anybody: what is kept are the contacts among them, each once, and nobody on the staff.
  const contacts = await contactsWhere(db, organizationId, sql`a.id IN (${listOf(selection.ids)})`);
  const ids = contacts.map(({ id }) => id).toSorted();
  if (ids.length === 0) return undefined;
  return keep(installation, { organizationId, actor, plan: { act, ids: ids.join(' '), at }, total: ids.length });
}

function keep(installation: Installation, draft: Omit<JobDraft, 'kind'>): Promise<string> {
  return installation.db.transaction((tx) => prepareJob(tx, installation, { ...draft, kind: BULK }));
}

/** What was chosen under an id, as long as nobody has confirmed it. */
export async function findPrepared({ db }: Installation, key: JobKey): Promise<Prepared | undefined> {
  const job = await findJob(db, key);
  if (!job || job.kind !== BULK || job.state !== 'prepared') return undefined;
  const { organizationId, id } = key;
  return { id, act: actOf(job), contacts: job.total, first: await firstOf(db, organizationId, job) };
}

/** Starts what was chosen. False where somebody has started it already, or a day has gone by. */
export function startBulk(installation: Installation, actor: Actor, key: JobKey, reason: string): Promise<boolean> {
  return installation.db.transaction(async (tx) => {
    const job = await findJob(tx, key);
    if (!job || job.kind !== BULK || job.state !== 'prepared') return false;
    const plan = { ...job.plan, reason };
    return startPrepared(tx, installation, key, { actor, total: job.total, plan, kind: BULK, reason });
  });
}

async function firstOf(db: Installation['db'], organizationId: string, job: Job): Promise<Contact[]> {
  const view = viewOf(job);
  if (view === null) {
    const ids = idsOf(job).slice(0, NAMED);
    return contactsWhere(db, organizationId, sql`a.id IN (${listOf(ids)})`);
  }
  const page = await customerPage(db, organizationId, view, { place: null, size: NAMED * 2, now: momentOf(job) });
  return page.rows.flatMap(({ contact }) => contact ?? []).slice(0, NAMED);
}

async function bite(tx: Transaction, installation: Installation, job: Job): Promise<Bite> {
  const { contacts, cursor, ended } = await nextContacts(tx, job);
  const { run } = BULK_ACTS[actOf(job)];
  const reason = String(job.plan['reason'] ?? '');
  let spared = Number(job.result['spared'] ?? 0);
  let held = Number(job.result['held'] ?? 0);
  for (const id of contacts) {
    const { organizationId } = job;
    const outcome = await run(tx, installation, actorOfJob(job), { organizationId, id }, reason);
    if (outcome === 'spared') spared++;
    if (outcome === 'held') held++;
  }
  return { cursor, done: contacts.length, result: { spared, held }, ended };
}

interface Next {
  readonly contacts: readonly string[];
  readonly cursor: string;
  readonly ended: boolean;
}

async function nextContacts(tx: Queries, job: Job): Promise<Next> {
  const { organizationId, cursor } = job;
  const view = viewOf(job);
  if (view === null) {
    const left = idsOf(job).filter((id) => id > cursor);
    const contacts = left.slice(0, BITE);
    return { contacts, cursor: contacts.at(-1) ?? cursor, ended: left.length <= BITE };
  }
  const at = momentOf(job);
  const looked = await tx.all<{ id: string; meant: number }>(sql`SELECT a.id,
      CASE WHEN 1 = 1 ${all(conditionsOf(organizationId, view, at))} THEN 1 ELSE 0 END AS meant
    FROM accounts a WHERE a.organization_id = ${organizationId} AND ${IS_LISTED} AND a.id > ${cursor}
      AND a.created_at <= ${at} ORDER BY a.id LIMIT ${LOOKED_AT}`);
  const meant = looked.filter(({ meant: isMeant }) => isMeant === 1).map(({ id }) => id);
  const contacts = meant.slice(0, BITE);
  // With as many as a bite may do, the next one goes on behind the last of them; else behind all that were looked at.
  const full = meant.length > BITE;
  const last = full ? contacts.at(-1) : looked.at(-1)?.id;
  return { contacts, cursor: last ?? cursor, ended: !full && looked.length < LOOKED_AT };
}

function actOf(job: Job): BulkAct {
  const act = String(job.plan['act']);
  if (!isBulkAct(act)) throw new Error(`there is no act ${act} on many contacts`);
  return act;
}

function viewOf({ plan }: Job): View | null {
  return typeof plan['view'] === 'string' ? (JSON.parse(plan['view']) as View) : null;
}

function idsOf({ plan }: Job): string[] {
  return String(plan['ids']).split(' ');
}

function momentOf({ plan }: Job): number {
  return Number(plan['at']);
}

function listOf(values: readonly string[]): ReturnType<typeof sql> {
  return values.reduce((before, value, at) => (at === 0 ? sql`${value}` : sql`${before}, ${value}`), sql`''`);
}
