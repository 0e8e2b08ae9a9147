import { Command } from 'commander';
import { command } from './cli/shell.ts';
import { explain } from './cli/stopped.ts';
import { readConfig } from './config.ts';

const now = (): number => Date.now();

interface Family {
  /** Adds the commands that begin with its word. */
  add(program: Command, now: () => number): void;
}

// Loaded when its word is said: the server's first answer waits for no CSV, and a list of contacts for no HTTP.
const FAMILIES: Record<string, () => Promise<Family>> = {
  serve: () => import('./cli/serve.ts'),
  demo,
  migrate: () => import('./cli/migrate.ts'),
  organization: () => import('./cli/organization.ts'),
  staff: () => import('./cli/staff.ts'),
  customer: () => import('./cli/customer.ts'),
  contact: () => import('./cli/contact.ts'),
  mfa: () => import('./cli/mfa.ts'),
  account: () => import('./cli/account.ts'),
  document: () => import('./cli/document.ts'),
  audit: () => import('./cli/audit.ts'),
  doctor: () => import('./cli/doctor.ts'),
};

process.exitCode = await main(process.argv.slice(2));

async function main(words: string[]): Promise<number> {
  const program = new Command('sallyport')
    .description("The two-door entrance of a business's customer portal: password and authenticator code.")
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  const [word = ''] = words;
  const wanted = Object.hasOwn(FAMILIES, word) ? [word] : Object.keys(FAMILIES);
  try {
    for (const name of wanted) (await FAMILIES[name]?.())?.add(program, now);
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

// The only way to the demo: nothing that serves can reach its code.
async function demo(): Promise<Family> {
  const { runDemo } = await import('./demo/demo.ts');
  return {
    add: (program) => {
      command(program, 'demo', 'Run an example in a throw-away folder').action(async () => {
        await runDemo({ now, port: readConfig().port });
      });
    },
  };
}
