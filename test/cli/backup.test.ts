import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Installation } from '../../src/accounts/installation.ts';
import { openAll, QUIET } from '../../src/cli/open.ts';
import { readConfig } from '../../src/config.ts';
import { hashToken } from '../../src/crypto/tokens.ts';
import { timeStep, totpCode } from '../../src/crypto/totp.ts';
import { sql } from '../../src/db/db.ts';
import { openSqlite } from '../../src/db/sqlite.ts';
import { acme, answers, challenged, enrol, setPolicy, type Acme, type Enrolled, type Person } from '../acme.ts';
import { waiting } from '../database.ts';
import { CLOCKED, freePort, Program, type Ended } from '../program.ts';
import { MINUTE_MS, openWorld, ringOf, START } from '../world.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'sallyport-backup-'));
const started: Program[] = [];
after(() => {
  // Those that a failed sentence has left.
  for (const { child } of started) child.kill('SIGKILL');
  rmSync(ROOT, { recursive: true, force: true });
});

describe('a backup', () => {
  test('taken while people sign in holds everything that was answered before it, and holds nobody up', async () => {
    const { data, people } = await installed('busy');
    const server = await serve(data, START + MINUTE_MS);
    const answered: string[] = [];
    const enough = new AbortController();
    const crowd = [people.eve, people.noor];
    const signInAll = async (): Promise<unknown> =>
      Promise.all(crowd.map(async (person) => answered.push(await half(server, person))));
    for (let turn = 0; turn < 4; turn++) await signInAll();
    const going = (async () => {
      while (!enough.signal.aborted) await signInAll();
    })();
    const before = [...answered];
    const file = join(data, 'copy.db');
    const copied = await sallyport(START + MINUTE_MS, ['backup', file], { SALLYPORT_DATA: data });
    const meanwhile = answered.length - before.length;
    enough.abort();
    await going;
    await server.program.stop();
    assert.deepEqual([copied.code, copied.errors], [0, '']);
    assert.ok(meanwhile > 0, 'nobody signed in while it was taken');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith('copy')),
      ['copy.db'],
    );
    const copy = openSqlite(file);
    for (const cookie of before) {
      const hash = hashToken(cookie.split('.')[1] ?? '');
      assert.ok(await copy.one(sql`SELECT 1 AS found FROM challenges WHERE token_hash = ${hash}`), 'one is lost');
    }
    await copy.close();
  });

  test('that does not fit on the disk leaves no file, neither a whole one nor a part', async () => {
    const { data } = await installed('full');
    // No file of a process may grow beyond 50 KiB here, which is less than the database has.
    const backup = [process.execPath, CLOCKED, String(START), 'backup', join(data, 'copy.db')];
    const limited = ['-c', 'ulimit -f 100; exec "$@"', 'sh', ...backup];
    const { code, errors } = await new Program(limited, { SALLYPORT_DATA: data }, 'sh').ended;
    assert.equal(code, 1, errors);
    assert.match(errors, /^The database cannot be used: (disk I\/O error|database or disk is full)\./);
    assert.deepEqual(
      readdirSync(data).filter((name) => name.startsWith('copy')),
      [],
    );
  });
});

describe('a restored backup', () => {
  test('knows no session, accepts no code that was used since, and lets Maria in by a new one', async () => {
    const { data, people } = await installed('restored');
    const file = join(data, 'copy.db');
    const first = await serve(data, START + MINUTE_MS);
    const before = await signsIn(first, people, codeOf(people, START + MINUTE_MS));
    assert.ok(before.session, before.text);
    await sallyport(START + MINUTE_MS, ['backup', file], { SALLYPORT_DATA: data });
    const used = codeOf(people, START + MINUTE_MS, 1);
    const since = await signsIn(first, people, used);
    assert.ok(since.session, since.text);
    // As after a crash: what has not come into the file yet lies beside it, and belongs to a database that is gone.
    first.program.child.kill('SIGKILL');
    await first.program.ended;
    for (const ending of ['-wal', '-shm']) rmSync(join(data, `sallyport.db${ending}`), { force: true });
    copyFileSync(file, join(data, 'sallyport.db'));

    const second = await serve(data, START + MINUTE_MS);
    for (const { session } of [before, since]) assert.equal(await home(second, session!), '/portal/acme/sign-in');
    const again = await signsIn(second, people, used);
    assert.equal(again.status, 422);
    assert.match(again.text, /That code has already been used/);
    const { output } = await second.program.stop();
    assert.match(output, /"takenAt":"[^"]+","accounts":6,"sessions":1,"authenticators":1,/);

    const third = await serve(data, START + 3 * MINUTE_MS);
    const fresh = await signsIn(third, people, codeOf(people, START + 3 * MINUTE_MS));
    assert.ok(fresh.session, fresh.text);
    assert.equal(await home(third, fresh.session), undefined, 'and stays signed in');
    assert.doesNotMatch((await third.program.stop()).output, /restored backup/, 'it is told once');
  });

  test('is closed by one of two servers that start on it at once', async () => {
    const { data } = await installed('twice');
    const [file, elsewhere] = [join(data, 'copy.db'), join(ROOT, 'elsewhere')];
    await sallyport(START, ['backup', file], { SALLYPORT_DATA: data });
    mkdirSync(elsewhere);
    copyFileSync(file, join(elsewhere, 'sallyport.db'));
    copyFileSync(join(data, 'keys'), join(elsewhere, 'keys'));
    const servers = await Promise.all([serve(elsewhere, START), serve(elsewhere, START)]);
    const ended = await Promise.all(servers.map(({ program }) => program.stop()));
    assert.equal(ended.filter(({ output }) => output.includes('restored backup')).length, 1);
    const db = openSqlite(join(elsewhere, 'sallyport.db'));
    assert.equal((await db.all(sql`SELECT id FROM audit_rows WHERE action = 'database.restored'`)).length, 1);
    await db.close();
  });

  test('of PostgreSQL is closed by `sallyport restored`', async () => {
    await using world = await openWorld('postgres', { ring: ringOf('test') });
    const people = await world.acmeWithMfa();
    const { last_step: step } = (await world.rows('authenticators'))[0]!;
    const used = world.codeFor(people.secret);
    assert.equal(
      (await answers(world.installation, await challenged(world.installation, people.maria), used)).kind,
      'right',
    );
    await world.change(sql`UPDATE authenticators SET last_step = ${step!}`);
    const env = {
      SALLYPORT_DATABASE_URL: world.place,
      SALLYPORT_KEYS: `test:${Buffer.alloc(32, 'test').toString('base64url')}`,
    };
    // It waits, as a command does, for whoever holds what it is to change, and longer than a request would.
    let restored: Promise<Ended> | undefined;
    await world.db.transaction(async (tx) => {
      await tx.run(sql`UPDATE accounts SET epoch = epoch`);
      restored = sallyport(world.clock.now, ['restored', '--json'], env);
      await Promise.race([waiting(world.db, 2_000), restored]);
    });
    const { code, output, errors } = await restored!;
    assert.equal(code, 0, errors);
    assert.deepEqual(JSON.parse(output), {
      takenAt: null,
      accounts: 6,
      sessions: 1,
      authenticators: 1,
      backupCodeSets: 0,
    });
    const late = await challenged(world.installation, people.maria);
    assert.equal((await answers(world.installation, late, used)).kind, 'already-used');
  });
});

