import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The command line as everybody runs it. */
export const MAIN = join(import.meta.dirname, '../src/main.ts');
/** The same with a clock that stands at the moment of its first argument. */
export const CLOCKED = join(import.meta.dirname, 'clocked.ts');

/** How a process ended, and all that it has said. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/**
 * A process whose words arrive when they do, later than what it does: wait for them, or for its end. Until then nobody
 * can see what it has said.
 */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #output = '';

  /** Runs a file of ours, or another program. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv, file = process.execPath) {
    this.child = spawn(file, args, { env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    let errors = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    this.ended = once(this.child, 'close').then(([code]) => ({
      code: code as number | null,
      output: this.#output,
      errors,
    }));
  }

  /** Waits until it has said something on standard output. */
  async said(what: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = what.exec(this.#output);
      if (found) return found;
      const ended = await Promise.race([this.ended, once(this.child.stdout!, 'data').then(() => undefined)]);
      if (ended) assert.match(ended.output, what, `it has ended with ${ended.code}: ${ended.errors}`);
    }
  }

  /** Sets the clock of a clocked one. */
  async setClock(moment: number): Promise<void> {
    const heard = once(this.child, 'message');
    this.child.send(moment);
    await heard;
  }

  /** Tells it to stop; answers its end. */
  stop(): Promise<Ended> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}
