// The server under fuzz, as a process of its own: what `serve` composes and listens with, time-outs and limits included,
// on the database of its arguments, with cheap hashes and a clock that stands still. Run with --expose-gc, it tells its
// parent its port, what it holds in memory when asked, and every fault that nobody caught.
import type { AddressInfo } from 'node:net';
import { openInstallation } from '../../src/accounts/installation.ts';
import { createApp } from '../../src/app.ts';
import { listen } from '../../src/cli/serve.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { openSqlite } from '../../src/db/sqlite.ts';

const [engine = '', place = '', keyId = '', now = ''] = process.argv.slice(2);
const CHEAP = { memoryKiB: 64, passes: 1 };
const faults: string[] = [];
const quiet = (): void => undefined;

for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (fault: unknown) => faults.push(`${event}: ${String((fault as Error).stack ?? fault)}`));
process.on('message', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  process.send?.({ heapUsed: process.memoryUsage().heapUsed, faults });
});
process.on('disconnect', () => process.exit());

const db = engine === 'postgres' ? openPostgres(place, { patient: true }) : openSqlite(place);
const installation = await openInstallation(
  db,
  { current: keyId, keys: new Map([[keyId, Buffer.alloc(32, keyId)]]) },
  {
    now: () => Number(now),
    log: {
      info: quiet,
      warn: quiet,
      error: (message, fields) => void faults.push(`${message} ${JSON.stringify(fields)}`),
    },
    hashing: { atOnce: 3, queue: 1_000, waitMs: 20_000 },
    passwordCost: CHEAP,
    backupCodeCost: CHEAP,
  },
);
const app = createApp({ installation, publicUrl: 'https://sallyport.test', trustedProxies: ['127.0.0.1'] });
const server = await listen(app, { port: 0, host: '127.0.0.1' });
process.send?.((server.address() as AddressInfo).port);
