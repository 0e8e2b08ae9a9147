import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { failed } from './stopped.ts';

/** Where the generated ring lies, on SQLite and without SALLYPORT_KEYS. */
export function keysFile(config: Config): string {
  return join(config.data, 'keys');
}

/** A fresh key as a ring writes it. */
export function freshKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64url')}`;
}

/** Makes the file with a first key: on the disk, name and all, before anything is sealed with it. */
export function makeKeys(file: string): void {
  try {
    // 'wx': of two servers that start at once, one makes it.
    writeFileSync(file, `${freshKey('k1')}\n`, { flag: 'wx', mode: 0o600, flush: true });
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
  }
  syncFolderOf(file);
}

/** Puts a key in front of the file: whoever reads it finds the old ring or the new one, and a power cut leaves either. */
export function putInFront(file: string, key: string): void {
  const next = `${file}.next`;
  const descriptor = claim(next);
  try {
    // Read behind the claim: of two who add a key at once, the second would else drop the first one's.
    writeFileSync(descriptor, `${key}\n${readFileSync(file, 'utf8')}`);
    fsyncSync(descriptor);
    renameSync(next, file);
  } catch (fault) {
    rmSync(next, { force: true });
    throw fault;
  } finally {
    closeSync(descriptor);
  }
  syncFolderOf(file);
}

function claim(next: string): number {
  try {
    return openSync(next, 'wx', 0o600);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault;
    throw failed(`A key is being added, or adding one was cut off. If nobody is at it, remove ${next} and try again.`);
  }
}

function syncFolderOf(file: string): void {
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
