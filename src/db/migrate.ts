import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql, type Database } from './db.ts';

/** Where the database stands against the code: what counts is the set of names applied, not the highest number. */
export type SchemaState = { kind: 'empty' | 'current' } | { kind: 'older' | 'newer'; names: string[] };

const FOLDER = join(import.meta.dirname, '../../migrations');

/** Compares the applied migrations with those of the code. Changes nothing. */
export async function schemaState(db: Database): Promise<SchemaState> {
  const applied = await appliedNames(db);
  if (applied.length === 0) return { kind: 'empty' };
  const known = migrations(db.engine).map((migration) => migration.name);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) return { kind: 'newer', names: unknown };
  const missing = known.filter((name) => !applied.includes(name));
  return missing.length > 0 ? { kind: 'older', names: missing } : { kind: 'current' };
}

/**
 * Applies every migration that is missing, in the order of their names, in one transaction under the database's lock;
 * run by many at once, one does it and the others find it done. Answers the names it applied.
 */
export async function migrate(db: Database, now: number): Promise<string[]> {
  const done: string[] = [];
  await db.migrate(async (tx) => {
    done.length = 0;
    await tx.run(
      sql`CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)`,
    );
    const applied = (await tx.all<{ name: string }>(sql`SELECT name FROM schema_migrations`)).map((row) => row.name);
    for (const migration of migrations(db.engine)) {
      if (applied.includes(migration.name)) continue;
      await tx.script(readFileSync(migration.file, 'utf8'));
      await tx.run(sql`INSERT INTO schema_migrations (name, applied_at) VALUES (${migration.name}, ${now})`);
      done.push(migration.name);
    }
  });
  return done;
}

async function appliedNames(db: Database): Promise<string[]> {
  const table =
    db.engine === 'sqlite'
      ? sql`SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'`
      : sql`SELECT 1 AS found WHERE to_regclass('schema_migrations') IS NOT NULL`;
  const exists = await db.one(table);
  if (!exists) return [];
  return (await db.all<{ name: string }>(sql`SELECT name FROM schema_migrations`)).map((row) => row.name);
}

// A migration is `NNNN_name.sql`, or the pair `NNNN_name.sqlite.sql` and `NNNN_name.postgres.sql`; its name is `NNNN_name`.
function migrations(engine: Database['engine']): { name: string; file: string }[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d{4}_[a-z_]+(\.(sqlite|postgres))?\.sql$/.test(file))
    .filter((file) => file.split('.').length === 2 || file.includes(`.${engine}.`))
    .map((file) => ({ name: file.slice(0, file.indexOf('.')), file: join(FOLDER, file) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
