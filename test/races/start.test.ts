import assert from 'node:assert/strict';
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
