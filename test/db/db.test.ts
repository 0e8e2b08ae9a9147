import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { DatabaseUnavailable, RolledBack, sql, type Database, type Queries } from '../../src/db/db.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { eachEngine, testDatabase, type TestDatabase } from '../database.ts';

describe('the sql tag', () => {
  test('keeps every value apart from the text', () => {
    const statement = sql`SELECT ${'a'}, ${1}, ${null}`;
    assert.deepEqual(statement.strings, ['SELECT ', ', ', ', ', '']);
    assert.deepEqual(statement.values, ['a', 1, null]);
  });

  test('splices statements into statements, values and all', () => {
    const inner = sql`b = ${2} AND c = ${3}`;
    const statement = sql`WHERE a = ${1} AND ${inner} ${sql``} AND ${sql`d`} = ${4}`;
    assert.deepEqual(statement.strings, ['WHERE a = ', ' AND b = ', ' AND c = ', '  AND d = ', '']);
    assert.deepEqual(statement.values, [1, 2, 3, 4]);
  });

  test('splices at the beginning, at the end and side by side', () => {
    const [a, b] = [sql`${1}a`, sql`b${2}`];
    assert.deepEqual(sql`${a}${b}`, sql`${1}ab${2}`);
  });
});

const write = (tx: Queries, id: number, text = 'note'): Promise<number> =>
  tx.run(sql`INSERT INTO notes (id, text) VALUES (${id}, ${text})`);
const find = (queries: Pick<Queries, 'one'>, id: number): Promise<unknown> =>
  queries.one(sql`SELECT text FROM notes WHERE id = ${id}`);

eachEngine('the database', (engine) => {
  let database: TestDatabase;
  let db: Database;

  before(async () => {
    database = await testDatabase(engine, true);
    db = database.open();
    await db.migrate((tx) => tx.script('CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL, at BIGINT);'));
  });
  after(() => database.remove());

  test('values go through unharmed: moments, NULL, quotes, other scripts', async () => {
    const at = Date.UTC(2026, 10, 24);
    const text = `O'Brien "?" $1 \\ 日本 🔑`;
    const changed = await db.transaction((tx) =>
      tx.run(sql`INSERT INTO notes (id, text, at) VALUES (1, ${text}, ${at})`),
    );
    assert.equal(changed, 1);
    const row = { ...(await db.one(sql`SELECT text, at, NULL AS gone FROM notes WHERE id = 1`)) };
    assert.deepEqual(row, { text, at, gone: null });
  });

  test('counts and moments come back as numbers', async () => {
    const row = await db.one<{ n: number; at: number }>(
      sql`SELECT COUNT(*) AS n, MAX(at) AS at FROM notes WHERE id = 1`,
    );
    assert.equal(row?.n, 1);
    assert.equal(typeof row.at, 'number');
  });

  test('all answers rows in their order, one the first or undefined, run the number of rows it changed', async () => {
    await db.transaction(async (tx) => {
      for (const id of [10, 11, 12]) await write(tx, id);
    });
    const rows = await db.all<{ id: number }>(sql`SELECT id FROM notes WHERE id BETWEEN 10 AND 12 ORDER BY id DESC`);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [12, 11, 10],
    );
    assert.equal(await find(db, 13), undefined);
    const change = sql`UPDATE notes SET text = 'changed' WHERE id BETWEEN 10 AND 11`;
    assert.equal(await db.transaction((tx) => tx.run(change)), 2);
  });

  test('a transaction answers what its work returns, and sees what it wrote', async () => {
    const seen = await db.transaction(async (tx) => {
      await write(tx, 20);
      return find(tx, 20);
    });
    assert.deepEqual({ ...(seen as object) }, { text: 'note' });
  });

  test('a fault leaves nothing of its transaction behind', async () => {
    const work = db.transaction(async (tx) => {
      await write(tx, 30);
      throw new Error('broken');
    });
    await assert.rejects(work, /broken/);
    assert.equal(await find(db, 30), undefined);
  });

  test('RolledBack leaves nothing behind and answers its value all the same', async () => {
    const answer = await db.transaction<string>(async (tx) => {
      await write(tx, 40);
      return new RolledBack('changed my mind');
    });
    assert.equal(answer, 'changed my mind');
    assert.equal(await find(db, 40), undefined);
  });

  test('a statement that breaks a rule is a fault, and the next transaction is none the wiser', async () => {
    await db.transaction((tx) => write(tx, 50));
    await assert.rejects(
      db.transaction((tx) => write(tx, 50)),
      (fault) => !(fault instanceof DatabaseUnavailable),
    );
    await db.transaction((tx) => write(tx, 51));
    assert.ok(await find(db, 51));
  });

  test('a savepoint takes back what failed inside it and keeps what came before and after', async () => {
    const fault = await db.transaction(async (tx) => {
      await write(tx, 60);
      const kept = await tx.savepoint(async () => {
        await write(tx, 61);
        await write(tx, 60);
      });
      await write(tx, 62);
      return kept.ok ? undefined : kept.fault;
    });
    assert.ok(fault instanceof Error);
    assert.deepEqual([!!(await find(db, 60)), !!(await find(db, 61)), !!(await find(db, 62))], [true, false, true]);
  });

  test('a savepoint that went well answers its value and stays', async () => {
    const kept = await db.transaction<unknown>((tx) => tx.savepoint(() => write(tx, 65)));
    assert.deepEqual(kept, { ok: true, value: 1 });
    assert.ok(await find(db, 65));
  });

  test('whoever reads outside sees committed rows only', async () => {
    let outside: unknown = 'not looked';
    await db.transaction(async (tx) => {
      await write(tx, 70);
      outside = await find(db, 70);
    });
    assert.equal(outside, undefined);
    assert.ok(await find(db, 70));
  });

  test('transactions at the same time do not fall into each other', async () => {
    const work = Array.from({ length: 8 }, (_, n) =>
      db.transaction<void>(async (tx) => {
        await write(tx, 100 + n);
        await setImmediate();
        await write(tx, 200 + n);
        return n % 2 === 0 ? new RolledBack(undefined) : undefined;
      }),
    );
    await Promise.all(work);
    const rows = await db.all<{ id: number }>(sql`SELECT id FROM notes WHERE id >= 100 ORDER BY id`);
    assert.deepEqual(
      rows.map(({ id }) => id),
      [101, 103, 105, 107, 201, 203, 205, 207],
    );
  });

  test('many that count at once lose no count', async () => {
    await db.transaction((tx) => tx.run(sql`INSERT INTO notes (id, text, at) VALUES (80, 'count', 0)`));
    const count = sql`UPDATE notes SET at = at + 1 WHERE id = 80`;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? db.relaxed(count) : db.transaction((tx) => tx.run(count)))),
    );
    assert.equal((await db.one<{ at: number }>(sql`SELECT at FROM notes WHERE id = 80`))?.at, 20);
  });

  test('a relaxed statement answers its rows', async () => {
    const rows = await db.relaxed<{ text: string }>(
      sql`UPDATE notes SET text = 'counted' WHERE id = 80 RETURNING text`,
    );
    assert.deepEqual(
      rows.map(({ text }) => text),
      ['counted'],
    );
  });

  test('a migration that breaks leaves nothing behind', async () => {
    const work = db.migrate(async (tx) => {
      await tx.script('CREATE TABLE half (id BIGINT); INSERT INTO half VALUES (1);');
      throw new Error('broken');
    });
    await assert.rejects(work, /broken/);
    await assert.rejects(db.all(sql`SELECT * FROM half`));
  });
});

