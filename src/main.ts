import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// A young generation that does not grow and an old one that is collected sooner: two thirds of the memory after a
// thousand sign-ins, at the same speed, whose limit is the password hash. See docs/decisions/0013.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--optimize-for-size');

// Keeps what Node compiles, types stripped, between starts, which halves the time of one. It stands before everything
// else that is loaded, and where nothing can be written it does nothing.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/sallyport'));

const { run } = await import('./cli/run.ts');

// The clock is read here and nowhere else. The demo is reached from here alone: nothing that serves can load its code.
process.exitCode = await run(process.argv.slice(2), {
  now: () => Date.now(),
  demo: async (options) => (await import('./demo/demo.ts')).runDemo(options),
});
