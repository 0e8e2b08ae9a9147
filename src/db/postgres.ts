import { createHash } from 'node:crypto';
import pg from 'pg';
import {
  DatabaseUnavailable,
  NotUnique,
  RolledBack,
  type Database,
  type Queries,
  type Sql,
  type Transaction,
} from './db.ts';

/** How long a statement may take: until the server itself gives it up, and until the server is taken for gone. */
interface Patience {
  readonly statementMs: number;
  readonly silenceMs: number;
}

// Whoever waits is answered within two seconds that the database is lost. A slow statement is told by the server before
// that, so that it is nobody else's trouble. It gives up no COMMIT, and what it says in time may take longer in all.
const HURRIED: Patience = { statementMs: 1_200, silenceMs: 1_500 };
// Nobody waits for it, but others wait for its locks.
const PATIENT: Patience = { statementMs: 30_000, silenceMs: 31_500 };
// Somebody sits before it and can end it; or, of a migration, nothing goes on without it.
const ENDLESS: Patience = { statementMs: 0, silenceMs: 2 ** 31 - 1 };
const CONNECT_TIMEOUT_MS = 1_500;
const PATIENT_CONNECT_TIMEOUT_MS = 10_000;
const REFUSED_AFTER_SILENCE_MS = 500;
const CLOSE_TIMEOUT_MS = 2_000;
const COUNTER_CONNECTIONS = 4;
const UNIQUE_VIOLATION = '23505';
const MIGRATION_LOCK = 7_265_891;

/** How a database is opened. */
export interface Opening {
  /** Connections for everything but counters, 10 unless told. */
  readonly poolSize?: number;
  /** For a command: a statement takes as long as it takes, and a lock is waited for. */
  readonly patient?: boolean;
}

/**
 * Opens a pool of connections to PostgreSQL. READ COMMITTED suffices, because every story begins by updating the
 * account's row, which is its lock. A transaction that lost to another is run once more. A statement that takes longer
 * than 1.2 s is DatabaseUnavailable for whoever asked it. A server that is gone, or that says nothing for a second and a
 * half, is DatabaseUnavailable for everybody, and is found again when it is back.
 */
export function openPostgres(url: string, { poolSize = 10, patient = false }: Opening = {}): Database {
  const usual = patient ? ENDLESS : HURRIED;
  const pool = connect(url, poolSize, usual);
  const counters = connect(url, COUNTER_CONNECTIONS, usual, '-c synchronous_commit=off');
  const reached = reaching();
  const read = queriesOn(asking(pool, reached, usual));

  async function once<T>(
    work: (tx: Transaction, ask: Ask) => Promise<T | RolledBack<T>>,
    patience: Patience,
  ): Promise<T> {
    const client = await reached(() => pool.connect());
    const ask = asking(client, reached, patience);
    let broken: Error | undefined;
    try {
      await ask({ text: 'BEGIN' });
      if (patience !== usual) await ask({ text: `SET LOCAL statement_timeout = ${patience.statementMs}` });
      const result = await work({ ...queriesOn(ask), savepoint: (inner) => savepoint(ask, inner) }, ask);
      await ask({ text: result instanceof RolledBack ? 'ROLLBACK' : 'COMMIT' });
      return result instanceof RolledBack ? result.value : result;
    } catch (fault) {
      // A lost connection is not asked for anything more: PostgreSQL rolls back what it held.
      if (fault instanceof DatabaseUnavailable && !tookTooLong(fault.cause)) broken = fault;
      else await ask({ text: 'ROLLBACK' }).catch((lost: unknown) => (broken = lost as Error));
      throw fault;
    } finally {
      client.release(broken ?? false);
    }
  }

  const transaction: Database['transaction'] = async (work, how) => {
    const patience = how?.patient && !patient ? PATIENT : usual;
    try {
      return await once(work, patience);
    } catch (fault) {
      if (!lostToAnother(fault)) throw fault;
      return once(work, patience);
    }
  };

  return {
    engine: 'postgres',
    all: read.all,
    one: read.one,
    transaction,
    relaxed: queriesOn(asking(counters, reached, usual)).all,
    migrate: (work) =>
      once(async (tx, ask) => {
        await ask({ text: `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})` });
        await work({ ...tx, script: async (text) => void (await ask({ text: inByteOrder(text) })) });
      }, ENDLESS),
    close: () => Promise.race([Promise.all([pool.end(), counters.end()]), goodbyeTakesTooLong()]).then(() => undefined),
  };
}

