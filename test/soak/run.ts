// The long runs, for as many minutes as it is told: npm run test:soak -- --minutes 10
import { parseArgs } from 'node:util';
import { printTable } from '../../bench/figures.ts';
import { runRawHttp } from '../fuzz/raw-http.ts';
import { killInTheMiddle } from '../faults/killed.ts';
import { runModel } from '../model/runs.ts';
import { startPostgres, type TestPostgres } from '../postgres.ts';
import { loadAndFaults } from './load.ts';
import { Summary } from './summary.ts';

const MINUTE_MS = 60_000;
/** What a minute of the whole is given to, beside the load on real servers. */
const A_MINUTE_HAS = { storiesOnSqlite: 60, storiesOnPostgres: 25, rawRequests: 2_000, signInsUnderKills: 100 };
const LOAD_SHARE = 0.7;

const { values: options } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(options.minutes);
if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not ${options.minutes}`);

const began = performance.now();
const summary = new Summary();
await onPostgres((postgres) => loadAndFaults(postgres, LOAD_SHARE * minutes * MINUTE_MS, summary, say));
await onPostgres(async ({ url }) => {
  // Where the tests' own databases are made.
  process.env['TEST_POSTGRES_URL'] = url;
  for (const engine of ['sqlite', 'postgres'] as const) {
    await kills(engine);
    await fuzzAndModel(engine);
  }
});
printTable(`${minutes} minutes: load held, faults injected, what came of it`, summary.rows());
for (const finding of summary.findings) console.error(finding);
process.exit(summary.isClean() ? 0 : 1);

async function kills(engine: 'sqlite' | 'postgres'): Promise<void> {
  const signIns = Math.ceil((A_MINUTE_HAS.signInsUnderKills * minutes) / 200) * 200;
  for (let done = 0; done < signIns; done += 200) {
    say(`kill -9 in the middle of sign-ins on ${engine}: ${done} of ${signIns}`);
    summary.killed(await killInTheMiddle(engine, 200, [30, 70, 110, 150]));
  }
}

/** The long forms of test/model and test/fuzz. A new one is called here. */
async function fuzzAndModel(engine: 'sqlite' | 'postgres'): Promise<void> {
  const perMinute = engine === 'sqlite' ? A_MINUTE_HAS.storiesOnSqlite : A_MINUTE_HAS.storiesOnPostgres;
  const runs = Math.ceil(perMinute * minutes);
  const told = await summary.attempt(`the model on ${engine}`, () =>
    runModel(engine, { runs, progress: (done) => done % 50 === 0 && say(`the model on ${engine}: story ${done}`) }),
  );
  summary.add('stories told by the model', told?.stories ?? 0);
  const requests = Math.ceil(A_MINUTE_HAS.rawRequests * minutes);
  await summary.attempt(`the fuzz on ${engine}`, () =>
    runRawHttp(engine, {
      requests,
      progress: (done) => done % 1_000 === 0 && say(`raw HTTP on ${engine}: request ${done} of ${requests}`),
    }),
  );
  summary.add('raw HTTP requests', requests);
}

async function onPostgres(work: (postgres: TestPostgres) => Promise<void>): Promise<void> {
  say('starting PostgreSQL');
  const postgres = await startPostgres();
  try {
    await work(postgres);
  } finally {
    await postgres.stop();
  }
}

/** The progress line: one that is written over on a terminal, a line each elsewhere. */
function say(what: string): void {
  const at = `${((performance.now() - began) / MINUTE_MS).toFixed(1)} of about ${minutes} min`;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${at}  ${what}`);
  else console.log(`${at}  ${what}`);
}
