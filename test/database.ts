import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { sql, type Database } from '../src/db/db.ts';
import { migrate } from '../src/db/migrate.ts';
import { openPostgres } from '../src/db/postgres.ts';
import { openSqlite } from '../src/db/sqlite.ts';

export type Engine = Database['engine'];

/** A database of its own for one test: how to open it (as often as there are servers) and how to be rid of it. */
export interface TestDatabase {
  readonly engine: Engine;
  /** A file for SQLite, an address for PostgreSQL. */
  readonly place: string;
  open(): Database;
  remove(): Promise<void>;
}

// In memory where the system has such a folder: the tests would else spend most of their time waiting for the disk.
const FOLDERS = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Declares the same sentences for both engines. */
export function eachEngine(story: string, sentences: (engine: Engine) => void): void {
  for (const engine of ['sqlite', 'postgres'] as const) describe(`${story} (${engine})`, () => sentences(engine));
}

/** A fresh database with today's schema, or an empty one. */
export async function testDatabase(engine: Engine, empty = false): Promise<TestDatabase> {
  if (engine === 'postgres') return postgresDatabase(empty);
  const folder = mkdtempSync(join(FOLDERS, 'sallyport-test-'));
  const file = join(folder, 'sallyport.sqlite');
  const opened: Database[] = [];
  const open = (): Database => keep(opened, openSqlite(file));
  if (!empty) await migrate(open(), 0);
  const remove = async (): Promise<void> => {
    for (const db of opened) await db.close().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  return { engine, place: file, open, remove };
}

async function postgresDatabase(empty: boolean): Promise<TestDatabase> {
  const reused = empty ? undefined : free.pop();
  const name = reused ?? `world_${randomBytes(8).toString('hex')}`;
  if (reused === undefined) {
    const template = empty ? 'template1' : await migratedTemplate();
    await asServer((server) => server.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  }
  const opened: Database[] = [];
  const remove = async (): Promise<void> => {
    for (const db of opened) await db.close().catch(() => undefined);
    if (empty) return void (await asServer((server) => server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)));
    await asServer(emptied, urlOf(name));
    free.push(name);
  };
  // What they say does not depend on how busy the machine is.
  const open = (): Database => keep(opened, openPostgres(urlOf(name), { patient: true }));
  return { engine: 'postgres', place: urlOf(name), open, remove };
}

// Emptying a small database takes a few milliseconds, making one a quarter of a second on a slow disk.
const free: string[] = [];

async function emptied(server: pg.Client): Promise<void> {
  await server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`);
  const { rows } = await server.query<{ name: string }>(`SELECT tablename AS name FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'schema_migrations'`);
  const deletions = rows.map(({ name }) => `DELETE FROM ${name};`).join(' ');
  // As a replica it follows no foreign keys, so the order of the tables does not matter.
  await server.query(`SET session_replication_role = replica; ${deletions}`);
}

/** One template for all test files that run at once: the first makes it, the others wait on the lock and find it. */
async function migratedTemplate(): Promise<string> {
  const folder = join(import.meta.dirname, '../migrations');
  const texts = readdirSync(folder).map((file) => file + readFileSync(join(folder, file), 'utf8'));
  const name = `template_${createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 32)}`;
  await asServer(async (server) => {
    await server.query('SELECT pg_advisory_lock(1)');
    if ((await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rowCount === 1) return;
    await server.query(`CREATE DATABASE ${name}_new`);
    const db = openPostgres(urlOf(`${name}_new`), { patient: true });
    await migrate(db, 0);
    await db.close();
    await server.query(`ALTER DATABASE ${name}_new RENAME TO ${name}`);
  });
  return name;
}

async function asServer<T>(work: (server: pg.Client) => Promise<T>, url = serverUrl()): Promise<T> {
  const server = new pg.Client(url);
  await server.connect();
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}

function urlOf(name: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

function serverUrl(): string {
  const url = process.env['TEST_POSTGRES_URL'];
  if (!url) throw new Error('TEST_POSTGRES_URL is not set: run the tests with npm test');
  return url;
}

/** Until a statement has waited for a lock of another transaction's for so long, in this database of PostgreSQL. */
export async function waiting(db: Database, ms = 0): Promise<void> {
  const found = sql`SELECT 1 AS found FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > ${`${ms} ms`}::interval`;
  while ((await db.one(found)) === undefined) await setTimeout(10);
}

function keep(opened: Database[], db: Database): Database {
  opened.push(db);
  return db;
}