describe('a server whose clock was set back between two starts', () => {
  test('says so in one line of its log and at /readyz, and checks no code', async () => {
    const { data, people } = await installed('back');
    await (await serve(data, START + 11 * MINUTE_MS)).program.stop();
    const server = await serve(data, START + MINUTE_MS);
    assert.equal((await fetch(`${server.url}/readyz`)).status, 503);
    for (let turn = 0; turn < 2; turn++)
      assert.equal((await signsIn(server, people, codeOf(people, START + MINUTE_MS))).status, 503);
    const { output } = await server.program.stop();
    const errors = output.split('\n').filter((line) => line.includes('"level":50'));
    assert.equal(errors.length, 1, errors.join('\n'));
    assert.match(errors[0] ?? '', /"msg":"the clock is behind what the database has seen"/);
  });
});

interface Installed {
  readonly data: string;
  readonly people: Acme & Enrolled;
}

/** A data folder with Acme, which has turned MFA on, and where Maria has set hers up. */
async function installed(name: string): Promise<Installed> {
  const data = join(ROOT, name);
  const installation: Installation = await openAll(readConfig({ SALLYPORT_DATA: data }), () => START, QUIET);
  const people = await acme(installation);
  await setPolicy(installation, people.organization, 'required');
  const enrolled = await enrol(installation, people.maria);
  await installation.db.close();
  return { data, people: { ...people, ...enrolled } };
}

/** What Maria's app shows at a moment, or so many steps later. */
function codeOf({ secret }: Enrolled, at: number, steps = 0): string {
  return totpCode(secret, timeStep(at) + steps);
}

/** A command on a machine whose clock stands at this moment. */
function sallyport(at: number, words: readonly string[], env: Record<string, string>): Promise<Ended> {
  return new Program([CLOCKED, String(at), ...words], env).ended;
}

interface Server {
  readonly program: Program;
  readonly url: string;
}

/** A real server that says it is listening. */
async function serve(data: string, at: number): Promise<Server> {
  const port = await freePort();
  const env = { SALLYPORT_DATA: data, SALLYPORT_PORT: String(port) };
  const program = new Program([CLOCKED, String(at), 'serve'], env);
  started.push(program);
  await program.said(/is listening/);
  return { program, url: `http://127.0.0.1:${port}` };
}

function post({ url }: Server, path: string, fields: Record<string, string>, cookie = ''): Promise<Response> {
  const headers = { 'sec-fetch-site': 'same-origin', cookie };
  return fetch(`${url}/portal/acme${path}`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
}

function cookieIn(response: Response, name: string): string | undefined {
  const lines = response.headers.getSetCookie().map((line) => line.split(';', 1)[0] ?? '');
  return lines.map((line) => line.split('=')).find(([one, value]) => one === name && value)?.[1];
}

/** The right password; answers the challenge's cookie. */
async function half(server: Server, { email, password }: Person): Promise<string> {
  const response = await post(server, '/sign-in', { email, password });
  assert.equal(response.status, 303, await response.text());
  return cookieIn(response, 'sallyport-challenge') ?? '';
}

/** Maria's password and a code; answers her session's cookie, if there is one. */
async function signsIn(
  server: Server,
  { maria }: Acme,
  code: string,
): Promise<{ status: number; text: string; session: string | undefined }> {
  const challenge = await half(server, maria);
  const response = await post(server, '/verify', { code }, `sallyport-challenge=${challenge}`);
  return { status: response.status, text: await response.text(), session: cookieIn(response, 'sallyport') };
}

/** Where a session's home leads; undefined where it is shown. */
async function home({ url }: Server, session: string): Promise<string | undefined> {
  const response = await fetch(`${url}/portal/acme/home`, {
    headers: { cookie: `sallyport=${session}` },
    redirect: 'manual',
  });
  return response.headers.get('location') ?? undefined;
}
