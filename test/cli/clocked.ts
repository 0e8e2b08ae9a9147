// The command line as a process of its own whose clock is off by the milliseconds of its first argument.
import { run } from '../../src/cli/run.ts';

const [off = '0', ...words] = process.argv.slice(2);
process.exitCode = await run(words, {
  now: () => Date.now() + Number(off),
  demo: () => Promise.reject(new Error('no demo here')),
});
