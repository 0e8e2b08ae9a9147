// A process of its own that rotates the keys of the database of its arguments, `engine place now killAfter`, from the key
// "old" to "new". After so many values it kills itself, as a power cut would. With killAfter = 'never' it rotates to and
// fro instead, until its parent lets it go, and tells how often it has come round.
import { openInstallation } from '../../src/accounts/installation.ts';
import { letRingGo } from '../../src/accounts/keys.ts';
import { rotate, type Watch } from '../../src/auth/rotation.ts';
import { openPostgres } from '../../src/db/postgres.ts';
import { openSqlite } from '../../src/db/sqlite.ts';
import { ringOf } from '../world.ts';

const [engine, place = '', now, killAfter] = process.argv.slice(2);
const CHEAP = { memoryKiB: 64, passes: 1 };
const db = engine === 'sqlite' ? openSqlite(place) : openPostgres(place, { patient: true });

async function rotated(ids: readonly [string, string], watch: Watch): Promise<void> {
  const installation = await openInstallation(db, ringOf(...ids), {
    now: () => Number(now),
    log: { info: console.log, warn: console.error, error: console.error },
    hashing: { atOnce: 1, queue: 64, waitMs: 2_000 },
    passwordCost: CHEAP,
    backupCodeCost: CHEAP,
  });
  await rotate(installation, watch);
  await letRingGo(installation);
}

async function toAndFro(): Promise<void> {
  const parent = { waits: true };
  process.once('message', () => (parent.waits = false));
  for (let turns = 0; parent.waits; turns++) {
    process.send?.(turns);
    await rotated(turns % 2 === 0 ? ['new', 'old'] : ['old', 'new'], () => undefined);
  }
  process.disconnect?.();
}

async function cutOff(): Promise<void> {
  let looked = 0;
  await rotated(['new', 'old'], () => {
    if (++looked === Number(killAfter)) process.kill(process.pid, 'SIGKILL');
  });
}

await (killAfter === 'never' ? toAndFro() : cutOff());
await db.close();
