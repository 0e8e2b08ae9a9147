import { createHmac } from 'node:crypto';
import { sql, type Queries } from '../db/db.ts';
import { openLease } from './leases.ts';
import { verifyHead, verifyNext, type Finding, type Place } from './audit-verify.ts';
import type { Installation } from './installation.ts';
import { someOrganizations, type Organization } from './organizations.ts';

/** A range of entries that are not as they were written, by their numbers; for a `record`, both are 0. */
export interface Broken {
  /** `cut-off`: the newest ones; `record`: what the servers themselves wrote down of their last look. */
  readonly what: 'changed' | 'missing' | 'cut-off' | 'record';
  readonly from: number;
  readonly to: number;
  /** When it was found. */
  readonly at: number;
}

/** What the servers have found of one organization's chain. */
export interface Check {
  /** When the chain was last looked at up to its end; null while the first look is under way. */
  readonly checkedAt: number | null;
  readonly found: readonly Broken[];
}

interface State extends Check {
  /** The last link that was looked at. */
  readonly seen: Place;
  /** When the last pass from the beginning ended; the first look is one. */
  readonly passedAt: number;
  /** How far the pass under way has come, and what it has found. */
  readonly pass: Place | null;
  readonly passFound: readonly Broken[];
}

const LEASE_MS = 5_000;
const LOOK_EVERY_MS = 60_000;
const PASS_EVERY_MS = 24 * 60 * LOOK_EVERY_MS;
const BATCHES_A_TURN = 4;
const RANGES_KEPT = 10;
const BEGINNING: Place = { sequence: 0, link: '' };

export interface Watch {
  /** To be called each second, and not before the last call has ended. */
  readonly turn: () => Promise<void>;
  readonly finish: () => Promise<void>;
}

/**
 * Looks at the chains while it holds the lease: at new links each minute, and once a day at everything, a bite with each
 * turn. What is broken goes to the log once, and into the row that the page of the audit log reads. What only a row
 * without link shows, or a head from the log stream, `audit verify` looks at and this does not.
 */
export function openWatch(installation: Installation): Watch {
  const lease = openLease(installation, 'audit-watch', LEASE_MS);
  const busy = new Map<string, Organization>();
  let dueAt = 0;
  return {
    turn: async () => {
      const { db, now } = installation;
      const isDue = now() >= dueAt || now() < dueAt - LOOK_EVERY_MS;
      if (!isDue && busy.size === 0) return;
      if (isDue) dueAt = now() + LOOK_EVERY_MS;
      if (!(await lease.take())) return busy.clear();
      const organizations = isDue ? await someOrganizations(db, Number.MAX_SAFE_INTEGER) : [...busy.values()];
      for (const organization of organizations) {
        if (await look(installation, organization)) busy.delete(organization.id);
        else busy.set(organization.id, organization);
      }
    },
    finish: lease.giveUp,
  };
}

/** One bite of an organization's chain; false where there is more to look at. */
async function look(installation: Installation, organization: Organization): Promise<boolean> {
  const row = await stateOf(installation, organization.id);
  const now = installation.now();
  const before = row?.state ?? unseen(now);
  const seen = await lookOn(installation, organization, before);
  const isPassDue = before.pass !== null || now - before.passedAt >= PASS_EVERY_MS;
  const after = isPassDue ? await passOn(installation, organization, seen) : seen;
  if (!(await keep(installation, organization.id, after, row?.mac))) return true;
  const known = row?.isGenuine ? before.found : [];
  for (const one of news(known, after.found)) tell(installation, organization, one);
  return after.checkedAt === now && after.pass === null;
}

function unseen(now: number, found: readonly Broken[] = []): State {
  return { checkedAt: null, found, seen: BEGINNING, passedAt: now, pass: null, passFound: [] };
}

/** Goes on from the last link that was seen, once that is still there. */
async function lookOn(installation: Installation, { id }: Organization, state: State): Promise<State> {
  const { db, now } = installation;
  const at = now();
  const head = await verifyHead(db, { organization: id, ...state.seen });
  if (state.seen.sequence > 0 && head) {
    // What is there now is where the next look begins, so that what is written from here on is watched too.
    const seen = (await endOf(db, id)) ?? BEGINNING;
    return { ...state, seen, found: add(state.found, rangeOf(head, at)), checkedAt: at };
  }
  const walked = await walk(installation, id, state.seen, state.found);
  return { ...state, seen: walked.at, found: walked.found, checkedAt: walked.isEnd ? at : state.checkedAt };
}

