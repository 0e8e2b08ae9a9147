import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ServerProcess } from '../races/servers.ts';
import { ask } from './ask.ts';
import { sqliteIn } from './places.ts';
import { PORTAL, Scene } from './scene.ts';
import { Traffic } from './traffic.ts';

const CUSTOMERS = 40;

describe('a disk that is full under SQLite', () => {
  test('is a file that may grow no more: sign-ins are told 503 and nothing is done by half, until a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-limit-'));
    await using scene = await Scene.open('sqlite', await sqliteIn(folder));
    const told = await customersOf(scene);
    // In blocks of 512 bytes, some of which the log of the database (WAL) still has left to grow.
    const blocks = Math.ceil(statSync(scene.database.place).size / 512) + 20;
    const limited = await scene.server({ ticks: true }, `ulimit -f ${blocks}`);
    await fullDisk(limited, told);
    await limited.stop();
    const server = await scene.server({ ticks: true });
    await spaceAgain(scene, server, told);
  });

  // The real thing needs the right to mount; the story above is the same for whoever lacks it.
  const folder = mounted();
  if (folder !== undefined)
    test('is a file system without room: the same, and no restart is needed once there is room again', async () => {
      try {
        await using scene = await Scene.open('sqlite', await sqliteIn(join(folder, 'data')));
        const told = await customersOf(scene);
        const server = await scene.server({ ticks: true });
        const filler = fill(join(folder, 'filler'));
        await fullDisk(server, told);
        rmSync(filler);
        await spaceAgain(scene, server, told);
      } finally {
        execFileSync('umount', ['--lazy', folder]);
      }
    });
});

interface Customers {
  readonly traffic: Traffic;
  /** Where they go, once there is a server. */
  server: ServerProcess | undefined;
}

async function customersOf(scene: Scene): Promise<Customers> {
  const customers = (await scene.members(CUSTOMERS)).map((member) => ({ ...member, portal: PORTAL }));
  scene.clock.now = Date.now();
  const told: Customers = {
    traffic: new Traffic(() => told.server?.port ?? 0, customers, scene.ledger),
    server: undefined,
  };
  return told;
}

/** Signs in until the disk is full, and then some: 503 each time, while pages are shown and nothing is half done. */
async function fullDisk(server: ServerProcess, told: Customers): Promise<void> {
  const { traffic } = told;
  told.server = server;
  for (let tries = 0; traffic.failures.length < 20; tries++) {
    assert.ok(tries < 40, 'the disk is not full yet');
    await traffic.everybodyTries(4);
  }
  for (const { status, retryAfter, text } of traffic.failures) {
    assert.equal(status, 503, text);
    assert.ok(retryAfter, 'it says when to come again');
  }
  const page = await ask(server.port, { path: `${PORTAL}/sign-in` });
  assert.equal(page.status, 200, 'what only reads goes on');
}

async function spaceAgain(scene: Scene, server: ServerProcess, told: Customers): Promise<void> {
  const { traffic } = told;
  told.server = server;
  const [letIn, failed] = [traffic.letIn, traffic.failures.length];
  await traffic.everybody(4);
  assert.equal(traffic.letIn, letIn + CUSTOMERS, 'everybody comes in again');
  assert.equal(traffic.failures.length, failed, 'at the first try');
  await server.stop();
  scene.clock.now = Date.now();
  assert.deepEqual(await scene.findings(), []);
}

/** A file system of its own with little room, or undefined where this user may mount none. */
function mounted(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

/** Writes a file until nothing more fits on its disk. */
function fill(file: string): string {
  const filler = openSync(file, 'w');
  try {
    for (;;) writeSync(filler, Buffer.alloc(4_096));
  } catch (fault) {
    assert.equal((fault as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(filler);
  }
  return file;
}
