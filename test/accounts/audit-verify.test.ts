import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { appendLinks, linkOf, type Head } from '../../src/accounts/audit-chain.ts';
import { lostOrganizations, verifyChain, verifyHead, type Finding } from '../../src/accounts/audit-verify.ts';
import { COLUMNS, macOf, OPERATOR, record, type AuditRow } from '../../src/accounts/audit.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import { acme, signsIn } from '../acme.ts';
import { eachEngine, openWorld, type World } from '../world.ts';

/** A merchant's log as Eve finds it, who can write to the database and has no key. */
interface Log {
  readonly world: World;
  readonly id: string;
  /** Another merchant's. */
  readonly rival: string;
  /** The ids of the rows, by their numbers: there is none at 0. */
  readonly rows: readonly string[];
  /** Rows and links as they are stored, from number 1. */
  readonly stored: readonly Stored[];
  readonly head: Head;
}

interface Stored extends AuditRow {
  readonly mac: string;
  readonly sequence: number;
  readonly link: string;
}

const HER_KEY = Buffer.alloc(32, 'Eve');

/** What Eve does to it, and what is found first in the chain. */
interface Forgery {
  readonly does: (log: Log) => readonly Sql[];
  readonly found: (log: Log) => Finding | undefined;
}

const link = ({ id }: Log, sequence: number): Sql =>
  sql`audit_links WHERE organization_id = ${id} AND sequence = ${sequence}`;
const row = ({ id, rows }: Log, sequence: number): Sql =>
  sql`audit_rows WHERE organization_id = ${id} AND id = ${rows[sequence]!}`;

function changes(column: Sql): Forgery {
  return {
    does: ({ id, rows }) => [sql`UPDATE audit_rows SET ${column} WHERE organization_id = ${id} AND id = ${rows[5]!}`],
    found: ({ rows }) => ({ kind: 'changed-row', sequence: 5, rowId: rows[5]! }),
  };
}

function changesLink(column: (log: Log) => Sql, found: Forgery['found']): Forgery {
  return {
    does: (log) => [sql`UPDATE audit_links SET ${column(log)} WHERE organization_id = ${log.id} AND sequence = 5`],
    found,
  };
}

const gap =
  (from: number, to = from) =>
  (): Finding => ({ kind: 'gap', from, to });
const cut: Forgery['found'] = ({ rows }) => ({ kind: 'cut-row', sequence: 5, rowId: rows[5]! });
const broken =
  (sequence: number) =>
  ({ rows }: Log): Finding => ({
    kind: 'broken-link',
    sequence,
    rowId: rows[sequence]!,
  });

/** By the columns of audit_rows, each of them. */
const ROW: Readonly<Record<string, Forgery>> = {
  organization_id: {
    does: ({ id, rival, rows }) => [
      sql`UPDATE audit_rows SET organization_id = ${rival} WHERE organization_id = ${id} AND id = ${rows[5]!}`,
    ],
    found: cut,
  },
  id: { ...changes(sql`id = 'another'`), found: cut },
  at: changes(sql`at = at + 1`),
  actor_kind: changes(sql`actor_kind = 'system'`),
  actor_id: changes(sql`actor_id = 'somebody else'`),
  action: changes(sql`action = 'signed-out'`),
  target_id: changes(sql`target_id = 'somebody else'`),
  address: changes(sql`address = '198.51.100.9'`),
  result: changes(sql`result = 'right'`),
  reason: changes(sql`reason = 'a better one'`),
  details: changes(sql`details = '{"factor":"totp"}'`),
  mac: changes(sql`mac = 'made up'`),
  // A mark of work done, which no reader relies on.
  linked_at: { ...changes(sql`linked_at = NULL`), found: () => undefined },
};

/** By the columns of audit_links, each of them. */
const LINK: Readonly<Record<string, Forgery>> = {
  organization_id: changesLink(() => sql`organization_id = 'nobody'`, gap(5)),
  sequence: changesLink(() => sql`sequence = 1000`, gap(5)),
  row_id: changesLink(
    () => sql`row_id = 'another'`,
    () => ({ kind: 'cut-row', sequence: 5, rowId: 'another' }),
  ),
  link: changesLink(() => sql`link = 'made up'`, broken(5)),
};

