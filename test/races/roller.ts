// One that adds up the daily figures, as a process of its own on the database of its arguments. It tells its parent when it
// has added one bite, goes on, and is killed somewhere in the others.
import { openInstallation } from '../../src/accounts/installation.ts';
import { rollUp } from '../../src/accounts/roll-up.ts';
import { openPostgres } from '../../src/db/postgres.ts';

const [url = '', keyId = ''] = process.argv.slice(2);
const ring = { current: keyId, keys: new Map([[keyId, Buffer.alloc(32, keyId)]]) };
const installation = await openInstallation(openPostgres(url), ring, {
  now: () => Date.now(),
  log: { info: () => undefined, warn: console.error, error: console.error },
  hashing: { atOnce: 1, queue: 1, waitMs: 1 },
  passwordCost: { memoryKiB: 64, passes: 1 },
  backupCodeCost: { memoryKiB: 64, passes: 1 },
});
let bites = 0;
await rollUp(installation, () => {
  if (bites++ === 1) process.send?.('added');
  return Promise.resolve(true);
});
process.send?.('all of it');
