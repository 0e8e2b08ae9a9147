import { html } from 'hono/html';
import { NOTE_MIN } from '../auth/recovery.ts';
import { approve, findRequest, refuse, type AnswerOutcome, type RecoveryRequest } from '../auth/recovery-requests.ts';
import { referenceOf } from '../door/ask-for-help.ts';
import { proveFirst } from '../door/confirm.ts';
import * as c from '../web/components.ts';
import { deviceOf } from '../web/device.ts';
import { forbiddenPage, notFoundPage } from '../web/errors.ts';
import type { SignedIn } from '../web/guards.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, barred, consolePage } from './console.ts';
import { fitting, lines, NOTE_MAX } from './inputs.ts';
import { HINTS_MEAN, hintPills, mailNotice, RECOVERY, requestPath, WHY_WORDS } from './recovery.ts';
import { isCheck, NOTE_MISSING, reasonFields, reasonProblems, TOO_MANY, type Given } from './reset-mfa.ts';

interface AtRequest {
  readonly who: SignedIn;
  readonly request: RecoveryRequest;
}

/** Hands on the request that the path names, in the reader's own organization (I15). */
export function atRequest(handler: (visit: Visit, at: AtRequest) => Promise<Response>) {
  return async (visit: Visit, who: SignedIn): Promise<Response> => {
    const id = visit.param('request');
    const request = await findRequest(visit.installation.db, who.organization.id, id, visit.now);
    return request ? handler(visit, { who, request }) : notFoundPage(visit);
  };
}

/** GET /admin/recovery/…: the facts, whom to call, and what can be done. */
export function show(visit: Visit, at: AtRequest): Promise<Response> {
  return requestPage(visit, at);
}

/** POST …/approve: Approve and reset, with the checks of every reset and a fresh proof. */
export async function approveRequest(visit: Visit, at: AtRequest): Promise<Response> {
  const { check, note } = await visit.form('check', 'note');
  const given = { check, note: lines(note) };
  const problems = reasonProblems(given);
  if (problems.length > 0 || !isCheck(given.check)) return requestPage(visit, at, { problems, given });
  const { who, request } = at;
  const proof = await proveFirst(visit, who, `reset MFA for ${request.email}`);
  if (proof) return proof;
  const reason = { check: given.check, note: given.note };
  const outcome = await approve(visit.installation, actorOf(visit, who), who.session.account, request, reason);
  const told = visit.installation.mailIsOn ? ' and by email' : '';
  return answered(visit, at, outcome, `MFA reset for ${request.email}. They are told at their next sign-in${told}.`, {
    problems: [NOTE_MISSING],
    given,
  });
}

/** POST …/refuse: with a reason that the customer reads. */
export async function refuseRequest(visit: Visit, at: AtRequest): Promise<Response> {
  const { reason } = await visit.form('reason');
  const given = lines(reason);
  const problems = given.length < NOTE_MIN ? [REASON_MISSING] : fitting('reason', 'the reason', given, NOTE_MAX);
  if (problems.length > 0) return requestPage(visit, at, { problems, reason: given });
  const { who, request } = at;
  const proof = await proveFirst(visit, who, `refuse the request of ${request.email}`);
  if (proof) return proof;
  const outcome = await refuse(visit.installation, actorOf(visit, who), who.session.account, request, given);
  const told = visit.installation.mailIsOn ? 'They are told by email.' : 'They are told when they ask again.';
  return answered(visit, at, outcome, `The request of ${request.email} is refused. ${told}`, {
    problems: [REASON_MISSING],
    reason: given,
  });
}

const REASON_MISSING: c.Problem = {
  field: 'reason',
  text: `Say why, in ${NOTE_MIN} characters or more`,
};

interface Refused {
  readonly problems: readonly c.Problem[];
  readonly given?: Given;
  readonly reason?: string;
  readonly until?: number;
}

async function answered(
  visit: Visit,
  at: AtRequest,
  outcome: AnswerOutcome,
  done: string,
  missing: Refused,
): Promise<Response> {
  switch (outcome.kind) {
    case 'done':
      visit.leave('admin', { kind: 'ok', text: done });
      return visit.see(RECOVERY);
    case 'note-missing':
      return requestPage(visit, at, missing);
    case 'waits':
      return requestPage(visit, at, { problems: [{ field: 'wait', text: waitWords(at, outcome.until) }] });
    case 'limited':
      return requestPage(visit, at, { problems: [{ field: 'check', text: TOO_MANY }], until: outcome.until });
    case 'over':
    case 'no-mfa':
      return requestPage(visit, at, { problems: [{ field: 'request', text: OVER }] });
    case 'not-allowed':
      return forbiddenPage(visit, 'You may not reset the MFA of this account.');
  }
}

const OVER = 'This request is over: a code of theirs worked, it was cancelled, or a colleague has answered it';

