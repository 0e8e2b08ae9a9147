import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { sql } from '../../src/db/db.ts';
import { migrate, schemaState } from '../../src/db/migrate.ts';
import { eachEngine, testDatabase, type Engine } from '../database.ts';

const ROOT = join(import.meta.dirname, '../..');

eachEngine('migrating', (engine) => {
  test('an empty database is told from one with the schema of this code', async () => {
    const database = await testDatabase(engine, true);
    const db = database.open();
    assert.deepEqual(await schemaState(db), { kind: 'empty' });
    assert.ok((await migrate(db, 1)).includes('0001_initial'));
    assert.deepEqual(await schemaState(db), { kind: 'current' });
    assert.deepEqual(await migrate(db, 2), [], 'a second time does nothing');
    await database.remove();
  });

  test('a schema older or newer than the code is told by the names that are missing, not by the highest number', async () => {
    const later = await codeWith('0001_earlier.sql', '9999_later.postgres.sql', '9999_later.sqlite.sql');
    const database = await testDatabase(engine, true);
    const db = database.open();
    await migrate(db, 1);
    const names = ['0001_earlier', '9999_later'];
    assert.deepEqual(await later.schemaState(db), { kind: 'older', names });
    assert.deepEqual(await later.migrate(db, 2), names);
    assert.deepEqual(await later.schemaState(db), { kind: 'current' });
    assert.deepEqual(await schemaState(db), { kind: 'newer', names });
    await database.remove();
    later.remove();
  });

  test('eight servers that start at once on an empty database migrate it once', async () => {
    const database = await testDatabase(engine, true);
    const applied = await Promise.all(Array.from({ length: 8 }, () => migrateInAnotherThread(engine, database.place)));
    const names = applied.flat();
    assert.deepEqual(names, [...new Set(names)], 'no migration ran twice');
    assert.deepEqual(await schemaState(database.open()), { kind: 'current' });
    await database.remove();
  });

  test('every text column that is compared sorts by bytes', async () => {
    const database = await testDatabase(engine);
    const db = database.open();
    const names = ['B', 'a', 'é', 'Z', '_', '\u{1F511}', 'ﬁ'];
    await db.transaction(async (tx) => {
      for (const name of names) {
        await tx.run(sql`INSERT INTO organizations (id, slug, name, contact_details, time_zone, language, created_at)
          VALUES (${name}, ${name}, ${name}, '', 'UTC', 'en', 0)`);
      }
    });
    const rows = await db.all<{ slug: string }>(sql`SELECT slug FROM organizations ORDER BY slug`);
    const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(
      rows.map(({ slug }) => slug),
      byBytes,
    );
    await database.remove();
  });
});

/** The code of a version that has more migrations, each of them a table. */
async function codeWith(...files: string[]): Promise<{
  schemaState: typeof schemaState;
  migrate: typeof migrate;
  remove: () => void;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-version-'));
  cpSync(join(ROOT, 'src/db'), join(folder, 'src/db'), { recursive: true });
  cpSync(join(ROOT, 'migrations'), join(folder, 'migrations'), { recursive: true });
  for (const file of files) {
    writeFileSync(join(folder, 'migrations', file), `CREATE TABLE t${file.slice(0, 4)} (id BIGINT);`);
  }
  const module = (await import(join(folder, 'src/db/migrate.ts'))) as {
    schemaState: typeof schemaState;
    migrate: typeof migrate;
  };
  return { ...module, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What a server does at start. In a thread of its own, since SQLite waits for a lock without letting anything else run. */
async function migrateInAnotherThread(engine: Engine, place: string): Promise<string[]> {
  const source = new URL('../../src/db/', import.meta.url).href;
  const open = engine === 'sqlite' ? ['openSqlite', 'sqlite.ts'] : ['openPostgres', 'postgres.ts'];
  const program = `
    const { parentPort } = require('node:worker_threads');
    (async () => {
      const { ${open[0]} } = await import('${source}${open[1]}');
      const { migrate } = await import('${source}migrate.ts');
      const db = ${open[0]}(${JSON.stringify(place)});
      parentPort.postMessage(await migrate(db, 1));
      await db.close();
    })();`;
  const worker = new Worker(program, { eval: true });
  const [names] = (await once(worker, 'message')) as [string[]];
  return names;
}
