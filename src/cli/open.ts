import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { findAccountByEmail, type Account } from '../accounts/accounts.ts';
import { closeInstallation, openInstallation, type Installation, type Log } from '../accounts/installation.ts';
import { hasKeysInUse } from '../accounts/keys.ts';
import { findOrganizationBySlug, type Organization } from '../accounts/organizations.ts';
import { hashingLimits } from '../auth/limits.ts';
import { parseKeyRing, readConfig, type Config } from '../config.ts';
import type { Database } from '../db/db.ts';
import { migrate, schemaState } from '../db/migrate.ts';
import { openPostgres, type Opening } from '../db/postgres.ts';
import { openSqlite } from '../db/sqlite.ts';
import { keysFile, makeKeys } from './keys-file.ts';
import { given, print, type Answer, type Options } from './shell.ts';
import { failed, notFound } from './stopped.ts';

/** Where the embedded database lies. */
export function databaseFile(config: Config): string {
  return join(config.data, 'sallyport.db');
}

/**
 * Opens the database that the settings name: for a server whose requests wait for it, or for a command, which is patient.
 * Its folder and file are made where they are missing, for the owner's eyes only.
 */
export function openDatabase(config: Config, how: Opening): Database {
  if (config.databaseUrl !== undefined) return openPostgres(config.databaseUrl, how);
  const file = databaseFile(config);
  try {
    mkdirSync(config.data, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    return openSqlite(file);
  } catch (fault) {
    throw failed(`The database ${file} cannot be opened: ${(fault as Error).message}.`, 'sallyport doctor');
  }
}

/**
 * Opens the installation: an empty database gets its schema at once, an older or newer one is refused with the command
 * to run, and a key is made for an embedded database that no key has sealed yet, and never for another.
 */
export async function openAll(config: Config, now: () => number, log: Log, how: Opening = {}): Promise<Installation> {
  const db = openDatabase(config, how);
  try {
    const schema = await schemaState(db);
    if (schema.kind === 'older') throw failed(olderSchema(schema.names), 'sallyport migrate');
    if (schema.kind === 'newer') throw failed(newerSchema(schema.names));
    if (schema.kind === 'empty') await migrate(db, now());
    return await openInstalled(db, config, now, log);
  } catch (fault) {
    await db.close();
    throw fault;
  }
}

/** The same on a database that is open and has its schema. */
export async function openInstalled(db: Database, config: Config, now: () => number, log: Log): Promise<Installation> {
  const ring = config.ring ?? parseKeyRing(await generatedKeys(config, db));
  const hashing = hashingLimits(availableParallelism());
  return openInstallation(db, ring, { now, log, hashing, mailIsOn: config.mail !== undefined });
}

export function olderSchema(missing: readonly string[]): string {
  return `The database is older than this version: it lacks ${missing.join(', ')}. Make a backup first.`;
}

export function newerSchema(unknown: readonly string[]): string {
  return `The database is newer than this version, which does not know ${unknown.join(', ')}. Start the version that made it.`;
}

async function generatedKeys(config: Config, db: Database): Promise<string> {
  const file = keysFile(config);
  if (!existsSync(file)) {
    if (await hasKeysInUse(db)) {
      throw failed(
        `The secrets in this database are sealed with a key that is missing: put ${file} back, or set SALLYPORT_KEYS.`,
      );
    }
    makeKeys(file);
  }
  return readFileSync(file, 'utf8');
}

/** The log of commands: they say what they did themselves, and what goes wrong inside belongs on standard error. */
export const QUIET: Log = {
  info: () => undefined,
  warn: (message, fields) => console.error(message, fields),
  error: (message, fields) => console.error(message, fields),
};

/** What a command does on the open installation; `argument` is the word behind its name, if it takes one. */
export type Work = (installation: Installation, options: Options, argument: string | undefined) => Promise<Answer>;

/** The action of a command: opens what the environment names, does the work, prints its answer, closes. */
export function onInstallation(now: () => number, work: Work): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command;
    const options = command.opts<Options>();
    const installation = await openAll(readConfig(), now, QUIET, { patient: true });
    try {
      print(await work(installation, options, command.args[0]), options);
    } finally {
      await closeInstallation(installation);
    }
  };
}

/** The organization that `--organization` names. */
export async function organizationOf({ db }: Installation, options: Options): Promise<Organization> {
  const slug = await given(options.organization, '--organization', 'Slug of the organization');
  const organization = await findOrganizationBySlug(db, slug);
  if (!organization)
    throw notFound(`No organization has the slug ${slug}.`, `sallyport organization create --slug ${slug}`);
  return organization;
}

/** The account that `--email` names among the organization's contacts or, with `--staff`, its staff. */
export async function accountOf(
  installation: Installation,
  organization: Organization,
  options: Options,
): Promise<Account> {
  const email = await given(options.email, '--email', 'Email');
  const kind = options.staff ? 'staff' : 'contact';
  const account = await findAccountByEmail(installation.db, organization.id, kind, email);
  // Staff who were removed keep their row for the log's sake, and are nobody any more.
  const isGone = account?.kind === 'staff' && account.disabledAt !== null;
  if (account && !isGone) return account;
  throw options.staff
    ? notFound(`No staff member has the email ${email}.`, `sallyport staff list --organization ${organization.slug}`)
    : notFound(`No contact has the email ${email}.`, `sallyport contact list --organization ${organization.slug}`);
}
