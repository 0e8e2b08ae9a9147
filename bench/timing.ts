// Whether a clock can tell who exists: how long a refused password takes at both doors, for everybody it may be about.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile, printTable } from './figures.ts';
import { strangers, type Stranger } from './people.ts';
import { Browser, serve } from './server.ts';

const { values: options } = parseArgs({
  options: { database: { type: 'string' }, rounds: { type: 'string', default: '400' } },
});
const rounds = Number(options.rounds);

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const settings = {
    SALLYPORT_DATA: folder,
    ...(options.database === undefined ? {} : { SALLYPORT_DATABASE_URL: options.database }),
    SALLYPORT_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
    // Everybody from an address of their own, as if through a proxy: the limits count, and hold nobody up.
    SALLYPORT_TRUSTED_PROXIES: '127.0.0.1',
  };
  const doors = await strangers(settings, rounds);
  const serving = await serve(settings);
  for (const [door, cases] of Object.entries(doors)) {
    const times = await measure(serving.port, cases);
    const [[reference, base], ...others] = Object.entries(times) as [[string, number[]], ...[string, number[]][]];
    printTable(
      `A refused password at ${door}, ${rounds} each in turns, against "${reference}" of ${percentile(base, 50).toFixed(2)} ms (${
        options.database === undefined ? 'SQLite' : 'PostgreSQL'
      })`,
      others.map(([name, values]) => [name, difference(values, base)]),
    );
  }
  await serving.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One of each after the other, beginning with another each time, so that whatever the machine does else meets all alike. */
async function measure(port: number, cases: Record<string, Stranger[]>): Promise<Record<string, number[]>> {
  const names = Object.keys(cases);
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]]));
  const browser = new Browser(port);
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < names.length; at++) {
      const name = names[(round + at) % names.length] ?? '';
      const { path, email, password } = cases[name]![round]!;
      const address = `10.${at}.${round >> 8}.${round & 255}`;
      const { status, ms } = await browser.post(path, { email, password }, { 'x-forwarded-for': address });
      if (status !== 422) throw new Error(`${name} is answered with ${status}`);
      if (round >= rounds / 10) times[name]!.push(ms);
    }
  }
  browser.close();
  return times;
}

/** The difference of the medians with its 95 % interval (bootstrap), as a time and a ratio, and Mann and Whitney's test. */
function difference(values: readonly number[], base: readonly number[]): string {
  const gaps = Array.from({ length: 2_000 }, () => percentile(resampled(values), 50) - percentile(resampled(base), 50));
  const [low, high] = [percentile(gaps, 2.5), percentile(gaps, 97.5)];
  const gap = percentile(values, 50) - percentile(base, 50);
  const ratio = percentile(values, 50) / percentile(base, 50);
  const { p, larger } = rankTest(values, base);
  return `${signed(gap)} ms, 95 % ${signed(low)} to ${signed(high)} ms, ratio ${ratio.toFixed(3)}; slower in ${(larger * 100).toFixed(1)} % of pairs, p = ${p.toFixed(3)}`;
}

function signed(ms: number): string {
  return `${ms < 0 ? '−' : '+'}${Math.abs(ms).toFixed(3)}`;
}

function resampled(values: readonly number[]): number[] {
  const draws = randomBytes(values.length * 4);
  return values.map((_, at) => values[draws.readUInt32LE(at * 4) % values.length]!);
}

/** Mann and Whitney's U by its normal approximation: no assumption on how times are spread. */
function rankTest(values: readonly number[], base: readonly number[]): { p: number; larger: number } {
  let u = 0;
  for (const value of values) for (const other of base) u += value > other ? 1 : value === other ? 0.5 : 0;
  const [n, m] = [values.length, base.length];
  const z = (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return { p: 2 * (1 - normal(Math.abs(z))), larger: u / (n * m) };
}

// Abramowitz and Stegun 26.2.17, to seven digits.
function normal(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z);
  const series = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
  const tail = series.reduceRight((sum, factor) => (sum + factor) * t, 0);
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * tail;
}
