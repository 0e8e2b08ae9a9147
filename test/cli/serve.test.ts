import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATOR, record } from '../../src/accounts/audit.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-serve-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('serve', () => {
  test('prints a one-time link on an empty database and answers until it is told to stop', async (t) => {
    const started = performance.now();
    const server = await start('empty');
    t.diagnostic(`first answered request ${Math.round(performance.now() - started)} ms after the process was started`);
    const link = /^ {2}(http:\/\/localhost:\d+\/setup\/[\w-]{43})$/m.exec(await server.said('setup'))?.[1];
    assert.ok(link, server.output);
    assert.equal((await fetch(link.replace('localhost', '127.0.0.1'))).status, 200);
    const logged = server.output.split('\n').filter((line) => line.startsWith('{'));
    assert.ok(logged.every((line) => !line.includes('/setup/')));
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    assert.equal(server.output.split('\n')[0], `Sallyport is listening on http://localhost:${server.port}`);
  });

  test('finds everything again after a restart, and offers no set-up to an installation with an owner', async () => {
    const first = await start('kept');
    const installation = await openAll(readConfig({ SALLYPORT_DATA: dataOf('kept') }), () => Date.now(), QUIET);
    await acme(installation);
    await installation.db.close();
    await first.stop();
    const second = await start('kept');
    assert.equal((await fetch(`${second.url}/portal/acme/sign-in`)).status, 200);
    await second.stop();
    assert.match(first.output, /\/setup\//);
    assert.doesNotMatch(second.output, /\/setup\//);
    for (const [name, mode] of [
      ['', 0o700],
      ['keys', 0o600],
      ['sallyport.db', 0o600],
    ] as const)
      assert.equal(statSync(join(dataOf('kept'), name)).mode & 0o777, mode, name);
  });

  test('refuses a database whose key is missing or another, makes no new one, and starts once it is back', async () => {
    await (await start('keyless')).stop();
    const keys = join(dataOf('keyless'), 'keys');
    renameSync(keys, `${keys}.away`);
    const missing = await refusal('keyless');
    assert.match(
      missing,
      /^The secrets in this database are sealed with a key that is missing: put .+keys back, or set SALLYPORT_KEYS\.\n$/,
    );
    assert.equal(existsSync(keys), false);
    const another = await refusal('keyless', { SALLYPORT_KEYS: `k2:${Buffer.alloc(32, 2).toString('base64url')}` });
    assert.match(another, /^Key "k1" has sealed secrets in this database and is missing from SALLYPORT_KEYS\./);
    const sameName = await refusal('keyless', { SALLYPORT_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64url')}` });
    assert.match(sameName, /^Key "k1" in SALLYPORT_KEYS is not the one this database was sealed with\./);
    renameSync(`${keys}.away`, keys);
    assert.deepEqual(await (await start('keyless')).stop(), { code: 0, signal: null });
  });

  test('holds its keys while it runs, so that no other process seals with one it lacks, and not a moment longer', async () => {
    const server = await start('holding');
    const ring = `k2:${Buffer.alloc(32, 2).toString('base64url')}`;
    const known = readFileSync(join(dataOf('holding'), 'keys'), 'utf8').trim();
    const changed = { SALLYPORT_KEYS: `${ring},${known}` };
    const refused = await refusal('holding', changed);
    assert.match(
      refused,
      /^Key "k2" comes first here, and a process that runs without it .*, process \d+, seen \d+ s ago\./,
    );
    await server.stop();
    await (await start('holding', changed)).stop();
  });

  test('says in one sentence that its port is in use', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    assert.equal(
      await refusal('port', { SALLYPORT_PORT: String(port) }),
      `Port ${port} on 127.0.0.1 is in use: stop what uses it, or set SALLYPORT_PORT to another.\n`,
    );
    other.close();
  });

  test('says everything that is wrong with the environment at once, and makes nothing', async () => {
    const wrong = {
      SALLYPORT_PORT: 'http',
      SALLYPORT_PUBLIC_URL: 'http://portal.acme.test',
      SALLYPORT_LOG_LEVEL: 'loud',
    };
    const said = await refusal('wrong', wrong);
    for (const name of Object.keys(wrong)) assert.match(said, new RegExp(`^ {2}${name}: `, 'm'));
    assert.equal(existsSync(dataOf('wrong')), false);
  });

  test('warns once of settings that it does not know', async () => {
    const server = await start('unknown', { SALLYPORT_POTR: '80', SALLYPORT_HOTS: '::' });
    await server.stop();
    const warnings = server.output.split('\n').filter((line) => line.includes('"level":40'));
    assert.equal(warnings.length, 1);
    assert.deepEqual((JSON.parse(warnings[0] ?? '') as { unknown: string[] }).unknown.toSorted(), [
      'SALLYPORT_HOTS',
      'SALLYPORT_POTR',
    ]);
  });

  test('lets a request under way finish when it is told to stop, and takes no other', async () => {
    const server = await start('busy');
    const request = await halfRequest(server.port);
    server.child.kill('SIGTERM');
    await assert.rejects(untilRefused(server.url));
    request.write('=1');
    const [answer] = (await once(request, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 4\d\d /);
    assert.deepEqual(await server.ended, { code: 0, signal: null });
  });

  test('links every row of the audit log before it ends, and its own log proves later that none is missing', async () => {
    const server = await start('chained');
    const installation = await openAll(readConfig({ SALLYPORT_DATA: dataOf('chained') }), () => Date.now(), QUIET);
    const { organization } = await acme(installation);
    const fact = { organizationId: organization.id, actor: OPERATOR, action: 'settings.changed' } as const;
    await installation.db.transaction((tx) => record(tx, installation, fact));
    assert.deepEqual(await server.stop(), { code: 0, signal: null });
    const unlinked = await installation.db.all(sql`SELECT id FROM audit_rows WHERE linked_at IS NULL`);
    await installation.db.close();
    assert.deepEqual(unlinked, []);
    const log = join(folder, 'chained.log');
    writeFileSync(log, server.output);
    const verify = [MAIN, 'audit', 'verify', '--heads', log, '--json'];
    const env = { SALLYPORT_DATA: dataOf('chained') };
    const verified = JSON.parse(execFileSync(process.execPath, verify, { env, encoding: 'utf8' })) as { heads: number };
    assert.ok(verified.heads > 0);
  });

  test('answers who had connected before it was told to stop and asks only now, once', async () => {
    const server = await start('connected');
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    // Accepted: a request that came later has been answered.
    assert.equal((await fetch(`${server.url}/healthz`, { headers: { connection: 'close' } })).status, 200);
    server.child.kill('SIGTERM');
    await assert.rejects(untilRefused(server.url));
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i);
    assert.deepEqual(await server.ended, { code: 0, signal: null });
  });

  test('ends at once at a second signal', async () => {
    const server = await start('impatient');
    const request = await halfRequest(server.port);
    server.child.kill('SIGINT');
    await assert.rejects(untilRefused(server.url));
    server.child.kill('SIGINT');
    assert.deepEqual(await server.ended, { code: 1, signal: null });
    request.destroy();
  });
});

type Ending = { code: number | null; signal: string | null };

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
  readonly output: string;
  readonly ended: Promise<Ending>;
  /** All output, once it has this in it. */
  said(text: string): Promise<string>;
  stop(): Promise<Ending>;
}

