import type { Command } from 'commander';
import { readConfig } from '../config.ts';
import { migrate, schemaState } from '../db/migrate.ts';
import { newerSchema, openDatabase } from './open.ts';
import { command, print, type Options } from './shell.ts';
import { failed } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  command(program, 'migrate', "Bring the database's schema up to date").action((options: Options) => run(now, options));
}

async function run(now: () => number, options: Options): Promise<void> {
  const db = openDatabase(readConfig(), { patient: true });
  try {
    const schema = await schemaState(db);
    if (schema.kind === 'newer') throw failed(newerSchema(schema.names));
    const applied = await migrate(db, now());
    const text = applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`;
    print({ text, data: { applied } }, options);
  } finally {
    await db.close();
  }
}
