// One that chains, as a process of its own on the database of its arguments: turn upon turn, without a pause between, until
// its parent lets go. It tells its parent when it has begun, and fails where a turn does.
import { openChainer } from '../../src/accounts/audit-chain.ts';
import { openInstallation } from '../../src/accounts/installation.ts';
import { openPostgres } from '../../src/db/postgres.ts';

const [url = '', keyId = '', ahead = '0'] = process.argv.slice(2);
const CHEAP = { memoryKiB: 64, passes: 1 };
const ring = { current: keyId, keys: new Map([[keyId, Buffer.alloc(32, keyId)]]) };
const installation = await openInstallation(openPostgres(url, { patient: true }), ring, {
  now: () => Date.now() + Number(ahead),
  log: { info: () => undefined, warn: console.error, error: console.error },
  hashing: { atOnce: 1, queue: 1, waitMs: 1 },
  passwordCost: CHEAP,
  backupCodeCost: CHEAP,
});
const chainer = openChainer(installation);
await chainer.turn();
process.send?.('begun');
while (process.connected) await chainer.turn();
await chainer.finish();
await installation.db.close();
