import type { Installation } from '../accounts/installation.ts';
import type { Config } from '../config.ts';
import { openPost } from '../mail/post.ts';
import { openSender } from '../mail/sender.ts';
import { keepUp } from './keep-up.ts';

const LOOK_EVERY_MS = 1_000;

/** Sends letters while the server runs, where there is a mail server; what it answers ends that, after those on their way. */
export function keepPosting(
  installation: Installation,
  { mail, publicUrl }: Pick<Config, 'mail' | 'publicUrl'>,
): () => Promise<void> {
  if (!mail) return () => Promise.resolve();
  const sender = openSender(installation, { publicUrl, from: mail.from, open: () => openPost(mail) });
  const stop = keepUp(installation.log, {
    everyMs: LOOK_EVERY_MS,
    turn: async () => void (await sender.turn()),
    finish: () => Promise.resolve(),
    trouble: 'letters cannot be sent',
    mended: 'letters are sent again',
  });
  return async () => {
    await sender.finish();
    await stop();
  };
}
