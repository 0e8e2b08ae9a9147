import { html } from 'hono/html';
import {
  askForHelp,
  cancelOwn,
  lastRefusalOf,
  openRequestOf,
  WHYS,
  type OwnRequest,
  type Why,
} from '../auth/asking-for-help.ts';
import { HELP_STORY_MAX } from '../auth/limits.ts';
import * as c from '../web/components.ts';
import type { HalfSignedIn } from '../web/guards.ts';
import { line, lines, PHONE_MAX } from '../web/typed.ts';
import type { Visit } from '../web/visit.ts';
import { say } from '../words/say.ts';
import { doorPage, localeAt, nameAt, sayAt } from './frame.ts';
import { reach } from './sign-in.ts';
import { HALF_WAY, signInAgain } from './verify.ts';

interface Given {
  readonly why: string;
  readonly story: string;
  readonly phone: string;
}

const NOTHING_GIVEN: Given = { why: '', story: '', phone: '' };

/** GET /verify/ask-for-help (C11): who can help, and the request to be helped, behind the right password. */
export async function show(visit: Visit, half: HalfSignedIn): Promise<Response> {
  if (half.door.surface === 'admin') return visit.page(contactsPage(half));
  const request = await openRequestOf(visit.installation.db, half.challenge.account, visit.now);
  return visit.page(request ? openPage(visit, half, request) : await askPage(visit, half, NOTHING_GIVEN, []));
}

/** POST /verify/ask-for-help: Send request. */
export async function submit(visit: Visit, half: HalfSignedIn): Promise<Response> {
  const { why, story, phone } = await visit.form('why', 'story', 'phone');
  const given = { why, story: lines(story), phone: line(phone) };
  const problems = problemsWith(given);
  if (problems.length > 0 || !isWhy(given.why)) return visit.page(await askPage(visit, half, given, problems), 422);
  const { door, challenge } = half;
  const draft = { ...given, why: given.why };
  const outcome = await askForHelp(visit.installation, challenge, door.organization, draft, visit.visitor);
  switch (outcome.kind) {
    case 'asked': {
      const { email } = challenge.account;
      const text = visit.installation.mailIsOn ? say('recover.sent', { email }) : say('recover.sent.no-mail');
      visit.leave(door.surface, { kind: 'ok', text });
      return visit.see(`${door.base}/verify/ask-for-help`);
    }
    case 'open-already':
      return visit.see(`${door.base}/verify/ask-for-help`);
    case 'limited': {
      const time = c.timeText(outcome.until, localeAt(door));
      const text = say('recover.limited', { time, m: nameAt(door) });
      return visit.heldBack(await askPage(visit, half, given, [{ field: 'why', text }]), outcome.until);
    }
    case 'over':
      return signInAgain(visit, half, 'login.replaced');
  }
}

/** POST /verify/ask-for-help/cancel: Cancel request. Pressed twice, it is harmless. */
export async function cancel(visit: Visit, { door, challenge }: HalfSignedIn): Promise<Response> {
  await visit.form();
  if (await cancelOwn(visit.installation, challenge, visit.visitor))
    visit.leave(door.surface, { kind: 'ok', text: say('recover.cancelled') });
  return visit.see(`${door.base}/verify/ask-for-help`);
}

/** By what a request is named on the phone: the part of its id that chance has drawn last. */
export function referenceOf({ id }: Pick<OwnRequest, 'id'>): string {
  return id.slice(-8).toUpperCase();
}

function isWhy(text: string): text is Why {
  return (WHYS as readonly string[]).includes(text);
}

function problemsWith({ why, story, phone }: Given): c.Problem[] {
  const problems: c.Problem[] = [];
  if (!isWhy(why)) problems.push({ field: 'why', text: say('recover.why.empty') });
  if (story.length > HELP_STORY_MAX)
    problems.push({ field: 'story', text: say('recover.story.long', { n: HELP_STORY_MAX }) });
  if (phone.length > PHONE_MAX) problems.push({ field: 'phone', text: say('recover.phone.long', { n: PHONE_MAX }) });
  return problems;
}

