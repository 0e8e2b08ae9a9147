import type { Config } from '../config.ts';
import { hostOf, openPost, type PostOptions } from '../mail/post.ts';
import type { Finding } from './finding.ts';

const PATIENCE_MS = 5_000;

/** Whether letters are sent, and whether the mail server is there, is trusted and lets us in. It sends none. */
export async function examineMail({ mail }: Pick<Config, 'mail'>, options: PostOptions = {}): Promise<Finding> {
  const check = 'Mail';
  // No fault: the pages say how to go on without, and whoever wants mail reads here how to turn it on.
  if (!mail)
    return { check, found: 'off, and the pages say so; to turn it on, set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM' };
  const post = openPost(mail, { patienceMs: PATIENCE_MS, ...options });
  const reached = await post.reach();
  post.close();
  const where = `${hostOf(mail)}, from ${mail.from}`;
  if (reached.kind === 'accepted') return { check, found: `on: ${where}` };
  return {
    check,
    found: `${where}: ${reached.answer}`,
    mend: 'check SALLYPORT_SMTP_URL, and that this machine may reach the mail server; letters wait until it does',
  };
}
