import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { html } from 'hono/html';
import type { Account } from '../accounts/accounts.ts';
import type { Installation } from '../accounts/installation.ts';
import { openSecret } from '../auth/factors/totp.ts';
import { stepStart, timeStep, totpCode } from '../crypto/totp.ts';
import { sql } from '../db/db.ts';
import type { Html } from '../web/components.ts';
import { anyone } from '../web/guards.ts';
import { route, type Route } from '../web/routes.ts';

/**
 * An authenticator app for somebody without a phone: it opens the account's secret and shows the code on the page.
 * That would be no second factor at all, which is why nothing outside the demo can reach this file.
 */
export function pocketAuthenticator(installation: Installation): {
  pageExtra: (account: Account, app?: 'pending') => Promise<Html | undefined>;
  routes: readonly Route[];
} {
  return {
    pageExtra: async (account, pending) => {
      const app = pending ?? 'active';
      const shown = await currentCode(installation, account.organizationId, account.id, app);
      return shown && banner(account, app, shown);
    },
    routes: [
      route('GET', '/demo/pocket/:organization/:account/:app', anyone, async (visit) => {
        const app = visit.param('app') === 'pending' ? 'pending' : 'active';
        const shown = await currentCode(visit.installation, visit.param('organization'), visit.param('account'), app);
        return visit.json(shown ?? { code: '', seconds: 0 });
      }),
      route('GET', '/demo/pocket.js', anyone, (visit) => visit.text(SCRIPT, 'text/javascript; charset=utf-8')),
    ],
  };
}

const SCRIPT = readFileSync(join(import.meta.dirname, 'pocket.js'), 'utf8');

/** An app that signs in, or one that is just being set up, perhaps in the place of another. */
type App = 'active' | 'pending';

interface Shown {
  readonly code: string;
  readonly seconds: number;
}

async function currentCode(
  installation: Installation,
  organizationId: string,
  accountId: string,
  app: App,
): Promise<Shown | undefined> {
  const isWanted = app === 'pending' ? sql`enabled_at IS NULL` : sql`enabled_at IS NOT NULL`;
  const row = await installation.db.one<{ id: string; secret: string }>(sql`SELECT id, secret FROM authenticators
    WHERE organization_id = ${organizationId} AND account_id = ${accountId} AND kind = 'totp' AND revoked_at IS NULL AND ${isWanted}
    ORDER BY id DESC LIMIT 1`);
  if (!row) return undefined;
  const now = installation.now();
  const step = timeStep(now);
  const secret = openSecret(installation, organizationId, accountId, row.id, row.secret);
  return { code: totpCode(secret, step), seconds: Math.ceil((stepStart(step + 1) - now) / 1000) };
}

function banner(account: Account, app: App, { code, seconds }: Shown): Html {
  const source = `/demo/pocket/${account.organizationId}/${account.id}/${app}`;
  return html`<aside class="notice info" aria-label="Pocket authenticator" data-pocket="${source}">
      <p><strong>Pocket authenticator</strong> <small>of ${account.name}, in this demo only</small></p>
      <p>
        <code class="key" dir="ltr" data-code>${code.slice(0, 3)} ${code.slice(3)}</code>
        <span>the next one in <span data-seconds>${seconds}</span> seconds</span>
      </p>
    </aside>
    <script type="module" src="/demo/pocket.js"></script>`;
}
