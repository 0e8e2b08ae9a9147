// One of the servers that race or fail, as a process of its own: what `serve` composes, on the database and with the
// public URL of its argument, with cheap hashes and a clock that its parent sets. Its parent's first message opens the
// database; then it tells its port. It ends with its parent, or at the moment that its parent names.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { raiseMark } from '../../src/accounts/clock.ts';
import { openInstallation } from '../../src/accounts/installation.ts';
import { createApp } from '../../src/app.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { openSqlite } from '../../src/db/sqlite.ts';
import { Fate, watched } from '../faults/dying.ts';
import { ringOf } from '../world.ts';
import type { Serving, Told } from './servers.ts';

const { engine, place, publicUrl, ring, ticks, patient = false } = JSON.parse(process.argv[2] ?? '') as Serving;
const CHEAP = { memoryKiB: 64, passes: 1 };
// As many as requests that race here, so that they meet in the database and not at the pool.
const POOL = 24;
const quiet = (): void => undefined;
const fate = new Fate();
let clock = 0;
let setAt = 0;

process.on('disconnect', () => process.exit());
hear((await once(process, 'message'))[0] as Told);

const db = engine === 'sqlite' ? openSqlite(place) : openPostgres(place, { poolSize: POOL, patient });
const installation = await openInstallation(watched(db, fate.moment), ringOf(...ring), {
  now: () => clock + (ticks ? Date.now() - setAt : 0),
  log: { info: quiet, warn: quiet, error: (message, fields) => tellUnlessExpected(message, fields) },
  hashing: { atOnce: 3, queue: 1_000, waitMs: 20_000 },
  passwordCost: CHEAP,
  backupCodeCost: CHEAP,
});
const app = createApp({ installation, publicUrl, trustedProxies: ['127.0.0.1'] });
const server = createAdaptorServer({
  fetch: async (request, env) => {
    const answer = await app.fetch(request, env);
    fate.moment();
    return answer;
  },
}) as Server;
// What was opened before a race must still be open when it begins.
server.keepAliveTimeout = 300_000;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
// Each time its clock is set it shows the database, if that is there, what it shows every second in `serve`.
process.on('message', (told: Told) => {
  hear(told);
  void raiseMark(db, clock)
    .catch(() => undefined)
    .then(() => process.send?.('heard'));
});
process.send?.((server.address() as AddressInfo).port);

function hear(told: Told): void {
  clock = told.now;
  setAt = Date.now();
  fate.dieAt(told.dieAt ?? Infinity);
}

// A database that is away is what some of these tests are about; anything else that goes wrong is to be read.
function tellUnlessExpected(message: string, fields: Record<string, unknown> | undefined): void {
  if (message !== 'database unavailable' && message !== 'not ready') console.error(message, fields);
}