function waitWords({ who }: AtRequest, until: number): string {
  return `Nobody can approve it before ${c.timeText(until, who.organization)}`;
}

function requestPage(visit: Visit, at: AtRequest, refused?: Refused): Promise<Response> {
  const { who, request } = at;
  return consolePage(visit, who, {
    current: 'recovery',
    title: `${request.name} asks for help`,
    phrase: request.email,
    errors: refused?.problems,
    until: refused?.until,
    body: html`${mailNotice(visit.installation)} ${c.section('The request', facts(at))}
    ${c.section('Whom to call', whomToCall(at))} ${acts(visit, at, refused)}`,
  });
}

function facts({ who, request }: AtRequest): c.Html {
  const { organization } = who;
  return c.summaryList([
    { label: 'Reference', value: referenceOf(request) },
    { label: 'State', value: html`<span id="request">${STATES[request.state]}</span>` },
    { label: 'Asked', value: c.time(request.createdAt, organization) },
    { label: 'Why', value: WHY_WORDS[request.why] },
    ...(request.story === ''
      ? []
      : [{ label: 'In their words', value: html`<span class="lines">${request.story}</span>` }]),
    { label: 'From', value: html`${deviceOf(request)}, ${c.ltr(request.address)}` },
    { label: 'Risk hints', value: html`${hintPills(request.hints)}<br /><small>${HINTS_MEAN}</small>` },
    { label: 'Wait ends', value: html`<span id="wait">${c.time(request.waitEndsAt, organization)}</span>` },
    ...(request.reason === null
      ? []
      : [{ label: 'Answer', value: html`<span class="lines">${request.reason}</span>` }]),
  ]);
}

const STATES: Readonly<Record<RecoveryRequest['state'], c.Html>> = {
  open: c.pill('warn', 'Waits for an answer'),
  approved: c.pill('ok', 'Approved'),
  refused: c.pill('danger', 'Refused'),
  cancelled: c.pill('muted', 'Cancelled'),
  expired: c.pill('muted', 'Run out'),
};

// Whoever asks may be a thief who has the password: what they wrote leads to them, what is on file to the customer.
function whomToCall({ request }: AtRequest): c.Html {
  const onFile =
    request.phoneOnFile === null
      ? html`<p>No phone number is on file. Reach them another way that you knew before they asked.</p>`
      : html`<p><strong>Call the number on file:</strong> ${c.ltr(request.phoneOnFile)}</p>`;
  const written =
    request.phone === ''
      ? c.nothing
      : html`<p>${c.pill('danger', 'Not verified')} They wrote ${c.ltr(request.phone)}. Do not call this number.</p>`;
  return html`${onFile} ${written}
    <p><a href="/admin/customers/${request.customerId}">Their customer page</a></p>`;
}

function acts(visit: Visit, at: AtRequest, refused?: Refused): c.Html {
  const { who, request } = at;
  if (request.state !== 'open') return html`<p><a href="${RECOVERY}">Back to the requests</a></p>`;
  const reason = barred(who, 'reset MFA');
  if (reason !== undefined) return html`<p>${reason}</p>`;
  const problems = refused?.problems ?? [];
  return html`${request.waitEndsAt > visit.now ? c.section('Approve', waitSection(at)) : approveSection(at, refused, problems)}
  ${refuseSection(at, refused, problems)}`;
}

function waitSection(at: AtRequest): c.Html {
  return html`<p>
    ${waitWords(at, at.request.waitEndsAt)}. Until then they can cancel it, and a working code ends it.
  </p>`;
}

function approveSection({ request }: AtRequest, refused: Refused | undefined, problems: readonly c.Problem[]): c.Html {
  const given = refused?.given ?? { check: '', note: '' };
  const says = html`<p>Do this only after you have checked that it really is ${request.name}.</p>
    <ul class="bullets">
      <li>Their authenticator app and backup codes stop working now</li>
      <li>They are signed out everywhere</li>
      <li>They are told</li>
    </ul>`;
  const fields = html`${reasonFields(given, problems)} ${c.actions(c.button('Approve and reset', { kind: 'danger' }))}`;
  return c.section('Approve', [says, c.form(requestPath(request, '/approve'), fields, { busy: 'Resetting…' })]);
}

function refuseSection({ request }: AtRequest, refused: Refused | undefined, problems: readonly c.Problem[]): c.Html {
  const fields = html`${c.textareaField({
    name: 'reason',
    label: 'Reason',
    hint: `The customer reads it. At least ${NOTE_MIN} characters.`,
    value: refused?.reason,
    rows: 3,
    error: c.problemOf(problems, 'reason'),
  })}
  ${c.actions(c.button('Refuse', { kind: 'second' }))}`;
  return c.section('Refuse', c.form(requestPath(request, '/refuse'), fields, { busy: 'Refusing…' }));
}
