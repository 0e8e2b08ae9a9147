/** A command that ends without having done what it was asked: one sentence, and the command that helps. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly exit: number;
  readonly next: string | undefined;
  readonly details: readonly string[];

  constructor(exit: number, sentence: string, next?: string, details: readonly string[] = []) {
    super(sentence);
    this.exit = exit;
    this.next = next;
    this.details = details;
  }
}

export const failed = (sentence: string, next?: string): Stopped => new Stopped(1, sentence, next);
export const wrongUsage = (sentence: string, next?: string): Stopped => new Stopped(2, sentence, next);
export const notFound = (sentence: string, next: string): Stopped => new Stopped(3, sentence, next);
export const refused = (sentence: string, next?: string): Stopped => new Stopped(4, sentence, next);

/** Says on standard error why a command stopped, and answers the exit code. `help` is the command that explains it. */
export function explain(fault: unknown, json: boolean, help: string): number {
  const { message, exit, details, ...stopped } = fault instanceof Stopped ? fault : stoppedBy(fault as Fault);
  if (message === '') return exit;
  const next = stopped.next ?? (exit === 2 ? help : undefined);
  if (json) console.error(JSON.stringify({ error: message, exit, next, details }, null, 2));
  else console.error(plain([next ? `${message} Try: ${next}` : message, ...details].join('\n  ')));
  return exit;
}

/** What other modules throw. Known by name, so that a wrong word on the command line loads none of them. */
interface Fault extends Error {
  readonly code?: string;
  readonly exitCode?: number;
  readonly problems?: readonly string[];
}

function stoppedBy(fault: Fault): Stopped {
  switch (fault.name) {
    case 'CommanderError':
      // The help is on the screen already: asked for, or because the command was not finished.
      if (fault.code?.startsWith('commander.help')) return new Stopped(fault.exitCode === 0 ? 0 : 2, '');
      return wrongUsage(sentenceOf(fault.message));
    case 'ConfigRefused':
      return new Stopped(1, 'The environment cannot be used as it is:', undefined, fault.problems);
    case 'KeyRefused':
      return failed(fault.message, 'sallyport doctor');
    case 'DatabaseUnavailable':
      return failed(`The database cannot be used: ${fault.message}.`, 'sallyport doctor');
    default:
      return new Stopped(1, 'Something went wrong that should not have.', undefined, fault.stack?.split('\n'));
  }
}

// "error: unknown option '--x'" as a sentence.
function sentenceOf(message: string): string {
  const text = message.replace(/^error: /, '').replaceAll('\n', ' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?)]$/.test(text) ? '' : '.'}`;
}

/**
 * A text without control characters. Names and browsers are other people's words, and one such character among them
 * could rewrite the operator's screen.
 */
export function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\uFFFD');
}
