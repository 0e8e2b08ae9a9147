import type { Command } from 'commander';
import { OPERATOR } from '../accounts/audit.ts';
import { raiseMark, seenAt } from '../accounts/clock.ts';
import type { Installation } from '../accounts/installation.ts';
import { acceptClock } from '../auth/clock.ts';
import { clockIsBehind } from '../auth/limits.ts';
import { onInstallation, type Work } from './open.ts';
import { command, confirm, iso, moment } from './shell.ts';
import { refused } from './stopped.ts';

export function add(program: Command, now: () => number): void {
  const family = program.command('clock').description('The clock, by which codes of apps are checked');
  command(family, 'accept', "Take this machine's clock for the right one, after another was ahead")
    .option('--yes', 'do not ask again')
    .action(onInstallation(now, accept));
}

/** How to mend a clock that is behind, for people at a shell. */
export const MEND_CLOCK =
  'codes will be refused: set the clock by the network, for example timedatectl set-ntp true; ' +
  'if this clock is right and another was ahead: sallyport clock accept';

const accept: Work = async (installation, options) => {
  const [now, seen] = [installation.now(), await seenAt(installation.db)];
  if (clockIsBehind(now, seen))
    await confirm(`It is ${moment(now)}, and not ${moment(seen)} or later?`, 'accept', options);
  const accepted = await acceptClock(installation, OPERATOR);
  if (!accepted) throw refused('The clock is not behind what the database has seen: there is nothing to accept.');
  const { ahead } = accepted;
  const sentences = [
    `It is ${moment(now)}. That the database had seen ${moment(accepted.seenAt)} is forgotten, and what was dated ahead has ended.`,
    ...(ahead > 0
      ? [`Authenticators that accept no code before a time still to come: ${ahead}. Reset the MFA of their owners.`]
      : []),
  ];
  return { text: sentences.join('\n'), data: { now: iso(now), seenAt: iso(accepted.seenAt), ahead } };
};

const TICK_MS = 1_000;

/**
 * Shows the database this server's time, now and every second, and tells the operator once when it turns out to be
 * behind (I22), and once when it is right again. What it answers ends that.
 */
export async function keepTime(installation: Installation): Promise<() => Promise<void>> {
  const tick = ticking(installation);
  let under: Promise<void> | undefined;
  await tick();
  const timer = setInterval(() => {
    // A database that hangs is waited for once, and not once a second.
    under ??= tick().finally(() => (under = undefined));
  }, TICK_MS).unref();
  return async () => {
    clearInterval(timer);
    await under;
  };
}

type Told = 'right' | 'behind' | 'out of reach';

/** One tick: raises the mark, and tells only what is new. */
export function ticking({ db, now, log }: Pick<Installation, 'db' | 'now' | 'log'>): () => Promise<void> {
  let told: Told = 'right';
  return async () => {
    const at = now();
    let seen = 0;
    let found: Told;
    try {
      seen = await raiseMark(db, at);
      found = clockIsBehind(at, seen) ? 'behind' : 'right';
    } catch (fault) {
      found = 'out of reach';
      if (told !== found) log.warn('the time cannot be shown to the database', { reason: String(fault) });
    }
    if (found === 'behind' && told !== found) {
      const mend = `${MEND_CLOCK}. Until then this server checks no codes of authenticator apps`;
      log.error('the clock is behind what the database has seen', { clock: iso(at), seen: iso(seen), mend });
    }
    if (found === 'right' && told === 'behind') log.info('the clock is right again', { clock: iso(at) });
    told = found;
  };
}