describe('PostgreSQL', () => {
  test('that is not there is DatabaseUnavailable, whatever was asked of it', async () => {
    const db = openPostgres(`postgres://postgres@127.0.0.1:${await closedPort()}/none`);
    const one = sql`SELECT 1 AS one`;
    await assert.rejects(db.one(one), DatabaseUnavailable);
    await assert.rejects(db.relaxed(one), DatabaseUnavailable);
    await assert.rejects(
      db.transaction((tx) => tx.one(one)),
      DatabaseUnavailable,
    );
    await db.close();
  });

  test('that goes away in the middle of a transaction is DatabaseUnavailable, and is found again when it is back', async () => {
    const database = await testDatabase('postgres', true);
    const [db, other] = [database.open(), database.open()];
    const lost = db.transaction(async (tx) => {
      const row = await tx.one<{ pid: number }>(sql`SELECT pg_backend_pid() AS pid`);
      await other.all(sql`SELECT pg_terminate_backend(${row?.pid ?? 0})`);
      return tx.one(sql`SELECT 1 AS one`);
    });
    await assert.rejects(lost, DatabaseUnavailable);
    assert.deepEqual(await db.transaction((tx) => tx.one(sql`SELECT 1 AS one`)), { one: 1 });
    await database.remove();
  });

  test('that falls silent is DatabaseUnavailable within two seconds, and is found again when it speaks', async () => {
    const database = await testDatabase('postgres', true);
    await using wire = await openWire(new URL(database.place));
    const address = new URL(database.place);
    address.port = String(wire.port);
    const db = openPostgres(address.href);
    const one = sql`SELECT 1 AS one`;
    assert.deepEqual(await db.one(one), { one: 1 });
    const asks = {
      'a read': () => db.one(one),
      'a counter': () => db.relaxed(one),
      'a transaction': () => db.transaction((tx) => tx.one(one)),
      'the middle of a transaction': () =>
        db.transaction(async (tx) => {
          await tx.one(one);
          wire.cut();
          return tx.one(one);
        }),
      'a commit': () =>
        db.transaction(async (tx) => {
          await tx.one(one);
          wire.cut();
        }),
    };
    for (const [what, ask] of Object.entries(asks)) {
      if (what.startsWith('a ') && what !== 'a commit') wire.cut();
      const began = performance.now();
      await assert.rejects(ask, DatabaseUnavailable, what);
      assert.ok(performance.now() - began < 2_000, `${what} waited for ${performance.now() - began} ms`);
      wire.mend();
      await found(db);
    }
    wire.cut();
    await db.close();
    await database.remove();
  });

  test('that gives a statement up is DatabaseUnavailable for whoever asked it, and for nobody else', async () => {
    const database = await testDatabase('postgres', true);
    const db = openPostgres(database.place, { poolSize: 1 });
    const connection = sql`SELECT pg_backend_pid() AS pid`;
    const first = await db.one(connection);
    assert.deepEqual(await db.transaction(longestStatement), { statement_timeout: '1200ms' });
    const given = db.transaction(async (tx) => {
      await tx.run(sql`SET LOCAL statement_timeout = 10`);
      return tx.one(sql`SELECT pg_sleep(60)`);
    });
    await assert.rejects(given, DatabaseUnavailable);
    assert.deepEqual(await db.one(connection), first, 'the connection is kept');
    await db.close();
    await database.remove();
  });

  test('is waited for longer than a silence by a command, and by patient work, which holds up no other', async () => {
    const database = await testDatabase('postgres', true);
    const [command, server] = [openPostgres(database.place, { patient: true }), openPostgres(database.place)];
    const long = sql`SELECT CAST(pg_sleep(2) AS TEXT) AS slept`;
    const patient = server.transaction((tx) => tx.one(long), { patient: true });
    assert.deepEqual(await server.one(sql`SELECT 1 AS one`), { one: 1 });
    for (const slept of await Promise.all([patient, command.one(long), command.transaction((tx) => tx.one(long))]))
      assert.deepEqual(slept, { slept: '' });
    assert.deepEqual(await server.transaction(longestStatement, { patient: true }), { statement_timeout: '30s' });
    assert.deepEqual(await server.transaction(longestStatement), { statement_timeout: '1200ms' });
    assert.deepEqual(await command.transaction(longestStatement, { patient: true }), { statement_timeout: '0' });
    await server.migrate(async (tx) => assert.deepEqual(await longestStatement(tx), { statement_timeout: '0' }));
    await Promise.all([command.close(), server.close()]);
    await database.remove();
  });

  test('runs a transaction that lost a deadlock once more', async () => {
    const database = await testDatabase('postgres', true);
    const db = database.open();
    await db.migrate((tx) =>
      tx.script('CREATE TABLE rows (id BIGINT, n BIGINT); INSERT INTO rows VALUES (1, 0), (2, 0);'),
    );
    const both = Promise.withResolvers<void>();
    const winner = Promise.withResolvers<void>();
    let [began, holding] = [0, 0];
    const raise = async (first: number, second: number): Promise<void> => {
      await db.transaction(async (tx) => {
        // PostgreSQL lets the loser snatch its row back before the winner has woken: the same deadlock once more.
        if (++began > 2) await winner.promise;
        await tx.run(sql`UPDATE rows SET n = n + 1 WHERE id = ${first}`);
        if (++holding === 2) both.resolve();
        await both.promise;
        return tx.run(sql`UPDATE rows SET n = n + 1 WHERE id = ${second}`);
      });
      winner.resolve();
    };
    await Promise.all([raise(1, 2), raise(2, 1)]);
    assert.ok(began > 2, 'nobody lost, so the retry was not tried');
    assert.deepEqual(await db.all(sql`SELECT n FROM rows ORDER BY id`), [{ n: 2 }, { n: 2 }]);
    await database.remove();
  });
});

