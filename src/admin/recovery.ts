import { html } from 'hono/html';
import type { Installation } from '../accounts/installation.ts';
import type { Why } from '../auth/asking-for-help.ts';
import { openRequests, type Hints, type RecoveryRequest } from '../auth/recovery-requests.ts';
import * as c from '../web/components.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { consolePage, counted } from './console.ts';

export const RECOVERY = '/admin/recovery';

const SHOWN = 50;

/** Recovery requests (M5): who waits for an answer, the oldest first. */
export async function recovery(visit: Visit, who: SignedIn): Promise<Response> {
  const { db } = visit.installation;
  const after = visit.query('after');
  const found = await openRequests(db, who.organization.id, visit.now, { after, limit: SHOWN + 1 });
  const shown = found.slice(0, SHOWN);
  const last = shown.at(-1);
  const body = html`${mailNotice(visit.installation)}
  ${last ? queue(visit, who, shown) : c.emptyState("No requests. When a customer can't get a code, their request shows here.")}
  ${last && found.length > SHOWN ? c.linkButton('Next', `${RECOVERY}?after=${last.id}`) : c.nothing}`;
  return consolePage(visit, who, { current: 'recovery', title: 'Recovery requests', body });
}

function queue(visit: Visit, { organization }: SignedIn, requests: readonly RecoveryRequest[]): c.Html {
  return c.dataTable({
    id: 'requests',
    caption: 'Recovery requests, the oldest first',
    columns: ['Who', 'Asked', 'Why', 'Risk hints', 'Wait ends'].map((label) => ({ label })),
    rows: requests.map((request) => [
      html`<a href="${requestPath(request)}">${request.name}</a><br /><small>${c.ltr(request.email)}</small>`,
      c.time(request.createdAt, organization),
      WHY_WORDS[request.why],
      hintPills(request.hints),
      request.waitEndsAt > visit.now ? c.time(request.waitEndsAt, organization) : c.pill('ok', 'Over'),
    ]),
  });
}

export function requestPath({ id }: Pick<RecoveryRequest, 'id'>, act = ''): string {
  return `${RECOVERY}/${id}${act}`;
}

/** What the customer chose, in the words of staff. */
export const WHY_WORDS: Readonly<Record<Why, string>> = {
  'lost-phone': 'Lost or changed their phone',
  'deleted-app': 'Deleted the app',
  'codes-fail': "The codes don't work",
  other: 'Something else',
};

/** What makes a request look like somebody else's, in a word or two; what each means, `HINTS_MEAN` says. */
export function hintPills(hints: Hints): c.Content {
  const { isStrange, passwordIsNew, othersFromThere, timesAsked } = hints;
  const all = [
    ...(isStrange ? ['New network'] : []),
    ...(passwordIsNew ? ['New password'] : []),
    ...(othersFromThere > 0 ? [`Also asked for ${counted(othersFromThere, 'other', 'others')}`] : []),
    ...(timesAsked > 1 ? [`Asked ${timesAsked} times`] : []),
  ];
  return all.length === 0 ? 'None' : html`${all.map((text) => html`${c.pill('warn', text)} `)}`;
}

export const HINTS_MEAN =
  'New network: they never signed in from there, or not with this password. New password: changed in the 24 hours before. The rest counts 30 days.';

/** That nobody is told by mail, where it is off, and what to do about it. */
export function mailNotice({ mailIsOn }: Installation): c.Html {
  if (mailIsOn) return c.nothing;
  const why =
    'Email is off, so whoever asks is not told by email and cannot cancel by a link. Approval rests on your checks alone.';
  return c.notice(
    'warn',
    html`<p>${why}</p>
      <p>To turn it on, set SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM.</p>`,
  );
}
