import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openChainer } from '../../src/accounts/audit-chain.ts';
import { raiseMark } from '../../src/accounts/clock.ts';
import { closeInstallation, type Installation, type Log } from '../../src/accounts/installation.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { sql, type Sql } from '../../src/db/db.ts';
import { acme, enrol, setPolicy, waitingJob, type Acme } from '../acme.ts';

// A transcript is what a person at the shell sees. `$` begins a command, run by a real shell in a fresh folder, `#` a
// sentence that is made true before the next. What a command answers follows it, and its exit code where that is not 0.

/** Sentences that transcripts begin with, made true by the domain and not by the command line. */
const GIVEN: Record<string, (world: { installation: Installation; people: Acme; data: string }) => Promise<unknown>> = {
  'Acme Billing and its people are there.': () => Promise.resolve(),
  'Acme has turned MFA on, and Maria has set hers up.': async ({ installation, people }) => {
    await setPolicy(installation, people.organization, 'required');
    await enrol(installation, people.maria);
  },
  'Ada has set MFA up.': ({ installation, people }) => enrol(installation, people.ada),
  'Maria must wait for too many wrong codes.': ({ installation, people }) =>
    change(installation, sql`UPDATE accounts SET totp_wait_until = 4102444800000 WHERE id = ${people.maria.id}`),
  "Maria's password may be stolen.": ({ installation, people }) =>
    change(installation, sql`UPDATE accounts SET suspected_at = 1 WHERE id = ${people.maria.id}`),
  'Somebody has changed the log.': ({ installation }) =>
    change(installation, sql`UPDATE audit_rows SET result = 'wrong' WHERE action = 'organization.created'`),
  'A server runs.': async ({ installation }) => {
    // It says so, and is not there any more to take it back when its world closes.
    await change(installation, sql`UPDATE key_holders SET id = 'a server'`);
  },
  'The server has been stopped.': ({ installation }) =>
    change(installation, sql`DELETE FROM key_holders WHERE id = 'a server'`),
  'The key has been in use for two years.': ({ installation }) =>
    change(installation, sql`UPDATE key_uses SET first_used_at = first_used_at - 63072000000`),
  'Somebody has cut the first row out of the log, with its link.': async ({ installation }) => {
    await change(installation, sql`DELETE FROM audit_links WHERE sequence = 1`);
    await change(installation, sql`DELETE FROM audit_rows WHERE action = 'organization.created'`);
  },
  'Somebody has cut the newest row off the log, with its link.': async ({ installation }) => {
    await change(installation, sql`DELETE FROM audit_links WHERE sequence = (SELECT MAX(sequence) FROM audit_links)`);
    await change(installation, sql`DELETE FROM audit_rows WHERE id = (SELECT MAX(id) FROM audit_rows)`);
  },
  "The server's log has been saved.": async ({ installation, data }) => {
    const lines = ['Sallyport is listening on http://localhost:3000', '{"level":30,"msg":"something else"}'];
    const info: Log['info'] = (msg, fields) => void lines.push(JSON.stringify({ level: 30, ...fields, msg }));
    await openChainer({ ...installation, log: { ...QUIET, info } }).finish();
    writeFileSync(join(data, 'saved.log'), lines.join('\n'));
  },
  "Maria's name has been erased from the log.": ({ installation, people }) =>
    change(installation, sql`DELETE FROM audit_names WHERE subject_id = ${people.maria.id}`),
  'The database comes from a newer version.': ({ installation }) =>
    change(installation, sql`INSERT INTO schema_migrations (name, applied_at) VALUES ('9001_later', 1)`),
  'Somebody has started a job of another version.': ({ installation, people }) =>
    waitingJob(installation, people.organization),
  'The clock was an hour ahead before.': ({ installation }) => raiseMark(installation.db, Date.now() + 3_600_000),
};

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-shell-'));
writeFileSync(join(folder, 'sallyport'), `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/src/main.ts" "$@"\n`);
chmodSync(join(folder, 'sallyport'), 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the command line', { concurrency: 3 }, () => {
  for (const name of readdirSync(import.meta.dirname).filter((file) => file.endsWith('.txt')))
    test(`does what ${name} says`, async () => {
      const expected = readFileSync(join(import.meta.dirname, name), 'utf8');
      assert.equal(await new Shell(name).replay(expected), expected);
    });
});

class Shell {
  readonly #data: string;
  readonly #ids: string[] = [];
  #people: Acme | undefined;

  constructor(name: string) {
    this.#data = join(folder, `${name}-data`);
  }

  /** The transcript as it comes out today. */
  async replay(transcript: string): Promise<string> {
    const seen: string[] = [];
    for (const line of transcript.split('\n').filter((text) => /^[#$] /.test(text))) {
      if (line.startsWith('# ')) await this.#given(line.slice(2));
      const output = line.startsWith('$ ') ? await this.#run(this.#named(line.slice(2))) : '';
      seen.push(`${line}\n${this.#nameless(output)}`);
    }
    return seen.join('\n');
  }

  async #given(sentence: string): Promise<void> {
    const make = GIVEN[sentence];
    assert.ok(make, `nobody knows how to make this true: ${sentence}`);
    const installation = await openAll(readConfig({ SALLYPORT_DATA: this.#data }), () => Date.now(), QUIET);
    this.#people ??= await acme(installation);
    await make({ installation, people: this.#people, data: this.#data });
    await closeInstallation(installation);
  }

  #run(command: string): Promise<string> {
    const { HOME } = process.env;
    const env = { HOME, TZ: 'UTC', PATH: `${folder}${delimiter}${process.env['PATH']}`, SALLYPORT_DATA: this.#data };
    const shell = spawn('sh', ['-c', `{ ${command}\n} 2>&1`], {
      env,
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    return new Promise((done, fail) => {
      shell.once('error', fail);
      shell.once('close', (code) => done(code === 0 ? output : `${output}exit ${code}\n`));
    });
  }

  /** What differs from run to run, by names that stay. */
  #nameless(text: string): string {
    return text
      .replaceAll(this.#data, '{data}')
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => `{id ${this.#numberOf(id)}}`)
      .replace(/\b(k\d+:)[\w-]{43}/g, '$1{key}')
      .replace(/\b\S+, process \d+/g, '{process}')
      .replace(/\d+(\.\d+)? ([KMGT]i)?B\b/g, '{size}')
      .replace(/seen \d+ s ago/g, 'seen {seconds} ago')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '{time}')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '{moment}');
  }

  #named(command: string): string {
    return command
      .replaceAll('{data}', this.#data)
      .replace(/\{id (\d+)\}/g, (name, number) => this.#ids[Number(number) - 1] ?? name);
  }

  #numberOf(id: string): number {
    if (!this.#ids.includes(id)) this.#ids.push(id);
    return this.#ids.indexOf(id) + 1;
  }
}

function change({ db }: Installation, statement: Sql): Promise<number> {
  return db.transaction((tx) => tx.run(statement));
}
