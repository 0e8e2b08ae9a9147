// How long a server takes from its process being made to its first answer, on a folder that is there already.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile, printTable } from './figures.ts';
import { serve } from './server.ts';

const STARTS = 10;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const settings = { SALLYPORT_DATA: folder };
  const first = await serve(settings);
  await first.stop();
  const times: number[] = [];
  for (let n = 0; n < STARTS; n++) {
    const serving = await serve(settings);
    times.push(serving.startedInMs);
    await serving.stop();
  }
  printTable('From the start of the process to the first answered request (SQLite)', [
    ['on an empty folder, once', ms(first.startedInMs)],
    [`median of ${STARTS}`, ms(percentile(times, 50))],
    ['fastest', ms(Math.min(...times))],
    ['slowest', ms(Math.max(...times))],
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}