/** Goes on with the pass, or begins one. At its end, what it has found takes the place of what was found before it. */
async function passOn(installation: Installation, { id }: Organization, state: State): Promise<State> {
  const passFound = state.pass === null ? [] : state.passFound;
  const walked = await walk(installation, id, state.pass ?? BEGINNING, passFound);
  if (!walked.isEnd && walked.at.sequence < state.seen.sequence) {
    return { ...state, pass: walked.at, passFound: walked.found };
  }
  // No pass over what is there shows what is there no more.
  const lasting = state.found.filter(({ what }) => what === 'cut-off' || what === 'record');
  const known = walked.found.map((one) => state.found.find((other) => isSame(one, other)) ?? one);
  return { ...state, pass: null, passFound: [], passedAt: installation.now(), found: [...lasting, ...known] };
}

async function walk(
  installation: Installation,
  id: string,
  from: Place,
  before: readonly Broken[],
): Promise<{ at: Place; found: readonly Broken[]; isEnd: boolean }> {
  let at = from;
  let found = before;
  for (let batch = 0; batch < BATCHES_A_TURN; batch++) {
    const next = await verifyNext(installation, id, at);
    for (const finding of next.findings) found = add(found, rangeOf(finding, installation.now()));
    if (next.rows === 0) return { at, found, isEnd: true };
    at = next.last;
  }
  return { at, found, isEnd: false };
}

function rangeOf(finding: Finding, at: number): Broken {
  switch (finding.kind) {
    case 'changed-row':
    case 'broken-link':
    case 'replaced':
      return { what: 'changed', from: finding.sequence, to: finding.sequence, at };
    case 'cut-row':
      return { what: 'missing', from: finding.sequence, to: finding.sequence, at };
    case 'gap':
      return { what: 'missing', from: finding.from, to: finding.to, at };
    case 'missing-tail':
      return { what: 'cut-off', from: finding.end + 1, to: finding.sequence, at };
    case 'lost-link':
    case 'missing-organization':
      throw new Error(`a walk along a chain finds no ${finding.kind}`);
  }
}

/** Neighbours become one range; the first ten are kept, which is enough to send for whoever runs the server. */
function add(found: readonly Broken[], one: Broken): readonly Broken[] {
  if (found.some((other) => other.what === one.what && other.from <= one.from && one.to <= other.to)) return found;
  const last = found.at(-1);
  if (last?.what === one.what && one.from === last.to + 1) return [...found.slice(0, -1), { ...last, to: one.to }];
  return found.length < RANGES_KEPT ? [...found, one] : found;
}

function news(before: readonly Broken[], after: readonly Broken[]): Broken[] {
  return after.filter((one) => !before.some((other) => other.what === one.what && other.from === one.from));
}

function isSame(one: Broken, other: Broken): boolean {
  return one.what === other.what && one.from === other.from && one.to === other.to;
}

function tell({ log }: Installation, { id, slug }: Organization, { what, from, to }: Broken): void {
  log.error('the audit log is not as it was written', { organization: id, slug, what, from, to });
}

/** What the servers have found last; undefined where none has looked yet. */
export async function checkOf(
  installation: Pick<Installation, 'db' | 'auditKey' | 'now'>,
  organizationId: string,
): Promise<Check | undefined> {
  return (await stateOf(installation, organizationId))?.state;
}

async function stateOf(
  { db, auditKey, now }: Pick<Installation, 'db' | 'auditKey' | 'now'>,
  organizationId: string,
): Promise<{ state: State; mac: string; isGenuine: boolean } | undefined> {
  const row = await db.one<{ state: string; mac: string }>(
    sql`SELECT state, mac FROM audit_checks WHERE organization_id = ${organizationId}`,
  );
  if (!row) return undefined;
  const { state, mac } = row;
  if (mac === macOf(auditKey, organizationId, state))
    return { state: JSON.parse(state) as State, mac, isGenuine: true };
  return { state: unseen(now(), [{ what: 'record', from: 0, to: 0, at: now() }]), mac, isGenuine: false };
}

// Only over the row that was read: of two that hold the lease by mistake, one has looked in vain.
async function keep(
  { db, auditKey }: Installation,
  organizationId: string,
  kept: State,
  before: string | undefined,
): Promise<boolean> {
  const state = JSON.stringify(kept);
  const mac = macOf(auditKey, organizationId, state);
  const written = await db.relaxed(
    before === undefined
      ? sql`INSERT INTO audit_checks (organization_id, state, mac) VALUES (${organizationId}, ${state}, ${mac})
        ON CONFLICT DO NOTHING RETURNING mac`
      : sql`UPDATE audit_checks SET state = ${state}, mac = ${mac}
        WHERE organization_id = ${organizationId} AND mac = ${before} RETURNING mac`,
  );
  return written.length === 1;
}

function macOf(key: Uint8Array, organizationId: string, state: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify(['check', organizationId, state]))
    .digest('base64url');
}

function endOf(db: Pick<Queries, 'one'>, organizationId: string): Promise<Place | undefined> {
  return db.one(sql`SELECT sequence, link FROM audit_links WHERE organization_id = ${organizationId}
    ORDER BY sequence DESC LIMIT 1`);
}
