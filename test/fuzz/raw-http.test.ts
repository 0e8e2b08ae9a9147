import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { eachEngine } from '../database.ts';
import { listen, stopListening } from '../../src/cli/serve.ts';
import { openWorld } from '../world.ts';
import { runRawHttp } from './raw-http.ts';
import { answersIn, send } from './wire.ts';

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

test('a form that waits behind another request and expects 100 Continue gets its answer in one piece', async () => {
  await using world = await openWorld('sqlite');
  const server = await listen(await world.app(), { port: 0, host: '127.0.0.1' });
  const get = 'GET /admin/sign-in HTTP/1.1\r\nHost: sallyport.test\r\n\r\n';
  const form = get.replace('GET', 'POST').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n');
  const bytes = Buffer.from(`${get}${form}`);
  const { port } = server.address() as AddressInfo;
  const answers = answersIn(await send(port, bytes, false), ['GET', 'POST'], false);
  await stopListening(server);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 403],
  );
});
