import { html } from 'hono/html';
import { checkOf, type Broken } from '../accounts/audit-watch.ts';
import type { Organization } from '../accounts/organizations.ts';
import * as c from '../web/components.ts';
import type { Visit } from '../web/visit.ts';

const LATE_MS = 10 * 60_000;
const TODAY_MS = 12 * 60 * 60_000;

/** What the servers have last found of the log: a box for what is broken, or a line for a log that is whole. */
export async function integrity(
  { installation, now }: Visit,
  organization: Organization,
): Promise<{ readonly broken: c.Html; readonly line: c.Html }> {
  const check = await checkOf(installation, organization.id);
  if (check && check.found.length > 0) return { broken: broken(check.found, organization), line: c.nothing };
  return { broken: c.nothing, line: line(check?.checkedAt ?? null, organization, now) };
}

function line(checkedAt: number | null, organization: Organization, now: number): c.Html {
  if (checkedAt === null) return html`<p class="muted">The log has not been checked yet.</p>`;
  const age = now - checkedAt;
  const when = c.time(checkedAt, organization, age < TODAY_MS ? 'hour' : 'moment');
  const said = html`Log checked ${when}: complete, no gaps`;
  if (age <= LATE_MS) return html`<p class="muted">${said}</p>`;
  return c.notice('warn', html`<p>${said}. No server has checked it since.</p>`);
}

function broken(found: readonly Broken[], organization: Organization): c.Html {
  return c.notice(
    'danger',
    html`${found.map((one) => html`<p>${words(one)} Found ${c.time(one.at, organization)}.</p>`)}
      <p>Tell whoever runs the server: the command sallyport audit verify says more.</p>`,
    { role: 'alert' },
  );
}

function words({ what, from, to }: Broken): string {
  if (what === 'record') return 'What the servers wrote down of their last check has been changed.';
  const [one, many] = VERBS[what];
  return from === to ? `Entry ${number(from)} ${one}.` : `Entries ${number(from)}–${number(to)} ${many}.`;
}

function number(n: number): string {
  return n.toLocaleString('en-GB');
}

const VERBS = {
  changed: ['has been changed', 'have been changed'],
  missing: ['is missing', 'are missing'],
  'cut-off': ['has been cut off the end', 'have been cut off the end'],
} as const;
