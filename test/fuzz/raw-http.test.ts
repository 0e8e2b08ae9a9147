import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachEngine } from '../database.ts';
import { runRawHttp } from './raw-http.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 3_000);
const SEED = process.env['FUZZ_SEED'];
const MIB = 1_048_576;

eachEngine('whatever comes over the wire', (engine) => {
  test('is answered as HTTP, opens nothing, changes nothing, breaks nothing and stays in nobody’s memory', async (t) => {
    const seed = SEED === undefined ? undefined : Number(SEED);
    const heard = await runRawHttp(engine, { requests: REQUESTS, seed });
    t.diagnostic(
      `seed ${heard.seed}, answers ${JSON.stringify(heard.statuses)}, heap ${(heard.grownBytes / MIB).toFixed(1)} MiB`,
    );
    assert.ok(heard.grownBytes < 4 * MIB, `seed ${heard.seed}: the heap grew by ${heard.grownBytes} bytes`);
  });
});
