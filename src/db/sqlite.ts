import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  DatabaseUnavailable,
  NotUnique,
  RolledBack,
  type Database,
  type Queries,
  type Sql,
  type Transaction,
} from './db.ts';

const BUSY_TIMEOUT_MS = 5_000;

/**
 * Opens (or creates) the embedded database in a file: WAL, every commit on disk before it is answered.
 *
 * One connection writes, and its callers queue: an asynchronous transaction on a shared connection would otherwise
 * take the next caller's statements into itself. Counters have a connection of their own in the same queue, with
 * synchronous = NORMAL. Reads have a read-only connection, since readers on the writer's would see uncommitted rows.
 */
export function openSqlite(file: string): Database {
  const writer = connect(file, 'FULL');
  const counters = connect(file, 'NORMAL');
  const reader = connect(file, 'FULL', true);
  const write = queries(writer);
  const read = queries(reader);
  const count = queries(counters);
  const queued = queue();

  async function transaction<T>(work: (tx: Transaction) => Promise<T | RolledBack<T>>): Promise<T> {
    return queued(async () => {
      guarded(() => writer.exec('BEGIN IMMEDIATE'));
      try {
        const result = await work({ ...write, savepoint: (inner) => savepoint(writer, inner) });
        if (result instanceof RolledBack) {
          writer.exec('ROLLBACK');
          return result.value;
        }
        guarded(() => writer.exec('COMMIT'));
        return result;
      } catch (fault) {
        if (writer.isTransaction) writer.exec('ROLLBACK');
        throw fault;
      }
    });
  }

  return {
    engine: 'sqlite',
    all: read.all,
    one: read.one,
    transaction,
    relaxed: (statement) => queued(() => count.all(statement)),
    migrate: (work) => transaction((tx) => work({ ...tx, script: (text) => Promise.resolve(writer.exec(text)) })),
    close: () =>
      queued(async () => {
        for (const connection of [reader, counters, writer]) connection.close();
      }),
  };
}

function connect(file: string, synchronous: 'FULL' | 'NORMAL', readOnly = false): DatabaseSync {
  const connection = new DatabaseSync(file, { readOnly, timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  if (!readOnly) connection.exec('PRAGMA journal_mode = WAL');
  // A WAL database may open as NORMAL, which loses the last commits in a power cut; so it is said explicitly.
  connection.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`);
  return connection;
}

function queries(connection: DatabaseSync): Queries {
  const prepared = new Map<string, StatementSync>();
  const prepare = (statement: Sql): StatementSync => {
    const text = statement.strings.join('?');
    let known = prepared.get(text);
    if (!known) prepared.set(text, (known = connection.prepare(text)));
    return known;
  };
  return {
    run: async (statement) => guarded(() => Number(prepare(statement).run(...statement.values).changes)),
    all: async <T>(statement: Sql) => guarded(() => prepare(statement).all(...statement.values) as T[]),
    one: async <T>(statement: Sql) => guarded(() => prepare(statement).get(...statement.values) as T | undefined),
  };
}

async function savepoint<T>(
  writer: DatabaseSync,
  work: () => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; fault: unknown }> {
  writer.exec('SAVEPOINT kept');
  try {
    const value = await work();
    writer.exec('RELEASE kept');
    return { ok: true, value };
  } catch (fault) {
    if (fault instanceof DatabaseUnavailable || !writer.isTransaction) throw fault;
    writer.exec('ROLLBACK TO kept; RELEASE kept');
    return { ok: false, fault };
  }
}

// A full disk, a locked or a broken file are faults of the machine, not of the request. Primary result codes of SQLite:
// 5 BUSY, 6 LOCKED, 8 READONLY, 10 IOERR, 11 CORRUPT, 13 FULL, 14 CANTOPEN, 26 NOTADB.
const MACHINE_FAULTS = new Set([5, 6, 8, 10, 11, 13, 14, 26]);
// Extended result codes: CONSTRAINT_PRIMARYKEY and CONSTRAINT_UNIQUE.
const NOT_UNIQUE = new Set([1555, 2067]);

function guarded<T>(statement: () => T): T {
  try {
    return statement();
  } catch (fault) {
    const code = (fault as { errcode?: number }).errcode;
    if (code !== undefined && MACHINE_FAULTS.has(code & 0xff)) {
      throw new DatabaseUnavailable((fault as Error).message, { cause: fault });
    }
    if (code !== undefined && NOT_UNIQUE.has(code)) throw new NotUnique((fault as Error).message, { cause: fault });
    throw fault;
  }
}

function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
