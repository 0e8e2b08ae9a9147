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

// Whoever waits is answered within two seconds that the database is lost; what it says in time may take longer in all.
const CONNECT_TIMEOUT_MS = 1_500;
const SILENCE_MS = 1_500;
// The server gives up for itself what nobody waits for any more.
const STATEMENT_TIMEOUT_MS = 10_000;
const REFUSED_AFTER_SILENCE_MS = 500;
const CLOSE_TIMEOUT_MS = 2_000;
const NO_TIMEOUT_MS = 2 ** 31 - 1;
const COUNTER_CONNECTIONS = 4;
const UNIQUE_VIOLATION = '23505';
const MIGRATION_LOCK = 7_265_891;

/**
 * Opens a pool of connections to PostgreSQL. READ COMMITTED suffices, because every story begins by updating the
 * account's row, which is its lock. A transaction that lost to another is run once more. A server that is gone, or that
 * says nothing for a second and a half, is DatabaseUnavailable, and is found again when it is back.
 */
export function openPostgres(url: string, poolSize = 10): Database {
  const pool = connect(url, poolSize);
  const counters = connect(url, COUNTER_CONNECTIONS, '-c synchronous_commit=off');
  const reached = reaching();
  const queries = (client: pg.Pool | pg.PoolClient): Queries => queriesOn(client, reached);
  const read = queries(pool);

  async function once<T>(work: (tx: Transaction, client: pg.PoolClient) => Promise<T | RolledBack<T>>): Promise<T> {
    const client = await reached(() => pool.connect());
    let broken: Error | undefined;
    try {
      await reached(() => client.query('BEGIN'));
      const write = queries(client);
      const result = await work({ ...write, savepoint: (inner) => savepoint(client, reached, inner) }, client);
      await reached(() => client.query(result instanceof RolledBack ? 'ROLLBACK' : 'COMMIT'));
      return result instanceof RolledBack ? result.value : result;
    } catch (fault) {
      // A lost connection is not asked for anything more: PostgreSQL rolls back what it held.
      if (fault instanceof DatabaseUnavailable) broken = fault;
      else await reached(() => client.query('ROLLBACK')).catch((lost: unknown) => (broken = lost as Error));
      throw fault;
    } finally {
      client.release(broken ?? false);
    }
  }

  async function transaction<T>(work: (tx: Transaction) => Promise<T | RolledBack<T>>): Promise<T> {
    try {
      return await once(work);
    } catch (fault) {
      if (!lostToAnother(fault)) throw fault;
      return once(work);
    }
  }

  return {
    engine: 'postgres',
    all: read.all,
    one: read.one,
    transaction,
    relaxed: queries(counters).all,
    migrate: (work) =>
      once(async (tx, client) => {
        await client.query('SET LOCAL statement_timeout = 0');
        await client.query(unhurried(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`));
        await work({ ...tx, script: async (text) => void (await client.query(unhurried(inByteOrder(text)))) });
      }),
    close: () => Promise.race([Promise.all([pool.end(), counters.end()]), goodbyeTakesTooLong()]).then(() => undefined),
  };
}

function connect(url: string, max: number, options?: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: SILENCE_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
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

// Somebody else's migration, and our own, may take as long as they do.
function unhurried(text: string): pg.QueryConfig {
  return { text, query_timeout: NO_TIMEOUT_MS } as pg.QueryConfig;
}

// Keyset pages compare by bytes, as TypeScript and SQLite do; PostgreSQL sorts text by the database's locale unless
// each column says otherwise. SQLite has no collation of this name, so the one migration text cannot say it itself.
function inByteOrder(migration: string): string {
  return migration.replace(/^(\s+[a-z_]+ TEXT)\b/gm, '$1 COLLATE "C"');
}

function queriesOn(client: pg.Pool | pg.PoolClient, reached: Reached): Queries {
  const query = (statement: Sql): Promise<pg.QueryResult> =>
    reached(() => client.query({ ...prepare(statement), values: [...statement.values] }));
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
  client: pg.PoolClient,
  reached: Reached,
  work: () => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; fault: unknown }> {
  await reached(() => client.query('SAVEPOINT kept'));
  try {
    const value = await work();
    await reached(() => client.query('RELEASE SAVEPOINT kept'));
    return { ok: true, value };
  } catch (fault) {
    if (fault instanceof DatabaseUnavailable || lostToAnother(fault)) throw fault;
    await reached(() => client.query('ROLLBACK TO SAVEPOINT kept'));
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

type Reached = <T>(call: () => Promise<T>) => Promise<T>;

// What is no word of the server's (a refused connection, a broken one, silence) means that it was not reached. Of its
// own words classes 08, 53 and 57 mean the same (connection, resources such as a full disk, shutdown), 28 and 3D that it
// does not let us in or has no such database, 25006 that it is a standby, which cannot write.
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
