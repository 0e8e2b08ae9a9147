import { seenAt } from '../accounts/clock.ts';
import { hasKeysInUse, KeyRefused, keysInUse, letRingGo } from '../accounts/keys.ts';
import { CLOCK_SLACK_MS, clockIsBehind } from '../auth/limits.ts';
import { countSealed } from '../auth/rotation.ts';
import type { Config } from '../config.ts';
import { sql, type Database } from '../db/db.ts';
import { schemaState, type SchemaState } from '../db/migrate.ts';
import { MEND_CLOCK } from './clock.ts';
import type { Finding } from './finding.ts';
import { newerSchema, olderSchema, openDatabase, openInstalled, QUIET } from './open.ts';
import { moment } from './shell.ts';

/** What only the database can tell: whether it answers, its schema, its keys, and what time it thinks it is. */
export async function examineDatabase(config: Config, now: () => number): Promise<Finding[]> {
  const check = 'Database';
  let db: Database | undefined;
  try {
    db = openDatabase(config, { patient: true });
    const state = await schemaState(db);
    if (state.kind !== 'current') return [{ check, found: `${db.engine}, reachable` }, schema(state)];
    await db.transaction((tx) => tx.run(sql`DELETE FROM counters WHERE name = 'no such limit'`));
    const found = { check, found: `${db.engine}, reachable and writable` };
    return [
      found,
      schema(state),
      ...(await keys(db, config, now)),
      await serverClock(db, now),
      await clock(db, now()),
    ].filter((one) => one !== undefined);
  } catch (fault) {
    const mend =
      config.databaseUrl === undefined
        ? 'check the disk, and who owns the data folder'
        : 'check SALLYPORT_DATABASE_URL and that the server runs';
    return [{ check, found: (fault as Error).message, mend }];
  } finally {
    await db?.close();
  }
}

function schema(state: SchemaState): Finding {
  const check = 'Schema';
  switch (state.kind) {
    case 'empty':
      return { check, found: 'none yet: the first start makes it' };
    case 'current':
      return { check, found: 'up to date' };
    case 'older':
      return { check, found: olderSchema(state.names), mend: 'sallyport migrate' };
    case 'newer':
      return { check, found: newerSchema(state.names), mend: 'install the version that made it' };
  }
}

async function keys(db: Database, config: Config, now: () => number): Promise<Finding[]> {
  const check = 'Keys';
  if (!(await hasKeysInUse(db))) return [{ check, found: 'none in use yet' }];
  try {
    const installation = await openInstalled(db, config, now, QUIET);
    await letRingGo(installation);
    const uses = await keysInUse(db, now());
    const current = uses.filter(({ keyId }) => keyId === installation.ring.current);
    const others = uses.filter(({ keyId }) => keyId !== installation.ring.current);
    return [
      ...current.map(({ keyId, firstUsedAt }) => age(keyId, firstUsedAt, now())),
      ...(await Promise.all(others.map(({ keyId }) => leftOver(db, keyId)))),
    ];
  } catch (fault) {
    const mend =
      fault instanceof KeyRefused
        ? fault.mend
        : 'put the key back from your backup; without it the sealed secrets are lost';
    return [{ check, found: fault instanceof KeyRefused ? fault.found : (fault as Error).message, mend }];
  }
}

const YEAR_MS = 365 * 24 * 3_600_000;

/** How long a key has sealed. A year is long enough for a copy of it to have gone astray. */
export function age(keyId: string, since: number, now: number): Finding {
  const finding = { check: 'Keys', found: `${keyId} seals since ${moment(since)}` };
  if (now - since < YEAR_MS) return finding;
  return {
    ...finding,
    found: `${finding.found}, for more than a year`,
    mend: 'change over to a new one: sallyport keys add',
  };
}

async function leftOver(db: Database, keyId: string): Promise<Finding> {
  const values = (await countSealed(db, keyId)).reduce((sum, { count }) => sum + count, 0);
  return {
    check: 'Keys',
    found: `${keyId} still opens what it has sealed: ${values} values`,
    mend: 'seal them with the first key, so that the old one may go: sallyport keys rotate',
  };
}

const SET_CLOCKS = 'set the clock by the network, for example timedatectl set-ntp true';

/** PostgreSQL has a clock of its own, on another machine than ours: of two that differ, one is wrong. */
export async function serverClock(db: Database, now: () => number): Promise<Finding | undefined> {
  if (db.engine === 'sqlite') return undefined;
  const asked = now();
  const row = await db.one<{ at: number }>(
    sql`SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS at`,
  );
  const ahead = asked - (row?.at ?? asked);
  const check = 'Clock of the database';
  if (Math.abs(ahead) < CLOCK_SLACK_MS) return { check, found: 'agrees with this machine’s' };
  return {
    check,
    found: `${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? 'behind' : 'ahead of'} this machine’s`,
    mend: `on whichever of the two is wrong, ${SET_CLOCKS}`,
  };
}

// Codes are made of the time: minutes off, and every right one is refused (I22).
async function clock(db: Database, now: number): Promise<Finding> {
  const seen = await seenAt(db);
  const check = 'Clock';
  if (!clockIsBehind(now, seen)) return { check, found: moment(now) };
  return { check, found: `${moment(now)}, but the database has seen ${moment(seen)}`, mend: MEND_CLOCK };
}