function longestStatement(tx: Queries): Promise<unknown> {
  return tx.one(sql`SHOW statement_timeout`);
}

function closedPort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** Asks until the database answers, as the next requests of people do; it is refused for a moment after a silence. */
async function found(db: Database): Promise<void> {
  for (let ask = 0; ask < 20; ask++) {
    const answer = await db.one(sql`SELECT 1 AS one`).catch((fault: unknown) => fault);
    if (!(answer instanceof DatabaseUnavailable)) return assert.deepEqual(answer, { one: 1 });
    await setTimeout(100);
  }
  assert.fail('the database was not found again');
}

/** A wire to the server that can be cut: what is sent then arrives nowhere, and nobody is told. */
async function openWire(server: URL): Promise<{ port: number; cut(): void; mend(): void } & AsyncDisposable> {
  let whole = true;
  const ends = new Set<Socket>();
  const forward = (from: Socket, to: Socket): void => {
    ends.add(from);
    from.on('data', (bytes) => void (whole && to.write(bytes)));
    from.on('error', () => undefined).on('close', () => whole && to.destroy());
  };
  const listener = createServer((client) => {
    const far = connect(Number(server.port), server.hostname);
    forward(client, far);
    forward(far, client);
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  return {
    port: (listener.address() as AddressInfo).port,
    cut: () => void (whole = false),
    mend: () => void (whole = true),
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end.destroy();
      await new Promise((done) => listener.close(done));
    },
  };
}