function connect(url: string, max: number, patience: Patience, options?: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: patience === ENDLESS ? PATIENT_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS,
    statement_timeout: patience.statementMs,
    keepAlive: true,
    types: { getTypeParser },
    ...(options === undefined ? {} : { options }),
  });
  // A connection that breaks is noticed by the statement that meets it; without listeners it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

// A server that has fallen silent does not say goodbye either.
function goodbyeTakesTooLong(): Promise<void> {
  return new Promise((done) => setTimeout(done, CLOSE_TIMEOUT_MS).unref());
}

// Keyset pages compare by bytes, as TypeScript and SQLite do; PostgreSQL sorts text by the database's locale unless
// each column says otherwise. SQLite has no collation of this name, so the one migration text cannot say it itself.
function inByteOrder(migration: string): string {
  return migration.replace(/^(\s+[a-z_]+ TEXT)\b/gm, '$1 COLLATE "C"');
}

type Ask = (query: pg.QueryConfig) => Promise<pg.QueryResult>;

function asking(client: pg.Pool | pg.PoolClient, reached: Reached, { silenceMs }: Patience): Ask {
  return (query) => reached(() => client.query({ ...query, query_timeout: silenceMs } as pg.QueryConfig));
}

function queriesOn(ask: Ask): Queries {
  const query = (statement: Sql): Promise<pg.QueryResult> =>
    ask({ ...prepare(statement), values: [...statement.values] });
  return {
    run: async (statement) => (await query(statement)).rowCount ?? 0,
    all: async <T>(statement: Sql) => (await query(statement)).rows as T[],
    one: async <T>(statement: Sql) => (await query(statement)).rows[0] as T | undefined,
  };
}

const prepared = new Map<string, { name: string; text: string }>();

function prepare(statement: Sql): { name: string; text: string } {
  const key = statement.strings.join('?');
  let known = prepared.get(key);
  if (!known) {
    const text = statement.strings.reduce((before, part, index) => `${before}$${index}${part}`);
    known = { name: createHash('sha256').update(text).digest('base64url'), text };
    prepared.set(key, known);
  }
  return known;
}

async function savepoint<T>(
  ask: Ask,
  work: () => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; fault: unknown }> {
  await ask({ text: 'SAVEPOINT kept' });
  try {
    const value = await work();
    await ask({ text: 'RELEASE SAVEPOINT kept' });
    return { ok: true, value };
  } catch (fault) {
    if (fault instanceof DatabaseUnavailable || lostToAnother(fault)) throw fault;
    await ask({ text: 'ROLLBACK TO SAVEPOINT kept' });
    return { ok: false, fault };
  }
}

// Times and counts are BIGINT; all of ours are safe integers, so they come back as numbers like SQLite's.
function getTypeParser(oid: number): (value: string) => unknown {
  return oid === pg.types.builtins.INT8 || oid === pg.types.builtins.INT4 ? Number : String;
}

// SQLSTATE: 40001 serialization_failure, 40P01 deadlock_detected.
function lostToAnother(fault: unknown): boolean {
  return ['40001', '40P01'].includes((fault as { code?: string }).code ?? '');
}

// SQLSTATE 57014, query_canceled: the connection is as good as before.
function tookTooLong(fault: unknown): boolean {
  return fault instanceof pg.DatabaseError && fault.code === '57014';
}

type Reached = <T>(call: () => Promise<T>) => Promise<T>;

// What is no word of the server's (a refused connection, a broken one, silence) means that it was not reached. Of its
// own words classes 08, 53 and 57 mean the same (connection, resources such as a full disk, shutdown or a statement that
// it gave up), 28 and 3D that it does not let us in or has no such database, 25006 that it is a standby, which cannot write.
// After a silence everything is refused for a moment: else a request would wait out each of its statements.
function reaching(): Reached {
  let silent = false;
  return async (call) => {
    if (silent) throw new DatabaseUnavailable('the database has just fallen silent');
    try {
      return await call();
    } catch (fault) {
      if (fault instanceof pg.DatabaseError && fault.code === UNIQUE_VIOLATION)
        throw new NotUnique(fault.message, { cause: fault });
      if (fault instanceof pg.DatabaseError && !/^(08|28|3D|53|57|25006)/.test(fault.code ?? '')) throw fault;
      if (!silent && SILENCES.has((fault as Error).message)) {
        silent = true;
        setTimeout(() => (silent = false), REFUSED_AFTER_SILENCE_MS).unref();
      }
      throw new DatabaseUnavailable((fault as Error).message, { cause: fault });
    }
  };
}

// As pg words them; it gives them no code. A busy pool times out in other words, and is no silence.
const SILENCES = new Set(['Query read timeout', 'Connection terminated due to connection timeout']);
