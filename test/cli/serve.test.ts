import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { OPERATOR, record } from '../../src/accounts/audit.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { listen, stopListening } from '../../src/cli/serve.ts';
import { readConfig } from '../../src/config.ts';
import { sql } from '../../src/db/db.ts';
import { acme } from '../acme.ts';
import { freePort, MAIN, Program } from '../program.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-serve-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('serve', () => {
  test('prints a one-time link on an empty database and answers until it is told to stop', async (t) => {
    const started = performance.now();
    const server = await start('empty');
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    t.diagnostic(`first answered request ${Math.round(performance.now() - started)} ms after the process was started`);
    const [, link = ''] = await server.said(/^ {2}(http:\/\/localhost:\d+\/setup\/[\w-]{43})$/m);
    assert.equal((await fetch(link.replace('localhost', '127.0.0.1'))).status, 200);
    const { code, output } = await server.stop();
    assert.equal(code, 0);
    const lines = output.split('\n');
    assert.ok(lines.every((line) => !line.startsWith('{') || !line.includes('/setup/')));
    assert.equal(lines[0], `Sallyport is listening on http://localhost:${server.port}`);
  });

  test('finds everything again after a restart, and offers no set-up to an installation with an owner', async () => {
    const first = await start('kept');
    const installation = await openAll(readConfig({ SALLYPORT_DATA: dataOf('kept') }), () => Date.now(), QUIET);
    await acme(installation);
    await installation.db.close();
    assert.match((await first.stop()).output, /\/setup\//);
    const second = await start('kept');
    assert.equal((await fetch(`${second.url}/portal/acme/sign-in`)).status, 200);
    assert.doesNotMatch((await second.stop()).output, /\/setup\//);
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
    assert.equal((await (await start('keyless')).stop()).code, 0);
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
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
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
    const { output } = await server.stop();
    const warnings = output.split('\n').filter((line) => line.includes('"level":40'));
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
    assert.equal((await server.ended).code, 0);
  });

  test('links every row of the audit log before it ends, and its own log proves later that none is missing', async () => {
    const server = await start('chained');
    const installation = await openAll(readConfig({ SALLYPORT_DATA: dataOf('chained') }), () => Date.now(), QUIET);
    const { organization } = await acme(installation);
    const fact = { organizationId: organization.id, actor: OPERATOR, action: 'settings.changed' } as const;
    await installation.db.transaction((tx) => record(tx, installation, fact));
    const { code, output } = await server.stop();
    assert.equal(code, 0);
    const unlinked = await installation.db.all(sql`SELECT id FROM audit_rows WHERE linked_at IS NULL`);
    await installation.db.close();
    assert.deepEqual(unlinked, []);
    const log = join(folder, 'chained.log');
    writeFileSync(log, output);
    const verify = [MAIN, 'audit', 'verify', '--heads', log, '--json'];
    const env = { SALLYPORT_DATA: dataOf('chained') };
    const verified = JSON.parse(execFileSync(process.execPath, verify, { env, encoding: 'utf8' })) as { heads: number };
    assert.ok(verified.heads > 0);
  });

  test('ends at once at a second signal', async () => {
    const server = await start('impatient');
    const request = await halfRequest(server.port);
    server.child.kill('SIGINT');
    await assert.rejects(untilRefused(server.url));
    server.child.kill('SIGINT');
    assert.equal((await server.ended).code, 1);
    request.destroy();
  });
});

describe('a server that stops listening', () => {
  test('answers once who had connected before and asks only now, and leaves the others two seconds', async (t) => {
    const server = await listen({ fetch: () => new Response('well') }, { port: 0, host: '127.0.0.1' });
    const { port } = server.address() as AddressInfo;
    const [late, idle, silent] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await once(late, 'connect');
    // All are accepted: whoever came last has been answered.
    for (const socket of [idle, silent]) assert.match(await asks(socket), /^HTTP\/1\.1 200 /);
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const [left, stopped] = [once(silent, 'close'), stopListening(server)];
    while (server.listening) await setImmediate();
    for (const ms of [1_900, 99]) {
      t.mock.timers.tick(ms);
      await setImmediate();
    }
    for (const socket of [late, idle])
      assert.match(await asks(socket), /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i);
    for (const ms of [1, 50]) {
      t.mock.timers.tick(ms);
      await setImmediate();
    }
    await Promise.all([left, stopped]);
  });
});

function dataOf(name: string): string {
  return join(folder, name);
}

class Server extends Program {
  readonly port: number;
  readonly url: string;

  constructor(name: string, port: number, more: Record<string, string>) {
    super([MAIN, 'serve'], { SALLYPORT_DATA: dataOf(name), SALLYPORT_PORT: String(port), ...more });
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }
}

/** A server that answers. */
async function start(name: string, more: Record<string, string> = {}): Promise<Server> {
  const server = new Server(name, await freePort(), more);
  await server.said(/is listening/);
  return server;
}

/** What a server that does not start says on standard error. */
async function refusal(name: string, more: Record<string, string> = {}): Promise<string> {
  const { code, errors } = await new Server(name, await freePort(), more).ended;
  assert.equal(code, 1);
  return errors;
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

/** What comes back on a connection for one more request. */
async function asks(socket: Socket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [answer] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean];
  return String(answer);
}

async function untilRefused(url: string): Promise<void> {
  for (;;) {
    await fetch(`${url}/healthz`, { headers: { connection: 'close' } });
    await sleep(10);
  }
}
