// How fast customers come in: a file of 50,000 rows with 500 mistakes is uploaded, checked and imported, a third of the
// rows with a secret and a hash, and all of it is exported again. With --database on PostgreSQL, else on SQLite.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers';
import { parseArgs } from 'node:util';
import { OPERATOR } from '../src/accounts/audit.ts';
import { closeInstallation } from '../src/accounts/installation.ts';
import { openAll, QUIET } from '../src/cli/open.ts';
import { showProgress } from '../src/cli/progress.ts';
import { readConfig } from '../src/config.ts';
import { checkFile } from '../src/jobs/check-file.ts';
import { startExport } from '../src/jobs/export-customers.ts';
import { startImport } from '../src/jobs/import-customers.ts';
import { stageFile } from '../src/jobs/import-file.ts';
import { openRunner } from '../src/jobs/runner.ts';
import { acme } from '../test/acme.ts';
import { madeFile } from '../test/import/made.ts';
import { printTable } from './figures.ts';

const { values: options } = parseArgs({
  options: { database: { type: 'string' }, rows: { type: 'string', default: '50000' } },
});
const rows = Number(options.rows);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const settings = {
  SALLYPORT_DATA: folder,
  ...(options.database === undefined ? {} : { SALLYPORT_DATABASE_URL: options.database }),
  SALLYPORT_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
};
const { bytes } = madeFile(rows, Math.floor(rows / 100));
const now = (): number => Date.now();
const installation = await openAll(readConfig(settings), now, QUIET);
const figures: [string, string][] = [];
try {
  const { organization } = await acme(installation);
  const whose = { organizationId: organization.id, actor: OPERATOR };
  globalThis.gc?.();
  const idle = process.memoryUsage().rss;
  const staged = await measure('upload, read and sealed', () =>
    stageFile(installation, whose, { name: 'people.csv', bytes: [bytes] }, { updates: false }),
  );
  if (staged.kind !== 'staged') throw new Error(staged.kind);
  const key = { organizationId: organization.id, id: staged.id };
  await measure('check of every row', () => checkFile(installation, key));
  await startImport(installation, OPERATOR, key, { allOrNothing: false });
  await toEnd('import', key);
  const id = await startExport(installation, OPERATOR, organization.id);
  await toEnd('export', { ...key, id });
  figures.push(['file', `${(bytes.length / 1e6).toFixed(1)} MB`]);
  printTable(`${rows} rows (${installation.db.engine}), memory above idle at most`, figures);

  async function measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    let most = idle;
    const watch = every(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    const began = performance.now();
    const cpu = process.cpuUsage();
    const done = await work();
    clearInterval(watch);
    const seconds = (performance.now() - began) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const share = `${((user + system) / 1e6).toFixed(1)} s of CPU here`;
    const memory = `${Math.round((most - idle) / 2 ** 20)} MiB`;
    figures.push([name, `${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows a second, ${share}, ${memory}`]);
    return done;
  }

  async function toEnd(name: string, job: { organizationId: string; id: string }): Promise<void> {
    const shown = showProgress(now);
    const ended = await measure(name, () =>
      openRunner(installation).toEnd(job, ({ done, total }) => shown(name, done, total)),
    );
    if (ended?.state !== 'finished') throw new Error(`the ${name} ${ended?.state}`);
  }
} finally {
  await closeInstallation(installation);
  rmSync(folder, { recursive: true, force: true });
}