function contactsPage({ door }: HalfSignedIn): c.Html {
  const body = html`<p>${sayAt(door, 'recover.text')}</p>
    ${back(door.base)}`;
  return doorPage(door, { title: sayAt(door, 'recover.title'), progress: HALF_WAY, body });
}

function back(base: string): c.Html {
  return html`<p>${say('recover.found')}</p>
    <p><a href="${base}/verify">${say('recover.back')}</a></p>`;
}

async function askPage(
  visit: Visit,
  { door, challenge }: HalfSignedIn,
  given: Given,
  errors: readonly c.Problem[],
): Promise<c.Html> {
  const m = nameAt(door);
  const flash = visit.found(door.surface);
  const refusal = await lastRefusalOf(visit.installation.db, challenge.account);
  const fields = html`${c.radios({
    name: 'why',
    label: say('recover.why'),
    value: given.why,
    error: c.problemOf(errors, 'why'),
    choices: WHYS.map((value) => ({ value, label: say(`recover.why.${value}`) })),
  })}
  ${c.textareaField({
    name: 'story',
    label: say('recover.story'),
    hint: say('recover.story.hint', { m }),
    value: given.story,
    rows: 3,
    error: c.problemOf(errors, 'story'),
  })}
  ${c.field({
    name: 'phone',
    label: say('recover.phone', { m }),
    hint: say('recover.phone.hint', { m }),
    type: 'tel',
    autocomplete: 'tel',
    value: given.phone,
    error: c.problemOf(errors, 'phone'),
  })}
  ${c.button(say('recover.submit'))}`;
  return doorPage(door, {
    title: sayAt(door, 'recover.title'),
    progress: HALF_WAY,
    errors,
    notices: html`${flash ? c.notice(flash.kind, flash.text, { role: 'status' }) : c.nothing}
    ${refusal ? refusalNotice(door, refusal) : c.nothing}`,
    body: html`<p>${sayAt(door, 'recover.text')} ${waitWords(door.organization.recoveryWaitHours)}</p>
      ${visit.installation.mailIsOn ? c.nothing : c.notice('info', say('recover.no-mail', { m }))}
      ${c.form(`${door.base}/verify/ask-for-help`, fields, { busy: say('recover.busy') })} ${reach(door)}
      ${back(door.base)}`,
  });
}

function refusalNotice(door: HalfSignedIn['door'], { at, reason }: { at: number; reason: string }): c.Html {
  const date = c.time(at, localeAt(door), 'date');
  return c.notice(
    'warn',
    html`<p><strong>${c.words('recover.refused', { m: nameAt(door), date })}</strong></p>
      <p class="lines">${reason}</p>`,
  );
}

function waitWords(hours: number): string {
  if (hours === 0) return '';
  return hours % 24 === 0 ? say('recover.wait.days', { n: hours / 24 }) : say('recover.wait.hours', { n: hours });
}

function openPage(visit: Visit, { door }: HalfSignedIn, request: OwnRequest): c.Html {
  const m = nameAt(door);
  const flash = visit.found(door.surface);
  const asked = { m, date: c.time(request.createdAt, localeAt(door)) };
  const waits = request.waitEndsAt > visit.now;
  return doorPage(door, {
    title: sayAt(door, 'recover.title'),
    progress: HALF_WAY,
    notices: flash ? c.notice(flash.kind, flash.text, { role: 'status' }) : c.nothing,
    body: html`<p>${c.words('recover.open', asked)}</p>
      ${waits ? html`<p>${c.words('recover.open.wait', { m, date: c.time(request.waitEndsAt, localeAt(door)) })}</p>` : c.nothing}
      <p class="muted">${say('recover.open.reference', { id: referenceOf(request) })}</p>
      <p>${say('recover.open.found')}</p>
      ${visit.installation.mailIsOn ? c.nothing : c.notice('info', say('recover.no-mail', { m }))}
      ${c.form(`${door.base}/verify/ask-for-help/cancel`, c.button(say('recover.cancel'), { kind: 'second' }))}
      ${reach(door)}
      <p><a href="${door.base}/verify">${say('recover.back')}</a></p>`,
  });
}
