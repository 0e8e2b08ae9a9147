// What the chain of the audit log costs those who sign in: the same people come in with and without it, by turns.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout } from 'node:timers/promises';
import { STEP_MS } from '../src/crypto/totp.ts';
import { allIn } from './crowd.ts';
import { percentile, printTable } from './figures.ts';
import { enrolContacts, type Enrolled } from './people.ts';
import { serve } from './server.ts';

const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    'sign-ins': { type: 'string', default: '1000' },
    clients: { type: 'string', default: '4' },
    pairs: { type: 'string', default: '5' },
  },
});
const count = Number(options['sign-ins']);
const clients = Number(options.clients);
const PROGRAM = join(import.meta.dirname, 'chainless.ts');

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const settings = {
    SALLYPORT_DATA: folder,
    ...(options.database === undefined ? {} : { SALLYPORT_DATABASE_URL: options.database }),
    SALLYPORT_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
  };
  const people = await enrolContacts(settings, count);
  // The first run finds the machine cold, and none of the pairs should.
  await signInsASecond(settings, people, 'chained');
  const pairs: { without: number; with: number }[] = [];
  for (let pair = 0; pair < Number(options.pairs); pair++) {
    // By turns first and second, so that a machine that slows down or warms up favours neither.
    const order = pair % 2 === 0 ? (['unchained', 'chained'] as const) : (['chained', 'unchained'] as const);
    const figures = { chained: 0, unchained: 0 };
    for (const which of order) figures[which] = await signInsASecond(settings, people, which);
    pairs.push({ without: figures.unchained, with: figures.chained });
    console.log(`  ${figures.unchained.toFixed(1)} without, ${figures.chained.toFixed(1)} with`);
  }
  const ratios = pairs.map((pair) => pair.with / pair.without);
  const engine = options.database === undefined ? 'SQLite' : 'PostgreSQL';
  printTable(`${pairs.length} pairs of ${count} sign-ins by ${clients} at a time (${engine})`, [
    ['sign-ins a second without the chain, median', middle(pairs.map((pair) => pair.without)).toFixed(1)],
    ['sign-ins a second with it, median', middle(pairs.map((pair) => pair.with)).toFixed(1)],
    ['with : without, median of the pairs', middle(ratios).toFixed(3)],
    ['with : without, from … to', `${Math.min(...ratios).toFixed(3)} … ${Math.max(...ratios).toFixed(3)}`],
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function signInsASecond(
  settings: Readonly<Record<string, string>>,
  people: readonly Enrolled[],
  which: 'chained' | 'unchained',
): Promise<number> {
  // The codes of this time step may have been used in the run before.
  await setTimeout(STEP_MS - (Date.now() % STEP_MS));
  const serving = await serve(settings, [PROGRAM, which]);
  const began = performance.now();
  await allIn(serving, people, clients);
  const seconds = (performance.now() - began) / 1_000;
  await serving.stop();
  return count / seconds;
}

function middle(values: readonly number[]): number {
  return percentile(values, 50);
}
