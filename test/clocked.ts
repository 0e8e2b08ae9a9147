// The command line as a process of its own whose clock stands at the moment of its first argument, until its parent
// tells it another.
import { runDemo } from '../src/demo/demo.ts';
import { run } from '../src/cli/run.ts';

const [at = '', ...words] = process.argv.slice(2);
let now = Number(at);
process.on('message', (moment: number) => {
  now = moment;
  process.send?.('heard');
});
process.channel?.unref();
process.exitCode = await run(words, { now: () => now, demo: runDemo });
