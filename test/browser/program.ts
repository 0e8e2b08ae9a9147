import { freePort, MAIN, Program } from '../program.ts';

/** Sallyport as a program of its own, stopped at the end: `await using demo = …`. */
export interface Running extends AsyncDisposable {
  readonly origin: string;
  readonly program: Program;
}

/** Starts a command that serves on a free port, and waits until it says on which. */
export async function start(
  command: 'demo' | 'serve',
  env: Record<string, string> = {},
  file: readonly string[] = [MAIN],
): Promise<Running> {
  const port = await freePort();
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const program = new Program([...file, command], { ...own, ...env, SALLYPORT_PORT: String(port) });
  const origin = `http://localhost:${port}`;
  await program.said(new RegExp(`on ${origin}\\n`));
  return { origin, program, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
