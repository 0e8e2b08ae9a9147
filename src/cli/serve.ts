import { once } from 'node:events';
import type { Server } from 'node:http';
import { flushCompileCache } from 'node:module';
import { Server as NetServer } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Command } from 'commander';
import { makeFindable } from '../accounts/findable.ts';
import { closeInstallation, type Installation } from '../accounts/installation.ts';
import { keepRing } from '../accounts/keys.ts';
import { createApp } from '../app.ts';
import { sweep } from '../auth/housekeeping.ts';
import { closeCopy } from '../auth/restored.ts';
import { offerSetup } from '../auth/setup.ts';
import { sweepJobs } from '../jobs/jobs.ts';
import { readConfig, unknownVariables, type Config } from '../config.ts';
import { openLog } from '../log.ts';
import { keepTime } from './clock.ts';
import { keepChain, keepWatch } from './keep-chain.ts';
import { keepFigures } from './keep-figures.ts';
import { keepPosting } from './keep-posting.ts';
import { keepReminders } from './keep-reminders.ts';
import { keepWorking } from './keep-working.ts';
import { openAll } from './open.ts';
import { command, iso, type Options } from './shell.ts';
import { failed } from './stopped.ts';

const SWEEP_EVERY_MS = 60_000;
const LEAVE_WITHIN_MS = 2_000;
/** Long enough for a file of 10 MB over a line of 1 Mbit/s. Whoever is slow on purpose has a socket by it, nothing else. */
const REQUEST_WITHIN_MS = 120_000;

export function add(program: Command, now: () => number): void {
  command(program, 'serve', 'Run the server until it is told to stop').action((options: Options) =>
    serve(now, options),
  );
}

async function serve(now: () => number, options: Options): Promise<void> {
  const config = readConfig();
  const log = openLog(config.logLevel, now);
  const unknown = unknownVariables();
  if (unknown.length > 0) log.warn('the environment has settings that this version does not know', { unknown });
  const installation = await openAll(config, now, log);
  try {
    const { publicUrl, trustedProxies, mail } = config;
    await afterRestore(installation);
    const stopTime = await keepTime(installation);
    const signalled = untilSignalled();
    const server = await listen(createApp({ installation, publicUrl, trustedProxies, mail }), config);
    const stopSweeping = keepHouse(installation);
    const stopWorking = keepWorking(installation);
    const stopPosting = keepPosting(installation, config);
    const stopChaining = keepChain(installation);
    const stopFiguring = keepFigures(installation);
    const stopReminding = keepReminders(installation);
    const stopWatching = keepWatch(installation);
    try {
      await greet(installation, publicUrl, options);
      // Now, and not at the end, which a killed process never has.
      flushCompileCache();
      await signalled;
    } finally {
      await stopListening(server);
      await stopSweeping();
      await stopWorking();
      await stopPosting();
      await stopWatching();
      await stopChaining();
      await stopFiguring();
      await stopReminding();
      await stopTime();
    }
  } finally {
    await closeInstallation(installation);
  }
}

// Before the first request, so that nothing which the copy remembers opens anything.
async function afterRestore(installation: Installation): Promise<void> {
  const closed = await closeCopy(installation);
  if (!closed) return;
  const { takenAt, ...counts } = closed;
  installation.log.warn('the database is a restored backup: what was open in it has ended', {
    takenAt: iso(takenAt),
    ...counts,
  });
}

