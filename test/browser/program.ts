import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Sallyport as a program of its own, started by a command and stopped at the end: `await using demo = …`. */
export interface Running {
  readonly origin: string;
  /** All that it has printed until now. */
  readonly printed: () => string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a command that serves on a free port, and waits until it says on which. */
export async function start(command: 'demo' | 'serve', env: Record<string, string> = {}): Promise<Running> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const program = spawn(process.execPath, [join(import.meta.dirname, '../../src/main.ts'), command], {
    env: { ...own, ...env, SALLYPORT_PORT: String(port) },
  });
  let printed = '';
  const keep = (text: Buffer): void => void (printed += String(text));
  program.stdout.on('data', keep);
  program.stderr.on('data', keep);
  const ended = once(program, 'exit').then(() => 'ended' as const);
  while (!printed.includes(origin)) {
    const news = await Promise.race([ended, once(program.stdout, 'data')]);
    if (news === 'ended') throw new Error(`${command} ended at once: ${printed}`);
  }
  return {
    origin,
    printed: () => printed,
    async [Symbol.asyncDispose]() {
      program.kill('SIGTERM');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
