// What `npm test` runs. Arguments are handed on: npm test -- test/auth/sign-in.test.ts --test-name-pattern=Maria
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { startPostgres } from './postgres.ts';

type Tool = { name: string; variable: string; commands: string[]; places: string[] };

const PROGRAMS = process.env['ProgramFiles'] ?? 'C:\\Program Files';
const PROGRAMS_X86 = process.env['ProgramFiles(x86)'] ?? 'C:\\Program Files (x86)';
const UNIX = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/local/bin', '/snap/bin'];

const PACKAGES = ['chromium', 'oathtool', 'zbar-tools'];

const TOOLS: Tool[] = [
  {
    name: 'Chromium or Chrome',
    variable: 'TEST_CHROMIUM',
    commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
    places: [
      ...['/Applications', join(homedir(), 'Applications')].flatMap((folder) => [
        join(folder, 'Chromium.app/Contents/MacOS/Chromium'),
        join(folder, 'Google Chrome.app/Contents/MacOS/Google Chrome'),
      ]),
      ...[PROGRAMS, PROGRAMS_X86].map((folder) => join(folder, 'Google\\Chrome\\Application\\chrome.exe')),
    ],
  },
  {
    name: 'oathtool',
    variable: 'TEST_OATHTOOL',
    commands: ['oathtool'],
    places: ['C:\\msys64\\usr\\bin\\oathtool.exe', 'C:\\msys64\\mingw64\\bin\\oathtool.exe'],
  },
  {
    name: 'zbarimg',
    variable: 'TEST_ZBARIMG',
    commands: ['zbarimg'],
    places: [PROGRAMS, PROGRAMS_X86].map((folder) => join(folder, 'ZBar\\bin\\zbarimg.exe')),
  },
];

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupted.abort());

process.exit(await main(process.argv.slice(2)));

async function main(args: string[]): Promise<number> {
  const tools = findTools();
  if (typeof tools === 'string') {
    console.error(tools);
    return 1;
  }

  console.log('Starting PostgreSQL');
  const postgres = await startPostgres();
  try {
    if (interrupted.signal.aborted) return 1;
    console.log('Running the tests');
    return await runTests(args, { ...tools, TEST_POSTGRES_URL: postgres.url });
  } finally {
    await postgres.stop();
  }
}

/** Where the programs are that the tests compare Sallyport with, or one sentence saying what to install. */
function findTools(): Record<string, string> | string {
  if (TOOLS.some((tool) => !find(tool)) && isDebianAsRoot()) {
    console.log(`Installing ${PACKAGES.join(', ')}`);
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...PACKAGES);
  }
  const found = TOOLS.map((tool) => ({ ...tool, path: find(tool) }));
  const missing = found.filter((tool) => !tool.path).map((tool) => tool.name);
  if (missing.length > 0)
    return `The tests need ${missing.join(', ')}: install and try again (Debian: apt-get install ${PACKAGES.join(' ')}).`;
  for (const tool of found) console.log(`Found ${tool.name}: ${tool.path}`);
  return Object.fromEntries(found.map((tool) => [tool.variable, tool.path ?? '']));
}

function find(tool: Tool): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...UNIX];
  const ending = process.platform === 'win32' ? '.exe' : '';
  const onPath = tool.commands.flatMap((name) => folders.map((folder) => join(folder, name + ending)));
  return [process.env[tool.variable] ?? '', ...onPath, ...tool.places].find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isDebianAsRoot(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function apt(...args: string[]): void {
  spawnSync('apt-get', ['-qq', ...args], {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Runs Node's own test runner, whose closing count is the last thing printed, and resolves to its exit code. */
function runTests(args: string[], env: Record<string, string>): Promise<number> {
  const files = args.some((arg) => !arg.startsWith('-')) ? [] : ['test/**/*.test.ts'];
  const concurrency = Math.max(2, availableParallelism() - 1);
  const flags = ['--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`];
  const runner = spawn(process.execPath, [...flags, ...args, ...files], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  interrupted.signal.addEventListener('abort', () => runner.kill('SIGTERM'));
  return new Promise((done, fail) => {
    runner.once('error', fail);
    runner.once('exit', (code) => done(code ?? 1));
  });
}
