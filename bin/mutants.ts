// Whether the tests hold what docs/sign-in.md says: deletes each condition of an invariant in a copy of the checkout,
// one at a time, and runs the sentences that should notice. Arguments choose: bin/mutants I5 I6
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { startPostgres } from '../test/postgres.ts';
import { MUTANTS, type Deletion, type Mutant } from './mutants-table.ts';

const ROOT = join(import.meta.dirname, '..');
const COPIED = ['docs', 'migrations', 'package.json', 'src', 'test'];
const FILES_AT_ONCE = 2;
/** A sentence that takes longer hangs, which is as good as failing. */
const SENTENCE_MS = 60_000;
const RUN_MS = 5 * 60_000;
const LINE_MAX = 100;

type Verdict = 'caught' | 'held' | 'survived';

interface Outcome {
  readonly passed: number;
  /** The sentences that failed, in their order. */
  readonly failed: readonly string[];
}

/** What makes every verdict worthless: the table no longer fits the code, or the tests fail without any help. */
class Worthless extends Error {}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());

process.exit(await main(process.argv.slice(2)).catch(refused));

function refused(fault: unknown): number {
  console.error(fault instanceof Worthless ? `\n${fault.message}` : fault);
  return 1;
}

async function main(names: readonly string[]): Promise<number> {
  const chosen = MUTANTS.filter(({ invariant }) => names.length === 0 || names.includes(invariant));
  const copy = mkdtempSync(join(tmpdir(), 'sallyport-mutants-'));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    checkTable(copy, names);
    return await withPostgres(chosen, () => judgeAll(copy, chosen));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A table that has rotted must say so at once, and not call a mutant caught that was never made. */
function checkTable(copy: string, names: readonly string[]): void {
  for (const mutant of MUTANTS) for (const deletion of [mutant, ...(mutant.otherGuards ?? [])]) placeOf(copy, deletion);
  const documented = readFileSync(join(copy, 'docs/sign-in.md'), 'utf8').matchAll(/^\| (I\d+) \|/gm);
  const known = new Set(MUTANTS.map(({ invariant }) => invariant));
  const missing = Array.from(documented, ([, name = '']) => name).filter((name) => !known.has(name));
  if (missing.length > 0)
    throw new Worthless(`No mutant deletes what holds ${missing.join(', ')}: add one to the table.`);
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Worthless(`There is no mutant of ${unknown.join(', ')}.`);
}

/** Where in its file the text stands that a deletion looks for: exactly once. */
function placeOf(copy: string, { file, find }: Deletion): { text: string; at: number } {
  const text = readFileSync(join(copy, file), 'utf8');
  const count = text.split(find).length - 1;
  if (count !== 1) throw new Worthless(`Found ${count} times in ${file}, and must be there once:\n${find}`);
  return { text, at: text.indexOf(find) };
}

/** Races need PostgreSQL; the sentences of one process are heard on SQLite alone, which is faster and no less strict. */
async function withPostgres<T>(chosen: readonly Mutant[], work: () => Promise<T>): Promise<T> {
  if (!chosen.some(({ tests }) => tests.some((file) => file.startsWith('test/races/')))) return work();
  console.log('Starting PostgreSQL');
  const postgres = await startPostgres();
  try {
    process.env['TEST_POSTGRES_URL'] = postgres.url;
    return await work();
  } finally {
    await postgres.stop();
  }
}

async function judgeAll(copy: string, chosen: readonly Mutant[]): Promise<number> {
  console.log('Running the sentences with nothing deleted');
  const { failed } = await runSentences(copy, [...new Set(chosen.flatMap(({ tests }) => tests))]);
  if (failed[0] !== undefined) throw new Worthless(`“${failed[0]}” fails with nothing deleted. Mend that first.`);
  const verdicts: Verdict[] = [];
  for (const mutant of chosen) verdicts.push(await judge(copy, mutant));
  const count = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
  const survived = count('survived') > 0 ? `, ${count('survived')} SURVIVED` : '';
  console.log(
    `\n${chosen.length} mutants, ${count('caught')} caught, ${count('held')} held by a second guard${survived}`,
  );
  return survived === '' ? 0 : 1;
}

async function judge(copy: string, mutant: Mutant): Promise<Verdict> {
  console.log(`\n${mutant.invariant.padEnd(4)} ${told(copy, mutant)}`);
  const alone = await noticedBy(copy, [mutant], mutant.tests);
  if (alone !== undefined) return say('caught', `caught by “${alone}”`);
  const { otherGuards = [] } = mutant;
  if (otherGuards.length === 0) return say('survived', 'SURVIVED: no sentence fails');
  for (const guard of otherGuards) console.log(`     with ${told(copy, guard)}`);
  const together = await noticedBy(copy, [mutant, ...otherGuards], mutant.tests);
  return together === undefined
    ? say('survived', 'SURVIVED, also with the other guards deleted')
    : say('held', `held by a second guard; without it caught by “${together}”`);
}

function say(verdict: Verdict, text: string): Verdict {
  console.log(`     ${text}`);
  return verdict;
}

/** The first sentence that fails when all of this is deleted at once; undefined where none does. */
async function noticedBy(
  copy: string,
  deletions: readonly Deletion[],
  tests: readonly string[],
): Promise<string | undefined> {
  const before = new Map(deletions.map(({ file }) => [join(copy, file), readFileSync(join(copy, file), 'utf8')]));
  try {
    for (const { file, find, replace = '' } of deletions) {
      const path = join(copy, file);
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(find, () => replace),
      );
    }
    const { passed, failed } = await runSentences(copy, tests);
    if (passed === 0) throw new Worthless('Not one sentence holds: this mutant breaks more than its condition.');
    return failed[0];
  } finally {
    for (const [path, text] of before) writeFileSync(path, text);
  }
}