const WHOLE: Readonly<Record<string, Forgery>> = {
  'cuts a row out': { does: (log) => [sql`DELETE FROM ${row(log, 5)}`], found: cut },
  'cuts a row out with its link': {
    does: (log) => [sql`DELETE FROM ${link(log, 5)}`, sql`DELETE FROM ${row(log, 5)}`],
    found: gap(5),
  },
  'cuts a link out': { does: (log) => [sql`DELETE FROM ${link(log, 5)}`], found: gap(5) },
  'cuts the first three out': {
    does: ({ id }) => [sql`DELETE FROM audit_links WHERE organization_id = ${id} AND sequence <= 3`],
    found: gap(1, 3),
  },
  'exchanges two links': {
    does: ({ id }) => [renumber(id, 5, -5), renumber(id, 6, 5), renumber(id, -5, 6)],
    found: ({ rows }) => ({ kind: 'broken-link', sequence: 5, rowId: rows[6]! }),
  },
  'exchanges what two links hold': {
    does: ({ id, rows }) => [
      sql`UPDATE audit_links SET row_id = 'away' WHERE organization_id = ${id} AND sequence = 5`,
      sql`UPDATE audit_links SET row_id = ${rows[5]!} WHERE organization_id = ${id} AND sequence = 6`,
      sql`UPDATE audit_links SET row_id = ${rows[6]!} WHERE organization_id = ${id} AND sequence = 5`,
    ],
    found: ({ rows }) => ({ kind: 'broken-link', sequence: 5, rowId: rows[6]! }),
  },
  'cuts a row out and closes the gap by numbering the rest anew': {
    does: (log) => [
      sql`DELETE FROM ${link(log, 5)}`,
      sql`DELETE FROM ${row(log, 5)}`,
      ...log.rows.slice(6).map((_, index) => renumber(log.id, index + 6, index + 5)),
    ],
    found: ({ rows }) => ({ kind: 'broken-link', sequence: 5, rowId: rows[6]! }),
  },
  'numbers everything from 0': {
    does: ({ id, rows }) => rows.slice(1).map((_, index) => renumber(id, index + 1, index)),
    found: ({ rows }) => ({ kind: 'broken-link', sequence: 0, rowId: rows[1]! }),
  },
  'cuts the last link off and leaves the row': {
    does: (log) => [sql`DELETE FROM ${link(log, log.head.sequence)}`],
    found: ({ rows, head }) => ({ kind: 'lost-link', rowId: rows[head.sequence]! }),
  },
  'puts a row in, with a link of her own making': {
    does: ({ id, rows, head }) => {
      const next = { organizationId: id, sequence: head.sequence + 1, rowId: 'forged', mac: 'made up' };
      return [
        sql`INSERT INTO audit_rows (organization_id, id, at, actor_kind, action, result, details, mac, linked_at)
          SELECT organization_id, 'forged', at, actor_kind, action, result, details, 'made up', 1
          FROM audit_rows WHERE organization_id = ${id} AND id = ${rows[5]!}`,
        sql`INSERT INTO audit_links (organization_id, sequence, row_id, link)
          VALUES (${id}, ${next.sequence}, 'forged', ${linkOf(HER_KEY, next, head.link)})`,
      ];
    },
    found: ({ head }) => ({ kind: 'changed-row', sequence: head.sequence + 1, rowId: 'forged' }),
  },
  'changes a row, and makes its MAC with a key of her own': {
    does: ({ stored }) => [rewritten(stored[4]!, HER_KEY)],
    found: ({ rows }) => ({ kind: 'changed-row', sequence: 5, rowId: rows[5]! }),
  },
  'makes all links anew, with a key of her own': {
    does: ({ stored }) => {
      let previous = '';
      return stored.map((one) => {
        previous = linkOf(HER_KEY, { ...one, rowId: one.id }, previous);
        return relinked(one, previous);
      });
    },
    found: broken(1),
  },
  'has the key, and makes a row and its link anew, but not those behind it': {
    does: ({ world: { installation }, stored }) => {
      const row5 = stored[4]!;
      const mac = macOf(installation.auditKey, { ...row5, result: 'right' });
      const made = linkOf(installation.auditKey, { ...row5, rowId: row5.id, mac }, stored[3]!.link);
      return [rewritten(row5, installation.auditKey), relinked(row5, made)];
    },
    found: broken(6),
  },
};

