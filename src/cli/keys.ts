import type { Command } from 'commander';
import type { Installation } from '../accounts/installation.ts';
import { keysInUse } from '../accounts/keys.ts';
import { countSealed, rotate, type KeptKey, type Rotation } from '../auth/rotation.ts';
import { readConfig } from '../config.ts';
import { freshKey, keysFile, putInFront } from './keys-file.ts';
import { onInstallation, type Work } from './open.ts';
import { showProgress } from './progress.ts';
import { command, type Answer } from './shell.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('keys').description('Keys: what secrets are sealed with');
  command(family, 'add', 'Make a key to change over to').action(onInstallation(now, addKey));
  command(family, 'rotate', 'Seal everything again with the first key, and release the others')
    .option('--dry-run', 'only count')
    .action(
      onInstallation(now, (installation, options) =>
        options.dryRun ? countOnly(installation) : rotateAll(installation, now),
      ),
    );
}

const addKey: Work = async (installation) => {
  const id = await nextId(installation);
  const key = freshKey(id);
  const config = readConfig();
  const first = `Next: restart the server, then run: sallyport keys rotate`;
  if (config.ring === undefined) {
    const file = keysFile(config);
    putInFront(file, key);
    return {
      text: `Key ${id} now stands first in ${file}. Copy the file to where you keep the keys.\n${first}`,
      data: { key: id, file },
    };
  }
  const several =
    'Several servers: put it last on all of them, restart each, then put it first and restart each once more.';
  return {
    text: `Nothing has been changed. Put this key first in SALLYPORT_KEYS, and leave the others behind it:\n\n  ${key}\n\n${first}\n${several}`,
    data: { key: id, entry: key },
  };
};

/** The number after the highest one ever seen here: an id must not be given to other bytes. */
async function nextId({ db, ring, now }: Installation): Promise<string> {
  const ids = [...ring.keys.keys(), ...(await keysInUse(db, now())).map(({ keyId }) => keyId)];
  const numbers = ids.map((id) => Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0));
  return `k${Math.max(...numbers) + 1}`;
}

async function countOnly({ db, ring, now }: Installation): Promise<Answer> {
  const inUse = (await keysInUse(db, now())).map(({ keyId }) => keyId);
  const keys: { key: string; columns: { column: string; count: number }[] }[] = [];
  for (const key of new Set([ring.current, ...inUse])) keys.push({ key, columns: await countSealed(db, key) });
  const rows = keys.flatMap(({ key, columns }) => columns.map(({ column, count }) => [key, column, String(count)]));
  return { table: { columns: ['Key', 'Column', 'Values'], rows }, data: { current: ring.current, keys } };
}

async function rotateAll(installation: Installation, now: () => number): Promise<Answer> {
  const rotation = await rotate(installation, showProgress(now));
  const config = readConfig();
  const ring = config.ring === undefined ? keysFile(config) : 'SALLYPORT_KEYS';
  return { text: told(rotation, ring).join('\n'), data: rotation, exit: rotation.kept.length === 0 ? 0 : 1 };
}

function told({ key, columns, released, kept }: Rotation, ring: string): string[] {
  const total = columns.reduce((sum, { resealed }) => sum + resealed, 0);
  const sealed =
    total === 0 ? `Everything was sealed with key ${key} already.` : `Values sealed again with key ${key}: ${total}.`;
  const done = released.map((id) => `Key ${id} is no longer used: remove it from ${ring}.`);
  return [sealed, ...done, ...kept.map((one) => whyKept(one, key))];
}

function whyKept({ key, sealers, stuck }: KeptKey, current: string): string {
  const still = `Key ${key} is still in use:`;
  if (sealers.length > 0)
    return `${still} ${sealers.join('; ')} seals with it. Restart it with ${current} first, and run this again. One that was killed is forgotten after 3 minutes.`;
  if (stuck > 0)
    return `${still} ${stuck} of its values do not open, because they were changed or moved. Keep the key. Reset the MFA and set a new password for whoever meets a fault, and run this again.`;
  return `${still} a process has taken it up meanwhile. Run this again.`;
}