async function runSentences(copy: string, tests: readonly string[]): Promise<Outcome> {
  // A sentence that has hung may leave something running that would keep its file from ending.
  const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(RUN_MS)]);
  const outcome = { passed: 0, failed: [] as string[] };
  const events = run({
    cwd: copy,
    files: tests.toSorted(),
    concurrency: FILES_AT_ONCE,
    testSkipPatterns: /\(postgres\)/,
    timeout: SENTENCE_MS,
    signal,
  });
  events.on('test:pass', ({ details }) => {
    if (details.type !== 'suite') outcome.passed++;
  });
  events.on('test:fail', ({ name, details }) => {
    if (details.type !== 'suite') outcome.failed.push(name);
  });
  await finished(events.resume());
  if (interrupted.signal.aborted) throw new Worthless('Interrupted.');
  const [first = ''] = outcome.failed;
  if (tests.includes(first)) throw new Worthless(`${first} does not run.`);
  return outcome;
}

/** A deletion in one line: file, line, and the words that go. */
function told(copy: string, deletion: Deletion): string {
  const { text, at } = placeOf(copy, deletion);
  const gone = deletion.find.split(' ');
  const instead = (deletion.replace ?? '').split(' ');
  let before = 0;
  while (before < instead.length && gone[before] === instead[before]) before++;
  let after = 0;
  while (after < instead.length - before && gone.at(-1 - after) === instead.at(-1 - after)) after++;
  const [words = '', others = ''] = [gone, instead].map((all) => all.slice(before, all.length - after).join(' '));
  const indent = words.length - words.trimStart().length;
  const line = text.slice(0, at + gone.slice(0, before).join(' ').length + indent).split('\n').length;
  return `${deletion.file}:${line}  ${oneLine(words)}${others.trim() === '' ? '' : `  →  ${oneLine(others)}`}`;
}

function oneLine(words: string): string {
  const text = words.replace(/\s+/g, ' ').trim();
  return text.length > LINE_MAX ? `${text.slice(0, LINE_MAX - 1)}…` : text;
}
