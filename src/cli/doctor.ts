import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigRefused, readConfig, type Config } from '../config.ts';
import { examineDatabase } from './doctor-database.ts';
import { examineDisk } from './doctor-disk.ts';
import { examineSettings, unusable } from './doctor-settings.ts';
import { examineMail } from './doctor-mail.ts';
import type { Finding } from './finding.ts';
import { databaseFile } from './open.ts';
import { command, print, type Options } from './shell.ts';

export function add(program: Command, now: () => number): void {
  const description = 'Check clock, keys, database, disk, mail and settings, and say how to mend each';
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
  const findings = [...examineSettings(config), await examineMail(config)];
  if (config.databaseUrl !== undefined) return [...findings, ...(await examineDatabase(config, now))];
  if (!existsSync(databaseFile(config)))
    return [...findings, { check: 'Database', found: `none yet: the first start makes ${databaseFile(config)}` }];
  return [...findings, ...examineDisk(config), ...(await examineDatabase(config, now))];
}