function dataOf(name: string): string {
  return join(folder, name);
}

/** A server that has answered its first request. */
async function start(name: string, more: Record<string, string> = {}): Promise<Started> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { child, output, ended } = run(name, { SALLYPORT_PORT: String(port), ...more });
  const alive = async (): Promise<boolean> => (await fetch(`${url}/healthz`).catch(() => undefined))?.ok === true;
  while (child.exitCode === null && !(await alive())) await sleep(5);
  assert.equal(child.exitCode, null, output());
  return {
    child,
    port,
    url,
    ended,
    get output() {
      return output();
    },
    said: async (text) => {
      while (child.exitCode === null && !output().includes(text)) await sleep(5);
      return output();
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** What a server that does not start says on standard error. */
async function refusal(name: string, more: Record<string, string> = {}): Promise<string> {
  const { errors, ended } = run(name, { SALLYPORT_PORT: String(await freePort()), ...more });
  assert.deepEqual(await ended, { code: 1, signal: null });
  return errors();
}

function run(
  name: string,
  more: Record<string, string>,
): { child: ChildProcess; output: () => string; errors: () => string; ended: Promise<Ending> } {
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    env: { SALLYPORT_DATA: dataOf(name), ...more },
    cwd: folder,
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<Ending>((done) => child.once('close', (code, signal) => done({ code, signal })));
  return { child, output: () => output, errors: () => errors, ended };
}

/** A request that the server is at, and whose last two bytes are still to come. */
async function halfRequest(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = [
    'POST /admin/sign-in HTTP/1.1',
    'Host: localhost',
    'Sec-Fetch-Site: same-origin',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: 7',
    'Expect: 100-continue',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\nemail`);
  const [heard] = (await once(socket, 'data')) as [Buffer];
  assert.match(heard.toString(), /^HTTP\/1\.1 100 /);
  return socket;
}

async function untilRefused(url: string): Promise<void> {
  for (;;) {
    await fetch(`${url}/healthz`, { headers: { connection: 'close' } });
    await sleep(10);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}
