// One of the servers that race, as a process of its own: what `serve` composes, on the database and with the public URL
// of its arguments, with cheap hashes and a clock that its parent sets. It tells its parent its port, and ends with it.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { raiseMark } from '../../src/accounts/clock.ts';
import { openInstallation } from '../../src/accounts/installation.ts';
import { createApp } from '../../src/app.ts';
import { openPostgres } from '../../src/db/postgres.ts';

const [url = '', publicUrl = '', current = '', ...others] = process.argv.slice(2);
const CHEAP = { memoryKiB: 64, passes: 1 };
// As many as requests that race here, so that they meet in the database and not at the pool.
const POOL = 24;
const quiet = (): void => undefined;
let clock = 0;

// Each time its clock is set it shows the database what it shows every second in `serve`.
process.on('message', (now: number) => {
  clock = now;
  void raiseMark(installation.db, now).then(() => process.send?.('the clock is set'));
});
process.on('disconnect', () => process.exit());

const ring = { current, keys: new Map([current, ...others].map((id) => [id, Buffer.alloc(32, id)])) };
const installation = await openInstallation(openPostgres(url, POOL), ring, {
  now: () => clock,
  log: { info: quiet, warn: console.error, error: console.error },
  hashing: { atOnce: 3, queue: 1_000, waitMs: 20_000 },
  passwordCost: CHEAP,
  backupCodeCost: CHEAP,
});
const app = createApp({ installation, publicUrl, trustedProxies: ['127.0.0.1'] });
const server = createAdaptorServer({ fetch: app.fetch }) as Server;
// What was opened before a race must still be open when it begins.
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.((server.address() as AddressInfo).port);
