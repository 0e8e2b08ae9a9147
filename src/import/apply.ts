import { sortKey } from '../accounts/accounts.ts';
import { nameAllForAudit, recordAll } from '../accounts/audit.ts';
import { keepPrimary } from '../accounts/deletion.ts';
import { columnOf, insertWords, wordsOf } from '../accounts/findable.ts';
import { importAuthenticators } from '../auth/imported.ts';
import { sealPassword } from '../auth/passwords.ts';
import { uuidv7 } from '../crypto/tokens.ts';
import { list, pieces, sql, type Sql, type Transaction } from '../db/db.ts';
import { changeContacts, imported, taken, type Importing } from './change.ts';
import { countOut, customersFor, settleCustomers, type Kept } from './customers.ts';
import { look, plan, type Plan } from './plan.ts';
import { customerKey, type ImportRow, type Problem } from './rows.ts';

/** What became of some rows. */
export interface Applied {
  readonly created: number;
  /** Who is new here. */
  readonly newcomers: readonly string[];
  readonly changed: number;
  readonly unchanged: number;
  /** Rows that could not go in after all; nothing of them did. */
  readonly problems: readonly Problem[];
}

/**
 * Takes some hundred good rows of a file over, in a transaction of the caller's. Whoever is there already is found by
 * e-mail or external id, so the same rows again change nothing. What somebody else did since the check is met with a
 * problem for that row. Each contact and customer that is made or changed leaves an audit row (I18).
 */
export async function apply(tx: Transaction, importing: Importing, rows: readonly ImportRow[]): Promise<Applied> {
  const known = await look(tx, importing.organizationId, rows);
  const plans = rows.map((row) => plan(row, known, importing.updates));
  const of = <Kind extends Plan['kind']>(kind: Kind): Extract<Plan, { kind: Kind }>[] =>
    plans.filter((one): one is Extract<Plan, { kind: Kind }> => one.kind === kind);
  const created = await createContacts(tx, importing, of('new'));
  const changed = await changeContacts(tx, importing, of('changed'));
  return {
    created: created.done,
    newcomers: created.made,
    changed: changed.done,
    unchanged: of('unchanged').length,
    problems: [...of('wrong').map(({ problem }) => problem), ...created.problems, ...changed.problems],
  };
}

interface Done {
  readonly done: number;
  readonly problems: readonly Problem[];
}

type New = Extract<Plan, { kind: 'new' }>;

async function createContacts(
  tx: Transaction,
  importing: Importing,
  plans: readonly New[],
): Promise<Done & { readonly made: readonly string[] }> {
  const { customers, made: newCustomers } = await customersFor(tx, importing, plans);
  await makeRoomForPrimaries(tx, importing, plans);
  const drafts = plans.flatMap(({ row }) => {
    const customer = customers.get(customerKey(row));
    if (!customer) return [];
    const words = wordsOf([customer.sortKey, sortKey(nameOf(row))], row.emailKey);
    return [{ row, customer, words, id: uuidv7(importing.installation.now()) }];
  });
  const primaries = primariesOf(drafts);
  const kept = new Set<string>();
  for (const some of pieces(drafts)) {
    const rows = some.map((draft) => accountRow(importing, draft, primaries.has(draft.id)));
    // Whatever is unique about a row and taken meanwhile leaves it out, and it alone.
    const inserted = await tx.all<{ id: string }>(sql`INSERT INTO accounts (organization_id, id, kind, customer_id,
        is_primary_at, name, sort_key, email, email_key, phone, password, password_set_at, disabled_at, external_id,
        customer_key, words, created_at)
      VALUES ${list(rows)} ON CONFLICT DO NOTHING RETURNING id`);
    for (const { id } of inserted) kept.add(id);
  }
  const made = drafts.filter(({ id }) => kept.has(id));
  await insertWords(tx, importing.organizationId, made);
  const filled = new Set(made.map(({ customer }) => customer.id));
  await settleCustomers(tx, importing, newCustomers, ({ id }) => filled.has(id));
  for (const { customer } of drafts.filter(({ id }) => !kept.has(id)))
    if (filled.has(customer.id) || !newCustomers.includes(customer)) await countOut(tx, importing, customer);
  // A row that was left out may have been the one that the old primary contact made room for.
  for (const id of new Set(drafts.filter((draft) => !kept.has(draft.id)).map(({ customer }) => customer.id)))
    await keepPrimary(tx, importing.organizationId, id, importing.installation.now());
  await importAuthenticators(tx, importing.installation, importing.organizationId, withSecrets(made));
  await nameAllForAudit(
    tx,
    importing.organizationId,
    made.map(({ id, row }) => ({ subjectId: id, name: `${nameOf(row)} (${row.email})` })),
  );
  await recordAll(
    tx,
    importing.installation,
    made.map(({ id, row }) => imported(importing, 'contact.created', id, row)),
  );
  const lines = new Set(made.map(({ row }) => row.line));
  return {
    done: made.length,
    made: made.map(({ id }) => id),
    problems: plans.filter(({ row }) => !lines.has(row.line)).map(({ row }) => taken(row)),
  };
}

interface Draft {
  readonly row: ImportRow;
  readonly customer: Kept;
  readonly words: readonly string[];
  readonly id: string;
}

function accountRow(
  { installation, organizationId }: Importing,
  { row, customer, words, id }: Draft,
  isPrimary: boolean,
): Sql {
  const now = installation.now();
  const name = nameOf(row);
  const password = row.hash === undefined ? null : sealPassword(installation, { organizationId, id }, row.hash);
  return sql`(${organizationId}, ${id}, 'contact', ${customer.id}, ${isPrimary ? now : null}, ${name}, ${sortKey(name)},
    ${row.email}, ${row.emailKey}, ${row.phone ?? null}, ${password}, ${password === null ? null : now},
    ${row.open === false ? now : null}, ${row.externalId ?? null}, ${customer.sortKey}, ${columnOf(words)}, ${now})`;
}

function nameOf({ name, email }: ImportRow): string {
  return name ?? email;
}

function withSecrets(drafts: readonly Draft[]): { accountId: string; epoch: number; secret: Uint8Array }[] {
  return drafts.flatMap(({ id, row: { secret } }) =>
    secret === undefined ? [] : [{ accountId: id, epoch: 1, secret }],
  );
}

// The billing system says who a customer's primary contact is, also of one that has another here.
async function makeRoomForPrimaries(
  tx: Transaction,
  { organizationId }: Importing,
  plans: readonly New[],
): Promise<void> {
  for (const { row, customer } of plans) {
    if (!row.isPrimary || !customer?.hasPrimary) continue;
    await tx.run(sql`UPDATE accounts SET is_primary_at = NULL WHERE organization_id = ${organizationId}
      AND customer_id = ${customer.id} AND is_primary_at IS NOT NULL`);
  }
}

/** Whom the file calls primary, else the first of a customer that has none. */
function primariesOf(drafts: readonly Draft[]): Set<string> {
  const primaries = new Map<string, Draft>();
  for (const draft of drafts) {
    const before = primaries.get(draft.customer.id);
    const first = before === undefined && !draft.customer.hasPrimary;
    if (first || (draft.row.isPrimary && !before?.row.isPrimary)) primaries.set(draft.customer.id, draft);
  }
  return new Set([...primaries.values()].map(({ id }) => id));
}
