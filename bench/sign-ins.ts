// A thousand people come in, each with a password and a code of an authenticator app, as their browsers would ask.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allIn } from './crowd.ts';
import { percentile, printTable } from './figures.ts';
import { enrolContacts } from './people.ts';
import { serve } from './server.ts';

const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    'sign-ins': { type: 'string', default: '1000' },
    clients: { type: 'string', default: '4' },
  },
});
const count = Number(options['sign-ins']);
const clients = Number(options.clients);

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const settings = {
    SALLYPORT_DATA: folder,
    ...(options.database === undefined ? {} : { SALLYPORT_DATABASE_URL: options.database }),
    SALLYPORT_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
  };
  const people = await enrolContacts(settings, count);
  const serving = await serve(settings);
  const before = serving.residentMiB();
  const began = performance.now();
  const answers = await allIn(serving, people, clients);
  const seconds = (performance.now() - began) / 1_000;
  const after = serving.residentMiB();
  await serving.stop();
  printTable(
    `${count} sign-ins by ${clients} at a time (${options.database === undefined ? 'SQLite' : 'PostgreSQL'})`,
    [
      ['sign-ins a second', (count / seconds).toFixed(1)],
      ['POST /verify, p50', `${percentile(answers, 50).toFixed(1)} ms`],
      ['POST /verify, p95', `${percentile(answers, 95).toFixed(1)} ms`],
      ['resident memory before', `${before.toFixed(0)} MiB`],
      ['resident memory after', `${after.toFixed(0)} MiB`],
    ],
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
