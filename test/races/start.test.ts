import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openAll } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { schemaState } from '../../src/db/migrate.ts';
import { testDatabase } from '../database.ts';
import { START } from '../world.ts';
import { rounds, times } from './racers.ts';

const KEYS = `k1:${Buffer.alloc(32, 'start').toString('base64url')}`;
const LOG = { info: () => undefined, warn: console.error, error: console.error };

describe('servers that start at once', () => {
  test('eight processes that migrate one empty database make one schema: one does it, and all say that it is done', async () => {
    const database = await testDatabase('postgres', true);
    const told = await Promise.all(times(8, () => migrating(database.place)));
    for (const { code, errors } of told) assert.deepEqual({ code, errors }, { code: 0, errors: '' });
    const applied = told.filter(({ said }) => (JSON.parse(said) as { applied: string[] }).applied.length > 0);
    assert.equal(applied.length, 1, 'one has applied the migrations');
    assert.deepEqual(await schemaState(database.open()), { kind: 'current' });
    await database.remove();
  });

  test('eight on an empty database make one schema and one set of keys', async () => {
    await rounds(3, async () => {
      const database = await testDatabase('postgres', true);
      const config = readConfig({ SALLYPORT_DATABASE_URL: database.place, SALLYPORT_KEYS: KEYS });
      const opened = await Promise.all(times(8, () => openAll(config, () => START, LOG)));
      const keys = opened.map(({ auditKey, counterKey }) => Buffer.concat([auditKey, counterKey]).toString('hex'));
      assert.equal(new Set(keys).size, 1);
      assert.deepEqual(await schemaState(database.open()), { kind: 'current' });
      await Promise.all(opened.map(({ db }) => db.close()));
      await database.remove();
    });
  });
});

/** What `sallyport migrate` says, run by itself as an operator would on one of several machines. */
function migrating(place: string): Promise<{ code: unknown; said: string; errors: string }> {
  const env = { SALLYPORT_DATABASE_URL: place, SALLYPORT_KEYS: KEYS };
  const args = [join(import.meta.dirname, '../../src/main.ts'), 'migrate', '--json'];
  return new Promise((done) => {
    execFile(process.execPath, args, { env, timeout: 60_000 }, (fault, said, errors) =>
      done({ code: fault?.code ?? (fault === null ? 0 : fault.signal), said, errors }),
    );
  });
}