/** Takes requests for an app; a port that is not to be had is a sentence, not a fault. */
export async function listen(
  app: { fetch: (request: Request) => Response | Promise<Response> },
  { port, host }: Pick<Config, 'port' | 'host'>,
): Promise<Server> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    // Without the short interval both limits would come up to half a minute late.
    serverOptions: { headersTimeout: 10_000, requestTimeout: REQUEST_WITHIN_MS, connectionsCheckingInterval: 1_000 },
  }) as Server;
  // Asked for once, a socket keeps its peer's address; asked for after the peer has reset it, it has none, and an act
  // would stand in the audit log without its place.
  server.on('connection', (socket) => socket.remoteAddress ?? socket.destroy());
  // Node puts the "100 Continue" of a request that waits behind another into the middle of its answer. Whoever has
  // pipelined a request does not wait for it (RFC 9110 §10.1.1 lets it be left out).
  server.on('checkContinue', (incoming, outgoing) => {
    if (outgoing.socket) outgoing.writeContinue();
    server.emit('request', incoming, outgoing);
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (fault) {
    throw failed(refusal((fault as NodeJS.ErrnoException).code, port, host));
  }
  return server;
}

/**
 * Takes no new connection and waits for the requests under way. Who comes back on a connection that is open is answered
 * once more and told to leave it; closed at once, it could break under a request that is already on its way.
 */
export async function stopListening(server: Server): Promise<void> {
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  await quietTurn(server);
  // http's own close would end idle connections at once.
  const closed = new Promise((done) => NetServer.prototype.close.call(server, done));
  await Promise.race([closed, new Promise((done) => setTimeout(done, LEAVE_WITHIN_MS).unref())]);
  const closing = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearInterval(closing);
}

// Whom the system has let in and we have not yet is cut off by closing: a turn of the loop in which nobody came is the
// moment when that is nobody. Under a load that leaves no such turn it is done all the same.
async function quietTurn(server: Server): Promise<void> {
  let came = true;
  const notice = (): void => void (came = true);
  server.on('connection', notice).on('request', notice);
  for (let turn = 0; came && turn < 1_000; turn++) {
    came = false;
    await new Promise((done) => setImmediate(done));
  }
  server.off('connection', notice).off('request', notice);
}

function refusal(code: string | undefined, port: number, host: string): string {
  const mend = 'set SALLYPORT_PORT to another';
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is in use: stop what uses it, or ${mend}.`;
  if (code === 'EACCES') return `Port ${port} on ${host} needs more rights than this user has: ${mend}.`;
  return `Nothing can listen on ${host}, port ${port} (${code}): set SALLYPORT_HOST to an address of this machine.`;
}

// The link opens an empty installation to whoever reads it: plain text for the terminal, never a line of the log.
async function greet(installation: Installation, publicUrl: string, options: Options): Promise<void> {
  const token = await offerSetup(installation);
  const setup = token === undefined ? undefined : `${publicUrl}/setup/${token}`;
  if (options.json) {
    console.log(JSON.stringify({ listening: publicUrl, ...(setup === undefined ? {} : { setup }) }));
    return;
  }
  console.log(`Sallyport is listening on ${publicUrl}`);
  if (setup !== undefined) console.log(`Set it up within 24 hours, with this link:\n\n  ${setup}\n`);
}

/**
 * Says that it runs, and sweeps, now and every minute, never twice at once; what it answers ends that, after the bite
 * under way: after an update there may be hours of it.
 */
export function keepHouse(installation: Installation): () => Promise<void> {
  let leaving = false;
  let holding = Promise.resolve();
  let sweeping: Promise<void> | undefined;
  const attempt = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      (fault: unknown) => installation.log.error('housekeeping failed', { reason: String(fault) }),
    );
  const run = (): void => {
    // By itself, for whoever says nothing for three minutes is held to be gone, and the sweep may take longer.
    holding = attempt(keepRing(installation));
    sweeping ??= attempt(sweepAll(installation, () => !leaving)).finally(() => (sweeping = undefined));
  };
  run();
  const timer = setInterval(run, SWEEP_EVERY_MS).unref();
  return async () => {
    clearInterval(timer);
    leaving = true;
    await Promise.all([holding, sweeping]);
  };
}

async function sweepAll(installation: Installation, mayGoOn: () => boolean): Promise<void> {
  await sweep(installation);
  await sweepJobs(installation);
  await makeFindable(installation.db, mayGoOn);
}

/** Resolves at the first signal to stop, so that requests under way can finish; a second one does not wait for them. */
export function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (): void => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve();
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  });
}
