import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { closeInstallation, type Installation } from '../../src/accounts/installation.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { sql } from '../../src/db/db.ts';
import { startImport } from '../../src/jobs/import-customers.ts';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { findJob, type Job } from '../../src/jobs/jobs.ts';
import { acme } from '../acme.ts';
import { testDatabase, type Engine } from '../database.ts';
import { checked, fileOf, told, type Key } from '../import/importing.ts';
import { madeFile } from '../import/made.ts';
import { until } from './deadline.ts';

const PROGRAM = join(import.meta.dirname, '../../src/main.ts');

/** An import that another process works on, which may be killed. */
class Working {
  readonly #child: ChildProcess;

  constructor(settings: NodeJS.ProcessEnv, key: Key) {
    const words = ['jobs', 'run', key.id, '--organization', 'acme'];
    this.#child = spawn(process.execPath, [PROGRAM, ...words], { env: settings, stdio: 'ignore' });
  }

  async kill(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    const [, signal] = (await exit) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL', 'it had ended before it was killed');
  }

  async end(): Promise<void> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

async function reached(installation: Installation, key: Key, done: number): Promise<Job> {
  let job: Job | undefined;
  await until(240_000, `Row ${done}`, async () => {
    job = await findJob(installation.db, key);
    assert.ok(job?.endedAt === null, `the job ended before it had done ${done}`);
    return job.done >= done;
  });
  assert.ok(job);
  return job;
}

/** The half minute passes in which nobody takes up the job of a process that was killed. */
async function leaseRunsOut({ db }: Installation, key: Key): Promise<void> {
  await db.transaction((tx) => tx.run(sql`UPDATE jobs SET held_until = 0 WHERE id = ${key.id}`));
}

async function count({ db }: Installation, statement: ReturnType<typeof sql>): Promise<number> {
  return (await db.one<{ n: number }>(statement))?.n ?? -1;
}

async function killTwice(engine: Engine, rows: number, mistakes: number): Promise<void> {
  const database = await testDatabase(engine, true);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-import-'));
  const { HOME } = process.env;
  const settings = {
    HOME,
    SALLYPORT_DATA: folder,
    SALLYPORT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64url')}`,
    ...(engine === 'postgres' ? { SALLYPORT_DATABASE_URL: database.place } : {}),
  };
  const installation = await openAll(readConfig(settings), () => Date.now(), QUIET);
  try {
    const { organization } = await acme(installation);
    const { bytes, planted } = madeFile(rows, mistakes);
    const { key, findings } = await checked({ installation }, organization, bytes);
    assert.deepEqual(
      told(findings),
      planted.map(({ line, text }) => `Line ${line}: ${text}`),
    );
    assert.equal((await startImport(installation, OPERATOR, key, { allOrNothing: false })).kind, 'started');
    for (const share of [0.2, 0.6]) {
      const working = new Working(settings, key);
      const before = await reached(installation, key, rows * share);
      await working.kill();
      await leaseRunsOut(installation, key);
      const after = await findJob(installation.db, key);
      assert.ok(after && after.done >= before.done && after.done < rows);
    }
    await new Working(settings, key).end();
    const job = await findJob(installation.db, key);
    assert.deepEqual([job?.state, job?.done, job?.errors], ['finished', rows, mistakes]);
    const good = rows - mistakes;
    const { db } = installation;
    const contacts = await db.all<{ id: string; email: string }>(
      sql`SELECT id, email FROM accounts WHERE external_id IS NOT NULL`,
    );
    assert.equal(contacts.length, good);
    assert.equal(new Set(contacts.map(({ email }) => email)).size, good);
    assert.equal(
      await count(
        installation,
        sql`SELECT COUNT(*) AS n FROM audit_rows WHERE action = 'contact.created' AND result <> 'done'`,
      ),
      good,
    );
    assert.equal(
      await count(
        installation,
        sql`SELECT COUNT(DISTINCT target_id) AS n FROM audit_rows WHERE action = 'contact.created' AND result <> 'done'`,
      ),
      good,
    );
    assert.equal(await count(installation, sql`SELECT COUNT(*) AS n FROM authenticators`), findings.brings.secrets);
    assert.equal(
      await count(
        installation,
        sql`SELECT COUNT(*) AS n FROM accounts WHERE password IS NOT NULL AND external_id IS NOT NULL`,
      ),
      findings.brings.hashes,
    );
    const names = sql`SELECT COUNT(*) AS n FROM (SELECT name FROM customers GROUP BY name HAVING COUNT(*) > 1) twice`;
    assert.equal(await count(installation, names), 0);
    const left = (await fileOf({ installation }, key, 'left')).split('\r\n').slice(1, -1);
    assert.equal(left.filter((line) => /"Line \d+: /.test(line)).length, mistakes);
  } finally {
    await closeInstallation(installation);
    await database.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('an import whose process is killed twice in the middle', () => {
  test('takes over every good row of 50,000 once, and tells each of 500 mistakes with its line (sqlite)', () =>
    killTwice('sqlite', 50_000, 500));

  test('does so on PostgreSQL too', () => killTwice('postgres', 6_000, 60));
});
