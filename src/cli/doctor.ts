import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { listAudit } from '../accounts/audit.ts';
import { hasKeysInUse } from '../accounts/keys.ts';
import { someOrganizations } from '../accounts/organizations.ts';
import { ConfigRefused, readConfig, unknownVariables, type Config } from '../config.ts';
import { sql, type Database } from '../db/db.ts';
import { schemaState, type SchemaState } from '../db/migrate.ts';
import { databaseFile, newerSchema, olderSchema, openDatabase, openInstalled, QUIET } from './open.ts';
import { keysFile } from './keys-file.ts';
import { command, moment, print, type Options } from './shell.ts';

/** One thing that was looked at; `mend` says how, where it is not as it should be. */
interface Finding {
  readonly check: string;
  readonly found: string;
  readonly mend?: string;
}

export function add(program: Command, now: () => number): void {
  const description = 'Check clock, keys, database and settings, and say how to mend each';
  command(program, 'doctor', description).action((options: Options) => run(now, options));
}

async function run(now: () => number, options: Options): Promise<void> {
  const findings = await examine(now);
  const rows = findings.map(({ check, found, mend }) => [mend === undefined ? 'ok' : 'MEND', check, found]);
  const mends = findings.flatMap(({ check, mend }) => (mend === undefined ? [] : [`${check}: ${mend}`]));
  const text =
    mends.length === 0 ? 'Nothing to mend.' : `\nHow to mend:\n${mends.map((line) => `  ${line}`).join('\n')}`;
  print(
    { table: { columns: ['', 'Check', 'Found'], rows }, text, data: findings, exit: mends.length === 0 ? 0 : 1 },
    options,
  );
}

async function examine(now: () => number): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig();
  } catch (fault) {
    if (!(fault instanceof ConfigRefused)) throw fault;
    return fault.problems.map(unusable);
  }
  const findings = [settings(), address(config), mail];
  if (config.databaseUrl !== undefined) return [...findings, ...(await database(config, now))];
  if (!existsSync(databaseFile(config)))
    return [...findings, { check: 'Database', found: `none yet: the first start makes ${databaseFile(config)}` }];
  return [...findings, ...modes(config), ...(await database(config, now))];
}

// "SALLYPORT_PORT: is a number …": the name is what was found, the sentence how to mend it.
function unusable(problem: string): Finding {
  const [name = '', ...rule] = problem.split(': ');
  return { check: 'Settings', found: `${name} cannot be used`, mend: `${name} ${rule.join(': ')}` };
}

function settings(): Finding {
  const unknown = unknownVariables();
  if (unknown.length === 0) return { check: 'Settings', found: 'all are known' };
  return {
    check: 'Settings',
    found: `not known to this version: ${unknown.join(', ')}`,
    mend: 'remove them, or correct their names',
  };
}

function address({ publicUrl, host, trustedProxies }: Config): Finding {
  const check = 'Address';
  const local = publicUrl.startsWith('http:');
  const open = !['127.0.0.1', '::1', 'localhost'].includes(host);
  if (local && open) {
    return {
      check,
      found: `${publicUrl}, and it listens on ${host}`,
      mend: 'browsers elsewhere need https: set SALLYPORT_PUBLIC_URL to the address of your proxy',
    };
  }
  if (!local && trustedProxies.length === 0) {
    return {
      check,
      found: `${publicUrl}, and no proxy is trusted`,
      mend: 'all visitors count as one, the proxy: set SALLYPORT_TRUSTED_PROXIES to its address',
    };
  }
  return {
    check,
    found: local ? `${publicUrl}, for this machine alone` : `${publicUrl}, behind ${trustedProxies.join(', ')}`,
  };
}

const mail: Finding = {
  check: 'Mail',
  found: 'this version sends none; the pages say how to reach the organization instead',
};

function modes(config: Config): Finding[] {
  const paths = [config.data, databaseFile(config), keysFile(config)].filter((path) => existsSync(path));
  const open = paths.filter((path) => (statSync(path).mode & 0o077) !== 0);
  if (process.platform === 'win32' || open.length === 0)
    return [{ check: 'Data folder', found: `${config.data}, closed to other users` }];
  const wanted = open.map((path) => `chmod ${path === config.data ? '700' : '600'} ${path}`);
  return [{ check: 'Data folder', found: `other users can open ${open.join(', ')}`, mend: wanted.join(' && ') }];
}

async function database(config: Config, now: () => number): Promise<Finding[]> {
  const check = 'Database';
  let db: Database | undefined;
  try {
    db = openDatabase(config);
    const state = await schemaState(db);
    if (state.kind !== 'current') return [{ check, found: `${db.engine}, reachable` }, schema(state)];
    await db.transaction((tx) => tx.run(sql`DELETE FROM counters WHERE name = 'no such limit'`));
    const found = { check, found: `${db.engine}, reachable and writable` };
    return [found, schema(state), await keys(db, config, now), await clock(db, now())];
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

async function keys(db: Database, config: Config, now: () => number): Promise<Finding> {
  const check = 'Keys';
  if (!(await hasKeysInUse(db))) return { check, found: 'none in use yet' };
  try {
    const { ring } = await openInstalled(db, config, now, QUIET);
    const others = [...ring.keys.keys()].filter((id) => id !== ring.current);
    return { check, found: [`${ring.current} seals`, ...others.map((id) => `${id} still opens`)].join(', ') };
  } catch (fault) {
    return {
      check,
      found: (fault as Error).message,
      mend: 'put the key back from your backup; without it the sealed secrets are lost',
    };
  }
}

// Codes are made of the time: minutes off, and every right one is refused (I22).
const CLOCK_SLACK_MS = 30_000;

async function clock(db: Database, now: number): Promise<Finding> {
  let latest = 0;
  for (const { id } of await someOrganizations(db, Number.MAX_SAFE_INTEGER)) {
    const [row] = await listAudit(db, id, { limit: 1 });
    latest = Math.max(latest, row?.at ?? 0);
  }
  const check = 'Clock';
  if (now >= latest - CLOCK_SLACK_MS) return { check, found: moment(now) };
  const found = `${moment(now)}, but the database has seen ${moment(latest)}`;
  return {
    check,
    found,
    mend: 'codes will be refused: set the clock by the network, for example timedatectl set-ntp true',
  };
}
