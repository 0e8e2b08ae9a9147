import { Writable } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { failed, plain, refused, wrongUsage } from './stopped.ts';

/** Every option that some command takes, as commander hands it over. */
export interface Options {
  readonly json?: true;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly update?: true;
  readonly staff?: true;
  readonly revokeBackupCodes?: true;
  readonly passwordStdin?: true;
  readonly organization?: string;
  readonly customer?: string;
  readonly email?: string;
  readonly name?: string;
  readonly slug?: string;
  readonly role?: string;
  readonly phone?: string;
  readonly contactDetails?: string;
  readonly timeZone?: string;
  readonly accent?: string;
  readonly reason?: string;
  readonly graceDays?: string;
  readonly limit?: string;
  readonly weeks?: string;
  readonly months?: string;
  readonly before?: string;
  readonly who?: string;
  readonly what?: string;
  readonly whom?: string;
  readonly from?: string;
  readonly to?: string;
  readonly address?: string;
  readonly heads?: string;
  readonly port?: string;
  readonly host?: string;
}

/** What a command has to say: sentences or a table for people, the same as data for programs. */
export interface Answer {
  readonly text?: string;
  readonly table?: { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };
  readonly data: unknown;
  /** 0 unless something that was looked at is not as it should be. */
  readonly exit?: number;
}

/** Adds a command to its family, with the option that all of them take. */
export function command(family: Command, name: string, description: string): Command {
  return family.command(name).description(description).option('--json', 'answer as JSON');
}

/** Prints an answer, and sets what the process will exit with. */
export function print(answer: Answer, options: Options): void {
  // A reader that has seen enough, like `head`, is no fault.
  process.stdout.once('error', () => process.exit(1));
  if (options.json) console.log(JSON.stringify(answer.data, null, 2));
  else {
    if (answer.table) console.log(tableText(answer.table));
    if (answer.text !== undefined) console.log(plain(answer.text));
  }
  process.exitCode = answer.exit ?? 0;
}

function tableText({ columns, rows }: NonNullable<Answer['table']>): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => plain(cell).replaceAll('\n', ' ')));
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [styleText('bold', lines[0] ?? '', { stream: process.stdout }), ...lines.slice(1)].join('\n');
}

/** Whether a person sits there who can be asked. */
export function atTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** The value of an option; where it was left open it is asked for on a terminal, and wrong usage elsewhere. */
export async function given(value: string | undefined, option: string, question: string): Promise<string> {
  const text = (value ?? (atTerminal() ? await ask(question) : '')).trim();
  if (text === '') throw wrongUsage(`${option} is missing.`);
  if (/\p{Cc}/u.test(text)) throw wrongUsage(`${option} has a character that cannot be used.`);
  return text;
}

/** A password from standard input, or typed twice without being shown; undefined where nobody can be asked. */
export async function givenPassword(options: Options): Promise<string | undefined> {
  if (atTerminal()) {
    const password = await ask('Password', true);
    if (password !== (await ask('The same again', true))) throw wrongUsage('The two passwords differ.');
    return password;
  }
  return options.passwordStdin ? (await standardInput()).replace(/\r?\n$/, '') : undefined;
}

/** Before something that cannot be taken back: on a terminal the name of what it is about has to be typed. */
export async function confirm(what: string, word: string, options: Options): Promise<void> {
  if (options.yes || !atTerminal()) return;
  if ((await ask(`${what} Type ${word} to go on`)).trim() !== word) throw refused('Nothing was changed.');
}

/** All of standard input, as UTF-8. */
export async function standardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw wrongUsage('Standard input is not UTF-8. Save it again as UTF-8.');
  }
}

// Questions go to standard error, so that an answer as JSON stays alone on standard output.
async function ask(question: string, secret = false): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: secret ? silent : process.stderr, terminal: true });
  const prompt = `${plain(question)}${question.endsWith('?') ? '' : ':'} `;
  if (secret) process.stderr.write(prompt);
  try {
    return await new Promise((resolve, reject) => {
      const stop = (): void => reject(failed('Stopped; nothing was changed.'));
      reader.once('SIGINT', stop).once('close', stop);
      reader.question(secret ? '' : prompt).then(resolve, reject);
    });
  } finally {
    reader.close();
    if (secret) process.stderr.write('\n');
  }
}

/** A moment as operators read it, or a dash. */
export function moment(ms: number | null): string {
  return ms === null ? '–' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The same for programs. */
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