/** What leaves a chain that is whole in itself: only a head that was saved before can tell. */
const AGAINST_HEADS: Readonly<Record<string, Forgery>> = {
  'cuts the newest three off': {
    does: cutsThree,
    found: ({ head }) => ({ kind: 'missing-tail', sequence: head.sequence, end: head.sequence - 3 }),
  },
  'cuts the newest three off, and the server writes on': {
    does: cutsThree,
    found: ({ head }) => ({ kind: 'replaced', sequence: head.sequence }),
  },
  'cuts everything': {
    does: ({ id }) => [
      sql`DELETE FROM audit_links WHERE organization_id = ${id}`,
      sql`DELETE FROM audit_rows WHERE organization_id = ${id}`,
    ],
    found: ({ head }) => ({ kind: 'missing-tail', sequence: head.sequence, end: 0 }),
  },
  'removes the merchant as a whole': {
    does: ({ id }) => [
      sql`DELETE FROM audit_links WHERE organization_id = ${id}`,
      sql`DELETE FROM audit_rows WHERE organization_id = ${id}`,
      sql`DELETE FROM organizations WHERE id = ${id}`,
    ],
    found: () => ({ kind: 'missing-organization' }),
  },
};

eachEngine('verifying the audit log', (engine) => {
  test('finds nothing where it is as it was written', async () => {
    await using log = await openLog(engine);
    const { rows, world, id, head } = log;
    assert.deepEqual(await verifyChain(world.installation, id), { rows: rows.length - 1, first: undefined, more: 0 });
    assert.equal(await verifyHead(world.db, head), undefined);
    assert.deepEqual(await lostOrganizations(world.db), []);
  });

  test('has a forgery for each column', async () => {
    await using log = await openLog(engine);
    for (const [table, forgeries] of [
      ['audit_rows', ROW],
      ['audit_links', LINK],
    ] as const)
      assert.deepEqual(Object.keys(forgeries), Object.keys((await log.world.rows(table))[0] ?? {}));
  });

  for (const [column, { does, found }] of Object.entries(ROW))
    test(`looks at ${column} of a row`, async () => {
      await using log = await openLog(engine);
      assert.deepEqual(await foundAfter(log, does), found(log));
    });

  for (const [column, { does, found }] of Object.entries(LINK))
    test(`looks at ${column} of a link`, async () => {
      await using log = await openLog(engine);
      assert.deepEqual(await foundAfter(log, does), found(log));
    });

  for (const [what, { does, found }] of Object.entries(WHOLE))
    test(`finds it when Eve ${what}`, async () => {
      await using log = await openLog(engine);
      assert.deepEqual(await foundAfter(log, does), found(log));
    });

  for (const [what, { does, found }] of Object.entries(AGAINST_HEADS))
    test(`finds it by a saved head when Eve ${what}`, async () => {
      await using log = await openLog(engine);
      await byHand(log.world, does(log));
      const { world, id, head } = log;
      if (what.endsWith('writes on')) await happens(world, id, 5);
      await appendLinks(world.installation);
      assert.equal((await verifyChain(world.installation, id)).first, undefined, 'the chain alone does not show it');
      assert.deepEqual(await verifyHead(world.db, head), found(log));
    });

  test('finds a merchant whose row was removed and whose log was left', async () => {
    await using log = await openLog(engine);
    await byHand(log.world, [sql`DELETE FROM organizations WHERE id = ${log.id}`]);
    assert.deepEqual(await lostOrganizations(log.world.db), [log.id]);
  });

  test('finds a row that was moved to another merchant on that side too', async () => {
    await using log = await openLog(engine);
    await byHand(log.world, ROW['organization_id']!.does(log));
    const { first } = await verifyChain(log.world.installation, log.rival);
    assert.deepEqual(first, { kind: 'lost-link', rowId: log.rows[5] });
  });

  test('names the first of many and counts the others, beyond one batch', async () => {
    await using log = await openLog(engine);
    const { world, id, rows } = log;
    await happens(world, id, 2_000);
    await appendLinks(world.installation);
    await byHand(world, [sql`UPDATE audit_rows SET result = 'right' WHERE action = 'settings.changed'`]);
    const { first, more } = await verifyChain(world.installation, id);
    assert.deepEqual([first?.kind, more], ['changed-row', 1_999]);
    assert.ok(first?.kind === 'changed-row' && first.sequence === rows.length);
  });
});

