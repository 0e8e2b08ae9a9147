import type { Watch } from '../auth/rotation.ts';

const WIDTH = 24;
const REDRAWN_AFTER_MS = 100;

/** Shows on standard error how far a job has come: a bar on a terminal, elsewhere a line for each part that is done. */
export function showProgress(now: () => number): Watch {
  const { stderr } = process;
  let drawnAt = 0;
  return (part, done, total) => {
    const ended = done >= total;
    if (!stderr.isTTY) {
      if (ended) stderr.write(`${part}: ${done} done\n`);
      return;
    }
    if (!ended && now() - drawnAt < REDRAWN_AFTER_MS) return;
    drawnAt = now();
    stderr.write(`\r\u001B[K${bar(part, done, total)}${ended ? '\n' : ''}`);
  };
}

function bar(part: string, done: number, total: number): string {
  const filled = Math.floor((done / total) * WIDTH);
  return `${part.padEnd(WIDTH)} [${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${done} / ${total}`;
}
