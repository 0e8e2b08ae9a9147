import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { markAsCopy } from '../auth/restored.ts';
import { readConfig, type Config } from '../config.ts';
import { sql } from '../db/db.ts';
import { schemaState } from '../db/migrate.ts';
import { openSqlite } from '../db/sqlite.ts';
import { keysFile } from './keys-file.ts';
import { databaseFile, newerSchema, openDatabase } from './open.ts';
import { command, iso, print, type Options } from './shell.ts';
import { failed, notFound, refused, type Stopped } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  command(program, 'backup', 'Copy the embedded database into a new file')
    .argument('<file>', 'the file to make')
    .action((file: string, options: Options) => backup(readConfig(), resolve(file), now(), options));
}

async function backup(config: Config, file: string, now: number, options: Options): Promise<void> {
  if (config.databaseUrl !== undefined)
    throw refused('PostgreSQL makes its own copies: use pg_dump, and `sallyport restored` after a restore.');
  if (!existsSync(databaseFile(config)))
    throw notFound(`There is no database ${databaseFile(config)} yet.`, 'sallyport serve');
  if (existsSync(file)) throw taken(file);
  // Under a name of its own until it is whole and on the disk: a copy that was broken off is never taken for one.
  const part = `${file}.${randomBytes(4).toString('hex')}.part`;
  try {
    await copyInto(config, part, now);
    giveName(part, file);
  } catch (fault) {
    throw withoutFile(fault as NodeJS.ErrnoException, file);
  } finally {
    for (const left of ['', '-wal', '-shm', '-journal']) rmSync(`${part}${left}`, { force: true });
  }
  const keys = config.ring ? 'SALLYPORT_KEYS' : keysFile(config);
  const text = `${file} holds everything up to now, and is whole. The keys are not in it: keep a copy of ${keys}, apart from it.`;
  print({ text, data: { file, takenAt: iso(now), bytes: statSync(file).size, keys } }, options);
}

// VACUUM INTO reads one moment of the database, and in WAL mode no writer waits for a reader. node:sqlite's backup()
// begins again whenever another process writes, so beside a busy server it might never end. Nor does the copy get the
// free pages of the file, in which secrets that were removed may still be read.
async function copyInto(config: Config, part: string, now: number): Promise<void> {
  closeSync(openSync(part, 'wx', 0o600));
  const db = openDatabase(config, { patient: true });
  try {
    const schema = await schemaState(db);
    if (schema.kind === 'empty') throw notFound('The database is empty: there is nothing to copy.', 'sallyport serve');
    if (schema.kind === 'newer') throw failed(newerSchema(schema.names));
    await db.all(sql`VACUUM INTO ${part}`);
  } finally {
    await db.close();
  }
  const copy = openSqlite(part);
  try {
    await copy.transaction((tx) => markAsCopy(tx, now));
    const found = await copy.all<{ integrity_check: string }>(sql`PRAGMA integrity_check`);
    const [first] = found;
    if (first?.integrity_check !== 'ok') throw failed(`The copy is not whole: ${first?.integrity_check}.`);
  } finally {
    await copy.close();
  }
  sync(part);
}

// A link is never made over a file that is there; a disk that knows no links gets the file moved instead.
function giveName(part: string, file: string): void {
  try {
    linkSync(part, file);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'EEXIST') throw taken(file);
    renameSync(part, file);
  }
  sync(dirname(file));
}

function sync(path: string): void {
  const opened = openSync(path, 'r');
  fsyncSync(opened);
  closeSync(opened);
}

function taken(file: string): Stopped {
  return refused(`${file} is there already: a backup never takes the place of another file.`);
}

function withoutFile(fault: NodeJS.ErrnoException, file: string): Error {
  return fault.syscall === undefined ? fault : failed(`${file} cannot be made: ${fault.message}.`);
}
