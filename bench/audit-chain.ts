// What the chain of the audit log costs those who sign in: as many people come in with it and without it, by turns.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allIn } from './crowd.ts';
import { percentile, printTable } from './figures.ts';
import { enrolContacts, type Enrolled } from './people.ts';
import { serve } from './server.ts';

type Which = 'with' | 'without';

interface Run {
  readonly perSecond: number;
  readonly cpuMs: number;
}

const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    'sign-ins': { type: 'string', default: '300' },
    clients: { type: 'string', default: '4' },
    pairs: { type: 'string', default: '10' },
  },
});
const count = Number(options['sign-ins']);
const clients = Number(options.clients);
const pairs = Number(options.pairs);
const engine = options.database === undefined ? 'SQLite' : 'PostgreSQL';
const PROGRAM = join(import.meta.dirname, 'chain-server.ts');

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const settings = {
    SALLYPORT_DATA: folder,
    ...(options.database === undefined ? {} : { SALLYPORT_DATABASE_URL: options.database }),
    SALLYPORT_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
  };
  const people = (await enrolContacts(settings, count * (1 + 2 * pairs))).values();
  const run = (which: Which): Promise<Run> => signIns(settings, people.take(count).toArray(), which);
  // The first run finds the machine cold, and none of the pairs should.
  await run('with');
  const done: Record<Which, Run>[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // By turns first and second, so that a machine that slows down or warms up favours neither.
    const first = pair % 2 === 0 ? await run('without') : undefined;
    const chained = await run('with');
    done.push({ with: chained, without: first ?? (await run('without')) });
  }
  printTable(`${pairs} pairs of ${count} sign-ins by ${clients} at a time (${engine})`, [
    ...figures(
      'sign-ins a second',
      done.map((pair) => ({ with: pair.with.perSecond, without: pair.without.perSecond })),
    ),
    ...figures(
      'ms of CPU a sign-in',
      done.map((pair) => ({ with: pair.with.cpuMs, without: pair.without.cpuMs })),
    ),
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function signIns(
  settings: Readonly<Record<string, string>>,
  people: readonly Enrolled[],
  which: Which,
): Promise<Run> {
  const serving = await serve(settings, [PROGRAM, which]);
  const cpuBefore = serving.cpuMs();
  const began = performance.now();
  await allIn(serving, people, clients);
  const seconds = (performance.now() - began) / 1_000;
  const cpuMs = (serving.cpuMs() - cpuBefore) / people.length;
  await serving.stop();
  return { perSecond: people.length / seconds, cpuMs };
}

function figures(name: string, runs: readonly Record<Which, number>[]): [string, string][] {
  const ratios = runs.map((pair) => pair.with / pair.without);
  return [
    [`${name}, without the chain`, median(runs.map((pair) => pair.without)).toFixed(1)],
    [`${name}, with it`, median(runs.map((pair) => pair.with)).toFixed(1)],
    ['  with : without, median of the pairs', median(ratios).toFixed(3)],
    ['  from … to', `${Math.min(...ratios).toFixed(3)} … ${Math.max(...ratios).toFixed(3)}`],
  ];
}

function median(values: readonly number[]): number {
  return percentile(values, 50);
}
