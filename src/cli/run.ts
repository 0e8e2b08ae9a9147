import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { command } from './shell.ts';
import { explain } from './stopped.ts';

interface Family {
  /** Adds the commands that begin with its word. */
  add(program: Command, now: () => number): void;
}

export interface Given {
  readonly now: () => number;
  readonly demo: (options: { now: () => number; port: number }) => Promise<void>;
}

// Loaded when its word is said: the server's first answer waits for no CSV, and a list of contacts for no HTTP.
const FAMILIES: Record<string, (given: Given) => Promise<Family>> = {
  serve: () => import('./serve.ts'),
  demo: async (given) => demoFamily(given),
  migrate: () => import('./migrate.ts'),
  organization: () => import('./organization.ts'),
  staff: () => import('./staff.ts'),
  customer: () => import('./customer.ts'),
  contact: () => import('./contact.ts'),
  mfa: () => import('./mfa.ts'),
  account: () => import('./account.ts'),
  document: () => import('./document.ts'),
  jobs: () => import('./jobs.ts'),
  audit: () => import('./audit.ts'),
  backup: () => import('./backup.ts'),
  restored: () => import('./restored.ts'),
  clock: () => import('./clock.ts'),
  keys: () => import('./keys.ts'),
  doctor: () => import('./doctor.ts'),
};

/** Runs the command that the words name; answers the exit code. */
export async function run(words: string[], given: Given): Promise<number> {
  const program = new Command('sallyport')
    .description("The two-door entrance of a business's customer portal: password and authenticator code.")
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  const [word = ''] = words;
  const wanted = Object.hasOwn(FAMILIES, word) ? [word] : Object.keys(FAMILIES);
  try {
    for (const name of wanted) (await FAMILIES[name]?.(given))?.add(program, given.now);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (fault) {
    return explain(fault, words.includes('--json'), `${wordsOf(program, words)} --help`);
  }
}

// As much of what was typed as is a command: where help can be had.
function wordsOf(at: Command, [word, ...rest]: string[]): string {
  const next = at.commands.find((one) => one.name() === word);
  return next ? `${at.name()} ${wordsOf(next, rest)}` : at.name();
}

function demoFamily({ demo }: Given): Family {
  return {
    add: (program, now) => {
      command(program, 'demo', 'Run an example in a throw-away folder').action(() =>
        demo({ now, port: readConfig().port }),
      );
    },
  };
}
