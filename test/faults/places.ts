import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../src/db/db.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { openSqlite } from '../../src/db/sqlite.ts';
import type { TestDatabase } from '../database.ts';

/** A database in a folder of the test's own. */
export function sqliteIn(folder: string): Promise<TestDatabase> {
  mkdirSync(folder, { recursive: true });
  const place = join(folder, 'sallyport.db');
  const remove = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
  return migrated({ engine: 'sqlite', place, open: () => openSqlite(place), remove });
}

/** The database at an address, on a server of the test's own. */
export function postgresAt(place: string): Promise<TestDatabase> {
  return migrated({
    engine: 'postgres',
    place,
    open: () => openPostgres(place, { patient: true }),
    remove: async () => undefined,
  });
}

async function migrated(database: TestDatabase): Promise<TestDatabase> {
  const db: Database = database.open();
  await migrate(db, 0);
  await db.close();
  return database;
}
