import { existsSync, statfsSync, statSync } from 'node:fs';
import type { Config } from '../config.ts';
import type { Finding } from './finding.ts';
import { keysFile } from './keys-file.ts';
import { databaseFile } from './open.ts';

const GIB = 2 ** 30;
const LEAST_FREE_BYTES = GIB;
const LEAST_FREE_SHARE = 0.05;
/** On a large disk a small share is still much. */
const AMPLE_BYTES = 20 * GIB;

/** Where the embedded database lies: who can open it, and whether there is room for it. */
export function examineDisk(config: Config): Finding[] {
  const { bavail, blocks, bsize } = statfsSync(config.data);
  const file = databaseFile(config);
  const wal = `${file}-wal`;
  const sizes = { database: statSync(file).size, wal: existsSync(wal) ? statSync(wal).size : 0 };
  return [modes(config), room({ free: bavail * bsize, total: blocks * bsize }, sizes)];
}

function modes(config: Config): Finding {
  const paths = [config.data, databaseFile(config), keysFile(config)].filter((path) => existsSync(path));
  const open = paths.filter((path) => (statSync(path).mode & 0o077) !== 0);
  if (process.platform === 'win32' || open.length === 0)
    return { check: 'Data folder', found: `${config.data}, closed to other users` };
  const wanted = open.map((path) => `chmod ${path === config.data ? '700' : '600'} ${path}`);
  return { check: 'Data folder', found: `other users can open ${open.join(', ')}`, mend: wanted.join(' && ') };
}

/** Whether a disk with so many bytes has room for a database that has so many. */
export function room(
  { free, total }: { free: number; total: number },
  { database, wal }: { database: number; wal: number },
): Finding {
  const found = `${size(free)} of ${size(total)} free; the database has ${size(database)}, its log ${size(wal)}`;
  const enough = free >= LEAST_FREE_BYTES && (free >= LEAST_FREE_SHARE * total || free >= AMPLE_BYTES);
  if (enough) return { check: 'Disk', found };
  return {
    check: 'Disk',
    found,
    mend: 'make room: on a full disk nobody can sign in. Old backups and logs beside it go first',
  };
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const amount = bytes / 2 ** (10 * unit);
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}
