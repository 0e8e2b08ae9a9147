import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openInstallation, type Installation } from '../accounts/installation.ts';
import { hashingLimits } from '../auth/limits.ts';
import { createApp } from '../app.ts';
import { keepChain } from '../cli/keep-chain.ts';
import { keepFigures } from '../cli/keep-figures.ts';
import { keepHouse, listen, stopListening, untilSignalled } from '../cli/serve.ts';
import { migrate } from '../db/migrate.ts';
import { openSqlite } from '../db/sqlite.ts';
import { openLog } from '../log.ts';
import { guideRoute } from './guide.ts';
import { demoMail } from './mail.ts';
import { pocketAuthenticator } from './pocket.ts';
import { seed } from './seed.ts';

const HOUR_MS = 3_600_000;

export interface DemoOptions {
  readonly now: () => number;
  readonly port: number;
}

/**
 * Acme Billing, ready to try, in a throw-away folder. It takes no database and no key of yours, makes its own each time
 * and listens on this machine alone: the pocket authenticator that it hands to the pages opens example accounts only.
 */
export async function runDemo({ now, port }: DemoOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'));
  const db = openSqlite(join(folder, 'demo.db'));
  try {
    await migrate(db, now());
    const ring = { current: 'demo', keys: new Map([['demo', randomBytes(32)]]) };
    const hashing = hashingLimits(availableParallelism());
    const installation = await openInstallation(db, ring, { now, log: openLog('warn', now), hashing, mailIsOn: true });
    // What is made up has told nobody anything.
    await seed({ ...installation, mailIsOn: false }, (hoursAgo): Installation => ({
      ...installation,
      mailIsOn: false,
      now: () => now() - hoursAgo * HOUR_MS,
    }));
    await answerUntilSignalled(installation, port);
  } finally {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function answerUntilSignalled(installation: Installation, port: number): Promise<void> {
  const publicUrl = `http://localhost:${port}`;
  const pocket = pocketAuthenticator(installation);
  const mail = demoMail(installation, publicUrl);
  const house = { installation, publicUrl, trustedProxies: [], pageExtra: pocket.pageExtra };
  const signalled = untilSignalled();
  const server = await listen(createApp(house, [guideRoute, mail.route, ...pocket.routes]), {
    port,
    host: '127.0.0.1',
  });
  const stopping = [keepHouse(installation), keepChain(installation), keepFigures(installation), mail.keepSending()];
  console.log(`Acme Billing is open on ${publicUrl}`);
  await signalled;
  await stopListening(server);
  for (const stop of stopping) await stop();
}