/** A log with wrong and right answers in it, all of it linked, and its head saved. */
async function openLog(engine: 'sqlite' | 'postgres'): Promise<Log & AsyncDisposable> {
  const world = await openWorld(engine);
  const { organization, maria } = await world.acme();
  const rival = await acme(world.installation, 'rival');
  await signsIn(world.installation, maria, { password: 'wrong password' });
  await signsIn(world.installation, maria);
  await appendLinks(world.installation);
  const { id, slug } = organization;
  const stored = await world.db.all<Stored>(sql`SELECT ${COLUMNS}, r.mac, l.sequence, l.link
    FROM audit_links l JOIN audit_rows r ON r.organization_id = l.organization_id AND r.id = l.row_id
    WHERE l.organization_id = ${id} ORDER BY l.sequence`);
  const last = stored.at(-1)!;
  return {
    world,
    id,
    rival: rival.organization.id,
    rows: ['', ...stored.map((one) => one.id)],
    stored,
    head: { organization: id, slug, sequence: last.sequence, link: last.link },
    [Symbol.asyncDispose]: () => world.close(),
  };
}

async function foundAfter(log: Log, does: Forgery['does']): Promise<Finding | undefined> {
  await byHand(log.world, does(log));
  await appendLinks(log.world.installation);
  return (await verifyChain(log.world.installation, log.id)).first;
}

/** Runs statements as somebody would who has the database and cares for no foreign key. */
async function byHand(world: World, statements: readonly Sql[]): Promise<void> {
  if (world.db.engine === 'postgres') {
    return world.db.transaction(async (tx) => {
      await tx.run(sql`SET LOCAL session_replication_role = replica`);
      for (const statement of statements) await tx.run(statement);
    });
  }
  const db = new DatabaseSync(world.place, { enableForeignKeyConstraints: false });
  for (const { strings, values } of statements) db.prepare(strings.join('?')).run(...values);
  db.close();
}

/** Turns a row's result to right, with a MAC that this key makes. */
function rewritten(stored: Stored, key: Uint8Array): Sql {
  return sql`UPDATE audit_rows SET result = 'right', mac = ${macOf(key, { ...stored, result: 'right' })}
    WHERE organization_id = ${stored.organizationId} AND id = ${stored.id}`;
}

function relinked({ organizationId, sequence }: Stored, made: string): Sql {
  return sql`UPDATE audit_links SET link = ${made}
    WHERE organization_id = ${organizationId} AND sequence = ${sequence}`;
}

function cutsThree({ id, rows, head: { sequence } }: Log): Sql[] {
  return rows
    .slice(-3)
    .flatMap((rowId, index) => [
      sql`DELETE FROM audit_links WHERE organization_id = ${id} AND sequence = ${sequence - index}`,
      sql`DELETE FROM audit_rows WHERE organization_id = ${id} AND id = ${rowId}`,
    ]);
}

function renumber(id: string, from: number, to: number): Sql {
  return sql`UPDATE audit_links SET sequence = ${to} WHERE organization_id = ${id} AND sequence = ${from}`;
}

async function happens(world: World, organizationId: string, times: number): Promise<void> {
  await world.db.transaction(async (tx) => {
    for (let n = 0; n < times; n++)
      await record(tx, world.installation, { organizationId, actor: OPERATOR, action: 'settings.changed' });
  });
}
