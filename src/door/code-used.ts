import { html } from 'hono/html';
import { activeApps } from '../auth/authenticators.ts';
import { FEW_CODES } from '../auth/limits.ts';
import { backupCodesLeft } from '../auth/sign-in.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorOf } from './confirm.ts';
import { doorPage, sayAt } from './frame.ts';
import { homeOf } from './sign-in.ts';

/** GET /backup-code-used (C10): how many are left after one was used, and what it is good for while it is fresh. */
export async function show(visit: Visit, who: SignedIn): Promise<Response> {
  const door = doorOf(who);
  const left = (await backupCodesLeft(visit.installation, who.session.account)) ?? 0;
  const body = html`<p>${say('backup.used.text')}</p>
    ${left <= FEW_CODES ? c.notice('warn', sayAt(door, 'backup.used.few')) : c.nothing}
    ${door.surface === 'admin' ? html`<p>${sayAt(door, 'backup.used.lost')}</p>` : c.nothing}
    ${door.surface === 'admin' ? goOn(homeOf(door), true) : await waysOn(visit, who, left)}`;
  const progress = { outer: true, inner: true };
  return visit.page(doorPage(door, { title: say('backup.used.title', { n: left }), progress, signOut: true, body }));
}

async function waysOn(visit: Visit, who: SignedIn, left: number): Promise<c.Html> {
  const door = doorOf(who);
  const getCodes =
    left > FEW_CODES
      ? c.nothing
      : c.linkButton(
          say('backup.used.new-codes'),
          `${door.base}/security/backup-codes`,
          left === 0 ? 'main' : 'second',
        );
  return html`${left === 0 ? c.actions(getCodes) : c.nothing}
    <p>${sayAt(door, 'backup.used.lost')}</p>
    ${c.actions(await newApp(visit, who), left === 0 ? c.nothing : getCodes)}
    <p class="hint">${say('backup.used.soon')}</p>
    ${goOn(homeOf(door), left > 0)}`;
}

// Which of several apps was lost only its owner can tell.
async function newApp(visit: Visit, who: SignedIn): Promise<c.Html> {
  const { base } = doorOf(who);
  const [only, other] = await activeApps(visit.installation.db, who.session.account);
  const label = say('backup.used.new-app');
  if (!only || other) return c.linkButton(label, `${base}/security`);
  return c.form(`${base}/security/authenticators/${only.id}/replace`, c.button(label, { kind: 'second' }));
}

function goOn(path: string, isMain: boolean): c.Html {
  return c.actions(c.linkButton(say('backup.used.continue'), path, isMain ? 'main' : 'second'));
}
